"""The suite for runners, on a runner that is played: whole, and broken in one way."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

import pytest

from mlcube_conformance.base.names import FOLDER
from mlcube_conformance.clauses import RUNNER_CLAUSES
from mlcube_conformance.results.judgements import Judgement, Scorecard
from mlcube_conformance.suites.runner import session as runner_session
from tests.fake_command_line import GOOD_KEY, FakeCall, install, play
from tests.mutations import MUTATIONS, Mutation, exits, records, says
from tests.records import RECORD_ALONE, left_by_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DESCRIPTION = Path(__file__).with_name("fake_runner.yaml")
_PLACE = """\
host: nowhere.invalid
authentication: {identity_file: key}
platform: %s.yaml
"""
_TESTED = {each.id for each in RUNNER_CLAUSES if each.test}


@dataclass(frozen=True, slots=True)
class Found:
    """What a session found of the fake runner."""

    exit_code: int
    output: str
    card: Scorecard

    @property
    def broken(self) -> set[str]:
        """Clauses that are not met, or could not be judged."""
        return {each.clause for each in self.card.judgements if each.broken}

    def of(self, clause: str) -> Judgement:
        """Return what was found of one clause."""
        return next(each for each in self.card.judgements if each.clause == clause)


class PutOnTrial(Protocol):
    """Runs the suite on the fake runner."""

    def __call__(
        self, mutate: Callable[[FakeCall], int] = play, *words: str | Path
    ) -> Found:
        """Return what was found."""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Return the folder of all sessions, so paths in them are the same."""
    # In memory where that can be had: thousands of small files are written.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - as above
    with TemporaryDirectory(dir=memory) as folder:
        place = Path(folder)
        (place / "key").write_text(GOOD_KEY)
        for name in ("docker", "singularity"):
            (place / f"{name}.yaml").write_text(_PLACE % name)
        yield place


@pytest.fixture
def put_on_trial(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, place: Path
) -> PutOnTrial:
    """Return what runs the whole suite in this process."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("FAKE_PLACES", str(place))
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setattr(runner_session, "new_run_id", lambda: "run")

    def run(mutate: Callable[[FakeCall], int] = play, *words: str | Path) -> Found:
        shutil.rmtree(place / FOLDER, ignore_errors=True)
        install(monkeypatch, mutate)
        description = () if "--runner" in words else ("--runner", _DESCRIPTION)
        result = pytester.runpytest_inprocess(
            *("-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:junitxml", "-q"),
            *("-c", os.devnull, "--rootdir", place, "--scorecard", "card.json"),
            *description,
            *words,
        )
        return Found(
            int(result.ret),
            result.stdout.str(),
            Scorecard.from_json((place / "card.json").read_text()),
        )

    return run


def test_sound_runner_passes_every_clause(put_on_trial: PutOnTrial) -> None:
    found = put_on_trial()

    assert {
        each.clause: each.reason for each in found.card.judgements if each.broken
    } == {}
    not_passed = {j.clause for j in found.card.judgements if j.verdict != "passed"}
    # As root, everything belongs to who asked for it.
    assert not_passed == (set() if os.getuid() else {"OWNER-2"})
    assert {each.clause for each in found.card.judgements} == _TESTED
    assert found.exit_code == 0


def test_every_clause_with_a_test_has_a_mutation() -> None:
    assert set(MUTATIONS) == _TESTED


@pytest.mark.parametrize("clause", sorted(MUTATIONS))
def test_broken_runner_fails_that_clause_alone(
    clause: str, put_on_trial: PutOnTrial
) -> None:
    found = put_on_trial(MUTATIONS[clause])

    assert found.broken == {clause}
    assert found.of(clause).verdict == "failed"
    assert found.exit_code == 1


def _gives_gpus_for_none(call: FakeCall) -> int:
    words = [each.replace("--gpus=0", "--gpus=all") for each in call.argv]
    return play(call.with_argv(words))


def _asks_engine_for_gpus(call: FakeCall) -> None:
    """Call the first engine on PATH, on a machine where that gives none."""
    program = shutil.which("docker", path=call.env["PATH"])
    assert program is not None
    words = [program, "run", "--gpus=all", "image"]
    subprocess.run(words, env=call.env, check=True, timeout=20)


#: Ways to give GPUs, and to take what makes no sense for a request.
GPU_MUTATIONS = {
    "unasked": MUTATIONS["ENV-4"],
    "for 0": Mutation(where="gpus", change=_gives_gpus_for_none, instead=True),
    "by a variable": Mutation(
        where="gpus",
        change=records("environment", lambda text: f"{text}NVIDIA_VISIBLE_DEVICES=0\n"),
    ),
    "asked of the engine": Mutation(where="gpus", change=_asks_engine_for_gpus),
    "not refused": Mutation(where="gpus", change=exits(0)),
}


@pytest.mark.parametrize("name", GPU_MUTATIONS)
def test_runner_that_gives_gpus_fails_whatever_it_exits_with(
    name: str, put_on_trial: PutOnTrial, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = place / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "docker").write_text("#!/bin/sh\n")
    (programs / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")

    sound = put_on_trial(play, "-k", "test_gpus")
    found = put_on_trial(GPU_MUTATIONS[name], "-k", "test_gpus")

    assert sound.of("ENV-4").verdict == "passed"
    assert found.of("ENV-4").verdict == "failed"


def test_failure_says_what_was_expected_and_how_to_see_it_by_hand(
    put_on_trial: PutOnTrial, place: Path
) -> None:
    found = put_on_trial(MUTATIONS["EXIT-2"], "-k", "exit_code_of_task")

    kept = place / FOLDER / "run/main/exit-code-of-task-2"
    for part in (
        "EXIT-2: a task that exits",
        "expected: exit code 42\n",
        f"  where:    {kept}\n",
        "  found:    it exited with 1;\n",
        f"run by hand: cd {kept}/call-1/cwd && fake-runner run --mlcube={kept}/cube",
        f"  log:      {kept}/call-1\n",
        "    | mlcube: ",
    ):
        assert part in found.output
    assert "raise Violation" not in found.output
    assert (kept / "cube/mlcube.yaml").is_file()
    assert (kept / "call-1/stdout.log").is_file()
    reason = found.of("EXIT-2").reason
    assert reason.startswith(
        "expected: exit code 42; found: it exited with 1; the task was started; "
    )


def test_runs_that_were_sound_are_not_kept(
    put_on_trial: PutOnTrial, place: Path
) -> None:
    found = put_on_trial(play, "-k", "exit_code_of_task")

    assert found.exit_code == 0
    assert left_by_run(place) == RECORD_ALONE


@pytest.mark.parametrize(
    ("test", "clause", "seen"),
    [
        ("exit_code_of_task", "EXIT-2", "exit code 3; exit code 42; exit code 255"),
        (
            "test_spaces",
            "PATH-1",
            "the task reads `seed`: 'seed\\n'; the task's output",
        ),
        ("usage_error", "EXIT-13", "exit code 2; no task is started; usage-error/no"),
        (
            "unknown_task",
            "ARG-3",
            "its output names 'inspect': expected: one of inspect",
        ),
    ],
)
def test_passed_clause_says_what_was_seen(
    test: str, clause: str, seen: str, put_on_trial: PutOnTrial
) -> None:
    found = put_on_trial(play, "-k", test)

    assert found.of(clause).verdict == "passed"
    assert seen in found.of(clause).seen
    assert found.of(clause).reason == ""


_CRASH = Mutation(
    where="unknown-task",
    change=says(
        "Traceback (most recent call last):\n"
        '  File "/opt/runner/main.py", line 3, in run\n'
        "    return tasks[name]\n"
        "           ~~~~~^^^^^^\n"
        "KeyError: 'lok'\n",
        1,
    ),
)


_LATE = Mutation(
    where="unknown-task", change=says("2026-11-28 07:36:10,123 of 'lok'\n", 1)
)


@pytest.mark.parametrize(
    ("broken", "test", "clause", "seen"),
    [
        (_CRASH, "unknown_task", "ARG-3", "found: KeyError: 'lok'; it exited with 1"),
        (MUTATIONS["ARG-3"], "unknown_task", "ARG-3", "it said: no such task"),
        (MUTATIONS["ENV-1"], "test_proxies", "ENV-1", "found: nothing"),
        (_LATE, "unknown_task", "ARG-3", "it said: of 'lok'"),
        (MUTATIONS["PATH-4"], "equals_sign", "PATH-4", "found: "),
        (MUTATIONS["MOUNT-1"], "test_mount", "MOUNT-1", "found: nothing"),
    ],
)
def test_failed_clause_says_what_was_seen(
    broken: Callable[[FakeCall], int],
    test: str,
    clause: str,
    seen: str,
    put_on_trial: PutOnTrial,
) -> None:
    found = put_on_trial(broken, "-k", test)

    assert found.of(clause).verdict == "failed"
    assert seen in found.of(clause).reason
    assert "it exited with 0" not in found.of(clause).reason


def test_keep_all_keeps_them(put_on_trial: PutOnTrial, place: Path) -> None:
    found = put_on_trial(play, "-k", "exit_code_of_task", "--keep", "all")

    assert (place / FOLDER / "run/main/exit-code-of-task/cube/mlcube.yaml").is_file()
    assert f"kept {place / FOLDER}/run" in found.output


def test_expected_failure_keeps_the_run_green(
    put_on_trial: PutOnTrial, place: Path
) -> None:
    known = place / "known.yaml"
    known.write_text("- {clause: EXIT-2, reason: it maps all codes to 1}\n")

    found = put_on_trial(
        MUTATIONS["EXIT-2"], "-k", "test_exit", "--expected-failures", known
    )

    assert found.exit_code == 0
    judged = found.of("EXIT-2")
    assert judged.seen.startswith("expected: exit code 42; found: it exited with 1; ")
    assert judged == Judgement(
        *("EXIT-2", "failed", "it maps all codes to 1"), expected=True, seen=judged.seen
    )
    assert found.output.count("EXIT-2") == 1


def test_expected_failure_that_holds_fails_the_run(
    put_on_trial: PutOnTrial, place: Path
) -> None:
    known = place / "known.yaml"
    known.write_text("- {clause: EXIT-2, reason: it maps all codes to 1}\n")

    found = put_on_trial(play, "-k", "test_exit", "--expected-failures", known)

    assert found.exit_code == 1
    assert found.of("EXIT-2").verdict == "passed"
    assert found.of("EXIT-2").expected
    assert "[XPASS(strict)] it maps all codes to 1\nEXIT-2: a task" in found.output
    assert (
        "do:       remove EXIT-2 from the file of --expected-failures" in found.output
    )


def test_image_that_cannot_be_made_is_told_once(put_on_trial: PutOnTrial) -> None:
    found = put_on_trial(Mutation(where="configured", change=exits(125)))

    assert found.exit_code == 1
    assert f"{len(_TESTED) - 1} skipped, 1 error" in found.output
    assert "by the runner's own command" in found.output
    assert {each.verdict for each in found.card.judgements} == {"error"}


def test_what_a_runner_does_not_offer_is_told_with_its_reason(
    put_on_trial: PutOnTrial, place: Path
) -> None:
    text = _DESCRIPTION.read_text()
    other = place / "other.yaml"
    other.write_text(
        text.replace("  - several-tasks\n", "")
        + "without: {several-tasks: one at a time}\n"
        + "unsupported: [{clause: FILE-6, reason: its library cannot tell}]\n"
    )

    found = put_on_trial(play, "--runner", other)

    assert found.exit_code == 0
    assert found.of("ARG-13") == Judgement(
        "ARG-13", "not applicable", "needs several-tasks: one at a time"
    )
    assert found.of("FILE-6") == Judgement(
        "FILE-6", "unsupported", "its library cannot tell"
    )
    assert found.of("ARG-1").verdict == "passed"


def test_cubes_of_one_file_do_as_well(put_on_trial: PutOnTrial) -> None:
    found = put_on_trial(play, "--format", "single-file")

    assert found.broken == set()


def test_card_can_be_a_page(put_on_trial: PutOnTrial, place: Path) -> None:
    put_on_trial(play, "-k", "test_arg", "--scorecard", "deep/card.md")

    assert "# Scorecard of fake" in (place / "deep/card.md").read_text()
