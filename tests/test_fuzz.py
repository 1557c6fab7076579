"""The short form of `tox -e fuzz`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fuzz.fuzzing import fuzz
from tests.fuzz.readers import readers

if TYPE_CHECKING:
    from pathlib import Path


def test_mutations_of_valid_files_are_read_or_refused_at_once(tmp_path: Path) -> None:
    found = fuzz(3_000, tmp_path)

    assert not found.failures, str(found)
    assert found.read.total() == 3_000


def test_valid_files_are_read(tmp_path: Path) -> None:
    # Else little of a reader would be looked at.
    for each in readers(tmp_path):
        found = each.read(each.valid)

        assert not getattr(found, "problems", ()), each.name
        assert not (isinstance(found, tuple) and found[1]), each.name
