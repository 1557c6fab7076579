"""The command digits: a mirror with other data, to try the cube without its own.

The data are the handwritten digits that scikit-learn brings along (1,797 images of 8x8
pixels, from 0 to 16), scaled up and written in MNIST's file format. They are not MNIST.
"""

import gzip
import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from mnist_cube.atomic import write_atomically
from mnist_cube.dataset import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from mnist_cube.errors import CubeError

try:
    import numpy as np
    from numpy.typing import NDArray
    from sklearn.datasets import load_digits
except ImportError as error:
    _REASON = " ".join(str(error).split())
    _MESSAGE = f"digits needs scikit-learn, which is not installed here ({_REASON})"
    raise CubeError(_MESSAGE) from error

TEST_IMAGES_PER_DIGIT = 30

_LOG = logging.getLogger("mnist_cube")

Numbers: TypeAlias = NDArray[np.int64]

_CLASSES = 10
_SIDE = 28
_BOX = 20  # MNIST's digits fill a box of this side, in the middle of the image
_SOURCE_SIDE = 8
_SOURCE_HIGHEST = 16
_HIGHEST = 255
_TENTHS = 10
# The cubic kernel in tenths of a pixel is a whole number of these.
_UNIT = 2 * _TENTHS**3

_IMAGES_MAGIC = 0x00000803
_LABELS_MAGIC = 0x00000801

_DOWNLOAD = """\
# Handwritten digits of scikit-learn in the format of MNIST. They are not MNIST.
mirrors:
  - {url}
sha256:
{hashes}
"""
_TRAIN = """\
# There are few images, so more passes, in smaller batches.
epochs: 12
batch_size: 64
max_shift: 1
"""


def run(paths: Mapping[str, Path]) -> None:
    """Write the four files, and a parameter file for each of the two tasks."""
    mirror = paths["mirror"].resolve()
    mirror.mkdir(parents=True, exist_ok=True)
    files = _make_files()
    hashes = [f"  {name}: {_sha256(content)}" for name, content in files.items()]
    text = _DOWNLOAD.format(url=mirror.as_uri(), hashes="\n".join(hashes))
    files["download.parameters.yaml"] = text.encode()
    files["train.parameters.yaml"] = _TRAIN.encode()
    for name, content in files.items():
        write_atomically(mirror / name, content)
    _LOG.info("a mirror with handwritten digits of scikit-learn: NOT the MNIST files")
    _LOG.info("the four files and two parameter files are in %s", mirror)


def _make_files() -> dict[str, bytes]:
    digits = load_digits()
    images, labels = digits.images.astype(np.int64), digits.target.astype(np.int64)
    test = np.zeros(len(labels), dtype=bool)
    for digit in range(_CLASSES):
        # The last ones, because neighbours come from the same hand: what is tested
        # is how well others are read.
        test[np.flatnonzero(labels == digit)[-TEST_IMAGES_PER_DIGIT:]] = True
    images = _enlarge(images)
    return {
        TRAIN_IMAGES.name: _encode(_IMAGES_MAGIC, images[~test]),
        TRAIN_LABELS.name: _encode(_LABELS_MAGIC, labels[~test]),
        TEST_IMAGES.name: _encode(_IMAGES_MAGIC, images[test]),
        TEST_LABELS.name: _encode(_LABELS_MAGIC, labels[test]),
    }


def _enlarge(images: Numbers) -> Numbers:
    """Scale smoothly into the box; in whole numbers, so that every machine agrees."""
    weights = _weights()
    divisor = _UNIT**2 * _SOURCE_HIGHEST
    values = (weights @ images @ weights.T * _HIGHEST + divisor // 2) // divisor
    margin = (_SIDE - _BOX) // 2
    around = ((0, 0), (margin, margin), (margin, margin))
    return np.pad(np.clip(values, 0, _HIGHEST), around)


def _weights() -> Numbers:
    """Return what each pixel of a row before adds to each pixel of it after."""
    # Middles of pixels, in tenths of a pixel before; beyond the edge all is black.
    step = _TENTHS * _SOURCE_SIDE // _BOX
    after = np.arange(_BOX) * step + (step - _TENTHS) // 2
    before = np.arange(_SOURCE_SIDE) * _TENTHS
    return _cubic(np.abs(after[:, None] - before[None, :]))


def _cubic(far: Numbers) -> Numbers:
    """Return Catmull and Rom's kernel at a distance in tenths, times the unit."""
    one = _TENTHS
    near = 3 * far**3 - 5 * far**2 * one + 2 * one**3
    middle = -(far**3) + 5 * far**2 * one - 8 * far * one**2 + 4 * one**3
    return np.where(far < one, near, np.where(far < 2 * one, middle, 0))


def _encode(magic: int, values: Numbers) -> bytes:
    header = np.array([magic, *values.shape], dtype=">u4").tobytes()
    # No time in the header: the same data are the same bytes.
    return gzip.compress(header + values.astype(np.uint8).tobytes(), mtime=0)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
