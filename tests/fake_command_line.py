"""Plays the command line of a runner in this process, for tests of the suite.

What our own runners have is theirs: the files are read, and messages made, by the
command line of the runner for Docker. Several tasks and other hosts are added here.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.process import Ended
from mlcube_conformance.commands import job
from mlcube_conformance.commands import runner as cli
from mlcube_conformance.formats.yaml import read_yaml
from mlcube_conformance.suites.runner import command
from mlcube_conformance.suites.runner.probe import keys
from mlcube_conformance.suites.runner.probe import run as probe_run
from tests.fake_probe import FakeProbeRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pytest

#: What keys that are let in hold.
GOOD_KEY = "a key that is let in\n"
_REFUSED = 255
#: Words of a call that is about a cube.
_WORDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeCall:
    """One call of the runner, before or after it took place."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    stdout: Path
    stderr: Path
    code: int = 0
    """What it exited with, once it took place."""

    @property
    def scenario(self) -> str:
        """Name of the folder around the cube."""
        return self.stdout.parents[1].name

    @property
    def number(self) -> int:
        """How many calls on the cube there were, this one included."""
        return int(self.stdout.parent.name.partition("-")[2] or 0)

    def option(self, name: str) -> str:
        """Return the value of an option, or ""."""
        start = f"--{name}="
        found = [each for each in self.argv if each.startswith(start)]
        return found[-1].removeprefix(start) if found else ""

    @property
    def root(self) -> Path:
        """The cube."""
        return self.cwd / self.option("mlcube")

    @property
    def workspace(self) -> Path:
        """Where its tasks work."""
        given = self.option("workspace")
        return self.cwd / given if given else self.root / "workspace"

    def with_argv(self, argv: Sequence[str]) -> FakeCall:
        """Return the call with other words."""
        return replace(self, argv=tuple(argv))


#: What runs came to, so another session need not repeat them.
_PLAYED: dict[object, tuple[int, bytes, bytes, dict[str, _Entry]]] = {}
_MATTERS = ("HOME", "DOCKER_HOST", "http_proxy", "https_proxy")


def play(call: FakeCall) -> int:
    """Do what a call asks for, or again what it came to; return the exit code."""
    engine = call.option("platform")
    made_elsewhere = "configure" in call.argv and "singularity" in engine
    if len(call.argv) < _WORDS or made_elsewhere:
        return _play(call)
    folder = call.stdout.parents[1]
    before = _entries(folder)
    environment = [call.env.get(name) for name in _MATTERS]
    key = (call.argv, call.cwd, *environment, tuple(sorted(before.items())))
    if key not in _PLAYED:
        code = _play(call)
        after = _entries(folder)
        changed = {k: v for k, v in after.items() if before.get(k) != v}
        assert set(before) <= set(after), "runs remove nothing"
        said = call.stdout.read_bytes(), call.stderr.read_bytes()
        _PLAYED[key] = (code, *said, changed)
        return code
    code, out, err, changed = _PLAYED[key]
    call.stdout.write_bytes(out)
    call.stderr.write_bytes(err)
    for name, (kind, content) in changed.items():
        path = folder / name
        if kind == "folder":
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.write_bytes(content)
    return code


_Entry = tuple[str, bytes]


def _entries(folder: Path) -> dict[str, _Entry]:
    """Return what is in the folder around a cube, by path; folders come first."""
    found: dict[str, _Entry] = {}
    # Without a path for each: one run of the suite asks for tens of thousands.
    top = str(folder)
    for place, folders, files in os.walk(top):
        inner = place[len(top) + 1 :]
        if not inner:
            folders[:] = [each for each in folders if not each.startswith("call-")]
        found[inner or "."] = ("folder", b"")
        for name in files:
            with open(f"{place}/{name}", "rb", buffering=0) as file:  # noqa: PTH123
                content = file.readall()
            found[f"{inner}/{name}" if inner else name] = ("file", content)
    return found


def _play(call: FakeCall) -> int:
    call.stdout.write_bytes(b"")
    call.stderr.write_bytes(b"")
    if call.argv[0] == "fake-engine":
        return 0
    if call.argv[0] == "ssh-keygen":
        Path(call.argv[-1]).write_text("a key that nobody knows\n")
        return 0
    if call.argv[1] == "version":
        call.stdout.write_text("1\n")
        return 0
    for task in _tasks(call):
        words = [w for w in call.argv if not w.startswith("--task=")]
        code = _on_platform(call.with_argv([*words, *task]))
        if code:
            return code
    return 0


def _tasks(call: FakeCall) -> list[list[str]]:
    given = call.option("task")
    names = [each.strip() for each in given.split(",")] if given else []
    return [[f"--task={each}"] for each in names] or [[]]


def _on_platform(call: FakeCall) -> int:
    """Run on the platform that is named; a file may name another host."""
    platform = call.option("platform")
    kind = "singularity" if platform == "singularity" else "docker"
    file = call.cwd / platform
    more: list[str] = []
    if file.is_file() and (document := read_yaml(file)).get("host"):
        login = document.get("authentication")
        key = login.get("identity_file") if login else None
        if key is None or (file.parent / key.text()).read_text() != GOOD_KEY:
            with call.stderr.open("a") as err:
                err.write("the key is not let in\n")
            return _REFUSED
        inner = document.get("platform")
        kind = inner.text().removesuffix(".yaml") if inner else kind
        env = document.get("env")
        variables = env.get("variables") if env else None
        for name, value in variables.items() if variables else ():
            more.append(f"--env={name}={value.text()}")
        platform = kind
    words = [w for w in call.argv[1:] if not w.startswith("--platform=")]
    if "--help" not in words:
        words += [f"--platform={platform}", *more]
    return _our_command_line(call, kind, words)


def _our_command_line(call: FakeCall, kind: str, words: Sequence[str]) -> int:
    with _as_process(call, ["fake-runner", *words]):
        try:
            cli.run_command_line(kind, "fake-runner")
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else 1


@contextmanager
def _as_process(call: FakeCall, argv: list[str]) -> Iterator[None]:
    """Give this process the arguments, environment, folder and streams of a call."""
    before = dict(os.environ), sys.argv, Path.cwd()
    os.environ.clear()
    os.environ.update(call.env)
    sys.argv = argv
    os.chdir(call.cwd)
    out, err = io.BytesIO(), io.BytesIO()
    try:
        with (
            redirect_stdout(io.TextIOWrapper(out, write_through=True)) as text,
            redirect_stderr(io.TextIOWrapper(err, write_through=True)) as said,
        ):
            yield
            text.flush()
            said.flush()
    finally:
        os.environ.clear()
        os.environ.update(before[0])
        sys.argv = before[1]
        os.chdir(before[2])
        for file, stream in ((call.stdout, out), (call.stderr, err)):
            with file.open("ab") as log, suppress(ValueError):
                log.write(stream.getvalue())


def install(
    monkeypatch: pytest.MonkeyPatch, mutate: Callable[[FakeCall], int] = play
) -> None:
    """Have the suite call the fake runner instead of starting processes."""

    def run_process(
        argv: Sequence[str],
        *,
        stdout: Path,
        stderr: Path,
        timeout: float,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        begun: Callable[[int], None] | None = None,
        waiting: Callable[[float], None] | None = None,
    ) -> Ended:
        del timeout, begun, waiting
        code = mutate(
            FakeCall(
                argv=tuple(argv),
                cwd=cwd or Path.cwd(),
                env=env or {},
                stdout=stdout,
                stderr=stderr,
            )
        )
        return Ended(exit_code=code, timed_out=False, seconds=0.0)

    # By the modules themselves: sessions in this process load others of that name, but
    # for those that were there before.
    monkeypatch.setattr(command, "run_process", run_process)
    monkeypatch.setattr(keys, "run_process", run_process)
    monkeypatch.setattr(probe_run, "_SEVERAL_BEATS", 0)
    monkeypatch.setattr(job, "make_runner", lambda _, run_id: FakeProbeRunner(run_id))
