"""Definitions of other names, and build contexts of the command line, over ssh."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.cube_folders import BUSYBOX, note_made
from tests.ssh_hosts import SshHost

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import RunSuite


pytestmark = [pytest.mark.ssh, pytest.mark.docker]

_MAIN = """\
name: NAME
docker:
  image: mlcube-conformance/NAME:1
  build_context: CONTEXT
  build_strategy: auto
tasks:
  work:
    parameters:
      inputs: {seed: {type: file, default: seed.txt}}
      outputs: {made: made/}
"""
_RECIPE = f"""\
FROM {BUSYBOX}
LABEL test=NAME
COPY work.sh /app/work.sh
ENTRYPOINT ["/bin/sh", "/app/work.sh"]
"""
_WORK = 'cat "${2#--seed=}" > "${3#--made=}/x"\n'


@pytest.fixture
def host(tmp_path: Path) -> Iterator[SshHost]:
    """Start a host, and end it."""
    host = SshHost(tmp_path / "host")
    host.start()
    yield host
    host.stop()


@pytest.mark.parametrize(
    ("written", "folder", "given"),
    [
        ("..", "project", "project"),
        ("/nowhere", "project/cube/app", "project/cube/app"),
        ("app", "project/cube/app", None),
    ],
)
def test_definition_and_context_reach_the_host(
    written: str,
    folder: str,
    given: str | None,
    tmp_path: Path,
    host: SshHost,
    run_suite: RunSuite,
) -> None:
    name, cube = f"test-{uuid4().hex[:12]}", tmp_path / "project/cube"
    note_made(name)
    for each in (cube / "workspace", cube / "platform", tmp_path / folder):
        each.mkdir(parents=True, exist_ok=True)
    (tmp_path / folder / "Dockerfile").write_text(_RECIPE.replace("NAME", name))
    (tmp_path / folder / "work.sh").write_text(_WORK)
    (cube / "workspace/seed.txt").write_text("seed\n")
    text = _MAIN.replace("NAME", name).replace("CONTEXT", written)
    (cube / "mlcube_gpu.yaml").write_text(text)
    (cube / "platform/ssh.yaml").write_text(host.platform("docker"))
    words = [f"--build-context={tmp_path / given}"] if given else []

    run = run_suite("--cube", cube / "mlcube_gpu.yaml", "--platform", "ssh", *words)

    assert run.exit_code == 0, run.output
    assert "test_inputs_are_there[cube-mlcube_gpu-ssh-work]" in run.outcomes
