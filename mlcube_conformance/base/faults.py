"""The last line of defence: an unforeseen exception is reported as our bug."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError, Message

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["fault_of_ours", "telling_faults"]

_UNEXPECTED = (
    *(ArithmeticError, AttributeError, LookupError, OSError, RecursionError),
    *(TypeError, ValueError),
)
_PACKAGE = Path(__file__).parents[1]
_LONGEST = 500


def fault_of_ours(error: BaseException | None) -> MachineError | None:
    """Return the message for an error that our code did not foresee, if it is one."""
    # Those that click ends a command by are made from a RuntimeError.
    if not isinstance(error, _UNEXPECTED) and type(error) is not RuntimeError:
        return None
    frames = [
        f"{Path(each.filename).name}:{each.lineno}, in {each.name}"
        for each in extract_tb(error.__traceback__)
        if Path(each.filename).is_relative_to(_PACKAGE)
    ]
    if not frames:
        return None  # of a test of the user
    return MachineError(
        Message(
            what="mlcube-conformance has a bug",
            where=frames[-1],
            found=f"{type(error).__name__}: {error}"[:_LONGEST],
            expected="a message that says what is wrong",
            do="report it with this message and the command line",
        )
    )


@contextmanager
def telling_faults() -> Iterator[None]:
    """Turn unforeseen exceptions into one message.

    Raises:
        MachineError: Something else than one of our errors was raised.
    """
    try:
        yield
    except (*_UNEXPECTED, RuntimeError) as error:
        fault = fault_of_ours(error)
        if fault is None:
            raise
        raise fault from error
