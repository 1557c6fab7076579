"""The run of a probe cube, and the expectations of it."""

from __future__ import annotations

import re
import shlex
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from mlcube_conformance.base.errors import Message, Violation
from mlcube_conformance.suites.runner.probe.record import read_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from mlcube_conformance.suites.runner.command import Called
    from mlcube_conformance.suites.runner.probe.record import Record

__all__ = ["Placed", "ProbeRun"]

_TAIL = 12
#: Seconds in which a probe that goes on writes again.
_SEVERAL_BEATS = 2
#: What the probe says of itself, for RUN-2.
_OWN_WORDS = "probe err "
_STARTED = "probe ran "
#: How programs of Python, Go, Rust and Java tell of an error that nobody handled.
_TRACEBACK = re.compile(
    r"^Traceback \(most recent call last\)|^panic: |^thread '.*' panicked at"
    r"|^Exception in thread ",
    re.MULTILINE,
)


@dataclass(slots=True, kw_only=True)
class Placed:
    """A probe cube on the disk."""

    folder: Path
    """Holds the cube, and the logs of what was done with it."""
    root: Path
    calls: int = 0
    kept: bool = False
    """Whether something was wrong with it, so a user will want to look."""

    @property
    def workspace(self) -> Path:
        """The workspace that the cube brings."""
        return self.root / "workspace"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRun:
    """One call of the runner's command line on a probe cube."""

    placed: Placed
    called: Called
    workspace: Path
    is_sound: Callable[[], bool] = bool
    """Says whether the runner runs a cube without a fault."""

    def record(self, task: str = "look") -> Record | None:
        """Return what a task wrote down, or None where it did not come so far."""
        return read_record(self.workspace / f"report-{task}")

    @property
    def started(self) -> tuple[str, ...]:
        """What shows that a task was started, if anything does."""
        said = tuple(
            line.strip() for line in self.called.said.splitlines() if _STARTED in line
        )
        return said or tuple(
            f"{each} was written" for each in sorted(self.workspace.glob("report-*/*"))
        )

    def expect(self, ok: object, expected: str, found: object = "") -> None:
        """Make sure that something is as it must be.

        Raises:
            Violation: It is not; says what was called, and how to do so by hand.
        """
        if ok:
            return
        self.placed.kept = True
        said = self.called.stderr.decode("utf-8", "replace").splitlines()
        said = [line for line in said if not line.startswith(_OWN_WORDS)][-_TAIL:]
        raise Violation(
            Message(
                what=f"expected: {expected}",
                where=str(self.placed.folder),
                found="\n".join(self._found(found)),
                do=f"run by hand: {self.by_hand}",
                tail=(*self._arguments(), *said),
                log=str(self.called.logs),
            )
        )

    def _arguments(self) -> Iterable[str]:
        """Say what each task was given, as it wrote it down."""
        for file in sorted(self.workspace.glob("report-*/argv")):
            words = file.read_text(encoding="utf-8", errors="replace").splitlines()
            yield f"(the task got {shlex.join(words)}: {file})"

    def _found(self, found: object) -> Iterable[str]:
        several = isinstance(found, (tuple, list, set, frozenset))
        seen = map(str, cast("Iterable[object]", found)) if several else (str(found),)
        text = ", ".join(sorted(seen) if isinstance(found, (set, frozenset)) else seen)
        if text or several:
            yield f"{text or 'nothing'};"
        if self.called.timed_out:
            yield "it had not ended by its deadline, and was killed"
        else:
            yield f"it exited with {self.called.exit_code}"

    @property
    def by_hand(self) -> str:
        """A line for a shell that does the same."""
        words = [f"{k}={v}" for k, v in self.called.environment.items()]
        line = shlex.join([*(["env", *words] if words else []), *self.called.argv])
        return f"cd {shlex.quote(str(self.called.cwd))} && {line}"

    def ends(self) -> None:
        """Expect an end before the deadline."""
        self.expect(not self.called.timed_out, "it ends by itself")

    def exits_with(self, code: int) -> None:
        """Expect an exit code."""
        self.ends()
        self.expect(self.called.exit_code == code, f"exit code {code}")

    def fails(self) -> None:
        """Expect any exit code but 0."""
        self.ends()
        self.expect(self.called.exit_code != 0, "an exit code that is not 0")

    def ends_well(self, task: str = "look") -> Record:
        """Expect exit code 0 and a task that ran; return what it wrote down."""
        self.exits_with(0)
        record = self.record(task)
        if record is None:
            report = self.workspace / f"report-{task}"
            self.expect(False, f"task {task!r} ran and wrote into {report}")  # noqa: FBT003 - it did not
            raise AssertionError
        return record

    def starts(self) -> None:
        """Expect that a task was started."""
        self.expect(self.started, "the task is started")

    def starts_nothing(self) -> None:
        """Expect that no task was started."""
        self.expect(not self.started, "no task is started", self.started)

    def says(self, *texts: str) -> None:
        """Expect each text somewhere in the output."""
        for text in texts:
            whole = rf"(?<!\w){re.escape(text)}(?!\w)"
            found = re.search(whole, self.called.said)
            self.expect(found, f"its output names {text!r}")

    def let_beats_pass(self) -> None:
        """Wait for as long as a probe that goes on would write again, several times."""
        time.sleep(_SEVERAL_BEATS)

    def warns_of(self, *names: str) -> None:
        """Expect a line that is a warning and has one of these names."""
        said = self.called.said.splitlines()
        warned = [
            line
            for line in said
            if re.search("warn", line, re.IGNORECASE)
            and any(re.search(rf"(?<!\w){re.escape(n)}(?!\w)", line) for n in names)
        ]
        self.expect(warned, f"a warning that names {' or '.join(names)}")

    def shows_no_traceback(self) -> None:
        """Expect a message rather than a crash."""
        self.expect(not _TRACEBACK.search(self.called.said), "no traceback")

    def refuses(self, *texts: str) -> None:
        """Expect a message with these texts, a failure, and no task that started.

        Of a runner that refuses whatever it is given, it would say nothing.
        """
        self.expect(self.is_sound(), "a cube without a fault runs, and is not refused")
        self.fails()
        self.expect(self.called.said.strip(), "a message")
        self.starts_nothing()
        self.shows_no_traceback()
        self.says(*texts)

    def leaves_folder_empty(self) -> None:
        """Expect that nothing appeared in the folder that it was called in."""
        found = sorted(each.name for each in self.called.cwd.iterdir())
        self.expect(not found, "nothing appears in the current folder", found)
