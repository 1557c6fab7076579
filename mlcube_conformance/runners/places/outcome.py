"""The result of a command of a runner, as a file that another machine reads.

A runner on another host is spoken to by its own command line. Exit codes alone
cannot say whether 125 is the task's word or the engine's, so it writes this.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mlcube_conformance.base.errors import (
    ConformanceError,
    MachineError,
    Message,
    PlatformUnavailable,
    Unsupported,
    UsageError,
    Violation,
)
from mlcube_conformance.base.text import masked
from mlcube_conformance.base.writing import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mlcube_conformance.model import Image, RunResult

__all__ = ["OUTCOME", "RESERVE", "Outcome", "read_outcome"]

#: Name of the file, among the logs of the command.
OUTCOME = "outcome.json"
#: Name of a file beside it that holds its room, should a task fill the disk.
RESERVE = ".outcome.reserve"

#: Most particular first: the first that fits names the fault.
_FAULTS: dict[str, type[Violation | ConformanceError]] = {
    "cube": Violation,
    "unsupported": Unsupported,
    "usage": UsageError,
    "platform": PlatformUnavailable,
    "machine": MachineError,
}


@dataclass(slots=True)
class Outcome:
    """The known facts of a command so far."""

    image: Image | None = None
    result: RunResult | None = None
    error: Violation | ConformanceError | None = None

    def write(self, folder: Path) -> None:
        """Write the file into a folder, whole or not at all.

        Raises:
            OSError: It cannot be written.
        """
        found = {
            "image": asdict(self.image) if self.image else None,
            "result": masked(asdict(self.result)) if self.result else None,
            "error": _described(self.error) if self.error else None,
        }
        (folder / RESERVE).unlink(missing_ok=True)
        write_whole(folder / OUTCOME, json.dumps(found, default=str))


def _described(error: Violation | ConformanceError) -> dict[str, Any]:
    fault = next(name for name, each in _FAULTS.items() if isinstance(error, each))
    messages = [masked(asdict(each)) for each in error.messages]
    return {"fault": fault, "messages": messages}


def read_outcome(
    found: Mapping[str, Any], *, stdout: Path, stderr: Path, here: Callable[[str], str]
) -> Outcome:
    """Read what `Outcome.write` wrote on another host.

    Args:
        found: The document.
        stdout: Where the standard output of the task is on this machine.
        stderr: Where its standard error is.
        here: Returns a text with the paths of this machine instead of the other's.

    Raises:
        KeyError, TypeError: It is not such a document.
    """
    # The program that answers on a host reads none.
    from mlcube_conformance.model import Image, RunResult  # noqa: PLC0415

    image, result, error = found["image"], found["result"], found["error"]
    return Outcome(
        image=Image(**image) if image else None,
        result=RunResult(
            **{
                **result,
                "stdout": stdout,
                "stderr": stderr,
                "command": tuple(result["command"]),
                "taken_away": tuple(here(t) for t in result.get("taken_away", ())),
                "elsewhere": tuple(result.get("elsewhere", ())),
            }
        )
        if result
        else None,
        error=_FAULTS[error["fault"]](
            *(_message(each, here) for each in error["messages"])
        )
        if error
        else None,
    )


def _message(found: dict[str, Any], here: Callable[[str], str]) -> Message:
    tail = tuple(here(line) for line in found["tail"])
    words = {key: here(text) for key, text in found.items() if key != "tail"}
    return Message(**words, tail=tail)
