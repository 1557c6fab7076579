"""Runs pass the checks that other plugins add."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import require

if TYPE_CHECKING:
    from mlcube_conformance.base.errors import Message


def test_check(mlcube_check: tuple[Message, ...]) -> None:
    """A check of another plugin finds nothing wrong."""
    require(mlcube_check)
