"""What a terminal shows of a run: a line for each task, a matrix, and each failure."""

from __future__ import annotations

import io
import re
import shlex
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlcube_conformance.base.sizes import in_words
from mlcube_conformance.base.text import command_line, folded, visible
from mlcube_conformance.results.finding import in_numbers
from mlcube_conformance.results.overview import BAD, EVERYWHERE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from rich.console import RenderableType

    from mlcube_conformance.results.overview import Check, Overview, Part

__all__ = ["Screen"]

#: A mark for each state, the same without Unicode, and its colour.
_MARKS = {
    "failed": ("✘", "x", "bold red"),
    "error": ("✘", "x", "bold red"),
    "unexpected pass": ("✘", "x", "bold red"),
    "warning": ("!", "!", "yellow"),
    "unsupported": ("-", "-", "yellow"),
    "not run": ("-", "-", "dim"),
    "expected failure": ("!", "!", "yellow"),
    "passed": ("✔", "+", "green"),
    "not applicable": ("-", "-", "dim"),
    "": ("", "", ""),
}
#: Parts of a run whose table is shown whole.
_MOST_PARTS = 300
_NOT_COMPARED = (*BAD, "not run", "unsupported")
#: A line of a message that begins with what it is about.
_LABELLED = re.compile(r"  ([a-z][a-z ]*):( +)(.*)")
_COLOURS = {"found": "red", "do": "green", "again": "bold"}
_COMMANDS = ("again", "by hand", "more")
#: Columns of the text of a message, and of the name of a task.
_INDENT, _NAME = 12, 14
_DOT = " \u00b7 "


class Screen:
    """Draws for a terminal of some width."""

    def __init__(
        self, width: int, *, folder: Path, colour: bool = False, plain: bool = False
    ) -> None:
        """Take what is known of the terminal.

        Args:
            width: Columns of it.
            folder: The current one, which paths are shown from.
            colour: Whether it shows colours.
            plain: Whether it knows ASCII alone.
        """
        self._width = width
        self._plain = plain
        self._colour = colour
        self._above = f"{folder}/"

    def title(self, *words: str) -> str:
        """Return what a part is called: `hello · docker · train`."""
        dot = " - " if self._plain else _DOT
        return visible(dot.join(each for each in words if each))

    def heading(self, *words: str) -> str:
        """Return the line above the tasks of a cube on a platform."""
        return self._drawn(Text(self.title(*words), style="bold"))

    def part(self, part: Part, *, checks: bool = False) -> str:
        """Return the line of a task, an image or a definition.

        Args:
            part: What it is about.
            checks: Whether each check gets a line of its own below it.
        """
        grid = self._grid()
        told = self._told(part)
        seconds = f"{part.seconds:.1f} s" if part.seconds is not None else ""
        name = part.title.removesuffix(f" {EVERYWHERE}")
        grid.add_row(f"  {visible(name)}", self._mark(part.state), told[0], seconds)
        for more in told[1:]:
            grid.add_row("", "", more, "")
        if checks:
            for each in part.checks:
                words = f"{each.clause or each.test} {each.sentence}"
                took = float(each.finding["seconds"])
                line = (self._mark(each.state), visible(words), f"{took:.1f} s")
                grid.add_row("", *line)
        return self._drawn(grid)

    def matrix(self, overview: Overview) -> str:
        """Return cubes and tasks down, platforms across, and the level of each.

        Of a large run, cubes alone in which something failed.
        """
        columns = list(overview.columns)
        table = Table.grid(padding=(0, 2))
        table.add_column(overflow="fold")
        for _ in columns:
            table.add_column(justify="center", overflow="fold")
        is_large = len(overview.parts) > _MOST_PARTS
        cubes = dict.fromkeys(
            each.cube
            for each in overview.parts
            if each.column and (not is_large or each.state in BAD)
        )
        for cube in cubes:
            table.add_row(
                Text(visible(cube), style="bold"), *(visible(each) for each in columns)
            )
            parts = {(x.title, x.column): x for x in overview.parts if x.cube == cube}
            titles = dict.fromkeys(each.title for each in parts.values())
            for title in titles:
                whole = parts.get((title, ""))
                task = title.removesuffix(f" {EVERYWHERE}")
                cells = [parts.get((title, each), whole) for each in columns]
                if task != title:  # Where it failed, there was nothing to compare.
                    own = [parts.get((task, each)) for each in columns]
                    cells = [
                        None if one and one.state in _NOT_COMPARED else cell
                        for one, cell in zip(own, cells, strict=True)
                    ]
                marks = (self._mark(each.state if each else "") for each in cells)
                table.add_row(f"  {visible(title)}", *marks)
            levels = [overview.levels.get((cube, each)) for each in columns]
            shown = (each["level"] or "none" if each else "" for each in levels)
            table.add_row("  level", *shown)
        return self._drawn(table)

    def failure(self, title: str, text: str) -> str:
        """Return a message under its title, folded, with its parts in colours.

        Commands and long paths stay whole, to be copied.
        """
        lines = [Text(title, style="bold red")]
        for label, words in _blocks(text):
            if label is None:
                rest = words.lstrip(" |")
                start = words[: len(words) - len(rest)]
                lines += map(Text, self._folded(words, len(start), start))
                continue
            shown = words.splitlines() or [""]
            if label == "by hand":
                shown = [*_one_option_a_line(words)]
            elif label not in _COMMANDS:
                shown = [x for each in shown for x in self._folded(each, _INDENT)]
            else:
                shown = [each.replace(self._above, "") for each in shown]
            first = f"  {label}:".ljust(_INDENT)
            for number, each in enumerate(shown):
                start = first if number == 0 else " " * _INDENT
                style = _COLOURS.get(label, "")
                lines.append(Text.assemble(start, (each.strip(), style)))
        return "".join(self._drawn(each) for each in lines)

    def _folded(self, text: str, indent: int, start: str | None = None) -> list[str]:
        """Return a line as several; a long word, such as a path, is left whole."""
        first = " " * indent if start is None else start
        return folded(
            text[len(start or "") :].replace(self._above, ""),
            max(self._width, 2 * indent),
            first,
            " " * indent,
        )

    def line(self, text: str, style: str = "") -> str:
        """Return a line, with paths from the current folder."""
        return self._drawn(Text(text.replace(self._above, ""), style=style))

    def _told(self, part: Part) -> list[str]:
        """Return what to say of a part: what is wrong with it, or its result."""
        counts = part.counts
        wrong = [*self._wrong(part.checks)]
        if wrong:
            return wrong
        passed = sum(counts[each] for each in ("passed", "expected failure"))
        if not passed:
            reasons = [str(x.finding["reason"]) for x in part.checks]
            return [visible(next(filter(None, reasons), part.state))]
        words = [f"{passed} check{'s' if passed > 1 else ''}"]
        words += in_numbers(counts, ("expected failure", "unsupported", "not run"))
        said = [", ".join(words), *self._made(part)]
        warnings = [x for x in part.checks if x.state == "warning"]
        lines = ["   ".join(said)]
        return lines + [f"{x.clause} {x.finding['reason']}" for x in warnings]

    @staticmethod
    def _wrong(checks: Iterable[Check]) -> Iterator[str]:
        for each in checks:
            if each.is_bad:
                told = f"{each.clause or each.test} {each.finding['reason']}"
                yield visible(told)

    @staticmethod
    def _made(part: Part) -> Iterator[str]:
        """Yield what a run came to: an image, outputs, numbers that matter."""
        for run in part.runs[:1]:
            image = run.get("image") or {}
            if image:
                size = f" ({in_words(part.bytes)})" if part.bytes else ""
                yield visible(f"{image.get('origin', 'made')}{size}")
            outputs = run.get("outputs") or {}
            if outputs:
                files = sum(int(each["files"]) for each in outputs.values())
                name = next(iter(outputs)) if len(outputs) == 1 else "outputs"
                many = f"{files} file{'' if files == 1 else 's'}"
                yield visible(f"{name}: {many}, {in_words(part.bytes or 0)}")
        for each in part.metrics.values():
            name = each["path"] or each["output"]
            yield visible(f"{name} {each['value']:.4g}")

    def _grid(self) -> Table:
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(width=_NAME, overflow="fold")
        grid.add_column(width=1)
        grid.add_column(ratio=1, overflow="fold")
        grid.add_column(justify="right", no_wrap=True)
        return grid

    def _mark(self, state: str) -> Text:
        sign, plain, style = _MARKS[state]
        return Text(plain if self._plain else sign, style=style)

    def _drawn(self, what: RenderableType) -> str:
        """Return what it looks like, without blanks at the ends of its lines."""
        console = Console(
            file=io.StringIO(),
            width=self._width,
            color_system="standard" if self._colour else None,
            force_terminal=self._colour,
            highlight=False,
            markup=False,
            emoji=False,
        )
        with console.capture() as drawn:
            console.print(what, soft_wrap=isinstance(what, Text))
        return "".join(f"{each.rstrip()}\n" for each in drawn.get().splitlines())


def _blocks(text: str) -> Iterator[tuple[str | None, str]]:
    """Yield what a message says, by label; None for lines that have none."""
    label: str | None = None
    held: list[str] = []
    for line in text.splitlines():
        match = _LABELLED.fullmatch(line)
        if match is None and label is not None and line.startswith(" " * _INDENT):
            held.append(line[_INDENT:])
            continue
        if label is not None:
            yield label, "\n".join(held)
            label = None
        if match is None:
            yield None, line if line.startswith(" ") else f"  {line}"
        else:
            label, held = match[1], [match[3]]
    if label is not None:
        yield label, "\n".join(held)


def _one_option_a_line(command: str) -> Iterator[str]:
    """Yield a command for a shell, each option of it on its own line."""
    # What it escapes, `shlex` does not read.
    words = [] if "$'" in command else shlex.split(command)
    if not words:
        yield command
        return
    line: list[str] = []
    for number, word in enumerate(words):
        # `env -i NAME=VALUE` is one piece with the program that it starts.
        is_first = number == 1 and words[0] == "env"
        if word.startswith("-") and line and not is_first:
            yield f"{command_line(line)} \\"
            line = []
        line.append(word)
    yield command_line(line)
