"""Finds the files that a section of a single-file cube builds its image from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError
from mlcube_conformance.base.files import is_folder, is_inside, is_there, resolved
from mlcube_conformance.base.homes import home
from mlcube_conformance.formats.section_values import path_below

if TYPE_CHECKING:
    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located

__all__ = ["build_context", "recipe_below", "refuse_outside"]


def build_context(root: Path, section: Located, problems: Problems) -> Path:
    """Return the folder of the build: in the cube, beside it, or in its git work tree.

    All that is in it may go into an image, and from there anywhere.
    """
    at = section.get("build_context") or section
    text = path_below(section, "build_context", problems) or "."
    # As the system reads it, where the cube itself is reached through a link.
    outside = os.path.normpath(text).startswith("..")
    context = Path(os.path.normpath((resolved(root) if outside else root) / text))
    place, cube = resolved(context), resolved(root)
    if is_there(context) and not is_folder(context):
        problems.add(
            "the build_context is not a folder",
            at,
            found=f"{text} is a file, or a broken link",
            expected="a folder of the cube, or one beside it such as ../project",
            do="fix the path",
        )
        return root
    beside = place.is_relative_to(cube.parent) and not (
        cube.is_relative_to(place)
        or any(part.startswith(".") for part in place.relative_to(cube.parent).parts)
    )
    near = beside or _in_one_work_tree(cube, place)
    if text.startswith(("/", "~")) or not (is_inside(root, context) or near):
        problems.add(
            "the build_context is neither in the cube nor beside it",
            at,
            found=f"{text} (that is {place})",
            expected="a folder of the cube, one beside it such as ../project, or one "
            "of its git work tree",
            do="move what the image needs there, or give the place on the command "
            "line: --build-context DIR",
        )
        return root
    return context


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


def recipe_below(
    root: Path, context: Path, section: Located, problems: Problems
) -> Path:
    """Return the Dockerfile, whether it is there or not."""
    text = path_below(section, "build_file", problems) or "Dockerfile"
    file = Path(os.path.normpath(context / text))
    at = section.get("build_file") or section
    # A link that points elsewhere is the image's fault, as is whatever else it is.
    if not (file.is_relative_to(context) or file.is_relative_to(root)):
        refuse_outside(root, file, at, problems)
    return file


def refuse_outside(root: Path, file: Path, at: Located, problems: Problems) -> None:
    """Add a problem where a recipe is outside of the cube."""
    if not file.is_relative_to(root):
        problems.add(
            "the build_file is outside the cube",
            at,
            found=str(file),
            expected="a file of the cube or of the build context",
            do="move it there",
        )
