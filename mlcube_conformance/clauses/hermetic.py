"""The clauses of what a cube must not need, change or leave, of images, of two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.clauses.clause import Clause

if TYPE_CHECKING:
    from typing import Literal

__all__ = ["HERMETIC", "IMAGE", "TWICE"]

_TESTS = {
    "HERMETIC": "conformance_tests/cube/test_hermetic.py",
    "IMAGE": "conformance_tests/cube/test_image.py",
}
_TWICE = "conformance_tests/cube/test_twice.py"
#: What a cube promises is tested always.
_PROMISED = "HERMETIC-3"


def _clause(
    name: str,
    sentence: str,
    evidence: str,
    test: str,
    level: Literal["MUST", "SHOULD"] = "MUST",
) -> Clause:
    return Clause(
        id=name,
        who="cube",
        level=level,
        depth="L3",
        on_request=name != _PROMISED,
        sentence=sentence,
        evidence=evidence,
        test=f"{_TESTS[name.partition('-')[0]]}::{test}",
    )


HERMETIC = (
    _clause(
        "HERMETIC-1",
        "a task writes nothing but its outputs to the workspace",
        "files beside outputs are lost where only the outputs are brought back",
        "test_only_outputs_are_written",
    ),
    _clause(
        "HERMETIC-2",
        "a task leaves no files in its container but in /tmp and caches",
        "medperf#415: what is written to the image is lost, or fails on Singularity",
        "test_container_stays_as_it_is",
        "SHOULD",
    ),
    _clause(
        "HERMETIC-3",
        "a task works without the network where its cube promises that",
        "MedPerf runs its cubes without the network",
        "test_network_is_not_needed",
    ),
    _clause(
        "HERMETIC-4",
        "a task works as a user without name, home or root",
        "mlcube#192, medperf#414: clusters run containers as any user",
        "test_any_user_can_run_it",
    ),
    _clause(
        "HERMETIC-5",
        "a task works with a read-only root file system",
        "Singularity mounts images read-only",
        "test_image_may_be_read_only",
        "SHOULD",
    ),
    _clause(
        "HERMETIC-6",
        "a task works without capabilities and new privileges",
        "Grand Challenge and Kubernetes drop them (autoPET#10)",
        "test_no_privileges_are_needed",
        "SHOULD",
    ),
    _clause(
        "HERMETIC-7",
        "a task works in a workspace whose path has blanks and Unicode",
        "scripts that do not quote their arguments",
        "test_path_of_workspace_may_be_odd",
    ),
    _clause(
        "HERMETIC-8",
        "a task works with another umask, time zone and locale",
        "text files that are read in the encoding of the locale",
        "test_locale_does_not_matter",
        "SHOULD",
    ),
    _clause(
        "HERMETIC-9",
        "a task ends within 10 seconds when it is asked to, by SIGTERM",
        "Slurm and Kubernetes kill what does not: its last checkpoint is lost",
        "test_task_ends_when_it_is_asked_to",
        "SHOULD",
    ),
    _clause(
        "HERMETIC-10",
        "a task leaves nothing running when it ends",
        "a container ends with its task: what it left half-written is lost",
        "test_nothing_runs_on",
        "SHOULD",
    ),
)

IMAGE = (
    _clause(
        "IMAGE-17",
        "the image of a cube is named with a tag or a digest",
        "without one, latest is meant: another image tomorrow",
        "test_image_is_named_with_a_tag",
    ),
    _clause(
        "IMAGE-18",
        "the image of a cube runs as another user than root",
        "clusters and hospitals refuse containers of root",
        "test_image_has_a_user",
        "SHOULD",
    ),
    _clause(
        "IMAGE-19",
        "no variable of the image looks like a secret",
        "who has the image has its variables: docker inspect shows them",
        "test_image_has_no_secrets",
    ),
    _clause(
        "IMAGE-20",
        "the image is not larger than --max-image-size",
        "images of 20 GB that nobody wanted, and that no disk of a CI holds",
        "test_image_is_small_enough",
    ),
)

TWICE = (
    Clause(
        id="TWICE-1",
        who="cube",
        level="SHOULD",
        depth="L4",
        on_request=True,
        sentence="a task that runs again on its own outputs makes the same ones",
        evidence="examples 933bfea (#35): a second run failed, or added to the first",
        test=f"{_TWICE}::test_second_run_on_outputs_works",
    ),
    Clause(
        id="TWICE-2",
        who="cube",
        depth="L4",
        on_request=True,
        sentence="outputs that are promised to be deterministic are the same twice",
        evidence="seeds that are set in some libraries and not in others",
        test=f"{_TWICE}::test_deterministic_outputs_are_the_same_twice",
    ),
)
