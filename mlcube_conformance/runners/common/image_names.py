"""Names that images get from us."""

from __future__ import annotations

import hashlib
import re

__all__ = ["own_name"]


def own_name(name: str) -> str:
    """Return the name that an image gets beside the one that a platform file names."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    # What a person knows it by, as far as a name may say that.
    last = name.partition("@")[0].rpartition("/")[2].lower()
    known = re.sub(r"[^a-z0-9]+", "-", last).strip("-")[:40].rstrip("-")
    return f"mlcube-conformance/built-{known}-{digest}:latest"
