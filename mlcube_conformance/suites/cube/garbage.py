"""Keeps thousands of cubes out of the search for garbage."""

from __future__ import annotations

import atexit
import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__all__ = ["freeze_what_is_read"]


def freeze_what_is_read(config: pytest.Config) -> None:
    """Keep what is in memory out of the search for garbage, to the end of the run.

    At the end of the process, nothing is searched: all memory is given back anyway.
    """
    gc.freeze()
    config.add_cleanup(gc.unfreeze)
    atexit.register(gc.freeze)
