"""What the tests of this folder share: a cube on the fake platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cube_folders import CubeFolder, make_cube

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def run_fake(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Return what runs the suite on the fake platform."""
    return lambda *arguments: pytester.runpytest(
        *("-p", "no:cacheprovider", "--cube", "tiny", "--platform", "fake"), *arguments
    )


@pytest.fixture
def fake_cube(pytester: pytest.Pytester) -> CubeFolder:
    """Return a sound cube with that platform."""
    cube = make_cube(pytester.path / "tiny")
    cube.fake_platform("pass")
    return cube
