"""The order of run files follows the data."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.source import Source
from mlcube_conformance.model import Binding, Invocation, Parameter, Task
from mlcube_conformance.plan.order import (
    order_invocations,
    producers,
    select_invocations,
)

if TYPE_CHECKING:
    from mlcube_conformance.model import Role


def _run(name: str, *, reads: str = "", writes: str = "") -> Invocation:
    values_by_role: tuple[tuple[Role, str], ...] = (
        ("input", reads),
        ("output", writes),
    )
    bindings = [
        Binding(
            parameter=Parameter(name=f"{role}{index}", kind="directory", role=role),
            value=value,
            source=Source(file=Path("x"), line=1),
        )
        for role, values in values_by_role
        for index, value in enumerate(values.split())
    ]
    return Invocation(
        name=name,
        task=Task(name=name, parameters=()),
        bindings=tuple(bindings),
        file=Path("/cube/run") / f"{name}.yaml",
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("data", "data"),
        ("data", "data/part"),
        ("data/part", "data"),
        ("data/", "./data"),
    ],
)
def test_reader_comes_after_writer(written: str, read: str) -> None:
    train = _run("train", reads=read, writes="model")
    download = _run("download", writes=written)

    ordered = order_invocations([train, download])

    assert [each.name for each in ordered] == ["download", "train"]


def test_similar_names_are_no_dependency() -> None:
    one, other = _run("one", reads="data2"), _run("other", writes="data")

    assert producers(one, [one, other]) == ()


def test_two_that_work_in_place_keep_their_order() -> None:
    download = _run("download", writes="data")
    clean = _run("clean", reads="data", writes="data")
    scale = _run("scale", reads="data", writes="data")
    train = _run("train", reads="data", writes="model")

    ordered = order_invocations([download, clean, scale, train])

    assert [each.name for each in ordered] == ["download", "clean", "scale", "train"]


@pytest.mark.parametrize("shared", [False, True])
def test_as_many_tasks_as_a_file_may_have_are_ordered_within_a_second(
    *, shared: bool
) -> None:
    common = ["data"] if shared else []
    runs = [
        _run(
            f"task{index}",
            reads=" ".join([*common, *(f"in/{index}/{i}" for i in range(3))]),
            writes=" ".join([*common, *(f"out/{index}/{i}" for i in range(2))]),
        )
        for index in range(500)
    ]
    begun = time.process_time()

    ordered = order_invocations(runs)

    assert time.process_time() - begun < 1
    if shared:
        assert list(ordered) == runs


def test_selected_task_brings_all_that_feeds_it() -> None:
    runs = [
        _run("download", writes="raw"),
        _run("prepare", reads="raw", writes="data"),
        _run("other", writes="elsewhere"),
        _run("train", reads="data", writes="model"),
    ]

    selected, needed = select_invocations(runs, ["train"])

    assert [each.name for each in selected] == ["train"]
    assert [each.name for each in needed] == ["download", "prepare", "train"]
