"""The run of a probe cube, and the expectations of it."""

from __future__ import annotations

import re
import shlex
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from mlcube_conformance.base.errors import Message, Violation
from mlcube_conformance.suites.runner.probe.record import read_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from mlcube_conformance.suites.runner.command import Called
    from mlcube_conformance.suites.runner.probe.record import Record

__all__ = ["Placed", "ProbeRun"]

_TAIL = 12
#: Letters of a line that is shown of an output.
_LONGEST = 1000
#: Stands for what the exit code and the output tell.
_THE_CALL: Final = object()
#: Seconds in which a probe that goes on writes again.
_SEVERAL_BEATS = 2
#: What the probe says of itself, for RUN-2.
_OWN_WORDS = "probe err "
_STARTED = "probe ran "
_WORDS_OF_TASKS = ("probe ran ", "probe out ")
#: How programs of Python, Go, Rust and Java tell of an error that nobody handled.
_TRACEBACK = re.compile(
    r"^Traceback \(most recent call last\)|^panic: |^thread '.*' panicked at"
    r"|^Exception in thread ",
    re.MULTILINE,
)


#: The line behind the frames of a traceback of Python, which says what went wrong.
_ERROR = re.compile(
    r"^[\w.]+(Error|Exception|Exit|Interrupt|Warning)\b.*", re.MULTILINE
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
    seen: list[str] = field(default_factory=list)
    """What was as it must be, in the order in which it was looked at."""

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

    def expect(self, ok: object, expected: str, found: object = _THE_CALL) -> None:
        """Make sure that something is as it must be, and keep what was seen.

        Args:
            ok: Whether it is.
            expected: What must be.
            found: What is; without it, the exit code and the output tell.

        Raises:
            Violation: It is not; says what was called, and how to do so by hand.
        """
        told = _told(found)
        if ok:
            more = f": {told}" if told not in {"", "nothing"} else ""
            self.seen.append(f"{expected}{more}")
            return
        self.placed.kept = True
        raise Violation(
            Message(
                what=f"expected: {expected}",
                where=str(self.placed.folder),
                found=";\n".join(self._found(None if found is _THE_CALL else told)),
                do=f"run by hand: {self.by_hand}",
                tail=(*self._arguments(), *self._errors[-_TAIL:]),
                log=str(self.called.logs),
            )
        )

    @property
    def _last_line(self) -> str:
        """The last line that the runner itself wrote, or ""."""
        said = self.called.stdout.decode("utf-8", "replace").splitlines()
        said = [line for line in said if not line.startswith(_WORDS_OF_TASKS)]
        lines = [each.strip() for each in (*said, *self._errors) if each.strip()]
        return lines[-1][:_LONGEST] if lines else ""

    @property
    def _errors(self) -> list[str]:
        """What the runner itself wrote to its standard error."""
        said = self.called.stderr.decode("utf-8", "replace").splitlines()
        return [line for line in said if not line.startswith(_OWN_WORDS)]

    def _arguments(self) -> Iterable[str]:
        """Say what each task was given, as it wrote it down."""
        for file in sorted(self.workspace.glob("report-*/argv")):
            words = file.read_text(encoding="utf-8", errors="replace").splitlines()
            yield f"(the task got {shlex.join(words)}: {file})"

    def _found(self, told: str | None) -> Iterator[str]:
        if told is not None:
            yield told or "nothing"
        if self.called.timed_out:
            yield "it had not ended by its deadline, and was killed"
        elif told is None:
            yield f"it exited with {self.called.exit_code}"
            yield "the task was started" if self.started else "no task was started"
            yield (
                f"it said: {self._last_line}" if self._last_line else "it said nothing"
            )
        elif self.called.exit_code:
            yield f"it exited with {self.called.exit_code}"

    @property
    def by_hand(self) -> str:
        """A line for a shell that does the same."""
        words = [f"{k}={v}" for k, v in self.called.environment.items()]
        line = shlex.join([*(["env", *words] if words else []), *self.called.argv])
        return f"cd {shlex.quote(str(self.called.cwd))} && {line}"

    def ends(self) -> None:
        """Expect an end before the deadline."""
        if self.called.timed_out:
            self.expect(False, "it ends by itself")  # noqa: FBT003 - it did not

    def exits_with(self, code: int) -> None:
        """Expect an exit code."""
        self.ends()
        self.expect(self.called.exit_code == code, f"exit code {code}")

    def fails(self) -> None:
        """Expect any exit code but 0."""
        self.ends()
        code = self.called.exit_code
        found = f"exit code {code}" if code else _THE_CALL
        self.expect(code != 0, "an exit code that is not 0", found)

    def ends_well(self, task: str = "look") -> Record:
        """Expect exit code 0 and a task that ran; return what it wrote down."""
        self.exits_with(0)
        record = self.record(task)
        if record is None:
            report = self.workspace / f"report-{task}"
            self.expect(False, f"task {task!r} ran and wrote into {report}")  # noqa: FBT003 - it did not
            raise AssertionError
        return record

    def gets(self, record: Record, name: str, content: str) -> None:
        """Expect that a file that a task was given held a text."""
        found = record.content(name)
        self.expect(found == content, f"the task reads `{name}`", repr(found))

    def starts(self) -> None:
        """Expect that a task was started."""
        self.expect(self.started, "the task is started", self.started[:1] or _THE_CALL)

    def starts_nothing(self) -> None:
        """Expect that no task was started."""
        self.expect(not self.started, "no task is started", self.started)

    def says(self, *texts: str) -> None:
        """Expect each text somewhere in the output."""
        for text in texts:
            whole = rf"(?<!\w){re.escape(text)}(?!\w)"
            lines = self.called.said.splitlines()
            found = [line.strip() for line in lines if re.search(whole, line)][:1]
            self.expect(found, f"its output names {text!r}", found or _THE_CALL)

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
        wanted = f"a warning that names {' or '.join(names)}"
        self.expect(warned, wanted, warned[:1] or _THE_CALL)

    def shows_no_traceback(self) -> None:
        """Expect a message rather than a crash."""
        said = self.called.said
        begun = _TRACEBACK.search(said)
        error = _ERROR.search(said, begun.end()) if begun else None
        found = (error or begun).group().strip() if begun else ""
        self.expect(not begun, "no traceback", found[:_LONGEST])

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


def _told(found: object) -> str:
    """Return in one line what was found."""
    several = isinstance(found, (tuple, list, set, frozenset))
    seen = map(str, cast("Iterable[object]", found)) if several else (str(found),)
    if found is None or found is _THE_CALL:
        return ""
    text = ", ".join(sorted(seen) if isinstance(found, (set, frozenset)) else seen)
    return text.strip()
