"""The source of an image of Singularity: a recipe, or a replacement for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, Violation
from mlcube_conformance.base.files import is_folder, is_there
from mlcube_conformance.base.names import FOLDER
from mlcube_conformance.runners.common.container import CA_FILE, build_arguments
from mlcube_conformance.runners.common.content import (
    CONTENT_LABEL,
    content_key,
    files_below,
)
from mlcube_conformance.runners.common.recipes import (
    check_build,
    has_recipe,
    recipe_text,
)
from mlcube_conformance.runners.singularity.conversion import by_variables, convert
from mlcube_conformance.runners.singularity.definition import (
    LOCAL_AGENTS,
    Definition,
    DefinitionError,
)
from mlcube_conformance.runners.singularity.parsing import parse
from mlcube_conformance.runners.singularity.templates import filled, unused
from mlcube_conformance.runners.work import CA_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlcube_conformance.runners.contract import ConfigureRequest

__all__ = ["BuildPlan", "build_plan"]

#: What is beside a recipe at the top of a cube.
_BESIDES = ("workspace", FOLDER)
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
    """File of the cube to fix where it fails."""
    pulls: bool
    """Whether a base image comes from a registry."""
    stages: int
    """How many there are, each with a base image."""


def build_plan(request: ConfigureRequest, place: Path) -> BuildPlan | None:
    """Return the source of the image of a cube; None if it has none.

    That is its recipe of Singularity; without it the image of a registry that stands
    for one; without that the image that a Docker daemon has of the cube, if that is up
    to date; without that the Dockerfile, converted.

    Args:
        request: The image that is wanted.
        place: An empty folder for the files of a converted Dockerfile.

    Raises:
        Violation: The recipe cannot be read, or reaches out of its folder.
    """
    if has_recipe(request.cube.singularity):
        return _from_recipe(request)
    base = _base(request)
    if base:
        return _from_base(request, base, place)
    dockerfile, context = request.cube.docker.file, request.cube.docker.context
    if not has_recipe(request.cube.docker):
        return None
    check_build(request.cube.docker)
    from mlcube_conformance.runners.docker.images import (  # noqa: PLC0415 - slow
        image_of_cube,
    )

    name = image_of_cube(request)
    given: Mapping[str, str] = {}
    if name:
        text, folder = f"Bootstrap: docker-daemon\nFrom: {name}\n", place
        source = f"Docker's {name}"
    else:
        arguments = build_arguments(request, request.cube.docker)
        given = request.options.build_args
        text, unkept = convert(request.cube, arguments, place, given)
        folder = place
        source = f"{request.cube.shown(dockerfile)}, converted by spython"
        if unkept:
            source += f", without {', '.join(unkept)}"
    try:
        definition = parse(text, (folder, context), ())
    except DefinitionError as error:
        raise _refusal(request, dockerfile, error) from error
    return _finished(request, definition, folder, source, dockerfile, given=given)


def _base(request: ConfigureRequest) -> str:
    """Return the image that stands for a recipe, as the cube's main file says."""
    platform, docker = request.platform, request.cube.platforms.get("docker")
    if platform.base:
        return platform.base
    if docker is None:
        return ""
    strategy = request.options.build_strategy or docker.strategy
    built = strategy != "pull" and has_recipe(request.cube.docker)
    return "" if built else docker.base or f"docker://{docker.image}"


def _from_base(request: ConfigureRequest, base: str, place: Path) -> BuildPlan:
    agent, _, name = base.partition(":")
    text = f"Bootstrap: {agent}\nFrom: {name.removeprefix('//')}\n"
    file = request.platform.file
    try:
        definition = parse(text, (place, request.cube.root), ())
    except DefinitionError as error:
        raise _refusal(request, file, error) from error
    return _finished(request, definition, place, base, file)


def _from_recipe(request: ConfigureRequest) -> BuildPlan:
    recipe, context = request.cube.singularity.file, request.cube.singularity.context
    text = recipe_text(request.cube, request.cube.singularity)
    try:
        given = build_arguments(request, request.cube.singularity)
        definition = parse(filled(text, given), (context,), given.values())
        for name in sorted(unused(text, given)):
            request.watch.note(
                f"{recipe.name} takes no argument {name}: it is left out"
            )
    except DefinitionError as error:
        raise _refusal(request, recipe, error) from error
    source = request.cube.shown(recipe)
    return _finished(request, definition, context, source, recipe)


def _finished(  # noqa: PLR0913 - each is one fact of the image
    request: ConfigureRequest,
    definition: Definition,
    folder: Path,
    source: str,
    file: Path,
    *,
    given: Mapping[str, str] | None = None,
) -> BuildPlan:
    """Find the base images, and write down in the image what it was made from.

    Args:
        request: The image that is wanted.
        definition: What to build it from.
        folder: Folder that its paths start from.
        source: What that is, as it is shown.
        file: File of the cube that says so.
        given: Values that it has only the names of.
    """
    bases = _take_bases(definition, folder)
    if not source.startswith("Docker's"):
        source += "".join(
            f", on Docker's {name}" if found else f", on {name} (not in Docker)"
            for name, found in bases.items()
        )
    environment = {**_trust(request, definition), **by_variables(given or {})}
    try:
        names = _names(request, folder, str(definition))
        values = [dict(given)] if given else []
        key = content_key(folder, names, str(definition), bases, *values)
    except (OSError, RecursionError) as error:
        odd = DefinitionError(
            found=str(error),
            expected="files that can be read, not too deep",
            do="fix the folder",
        )
        raise _refusal(request, folder, odd) from error
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
        stages=len(definition.stages),
    )


def _names(request: ConfigureRequest, folder: Path, text: str) -> list[str]:
    """Return the files that decide what an image holds.

    A recipe at the top of a cube has its workspace and the folders of runs beside it:
    they count only where the recipe names them.
    """
    names = files_below(folder)
    if folder != request.cube.root:
        return names
    besides = [each for each in _BESIDES if f"./{each}" not in text]
    return [each for each in names if each.partition("/")[0] not in besides]


def _take_bases(definition: Definition, folder: Path) -> dict[str, str]:
    """Return what identifies each base image among those of its name, where known.

    An image that the Docker daemon has is taken from there, as Docker would.
    """
    from mlcube_conformance.runners.docker.images import (  # noqa: PLC0415 - slow
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
            names = files_below(path) if is_folder(path) else [path.name]
            top = path if is_folder(path) else path.parent
            bases[base] = content_key(top, names) if is_there(path) else ""
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


def _refusal(
    request: ConfigureRequest, place: Path, error: DefinitionError
) -> Violation:
    return Violation(
        Message(
            what=f"cannot use the recipe of cube {request.cube.id!r}",
            where=str(place),
            found=error.found,
            expected=error.expected,
            do=error.do,
        )
    )
