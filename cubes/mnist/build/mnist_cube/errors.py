"""The errors of this cube.

CubeError (exit code 1: the task failed)
├── UsageError (exit code 2: the arguments or the parameter file are wrong)
├── DeadlineError (the time for the whole task is up)
└── StoppedError (exit code 128 + the number of the signal that ended the task)
"""

import signal


class CubeError(Exception):
    """Say why a task failed in words for the person who ran it."""

    exit_code: int = 1


class UsageError(CubeError):
    """Say what is wrong with the arguments or with a parameter file."""

    exit_code: int = 2


class DeadlineError(CubeError):
    """Say that the time for the whole task is up."""


class StoppedError(CubeError):
    """Say that a signal asked the task to end."""

    def __init__(self, number: int) -> None:
        """Name the signal and take the exit code that shells give it."""
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.exit_code = 128 + number
