"""The file of clauses that a runner is known not to meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import UsageError
from mlcube_conformance.formats.expected_failures import load_expected_failures

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("", {}),
        ("# none\n", {}),
        ("[]", {}),
        ("- {clause: PATH-1, reason: splits words}", {"PATH-1": "splits words"}),
        (
            "- clause: PATH-4\n  reason: cuts\n- clause: EXIT-2\n  reason: always 0\n",
            {"PATH-4": "cuts", "EXIT-2": "always 0"},
        ),
    ],
)
def test_reasons_are_read_by_clause(
    text: str, reasons: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "known.yaml").write_text(text, encoding="utf-8")

    assert load_expected_failures(tmp_path / "known.yaml") == reasons


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a: [", ("is not YAML", "known.yaml, line 1")),
        ("clause: PATH-1", ("is not a list", "a mapping", "line 1")),
        ("- PATH-1", ("is not a mapping", "text ('PATH-1')", "line 1, key [0]")),
        ("- clause: PATH-1", ("lacks the key '[0].reason'", "line 1")),
        ("- reason: cuts", ("lacks the key '[0].clause'", "line 1")),
        (
            "- clause: PATH-1\n  reason: ' '",
            ("the key '[0].reason' must be text", "line 2, key [0].reason"),
        ),
        (
            "- clause: PATH-1\n  reason:",
            ("the key '[0].reason' must be text", "line 2"),
        ),
        (
            "- clause: PATH-1\n  reason: x\n- clause: PATH1\n  reason: y",
            (
                "unknown clause 'PATH1'",
                "line 3, key [1].clause",
                "did you mean 'PATH-1'",
            ),
        ),
        ("- {clause: EXIT-1, reason: of cubes}", ("unknown clause 'EXIT-1'",)),
        ("- {clause: EXIT-4, reason: no test}", ("unknown clause 'EXIT-4'",)),
        (
            "- {clause: PATH-1, reason: x, reasons: y}",
            ("unknown key 'reasons'", "key [0].reasons", "did you mean 'reason'?"),
        ),
        (
            "- {clause: PATH-1, reason: x}\n- {clause: PATH-1, reason: y}",
            ("PATH-1 is listed twice", "line 2, key [1]", "line 1 has already"),
        ),
        (
            "- clause: PATH-1\n  reason: x\n  clause: PATH-4",
            ("the key 'clause' is written twice", "line 1, key [0]"),
        ),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(
    text: str, says: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "known.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(UsageError) as caught:
        load_expected_failures(tmp_path / "known.yaml")

    for part in ("known.yaml", *says):
        assert part in str(caught.value)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "known.yaml"
    file.write_text("- clause: PATH-1\n- reason: x\n", encoding="utf-8")

    with pytest.raises(UsageError) as caught:
        load_expected_failures(file)

    assert len(caught.value.messages) == 2


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"known\.yaml cannot be read"):
        load_expected_failures(tmp_path / "known.yaml")
