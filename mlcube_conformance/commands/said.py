"""What a command says of itself, on standard error."""

from __future__ import annotations

import sys
from contextlib import suppress

from mlcube_conformance.base.text import mask, plain

__all__ = ["say", "tell"]


def say(text: str) -> None:
    """Write a line, without secrets or control characters."""
    # Standard output belongs to the task.
    tell(f"mlcube: {plain(mask(text))}\n")


def tell(text: str) -> None:
    """Write to standard error; that nobody can read it changes no exit code."""
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()
