"""The task needs, changes and leaves nothing that its cube does not declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import require
from mlcube_conformance.suites.cube.further import LONG_ENOUGH
from mlcube_conformance.suites.fixtures import SESSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlcube_conformance.base.errors import Message
    from mlcube_conformance.suites.cube.task_run import TaskRun

    Conditions = Mapping[str, tuple[Message, ...]]


@pytest.mark.clause("HERMETIC-1")
def test_only_outputs_are_written(finished: TaskRun) -> None:
    """Nothing but outputs is written to the workspace."""
    require(finished.judgement.of("HERMETIC-1"))


@pytest.mark.clause("HERMETIC-2")
def test_container_stays_as_it_is(finished: TaskRun) -> None:
    """Nothing is left in the container but temporary files and caches."""
    require(finished.judgement.of("HERMETIC-2"))


@pytest.mark.clause("HERMETIC-3")
def test_network_is_not_needed(finished: TaskRun) -> None:
    """The task works without the network where that is promised."""
    require(finished.judgement.of("HERMETIC-3"))


@pytest.mark.clause("HERMETIC-4")
def test_any_user_can_run_it(conditions: Conditions) -> None:
    """The task works as a user whom the image does not know."""
    require(conditions["HERMETIC-4"])


@pytest.mark.clause("HERMETIC-5")
def test_image_may_be_read_only(conditions: Conditions) -> None:
    """The task works with a read-only root file system."""
    require(conditions["HERMETIC-5"])


@pytest.mark.clause("HERMETIC-6")
def test_no_privileges_are_needed(conditions: Conditions) -> None:
    """The task works without capabilities and new privileges."""
    require(conditions["HERMETIC-6"])


@pytest.mark.clause("HERMETIC-7")
def test_path_of_workspace_may_be_odd(conditions: Conditions) -> None:
    """The task works where the path of the workspace has blanks and Unicode."""
    require(conditions["HERMETIC-7"])


@pytest.mark.clause("HERMETIC-8")
def test_locale_does_not_matter(conditions: Conditions) -> None:
    """The task works with another umask, time zone and locale."""
    require(conditions["HERMETIC-8"])


@pytest.mark.clause("HERMETIC-9")
def test_task_ends_when_it_is_asked_to(
    request: pytest.FixtureRequest, sound: TaskRun
) -> None:
    """The task ends within 10 seconds of SIGTERM."""
    if sound.ended.seconds < LONG_ENOUGH:
        pytest.skip(f"not applicable: the task ends within {LONG_ENOUGH} s")
    require(request.config.stash[SESSION].further.asked_to_end(sound))


@pytest.mark.clause("HERMETIC-10")
def test_nothing_runs_on(finished: TaskRun) -> None:
    """What the task started ends with it."""
    require(finished.judgement.of("HERMETIC-10"))
