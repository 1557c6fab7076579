"""What starts a task is known from a recipe, where no engine here tells it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.model import Case, Image, Platform
from mlcube_conformance.runners.common.entry import entry_point
from mlcube_conformance.runners.contract import Options

if TYPE_CHECKING:
    from tests.cube_folders import CubeFolder

_SINGULARITY = Platform(id="s", kind="singularity", image="s.sif", file=Path("s.yaml"))
_IMAGE = Image(name="s.sif", digest="", origin="built")


@pytest.mark.parametrize("at_place", [False, True])
@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ("Bootstrap: docker\nFrom: x\n%runscript\n    a.sh\n%post\n b", "    a.sh\n"),
        ("Bootstrap: docker\nFrom: x\n%runscript\n  a\n%RunScript -c x\n  b", "  b"),
        ("Bootstrap: docker\nFrom: x\n%post\n  b", ""),
    ],
)
def test_script_of_a_recipe_starts_a_task(
    cube_folder: CubeFolder, recipe: str, words: str, *, at_place: bool
) -> None:
    cube_folder.write("build/Singularity.recipe", recipe)
    cube = load_cube(cube_folder.root, "tiny").cube
    there = replace(_SINGULARITY, id="h", kind="ssh", inner=_SINGULARITY)
    platform = there if at_place else _SINGULARITY
    case = Case(cube=cube, platform=platform, invocation=cube.invocations[0])

    found = entry_point(case, _IMAGE, Options())

    assert found == (("/bin/sh", "-c", words) if words else ())
