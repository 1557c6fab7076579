"""Finds the files that a section of a single-file cube builds its image from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import (
    MachineError,
    Message,
    Unsupported,
    Violation,
)
from mlcube_conformance.base.files import (
    is_folder,
    is_inside,
    is_there,
    resolved,
    what_is_at,
)
from mlcube_conformance.base.homes import home
from mlcube_conformance.formats.run_args import split_words
from mlcube_conformance.formats.section_values import (
    assignments,
    optional_text,
    path_below,
    variables_of,
)
from mlcube_conformance.model import Build

if TYPE_CHECKING:
    from mlcube_conformance.formats.given import Given
    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located

__all__ = ["docker_build", "recipe_elsewhere"]

#: Flags of `docker build` that make the same image.
_SAME_IMAGE = frozenset(
    (
        *("--no-cache", "--pull", "-q", "--quiet", "--rm", "--force-rm", "--compress"),
        "--load",
    )
)
#: The same for those with a value, and others, which are not given.
_SAME_WITH = frozenset(
    (
        *("--progress", "--tag", "-t", "--cache-from", "--cache-to", "--iidfile"),
        "--label",
    )
)
_OTHER_IMAGE = frozenset(
    (
        *(
            "--add-host",
            "--allow",
            "--build-context",
            "--cgroup-parent",
            "--cpu-period",
        ),
        *("--cpu-quota", "--cpu-shares", "-c", "--cpuset-cpus", "--cpuset-mems"),
        *(
            "--file",
            "-f",
            "--isolation",
            "--memory",
            "-m",
            "--memory-swap",
            "--network",
        ),
        *("--output", "-o", "--platform", "--secret", "--security-opt", "--shm-size"),
        *("--ssh", "--target", "--ulimit"),
    )
)


def docker_build(
    document: Located, root: Path, given: Given, problems: Problems
) -> Build:
    """Return what the image of Docker is made from.

    What cannot be used keeps images from being built, and only then counts.
    """
    section = document.get("docker")
    asked = given.build_context
    if section is None or not section.is_mapping():
        context = asked or root
        return Build(
            file=context / "Dockerfile", context=context, given=asked is not None
        )
    written = path_below(section, "build_context", problems) or "."
    trouble = None
    context = asked or _as_written(root, written)
    if asked is None:
        trouble = _trouble_with(root, context, written, section)
    at = section.get("build_strategy")
    builds = at is not None and at.text() in {"auto", "always"}
    if builds and isinstance(trouble, Violation):
        problems.messages.extend(trouble.messages)
    text = path_below(section, "build_file", problems) or "Dockerfile"
    file = Path(os.path.normpath(context / text))
    # A link that points elsewhere is the image's fault, as is whatever else it is.
    if not (file.is_relative_to(context) or file.is_relative_to(root)):
        trouble = trouble or recipe_elsewhere(
            section.get("build_file") or section,
            file,
            "or build in a folder that holds it: --build-context DIR",
        )
    args, unsupported = _build_args(section, problems)
    return Build(
        file=file,
        context=root if trouble else context,
        args=args,
        named=bool(optional_text(section, "build_file", problems)),
        given=asked is not None,
        trouble=trouble or unsupported,
    )


def _build_args(
    section: Located, problems: Problems
) -> tuple[dict[str, str], Unsupported | None]:
    """Return the arguments of a build, and why it cannot be made as it is asked."""
    at = section.get("build_args")
    if at is None or not at.text():
        return assignments(section, "build_args", ("--build-arg",), problems), None
    kept, trouble = [], None
    words = iter(split_words(at, problems))
    for word in words:
        flag, equals, _ = word.partition("=")
        if flag in _SAME_IMAGE:
            continue
        if flag not in _SAME_WITH | _OTHER_IMAGE:
            kept.append(word)
            continue
        value = "" if equals else f" {next(words, '')}".rstrip()
        if flag in _OTHER_IMAGE:
            trouble = trouble or _unsupported_flag(at, f"{word}{value}")
    return variables_of(kept, at, ("--build-arg",), problems), trouble


def _unsupported_flag(at: Located, found: str) -> Unsupported:
    return Unsupported(
        Message(
            what="unsupported flag in build_args",
            where=str(at.source),
            found=found,
            expected="--build-arg NAME=VALUE, and flags that change no image",
            do="remove it, if the image can be built without it",
        )
    )


#: What cannot be a folder, in words.
_BROKEN = {"link": "a broken link, or one to itself", "nothing": "nothing"}


def _as_written(root: Path, text: str) -> Path:
    # As the system reads it, where the cube itself is reached through a link.
    outside = os.path.normpath(text).startswith("..")
    return Path(os.path.normpath((resolved(root) if outside else root) / text))


def _trouble_with(
    root: Path, context: Path, text: str, section: Located
) -> Violation | Unsupported | None:
    """Say what keeps a folder from being the context of a build.

    It is in the cube, beside it, or in its git work tree: all that is in it may go
    into an image, and from there anywhere.
    """
    where = str((section.get("build_context") or section).source)
    place, cube = resolved(context), resolved(root)
    beside = place.is_relative_to(cube.parent) and not (
        cube.is_relative_to(place)
        or any(part.startswith(".") for part in place.relative_to(cube.parent).parts)
    )
    near = beside or _in_one_work_tree(cube, place)
    if not text.startswith(("/", "~")) and (is_inside(root, context) or near):
        return None if is_folder(context) else _not_a_folder(context, text, section)
    return Unsupported(
        Message(
            what="the build_context is neither in the cube nor beside it",
            where=where,
            found=f"{text} (that is {place})",
            expected="a folder of the cube, one beside it such as ../project, or one "
            "of its git work tree",
            do="give the place on the command line, if you trust the cube with it: "
            f"--build-context {text if text.startswith('~') else place}",
        )
    )


def _not_a_folder(context: Path, text: str, section: Located) -> Violation | None:
    """Say what there is in the place of a context; None where none is named."""
    named = section.get("build_context")
    if named is None:
        return None
    found = what_is_at(context)
    return Violation(
        Message(
            what="the build_context is not a folder",
            where=str(named.source),
            found=f"{text}: {_BROKEN.get(found, f'a {found}')}",
            expected="a folder of the cube, or one beside it such as ../project",
            do="fix the path, or add the folder",
        )
    )


def _in_one_work_tree(cube: Path, place: Path) -> bool:
    """Say whether git keeps a cube and a folder together, as one project.

    A home may be a work tree as well: it is not a project, nor is what holds it.
    """
    trees = (each for each in (cube, *cube.parents) if is_there(each / ".git"))
    tree = next(trees, None)
    if tree is None or not place.is_relative_to(tree):
        return False
    if any(part.startswith(".") for part in place.relative_to(tree).parts):
        return False
    try:
        return not resolved(home()).is_relative_to(place)
    except MachineError:
        return False


def recipe_elsewhere(at: Located, file: Path, more: str = "") -> Unsupported:
    """Return why a recipe that is outside of its cube is not read."""
    return Unsupported(
        Message(
            what="the build_file is outside the cube",
            where=str(at.source),
            found=str(file),
            expected="a file of the cube"
            + (" or of the build context" if more else ""),
            do=f"move it there, {more}" if more else "move it there",
        )
    )
