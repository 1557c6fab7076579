"""What `mkdocs` does beside reading docs/: a hook, which mkdocs.yml names.

Pages link to files of the repository by relative paths, which work in a checkout and on
GitHub. The site has the folder docs/ alone: a link out of it becomes an address of the
repository. Pages at the top of the repository are added to the site.
"""

from __future__ import annotations

import logging
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mkdocs.structure.files import File

from mlcube_conformance.base.addresses import REPOSITORY
from mlcube_conformance.clauses import CUBE_CLAUSES, RUNNER_CLAUSES
from mlcube_conformance.clauses.page import FAMILIES

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

    from mlcube_conformance.clauses import Clause

#: With `strict: true`, a warning fails the build.
_LOG: Final = logging.getLogger(f"mkdocs.hooks.{Path(__file__).stem}")
_ROOT: Final = Path(__file__).parents[1]
#: Pages at the top of the repository, by their names in the site.
_TOP: Final = {
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "security.md": "SECURITY.md",
}
_LINK: Final = re.compile(r"\]\((?![a-z+]+:|#)([^)\s]+)\)")
#: Pages that list clauses, each with a page of its own.
_LISTS: Final = {"clauses.md": CUBE_CLAUSES, "runner-clauses.md": RUNNER_CLAUSES}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Give each clause a place in the navigation, below the list that it is in."""
    config.nav = [_with_clauses(each) for each in config.nav or ()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages at the top of the repository."""
    for name, source in _TOP.items():
        text = (_ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=_relinked(text, "", "docs")))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Return a page whose links out of docs/ are addresses of the repository."""
    if page.file.src_uri in _TOP:
        return markdown
    folder = posixpath.dirname(f"docs/{page.file.src_uri}")
    return _relinked(markdown, folder, folder)


def _with_clauses(part: Any) -> Any:  # noqa: ANN401 - as YAML has it
    """Return a part of the navigation in which lists of clauses are sections."""
    if not isinstance(part, dict):
        return part
    ((name, value),) = part.items()
    if isinstance(value, list):
        return {name: [_with_clauses(each) for each in value]}
    if value in _LISTS:
        listed = sorted(_LISTS[value], key=_order)
        pages = [{each.id: f"clauses/{each.id}.md"} for each in listed]
        return {name: [value, *pages]}
    return part


def _order(clause: Clause) -> tuple[int, int]:
    """Return the place of a clause in its list: by family, then by number."""
    return [*FAMILIES].index(clause.family), int(clause.id.rpartition("-")[2])


def _relinked(text: str, folder: str, place: str) -> str:
    """Return a page of a folder of the repository, as it is read in another place."""

    def relinked(found: re.Match[str]) -> str:
        path, mark, anchor = found[1].partition("#")
        target = posixpath.normpath(posixpath.join(folder, path))
        if target.startswith("docs/"):
            new = posixpath.relpath(target, place)
        else:
            if not (_ROOT / target).exists():
                _LOG.warning(
                    "the repository has no '%s', which a page links to", target
                )
            kind = "tree" if (_ROOT / target).is_dir() else "blob"
            new = f"{REPOSITORY}/{kind}/main/{target}"
        return f"]({new}{mark}{anchor})"

    return _LINK.sub(relinked, text)
