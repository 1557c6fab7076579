"""Where this project is published: its repository and its pages."""

from __future__ import annotations

__all__ = ["PAGES", "RAW", "REPOSITORY"]

_SLUG = "mlcube-conformance/mlcube-conformance"
#: The repository.
REPOSITORY = f"https://github.com/{_SLUG}"
#: Its files as they are; the path within the repository follows.
RAW = f"https://raw.githubusercontent.com/{_SLUG}/main"
#: The folder `docs` as a site: the page `x.md` is at `x/`.
PAGES = "https://mlcube-conformance.github.io/mlcube-conformance"
