"""Outputs belong to the user."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.suites.runner.probe.run import ProbeRun


@pytest.mark.clause("OWNER-2")
def test_owner_of_outputs(look: ProbeRun) -> None:
    """Outputs belong to the invoking user."""
    look.ends_well()
    made = [*(look.workspace / "report-look").rglob("*"), look.workspace / "made/made"]
    look.expect(made[-1].is_file(), f"the task's output is {made[-1]}")
    others = [f"{each} of user {each.stat().st_uid}" for each in made if _foreign(each)]
    look.expect(not others, f"outputs of user {os.getuid()}", others)
    if os.getuid() == 0:
        pytest.skip("not applicable: root owns every file that root writes")


def _foreign(path: Path) -> bool:
    return path.stat().st_uid != os.getuid()
