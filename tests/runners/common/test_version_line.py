"""The version of an engine, in what its client says."""

from __future__ import annotations

import pytest

from mlcube_conformance.runners.common.version_line import version_line


@pytest.mark.parametrize(
    ("said", "name", "number", "suffix"),
    [
        ("20.10.24+dfsg1", "", "20.10.24", "+dfsg1"),
        ("v4.9.3", "", "4.9.3", ""),
        ("apptainer version 1.4.5-1.el9", "apptainer", "1.4.5", "-1.el9"),
        ("singularity-ce version 4.1.2", "singularity-ce", "4.1.2", ""),
        ("SingularityPRO version 3.11-8.el8", "SingularityPRO", "3.11", "-8.el8"),
        ("2.6.1-dist", "", "2.6.1", "-dist"),
        ("WARNING: 10.0.0.1 is slow\n24.0.7\n", "", "24.0.7", ""),
        ("gcc version 11.2.0\napptainer version 1.4.5", "apptainer", "1.4.5", ""),
        ("apptainer version 1.4.5\ngcc version 11.2.0", "gcc", "11.2.0", ""),
        ("1.4.5\nEmulate Docker CLI using podman 9.9.", "", "1.4.5", ""),
    ],
)
def test_the_last_line_that_is_a_version(
    said: str, name: str, number: str, suffix: str
) -> None:
    assert version_line(said) == (name, number, suffix)


@pytest.mark.parametrize("said", ["", "dev", "permission denied", "5", "is 1.2 new?"])
def test_no_version(said: str) -> None:
    assert version_line(said) is None
