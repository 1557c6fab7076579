"""What the project's own commands write, and how they refuse."""

from __future__ import annotations

import errno
import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import (
    ConformanceError,
    MachineError,
    Message,
    UsageError,
    Violation,
)
from mlcube_conformance.base.faults import telling_faults
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.base.streams import drop_streams, write_all
from mlcube_conformance.base.writing import stream_of, write_with_folder
from mlcube_conformance.commands.said import tell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "cannot_write",
    "ending_streams",
    "refusing",
    "show",
    "show_or_write",
    "write_file",
]

_USAGE, _NOT_RUN = 2, 125
_STDOUT = 1


@contextmanager
def refusing(code: int = _USAGE) -> Iterator[None]:
    """Turn an error into its message and its exit code, never a traceback."""
    try:
        with telling_faults():
            yield
    except (ConformanceError, Violation) as error:
        tell(f"{error}\n")
        raise SystemExit(code) from error


def show(text: str) -> None:
    """Write a text to standard output, in UTF-8 whatever the terminal is set to.

    Raises:
        SystemExit: It cannot be written.
    """
    try:
        write_all(sys.stdout.buffer, text.encode())
    except OSError as error:
        raise cannot_write(error) from error


def show_or_write(text: str, output: str | None) -> None:
    """Write a text to the file that `--output` names, or else to standard output.

    Raises:
        UsageError: The file cannot be written.
        SystemExit: Standard output cannot be written.
    """
    if output is None:
        show(text)
    else:
        write_file(given_path(output, "--output"), text)


@contextmanager
def ending_streams() -> Iterator[None]:
    """Write what is buffered, here, where a fault can still be shown.

    Raises:
        SystemExit: Standard output cannot be written.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        # From pytest or from this program: what was found cannot be written.
        raise cannot_write(error) from error
    finally:
        try:
            sys.stderr.flush()
        except OSError:  # Python would end with a code of its own.
            drop_streams(2)


def cannot_write(error: OSError) -> SystemExit:
    """Say that the output cannot be written, and return the end of the program.

    A pipe that nobody reads any more ends it in silence.
    """
    message = Message(
        what="the output cannot be written",
        where="standard output, or a file such as that of --junitxml",
        found=error.strerror or str(error),
        expected="a terminal or a disk with room",
        do="free some space, then run again",
    )
    if error.filename is not None:
        message = replace(
            message,
            where=str(error.filename),
            expected="a file that can be written",
            do="fix the path, then run again",
        )
    # Who reads no more, such as `head`, has what was wanted.
    if error.errno != errno.EPIPE:
        tell(f"{MachineError(message)}\n")
    drop_streams()
    return SystemExit(_NOT_RUN)


def write_file(file: Path, content: str | bytes) -> None:
    """Write a file that the user named, whose folder is made, too.

    Args:
        file: Where.
        content: What, a text in UTF-8.

    Raises:
        UsageError: It cannot be written.
        SystemExit: It is standard output, and cannot be written.
    """
    try:
        write_with_folder(file, content)
    except OSError as error:
        if stream_of(file) == _STDOUT:
            raise cannot_write(error) from error
        raise UsageError(
            Message(
                what=f"{file.name} cannot be written",
                where=str(file),
                found=error.strerror or str(error),
                expected="a file that can be written",
                do="fix the path, or free some disk space",
            )
        ) from error
