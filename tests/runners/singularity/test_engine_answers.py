"""What is told of a program that stands for Singularity, and does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import PlatformUnavailable
from mlcube_conformance.runners.singularity import engine

if TYPE_CHECKING:
    from pathlib import Path


def test_a_program_that_hangs_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "apptainer"
    program.write_text("#!/bin/sh\necho apptainer version 1.4.5\nsleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(engine, "_ANSWER_TIMEOUT", 0.5)

    with pytest.raises(PlatformUnavailable) as caught:
        engine.find_engine("apptainer")

    (message,) = caught.value.messages
    assert message.found == f"{program}: does not answer within 30 seconds"


@pytest.mark.parametrize(
    ("says", "flavour", "version"),
    [
        ("apptainer version 1.3.4-1", "apptainer", (1, 3)),
        (
            "module 2.3 loaded\nsingularity-ce version 4.1.2",
            "singularity-ce",
            (4, 1),
        ),
        (
            "10.0.0.1 is slow\nSingularityPRO version 3.11-2",
            "singularity",
            (3, 11),
        ),
    ],
)
def test_a_version_is_on_a_line_of_its_own(
    says: str,
    flavour: str,
    version: tuple[int, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = tmp_path / "singularity"
    program.write_text(f"#!/bin/sh\ncat <<'E'\n{says}\nE\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    found = engine.find_engine("singularity")

    assert (found.flavour, found.version) == (flavour, version)
