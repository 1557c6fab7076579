"""The command line: one task, its paths, and an exit code that tells the truth."""

import argparse
import importlib
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from mnist_cube.errors import CubeError, StoppedError

# Each command is a module of its own name, imported when it is asked for: PyTorch is
# far too heavy for a download.
COMMANDS = {
    "download": ("parameters_file", "data_dir", "log_dir"),
    "train": ("data_dir", "parameters_file", "log_dir", "model_dir"),
    # No task of the cube: it makes data, which are not MNIST, to try the tasks on.
    "digits": ("mirror",),
}

_LOG = logging.getLogger("mnist_cube")


def main(argv: Sequence[str]) -> int:
    """Run the task that argv asks for and return the exit code."""
    # Without a handler of any kind, logging would repeat errors on stderr.
    _LOG.addHandler(logging.NullHandler())
    _LOG.propagate = False
    arguments = _parse(argv)
    task: str = arguments.task
    paths = {name: getattr(arguments, name) for name in COMMANDS[task]}
    try:
        # As the first process of a container, Python would not hear these otherwise.
        signal.signal(signal.SIGTERM, _stop)
        signal.signal(signal.SIGINT, _stop)
        _start_log(task, paths.get("log_dir"))
        importlib.import_module(f"mnist_cube.{task}").run(paths)
    except CubeError as error:
        return _fail(task, str(error), error.exit_code)
    except OSError as error:
        return _fail(task, _describe(error), 1)
    except Exception as error:  # noqa: BLE001 - the last resort, and it is reported
        _LOG.debug("Traceback of the error below", exc_info=True)
        reason = f"unexpected {type(error).__name__}: {' '.join(str(error).split())}"
        return _fail(task, f"{reason} (the traceback stands in the log)", 1)
    return 0


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mnist", allow_abbrev=False)
    tasks = parser.add_subparsers(dest="task", metavar="TASK", required=True)
    for task, names in COMMANDS.items():
        options = tasks.add_parser(task, allow_abbrev=False)
        for name in names:
            flags = {f"--{name}", f"--{name.replace('_', '-')}"}
            options.add_argument(
                *sorted(flags, reverse=True), dest=name, type=_path, required=True
            )
    return parser.parse_args(argv)


def _path(value: str) -> Path:
    if not value:
        message = "the path is empty"
        raise argparse.ArgumentTypeError(message)
    return Path(value)


def _start_log(task: str, log_dir: Path | None) -> None:
    _LOG.setLevel(logging.DEBUG)
    screen = logging.StreamHandler(sys.stdout)
    screen.setLevel(logging.INFO)
    # An error goes to stderr, once, from the place that sets the exit code.
    screen.addFilter(lambda record: record.levelno < logging.ERROR)
    _LOG.addHandler(screen)
    if log_dir is None:
        return
    log_dir.mkdir(parents=True, exist_ok=True)
    path = log_dir / f"mlcube_mnist_{task}.log"
    file = logging.FileHandler(path, mode="w", encoding="utf-8")
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    _LOG.addHandler(file)


def _stop(number: int, _frame: FrameType | None) -> None:
    raise StoppedError(number)


def _describe(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename else reason


def _fail(task: str, message: str, exit_code: int) -> int:
    _LOG.error("%s", message)
    sys.stderr.write(f"mnist {task}: error: {message}\n")
    return exit_code
