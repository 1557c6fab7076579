#!/usr/bin/env python3
"""Do what a page of the documentation says, and compare what one sees with the page.

    python3 scripts/follow_docs.py docs/first-cube.md [--with docker]

In each block of the page that is marked `console`, lines that begin with "$ " are
commands, and those below one are its output. A comment `<!-- needs NAME -->` above a
block leaves it out, unless `--with NAME` is given. Commands run one after the other in
a new folder, by the programs of the Python that runs this.

In an output of the page, "…" stands for any text, alone on a line for any lines. Times,
names of runs and spaces that align may differ. Exits with 1 at the first difference.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS: Final = 600
_SHELL: Final = "/bin/bash"
_OURS: Final = "MLCUBE_CONFORMANCE_"
_BLOCK: Final = re.compile(
    r"^(?:<!-- needs (?P<needs>\S+) -->\n)?```console\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
#: What differs from one run to the next, and what stands for it.
_VARIES: Final = (
    (re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}"), "RUN"),
    (re.compile(r"\b\d+(\.\d)? s\b"), "SOME s"),
    (re.compile(r"[ \t]+"), " "),
)


@dataclass(slots=True)
class Step:
    """A command of a page, and what it prints."""

    command: str
    output: list[str] = field(default_factory=list)


def steps(page: str, given: set[str]) -> Iterator[Step]:
    """Yield the commands of a page that can be followed here."""
    for block in _BLOCK.finditer(page):
        if block["needs"] and block["needs"] not in given:
            continue
        step = None
        for line in block["text"].splitlines():
            if line.startswith("$ "):
                if step is not None:
                    yield step
                step = Step(line.removeprefix("$ "))
            elif step is not None:
                step.output.append(line)
        if step is not None:
            yield step


def as_pattern(output: list[str]) -> re.Pattern[str]:
    """Return what an output must look like."""
    parts = []
    for line in output:
        if line.strip() == "…":
            parts.append(r"(?:.*\n)*?")
        else:
            words = (re.escape(each) for each in plain(line).split("…"))
            parts.append(".*".join(words) + r"\n")
    return re.compile("".join(parts))


def plain(text: str) -> str:
    """Return a text without what differs from one run to the next."""
    for words, same in _VARIES:
        text = words.sub(same, text)
    return "\n".join(each.strip() for each in text.split("\n"))


def follow(page: Path, given: set[str], folder: Path) -> int:
    """Run the commands of a page in a folder; return 1 at the first difference."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # A reader has none of the settings of those who work on the project.
    others = {x: y for x, y in os.environ.items() if not x.startswith(_OURS)}
    place = folder
    count = 0
    for step in steps(page.read_text("utf-8"), given):
        count += 1
        words = step.command.split()
        if words[0] == "cd":
            place /= words[1]
            continue
        done = subprocess.run(  # noqa: S603 - what our own page says
            [_SHELL, "-c", step.command],
            cwd=place,
            env={**others, "PATH": programs, "COLUMNS": "80"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        seen = done.stdout if not done.stdout or done.stdout[-1] == "\n" else "\n"
        if not as_pattern(step.output).fullmatch(plain(seen)):
            expected = "\n".join(step.output)
            sys.stdout.write(
                f"{page}: not what one sees: $ {step.command}\n"
                f"--- the page\n{expected}\n--- here\n{seen}"
            )
            return 1
        sys.stdout.write(f"{page}: as it says: $ {step.command}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{page}: {count} commands\n")
    return 0 if count else 1


def main() -> int:
    """Follow each page, in a new folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("pages", nargs="+", metavar="PAGE", type=Path)
    parser.add_argument("--with", dest="given", action="append", default=[])
    words = parser.parse_args()
    for page in words.pages:
        with tempfile.TemporaryDirectory(prefix="followed-") as folder:
            code = follow(page.resolve(), set(words.given), Path(folder))
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
