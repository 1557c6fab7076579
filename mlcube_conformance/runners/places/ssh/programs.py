"""The programs of this machine that reach another host."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, PlatformUnavailable
from mlcube_conformance.base.process import find_program

if TYPE_CHECKING:
    from mlcube_conformance.base.errors import MachineError

__all__ = ["programs_missing"]

#: Programs of this machine, with the Debian package that brings each.
_PROGRAMS = {"ssh": "openssh-client", "rsync": "rsync"}


def programs_missing() -> MachineError | None:
    """Return why nothing can be connected to from here, or None when it can."""
    missing = {name: _PROGRAMS[name] for name in _PROGRAMS if not find_program(name)}
    if not missing:
        return None
    return PlatformUnavailable(
        Message(
            what="cannot use the platform ssh",
            where=f"PATH={os.environ.get('PATH', '')}",
            found=f"no program {' and no '.join(missing)}",
            expected="OpenSSH's client and rsync",
            do="install it (on Debian: "
            f"`apt-get install {' '.join(missing.values())}`)",
        )
    )
