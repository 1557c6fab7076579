"""The MNIST cube through its own command line: exit code, messages and files."""

from __future__ import annotations

import ast
import contextlib
import gzip
import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.formats.platforms import find_platform, load_platform
from mlcube_conformance.runners.contract import ConfigureRequest, Options, Watch
from mlcube_conformance.runners.local.runner import LocalRunner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CUBE = Path(__file__).resolve().parents[2] / "cubes" / "mnist"
PROGRAM = CUBE / "build" / "mnist.py"
TRAIN_IMAGES = "train-images-idx3-ubyte.gz"
TRAIN_LABELS = "train-labels-idx1-ubyte.gz"
TEST_IMAGES = "t10k-images-idx3-ubyte.gz"
TEST_LABELS = "t10k-labels-idx1-ubyte.gz"
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)
REAL_FILES = "MLCUBE_CONFORMANCE_MNIST"
NOT_MNIST = "these are NOT the MNIST files"
NO_PROXY = {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}

Outcome = subprocess.CompletedProcess[str]


class Mirror(ThreadingHTTPServer):
    """Serves bytes from memory and can be told to misbehave."""

    daemon_threads = True

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """Listen on a free port of the loopback interface."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = dict(files)
        self.ranges = True
        self.drops: dict[str, int] = {}  # name -> bytes until the connection ends
        self.statuses: list[int] = []  # answered first, one a request
        self.asked: list[tuple[str, str | None]] = []
        self.silent = threading.Event()

    @property
    def url(self) -> str:
        """The address of the folder with the files."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        mirror, name = self.server, self.path.rpartition("/")[2]
        wanted = self.headers.get("Range")
        mirror.asked.append((name, wanted))
        if mirror.silent.is_set():
            time.sleep(30)
        if mirror.statuses:
            self.send_error(mirror.statuses.pop(0))
            return
        if name not in mirror.files:
            self.send_error(404)
            return
        content = mirror.files[name]
        start = int(wanted[6:-1]) if wanted and mirror.ranges else 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            field = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.send_header("Content-Range", field)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = start + mirror.drops.pop(name, len(content))
        with contextlib.suppress(OSError):
            self.wfile.write(content[start:end])

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def serve(files: Mapping[str, bytes]) -> Iterator[Mirror]:
    with Mirror(files) as mirror:
        thread = threading.Thread(target=mirror.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield mirror
        finally:
            mirror.shutdown()
            thread.join()


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with serve({}) as server:
        yield server


@pytest.fixture(scope="module")
def real() -> dict[str, bytes]:
    folder = os.environ.get(REAL_FILES)
    if not folder:
        pytest.skip(f"set {REAL_FILES} to a folder with the four MNIST files")
    return {name: (Path(folder) / name).read_bytes() for name in FILES}


@pytest.fixture
def real_mirror(real: dict[str, bytes]) -> Iterator[Mirror]:
    with serve(real) as server:
        yield server


def mnist(
    *arguments: object,
    seconds: float = 60,
    python: str = sys.executable,
    more: Mapping[str, str] = NO_PROXY,
) -> Outcome:
    outcome = subprocess.run(
        [python, str(PROGRAM), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env={**os.environ, **more},
    )
    assert "Traceback" not in outcome.stdout + outcome.stderr
    return outcome


@cache
def python_of_train() -> str:
    """Return the Python of the cube's own environment, made if need be."""
    cube = load_cube(CUBE, "mnist").cube
    platform, _ = load_platform(find_platform("local", cube), cube)
    assert platform is not None
    with tempfile.TemporaryDirectory() as folder:
        image = LocalRunner("tests").configure(
            ConfigureRequest(
                cube=cube,
                platform=platform,
                options=Options(),
                log=Path(folder) / "configure.log",
                watch=Watch(),
            )
        )
    return str(Path(image.name) / "bin" / "python")


def write_parameters(folder: Path, text: str | Mapping[str, object]) -> Path:
    path = folder / "parameters.yaml"
    path.write_text(text if isinstance(text, str) else yaml.safe_dump(dict(text)))
    return path


def download(folder: Path, *mirrors: str, **more: object) -> Outcome:
    values = {"mirrors": list(mirrors), "attempts": 2, "timeout_seconds": 5}
    return mnist(
        "download",
        f"--parameters_file={write_parameters(folder, values | more)}",
        f"--data_dir={folder / 'data'}",
        f"--log_dir={folder / 'logs'}",
    )


def train(folder: Path, parameters: str | Mapping[str, object] = "") -> Outcome:
    return mnist(
        "train",
        f"--data_dir={folder / 'data'}",
        f"--parameters_file={write_parameters(folder, parameters)}",
        f"--log_dir={folder / 'logs'}",
        f"--model_dir={folder / 'model'}",
        seconds=240,
        python=python_of_train(),
    )


def images(count: int = 4, magic: int = 0x803, side: int = 28) -> bytes:
    header = struct.pack(">IIII", magic, count, side, side)
    return gzip.compress(
        header + bytes(range(256)) * (count * side * side // 256 + 1), mtime=0
    )


def exact_images(count: int) -> bytes:
    pixels = (bytes(range(256)) * (count * 4))[: count * 784]
    return gzip.compress(struct.pack(">IIII", 0x803, count, 28, 28) + pixels, mtime=0)


def labels(count: int = 4, highest: int = 9) -> bytes:
    values = bytes((highest - number) % (highest + 1) for number in range(count))
    return gzip.compress(struct.pack(">II", 0x801, count) + values, mtime=0)


def small_data(folder: Path, count: int = 64) -> Path:
    data = folder / "data"
    data.mkdir()
    for name in FILES:
        content = exact_images(count) if "images" in name else labels(count)
        (data / name).write_bytes(content)
    return data


def assert_real_files(folder: Path, real: Mapping[str, bytes]) -> None:
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert found == dict(real)


# The definition


def test_tasks_and_invocations_bind_the_same_names() -> None:
    root = yaml.safe_load((CUBE / "mlcube.yaml").read_text())
    for entry in root["tasks"]:
        task = yaml.safe_load((CUBE / entry).read_text())
        invocation = yaml.safe_load((CUBE / "run" / Path(entry).name).read_text())
        for kind in ("input", "output"):
            names = [parameter["name"] for parameter in task[f"{kind}s"]]
            assert list(invocation[f"{kind}_binding"]) == names
        for parameter in task["inputs"] + task["outputs"]:
            assert set(parameter) == {"name", "type", "description"}


def test_requirements_are_pinned() -> None:
    lines = (CUBE / "build" / "requirements.txt").read_text().split()
    assert lines
    assert all(re.fullmatch(r"[A-Za-z]+==[\d.]+", line) for line in lines)


def test_cube_never_imports_the_package() -> None:
    for path in (CUBE / "build").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in getattr(node, "names", [])]
            names.append(getattr(node, "module", None) or "")
            assert not any(name.startswith("mlcube_conformance") for name in names)


def test_download_does_not_import_the_heavy_libraries(tmp_path: Path) -> None:
    # Modules that break when imported stand in for PyTorch and its like.
    for name in ("torch", "matplotlib", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported')")
    values = write_parameters(tmp_path, {"mirrors": ["file:///nowhere"]})
    outcome = subprocess.run(
        [
            sys.executable,
            str(PROGRAM),
            "download",
            f"--parameters_file={values}",
            f"--data_dir={tmp_path / 'data'}",
            f"--log_dir={tmp_path / 'logs'}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert outcome.returncode == 1
    assert "imported" not in outcome.stderr
    assert "no mirror delivers" in outcome.stderr


# Arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "required: TASK"),
        (("fly",), "invalid choice: 'fly' (choose from 'download', 'train', 'digits')"),
        (("download",), "required: --parameters_file"),
        (("download", "--data_dir=x"), "--log_dir"),
        (("train", "--data_dir=x", "--log_dir=y"), "--model_dir"),
        (("digits",), "required: --mirror"),
        (("train", "--data_dir="), "the path is empty"),
        (("train", "--data=x"), "required: --data_dir"),
    ],
)
def test_wrong_arguments_exit_2(arguments: tuple[str, ...], message: str) -> None:
    outcome = mnist(*arguments)
    assert outcome.returncode == 2
    # Newer Pythons quote the choices less.
    assert message.replace("'", "") in outcome.stderr.replace("'", "")


def test_arguments_come_in_any_order_and_either_spelling(tmp_path: Path) -> None:
    values = write_parameters(tmp_path, {"mirrors": ["file:///nowhere"]})
    outcome = mnist(
        "download",
        "--log-dir",
        tmp_path / "logs",
        "--data_dir",
        tmp_path / "data",
        f"--parameters_file={values}",
    )
    assert outcome.returncode == 1
    assert "no mirror delivers" in outcome.stderr


# Parameter files


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mirror: [file:///x]", "unknown key 'mirror' (did you mean mirrors?)"),
        ("mirrors: file:///x", "mirrors must be a list of 1 to 32 addresses"),
        ("mirrors: []", "mirrors must be a list of 1 to 32 addresses"),
        ("mirrors: [ftp://x/y]", "mirror 1 must start with http://"),
        ("mirrors: [http://]", "mirror 1 names no host"),
        ("mirrors: ['http://x:y/']", "mirror 1 is not an address"),
        ("mirrors: [file://host/x]", "must be an absolute path like file:///data"),
        ("mirrors: ['http://x/?a=b']", "must be a folder, without ? and #"),
        ("attempts: 0", "attempts must be a whole number from 1 to 100, not 0"),
        ("attempts: yes", "attempts must be a whole number, not True"),
        ("timeout_seconds: .nan", "timeout_seconds must be a number from 0.1 to 3600"),
        ("deadline_seconds: 1e2", "write it as 1.0e-3, without quotes"),
        ("sha256: abc", "sha256 must be a mapping with the keys train-images"),
        ("sha256:", "sha256 must be a mapping with the keys train-images"),
        (f"sha256: {{{TEST_LABELS}: a}}", "must be a mapping with the keys"),
        (
            f"sha256: {{{', '.join(f'{name}: ABC' for name in FILES)}}}",
            f"sha256 of {TRAIN_IMAGES} must be 64 digits from 0 to f, not 'ABC'",
        ),
        ("- a", "a mapping (key: value) must stand here, not a list"),
        ("a: 1\nb: [", "parameters.yaml, line 2: this is not valid YAML: expected"),
        ("a: !!python/object/apply:os.getcwd []", "this is not valid YAML"),
        ("[" * 5000, "this is not valid YAML"),
        ("#" * 70_000, "has more than 65536 bytes"),
    ],
)
def test_wrong_download_parameters_exit_2(
    tmp_path: Path, text: str, message: str
) -> None:
    outcome = mnist(
        "download",
        f"--parameters_file={write_parameters(tmp_path, text)}",
        f"--data_dir={tmp_path / 'data'}",
        f"--log_dir={tmp_path / 'logs'}",
    )
    assert outcome.returncode == 2
    assert message in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert message in (tmp_path / "logs" / "mlcube_mnist_download.log").read_text()


def test_password_in_a_mirror_is_refused_and_not_shown(tmp_path: Path) -> None:
    outcome = download(tmp_path, "http://me:s3cret@127.0.0.1:9/")
    assert outcome.returncode == 2
    assert "holds a user name or password" in outcome.stderr
    assert "s3cret" not in outcome.stdout + outcome.stderr


def test_missing_parameter_file(tmp_path: Path) -> None:
    outcome = mnist(
        "download",
        f"--parameters_file={tmp_path / 'no.yaml'}",
        f"--data_dir={tmp_path / 'data'}",
        f"--log_dir={tmp_path / 'logs'}",
    )
    assert outcome.returncode == 2
    assert "no.yaml is not there or is not a regular file" in outcome.stderr


# Downloads that fail: no real file is needed


def test_404_everywhere_names_each_address_and_its_reason(
    tmp_path: Path, mirror: Mirror
) -> None:
    outcome = download(tmp_path, f"{mirror.url}/a", f"{mirror.url}/b/")
    assert outcome.returncode == 1
    assert f"{mirror.url}/a/{TRAIN_IMAGES}: HTTP 404 Not Found" in outcome.stderr
    assert f"{mirror.url}/b/{TRAIN_IMAGES}: HTTP 404 Not Found" in outcome.stderr
    assert len(mirror.asked) == 2  # what does not exist is not asked for again
    assert list((tmp_path / "data").iterdir()) == []


def test_unreachable_mirror(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    outcome = download(tmp_path, f"http://127.0.0.1:{port}", f"file://{tmp_path}/no")
    assert outcome.returncode == 1
    assert "Connection refused (2 tries)" in outcome.stderr
    assert f"file://{tmp_path}/no/{TRAIN_IMAGES}: No such file" in outcome.stderr


def test_wrong_size_is_refused_before_it_is_brought(
    tmp_path: Path, mirror: Mirror
) -> None:
    mirror.files[TRAIN_IMAGES] = b"<html>Welcome to this hotel</html>"
    outcome = download(tmp_path, mirror.url)
    assert outcome.returncode == 1
    assert "the file there has 34 bytes instead of 9912422" in outcome.stderr


def test_wrong_content_is_thrown_away(tmp_path: Path, mirror: Mirror) -> None:
    mirror.files[TRAIN_IMAGES] = bytes(9_912_422)
    outcome = download(tmp_path, mirror.url)
    assert outcome.returncode == 1
    assert "the content has a wrong SHA-256" in outcome.stderr
    assert list((tmp_path / "data").iterdir()) == []


def test_passing_error_is_tried_again(tmp_path: Path, mirror: Mirror) -> None:
    mirror.statuses = [503, 503, 503]
    outcome = download(tmp_path, mirror.url, attempts=3)
    assert outcome.returncode == 1
    assert "HTTP 503 Service Unavailable (3 tries)" in outcome.stderr
    assert len(mirror.asked) == 3


def test_dropped_connection_goes_on_where_it_ended(
    tmp_path: Path, mirror: Mirror
) -> None:
    mirror.files[TRAIN_IMAGES] = bytes(9_912_422)
    mirror.drops[TRAIN_IMAGES] = 1000
    outcome = download(tmp_path, mirror.url)
    assert "the connection ended after 1000 of 9912422 bytes" in outcome.stdout
    assert mirror.asked[:2] == [(TRAIN_IMAGES, None), (TRAIN_IMAGES, "bytes=1000-")]


def test_silent_mirror(tmp_path: Path, mirror: Mirror) -> None:
    mirror.silent.set()
    outcome = download(tmp_path, mirror.url, timeout_seconds=0.2)
    assert outcome.returncode == 1
    assert "silent for more than 0.2 s (2 tries)" in outcome.stderr


def test_deadline_ends_everything(tmp_path: Path, mirror: Mirror) -> None:
    mirror.silent.set()
    started = time.monotonic()
    outcome = download(tmp_path, mirror.url, deadline_seconds=1)
    assert outcome.returncode == 1
    assert f"the deadline of 1 s has passed while bringing {TRAIN_IMAGES}" in (
        outcome.stderr
    )
    assert time.monotonic() - started < 10


def test_redirect_to_another_scheme_is_refused(tmp_path: Path) -> None:
    class Redirect(_Handler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", f"file:///etc/passwd?{self.path}")
            self.end_headers()

    with serve({}) as mirror:
        mirror.RequestHandlerClass = Redirect
        outcome = download(tmp_path, mirror.url, attempts=1)
    assert outcome.returncode == 1
    assert "HTTP 302" in outcome.stderr


def test_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "data" / TRAIN_IMAGES).mkdir(parents=True)
    outcome = download(tmp_path, "file:///nowhere")
    assert outcome.returncode == 1
    assert "is a folder, but a file belongs there" in outcome.stderr


def test_file_in_the_place_of_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    outcome = download(tmp_path, "file:///nowhere")
    assert outcome.returncode == 1
    assert f"{tmp_path / 'data'}: File exists" in outcome.stderr


def test_term_signal_ends_the_task_with_a_message(
    tmp_path: Path, mirror: Mirror
) -> None:
    mirror.silent.set()
    values = write_parameters(tmp_path, {"mirrors": [mirror.url]})
    with subprocess.Popen(
        [
            sys.executable,
            str(PROGRAM),
            "download",
            f"--parameters_file={values}",
            f"--data_dir={tmp_path / 'data'}",
            f"--log_dir={tmp_path / 'logs'}",
        ],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | NO_PROXY,
    ) as process:
        deadline = time.monotonic() + 30
        while not mirror.asked and time.monotonic() < deadline:
            time.sleep(0.05)
        process.terminate()
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert errors == "mnist download: error: stopped by SIGTERM\n"


# Downloads of other files, whose hashes the parameters give


def sha256(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(files[name]).hexdigest() for name in FILES}


@pytest.fixture
def others(mirror: Mirror) -> dict[str, bytes]:
    """Return the files of a mirror that has something else than MNIST."""
    for name in FILES:
        mirror.files[name] = exact_images(4) if "images" in name else labels()
    return mirror.files


def test_given_hashes_are_checked_and_said_aloud(
    tmp_path: Path, mirror: Mirror, others: dict[str, bytes]
) -> None:
    outcome = download(tmp_path, mirror.url, sha256=sha256(others))
    assert outcome.returncode == 0, outcome.stderr
    assert_real_files(tmp_path / "data", others)
    log = (tmp_path / "logs" / "mlcube_mnist_download.log").read_text()
    for text in (outcome.stdout, log):
        assert NOT_MNIST in text
        assert f"in place in {tmp_path / 'data'} (not MNIST)" in text
    again = download(tmp_path, mirror.url, sha256=sha256(others))
    assert again.stdout.count("already there, its SHA-256 is right") == 4


def test_given_hash_that_is_not_met(
    tmp_path: Path, mirror: Mirror, others: dict[str, bytes]
) -> None:
    hashes = sha256(others)
    mirror.files[TEST_LABELS] = labels(5)
    outcome = download(tmp_path, mirror.url, sha256=hashes)
    assert outcome.returncode == 1
    assert f"{TEST_LABELS}: the content has a wrong SHA-256" in outcome.stderr
    assert not (tmp_path / "data" / TEST_LABELS).exists()


@pytest.mark.usefixtures("others")
def test_other_files_are_refused_without_given_hashes(
    tmp_path: Path, mirror: Mirror
) -> None:
    outcome = download(tmp_path, mirror.url)
    assert outcome.returncode == 1
    assert "bytes instead of 9912422" in outcome.stderr
    assert NOT_MNIST not in outcome.stdout


def test_other_files_of_an_earlier_download_are_not_taken_for_mnist(
    tmp_path: Path, mirror: Mirror, others: dict[str, bytes]
) -> None:
    assert download(tmp_path, mirror.url, sha256=sha256(others)).returncode == 0
    outcome = download(tmp_path, "file:///nowhere")
    assert outcome.returncode == 1
    assert f"{TRAIN_IMAGES}: there, but with a wrong SHA-256" in outcome.stdout


def test_dropped_connection_goes_on_without_a_known_size(
    tmp_path: Path, mirror: Mirror, others: dict[str, bytes]
) -> None:
    mirror.drops[TRAIN_IMAGES] = 20
    outcome = download(tmp_path, mirror.url, sha256=sha256(others))
    assert outcome.returncode == 0, outcome.stderr
    assert (TRAIN_IMAGES, "bytes=20-") in mirror.asked
    assert_real_files(tmp_path / "data", others)


@pytest.mark.parametrize(
    ("length", "message"),
    [
        (None, "it does not say how many bytes the file there has"),
        (10**12, "has 1000000000000 bytes, more than 104857600"),
    ],
)
def test_size_that_nobody_knows_is_bounded(
    tmp_path: Path, length: int | None, message: str
) -> None:
    class Boundless(_Handler):
        def do_GET(self) -> None:
            self.send_response(200)
            if length is not None:
                self.send_header("Content-Length", str(length))
            self.end_headers()

    with serve({}) as mirror:
        mirror.RequestHandlerClass = Boundless
        hashes = dict.fromkeys(FILES, "0" * 64)
        outcome = download(tmp_path, mirror.url, sha256=hashes)
    assert outcome.returncode == 1
    assert message in outcome.stderr


# Downloads of the real files


def test_given_hashes_of_mnist_are_mnist(
    tmp_path: Path, real_mirror: Mirror, real: dict[str, bytes]
) -> None:
    outcome = download(tmp_path, real_mirror.url, sha256=sha256(real))
    assert outcome.returncode == 0, outcome.stderr
    assert "not mnist" not in outcome.stdout.lower()
    assert_real_files(tmp_path / "data", real)


def test_download_and_again_without_asking(
    tmp_path: Path, real_mirror: Mirror, real: dict[str, bytes]
) -> None:
    outcome = download(tmp_path, real_mirror.url)
    assert outcome.returncode == 0, outcome.stderr
    assert_real_files(tmp_path / "data", real)
    real_mirror.asked.clear()
    again = download(tmp_path, real_mirror.url)
    assert again.returncode == 0
    assert again.stdout.count("already there, its SHA-256 is right") == 4
    assert real_mirror.asked == []


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_dropped_connection_is_resumed(
    tmp_path: Path, real_mirror: Mirror, real: dict[str, bytes], *, ranges: bool
) -> None:
    real_mirror.drops[TRAIN_IMAGES] = 5_000_000
    real_mirror.ranges = ranges
    outcome = download(tmp_path, real_mirror.url)
    assert outcome.returncode == 0, outcome.stderr
    assert (TRAIN_IMAGES, "bytes=5000000-") in real_mirror.asked
    assert_real_files(tmp_path / "data", real)


@pytest.mark.parametrize(
    "left",
    [b"", b"x" * 100, b"x" * 4542, b"x" * 9999],
    ids=["nothing", "wrong beginning", "wrong whole", "too long"],
)
def test_any_leftover_is_overcome(
    tmp_path: Path, real_mirror: Mirror, real: dict[str, bytes], left: bytes
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / f"{TEST_LABELS}.part").write_bytes(left)
    outcome = download(tmp_path, real_mirror.url)
    assert outcome.returncode == 0, outcome.stderr
    assert_real_files(tmp_path / "data", real)


def test_range_not_satisfiable_begins_anew(
    tmp_path: Path, real_mirror: Mirror, real: dict[str, bytes]
) -> None:
    (tmp_path / "data").mkdir()
    part = tmp_path / "data" / f"{TRAIN_IMAGES}.part"
    part.write_bytes(real[TRAIN_IMAGES][:1000])
    real_mirror.statuses = [416]
    outcome = download(tmp_path, real_mirror.url)
    assert outcome.returncode == 0, outcome.stderr
    assert real_mirror.asked[1] == (TRAIN_IMAGES, None)
    assert_real_files(tmp_path / "data", real)


def test_damaged_file_is_fetched_again(
    tmp_path: Path, real_mirror: Mirror, real: dict[str, bytes]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / TEST_LABELS).write_bytes(b"damaged")
    outcome = download(tmp_path, real_mirror.url)
    assert outcome.returncode == 0, outcome.stderr
    assert "there, but with a wrong SHA-256" in outcome.stdout
    assert_real_files(tmp_path / "data", real)


def test_next_mirror_goes_on_with_what_the_first_began(
    tmp_path: Path, mirror: Mirror, real_mirror: Mirror, real: dict[str, bytes]
) -> None:
    mirror.files[TRAIN_IMAGES] = real[TRAIN_IMAGES]
    mirror.drops[TRAIN_IMAGES] = 1_000_000
    outcome = download(tmp_path, mirror.url, real_mirror.url, attempts=1)
    assert outcome.returncode == 0, outcome.stderr
    assert real_mirror.asked[0] == (TRAIN_IMAGES, "bytes=1000000-")
    assert_real_files(tmp_path / "data", real)


def test_file_mirror(tmp_path: Path, real: dict[str, bytes]) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name, content in real.items():
        (source / name).write_bytes(content)
    outcome = download(tmp_path, source.as_uri())
    assert outcome.returncode == 0, outcome.stderr
    assert_real_files(tmp_path / "data", real)


def test_two_downloads_at_once(
    tmp_path: Path, real_mirror: Mirror, real: dict[str, bytes]
) -> None:
    outcomes: list[Outcome] = []
    threads = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data").symlink_to(tmp_path / "shared")
        (tmp_path / "shared").mkdir(exist_ok=True)

        def bring(folder: Path = tmp_path / name) -> None:
            outcomes.append(download(folder, real_mirror.url))

        threads.append(threading.Thread(target=bring))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.returncode for outcome in outcomes] == [0, 0]
    assert len(real_mirror.asked) == 4
    assert_real_files(tmp_path / "shared", real)


# Training


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch: 3", "unknown key 'epoch' (did you mean epochs?)"),
        ("epochs: many", "epochs must be a whole number, not 'many'"),
        ("epochs: 1.5", "epochs must be a whole number, not 1.5"),
        ("batch_size: 1", "batch_size must be a whole number from 2 to 60000, not 1"),
        ("learning_rate: 1e-3", "(to YAML this is text: write it as 1.0e-3"),
        ("seed: -1", "seed must be a whole number from 0"),
        ("device: tpu", "device must be one of auto, cpu, cuda, not 'tpu'"),
        ("epochs: 0\nseed: x", "; seed must be a whole number, not 'x'"),
    ],
)
def test_wrong_train_parameters_exit_2(tmp_path: Path, text: str, message: str) -> None:
    outcome = train(tmp_path, text)
    assert outcome.returncode == 2
    assert message in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def test_train_without_data(tmp_path: Path) -> None:
    outcome = train(tmp_path)
    assert outcome.returncode == 2
    assert f"the data folder {tmp_path / 'data'} is not there" in outcome.stderr


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (TRAIN_IMAGES, None, "is not there or is not a regular file"),
        (TRAIN_IMAGES, b"no gzip", "is not a sound gzip file"),
        (TRAIN_IMAGES, exact_images(64)[:-40], "is truncated"),
        (TRAIN_IMAGES, gzip.compress(b"\0\0", mtime=0), "it ends within its header"),
        (TRAIN_IMAGES, images(magic=0x801), "magic number 0x00000801 found"),
        (TRAIN_IMAGES, images(side=32), "images of [32, 32] pixels found"),
        (TRAIN_IMAGES, images(count=4), "goes on after the 4 items"),
        (TRAIN_IMAGES, exact_images(63), "holds 63 images, but"),
        (
            TRAIN_IMAGES,
            gzip.compress(struct.pack(">IIII", 0x803, 2**32 - 1, 28, 28), mtime=0),
            "it announces 4294967295 items, 1 to 100000 are allowed",
        ),
        (
            TRAIN_IMAGES,
            gzip.compress(struct.pack(">IIII", 0x803, 5, 28, 28) + bytes(784), mtime=0),
            "is truncated: 784 of 3920 bytes are there",
        ),
        (TEST_LABELS, labels(64, highest=10), "label 10 is none of 0 to 9"),
        (TEST_LABELS, labels(0), "it announces 0 items"),
    ],
)
def test_broken_data_is_refused(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    data = small_data(tmp_path)
    if content is None:
        (data / name).unlink()
    else:
        (data / name).write_bytes(content)
    outcome = train(tmp_path)
    assert outcome.returncode == 1
    assert name in outcome.stderr
    assert message in outcome.stderr
    assert not (tmp_path / "logs" / "metrics.json").exists()
    assert not (tmp_path / "model").exists()


#: A training that takes as long as the import of PyTorch.
SHORT = {"epochs": 2, "batch_size": 16, "device": "cpu", "threads": 1}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with small data, and what one training on them left."""
    folder = tmp_path_factory.mktemp("trained")
    small_data(folder)
    outcome = train(folder, SHORT)
    assert outcome.returncode == 0, outcome.stderr
    return folder


def test_train_writes_every_result_and_the_same_twice(
    trained: Path, tmp_path: Path
) -> None:
    small_data(tmp_path)
    outcome = train(tmp_path, SHORT)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stderr == ""
    weights = {(each / "model/model.pt").read_bytes() for each in (trained, tmp_path)}
    assert len(weights) == 1
    metrics: dict[str, Any] = json.loads(
        (tmp_path / "logs" / "metrics.json").read_text()
    )
    assert metrics["data"] == "not MNIST"
    assert metrics["train_images"] == metrics["test_images"] == 64
    assert [epoch["number"] for epoch in metrics["epochs"]] == [1, 2]
    assert metrics["parameters"]["batch_size"] == 16
    assert metrics["device"] == "cpu"
    curve = (tmp_path / "logs" / "training_curve.png").read_bytes()
    assert curve.startswith(b"\x89PNG")
    assert b"Training curve, data: not MNIST" in curve
    assert {path.name for path in (tmp_path / "model").iterdir()} == {
        "model.pt",
        "model.pt2",
    }
    assert {path.name for path in (tmp_path / "logs").iterdir()} == {
        "metrics.json",
        "mlcube_mnist_train.log",
        "training_curve.png",
    }
    log = (tmp_path / "logs" / "mlcube_mnist_train.log").read_text()
    assert "epoch 2 of 2" in log
    for text in (log, outcome.stdout):
        assert f"data: not MNIST (another SHA-256: {', '.join(FILES)})" in text
        assert "data: not MNIST, test accuracy" in text


def test_exported_model_needs_no_code_of_the_cube(trained: Path) -> None:
    code = (
        "import sys, torch; m = torch.export.load(sys.argv[1]).module();"
        "print([tuple(m(torch.rand(n, 1, 28, 28)).shape) for n in (1, 2, 77)])"
    )
    outcome = subprocess.run(
        [python_of_train(), "-c", code, str(trained / "model" / "model.pt2")],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert outcome.stdout.strip() == "[(1, 10), (2, 10), (77, 10)]"


def test_failed_training_leaves_the_results_of_the_last_one(
    trained: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(trained, tmp_path / "copy"))
    before = (folder / "model" / "model.pt").read_bytes()
    (folder / "data" / TRAIN_LABELS).write_bytes(b"")
    outcome = train(folder)
    assert outcome.returncode == 1
    assert (folder / "model" / "model.pt").read_bytes() == before


@pytest.mark.parametrize("all_real", [True, False], ids=["all", "half"])
def test_train_knows_mnist_by_all_four_files(
    tmp_path: Path, real: dict[str, bytes], *, all_real: bool
) -> None:
    data = small_data(tmp_path)
    for name in FILES if all_real else (TEST_IMAGES, TEST_LABELS):
        (data / name).write_bytes(real[name])
    outcome = train(tmp_path, {"epochs": 1, "batch_size": 1000, "device": "cpu"})
    assert outcome.returncode == 0, outcome.stderr
    metrics = json.loads((tmp_path / "logs" / "metrics.json").read_text())
    curve = (tmp_path / "logs" / "training_curve.png").read_bytes()
    if all_real:
        assert metrics["data"] == "MNIST"
        assert b"data: MNIST" in curve
        assert "data: MNIST\n" in outcome.stdout
    else:
        assert metrics["data"] == "not MNIST"
        assert b"data: not MNIST" in curve
        assert f"another SHA-256: {TRAIN_IMAGES}, {TRAIN_LABELS})" in outcome.stdout


# The digits that stand in for MNIST


def needs_digits() -> None:
    if importlib.util.find_spec("sklearn") is None:
        pytest.skip("the digits need scikit-learn, of the extra demo")


def test_digits_without_scikit_learn(tmp_path: Path) -> None:
    (tmp_path / "sklearn.py").write_text("raise ImportError('first\\nsecond')")
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").touch()
    (tmp_path / "numpy" / "typing.py").write_text("NDArray = None")
    outcome = mnist(
        "digits", f"--mirror={tmp_path / 'mirror'}", more={"PYTHONPATH": str(tmp_path)}
    )
    assert outcome.returncode == 1
    assert outcome.stderr == (
        "mnist digits: error: digits needs scikit-learn, which is not installed here "
        "(first second)\n"
    )
    assert not (tmp_path / "mirror").exists()


def test_digits_make_a_mirror_that_download_takes(tmp_path: Path) -> None:
    needs_digits()
    mirrors = [tmp_path / "a mirror", tmp_path / "another"]
    for folder in mirrors:
        outcome = mnist("digits", f"--mirror={folder}")
        assert outcome.returncode == 0, outcome.stderr
        assert "handwritten digits of scikit-learn: NOT the MNIST" in outcome.stdout
    first, second = [{n: (m / n).read_bytes() for n in FILES} for m in mirrors]
    assert first == second

    counts = {}
    for name in (TRAIN_LABELS, TEST_LABELS):
        content = gzip.decompress(first[name])
        assert struct.unpack(">II", content[:8]) == (0x801, len(content) - 8)
        counts[name] = [content[8:].count(digit) for digit in range(10)]
    assert counts[TEST_LABELS] == [30] * 10
    assert sum(counts[TRAIN_LABELS]) == 1497
    for name, count in ((TRAIN_IMAGES, 1497), (TEST_IMAGES, 300)):
        content = gzip.decompress(first[name])
        assert struct.unpack(">IIII", content[:16]) == (0x803, count, 28, 28)
        pixels = content[16:]
        assert len(pixels) == count * 784
        assert max(pixels) == 255
        rows = [pixels[start : start + 28] for start in range(0, len(pixels), 28)]
        # The middle 20 rows and columns, and nothing around them.
        used = [any(any(row) for row in rows[number::28]) for number in range(28)]
        assert used == [False] * 4 + [True] * 20 + [False] * 4
        assert not any(any(row[:4]) or any(row[24:]) for row in rows)

    outcome = mnist(
        "download",
        f"--parameters_file={mirrors[0] / 'download.parameters.yaml'}",
        f"--data_dir={tmp_path / 'data'}",
        f"--log_dir={tmp_path / 'logs'}",
    )
    assert outcome.returncode == 0, outcome.stderr
    assert NOT_MNIST in outcome.stdout
    assert_real_files(tmp_path / "data", first)


def test_digits_are_learnt(tmp_path: Path) -> None:
    needs_digits()
    assert mnist("digits", f"--mirror={tmp_path / 'data'}").returncode == 0
    parameters = (tmp_path / "data" / "train.parameters.yaml").read_text()
    outcome = train(tmp_path, parameters)
    assert outcome.returncode == 0, outcome.stderr
    metrics = json.loads((tmp_path / "logs" / "metrics.json").read_text())
    assert metrics["data"] == "not MNIST"
    assert metrics["test_accuracy"] > 0.95
