"""Tests a runner: places probe cubes, calls it, and reads the results."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from filelock import FileLock

from mlcube_conformance.base.errors import MachineError, Message
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.base.text import tail
from mlcube_conformance.base.trees import remove_tree
from mlcube_conformance.formats.runner_description import filled
from mlcube_conformance.results.record import LINES, WHOLE
from mlcube_conformance.runners.common.image_names import own_name
from mlcube_conformance.suites.runner.command import ask, call
from mlcube_conformance.suites.runner.probe.cube import ProbeCube
from mlcube_conformance.suites.runner.probe.run import Placed, ProbeRun
from mlcube_conformance.suites.runner.probe.writing import write_cube

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mlcube_conformance.formats.runner_description import Format, RunnerDescription
    from mlcube_conformance.results.record import Record
    from mlcube_conformance.suites.runner.probe.writing import Site

__all__ = ["Trial"]

#: Seconds for making the image of the probe, the first time.
_CONFIGURE = 600
_UNREADY = "cannot make the image of the probe: no test can run"


@dataclass(slots=True, kw_only=True)
class Trial:
    """A runner, and where its probe cubes are."""

    description: RunnerDescription
    form: Format
    platform: str
    site: Site
    folder: Path
    """For this process alone."""
    shared: Path
    """For all processes of the session."""
    run_id: str
    timeout: float
    name: str = "trial"
    """What the next cube's folder is called."""
    placed: list[Placed] = field(default_factory=list)
    unready: str | None = None
    """Why nothing can be run, "" where all can; None while that is not known."""
    record: Record | None = None
    """Where calls are recorded; None where they are not."""
    sound: bool | None = None
    """Whether a cube without a fault runs; None while that is not known."""
    seen: list[str] = field(default_factory=list)
    """What a test saw that was as it must be."""
    _names: Counter[str] = field(default_factory=Counter)

    def place(self, cube: ProbeCube, *, form: Format | None = None) -> Placed:
        """Write a cube into a folder of its own."""
        name = cube.name or self.name
        self._names[name] += 1
        count = self._names[name]
        folder = self.folder / (f"{name}-{count}" if count > 1 else name)
        placed = Placed(folder=folder, root=folder / cube.folder)
        placed.root.mkdir(parents=True)
        write_cube(cube, placed.root, form or self.form, self.site)
        self.placed.append(placed)
        return placed

    def run(  # noqa: PLR0913 - each is one fact of the call
        self,
        cube: ProbeCube | Placed,
        *,
        task: str | None = "look",
        form: Format | None = None,
        workspace: Path | None = None,
        parameters: Mapping[str, str] | None = None,
        words: Sequence[str] = (),
        platform: str | None = None,
        named: str | None = None,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        interrupt_at: bytes = b"",
        **options: str,
    ) -> ProbeRun:
        """Have a task run.

        Args:
            cube: A cube, or one that was placed already.
            task: Task to ask for; None asks for none.
            form: Format to write the cube in.
            workspace: Folder instead of the cube's own workspace.
            parameters: Values to give on the command line.
            words: Further words for the command line.
            platform: Instead of the description's.
            named: What the cube is called on the command line; its path otherwise.
            cwd: Folder to start in; a fresh one otherwise.
            environment: Variables to set.
            interrupt_at: Words of the task at which the command is interrupted.
            options: Other options of the description, such as `network`.
        """
        placed = cube if isinstance(cube, Placed) else self.place(cube, form=form)
        described = self.description.options
        more: list[str] = []
        if task is not None:
            more += filled(described.get("task", ()), {"task": task})
        if workspace is not None:
            more += filled(described["workspace"], {"workspace": str(workspace)})
        for name, value in options.items():
            more += filled(described[name], {name: value})
        for name, value in (parameters or {}).items():
            more += filled(described["parameter"], {"name": name, "value": value})
        more += words
        return self._call(
            self.description.run,
            placed,
            more=more,
            platform=platform,
            named=named,
            cwd=cwd,
            environment=environment or {},
            workspace=workspace,
            interrupt_at=interrupt_at,
        )

    def configure(
        self,
        cube: ProbeCube | Placed,
        *,
        cwd: Path | None = None,
        platform: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> ProbeRun:
        """Have the image of a cube made."""
        return self._call(
            self.description.configure,
            cube if isinstance(cube, Placed) else self.place(cube),
            cwd=cwd,
            platform=platform,
            environment=environment or {},
        )

    def _call(  # noqa: PLR0913 - each is one fact of the call
        self,
        command: tuple[str, ...],
        placed: Placed,
        *,
        environment: Mapping[str, str],
        more: Sequence[str] = (),
        platform: str | None = None,
        named: str | None = None,
        cwd: Path | None = None,
        workspace: Path | None = None,
        timeout: float = 0,
        interrupt_at: bytes = b"",
    ) -> ProbeRun:
        for each in (workspace or placed.workspace).glob("report-*"):
            remove_tree(each)  # of an earlier call
        placed.calls += 1
        logs = placed.folder / f"call-{placed.calls}"
        logs.mkdir()
        if cwd is None:
            cwd = logs / "cwd"
            cwd.mkdir()
        at = platform or self.platform
        values = {"cube": named or str(placed.root), "platform": at}
        called = call(
            [*filled(command, values), *more],
            logs=logs,
            cwd=cwd,
            timeout=timeout or self.timeout,
            environment=environment,
            interrupt_at=interrupt_at,
        )
        if self.record is not None:
            self.record.event(
                "call",
                log=str(logs),
                argv=list(called.argv),
                exit_code=called.exit_code,
                seconds=round(called.seconds, 3),
            )
        return ProbeRun(
            placed=placed,
            called=called,
            workspace=workspace or placed.workspace,
            is_sound=self._is_sound,
            seen=self.seen,
        )

    def _is_sound(self) -> bool:
        """Say whether the runner runs a cube without a fault; asked once."""
        if self.sound is None:
            self.sound = self.run(ProbeCube(name="sound")).record() is not None
        return self.sound

    def ask_for_help(self) -> ProbeRun:
        """Have the runner say how a task is run."""
        return self._call(
            self.description.run,
            self.place(ProbeCube()),
            more=["--help"],
            environment={},
        )

    def override_without_value(self, name: str) -> tuple[str, ...]:
        """Return the words that name a parameter, without `=` and a value."""
        words = self.description.options["parameter"]
        *first, last = filled(words, {"name": name, "value": ""})
        return (*first, last.removesuffix("="))

    def variable(self, name: str, value: str) -> tuple[str, ...]:
        """Return the words that set a variable of a task."""
        words = self.description.options["environment"]
        return filled(words, {"name": name, "value": value})

    def gpus(self, asked: str) -> tuple[str, ...]:
        """Return the words that ask for GPUs."""
        return filled(self.description.options["gpus"], {"gpus": asked})

    def left_behind(self, image: str) -> frozenset[str]:
        """Return what is still there of runs of an image.

        Raises:
            MachineError: The list cannot be had.
        """
        words = filled(self.description.left_behind, {"image": image})
        return frozenset(self._ask(words).split())

    def remove(self, names: frozenset[str]) -> None:
        """Remove leftovers of a runner, except what still runs."""
        for name in sorted(names) if self.description.remove else ():
            with suppress(MachineError):
                self._ask(filled(self.description.remove, {"left": name}))

    def remove_image(self, image: str) -> None:
        """Remove an image of one test alone, and what is left of its runs."""
        self.remove_left(image)
        if self.description.remove_image:
            self._ask(filled(self.description.remove_image, {"image": image}))
            with suppress(MachineError):  # Only our runner gives it a second name.
                own = {"image": own_name(image)}
                self._ask(filled(self.description.remove_image, own))

    def remove_left(self, image: str) -> None:
        """Remove what is left of runs of an image."""
        if self.description.remove:
            self.remove(self.left_behind(image))

    def _ask(self, argv: Sequence[str]) -> str:
        return ask(argv, logs=self.folder / "asked", timeout=self.timeout)

    @property
    def is_elsewhere(self) -> bool:
        """Whether all tasks run on another host."""
        return self.description.has("remote") and not self.description.place

    @property
    def another_host(self) -> Path:
        """The platform file of the other host."""
        return given_path(*filled((self.description.place or self.platform,), {}))

    @property
    def another_host_with_singularity(self) -> Path:
        """The platform file of another host whose engine is Singularity."""
        return given_path(*filled((self.description.place_singularity,), {}))

    def image_of(self, cube: ProbeCube) -> str:
        """Return what a platform file calls the image of a cube."""
        sif = self.description.has("sif")
        return str(self.site.sif(cube.image)) if sif else cube.image

    def image(self, use: str) -> str:
        """Return a name for an image that no other test uses."""
        return f"mlcube-conformance-probe-{use}:{self.run_id}"

    def make_ready(self) -> str:
        """Have the image of the probe made, once in a session.

        Returns:
            "", or why nothing can be run, where another process reported it already.

        Raises:
            MachineError: It cannot be made.
        """
        if self.unready is not None:
            return self.unready
        self.shared.mkdir(parents=True, exist_ok=True)
        done = self.shared / "ready"
        with FileLock(self.shared / "ready.lock", timeout=_CONFIGURE):
            if done.exists():
                self.unready = done.read_text(encoding="utf-8")
                return self.unready
            self.unready = _UNREADY
            done.write_text(_UNREADY, encoding="utf-8")
            placed = self.place(ProbeCube(name="configured"))
            placed.kept = True
            ready = self._call(
                self.description.configure, placed, environment={}, timeout=_CONFIGURE
            )
            if ready.called.exit_code:
                raise _not_ready(ready)
            placed.kept = False
            self.unready = ""
            done.write_text("", encoding="utf-8")
        return ""

    def forget(self) -> None:
        """Ask again what is asked once in a session, where it failed."""
        self.sound = self.sound or None
        if self.unready:
            self.unready = None
            (self.shared / "ready").unlink(missing_ok=True)

    def clean_up(self, *, keep: str) -> None:
        """Remove what need not be looked at: `keep` is `all`, `failed` or `none`."""
        for each in self.placed:
            if keep == "none" or (keep == "failed" and not each.kept):
                remove_tree(each.folder)
        remove_tree(self.folder / "asked")

    def kept_something(self) -> bool:
        """Remove what no call has left logs in; say whether anything else is there."""
        kept = any(each.is_dir() for each in self.shared.glob("*/*"))
        for each in () if kept else self.shared.glob("*"):
            if each.name not in {LINES, WHOLE}:
                remove_tree(each)
        return kept


def _not_ready(ready: ProbeRun) -> MachineError:
    return MachineError(
        Message(
            what=_UNREADY,
            where=ready.by_hand,
            found=f"exit code {ready.called.exit_code}",
            expected="an image of the probe, made by the runner's own command",
            do="read the log; --base-image names another image to build it from",
            tail=tail(ready.called.logs / "stderr.log", 20),
            log=str(ready.called.logs),
        )
    )
