"""The task train: from the data set to weights, an exported model and its metrics."""

import contextlib
import logging
import os
import tempfile
import time
from collections.abc import Generator, Mapping
from pathlib import Path

from mnist_cube.atomic import write_atomically
from mnist_cube.dataset import (
    MNIST,
    NOT_MNIST,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    differing,
)
from mnist_cube.errors import UsageError
from mnist_cube.idx import read_pair
from mnist_cube.parameters import load_train_parameters

_LOG = logging.getLogger("mnist_cube")


def run(paths: Mapping[str, Path]) -> None:
    """Train, evaluate and write everything, or raise and write no result."""
    started = time.monotonic()
    parameters = load_train_parameters(paths["parameters_file"])
    data_dir, model_dir = paths["data_dir"], paths["model_dir"]
    if not data_dir.is_dir():
        message = f"the data folder {data_dir} is not there"
        raise UsageError(message)
    # Data and folders first: what is wrong with them shows within a second.
    training = read_pair(data_dir / TRAIN_IMAGES.name, data_dir / TRAIN_LABELS.name)
    test = read_pair(data_dir / TEST_IMAGES.name, data_dir / TEST_LABELS.name)
    data = _identify(data_dir)
    model_dir.mkdir(parents=True, exist_ok=True)
    _LOG.info("%d training images, %d test images", len(training[0]), len(test[0]))
    with _surroundings():
        from mnist_cube import (  # noqa: PLC0415 - they look for caches when imported
            learning,
            report,
            saving,
        )

        result = learning.learn(parameters, training, test)
        _LOG.info("writing the model")
        weights = saving.encode_weights(result.network)
        exported = saving.encode_exported(result.network, test[0])
        curve = report.draw_curve(result.epochs, data)
        seconds = round(time.monotonic() - started, 3)
        metrics = report.encode_metrics(parameters, result, data=data, seconds=seconds)
    # Everything is ready before the first file is replaced, so that they fit together.
    write_atomically(model_dir / "model.pt", weights)
    write_atomically(model_dir / "model.pt2", exported)
    write_atomically(paths["log_dir"] / "training_curve.png", curve)
    write_atomically(paths["log_dir"] / "metrics.json", metrics)
    last = result.epochs[-1]
    _LOG.info(
        "data: %s, test accuracy %.2f %%, test loss %.4f, %.1f s in all",
        data,
        100 * last.test_accuracy,
        last.test_loss,
        seconds,
    )


def _identify(data_dir: Path) -> str:
    """Say and return whether the data are MNIST, which only their content tells."""
    others = differing(data_dir)
    if not others:
        _LOG.info("data: %s", MNIST)
        return MNIST
    _LOG.warning("data: %s (another SHA-256: %s)", NOT_MNIST, ", ".join(others))
    return NOT_MNIST


@contextlib.contextmanager
def _surroundings() -> Generator[None, None, None]:
    """Set the environment of the libraries, their caches in a passing folder."""
    # The caller may be a user without a name or a home in this image.
    with tempfile.TemporaryDirectory(prefix="mnist-") as folder:
        for variable in (
            "HOME",
            "MPLCONFIGDIR",
            "TORCH_HOME",
            "TORCHINDUCTOR_CACHE_DIR",
            "TRITON_CACHE_DIR",
            "XDG_CACHE_HOME",
        ):
            os.environ[variable] = folder
        # Threads that wait by spinning take the cores from others, and then from each
        # other: on a busy machine training takes nearly twice as long.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        # cuBLAS is deterministic only with a workspace of a fixed size.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        yield
