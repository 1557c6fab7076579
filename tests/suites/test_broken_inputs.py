"""Broken inputs that a cube names, where nothing can be broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.cube_folders import CubeFolder

_PROMISES = """\
tasks:
  make:
    negative:
      - {input: seed, break: truncated}
      - {input: seed, break: empty}
"""


def test_input_that_is_empty_already_blames_no_task(
    fake_cube: CubeFolder, run_fake: Callable[..., pytest.RunResult]
) -> None:
    fake_cube.write("workspace/seed.txt", "")
    fake_cube.write("conformance.yaml", _PROMISES)

    result = run_fake("-k", "broken_inputs and make")

    result.assert_outcomes(failed=1)
    said = result.stdout.str()
    assert said.count("the input 'seed' is broken already") > 1
    assert "key tasks.make.negative[1]" in said
    assert "exits with 0" not in said
