"""Where the project is published: each address in it leads to a file of it."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.addresses import PAGES, RAW, REPOSITORY
from mlcube_conformance.clauses import CLAUSES
from mlcube_conformance.clauses.naming import page_of

if TYPE_CHECKING:
    from mlcube_conformance.clauses import Clause

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
ADDRESS = re.compile(r"https?://[^\s\"'`)>\]{}…]+")
#: Pages that GitHub makes; no file of the repository is behind them.
ON_GITHUB = ("/discussions", "/issues", "/releases", "/security/advisories/new")
#: A link of Markdown, and the target that a reference has at the end of a page.
LINKS = (
    re.compile(r"\]\(([^)\s]+)\)"),
    re.compile(r"^\[[^\]]+\]: (\S+)$", re.MULTILINE),
)


def texts() -> dict[str, str]:
    """Return the texts that git keeps, by their paths."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    found = {}
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            found[name] = path.read_bytes().decode("utf-8", "replace")
    return found


def anchors(page: Path) -> set[str]:
    """Return the names of the headings of a page, as GitHub and MkDocs make them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", each).strip().lower() for each in heads]
    return {re.sub(r"\s", "-", each) for each in plain}


def is_found(address: str) -> bool:
    """Return whether an address of our own leads to what the checkout has."""
    path, _, anchor = address.partition("#")
    if path.startswith(PAGES):
        name = path.removeprefix(PAGES).strip("/") or "index"
        target = ROOT / f"docs/{name}.md"
    elif path.startswith(RAW.removesuffix("/main")):
        target = ROOT / path.removeprefix(RAW.removesuffix("/main")).split("/", 2)[2]
    else:
        rest = path.removeprefix(REPOSITORY).rstrip("/")
        if rest in {"", ".git", *ON_GITHUB}:
            return True
        found = re.fullmatch(r"/(?:blob|tree)/[^/]+/(.+)", rest)
        target = ROOT / (found[1] if found else "no such page")
    return target.exists() and (not anchor or anchor in anchors(target))


def is_ours(address: str) -> bool:
    """Return whether an address is one of this project."""
    return address.startswith((PAGES, REPOSITORY, RAW.removesuffix("/main")))


def test_each_address_of_ours_leads_to_a_file() -> None:
    lost = {
        (name, address)
        for name, text in texts().items()
        for address in (each.rstrip(".,:;") for each in ADDRESS.findall(text))
        if is_ours(address) and not is_found(address)
    }

    assert lost == set()


@pytest.mark.parametrize(
    "address",
    [
        f"{PAGES}/nowhere/",
        f"{PAGES}/safety/#nowhere",
        f"{REPOSITORY}/blob/main/nowhere.md",
        f"{REPOSITORY}/nowhere",
        f"{RAW}/nowhere.json",
    ],
)
def test_an_address_that_leads_nowhere_is_noticed(address: str) -> None:
    assert is_ours(address)
    assert not is_found(address)


def test_no_other_project_stands_for_this_one() -> None:
    placeholder = "example" + "/mlcube-conformance"

    assert [name for name, text in texts().items() if placeholder in text] == []


def test_the_readme_has_no_link_that_only_works_in_the_repository() -> None:
    text = README.read_text(encoding="utf-8")
    targets = [each for link in LINKS for each in link.findall(text)]

    assert len(targets) > 20
    assert [each for each in targets if not each.startswith("https://")] == []


def test_the_readme_names_each_target_that_it_uses() -> None:
    text = README.read_text(encoding="utf-8")
    used = set(re.findall(r"\]\[([^\]]+)\]", text))

    assert used == set(re.findall(r"^\[([^\]]+)\]: ", text, re.MULTILINE))


def test_the_package_names_where_it_is_published() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    urls = project["project"]["urls"]

    assert urls["Documentation"] == f"{PAGES}/"
    assert urls["Source"] == REPOSITORY
    assert [each for each in urls.values() if not is_ours(each)] == []


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda each: each.id)
def test_each_clause_has_a_published_page(clause: Clause) -> None:
    address = page_of(clause.id)

    assert is_found(address), address


def test_the_clause_of_another_package_has_no_page_of_ours() -> None:
    assert page_of("THEIRS-1") == ""
