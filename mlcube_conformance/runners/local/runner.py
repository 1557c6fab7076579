"""Runs cubes as processes of this machine, in a virtual environment.

There is no daemon and no root, and nothing is isolated: a task may read and
write whatever the user may. What the image would hold is laid out in a folder by
the COPY lines of `build/Dockerfile`; its RUN lines are not executed.
"""

from __future__ import annotations

import platform
import re
import shlex
import tempfile
from dataclasses import replace
from errno import (
    EACCES,
    EINVAL,
    EISDIR,
    ELOOP,
    ENAMETOOLONG,
    ENOENT,
    ENOEXEC,
    ENOTDIR,
    EPERM,
)
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import (
    MachineError,
    Message,
    PlatformUnavailable,
    Violation,
)
from mlcube_conformance.base.files import is_plain_file
from mlcube_conformance.base.process import kill_all, processes_with, search_path
from mlcube_conformance.base.trees import now, temporary_folder, written_since
from mlcube_conformance.model import Image
from mlcube_conformance.runners.common.container import (
    build_arguments,
    cannot_start,
    gpus,
    network,
    variables,
    visible_devices,
)
from mlcube_conformance.runners.common.layout import lay_out, recipe_of
from mlcube_conformance.runners.common.liveness import (
    HOST_LABEL,
    OWNER_LABEL,
    RUN_LABEL,
    Liveness,
    build_lock,
    lock_folder,
)
from mlcube_conformance.runners.common.recipes import has_recipe, not_made_for
from mlcube_conformance.runners.local.environments import (
    environment_key,
    environment_path,
    is_complete,
    make_environment,
)
from mlcube_conformance.runners.work import (
    CA_VARIABLES,
    proxies,
    run_task,
    shown_variables,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlcube_conformance.model import Cube, Platform, RunResult
    from mlcube_conformance.runners.common.dockerfile.stages import Recipe
    from mlcube_conformance.runners.contract import ConfigureRequest, RunRequest

__all__ = ["LocalRunner"]

_PATH = ("/usr/local/bin", "/usr/bin", "/bin")
_INSIDE = re.compile(r"/mlcube_io(\d+)(/.*)?", re.DOTALL)
#: What the kernel says of a program that cannot be executed; see execve(2).
_CANNOT_START = (
    *(EACCES, EINVAL, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOEXEC, ENOTDIR, EPERM),
)
_PYTHON = re.compile(r"python(3(\.\d+)?)?")
#: Labels as variables: what has them was started by us.
_VARIABLES = {
    RUN_LABEL: "MLCUBE_CONFORMANCE_RUN",
    OWNER_LABEL: "MLCUBE_CONFORMANCE_OWNER",
    HOST_LABEL: "MLCUBE_CONFORMANCE_HOST",
}
#: Files that are shown, of those that a task wrote in other places.
_TOLD = 20
#: Bytes of a first line that are shown.
_SHOWN = 80
_TASK = "MLCUBE_CONFORMANCE_TASK"


class LocalRunner:
    """Configures and runs cubes on this machine itself."""

    protects_inputs = False

    def __init__(self, run_id: str) -> None:
        """Prepare, without making anything yet."""
        self._liveness = Liveness(run_id)

    def _marks(self) -> dict[str, str]:
        """Return the variables by which a later run knows what this one started."""
        labels = self._liveness.labels()
        return {_VARIABLES[name]: value for name, value in labels.items()}

    def unavailable(self) -> MachineError | None:
        """Return why no environment can be made here, or None when it can."""
        missing = [name for name in ("venv", "ensurepip") if find_spec(name) is None]
        if missing:
            return PlatformUnavailable(
                Message(
                    what="cannot use the platform local",
                    where="this Python",
                    found=f"no module {' and no '.join(missing)}",
                    expected="the modules that make virtual environments",
                    do="install it (on Debian: `apt-get install python3-venv`)",
                )
            )
        try:
            lock_folder()
        except MachineError as error:
            return error
        return None

    def engine(self) -> str:
        """Return the version of the Python that environments are made with."""
        return f"Python {platform.python_version()}"

    def configure(self, request: ConfigureRequest) -> Image:
        """Make the environment of a cube, unless one of that content is there."""
        if not has_recipe(request.cube.docker):
            raise not_made_for(request.cube, "local")
        recipe = recipe_of(request.cube, build_arguments(request, request.cube.docker))
        with temporary_folder(request.log.parent, "trial-") as trial:
            lay_out(recipe, request.cube, trial)
        key = environment_key(request.cube)
        timeout, note = request.options.configure_timeout, request.watch.note
        with build_lock(f"local-{key}", f"the environment {key}", timeout, note):
            origin = make_environment(request, key, self._marks())
        return Image(name=str(environment_path(key)), digest=key, origin=origin)

    def find_image(self, cube: Cube, platform: Platform) -> Image | None:
        """Return the environment of a cube, if it is there."""
        del platform
        key = environment_key(cube)
        path = environment_path(key)
        if not is_complete(path):
            return None
        return Image(name=str(path), digest=key, origin="present")

    def run(self, request: RunRequest) -> RunResult:
        """Run a task as a process, with what an image would hold laid out again."""
        if network(request) == "none":
            raise MachineError(
                Message(
                    what="the platform local cannot turn the network off",
                    where=f"case {request.case_id}",
                    found="network=none, of the command line or the platform file",
                    expected="a platform that isolates",
                    do="run on docker, or ask for no network",
                )
            )
        # A name that nobody has: the folder may hold what is not ours.
        prefix = f"{request.stdout.stem}.root-"
        place = Path(tempfile.mkdtemp(prefix=prefix, dir=request.stdout.parent))
        if not has_recipe(request.cube.docker):
            raise not_made_for(request.cube, "local")
        recipe = recipe_of(request.cube, build_arguments(request, request.cube.docker))
        first = request.invocation.task.entrypoint or recipe.entrypoint
        if not first:
            raise _cannot_start(request, "it has no ENTRYPOINT")
        lay_out(recipe, request.cube, place)
        argv = _argv(first, request, place)
        environment = _environment(recipe, request, place)
        # A short path, since sockets in it may have only a hundred bytes.
        with temporary_folder() as own:
            began = now()
            try:
                result = run_task(
                    request,
                    argv,
                    env={
                        **environment,
                        "HOME": str(own),
                        "TMPDIR": str(own),
                        **self._marks(),
                        _TASK: str(place),
                    },
                    cwd=_workdir(recipe, place),
                    command=(
                        *("env", "-i", "HOME=/tmp", "TMPDIR=/tmp"),
                        *(
                            f"{name}={value}"
                            for name, value in shown_variables(
                                environment, request.options.environment
                            ).items()
                        ),
                        *argv,
                    ),
                )
                return replace(result, elsewhere=_left(place, own, began))
            except (OSError, ValueError) as error:
                said = getattr(error, "strerror", None) or str(error)
                found = f"{said}: {shlex.join(argv[:2])}"
                number = getattr(error, "errno", EINVAL)
                program = _workdir(recipe, place) / argv[0]
                if number == ENOENT and is_plain_file(program):
                    found = f"no interpreter of {argv[0]}: {_first_line(program)}"
                if number in _CANNOT_START:
                    raise _cannot_start(request, found) from error
                raise _not_run(request, found) from error
            finally:
                # Those, too, that left the group of the process.
                kill_all([pid for pid, at in processes_with(_TASK) if at == str(place)])

    def remove_leftovers(self) -> tuple[str, ...]:
        """Kill the processes of runs that are over; return their names."""
        removed = []
        owner = _VARIABLES[OWNER_LABEL]
        hosts = dict(processes_with(_VARIABLES[HOST_LABEL]))
        over: dict[str, bool] = {}
        for pid, value in processes_with(owner):
            labels = {OWNER_LABEL: value, HOST_LABEL: hosts.get(pid, "")}
            if value not in over:
                over[value] = self._liveness.is_left_over(labels)
            if over[value]:
                kill_all([pid])
                removed.append(f"process {pid}")
        return tuple(removed)

    def close(self) -> None:
        """Let go of the run."""
        self._liveness.end()


def _left(place: Path, own: Path, began: int) -> tuple[str, ...]:
    """Return files that a task left where an image would be, or its home."""
    found = chain(
        (str(each) for each in written_since(place, began)),
        (
            f"{each.relative_to(own)} in HOME, which was removed"
            for each in written_since(own, began)
        ),
    )
    return tuple(islice(found, _TOLD))


def _argv(first: Sequence[str], request: RunRequest, place: Path) -> list[str]:
    """Return the command of the image, with the paths of this machine."""
    folders = (*request.view.mounts, *request.view.missing)
    hosts = {each.container: each.host for each in folders}

    def outside(argument: str) -> str:
        name, equals, value = argument.partition("=")
        match = _INSIDE.fullmatch(value)
        if not equals or match is None:
            return argument
        return f"{name}={hosts[f'/mlcube_io{match[1]}']}{match[2] or ''}"

    words = []
    for index, word in enumerate(first):
        laid_out = place / word.lstrip("/")
        if word.startswith("/") and laid_out.exists():
            words.append(str(laid_out))
        elif index == 0 and _PYTHON.fullmatch(Path(word).name):
            words.append(str(Path(request.image.name) / "bin" / "python"))
        else:
            words.append(word)
    return [*words, *(outside(each) for each in request.view.arguments)]


def _environment(recipe: Recipe, request: RunRequest, place: Path) -> dict[str, str]:
    """Return what a container would see, and nothing else of this process."""
    given = {name: _outside(text, place) for name, text in recipe.environment.items()}
    own = {**recipe.environment, **variables(request)}.get("PATH", "")
    # What is relative starts where the task does; what is empty is not a folder.
    start = _workdir(recipe, place)
    path = (str(start / _laid_out(each, place)) for each in own.split(":") if each)
    environment = {
        **proxies(),
        **given,
        **variables(request),
        "PATH": search_path(f"{request.image.name}/bin", *path, *_PATH),
    }
    if request.options.ca_bundle:
        bundle = str(request.options.ca_bundle)
        environment.update(dict.fromkeys(CA_VARIABLES, bundle))
    chosen = gpus(request)
    if chosen != "all":
        environment["CUDA_VISIBLE_DEVICES"] = visible_devices(chosen)
    return environment


def _outside(text: str, place: Path) -> str:
    """Return a value of ENV with those of its paths that are laid out."""
    return ":".join(_laid_out(each, place) for each in text.split(":"))


def _laid_out(path: str, place: Path) -> str:
    found = place / path.lstrip("/")
    return str(found) if path.startswith("/") and found.exists() else path


def _workdir(recipe: Recipe, place: Path) -> Path:
    return place / recipe.workdir.lstrip("/")


def _first_line(program: Path) -> str:
    """Return the line that names the interpreter of a script, its characters shown."""
    with program.open("rb") as file:
        return ascii(file.readline(_SHOWN).rstrip(b"\n"))[1:]


def _cannot_start(request: RunRequest, found: str) -> Violation:
    unknown = found.startswith(("it has", "No such file"))
    more = "; what a base image starts is not known here" if unknown else ""
    return cannot_start(request, found, where=str(request.cube.docker.file), more=more)


def _not_run(request: RunRequest, found: str) -> MachineError:
    return MachineError(
        Message(
            what="cannot run the task",
            where=f"case {request.case_id}",
            found=found,
            expected="a process that starts, and a log that can be written",
            do="free some disk space, or fix the permissions",
        )
    )
