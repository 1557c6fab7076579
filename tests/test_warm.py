"""What a module sees that runs with its imports done, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests import warm

if TYPE_CHECKING:
    from pathlib import Path

_TELL = """\
import json, os, sys
umask = os.umask(0)
print(json.dumps({
    "words": sys.argv[1:], "name": __name__, "folder": os.getcwd(),
    "variable": os.environ.get("ODD"), "umask": umask, "read": sys.stdin.read(),
    "files": sorted(os.listdir("/proc/self/fd"))[:-1], "warm": "pytest" in sys.modules,
    "encoding": sys.stdout.encoding, "path": sys.path,
}))
print("to the other stream", file=sys.stderr)
sys.exit(7)
"""


def _module(place: Path, name: str, text: str) -> str:
    (place / f"{name}.py").write_text(text, encoding="utf-8")
    return name


def _run(
    words: tuple[str, ...], place: Path, **more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*words, "a b", "ü"],
        cwd=place,
        env={**os.environ, "PYTHONPATH": "elsewhere:.", **more},
        input="line\n",
        capture_output=True,
        text=True,
        timeout=60,
        umask=0o27,
        check=False,
    )


def test_it_is_given_what_a_program_is_given(tmp_path: Path) -> None:
    module = _module(tmp_path, "tell", _TELL)
    told = []
    for words in (warm.python(module), (sys.executable, "-m", module)):
        done = _run(words, tmp_path, ODD="\xf6\udcff")
        assert (done.returncode, done.stderr) == (7, "to the other stream\n")
        told.append(json.loads(done.stdout))

    warm_one, plain = told
    assert (warm_one.pop("warm"), plain.pop("warm")) == (True, False)
    assert warm_one == plain
    assert plain["folder"] == str(tmp_path)
    assert plain["umask"] == 0o27


def test_workers_of_pytest_find_modules_of_the_folder(tmp_path: Path) -> None:
    _module(tmp_path, "theirs", "")
    _module(tmp_path, "test_it", "import theirs\ndef test_it(): pass")

    done = subprocess.run(
        [*warm.python("pytest"), "-n1", "-p", "theirs", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_other_variables_of_python_start_python(tmp_path: Path) -> None:
    module = _module(tmp_path, "tell", _TELL)

    done = _run(warm.python(module), tmp_path, PYTHONIOENCODING="iso8859-1", TZ="UTC")

    assert done.returncode == 7
    told = json.loads(done.stdout)
    assert (told["warm"], told["encoding"]) == (False, "iso8859-1")


@pytest.mark.parametrize("name", ["sitecustomize", "json", "mlcube_conformance"])
def test_other_modules_start_python(tmp_path: Path, name: str) -> None:
    module = _module(tmp_path, "tell", _TELL)
    _module(tmp_path, name, "")

    done = _run(warm.python(module), tmp_path)

    assert "partially initialized" not in done.stderr
    assert done.returncode == (1 if name == "json" else 7)


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE]
)
def test_end_by_a_signal_is_an_end_by_that_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    text = (
        "import os, signal\n"
        f"if {number.value} != signal.SIGKILL:\n"
        f"    signal.signal({number.value}, signal.SIG_DFL)\n"
        f"os.kill(os.getpid(), {number.value})\n"
    )

    done = _run(warm.python(_module(tmp_path, number.name, text)), tmp_path)

    assert (done.returncode, done.stderr) == (-number, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_reaches_the_program(tmp_path: Path, number: signal.Signals) -> None:
    # A signal that comes just before a wait would not end it, if a handler took it.
    text = (
        "import signal\n"
        f"signal.pthread_sigmask(signal.SIG_BLOCK, [{number.value}])\n"
        "print('here', flush=True)\n"
        f"raise SystemExit(9 if signal.sigtimedwait([{number.value}], 60) else 1)\n"
    )
    words = warm.python(_module(tmp_path, "listens", text))
    variables = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=variables) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        process.send_signal(number)
        assert process.wait(timeout=30) == 9


def test_text_of_a_program_is_run(tmp_path: Path) -> None:
    told = []
    for words in (warm.python("-c"), (sys.executable, "-c")):
        done = _run((*words, _TELL), tmp_path)
        assert (done.returncode, done.stderr) == (7, "to the other stream\n")
        told.append(json.loads(done.stdout))

    warm_one, plain = told
    assert (warm_one.pop("warm"), plain.pop("warm")) == (True, False)
    assert warm_one == plain


@pytest.mark.parametrize("sent", [b"", b"\0\0\0", (99).to_bytes(8) + b"half"])
def test_who_ends_before_it_has_asked_ends_nothing(tmp_path: Path, sent: bytes) -> None:
    words = warm.python(_module(tmp_path, "tell", _TELL))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(warm.server())
        client.sendall(sent)

    assert _run(words, tmp_path).returncode == 7


def test_who_waits_no_more_leaves_nothing_behind(tmp_path: Path) -> None:
    text = "import time\nprint('here', flush=True)\ntime.sleep(60)\n"
    words = warm.python(_module(tmp_path, "sleeps", text))
    variables = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=variables) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        began = time.monotonic()
        process.kill()
        # The pipe ends when the last one that holds it has ended.
        assert process.stdout.read() == b""
    assert time.monotonic() - began < 30
