"""The GPUs of this machine, by what their drivers put into /dev."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

__all__ = ["NVIDIA", "gpus_here"]

#: What a GPU of NVIDIA is called: its device, or on Windows' Linux its library.
NVIDIA = ("/dev/nvidia0", "/usr/lib/wsl/lib/libcuda.so.1")
_NVIDIA = re.compile(r"nvidia\d+")


def gpus_here() -> list[str]:
    """Return whose GPUs this machine has, as in "NVIDIA".

    A program such as `nvidia-smi`, or the driver, may be there without a GPU.
    """
    found = []
    if (Path("/dev/dxg").exists() and Path(NVIDIA[1]).exists()) or _has_devices():
        found.append("NVIDIA")
    if Path("/dev/kfd").exists():
        found.append("AMD")
    return found


def _has_devices() -> bool:
    with suppress(OSError):
        return any(_NVIDIA.fullmatch(each.name) for each in Path("/dev").iterdir())
    return False
