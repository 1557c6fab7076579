"""Flags of `docker run` in a cube reach its tasks."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests import warm
from tests.cube_folders import make_cube

if TYPE_CHECKING:
    from pathlib import Path

_FLAGS = (
    "-it --name mine --label a=b -e A=1 --env=B='2 3' -eC=4 --ulimit nofile=77:88 "
    "--ulimit core=0 --init --cpus=1 --shm-size 32m --read-only --tmpfs /scratch "
    "--hostname somewhere -w /tmp --add-host a.example:10.0.0.1 --pids-limit 99 "
    "--cap-drop NET_RAW"
)
_CHECK = """\
test "$A,$B,$C" = "1,2 3,4" || exit 11
test "$(ulimit -n),$(ulimit -Hn),$(ulimit -c)" = 77,88,0 || exit 12
test "$(hostname),$(pwd)" = somewhere,/tmp || exit 13
touch /scratch/x || exit 14
touch /x && exit 15
grep -q a.example /etc/hosts || exit 16
cat "$seed" > "$data/part"
"""


@pytest.mark.docker
def test_flags_of_docker_reach_tasks(tmp_path: Path) -> None:
    cube = make_cube(tmp_path / "tiny")
    cube.write(
        "platform/docker.yaml",
        "schema_type: mlcube_platform\nschema_version: 0.1.0\n"
        'platform: {name: docker, version: ">=18.01"}\n'
        'container: {image: "mlcube-conformance/${name}:${version}", '
        f'run_args: "{_FLAGS}"}}\n',
    )
    cube.tasks(make=_CHECK)

    done = subprocess.run(
        [
            *(*warm.python("mlcube_docker_run"), "run", f"--mlcube={cube.root}"),
            *("--platform=docker", "--task=make"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
