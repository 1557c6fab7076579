"""The four files of the data set, pinned by size and SHA-256."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

MNIST = "MNIST"
NOT_MNIST = "not MNIST"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """Name one file and say exactly what it holds."""

    name: str
    size: int | None
    """None when only the SHA-256 is known."""
    sha256: str

    def is_at(self, path: Path) -> bool:
        """Say whether the file at path holds just that."""
        if self.size is not None and path.stat().st_size != self.size:
            return False
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == self.sha256


TRAIN_IMAGES = DataFile(
    name="train-images-idx3-ubyte.gz",
    size=9_912_422,
    sha256="440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
)
TRAIN_LABELS = DataFile(
    name="train-labels-idx1-ubyte.gz",
    size=28_881,
    sha256="3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
)
TEST_IMAGES = DataFile(
    name="t10k-images-idx3-ubyte.gz",
    size=1_648_877,
    sha256="8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
)
TEST_LABELS = DataFile(
    name="t10k-labels-idx1-ubyte.gz",
    size=4_542,
    sha256="f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
)
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)


def differing(folder: Path) -> tuple[str, ...]:
    """Return the names of the files in folder that are not those of MNIST."""
    return tuple(file.name for file in FILES if not file.is_at(folder / file.name))
