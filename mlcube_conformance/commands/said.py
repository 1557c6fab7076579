"""What a runner's command line says of itself, on standard error."""

from __future__ import annotations

import sys
from contextlib import suppress

from mlcube_conformance.base.text import mask, plain

__all__ = ["say"]


def say(text: str) -> None:
    """Write a line, without secrets or control characters."""
    # Standard output belongs to the task; its terminal may be gone.
    with suppress(OSError):
        sys.stderr.write(f"mlcube: {plain(mask(text))}\n")
        sys.stderr.flush()
