"""Calls the command of the package, as a user does."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from tests import warm

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def call(
    *words: str | Path,
    place: Path | None = None,
    more: Mapping[str, str] | None = None,
    timeout: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run `mlcube-conformance` with these words.

    Args:
        words: Of the command line.
        place: The current folder.
        more: Further variables.
        timeout: Seconds.
    """
    return subprocess.run(
        [*warm.python("mlcube_conformance"), *words],
        cwd=place,
        env={**os.environ, **(more or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
