"""Finds the files that a definition file of Singularity copies into an image."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from mlcube_conformance.base.files import below, is_folder, is_inside
from mlcube_conformance.runners.singularity.definition import DefinitionError, Section

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["lies_in", "named_files", "outside"]

#: What a path may hold that is handed to a shell on this machine.
_PLAIN = re.compile(r"[\w./+@%,:=^-]+")
#: Files that a recipe copies, which may be whole folders.
_MOST_FILES = 1000
_HIDDEN = re.compile(r"(^|/)\.[^/.]")
#: Two stars together would mean all folders, again and again.
_GLOB = re.compile(r"(?!.*\*\*)[\w./+@%,:=^*?\[\]!-]+")


def named_files(section: Section, roots: tuple[Path, ...]) -> list[str]:
    """Return the lines of a section of files with each file by its own name."""
    named = []
    for line in section.lines:
        words = line.split()
        if words and not words[0].startswith("#"):
            named += _copied(section, words, roots)
        if len(named) > _MOST_FILES:
            raise _odd(section, f"more than {_MOST_FILES} files")
    return named


def _copied(section: Section, words: list[str], roots: tuple[Path, ...]) -> list[str]:
    """Return one line for each file that a line means."""
    source, *targets = words
    plain = all(_PLAIN.fullmatch(target.strip("*")) for target in targets)
    above = any(".." in target.split("/") for target in targets)
    if len(targets) > 1 or not plain or above or not _GLOB.fullmatch(source):
        raise _odd(section, " ".join(words))
    if section.name == "files" and section.rest:
        # Of another stage, in whose image the pattern counts.
        return [f"    {' '.join(words)}"]
    try:
        matches = _found(source, roots, f"%{section.name}")
    except (OSError, RuntimeError, ValueError, NotImplementedError) as error:
        raise _odd(section, f"{source} ({error})") from error
    if odd := [found for found in matches if not _PLAIN.fullmatch(found)]:
        raise _odd(section, odd[0])
    # With ./ before each, since a name may begin like an option.
    return [f"    ./{found} {targets[0] if targets else found}" for found in matches]


def _odd(section: Section, line: str) -> DefinitionError:
    return DefinitionError(
        found=f"%{section.name}: {line.strip()}",
        expected="SOURCE TARGET, of letters, digits, ./_-+@%,:=^ (* and ? in SOURCE)",
        do="give the file a plain name, or copy the folder that holds it",
    )


def _found(source: str, roots: tuple[Path, ...], where: str) -> list[str]:
    """Return what a pattern matches, by names relative to the first root."""
    root = roots[0]
    if not lies_in(root / source, roots):
        raise outside(where, source)
    pattern = os.path.relpath(root / source, root)
    matches = [root] if pattern == "." else sorted(root.glob(pattern))
    for found in matches:
        # Links are followed when files are copied into an image.
        for each in (found, *(below(found) if is_folder(found) else ())):
            if not lies_in(each, roots):
                raise outside(where, os.path.relpath(each, root))
    if not matches:
        raise DefinitionError(
            found=f"{where} takes {source}, which does not exist",
            expected="a file or folder of build/",
            do="fix the name, or add the file",
        )
    # "folder/." means what is in it, and a pattern no hidden files.
    end = "/." if source.endswith("/.") else ""
    named = [os.path.relpath(each, root) + end for each in matches]
    hidden = any(part.startswith(".") for part in pattern.split("/"))
    shown = [name for name in named if hidden or not _HIDDEN.search(name)]
    return shown or named


def outside(where: str, path: str) -> DefinitionError:
    """Return the error of a path that points out of what an image is made from."""
    return DefinitionError(
        found=f"{where} takes {path}, which is outside build/",
        expected="files of build/, the build context",
        do="put the file into build/, and name it relative to that",
    )


def lies_in(path: Path, roots: tuple[Path, ...]) -> bool:
    """Say whether a path is in one of the folders."""
    return any(is_inside(root, path) for root in roots)
