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
from mlcube_conformance.base.files import is_folder, is_inside, is_there, resolved
from mlcube_conformance.base.homes import home
from mlcube_conformance.formats.section_values import (
    assignments,
    optional_text,
    path_below,
)
from mlcube_conformance.model import Build

if TYPE_CHECKING:
    from mlcube_conformance.formats.given import Given
    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located

__all__ = ["docker_build", "recipe_elsewhere"]


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
    builds = at is not None and at.value in {"auto", "always"}
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
    return Build(
        file=file,
        context=root if trouble else context,
        args=assignments(section, "build_args", ("--build-arg",), problems),
        named=bool(optional_text(section, "build_file", problems)),
        given=asked is not None,
        trouble=trouble,
    )


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
    if is_there(context) and not is_folder(context):
        return Violation(
            Message(
                what="the build_context is not a folder",
                where=where,
                found=f"{text} is a file, or a broken link",
                expected="a folder of the cube, or one beside it such as ../project",
                do="fix the path",
            )
        )
    beside = place.is_relative_to(cube.parent) and not (
        cube.is_relative_to(place)
        or any(part.startswith(".") for part in place.relative_to(cube.parent).parts)
    )
    near = beside or _in_one_work_tree(cube, place)
    if not text.startswith(("/", "~")) and (is_inside(root, context) or near):
        return None
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
