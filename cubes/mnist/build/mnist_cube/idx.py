"""The IDX format: read images and labels, trusting nothing in the files."""

import gzip
import zlib
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mnist_cube.errors import CubeError

SIDE = 28
CLASSES = 10
MAX_COUNT = 100_000

Bytes: TypeAlias = NDArray[np.uint8]

_IMAGES_MAGIC = 0x00000803
_LABELS_MAGIC = 0x00000801


def read_images(path: Path) -> Bytes:
    """Return the images of a compressed file as an array (count, 28, 28)."""
    return _read(path, _IMAGES_MAGIC, (SIDE, SIDE))


def read_labels(path: Path) -> Bytes:
    """Return the labels of a compressed file as an array (count,)."""
    labels = _read(path, _LABELS_MAGIC, ())
    if labels.max() >= CLASSES:
        message = f"{path}: label {labels.max()} is none of 0 to {CLASSES - 1}"
        raise CubeError(message)
    return labels


def read_pair(images_path: Path, labels_path: Path) -> tuple[Bytes, Bytes]:
    """Return images and labels, of which there must be equally many."""
    images, labels = read_images(images_path), read_labels(labels_path)
    if len(images) != len(labels):
        message = (
            f"{images_path} holds {len(images)} images, "
            f"but {labels_path} holds {len(labels)} labels"
        )
        raise CubeError(message)
    return images, labels


def _read(path: Path, magic: int, shape: tuple[int, ...]) -> Bytes:
    if not path.is_file():
        message = f"{path} is not there or is not a regular file; run download first"
        raise CubeError(message)
    try:
        with gzip.open(path, "rb") as stream:
            return _parse(stream, path, magic, shape)
    except EOFError as error:
        message = f"{path} is truncated: the compressed data ends too early"
        raise CubeError(message) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        message = f"{path} is not a sound gzip file: {error}"
        raise CubeError(message) from error


def _parse(
    stream: gzip.GzipFile, path: Path, magic: int, shape: tuple[int, ...]
) -> Bytes:
    found, count, *sides = (_word(stream, path) for _ in range(2 + len(shape)))
    if found != magic:
        message = f"{path}: magic number {found:#010x} found, {magic:#010x} expected"
        raise CubeError(message)
    if tuple(sides) != shape:
        message = f"{path}: images of {sides} pixels found, {list(shape)} expected"
        raise CubeError(message)
    # The header alone must not decide how much memory this takes.
    if not 1 <= count <= MAX_COUNT:
        message = f"{path}: it announces {count} items, 1 to {MAX_COUNT} are allowed"
        raise CubeError(message)
    size = count * int(np.prod(shape))
    content = stream.read(size)
    if len(content) != size:
        message = f"{path} is truncated: {len(content)} of {size} bytes are there"
        raise CubeError(message)
    if stream.read(1):
        message = f"{path} goes on after the {count} items that it announces"
        raise CubeError(message)
    # A copy, because the bytes of a bytes object cannot be written to.
    return np.frombuffer(content, dtype=np.uint8).reshape(count, *shape).copy()


def _word(stream: gzip.GzipFile, path: Path) -> int:
    content = stream.read(4)
    if len(content) != 4:  # noqa: PLR2004 - four bytes make a word
        message = f"{path} is truncated: it ends within its header"
        raise CubeError(message)
    return int.from_bytes(content, "big")
