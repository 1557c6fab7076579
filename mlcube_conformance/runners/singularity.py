"""Runs cubes in containers of Singularity or Apptainer, without a daemon."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.errors import (
    MachineError,
    Message,
    PlatformUnavailable,
    Violation,
)
from mlcube_conformance.log import mask, tail
from mlcube_conformance.model import Image, RunResult
from mlcube_conformance.process import run_process
from mlcube_conformance.runners import container
from mlcube_conformance.runners.base import heartbeat
from mlcube_conformance.runners.liveness import Liveness, build_lock, lock_folder
from mlcube_conformance.runners.singularity_build import build_image, make_room
from mlcube_conformance.runners.singularity_engine import (
    find_engine,
    lacks_privileges,
)
from mlcube_conformance.runners.singularity_image import (
    content_of,
    identity,
    image_path,
    is_image,
    what_is_wrong,
)
from mlcube_conformance.runners.singularity_recipe import RECIPE, build_plan

if TYPE_CHECKING:
    from mlcube_conformance.model import Cube, ImageOrigin, Mount, Platform
    from mlcube_conformance.process import Ended
    from mlcube_conformance.runners.base import ConfigureRequest, RunRequest
    from mlcube_conformance.runners.singularity_engine import Engine

__all__ = ["SingularityRunner"]

#: The program's own exit code when it did not get as far as the task.
_FAILED = 255
# A task could say the same, but only one that says it in the program's own words.
_FATAL = re.compile(
    r"^(?:\x1b\[\d+m)?FATAL:\s+(container creation failed.*|[Ww]hile .*|stage \d.*"
    r"|could not open image.*|image .*|exec .* failed.*|failed to .*"
    r"|\"[^\"]*\": executable file not found.*)$"
)
_NO_ENTRY_POINT = re.compile(r"^exec .* failed|^\"[^\"]*\": executable file not found")
# What the shell of a run script says of a program that it cannot start.
_SCRIPT_FAILED = re.compile(
    r"^/\.singularity\.d/(runscript|actions/run): .*"
    r"(not found|permission denied|cannot execute|exec format error)",
    re.IGNORECASE,
)
_NOT_EXECUTABLE = {126, 127}
#: Words of a command line up to what it does, behind which its flags stand.
_VERB = 3
_GPU_DEVICES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg")


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
            name=str(path), digest=identity(path), origin=origin, source=source
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
                    f"used as it is: build/ holds neither {RECIPE} nor Dockerfile",
                )
            raise _no_recipe(request, path, wrong if there else "no file")
        if there and not is_image(path):
            raise _in_the_way(request, path)
        if there and path.is_dir():
            return "present", "an unpacked image, used as it is"
        if there and (wrong := what_is_wrong(path)):
            request.watch.note(f"{path} is made anew: {wrong}")
        elif there and (content := content_of(engine, path)) == plan.key:
            return "up to date", f"from {plan.source}"
        elif there and not content:
            raise _in_the_way(request, path)
        make_room(request, path)
        request.watch.note(
            f"building {path} from {plan.source}, by {engine}; log: {request.log}"
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
        _check(request, engine)
        inside = container.environment(request)
        gpus = container.gpus(request)
        if gpus not in {"", "all"}:
            inside["CUDA_VISIBLE_DEVICES"] = container.visible_devices(gpus)
        words = _words(request, engine)
        request.stderr.unlink(missing_ok=True)
        with self._liveness.scratch() as scratch:
            try:
                ended = run_process(
                    [*words[:_VERB], "--workdir", str(scratch), *words[_VERB:]],
                    stdout=request.stdout,
                    stderr=request.stderr,
                    timeout=request.options.task_timeout,
                    env=engine.environment(inside, {}),
                    cwd=scratch,
                    out=request.watch.out,
                    err=request.watch.err,
                    waiting=heartbeat(
                        request.watch,
                        f"still running {request.case_id}",
                        request.stdout,
                    ),
                    begun=self._liveness.remember_session,
                )
            except OSError as error:
                raise _not_run(request, str(error)) from error
        _explain(request, ended)
        own = engine.environment(inside, {}).items() - dict(os.environ).items()
        return RunResult(
            exit_code=ended.exit_code,
            timed_out=ended.timed_out,
            out_of_memory=False,
            seconds=ended.seconds,
            stdout=request.stdout,
            stderr=request.stderr,
            command=("env", *(mask(f"{k}={v}") for k, v in sorted(own)), *words),
        )

    def remove_leftovers(self) -> tuple[str, ...]:
        """Kill the processes and remove the files of runs that are over."""
        return self._liveness.remove_noted()

    def close(self) -> None:
        """Let go of the run."""
        self._liveness.end()


def _engine(platform: Platform) -> Engine:
    return find_engine(platform.options.get("command", ""))


def _words(request: RunRequest, engine: Engine) -> tuple[str, ...]:
    """Return the command line that runs the task, the folder for its /tmp left out."""
    options = request.platform.options
    words = [engine.path, "--quiet", "run", "--containall"]
    if os.geteuid() == 0:
        words.append("--no-privs")
        if lacks_privileges():
            words.append("--userns")
    if container.network(request) == "none":
        words += ["--net", "--network", "none"]
    if container.gpus(request):
        words.append("--nv")
    if "writable_tmpfs" in options:
        words.append("--writable-tmpfs")
    for each in container.mounts(request):
        words += _mount(each, engine)
    return (*words, request.image.name, *request.view.arguments)


def _mount(mount: Mount, engine: Engine) -> tuple[str, str]:
    mode = "" if mount.writable else "ro"
    if not engine.knows_mount:
        return "--bind", f"{mount.host}:{mount.container}:{mode or 'rw'}"
    parts = [
        "type=bind",
        f"source={mount.host}",
        f"destination={mount.container}",
        *([mode] if mode else []),
    ]
    text = io.StringIO()
    # Its fields are those of a CSV line, so that a path may hold a comma.
    csv.writer(text, lineterminator="").writerow(parts)
    return "--mount", text.getvalue()


def _check(request: RunRequest, engine: Engine) -> None:
    """Make sure that all that a container needs is there, before it is started."""
    image = Path(request.image.name)
    if wrong := what_is_wrong(image):
        raise MachineError(
            Message(
                what="the image cannot be run",
                where=str(image),
                found=wrong,
                expected="a whole image",
                do="remove it and configure again, or copy it again",
            )
        )
    if identity(image) != request.image.digest:
        raise MachineError(
            Message(
                what="another run has put another image in place of this one",
                where=str(image),
                found=f"{identity(image)}, in place of {request.image.digest}",
                expected="one cube, of one content, for each place of an image",
                do="run one after the other, or name another place by the platform "
                "file's\nkey 'image'",
            )
        )
    for each in container.mounts(request):
        if not each.host.exists():
            raise MachineError(
                Message(
                    what="what a task is to see is not there",
                    where=f"case {request.case_id}, {each.container}",
                    found=f"nothing at {each.host}",
                    expected="a file or folder",
                    do="put it there, or mend the path",
                )
            )
        if not engine.knows_mount and re.search(r"[:,]", str(each.host)):
            raise MachineError(
                Message(
                    what=f"{engine} cannot give a task a path with a colon or a comma",
                    where=f"case {request.case_id}",
                    found=str(each.host),
                    expected="a version that knows --mount, or another path",
                    do="install Apptainer, or work in another folder",
                )
            )
    if container.gpus(request) and not any(
        Path(name).exists() for name in _GPU_DEVICES
    ):
        raise PlatformUnavailable(
            Message(
                what="Singularity here cannot give GPUs to a container",
                where=f"case {request.case_id}",
                found=f"none of {', '.join(_GPU_DEVICES)}",
                expected="an NVIDIA GPU with its driver",
                do="install the driver, or run without --gpus",
            )
        )


def _explain(request: RunRequest, ended: Ended) -> None:
    """Say whose fault it is that a container did not start, where it did not."""
    last = "".join(tail(request.stderr, 1))
    if ended.timed_out:
        return
    if ended.exit_code in _NOT_EXECUTABLE and _SCRIPT_FAILED.match(last):
        raise _cannot_start(request, last)
    fatal = _FATAL.match(last)
    said_something = request.stdout.stat().st_size > 0
    if ended.exit_code != _FAILED or fatal is None or said_something:
        return
    if _NO_ENTRY_POINT.search(fatal[1]):
        raise _cannot_start(request, fatal[1])
    raise _not_run(request, fatal[1])


def _cannot_start(request: RunRequest, found: str) -> Violation:
    return Violation(
        Message(
            what="the image cannot start the task",
            where=f"image {request.image.name}, case {request.case_id}",
            found=found,
            expected="a %runscript (or an ENTRYPOINT) that takes the task's name first",
            do=f"write it into build/{RECIPE}, or ENTRYPOINT into build/Dockerfile",
        )
    )


def _not_run(request: RunRequest, found: str) -> MachineError:
    return MachineError(
        Message(
            what="Singularity did not run the container",
            where=f"image {request.image.name}, case {request.case_id}",
            found=found,
            expected="a container that starts",
            do="run the same by hand with --debug",
            log=str(request.stderr),
        )
    )


def _no_recipe(request: ConfigureRequest, path: Path, found: str) -> Violation:
    return Violation(
        Message(
            what=f"the cube {request.cube.id!r} brings nothing to make its image from",
            where=str(request.cube.build_context),
            found=f"neither {RECIPE} nor Dockerfile; at {path}: {found}",
            expected=f"a recipe, or a whole image at {path}",
            do=f"write build/{RECIPE}, or put the image there",
        )
    )


def _in_the_way(request: ConfigureRequest, path: Path) -> Violation:
    what = what_is_wrong(path) or "an image that was not built here"
    return Violation(
        Message(
            what="something else lies where the image belongs; it is left alone",
            where=f"{request.platform.file}, key image",
            found=f"{path}: {what}",
            expected="an image that was built here, or nothing",
            do="move it away, or name another place",
        )
    )
