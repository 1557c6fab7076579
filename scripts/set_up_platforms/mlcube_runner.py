"""The official command line `mlcube`, in a virtual environment of its own.

It pins old releases of what this project uses in new ones, so both cannot share
an environment.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from steps import MINUTE, PREFIX, run, say

if TYPE_CHECKING:
    from steps import Options

STEP: Final = "mlcube"
VERSION: Final = "0.0.9"
#: A release of pip that still reads what its dependencies say of themselves.
PIP: Final = "pip<24.1"
#: From Python 3.12 on, setuptools brings the `distutils` that it imports.
SETUPTOOLS: Final = "setuptools<80"


def set_up_mlcube(_: Options) -> dict[str, str]:
    """Have the program, and say where it is."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    folder = state / PREFIX / f"mlcube-{VERSION}"
    program, whole = folder / "bin" / "mlcube", folder / "whole"
    if whole.exists() and program.exists():
        say(f"{STEP}: nothing to do, {program} is there")
    else:
        say(f"{STEP}: making {folder} (some seconds)")
        shutil.rmtree(folder, ignore_errors=True)
        run(STEP, [sys.executable, "-m", "venv", str(folder)], seconds=2 * MINUTE)
        install = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        run(STEP, [*install, PIP, SETUPTOOLS])
        run(STEP, [*install, f"mlcube=={VERSION}", f"mlcube-docker=={VERSION}"])
        whole.touch()
    return {"MLCUBE_CONFORMANCE_MLCUBE": str(program)}
