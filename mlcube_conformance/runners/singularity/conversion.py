"""Turns a Dockerfile into a recipe of Singularity, by spython's writer.

What the two formats do not share is reported: files are there before any command runs,
and the user that the image names does not count. What would give another image than
Docker's is refused.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, Violation
from mlcube_conformance.runners.common.layout import lay_out, recipe_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlcube_conformance.model import Cube
    from mlcube_conformance.runners.common.dockerfile.stages import Recipe

__all__ = ["by_variables", "convert"]

_PLAIN = re.compile(r"[\w./-]+")
_RUNSCRIPT = re.compile(
    r"^%(runscript|startscript)$.*?(?=^%|\Z)", re.MULTILINE | re.DOTALL
)


#: What the variables begin with by which values of the command line reach a build.
_GIVEN = "MLCUBE_BUILD_"


def by_variables(given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which a build gets what the command line gives."""
    return {f"{_GIVEN}{name}": value for name, value in given.items()}


def convert(
    cube: Cube,
    build_args: Mapping[str, str],
    place: Path,
    given: Mapping[str, str],
) -> tuple[str, list[str]]:
    """Return the text of a recipe equal to the cube's Dockerfile.

    Args:
        cube: The cube.
        build_args: Values for the ARG lines.
        place: Folder that is filled with the files of the image; the recipe names
            them relative to it.
        given: Those of the values that come from the command line. They are not part
            of the text, which the image keeps: see `by_variables`.

    Returns:
        The text, and what of the Dockerfile does not count in it.

    Raises:
        Violation: The Dockerfile cannot be read or converted.
    """
    found = recipe_of(cube, build_args)
    beyond = list(found.beyond)
    if found.stages != 1:
        beyond.insert(0, f"{found.stages} FROM lines")
    if beyond:
        raise Violation(
            Message(
                what=f"cannot convert the Dockerfile of cube {cube.id!r}",
                where=str(cube.docker.file),
                found="\n".join(each[:60] for each in beyond),
                expected="one stage, of instructions that both formats share",
                do=f"write {cube.shown(cube.singularity.file)}, or name docker first: "
                "the image that a\nDocker daemon has is taken (--platform docker "
                "--platform singularity)",
            )
        )
    # The program has the shell trace its commands, with their values.
    exports = {
        f"export {name}={shlex.quote(value)}": "{ set +x; } 2>/dev/null; "
        f'export {name}="${_GIVEN}{name}"; set -x'
        for name, value in given.items()
    }
    found.commands = [exports.get(each, each) for each in found.commands]
    lay_out(found, cube, place)
    targets = {each.target for each in found.copies}
    # One by one, since a folder of the image may be a link; a name that has to be
    # quoted can only be copied with all that is around it.
    plain = all(_PLAIN.fullmatch(each) for each in targets)
    files = [_line(each, place) for each in sorted(targets)] if plain else [[".", "/"]]
    return _written(found, files), list(found.unkept)


def _line(target: str, place: Path) -> list[str]:
    """Return what is copied, and where to, for one target of a COPY."""
    end = "/." if (place / target.lstrip("/")).is_dir() else ""
    return [f".{target}{end}", target + ("/" if end else "")]


def _written(found: Recipe, files: list[list[str]]) -> str:
    # Only here, since nobody else needs it and it is slow to import.
    from spython.main.parse.recipe import Recipe as Section  # noqa: PLC0415
    from spython.main.parse.writers.singularity import (  # noqa: PLC0415
        SingularityWriter,
    )

    section = Section()
    section.fromHeader = found.base
    section.files = files
    section.install = found.commands
    section.environ = [f"{name}={value}" for name, value in found.exports]
    if found.entrypoint:
        # Its working folder is not kept, as in every image made from Docker's.
        section.entrypoint = shlex.join(found.entrypoint)
    text = str(SingularityWriter({"final": section}).convert())
    # Without an entry point that of the base image counts, which makes its own script.
    return text if found.entrypoint else _RUNSCRIPT.sub("", text)
