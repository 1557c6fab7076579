"""Whose fault it is that an image or an environment was not made in time."""

from __future__ import annotations

import pytest

from mlcube_conformance.base.errors import MachineError, Message, Violation
from mlcube_conformance.runners.common.deadlines import Progress, Tool, images_fetched

_PULL = ["Step 1/3 : FROM a", "latest: Pulling from a", "1f2e: Pulling fs layer"]
_RUN = [*_PULL, " ---> 0123", "Step 2/3 : RUN make", "made"]
_FETCH = ["INFO:    Starting build...", "INFO:    Fetching OCI image..."]
_POST = [*_FETCH, "INFO:    Extracting OCI image...", "INFO:    Running post scriptlet"]
_COLLECT = ["Collecting a", "  Downloading a-1.tar.gz (1 kB)"]
_METADATA = "  Preparing metadata (pyproject.toml)"


@pytest.mark.parametrize(
    ("tool", "bases", "lines", "kind"),
    [
        ("docker", 1, [], MachineError),
        ("docker", 1, _PULL, MachineError),
        ("docker", 1, ["Step 1/4 : ARG B", "Step 2/4 : FROM a"], MachineError),
        ("docker", 1, _RUN, Violation),
        ("docker", 1, [*_RUN, "Step 3/3 : FROM a"], Violation),
        ("docker", 2, [*_RUN, "Step 3/3 : FROM b"], MachineError),
        ("docker", 2, [*_RUN, "Step 3/3 : COPY --from=b /a /b"], MachineError),
        ("docker", 1, [*_RUN, "Step 3/3 : COPY a b"], Violation),
        ("docker", None, ["latest: Pulling from a"], MachineError),
        ("singularity", 1, _FETCH, MachineError),
        ("singularity", 1, _POST, Violation),
        ("singularity", 1, [*_FETCH, "INFO:    Copying a to /a"], Violation),
        ("singularity", 1, [*_FETCH, "Copying blob 12 to disk"], MachineError),
        ("singularity", 1, [*_POST, _FETCH[1]], Violation),
        ("singularity", 2, [*_POST, _FETCH[1]], MachineError),
        ("singularity", 1, ["\x1b[34mINFO:    Running post scriptlet"], Violation),
        ("pip", None, [], MachineError),
        ("pip", None, _COLLECT, MachineError),
        ("pip", None, [*_COLLECT, f"{_METADATA}: started"], Violation),
        (
            "pip",
            None,
            [f"{_METADATA}: started", f"{_METADATA}: finished with status 'done'"],
            MachineError,
        ),
        ("pip", None, ["  Building wheel for a (setup.py): started"], Violation),
        ("pip", None, ["  Installing build dependencies: started"], MachineError),
    ],
)
def test_only_a_step_of_the_cube_is_its_fault(
    tool: Tool, bases: int | None, lines: list[str], kind: type[Exception]
) -> None:
    progress = Progress(tool=tool, bases=bases)
    progress.hear(lines)

    error = progress.too_late(Message(what="no image", tail=("last",)), 30)

    assert type(error) is kind
    whose = "a step" if kind is Violation else "no step"
    assert f"stopped at its deadline, in {whose} of the cube's own" in str(error)
    assert "an end within 30 s" in str(error)
    assert "--configure-timeout" in str(error)
    assert "| last" in str(error)


def test_images_that_a_recipe_fetches_are_counted() -> None:
    text = "# FROM x\nARG A\nFROM a AS b\n from c\nCOPY --from=d /x /y\nCOPY e f\n"

    assert images_fetched(text) == 3
