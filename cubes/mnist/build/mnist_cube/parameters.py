"""Parameter files: YAML mappings with known keys, checked before anything starts."""

import difflib
import re
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from mnist_cube.dataset import FILES, DataFile
from mnist_cube.errors import UsageError

MAX_FILE_BYTES = 64 * 1024
MAX_MIRRORS = 32
DEFAULT_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
)

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadParameters:
    """Say where the data set comes from and how patient the download is."""

    mirrors: tuple[str, ...]
    files: tuple[DataFile, ...]
    attempts: int
    timeout_seconds: float
    deadline_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainParameters:
    """Hold the hyper-parameters of one training."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    max_shift: int
    seed: int
    device: str
    threads: int


def load_download_parameters(path: Path) -> DownloadParameters:
    """Read the parameter file of the download task."""
    fields = _Fields(path)
    parameters = DownloadParameters(
        mirrors=fields.mirrors("mirrors", DEFAULT_MIRRORS),
        files=fields.files("sha256"),
        attempts=fields.integer("attempts", 4, low=1, high=100),
        timeout_seconds=fields.number("timeout_seconds", 30, low=0.1, high=3600),
        deadline_seconds=fields.number("deadline_seconds", 900, low=1, high=86400),
    )
    fields.finish()
    return parameters


def load_train_parameters(path: Path) -> TrainParameters:
    """Read the parameter file of the train task."""
    fields = _Fields(path)
    parameters = TrainParameters(
        epochs=fields.integer("epochs", 2, low=1, high=1000),
        # Batch normalisation needs more than one image in a batch.
        batch_size=fields.integer("batch_size", 128, low=2, high=60_000),
        learning_rate=fields.number("learning_rate", 0.01, low=1e-8, high=10),
        weight_decay=fields.number("weight_decay", 0.01, low=0, high=10),
        max_shift=fields.integer("max_shift", 2, low=0, high=8),
        seed=fields.integer("seed", 1, low=0, high=2**32 - 1),
        device=fields.choice("device", ("auto", "cpu", "cuda")),
        threads=fields.integer("threads", 0, low=0, high=1024),
    )
    fields.finish()
    return parameters


class _Fields:
    """Read one file key by key and gather what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values = _read_mapping(path)
        self._known: list[str] = []
        self._problems: list[str] = []

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        value = self._take(name, default)
        # YAML's true is an int to Python, but not to the person who wrote it.
        if isinstance(value, int) and not isinstance(value, bool):
            if low <= value <= high:
                return value
            self._refuse(name, f"a whole number from {low} to {high}", value)
        else:
            self._refuse(name, "a whole number", value)
        return default

    def number(self, name: str, default: float, *, low: float, high: float) -> float:
        value = self._take(name, default)
        if isinstance(value, int | float) and not isinstance(value, bool):
            # Not a number compares false with everything, so it ends here too.
            if low <= value <= high:
                return float(value)
            self._refuse(name, f"a number from {low:g} to {high:g}", value)
        elif isinstance(value, str) and _is_number(value):
            hint = " (to YAML this is text: write it as 1.0e-3, without quotes)"
            self._refuse(name, "a number", value, hint)
        else:
            self._refuse(name, "a number", value)
        return default

    def choice(self, name: str, choices: Sequence[str]) -> str:
        value = self._take(name, choices[0])
        if isinstance(value, str) and value in choices:
            return value
        self._refuse(name, f"one of {', '.join(choices)}", value)
        return choices[0]

    def mirrors(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = self._take(name, list(default))
        if not isinstance(value, list) or not 1 <= len(value) <= MAX_MIRRORS:
            self._refuse(name, f"a list of 1 to {MAX_MIRRORS} addresses", value)
            return default
        for number, mirror in enumerate(value, start=1):
            problem = _mirror_problem(mirror)
            if problem:
                self._problems.append(f"mirror {number} {problem}")
        return tuple(str(mirror).rstrip("/") for mirror in value)

    def files(self, name: str) -> tuple[DataFile, ...]:
        """Return the files to bring: those of MNIST unless other hashes are given."""
        pinned = {file.name: file for file in FILES}
        value = self._take(name, {each: file.sha256 for each, file in pinned.items()})
        if not isinstance(value, dict) or set(value) != set(pinned):
            wanted = f"a mapping with the keys {', '.join(pinned)}"
            self._refuse(name, wanted, value)
            return FILES
        files = []
        for each, file in pinned.items():
            given = value[each]
            if not isinstance(given, str) or not _SHA256.fullmatch(given):
                self._refuse(f"{name} of {each}", "64 digits from 0 to f", given)
            elif given == file.sha256:
                files.append(file)
            else:
                files.append(DataFile(name=each, size=None, sha256=given))
        return tuple(files)

    def finish(self) -> None:
        for name in self._values:
            if name not in self._known:
                close = difflib.get_close_matches(str(name), self._known, n=1)
                hint = f" (did you mean {close[0]}?)" if close else ""
                self._problems.append(f"unknown key {reprlib.repr(name)}{hint}")
        if self._problems:
            message = f"{self._path}: {'; '.join(self._problems)}"
            if any(problem.startswith("unknown") for problem in self._problems):
                message += f"; known keys: {', '.join(self._known)}"
            raise UsageError(message)

    def _take(self, name: str, default: object) -> object:
        self._known.append(name)
        return self._values.get(name, default)

    def _refuse(self, name: str, wanted: str, value: object, hint: str = "") -> None:
        # reprlib keeps a huge or deeply aliased value from filling the screen.
        self._problems.append(
            f"{name} must be {wanted}, not {reprlib.repr(value)}{hint}"
        )


def _read_mapping(path: Path) -> dict[object, object]:
    if not path.is_file():
        message = f"the parameter file {path} is not there or is not a regular file"
        raise UsageError(message)
    with path.open("rb") as stream:
        content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        message = f"{path}: the parameter file has more than {MAX_FILE_BYTES} bytes"
        raise UsageError(message)
    try:
        document = yaml.safe_load(content)
    # ValueError: PyYAML lets it out for impossible dates and numbers.
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UsageError(_describe(path, error)) from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        message = f"{path}: a mapping (key: value) must stand here, not a "
        raise UsageError(message + type(document).__name__)
    return document


def _describe(path: Path, error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    # PyYAML's own text quotes the lines, which spreads over the screen.
    reason = getattr(error, "problem", None) or " ".join(str(error).split())
    line = f", line {mark.line + 1}" if mark else ""
    return f"{path}{line}: this is not valid YAML: {reason}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _mirror_problem(mirror: object) -> str | None:
    if not isinstance(mirror, str):
        return f"must be an address, not {reprlib.repr(mirror)}"
    try:
        parts = urlsplit(mirror)
        _ = parts.port  # reading it checks it
    except ValueError as error:
        return f"is not an address: {error}"
    absolute = parts.netloc in {"", "localhost"} and parts.path.startswith("/")
    checks = (
        # The address is left out of this message: it may hold a password.
        ("@" in parts.netloc, "holds a user name or password: not supported"),
        (
            not mirror.isascii() or not mirror.isprintable() or " " in mirror,
            f"must be percent-encoded: {reprlib.repr(mirror)}",
        ),
        (
            parts.scheme not in {"http", "https", "file"},
            f"must start with http://, https:// or file://: {reprlib.repr(mirror)}",
        ),
        (
            parts.scheme == "file" and not absolute,
            f"must be an absolute path like file:///data: {reprlib.repr(mirror)}",
        ),
        (
            parts.scheme != "file" and not parts.hostname,
            f"names no host: {reprlib.repr(mirror)}",
        ),
        (
            bool(parts.query or parts.fragment),
            f"must be a folder, without ? and #: {reprlib.repr(mirror)}",
        ),
    )
    return next((problem for wrong, problem in checks if wrong), None)
