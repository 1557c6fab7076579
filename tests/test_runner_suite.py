"""The suite for runners, on a runner that is played: whole, and broken in one way."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

import pytest

from mlcube_conformance import runner_session
from mlcube_conformance.clauses import RUNNER_CLAUSES
from mlcube_conformance.judgements import Scorecard
from mlcube_conformance.run_names import FOLDER
from tests.fake_command_line import GOOD_KEY, FakeCall, install, play
from tests.mutations import MUTATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DESCRIPTION = Path(__file__).with_name("fake_runner.yaml")
_PLACE = """\
host: nowhere.invalid
authentication: {identity_file: key}
platform: %s.yaml
"""


class PutOnTrial(Protocol):
    """Runs the suite on the fake runner."""

    def __call__(
        self, mutate: Callable[[FakeCall], int] = play, *words: str
    ) -> Scorecard:
        """Return the scorecard."""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Return the folder of all sessions, so that paths in them are the same."""
    # In memory where that can be had: thousands of small files are written.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
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

    def run(mutate: Callable[[FakeCall], int] = play, *words: str) -> Scorecard:
        shutil.rmtree(place / FOLDER, ignore_errors=True)
        install(monkeypatch, mutate)
        pytester.inline_run(
            *("-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:junitxml", "-q"),
            *("-c", os.devnull, "--rootdir", str(place)),
            *("--runner", str(_DESCRIPTION), "--scorecard", "card.json"),
            *words,
        )
        return Scorecard.from_json((place / "card.json").read_text())

    return run


def test_sound_runner_passes_every_clause(put_on_trial: PutOnTrial) -> None:
    card = put_on_trial()

    assert {each.clause: each.reason for each in card.judgements if each.broken} == {}
    assert {each.verdict for each in card.judgements} == {"passed"}
    assert {each.clause for each in card.judgements} == {
        each.id for each in RUNNER_CLAUSES if each.test
    }


def test_every_clause_with_a_test_has_a_mutation() -> None:
    assert set(MUTATIONS) == {each.id for each in RUNNER_CLAUSES if each.test}


@pytest.mark.parametrize("clause", sorted(MUTATIONS))
def test_broken_runner_fails_that_clause_alone(
    clause: str, put_on_trial: PutOnTrial
) -> None:
    card = put_on_trial(MUTATIONS[clause])

    assert {each.clause for each in card.judgements if each.broken} == {clause}
