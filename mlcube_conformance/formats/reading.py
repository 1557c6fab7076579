"""One reading of a cube: each of its files once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Violation
from mlcube_conformance.base.files import RealPaths
from mlcube_conformance.formats.yaml import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.formats.yaml import Located

__all__ = ["Reading"]


class Reading:
    """Reads YAML files, and caches their content."""

    def __init__(self) -> None:
        """Start with none."""
        self._real_paths = RealPaths()
        self._found: dict[tuple[Path, ...], Located | Violation] = {}

    def read(self, file: Path, *roots: Path) -> Located:
        """Return the content of a file; see `read_yaml`.

        Raises:
            Violation: It cannot be read.
        """
        key = (file, *roots)
        if key not in self._found:
            try:
                self._found[key] = read_yaml(file, *roots, real_paths=self._real_paths)
            except Violation as violation:
                self._found[key] = violation
        found = self._found[key]
        if isinstance(found, Violation):
            raise found
        return found

    def is_inside(self, root: Path, path: Path) -> bool:
        """Say whether a path, with its links followed, stays in a folder."""
        return self._real_paths.is_inside(root, path)
