"""What the command line gives to those who read a cube."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["NOTHING", "Given"]


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line gives to those who read a cube."""

    variables: Mapping[str, str] = field(default_factory=dict)
    """Those for `${oc.env:NAME}`."""
    build_context: Path | None = None
    """Folder to build in; None for that of the cube."""


NOTHING = Given()
