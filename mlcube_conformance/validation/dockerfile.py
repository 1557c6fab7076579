"""Finds what is wrong with a Dockerfile, from its text and the files of its context."""

from __future__ import annotations

import os
import re
from itertools import islice
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Violation, did_you_mean
from mlcube_conformance.base.files import TreeError, is_folder
from mlcube_conformance.base.source import Source
from mlcube_conformance.base.text import mask, shell_words, visible
from mlcube_conformance.checks.advice import words_are_absolute
from mlcube_conformance.formats.yaml import read_yaml
from mlcube_conformance.results.flaw import Flaw
from mlcube_conformance.runners.common.dockerfile.ignore import Sieve, patterns_of
from mlcube_conformance.runners.common.dockerfile.stages import (
    RecipeError,
    read_stages,
)
from mlcube_conformance.validation.flaw import flaw, softened
from mlcube_conformance.validation.scripts import (
    Contents,
    matches,
    script_flaws,
    shell_script,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mlcube_conformance.model import Build, Cube
    from mlcube_conformance.runners.common.dockerfile.stages import Copy, Recipe

__all__ = ["dockerfile_flaws", "is_pinned", "own_entry_points"]

#: What a shell script takes of its arguments: the first is the name of the task.
_ARGUMENTS = re.compile(r"\$\{?[@*1-9]")
#: Names of a folder among which a similar one is looked for.
_MOST_NAMES = 200
#: Sources, and entry points of tasks, that are looked at: more are in no known cube.
_MOST_SOURCES = 500
_MOST_ENTRIES = 50
_LATEST = "latest"


def own_entry_points(cube: Cube) -> list[tuple[str, ...]]:
    """Return what tasks start instead of the image's entry point; () where that is it.

    A cube whose tasks cannot be read is taken for one that starts that of the image.
    """
    found = [each.task.entrypoint for each in cube.invocations]
    return list(dict.fromkeys(found or [()]))[:_MOST_ENTRIES]


def is_pinned(name: str) -> bool:
    """Say whether the name of an image has a digest, or a tag other than latest."""
    if "@sha256:" in name:
        return True
    _, colon, tag = name.rpartition("/")[2].rpartition(":")
    return bool(colon) and tag != _LATEST


def dockerfile_flaws(cube: Cube, build: Build, text: str) -> Iterator[Flaw]:
    """Yield what is wrong with a Dockerfile.

    Args:
        cube: Its cube.
        build: What an image is made from.
        text: What stands in the Dockerfile.
    """
    file = build.file
    try:
        stages = read_stages(text, build.args)
    except ValueError as error:
        yield _not_read(file, error)
        return
    last = stages[-1]
    if not last.stages:
        yield flaw(
            "IMAGE-1",
            f"{file.name[:40]} has no FROM",
            file,
            found="no instruction FROM",
            expected="FROM and the base image, as the first instruction",
            do="write FROM and the name of an image",
        )
        return
    needed = _needed(stages)
    for stage in needed:
        yield from _base_flaws(file, stage)
    yield from _source_flaws(build, needed)
    yield from _entry_flaws(cube, file, last)
    contents = Contents(
        root=cube.root,
        context=build.context,
        copies=tuple(last.copies[-_MOST_SOURCES:]),
        commands=(*last.commands, *last.beyond),
        workdir=last.workdir,
    )
    for words in own_entry_points(cube):
        yield from script_flaws(contents, words or last.entrypoint)


def _not_read(file: Path, error: ValueError) -> Flaw:
    line = error.line if isinstance(error, RecipeError) else 1
    found = flaw(
        "IMAGE-1",
        f"an instruction of {file.name[:40]} cannot be read",
        file,
        line,
        found=visible(mask(str(error))),
        expected="an instruction of Docker's reference",
        do="fix the instruction",
    )
    known = isinstance(error, RecipeError) and error.unknown
    # A builder may understand what is not understood here.
    return found if known else softened(found, "note")


def _needed(stages: Sequence[Recipe]) -> list[Recipe]:
    """Return the stages that the last one is made of, itself first."""
    needed, waiting = [stages[-1]], list(stages[-1].takes)
    while waiting:
        name = waiting.pop().lower()
        for number, each in enumerate(stages):
            is_meant = name in {each.name, str(number)}
            if is_meant and all(each is not known for known in needed):
                needed.append(each)
                waiting += each.takes
    return needed


def _base_flaws(file: Path, stage: Recipe) -> Iterator[Flaw]:
    if not stage.base and stage.base_line:
        found = flaw(
            "IMAGE-1",
            "FROM names no image without a --build-arg",
            file,
            stage.base_line,
            found="a variable without a value",
            expected="an image, or an ARG before FROM with a default",
            do="write a default: ARG NAME=VALUE",
        )
        yield softened(found)
    elif stage.base_certain and stage.base != "scratch" and not is_pinned(stage.base):
        yield flaw(
            "RECIPE-4",
            "a base image has no tag, or the tag latest",
            file,
            stage.base_line,
            found=visible(mask(stage.base)),
            expected="a tag such as python:3.12-slim, or a digest",
            do="name the version that the cube was tested with",
        )


def _source_flaws(build: Build, stages: Sequence[Recipe]) -> Iterator[Flaw]:
    """Yield the sources of COPY and ADD that a build does not get."""
    file, context = build.file, build.context
    if not is_folder(context):
        return
    sieve = None
    try:
        patterns = patterns_of(context, file)
        sieve = Sieve(context, patterns) if patterns else None
    except (ValueError, TreeError) as error:
        yield _not_ignored(context, str(error))
    except Violation as violation:
        for message in violation.messages:
            yield Flaw(clause="IMAGE-1", message=message, level="error")
    copies = [each for stage in stages for each in stage.copies]
    once = {(each.line, each.source): each for each in copies}
    for copy in islice(once.values(), _MOST_SOURCES):
        if copy.source == "." or not copy.certain or _is_elsewhere(copy.source):
            continue
        if next(matches(context, copy), None) is None:
            yield _missing(build, copy)
        elif copy.source.startswith(".."):
            yield _outside(build, copy)
        elif sieve and not any(_keeps(sieve, one) for one in matches(context, copy)):
            yield _left_out(build, copy)


def _keeps(sieve: Sieve, path: Path) -> bool:
    try:
        return sieve.keeps(path)
    except (OSError, ValueError):
        return True  # The build says so.


def _is_elsewhere(source: str) -> bool:
    """Say whether a source is an address, or a text in the Dockerfile itself."""
    return ":/" in source or source.startswith(("<<", "git@"))


def _missing(build: Build, copy: Copy) -> Flaw:
    folder, _, name = copy.source.rpartition("/")
    near = did_you_mean(name, _names_in(build.context / folder))
    return flaw(
        "IMAGE-1",
        "a file that the Dockerfile copies does not exist",
        build.file,
        copy.line,
        found=f"no {visible(copy.source)} in {visible(str(build.context))}",
        expected="a file or folder of the build context",
        do=near or "add the file, or fix the path: it starts in the build context",
    )


def _names_in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as found:
            return [each.name for each in islice(found, _MOST_NAMES)]
    except (OSError, ValueError):
        return []


def _outside(build: Build, copy: Copy) -> Flaw:
    found = flaw(
        "IMAGE-1",
        "a path that the Dockerfile copies points out of the context",
        build.file,
        copy.line,
        found=f"{visible(copy.source)}, which only BuildKit reads as if it did not",
        expected="a path that starts in the build context",
        do="remove the leading ../",
    )
    return softened(found)


def _left_out(build: Build, copy: Copy) -> Flaw:
    return flaw(
        "IMAGE-1",
        "a file that the Dockerfile copies is left out of the build",
        build.file,
        copy.line,
        found=f"{visible(copy.source)}, which .dockerignore leaves out",
        expected="a file that the build gets",
        do="add a line to .dockerignore that begins with !, or remove the pattern",
    )


def _not_ignored(context: Path, error: str) -> Flaw:
    return flaw(
        "IMAGE-1",
        ".dockerignore cannot be read",
        context / ".dockerignore",
        found=visible(error),
        expected="patterns that Docker reads",
        do="fix the pattern",
    )


def _entry_flaws(cube: Cube, file: Path, last: Recipe) -> Iterator[Flaw]:
    entries = own_entry_points(cube)
    line = last.entry_line
    for words in entries:
        own = _source_of_entry(cube, words) if words else None
        where = str(own or Source(file=file, line=line, column=1))
        for message in words_are_absolute(cube, where, words or last.entrypoint):
            yield Flaw(clause="IMAGE-12", message=message, level="warning")
    if () not in entries:
        return  # Tasks start what they say themselves.
    script = shell_script(last.entrypoint)
    if script is not None and not _ARGUMENTS.search(script):
        yield flaw(
            "RECIPE-1",
            "the ENTRYPOINT drops the arguments of tasks",
            file,
            line,
            found="ENTRYPOINT in shell form"
            if last.entry_by_shell
            else f"a line of a shell without arguments: {visible(mask(script))[:80]}",
            expected="the exec form, which passes arguments on",
            do=f"write ENTRYPOINT {_exec_form(script)}",
        )
    elif not last.entrypoint and last.command_line:
        yield flaw(
            "RECIPE-1",
            "the Dockerfile has a CMD and no ENTRYPOINT",
            file,
            last.command_line,
            found="CMD, which the name of the task and its arguments replace",
            expected="ENTRYPOINT in exec form",
            do="write ENTRYPOINT instead of CMD",
        )
    elif not last.entrypoint:
        yield flaw(
            "RECIPE-3",
            "the Dockerfile has no ENTRYPOINT",
            file,
            last.base_line,
            found="only that of the base image, if any",
            expected="ENTRYPOINT in exec form",
            do="write ENTRYPOINT and the words that start a task",
        )


def _source_of_entry(cube: Cube, words: tuple[str, ...]) -> Source:
    """Return where a task says what it starts."""
    task = next(each for each in cube.invocations if each.task.entrypoint == words)
    key = f"tasks.{task.name}.entrypoint"
    try:
        at = read_yaml(task.file, cube.root)
    except Violation:
        return Source(file=task.file, line=0, key=key)
    for each in ("tasks", task.name, "entrypoint"):
        at = at.get(each) or at
    return at.source


def _exec_form(line: str) -> str:
    """Return a simple line as a list of words, or an example of one."""
    words = shell_words(line)
    words = words[1:] if words[:1] == ["exec"] else words
    if not words or not all(re.fullmatch(r"[\w./:=@%+-]+", each) for each in words):
        words = ["python3", "/app/main.py"]
    return "[" + ", ".join(f'"{each}"' for each in words) + "]"
