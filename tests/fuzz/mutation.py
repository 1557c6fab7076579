"""Changes valid texts at random, in ways that readers find hard."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

__all__ = ["mutated"]

#: Pieces that mean something to one of the formats, or to whoever prints them.
_PIECES = (
    *("\0", "\x1b[31m", "\r", "\n", "\t", "\ufeff", "\u2028", "\U0001f980", "\x85"),
    *("${", "}", "${name}", "${x}", "${docker.image}", "${oc.env:HOME,a}", "${env:A}"),
    *("$WORKSPACE", "$HOME", "~", "~/", "~nosuch/key", "..", "/", "//", "/etc/shadow"),
    *("[", "]", "{", "}", "[[[[", "{{", "}}", "{{ a }}", "- ", "? ", ": ", ", ", "|"),
    *("&a ", "*a", "<<: *a", "!!int ", "!!binary ", "!!python/object:os.system ", "%"),
    *("1:1:1", "0x", "1e999", "-.inf", ".nan", "2020-99-99", "null", "~", "true", "''"),
    *("*", "**", "**/", "?", "[z-a]", "[!", "!", "\\", "#", "'", '"', "`", "=", "--"),
    *(
        "FROM ",
        "ARG ",
        "ENV ",
        "COPY ",
        "RUN ",
        "ONBUILD ",
        "<<EOF",
        "\\\n",
        "--from=x",
    ),
    *("%post", "%files", "%setup", "%arguments", "Bootstrap: docker", "From: x"),
    *("-r ", "-c ", "--requirement=", "file:///etc/passwd", "-e .", "# coding: utf-7"),
    *("99999999999999999999", "9" * 400, "a" * 300, "-1", "0", "1.0.0", "\ud800"),
)
#: Letters that a text is blown up to, once in a while.
_BLOWN_UP = 300_000
_SOMETIMES = 0.01


def mutated(text: str, others: tuple[str, ...], random: Random) -> str:
    """Return a text with a few changes.

    Args:
        text: A valid one.
        others: Others, from which pieces are taken.
        random: Decides.
    """
    for _ in range(random.choice((1, 1, 1, 2, 3, 5))):
        text = random.choice(_CHANGES)(text, others, random)
    if random.random() < _SOMETIMES:
        text = _blown_up(text, others, random)
    return text[: 2 * _BLOWN_UP]


def _span(text: str, random: Random) -> tuple[int, int]:
    start = random.randint(0, len(text))
    return start, min(len(text), start + random.choice((0, 1, 3, 10, 40)))


def _inserted(text: str, _: tuple[str, ...], random: Random) -> str:
    start, end = _span(text, random)
    return text[:start] + random.choice(_PIECES) + text[end:]


def _removed(text: str, _: tuple[str, ...], random: Random) -> str:
    start, end = _span(text, random)
    return text[:start] + text[end:]


def _repeated(text: str, _: tuple[str, ...], random: Random) -> str:
    start, end = _span(text, random)
    return text[:start] + text[start:end] * random.choice((2, 5, 60)) + text[end:]


def _spliced(text: str, others: tuple[str, ...], random: Random) -> str:
    other = random.choice(others)
    start, end = _span(text, random)
    first, last = _span(other, random)
    return text[:start] + other[first:last] + text[end:]


def _other_sign(text: str, _: tuple[str, ...], random: Random) -> str:
    start = random.randint(0, len(text))
    return text[:start] + chr(random.randint(0, 0x17F)) + text[start + 1 :]


def _lines_moved(text: str, others: tuple[str, ...], random: Random) -> str:
    del others
    lines = text.split("\n")
    line = lines.pop(random.randrange(len(lines)))
    for _ in range(random.choice((0, 1, 1, 2))):
        indent = random.choice(("", "", "  ", "      "))
        lines.insert(random.randint(0, len(lines)), indent + line)
    return "\n".join(lines)


def _blown_up(text: str, _: tuple[str, ...], random: Random) -> str:
    """Repeat a piece until the text is about as large as any that is read."""
    start, end = _span(text, random)
    piece = random.choice((text[start:end], *random.choices(_PIECES, k=4))) or "a"
    piece += random.choice(("", "", "\n", " ", "a", ","))
    size = random.choice((3_000, 30_000, 250_000, _BLOWN_UP))
    return text[:start] + piece * (size // len(piece)) + text[end:]


_CHANGES = (
    *(_inserted, _inserted, _inserted, _removed, _repeated, _spliced, _other_sign),
    _lines_moved,
)
