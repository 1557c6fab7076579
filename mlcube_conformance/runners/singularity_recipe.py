"""What an image of Singularity is built from: a recipe, or what stands for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlcube_conformance.errors import Message, Violation
from mlcube_conformance.runners.base import CA_VARIABLES
from mlcube_conformance.runners.container import CA_FILE, build_arguments
from mlcube_conformance.runners.content import CONTENT_LABEL, content_key, files_below
from mlcube_conformance.runners.singularity_conversion import convert
from mlcube_conformance.runners.singularity_definition import (
    LOCAL_AGENTS,
    Definition,
    DefinitionError,
    filled,
    parse,
    unused,
)

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.runners.base import ConfigureRequest

__all__ = ["RECIPE", "BuildPlan", "build_plan"]

RECIPE = "Singularity.recipe"

#: Agents by which an image of Docker is the base.
_OF_DOCKER = {"docker", "docker-daemon"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPlan:
    """Everything that decides what an image holds."""

    text: str
    """The definition file, with nothing left to fill in."""
    folder: Path
    """Folder that its relative paths start from."""
    source: str
    """What it was made from, as it is shown."""
    key: str
    environment: dict[str, str]
    """Variables that its commands see."""
    file: Path
    """File of the cube to mend where it fails."""
    pulls: bool
    """Whether a base image comes from a registry."""


def build_plan(request: ConfigureRequest, place: Path) -> BuildPlan | None:
    """Return what to build the image of a cube from; None where it brings nothing.

    That is `build/Singularity.recipe`; without it the image that a Docker daemon has
    of the cube, if that is up to date; without that the Dockerfile, converted.

    Args:
        request: The image that is wanted.
        place: An empty folder for the files of a converted Dockerfile.

    Raises:
        Violation: The recipe cannot be read, or reaches out of `build/`.
    """
    context = request.cube.build_context
    if (context / RECIPE).is_file():
        return _from_recipe(request)
    if not (context / "Dockerfile").is_file():
        return None
    from mlcube_conformance.runners.docker_images import (  # noqa: PLC0415 - slow
        image_of_cube,
    )

    name = image_of_cube(request)
    if name:
        text, folder = f"Bootstrap: docker-daemon\nFrom: {name}\n", place
        source = f"Docker's {name}"
    else:
        recipe = (context / "Dockerfile").read_text(encoding="utf-8", errors="replace")
        arguments = build_arguments(request, recipe)
        text, unkept = convert(request.cube, arguments, place)
        folder, source = place, "build/Dockerfile, converted by spython"
        if unkept:
            source += f", without {', '.join(unkept)}"
    try:
        definition = parse(text, (folder, context), ())
    except DefinitionError as error:
        raise _refusal(request, "Dockerfile", error) from error
    return _finished(request, definition, folder, source, context / "Dockerfile")


def _from_recipe(request: ConfigureRequest) -> BuildPlan:
    context = request.cube.build_context
    try:
        text = (context / RECIPE).read_text(encoding="utf-8-sig")
        given = build_arguments(request, text)
        definition = parse(filled(text, given), (context,), given.values())
        for name in sorted(unused(text, given)):
            request.watch.note(f"{RECIPE} takes no argument {name}: it is left out")
    except (OSError, UnicodeDecodeError) as error:
        odd = DefinitionError(
            found=str(error), expected="a text in UTF-8", do="mend the file"
        )
        raise _refusal(request, RECIPE, odd) from error
    except DefinitionError as error:
        raise _refusal(request, RECIPE, error) from error
    source = f"build/{RECIPE}"
    return _finished(request, definition, context, source, context / RECIPE)


def _finished(
    request: ConfigureRequest,
    definition: Definition,
    folder: Path,
    source: str,
    file: Path,
) -> BuildPlan:
    """Find the base images, and write down in the image what it was made from."""
    bases = _take_bases(definition, folder)
    if not source.startswith("Docker's"):
        source += "".join(
            f", on Docker's {name}" if found else f", on {name} (not in Docker)"
            for name, found in bases.items()
        )
    environment = _trust(request, definition)
    try:
        key = content_key(folder, files_below(folder), str(definition), bases)
    except (OSError, RecursionError) as error:
        odd = DefinitionError(
            found=str(error),
            expected="files that can be read, not too deep",
            do="mend build/",
        )
        raise _refusal(request, "", odd) from error
    definition.add_label(CONTENT_LABEL, key)
    return BuildPlan(
        text=str(definition),
        folder=folder,
        source=source,
        key=key,
        environment=environment,
        file=file,
        pulls=any(
            stage.header["bootstrap"] not in {"docker-daemon", *LOCAL_AGENTS}
            for stage in definition.stages
        ),
    )


def _take_bases(definition: Definition, folder: Path) -> dict[str, str]:
    """Return what tells each base image from others of its name, where it can be told.

    An image that the Docker daemon has is taken from there, as Docker would.
    """
    from mlcube_conformance.runners.docker_images import (  # noqa: PLC0415 - slow
        image_in_daemon,
    )

    bases = {}
    for stage in definition.stages:
        agent, base = stage.header["bootstrap"], stage.header.get("from", "")
        if agent in _OF_DOCKER:
            bases[base] = image_in_daemon(base)
            if bases[base]:
                stage.header["bootstrap"] = "docker-daemon"
        elif agent in LOCAL_AGENTS:
            path = folder / base
            names = files_below(path) if path.is_dir() else [path.name]
            top = path if path.is_dir() else path.parent
            bases[base] = content_key(top, names) if path.exists() else ""
    return bases


def _trust(request: ConfigureRequest, definition: Definition) -> dict[str, str]:
    """Let the commands of a recipe trust the certificates of the command line."""
    bundle = request.options.ca_bundle
    if bundle is None:
        return {}
    folder = CA_FILE.rpartition("/")[0]
    text = re.sub(r"[^\x20-\x7e\n]", "", bundle.read_text(encoding="utf-8"))
    definition.begin_commands(
        [
            f"mkdir -p {folder}",
            f"cat > {CA_FILE} <<'MLCUBE-CONFORMANCE-CA'",
            *(line for line in text.splitlines() if not line.lstrip().startswith("%")),
            "MLCUBE-CONFORMANCE-CA",
        ]
    )
    return dict.fromkeys(CA_VARIABLES, CA_FILE)


def _refusal(request: ConfigureRequest, name: str, error: DefinitionError) -> Violation:
    return Violation(
        Message(
            what=f"the recipe of {request.cube.id!r} cannot be used",
            where=str(request.cube.build_context / name),
            found=error.found,
            expected=error.expected,
            do=error.do,
        )
    )
