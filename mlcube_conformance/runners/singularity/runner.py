"""Runs cubes in containers of Singularity or Apptainer, without a daemon."""

from __future__ import annotations

import hashlib
import os
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import (
    MachineError,
    Message,
    Violation,
)
from mlcube_conformance.model import Image
from mlcube_conformance.runners.common import container
from mlcube_conformance.runners.common.liveness import Liveness, build_lock, lock_folder
from mlcube_conformance.runners.common.recipes import not_made_for
from mlcube_conformance.runners.singularity.build import build_image, make_room
from mlcube_conformance.runners.singularity.container import (
    check_before,
    check_started,
    command_line,
    not_run,
)
from mlcube_conformance.runners.singularity.engine import find_engine
from mlcube_conformance.runners.singularity.image import (
    content_of,
    entry_of,
    identity,
    image_path,
    is_image,
    remember_made,
    was_made_here,
    what_is_wrong,
)
from mlcube_conformance.runners.singularity.recipe import build_plan
from mlcube_conformance.runners.work import run_task, shown_variables

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.model import Cube, ImageOrigin, Platform, RunResult
    from mlcube_conformance.runners.contract import ConfigureRequest, RunRequest
    from mlcube_conformance.runners.singularity.engine import Engine

__all__ = ["SingularityRunner"]

#: Words of a command line up to what it does, behind which its flags stand.
_VERB = 3


class SingularityRunner:
    """Configures and runs cubes by Singularity or Apptainer."""

    protects_inputs = True

    def __init__(self, run_id: str) -> None:
        """Prepare, without starting anything yet."""
        self._liveness = Liveness(run_id)

    def unavailable(self) -> MachineError | None:
        """Return why there is no program that works, or None when there is one."""
        try:
            find_engine()
            lock_folder()
        except MachineError as error:
            return error
        return None

    def engine(self) -> str:
        """Return the name and version of the program that is used here."""
        with suppress(MachineError):
            return str(find_engine())
        return ""

    def configure(self, request: ConfigureRequest) -> Image:
        """Build the image file of a cube, or find that it is up to date."""
        engine = _engine(request.platform)
        path = image_path(request.cube, request.platform)
        key = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        timeout, note = request.options.configure_timeout, request.watch.note
        with (
            build_lock(f"singularity-{key}", str(path), timeout, note),
            self._liveness.scratch() as place,
        ):
            origin, source = self._make(request, engine, path, place)
        return Image(
            name=str(path),
            digest=identity(path),
            origin=origin,
            source=source,
            entrypoint=entry_of(engine, path),
            size=path.stat().st_size,
        )

    def _make(
        self, request: ConfigureRequest, engine: Engine, path: Path, place: Path
    ) -> tuple[ImageOrigin, str]:
        plan = build_plan(request, place)
        there = os.path.lexists(path)
        if plan is None:
            if there and not (wrong := what_is_wrong(path)):
                return (
                    "present",
                    f"used as it is: there is neither {_recipes(request)}",
                )
            if request.platform.serves_any:
                raise not_made_for(request.cube, "singularity")
            raise _no_recipe(request, path, wrong if there else "no file")
        if there and not is_image(path):
            raise _in_the_way(request, path)
        if there and path.is_dir():
            return "present", "an unpacked image, used as it is"
        wrong = what_is_wrong(path) if there else ""
        if there and not wrong and content_of(engine, path) == plan.key:
            return "up to date", f"from {plan.source}"
        if there and not was_made_here(path):
            raise _in_the_way(request, path)
        if wrong:
            request.watch.note(f"rebuilding {path}: {wrong}")
        make_room(request, path)
        request.watch.begin(
            f"building {path} from {plan.source}, by {engine}", request.log
        )
        # Two that pull at once could break the cache of the program.
        pulling = (
            build_lock(
                "singularity-pull",
                "an image with a base from a registry",
                request.options.configure_timeout,
                request.watch.note,
            )
            if plan.pulls
            else nullcontext()
        )
        with pulling:
            build_image(request, engine, plan, path, self._liveness)
        remember_made(path)
        return "built", f"from {plan.source}"

    def find_image(self, cube: Cube, platform: Platform) -> Image | None:
        """Return the image that a platform file names, if it is there and whole."""
        path = image_path(cube, platform)
        if not path.exists() or what_is_wrong(path):
            return None
        return Image(name=str(path), digest=identity(path), origin="present")

    def run(self, request: RunRequest) -> RunResult:
        """Run a task in a container of its own; nothing of it outlives this call."""
        engine = _engine(request.platform)
        check_before(request, engine)
        inside = container.environment(request)
        gpus = container.gpus(request)
        if gpus not in {"", "all"}:
            inside["CUDA_VISIBLE_DEVICES"] = container.visible_devices(gpus)
        words = command_line(request, engine)
        environment = engine.environment(inside, {})
        shown = engine.environment(
            shown_variables(inside, request.options.environment), {}
        )
        own = {k: v for k, v in shown.items() if os.environ.get(k) != environment[k]}
        with self._liveness.scratch() as scratch:
            try:
                result = run_task(
                    request,
                    [*words[:_VERB], "--workdir", str(scratch), *words[_VERB:]],
                    env=environment,
                    cwd=scratch,
                    command=(
                        "env",
                        *(f"{k}={v}" for k, v in sorted(own.items())),
                        *words,
                    ),
                    begun=self._liveness.remember_session,
                )
            except OSError as error:
                raise not_run(request, str(error)) from error
        check_started(request, result)
        return result

    def remove_leftovers(self) -> tuple[str, ...]:
        """Kill the processes and remove the files of runs that are over."""
        return self._liveness.remove_noted()

    def close(self) -> None:
        """Let go of the run."""
        self._liveness.end()


def _engine(platform: Platform) -> Engine:
    return find_engine(platform.options.get("command", ""))


def _recipes(request: ConfigureRequest) -> str:
    cube = request.cube
    return f"{cube.shown(cube.singularity.file)} nor {cube.shown(cube.docker.file)}"


def _no_recipe(request: ConfigureRequest, path: Path, found: str) -> Violation:
    return Violation(
        Message(
            what=f"the cube {request.cube.id!r} has nothing to make its image from",
            where=str(request.cube.root),
            found=f"neither {_recipes(request)}; at {path}: {found}",
            expected=f"a recipe, or a complete image at {path}",
            do=f"write {request.cube.shown(request.cube.singularity.file)}, or put "
            "the image there",
        )
    )


def _in_the_way(request: ConfigureRequest, path: Path) -> Violation:
    what = what_is_wrong(path) or "an image that was not built here"
    return Violation(
        Message(
            what="the image path is taken by something else, which is kept",
            where=f"{request.platform.source}, key image",
            found=f"{path}: {what}",
            expected="an image that was built here, or nothing",
            do="move it away, or name another place",
        )
    )
