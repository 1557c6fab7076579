"""What is in the base images, and the names that follow from it."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import dataclass
from typing import Final

from steps import PREFIX

BUSYBOX_PACKAGE: Final = "busybox-static"
BUSYBOX_FOLDERS: Final = {
    "bin": 0o755,
    "dev": 0o755,
    "etc": 0o755,
    "proc": 0o755,
    "root": 0o700,
    "sys": 0o755,
    "tmp": 0o1777,
    "usr": 0o755,
}
BUSYBOX_LINKS: Final = {"sbin": "bin", "usr/bin": "../bin", "usr/sbin": "../bin"}
BUSYBOX_FILES: Final = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "etc/group": "root:x:0:\n",
}
BUSYBOX_COMMAND: Final = ("sh",)
SUITE: Final = "bookworm"
SUITE_PYTHON: Final = "3.11"
SUITE_GLIBC: Final = 36  # 2.36
SUITE_PACKAGES: Final = (
    "ca-certificates",
    "python-is-python3",
    "python3",
    "python3-pip",
    "python3-venv",
)
# Without its marker file pip installs system-wide, as it does in the public
# Python images: a cube's recipe then works on both.
SUITE_LEFT_OUT: Final = (
    "/usr/lib/python3*/EXTERNALLY-MANAGED",
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
)
# Headers and tests of PyTorch serve no cube, and are in each image made from this one.
INSTALL_WHEELS: Final = (
    *("sh", "-ec"),
    """
python3 -m pip install --no-cache-dir --progress-bar=off --root-user-action=ignore \\
    --no-index --find-links=/mnt --requirement=/mnt/requirements.txt
cd /usr/local/lib/python3*/dist-packages && rm -rf torch/include torch/test
""",
)
PYTHON_COMMAND: Final = ("python3",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides what is in an image."""

    name: str
    parts: tuple[str, ...]

    @property
    def image(self) -> str:
        """Name the image; the tag changes when, and only when, the recipe does."""
        text = json.dumps([platform.machine(), *self.parts])
        return f"{PREFIX}/{self.name}:{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    @property
    def variable(self) -> str:
        """Name the environment variable that hands the image to the tests."""
        return f"{PREFIX}_{self.name}".upper().replace("-", "_")


def busybox_recipe() -> Recipe:
    """Describe the tiny image: one static binary and links to it."""
    layout = json.dumps([BUSYBOX_FOLDERS, BUSYBOX_LINKS, BUSYBOX_FILES])
    return Recipe(
        name="base-busybox", parts=(BUSYBOX_PACKAGE, layout, *BUSYBOX_COMMAND)
    )


def debian_recipe() -> Recipe:
    """Describe the image with Debian and Python that base-torch stands on."""
    parts = (SUITE, *SUITE_PACKAGES, *SUITE_LEFT_OUT, *PYTHON_COMMAND)
    return Recipe(name="base-debian", parts=parts)


def torch_recipe(requirements: str) -> Recipe:
    """Describe the image with the given Python packages on top of Debian."""
    parts = (*debian_recipe().parts, *INSTALL_WHEELS, requirements)
    return Recipe(name="base-torch", parts=parts)
