"""Values become host paths, mounts and arguments by MLCube's rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.source import Source
from mlcube_conformance.model import Binding, Invocation, Parameter, Task
from mlcube_conformance.plan.mounts import host_path, task_view

if TYPE_CHECKING:
    from mlcube_conformance.model import Role

SOURCE = Source(file=Path("run/t.yaml"), line=1)


def _invocation(*bindings: tuple[str, str, Role, str]) -> Invocation:
    bound = tuple(
        Binding(
            parameter=Parameter(
                name=name, kind="file" if kind == "file" else "directory", role=role
            ),
            value=value,
            source=SOURCE,
        )
        for name, kind, role, value in bindings
    )
    task = Task(name="t", parameters=tuple(each.parameter for each in bound))
    return Invocation(name="t", task=task, bindings=bound, file=SOURCE.file)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("$WORKSPACE/x", "/w $HOME/x"),
        ("${WORKSPACE}/x", "/w $HOME/x"),
        ("x/y", "/w $HOME/x/y"),
        ("x.yaml", "/w $HOME/x.yaml"),
        ("./x/", "/w $HOME/x"),
        ("x/../y", "/w $HOME/y"),
        ("/data/x", "/data/x"),
        ("$HOME/x", "/home/me/x"),
        ("~/x", "/home/me/x"),
        ("~x", "/w $HOME/~x"),
        ("null", "/w $HOME/null"),
    ],
)
def test_value_means_a_path(
    value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    (binding,) = _invocation(("p", "file", "input", value)).bindings

    # Nothing in the workspace's own path, nor in a variable, is expanded again.
    assert str(host_path(binding, Path("/w $HOME"))) == expected


def test_arguments_and_mounts_follow_the_run_file(tmp_path: Path) -> None:
    invocation = _invocation(
        ("data", "directory", "input", "data"),
        ("options", "file", "input", "conf/a.yaml"),
        ("more", "file", "input", "conf/b=c d.yaml"),
        ("model", "directory", "output", "model"),
        ("log", "file", "output", "logs/log.txt"),
    )

    view = task_view(invocation, tmp_path)

    assert view.arguments == (
        "t",
        "--data=/mlcube_io0",
        "--options=/mlcube_io1/a.yaml",
        "--more=/mlcube_io1/b=c d.yaml",
        "--model=/mlcube_io2",
        "--log=/mlcube_io3/log.txt",
    )
    assert [(each.host, each.container, each.writable) for each in view.mounts] == [
        (tmp_path / "data", "/mlcube_io0", False),
        (tmp_path / "conf", "/mlcube_io1", False),
        (tmp_path / "model", "/mlcube_io2", True),
        (tmp_path / "logs", "/mlcube_io3", True),
    ]


def test_one_folder_is_one_writable_mount_if_anything_is_written(
    tmp_path: Path,
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "data")
    invocation = _invocation(
        ("data", "directory", "input", "data/"),
        ("again", "directory", "input", "link"),
        ("result", "file", "output", "data/result.txt"),
    )

    view = task_view(invocation, tmp_path)

    assert view.arguments[1:] == (
        "--data=/mlcube_io0",
        "--again=/mlcube_io0",
        "--result=/mlcube_io0/result.txt",
    )
    assert [each.writable for each in view.mounts] == [True]
    assert not (tmp_path / "data").exists()


def test_input_file_that_is_a_link_is_mounted_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/seed.txt").write_text("seed")
    (tmp_path / "link.txt").symlink_to("real/seed.txt")

    view = task_view(_invocation(("seed", "file", "input", "link.txt")), tmp_path)

    assert view.arguments == ("t", "--seed=/mlcube_io0/seed.txt")
    assert view.mounts[0].host == tmp_path / "real"
