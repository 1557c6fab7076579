"""`mlcube-conformance init`: a new cube that works, to begin with."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import click

from mlcube_conformance.base.errors import Message, UsageError
from mlcube_conformance.base.homes import current_folder, given_path
from mlcube_conformance.base.interrupts import waiting_requests
from mlcube_conformance.base.paths import shown_in
from mlcube_conformance.base.text import command_line, visible
from mlcube_conformance.commands.output import refusing, show

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["init"]

_TEMPLATES = {
    "python": "prepare, train and evaluate, in Python",
    "shell": "two tasks of a shell script, in a small image",
    "medperf": "prepare, sanity_check and statistics, as MedPerf names them",
}
#: What the cubes of the templates are called.
_NAME = "hello"
_TEST = f"test_{_NAME}.py"
#: Names that an image may have, too: those of Docker, without folders.
_VALID = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")
_LONGEST = 64
#: Hidden in the package, since tools would heed it there.
_IGNORED = {"gitignore": ".gitignore"}


@click.command(short_help="Make a new cube that works, to begin with.")
@click.argument("place", metavar="NAME")
@click.option(
    "--template",
    type=click.Choice([*_TEMPLATES]),
    default="python",
    show_default=True,
    help="; ".join(f"{name}: {what}" for name, what in _TEMPLATES.items()) + ".",
)
def init(place: str, template: str) -> None:
    """Make a new cube in the folder NAME: a few files, which pass all tests.

    It has tasks, promises, a test of its own, and a workflow for GitHub. NAME may be
    a path; nothing that is there is changed.

    Example: mlcube-conformance init hello && cd hello && mlcube-conformance test
    """
    with refusing():
        folder = given_path(place, "NAME")
        name = _valid(folder.name)
        _refuse_what_is_there(folder)
        made = _write(template, name, folder)
        here = current_folder()
        shown = shown_in(here, folder)
        first = "" if folder == here else f"cd {_for_shell(shown)} && "
        show(
            f"created {visible(str(shown))}: {', '.join(map(visible, made))}\n"
            f"next: {first}mlcube-conformance test\n"
        )
        tops = (each for each in folder.parents if os.path.lexists(each / ".git"))
        top = next(tops, None)
        if top is not None:
            show(f"for GitHub: move .github to {visible(str(top))}, where it is read\n")


def _valid(name: str) -> str:
    if _VALID.fullmatch(name) is None or len(name) > _LONGEST:
        raise UsageError(
            Message(
                what="the name of a cube is also that of its image",
                where="NAME",
                found=visible(name),
                expected="small letters, digits, and one of . _ - between them, at "
                f"most {_LONGEST}",
                do=f"write mlcube-conformance init {_like(name)}",
            )
        )
    return name


def _like(name: str) -> str:
    words = re.findall(r"[a-z0-9]+", name.lower())
    return "-".join(words)[:_LONGEST].rstrip("-") or _NAME


def _refuse_what_is_there(folder: Path) -> None:
    if not os.path.lexists(folder):
        return
    is_folder = folder.is_dir() and not folder.is_symlink()
    if is_folder and not any(folder.iterdir()):
        return
    raise UsageError(
        Message(
            what="there is something already",
            where=visible(str(folder)),
            found="a folder with files" if is_folder else "a file or a link",
            expected="a name that is not taken, or an empty folder",
            do="give another name, or move it away",
        )
    )


def _write(template: str, name: str, folder: Path) -> list[str]:
    """Write the files of a template; return their paths in the new folder."""
    made: list[Path] = []
    try:
        _make_folder(folder, made)
        with as_file(files("mlcube_conformance") / "templates" / template) as source:
            return sorted(_copied(source, name, folder, made))
    except OSError as error:
        _take_back(made)
        raise UsageError(
            Message(
                what="the cube cannot be written there",
                where=visible(str(folder)),
                found=error.strerror or str(error),
                expected="a place where files can be made",
                do="fix the path, or free some disk space",
            )
        ) from error
    except KeyboardInterrupt:
        _take_back(made)
        raise


def _make_folder(folder: Path, made: list[Path]) -> None:
    """Make a folder and those above it, and remember those that are new."""
    for each in (*reversed(folder.parents), folder):
        if not each.is_dir():
            with waiting_requests():
                each.mkdir()
                made.append(each)


def _take_back(made: list[Path]) -> None:
    """Remove what was made here, and nothing that another program made meanwhile."""
    for each in reversed(made):
        with suppress(OSError):
            each.rmdir() if each.is_dir() else each.unlink()


def _copied(source: Path, name: str, folder: Path, made: list[Path]) -> Iterator[str]:
    for each in sorted(source.rglob("*")):
        path = each.relative_to(source)
        if each.is_dir() or "__pycache__" in path.parts:
            continue
        called = _IGNORED.get(path.name, _named(path.name, name))
        target = folder / path.with_name(called)
        _make_folder(target.parent, made)
        with waiting_requests():
            target.touch(exist_ok=False)
            made.append(target)
        target.write_text(_named(each.read_text("utf-8"), name), "utf-8")
        yield str(target.relative_to(folder))


def _named(text: str, name: str) -> str:
    # Python takes what stands before a dot for a package.
    test = _TEST.replace(_NAME, name.replace(".", "_"))
    return text.replace(_TEST, test).replace(_NAME, name)


def _for_shell(path: Path) -> str:
    word = str(path)
    return command_line([f"./{word}" if word.startswith("-") else word])
