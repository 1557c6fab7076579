"""The reference cube on each platform, on the real data."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
import yaml

from tests import warm
from tests.command import call as run_command
from tests.conftest import chromium
from tests.integration.test_ssh import OF_APPTAINER
from tests.results.test_html import in_browser
from tests.ssh_hosts import SshHost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import RunSuite
    from tests.cube_folders import CubeFolder

ROOT = Path(__file__).resolve().parents[2]
CUBE = ROOT / "examples" / "mnist"
LABELS = "train-labels-idx1-ubyte.gz"
#: What the two tasks leave, the same on every platform.
OUTPUTS = {
    "data/t10k-images-idx3-ubyte.gz",
    "data/t10k-labels-idx1-ubyte.gz",
    "data/train-images-idx3-ubyte.gz",
    "data/train-labels-idx1-ubyte.gz",
    "download_logs/mlcube_mnist_download.log",
    "model/model.pt",
    "model/model.pt2",
    "train_logs/metrics.json",
    "train_logs/mlcube_mnist_train.log",
    "train_logs/training_curve.png",
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ...]]:
    """Return the options that reach MNIST: a mirror on this machine, if it has one.

    Without the files, the cube's own mirrors are used, as a user's run does.
    """
    folder = os.environ.get("MLCUBE_CONFORMANCE_MNIST")
    if not folder:
        _skip_without_public_mirrors()
        yield ()
        return
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    parameters = tmp_path_factory.mktemp("mirror") / "download.parameters.yaml"
    address = f"http://127.0.0.1:{server.server_address[1]}"
    parameters.write_text(f"mirrors: [{address}]\n", encoding="utf-8")
    yield ("--parameter", f"download.parameters_file={parameters}", "--network", "host")
    server.shutdown()
    server.server_close()


def _skip_without_public_mirrors() -> None:
    parameters = CUBE / "workspace/parameters/download.parameters.yaml"
    mirrors = yaml.safe_load(parameters.read_text(encoding="utf-8"))["mirrors"]
    for mirror in mirrors:
        try:
            urlopen(f"{mirror}/{LABELS}", timeout=10).close()  # noqa: S310 - ours
        except OSError:
            continue
        return
    pytest.skip(
        "no public mirror of MNIST can be reached; MLCUBE_CONFORMANCE_MNIST may name "
        "a folder with its files"
    )


@pytest.fixture(scope="module")
def base_image() -> tuple[str, ...]:
    """Return the options that name the base image, if the public one is not used."""
    name = os.environ.get("MLCUBE_CONFORMANCE_BASE_TORCH")
    return ("--build-arg", f"BASE_IMAGE={name}") if name else ()


@pytest.fixture
def cube(tmp_path: Path) -> Path:
    """Return a copy of the cube, whose workspace may be written to."""
    ignore = shutil.ignore_patterns("data", "model", "*_logs", "__pycache__")
    return Path(shutil.copytree(CUBE, tmp_path / "mnist", ignore=ignore))


@pytest.fixture(autouse=True)
def _place_for_the_image(request: pytest.FixtureRequest) -> None:
    """Skip where the user may not make the folder that the cube's README mentions."""
    place = Path("/opt/singularity")
    if request.node.get_closest_marker("singularity") and not os.access(
        place if place.exists() else place.parent, os.W_OK
    ):
        pytest.skip(f"{place} cannot be written to, as the MNIST cube needs it")


def _check_files(workspace: Path) -> None:
    made = {
        str(each.relative_to(workspace))
        for folder in ("data", "download_logs", "model", "train_logs")
        for each in (workspace / folder).rglob("*")
    }
    assert made == OUTPUTS


def _metrics(workspace: Path) -> dict[str, float]:
    text = (workspace / "train_logs/metrics.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@pytest.mark.docker
@pytest.mark.singularity
def test_suite_passes_and_every_platform_agrees(
    run_suite: RunSuite,
    source: tuple[str, ...],
    base_image: tuple[str, ...],
    cube_folder: CubeFolder,
    tmp_path: Path,
) -> None:
    platforms = ("docker", "singularity", "local")

    run = run_suite(
        *("--cube", CUBE, "--keep", "all", "--record", tmp_path / "mnist.json"),
        *(word for each in platforms for word in ("--platform", each)),
        *source,
        *base_image,
    )

    assert run.exit_code == 0, run.output
    # The definitions once; for each platform its file, the image, two tasks and seven
    # of their promises; local cannot turn the network off.
    assert len(run.verdict("passed")) == len(run.outcomes) == 1 + 3 * 23 - 1 + 2
    same = "test_outputs_are_the_same_on_every_platform"
    assert {f"{same}[mnist-download]", f"{same}[mnist-train]"} <= set(run.outcomes)
    for platform in platforms:
        (kept,) = tmp_path.glob(f"place/.mlcube-conformance/*/mnist/{platform}")
        metrics = _metrics(kept / "workspace")
        assert metrics["train_images"] == 60_000
        assert metrics["test_images"] == 10_000
        assert metrics["test_accuracy"] >= 0.99
        _check_files(kept / "workspace")
    if chromium() is not None and find_spec("playwright"):
        _look_at_the_report(run_suite, cube_folder, tmp_path)


def _look_at_the_report(run_suite: RunSuite, broken: CubeFolder, place: Path) -> None:
    """Look in a browser at the report of a run, with a broken cube beside it."""
    broken.tasks(make='echo "no such luck" >&2; exit 3')
    words = ("--platform", "local", "--task", "make", "--record", place / "broken.json")
    run_suite("--cube", broken.root, *words)
    records = ("mnist.json", "broken.json")
    done = run_command("report", *records, "--html", "page.html", place=place)
    assert done.returncode == 0, done.stderr
    with in_browser(place / "page.html") as shown:
        assert shown.page.locator("a.cell").count() >= len(("docker", "local")) * 3
        pictures = shown.page.locator("section.case img")
        assert pictures.count() == len(("docker", "singularity", "local"))
        shown.page.click("a.cell.bad")
        heading = shown.page.inner_text("section.case:target h2")  # It waits for it.
        assert heading.startswith("✘ tiny · local")
        text = shown.page.inner_text("section.case:target")
        assert "exit code 3" in text
        assert "no such luck" in text
        assert shown.said == []


@pytest.mark.docker
@pytest.mark.singularity
@pytest.mark.ssh
def test_suite_passes_on_another_host(
    run_suite: RunSuite,
    cube: Path,
    source: tuple[str, ...],
    base_image: tuple[str, ...],
    tmp_path: Path,
) -> None:
    _train_once(cube)
    names = {"docker": "ssh", "singularity": "ssh-singularity"}
    host = SshHost(tmp_path / "host", environment=OF_APPTAINER)
    host.start()
    for engine, name in names.items():
        text = host.platform(f"{engine}.yaml")
        (cube / f"platform/{name}.yaml").write_text(text, encoding="utf-8")

    run = run_suite(
        *("--cube", cube, "--keep", "all"),
        *(word for each in names.values() for word in ("--platform", each)),
        *source,
        *base_image,
    )
    host.stop()

    assert run.exit_code == 0, run.output
    assert len(run.verdict("passed")) == len(run.outcomes) == 1 + 2 * 24 + 2
    theirs = [
        {path: _content(each / path) for path in OUTPUTS}
        for each in host.root.glob("workspaces/*/workspace")
    ]
    for name in names.values():
        (kept,) = tmp_path.glob(f"place/.mlcube-conformance/*/mnist/{name}")
        assert _metrics(kept / "workspace")["test_accuracy"] >= 0.95
        _check_files(kept / "workspace")
        assert {path: _content(kept / "workspace" / path) for path in OUTPUTS} in theirs


def _train_once(cube: Path) -> None:
    """Train for one epoch: the whole training is the first test's.

    On one thread: two take as long beside other tests, and more of the processor.
    """
    parameters = cube / "workspace/parameters/default.parameters.yaml"
    values = yaml.safe_load(parameters.read_text(encoding="utf-8"))
    parameters.write_text(
        yaml.safe_dump(values | {"epochs": 1, "threads": 1}), encoding="utf-8"
    )


def _content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "platform",
    [
        pytest.param("docker", marks=pytest.mark.docker),
        pytest.param("singularity", marks=pytest.mark.singularity),
    ],
)
def test_commands_work_as_they_stand(
    platform: str,
    cube: Path,
    source: tuple[str, ...],
    base_image: tuple[str, ...],
    tmp_path: Path,
) -> None:
    examples = tmp_path / "examples"
    examples.symlink_to(tmp_path)
    _train_once(cube)
    place = (
        "--mlcube=examples/mnist",
        f"--platform=examples/mnist/platform/{platform}.yaml",
    )

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*warm.python(f"mlcube_{platform}_run"), *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=1500,
            check=False,
        )

    network = source[2:]
    configured = call("configure", *place, *base_image, *network)
    download = call("run", *place, "--task=examples/mnist/run/download.yaml", *source)
    train = call("run", *place, "--task=examples/mnist/run/train.yaml")

    assert configured.returncode == 0, configured.stderr
    assert download.returncode == 0, download.stderr
    assert train.returncode == 0, train.stderr
    assert "epoch" in train.stdout.lower()
    assert _metrics(cube / "workspace")["test_accuracy"] >= 0.95
    _check_files(cube / "workspace")
    if platform == "singularity":
        text = (cube / "platform/singularity.yaml").read_text(encoding="utf-8")
        assert Path(yaml.safe_load(text)["container"]["image"]).is_file()


@pytest.mark.docker
def test_training_without_data_is_told_apart(cube: Path) -> None:
    """Without `download`, the input is missing: nothing is started."""
    done = subprocess.run(
        [
            *(*warm.python("mlcube_docker_run"), "run", f"--mlcube={cube}"),
            *("--platform=docker", f"--task={cube}/run/train.yaml"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert "the input 'data_dir' of task 'train' is missing" in done.stderr
    assert not (cube / "workspace/model").exists()
