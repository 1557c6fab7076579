"""The GPUs of this machine, by what their drivers put into /dev."""

from __future__ import annotations

from pathlib import Path

__all__ = ["NVIDIA", "gpus_here"]

#: Devices of NVIDIA's driver, the last one that of Windows' Linux.
NVIDIA = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg")
_DEVICES = {"NVIDIA": NVIDIA, "AMD": ("/dev/kfd",)}


def gpus_here() -> list[str]:
    """Return whose GPUs this machine has, as in "NVIDIA".

    A program such as `nvidia-smi` may be there without a GPU.
    """
    return [
        name
        for name, devices in _DEVICES.items()
        if any(Path(each).exists() for each in devices)
    ]
