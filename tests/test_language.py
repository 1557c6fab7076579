"""Messages, help, docs and comments are in plain English."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
#: A literal summary of a message has at most this many characters.
LONGEST_SUMMARY = 70

#: Old phrases, each with the plain words for it.
PHRASES = tuple(
    (re.compile(pattern, re.IGNORECASE), plain)
    for pattern, plain in (
        (r"\bto be had\b", "not found, cannot pull, can be built or pulled"),
        (r"\bmend(s|ed|ing)?\b", "fix"),
        (r"\bof (ours|theirs|others|whose)\b", "our, their, other"),
        (r"\bnone that\b|(?<!there )\bis (?-i:none)\b", "unknown, invalid"),
        (r"\bwhat came of\b|\bcame of it\b", "result"),
        (r"(?<!there )\b(is|are|was|were) no (?!longer\b|more\b)", "is not a"),
        (r"\bin what is\b", "in a"),
        (r"\bnames what\b", "is not a"),
        (r"\bheld to\b|\bholds? [^.,]*\bto (the|\w+) clauses\b", "test … against"),
        (r"\bwhose the\b", "who owns the"),
        (r"\b(do|does|did) without\b", "optional, may be missing"),
        (r", so that\b", ", so; or a colon"),
        (r"\bso that nothing\b", "nothing"),
        (r"\bwere (it|there)\b", "if it were"),
        (r"\ba sign\b|\bthe sign\b|(?<!equals )\bsigns\b", "character(s)"),
        (r"\b(more|no|fewer) letters?\b|\bletters? more\b", "character(s)"),
        (r"\btold\b", "reported, shown, known"),
        (r"\bof these words\b", "of these"),
        (r"\b(for|to|by) who\b|\bwho asks?\b", "the user"),
        (r"\bstead\b", "instead"),
        (r"\bthings?\b", "the name of it"),
        (r"\banew\b", "again"),
        (r"(?<!may )\blies?\b|\bmay lie\b|\blay there\b|\bwhat lay\b", "is"),
        (r"\bsave for\b", "except"),
        (r"\b(leads?|led) (elsewhere|nowhere|to|out|there|into)\b", "points to"),
        (r"\b(is|are|was|were) not there\b", "does not exist, is missing"),
        (r"\b(is|are|was|were) to (be|have|hold|see)\b", "must be"),
        (r"\bspeaks? of\b", "mentions"),
        (r"\bseen to hold\b", "confirmed"),
        (r"\bthere or not yet\b", "new or existing"),
        (r"\bbut (one|by)\b|\bhas but\b", "only"),
        (r"\b(upon|whence|thereof|therein|hence|lest|whither)\b", "plainer words"),
        (r"\bat an end\b|\bin any case\b", "ended, always"),
        (r"\bin place of\b", "instead of"),
        (r"\bneed be\b|\bbe it\b", "if needed, even if"),
        (r"\bbut for\b", "except"),
        (r"\ball the same\b|\bas (it|they) stands?\b", "anyway, unchanged"),
    )
)

#: Words that a sentence of `do` begins with: what the reader does.
IMPERATIVES = frozenset(
    {
        "add",
        "allow",
        "ask",
        "begin",
        "build",
        "call",
        "change",
        "check",
        "choose",
        "close",
        "compare",
        "connect",
        "copy",
        "create",
        "declare",
        "did",
        "do",
        "drop",
        "enable",
        "end",
        "export",
        "fetch",
        "find",
        "fix",
        "free",
        "give",
        "go",
        "increase",
        "install",
        "join",
        "keep",
        "leave",
        "let",
        "link",
        "look",
        "make",
        "mount",
        "move",
        "name",
        "nest",
        "omit",
        "open",
        "pass",
        "pull",
        "put",
        "quote",
        "raise",
        "read",
        "reinstall",
        "remove",
        "rename",
        "report",
        "rerun",
        "retry",
        "run",
        "see",
        "set",
        "shorten",
        "slow",
        "speed",
        "split",
        "start",
        "stop",
        "try",
        "unset",
        "upgrade",
        "use",
        "wait",
        "write",
    }
)


class Flaw(NamedTuple):
    """One place that does not read plainly."""

    file: Path
    line: int
    text: str
    plain: str

    def __str__(self) -> str:
        """Say where, what and what to write instead."""
        where = f"{self.file.relative_to(ROOT)}:{self.line}"
        return f"{where}: {self.text!r}: write {self.plain}"


def _old_phrases(file: Path, line: int, text: str) -> Iterator[Flaw]:
    joined = re.sub(r"\s+", " ", text)
    for pattern, plain in PHRASES:
        for match in pattern.finditer(joined):
            yield Flaw(file, line, match.group(), plain)


def _literal(node: ast.expr) -> str | None:
    """Return the text of a string, with `{}` for each value that is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}"
            for part in node.values
        )
    return None


def _texts(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield each string below a node, an f-string as one."""
    text = _literal(node) if isinstance(node, ast.expr) else None
    if text is not None:
        yield getattr(node, "lineno", 0), text
        if not isinstance(node, ast.JoinedStr):
            return
    for child in ast.iter_child_nodes(node):
        if isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant):
            continue
        yield from _texts(child)


def _comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield each block of comments as one text."""
    first, last, words = 0, 0, ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        if words and token.start[0] != last + 1:
            yield first, words
            words = ""
        first = first if words else token.start[0]
        last = token.start[0]
        words += " " + token.string.lstrip("#: ")
    if words:
        yield first, words


def _parts(value: ast.expr) -> Iterator[ast.expr]:
    """Yield the alternatives of an expression: both sides of an `if` or an `or`."""
    if isinstance(value, ast.IfExp):
        yield from _parts(value.body)
        yield from _parts(value.orelse)
    elif isinstance(value, ast.BoolOp):
        for each in value.values:
            yield from _parts(each)
    else:
        yield value


def _fields(tree: ast.AST) -> Iterator[tuple[str, int, str]]:
    """Yield the literal `what` and `do` of each call that makes a message."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        given = [(each.arg, each.value) for each in call.keywords]
        if call.args and any(name == "do" for name, _ in given):
            given.append(("what", call.args[0]))  # of `Problems.add` and its kind
        for name, value in given:
            for part in _parts(value) if name in {"what", "do"} else ():
                text = _literal(part)
                if text is not None:
                    yield str(name), part.lineno, text


def _flaws_of_calls(file: Path, tree: ast.AST) -> Iterator[Flaw]:
    for name, line, text in _fields(tree):
        if name == "what" and len(text) > LONGEST_SUMMARY:
            yield Flaw(file, line, text, f"at most {LONGEST_SUMMARY} characters")
        if name == "do":
            first = re.match(r"[a-zA-Z]+", text)
            if first and first.group().lower() not in IMPERATIVES:
                yield Flaw(file, line, text, "an imperative first")


def flaws_of_code(file: Path) -> list[Flaw]:
    """Return what does not read plainly in a module."""
    source = file.read_text(encoding="utf-8")
    tree = ast.parse(source)
    found = [
        flaw
        for line, text in (*_texts(tree), *_comments(source))
        for flaw in _old_phrases(file, line, text)
    ]
    return [*found, *_flaws_of_calls(file, tree)]


def flaws_of_page(file: Path) -> list[Flaw]:
    """Return what does not read plainly in a page, paragraph by paragraph."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return [
        flaw
        for number, line in enumerate(lines, 1)
        for flaw in _old_phrases(file, number, line)
    ]


MODULES = sorted(
    file
    for folder in ("mlcube_conformance", "conformance_tests", "runners")
    for file in (ROOT / folder).rglob("*.py")
)
PAGES = sorted(
    (
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "changelog.d").glob("*.md"),
        *(ROOT / ".github").rglob("*.md"),
    )
)


def _name(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", MODULES, ids=_name)
def test_code_is_in_plain_english(file: Path) -> None:
    assert "\n".join(str(each) for each in flaws_of_code(file)) == ""


@pytest.mark.parametrize("file", PAGES, ids=_name)
def test_pages_are_in_plain_english(file: Path) -> None:
    assert "\n".join(str(each) for each in flaws_of_page(file)) == ""
