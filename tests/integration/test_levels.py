"""How far a cube goes that needs, changes and leaves nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cube_folders import BUSYBOX, CubeFolder, note_made

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import RunSuite


@pytest.fixture
def cube(tmp_path: Path) -> CubeFolder:
    cube = CubeFolder(tmp_path / "tiny")
    note_made("test-levels")
    cube.write(
        "mlcube.yaml",
        "name: tiny\ndocker: {image: mlcube-conformance/test-levels:1, "
        "build_context: build, build_strategy: auto}\ntasks:\n"
        "  sound: {parameters: {outputs: {out: {type: file, default: sound/out}}}}\n",
    )
    cube.write(
        "build/Dockerfile",
        f"FROM {BUSYBOX}\nLABEL test=test-levels\nCOPY task.sh /task.sh\nUSER 1000\n"
        'ENTRYPOINT ["/bin/sh", "/task.sh"]\n',
    )
    cube.write("build/task.sh", 'echo made > "${2#--out=}"\n')
    cube.write("workspace/keep", "")
    cube.write(
        "conformance.yaml",
        "tasks: {sound: {network: false, deterministic: true}}\n",
    )
    return cube


@pytest.mark.docker
@pytest.mark.singularity
def test_sound_cube_reaches_the_highest_level(
    cube: CubeFolder, run_suite: RunSuite
) -> None:
    words = ("--cube", cube.root, "--task", "sound")
    both = ("--platform", "docker", "--platform", "local")

    whole = run_suite(*words, *both, "--level", "L4", "--profile", "strict")
    one = run_suite(*words, "--platform", "local", "--level", "L4")
    usual = run_suite(*words, "--platform", "local")
    low = run_suite(*words, "--platform", "local", "--level", "L1")

    assert whole.exit_code == one.exit_code == usual.exit_code == 0, whole.output
    assert whole.output.count(": L4, it makes the same twice") == 2
    assert ": L3, it needs, changes and leaves nothing else; for L4: a second" in (
        one.output
    )
    assert ": L2, every task runs and makes its outputs; for L3: --level L3" in (
        usual.output
    )
    assert ": L1, it configures; for L2: --level L2" in low.output
    assert len(low.outcomes) == 3
