"""Packs this package into a wheel, to be sent to another host.

The host gets the very code that asks, whether it was installed or is in a clone.
The format is that of
https://packaging.python.org/en/latest/specifications/binary-distribution-format/.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from mlcube_conformance import __version__
from mlcube_conformance.runners.about import built_in

__all__ = ["make_wheel", "package_key"]

_TAG = "py3-none-any"
#: Folders of the packages that other hosts fill themselves, or get from elsewhere.
_NOT_SENT = {"__pycache__", "platforms"}
_WHEEL = f"""\
Wheel-Version: 1.0
Generator: mlcube-conformance
Root-Is-Purelib: true
Tag: {_TAG}
"""


def package_key() -> str:
    """Return a hash of the code, the same wherever and however it is installed."""
    digest = hashlib.sha256(__version__.encode())
    for name, content in sorted(_files().items()):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def make_wheel(folder: Path) -> Path:
    """Write the wheel into a folder, and return its path.

    Raises:
        OSError: It cannot be written.
    """
    # The host is asked for the key alone, and imports neither for it.
    from importlib.metadata import distribution  # noqa: PLC0415

    from mlcube_conformance.formats.platforms import shared_platforms  # noqa: PLC0415

    info = f"mlcube_conformance-{__version__}.dist-info"
    metadata = distribution("mlcube-conformance").read_text("METADATA") or ""
    shared = {
        f"mlcube_conformance/platforms/{each.name}": each.read_bytes()
        for each in shared_platforms().glob("*.yaml")
    }
    files = {
        **_files(),
        **shared,
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": _WHEEL.encode(),
    }
    record = f"{info}/RECORD"
    files[record] = "".join(f"{name},,\n" for name in (*files, record)).encode()
    path = folder / f"mlcube_conformance-{__version__}-{_TAG}.whl"
    with ZipFile(path, "w") as wheel:
        for name, content in files.items():
            wheel.writestr(ZipInfo(name), content)
    return path


@cache
def _files() -> dict[str, bytes]:
    """Return the files of the packages, by path in the wheel.

    Those of `platforms` are beside the package in a clone: `make_wheel` adds them.
    """
    found = {}
    used_there = [each.kind for each in built_in().values() if each.works_at_place]
    packages = ("mlcube_conformance", *(f"mlcube_{each}_run" for each in used_there))
    for package in packages:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            continue
        root = Path(spec.origin).parent
        for folder, folders, files in os.walk(root):
            folders[:] = [each for each in folders if each not in _NOT_SENT]
            inner = f"{package}{folder.removeprefix(str(root))}"
            for path in (Path(folder, each) for each in files):
                if path.is_file():
                    found[f"{inner}/{path.name}"] = path.read_bytes()
    return found
