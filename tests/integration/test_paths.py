"""Any path works on every platform, and nothing in it is executed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cube_folders import make_cube

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import RunSuite


@pytest.mark.parametrize(
    "platform", [pytest.param("docker", marks=pytest.mark.docker), "local"]
)
@pytest.mark.parametrize(
    "name",
    ["with space", "quo'te\"s", "semi;colon", "$(touch x)", "`touch x`", "имя-漢字-é"],
)
def test_any_path_works_and_executes_nothing(
    name: str, platform: str, tmp_path: Path, run_suite: RunSuite
) -> None:
    cube = make_cube(tmp_path / name)
    cube.edit("run/use.yaml", "out/result.txt", f"out/{name}/result.txt")
    kept = tmp_path / f"{name} kept"

    run = run_suite("--cube", cube.root, "--platform", platform, "--workspace", kept)

    assert run.exit_code == 0, run.output
    assert (kept / "out" / name / "result.txt").read_text() == "seed\n"
    assert not list(tmp_path.rglob("x"))
