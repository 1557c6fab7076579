"""A runner that plays probes without an engine, for tests of the suite for runners."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, PlatformUnavailable
from mlcube_conformance.model import Image, RunResult
from mlcube_conformance.plan.workspace import make_folder
from mlcube_conformance.runners.common.layout import lay_out, recipe_of
from mlcube_conformance.runners.singularity.image import image_path
from mlcube_conformance.runners.work import proxies

if TYPE_CHECKING:
    from mlcube_conformance.base.errors import MachineError
    from mlcube_conformance.model import Cube, Platform
    from mlcube_conformance.runners.contract import ConfigureRequest, RunRequest

_OUT = b"probe out \xff\xfe\n"
_ERR = b"probe err \xff\xfe\n"
_KILLED = 137


class FakeProbeRunner:
    """Writes down what a probe in a container would, and does what its plan says."""

    protects_inputs = True
    #: What images hold of `context.txt`, by name; they outlive a runner.
    images: dict[str, str] = {}  # noqa: RUF012 - shared on purpose

    def __init__(self, run_id: str) -> None:
        """Remember nothing of the run."""
        del run_id

    def unavailable(self) -> MachineError | None:
        """Return why the engine does not exist, where its address says so."""
        if "nonexistent" not in os.environ.get("DOCKER_HOST", ""):
            return None
        return PlatformUnavailable(Message(what="there is no engine", do="start it"))

    def configure(self, request: ConfigureRequest) -> Image:
        """Lay the image out, so a broken recipe is found, and keep its context."""
        cube, platform = request.cube, request.platform
        with TemporaryDirectory() as folder:
            lay_out(recipe_of(cube, {}), cube, Path(folder) / "image")
            context = (Path(folder) / "image/workspace/context.txt").read_text()
        if platform.kind == "singularity":
            path = image_path(cube, platform)
            make_folder(path.parent)
            path.write_text(context)
        self.images[platform.image] = context
        return Image(name=platform.image, digest="sha256:0", origin="built")

    def find_image(self, cube: Cube, platform: Platform) -> Image | None:
        """Return the image if it was made."""
        if platform.kind == "singularity":
            path = image_path(cube, platform)
            if not path.is_file():
                return None
            self.images[platform.image] = path.read_text()
        if platform.image not in self.images:
            return None
        return Image(name=platform.image, digest="sha256:0", origin="present")

    def run(self, request: RunRequest) -> RunResult:
        """Play the probe."""
        with request.stdout.open("wb") as out, request.stderr.open("wb") as err:
            played = _Played(request, self.images[request.image.name])
            out.write(f"probe ran {played.task}\n".encode() + _OUT)
            err.write(_ERR)
            played.write_report()
            code = played.do_plan()
        for log, take in (
            (request.stdout, request.watch.out),
            (request.stderr, request.watch.err),
        ):
            if take:
                take(log.read_bytes())
        return RunResult(
            exit_code=code,
            timed_out=False,
            out_of_memory=False,
            seconds=0.0,
            stdout=request.stdout,
            stderr=request.stderr,
            command=("fake", *request.view.arguments),
        )

    def remove_leftovers(self) -> tuple[str, ...]:
        """Return nothing: it leaves nothing behind."""
        return ()

    def close(self) -> None:
        """Do nothing."""


class _Played:
    """One task as a probe plays it."""

    def __init__(self, request: RunRequest, context: str) -> None:
        self._request = request
        self._context = context
        self._arguments = request.view.arguments
        first = self._arguments[0] if self._arguments else "--"
        self.task = "-" if first.startswith("--") else first

    def _value(self, name: str) -> Path | None:
        """Return the path on this machine that a parameter points to."""
        start = f"--{name}="
        given = [each for each in self._arguments if each.startswith(start)]
        return self._outside(given[-1].partition("=")[2]) if given else None

    def _outside(self, inside: str) -> Path | None:
        _, mount, *rest = inside.split("/", 2)
        for each in self._request.view.mounts:
            if each.container == f"/{mount}":
                return each.host.joinpath(*rest)
        return None

    def write_report(self) -> None:
        """Write what the shell script writes."""
        report = self._value("report")
        if report is None:
            return
        for name in ("content", "listing"):
            (report / name).mkdir(parents=True)
        network = self._request.options.network
        routes = "Iface\n" if network == "none" else "Iface\neth0\n"
        environment = {
            **proxies(),
            **self._request.platform.environment,
            **self._request.options.environment,
        }
        mounts = ["/", *(each.container for each in self._request.view.mounts)]
        for name, text in (
            ("argv", _lines(self._arguments)),
            ("program", "/workspace/probe.sh\n"),
            ("environment", _lines([f"{k}={v}" for k, v in environment.items()])),
            ("mountinfo", _lines([f"1 2 3:4 / {each} rw" for each in mounts])),
            ("routes", routes),
            ("devices", "/dev/nvidia0\n" if self._request.options.gpus else ""),
            ("cwd", "/\n"),
            ("user", f"{os.getuid()}\n"),
            ("context", self._context),
            ("done", ""),
        ):
            (report / name).write_bytes(os.fsencode(text))
        for position, argument in enumerate(self._arguments, 1):
            path = (
                self._outside(argument.partition("=")[2]) if "=" in argument else None
            )
            if path is not None and path.is_file():
                content = path.read_bytes()
                (report / "content" / str(position)).write_bytes(content)
            elif path is not None and path.is_dir() and path != report:
                names = [".", "..", *sorted(each.name for each in path.iterdir())]
                (report / "listing" / str(position)).write_bytes(
                    os.fsencode(_lines(names))
                )

    def do_plan(self) -> int:
        """Do what the plan says; return the exit code."""
        plan = self._value("plan")
        report = self._value("report")
        orders = plan.read_text().splitlines() if plan else []
        for order, *words in (line.split() for line in orders):
            if order == "exit":
                return int(words[0])
            if order == "kill":
                return _KILLED
            if order == "hang" and report is not None:
                (report / "beats").write_text("1\n")
                raise KeyboardInterrupt  # as it comes to whoever waits for the task
            target = self._value(words[0]) if order == "write" else None
            if target is None or report is None:
                continue
            folder = target if target.is_dir() else target.parent
            could = any(
                each.writable and folder.is_relative_to(each.host)
                for each in self._request.view.mounts
                if each.host == folder or each.host in folder.parents
            )
            if could:
                (target / "made" if target.is_dir() else target).write_text("made\n")
            with (report / "writes").open("a") as writes:
                writes.write(f"{words[0]} {'yes' if could else 'no'}\n")
        return 0


def _lines(words: list[str] | tuple[str, ...]) -> str:
    return "".join(f"{each}\n" for each in words)
