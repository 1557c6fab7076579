"""One function judges a run, by each clause that the run got far enough for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import Message, Violation
from mlcube_conformance.base.snapshots import snapshot
from mlcube_conformance.checks.hermetic import works_offline
from mlcube_conformance.checks.judge import Seen, judge
from mlcube_conformance.checks.outputs import Observation
from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.model import Case, Platform, RunResult
from mlcube_conformance.place import Place, RemoteEntry

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.model import Binding
    from tests.cube_folders import CubeFolder

OF_ENDED = {"INPUT-1", "EXIT-1", "INPUT-2", "OWNER-1"}
OF_OUTPUTS = {"OUTPUT-1", "OUTPUT-2", "OUTPUT-3"}


@pytest.fixture
def case(cube_folder: CubeFolder) -> Case:
    cube = load_cube(cube_folder.root, "tiny").cube
    platform = Platform(id="here", kind="docker", image="tiny", file=cube.root)
    return Case(cube=cube, platform=platform, invocation=cube.invocations[0])


@pytest.fixture
def result(tmp_path: Path) -> RunResult:
    for name in ("stdout", "stderr"):
        (tmp_path / name).touch()
    return RunResult(
        exit_code=0,
        timed_out=False,
        out_of_memory=False,
        seconds=1.0,
        stdout=tmp_path / "stdout",
        stderr=tmp_path / "stderr",
        command=("tiny",),
    )


def _binding(case: Case) -> Binding:
    return next(case.invocation.bound("output"))


def _output(case: Case, place: Path, text: str | None) -> Observation:
    """Return an output of which the task writes that text, or nothing."""
    before = snapshot(place)
    if text is not None:
        folder = _binding(case).parameter.kind == "directory"
        place.mkdir() if folder else None
        (place / "made" if folder else place).write_text(text, encoding="utf-8")
    return Observation(
        binding=_binding(case), path=place, before=before, after=snapshot(place)
    )


def _wrong(case: Case, seen: Seen) -> set[str]:
    return {name for name, found in judge(case, seen).clauses.items() if found}


def test_a_run_that_was_blocked_is_not_judged(case: Case) -> None:
    judgement = judge(case, Seen())

    assert judgement.clauses == {}
    assert not judgement.usable
    assert not judgement.met("EXIT-1")
    with pytest.raises(KeyError):
        judgement.of("EXIT-1")


FAULT = Message(what="it cannot run")


@pytest.mark.parametrize(
    ("seen", "clause", "judged"),
    [
        (Seen(not_ready=Violation(FAULT)), "INPUT-1", {"INPUT-1"}),
        (Seen(not_started=Violation(FAULT)), "EXIT-1", {"INPUT-1", "EXIT-1"}),
    ],
)
def test_what_kept_a_task_from_running_is_a_fault_of_its_clause(
    case: Case, seen: Seen, clause: str, judged: set[str]
) -> None:
    judgement = judge(case, seen)

    assert set(judgement.clauses) == judged
    assert judgement.of(clause) == (FAULT,)
    assert not judgement.usable


def test_what_a_failed_task_left_says_nothing_of_its_outputs(
    case: Case, result: RunResult, tmp_path: Path
) -> None:
    seen = Seen(
        result=replace(result, exit_code=3),
        outputs=(_output(case, tmp_path / "out", None),),
    )

    judgement = judge(case, seen)

    assert set(judgement.clauses) == OF_ENDED
    assert _wrong(case, seen) == {"EXIT-1"}
    assert not judgement.usable


@pytest.mark.parametrize(
    ("text", "wrong", "usable"),
    [
        ("made", set(), True),
        ("", {"OUTPUT-3"}, True),
        (None, {"OUTPUT-1"}, False),
    ],
)
def test_outputs_are_judged_where_the_task_ended_well(
    case: Case,
    result: RunResult,
    tmp_path: Path,
    text: str | None,
    wrong: set[str],
    usable: bool,  # noqa: FBT001 - a column of the table
) -> None:
    seen = Seen(result=result, outputs=(_output(case, tmp_path / "out", text),))

    judgement = judge(case, seen)

    assert set(judgement.clauses) == OF_ENDED | OF_OUTPUTS
    assert _wrong(case, seen) == wrong
    assert judgement.usable == usable


def test_what_is_dangerous_breaks_a_clause_and_can_still_be_read(
    case: Case, result: RunResult, tmp_path: Path
) -> None:
    seen = Seen(
        result=replace(result, taken_away=("out/device",)),
        outputs=(_output(case, tmp_path / "out", "made"),),
    )

    assert _wrong(case, seen) == {"OUTPUT-2"}
    assert judge(case, seen).usable


def test_an_output_of_another_type_cannot_be_read(
    case: Case, result: RunResult, tmp_path: Path
) -> None:
    output = _output(case, tmp_path / "out", "made")
    parameter = replace(output.binding.parameter, kind="file")
    other = replace(output, binding=replace(output.binding, parameter=parameter))

    seen = Seen(result=result, outputs=(other,))

    assert _wrong(case, seen) == {"OUTPUT-2"}
    assert not judge(case, seen).usable


def test_a_run_on_another_host_is_compared_with_what_lies_there(
    case: Case, result: RunResult, tmp_path: Path
) -> None:
    there = replace(case.platform, kind="ssh", place=Place(host="far"))
    case = replace(case, platform=there)
    output = _output(case, tmp_path / "out", "made")
    name = f"output {output.binding.parameter.name}"
    entries = {
        each: RemoteEntry(kind=entry.kind, size=entry.size, foreign=False)
        for each, entry in output.after.entries.items()
    }

    same = Seen(result=replace(result, remote={name: entries}), outputs=(output,))
    lost = Seen(result=replace(result, remote={}), outputs=(output,))

    assert judge(case, same).met("REMOTE-1")
    assert _wrong(case, lost) == {"REMOTE-1"}


@pytest.mark.parametrize(
    ("said", "hosts"),
    [
        ("curl: (6) Could not resolve host: data.example.org", "data.example.org"),
        ("wget: bad address 'data.example.org'", "data.example.org"),
        ("wget: unable to resolve host address \u2018a.example\u2019", "a.example"),
        ("Failed to resolve 'pypi.example' ([Errno -3] Temporary", "pypi.example"),
        ("HTTPSConnectionPool(host='hf.example', port=443)", "hf.example"),
        (
            "dial tcp: lookup registry.example on 10.0.0.1:53: no such",
            "registry.example",
        ),
        (
            "GET http://192.0.2.1/x\nGET https://b.example:8443/y",
            "192.0.2.1, b.example",
        ),
        ("it failed", ""),
    ],
)
def test_hosts_that_a_task_tried_to_reach_are_named(
    said: str, hosts: str, case: Case, result: RunResult
) -> None:
    result.stderr.write_text(said, encoding="utf-8")

    (told,) = works_offline(case, replace(result, exit_code=6))

    assert told.found.partition("it tried to reach ")[2] == hosts
