"""The files of the cube are valid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import require, require_given

if TYPE_CHECKING:
    from mlcube_conformance.formats.loaded import LoadedCube
    from mlcube_conformance.plan.selection import CheckedPlatform


@pytest.mark.clause("FILE-1")
def test_definitions_are_valid(loaded_cube: LoadedCube) -> None:
    """The root file, the task files and the run files are valid."""
    require(loaded_cube.problems)
    require_given(loaded_cube.limits)


@pytest.mark.clause("FILE-2")
def test_platform_file_is_valid(checked_platform: CheckedPlatform) -> None:
    """The platform file is valid."""
    require(checked_platform.problems)
    require_given(checked_platform.limits)
