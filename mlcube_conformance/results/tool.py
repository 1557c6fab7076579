"""Which version of this project made a record, and on which machine."""

from __future__ import annotations

import json
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from mlcube_conformance import __version__

__all__ = ["machine", "tool"]


def tool() -> dict[str, str | None]:
    """Return the name, version and commit of this project; no commit if unknown."""
    return {
        "name": "mlcube-conformance",
        "version": __version__,
        "commit": _installed_commit() or _commit_of(Path(__file__).parents[2]),
    }


def machine() -> dict[str, str]:
    """Return the name, system and kernel of this machine."""
    return {
        "name": platform.node(),
        "system": platform.system(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }


def _installed_commit() -> str | None:
    """Return the commit that pip installed, as direct_url.json says (PEP 610).

    None where it came from an index or a folder.
    """
    with suppress(PackageNotFoundError, ValueError, AttributeError):
        text = distribution("mlcube-conformance").read_text("direct_url.json") or "{}"
        commit: str | None = json.loads(text).get("vcs_info", {}).get("commit_id")
        return commit
    return None


def _commit_of(root: Path) -> str | None:
    """Return the commit of a clone, as gitrepository-layout(5) has it."""
    with suppress(OSError, UnicodeDecodeError):
        head = (root / ".git/HEAD").read_text("utf-8").strip()
        name = head.removeprefix("ref: ")
        if name == head:
            return head
        with suppress(FileNotFoundError):
            return (root / ".git" / name).read_text("utf-8").strip()
        for line in (root / ".git/packed-refs").read_text("utf-8").splitlines():
            commit, _, ref = line.partition(" ")
            if ref == name:
                return commit
    return None
