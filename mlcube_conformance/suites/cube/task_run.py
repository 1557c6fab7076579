"""What became of one case, as the tests see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlcube_conformance.base.files import read_bytes
from mlcube_conformance.checks.judge import Judgement, Seen, judge

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.model import Case, RunResult

__all__ = ["TaskRun"]

#: Bytes of a log that a test gets: more than it has, unless an option says so.
_LONGEST = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRun(Seen):
    """What became of one case: it ran, or it could not."""

    case: Case
    workspace: Path
    blocked_by: str = ""
    """What had to come first and failed: the image, or the case of a producer."""
    judgement: Judgement = field(init=False, compare=False)
    """What is wrong with it, by clause."""

    def __post_init__(self) -> None:
        """Judge it, once for everyone."""
        object.__setattr__(self, "judgement", judge(self.case, self))

    def __repr__(self) -> str:
        """Keep assertions short."""
        return f"<TaskRun {self.case.id}, exit code {self.exit_code}>"

    @property
    def ended(self) -> RunResult:
        """How the task ended.

        Raises:
            ValueError: It was never started.
        """
        if self.result is None:
            msg = f"{self.case.id} was never started"
            raise ValueError(msg)
        return self.result

    @property
    def stdout(self) -> str:
        """What the task wrote to standard output; what is not UTF-8 is replaced."""
        return _text(self.result.stdout) if self.result else ""

    @property
    def stderr(self) -> str:
        """What the task wrote to standard error, likewise."""
        return _text(self.result.stderr) if self.result else ""

    @property
    def exit_code(self) -> int | None:
        """Exit code of the task, None when it was never started."""
        return self.result.exit_code if self.result else None

    @property
    def exited_zero(self) -> bool:
        """Whether the task ran and exited with 0 within its time."""
        return self.judgement.met("EXIT-1")

    @property
    def succeeded(self) -> bool:
        """Whether others can read what the task had to make."""
        return self.judgement.usable

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong with it that its files or logs show."""
        shown = (each for wrong in self.judgement.advice.values() for each in wrong)
        return (
            self.succeeded
            and not any(self.judgement.clauses.values())
            and not any(each.log for each in shown)
        )


def _text(log: Path) -> str:
    return read_bytes(log, limit=_LONGEST, cut=True).decode(errors="replace")
