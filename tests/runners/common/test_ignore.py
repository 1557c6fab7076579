"""What `.dockerignore` leaves out, as a table of what `docker build` does with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from mlcube_conformance.runners.common.dockerfile.ignore import kept_files, patterns_of

if TYPE_CHECKING:
    from pathlib import Path

_FILES: Final = (
    *(
        "a",
        "A",
        "ab",
        "a.b",
        "axb",
        "a b",
        "a+b",
        "a|b",
        "[a]",
        "a\\b",
        "!a",
        "#a",
        "^a",
    ),
    *("-", "d/a", "d/e/a", "d/x.txt", "D/a", "README.md", "Readme.MD", "z/q"),
)
# Without a word of another, each is what `docker build` of 28.2 sends.
_LEFT_OUT: Final[dict[str, set[str]]] = {
    "a": {"a"},
    " a ": {"a"},
    "/a": {"a"},
    "./a": {"a"},
    "d/../a": {"a"},
    "../a": set(),
    "A": {"A"},
    "readme.md": set(),
    "README.md": {"README.md"},
    "*.md": {"README.md"},
    "*.MD": {"Readme.MD"},
    "#a": set(),
    " #a": {"#a"},
    r"\#a": {"#a"},
    r"\!a": {"!a"},
    "a.b": {"a.b"},
    "a?b": {"a.b", "axb", "a b", "a+b", "a|b", "a\\b"},
    "a+b": {"a+b"},
    "a|b": {"a|b"},
    "^a": {"^a"},
    "a b": {"a b"},
    "[ab]": {"a"},
    "[a]": {"a"},
    r"\[a\]": {"[a]"},
    "[[]a]": {"[a]"},
    "[^a]": {"A", "-", "d", "D", "z"},
    "[!a]": {"a"},
    "[A-Z]": {"A", "D"},
    "[a-c]": {"a"},
    r"[a\-c]": {"a", "-"},
    r"[\]]": set(),
    "d[^x]a": {"d/a"},
    "d?a": set(),
    r"\a": set(),
    r"a\b": {"a"},
    r"a\\b": {"a\\b"},
    r"\w": {"a", "A", "d", "D", "z"},
    "d": {"d"},
    "d/": {"d"},
    "d/*": {"d/a", "d/e", "d/x.txt"},
    "*/a": {"d/a", "D/a"},
    "**/a": {"a", "d/a", "d/e/a", "D/a"},
    "**/*.txt": {"d/x.txt"},
    "d/**": {"d/a", "d/e", "d/x.txt"},
    "d/**/a": {"d/a", "d/e/a"},
    "d\n!d/a": {"d/e", "d/x.txt"},
    "\ufeffa": {"a"},
    "a\r\nA\r": {"a", "A"},
    "# a\nA": {"A"},
    "a\x0bA": set(),
}


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """Return a folder with the files."""
    for each in _FILES:
        file = tmp_path / "context" / each
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return tmp_path / "context"


def _kept(context: Path, text: str) -> set[str]:
    (context / ".dockerignore").write_bytes(text.encode())
    patterns = patterns_of(context, context / "Dockerfile")
    names = set(kept_files(context, patterns))
    return {each for each in _FILES if each in names}


@pytest.mark.parametrize("text", _LEFT_OUT)
def test_patterns_leave_out_what_docker_leaves_out(text: str, context: Path) -> None:
    gone = _LEFT_OUT[text]

    assert _kept(context, text) == {
        each
        for each in _FILES
        if not any(each == name or each.startswith(f"{name}/") for name in gone)
    }


@pytest.mark.parametrize(
    "pattern",
    ["[a", "a[", "[^", "[]a]", "[-]", "[!-]a", "[c-a]", "a\\", "!", r"\c", r"[\d-z]"],
)
def test_patterns_that_docker_refuses_are_refused(pattern: str, context: Path) -> None:
    with pytest.raises(ValueError, match=r"\.dockerignore, pattern "):
        _kept(context, pattern)


def test_everything_but_a_name_is_left_out_in_folders_too(context: Path) -> None:
    """A folder is entered for its own name, and not for the start of it."""
    assert _kept(context, "**\n!**/a") == {"a"}
    assert _kept(context, "*\n!d/e") == {"d/e/a"}


def test_a_recipe_may_have_patterns_of_its_own(context: Path) -> None:
    (context / ".dockerignore").write_text("a")
    (context / "gpu.dockerignore").write_text("A")

    assert patterns_of(context, context / "gpu") == ["A"]
    assert patterns_of(context, context / "cpu") == ["a"]
