"""Files of the project beside the package: releases, issues, citation, changelog."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from mlcube_conformance.base.addresses import PAGES, REPOSITORY
from tests.workflow_steps import DOCS, RELEASE, document

ROOT = Path(__file__).parents[1]
FRAGMENTS = sorted((ROOT / "changelog.d").glob("+*"))


def test_the_changelog_takes_fragments_at_its_top(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "changelog.d", tmp_path / "changelog.d")
    for name in ("CHANGELOG.md", "pyproject.toml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / "changelog.d/+mine.feature.md").write_text("Two\nlines.\n")
    before = (tmp_path / "CHANGELOG.md").read_text(encoding="utf-8")
    words = ("build", "--yes", "--version=9.9.9", "--date=2030-01-01")

    done = subprocess.run(
        [sys.executable, "-m", "towncrier", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    head, mark, rest = before.partition("towncrier: see CONTRIBUTING.md -->\n")
    after = (tmp_path / "CHANGELOG.md").read_text(encoding="utf-8")
    new = after.removeprefix(head + mark).removesuffix(rest)
    title, *lines = new.strip().splitlines()
    assert title == "## 9.9.9 (2030-01-01)"
    assert "- Two\n  lines.\n" in new
    assert len([each for each in lines if each.startswith("- ")]) == len(FRAGMENTS) + 1
    assert new.endswith("\n")
    assert not [*(tmp_path / "changelog.d").glob("+*")]


@pytest.mark.parametrize("file", FRAGMENTS, ids=lambda each: each.name)
def test_a_fragment_is_one_plain_entry(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert re.fullmatch(r"\+[a-z0-9-]+\.(feature|fix)\.md", file.name)
    assert text.endswith(".\n")
    assert not text.startswith(("-", "#"))


def test_the_citation_names_the_project_as_its_package_does() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert cited["license"] == project["project"]["license"]
    assert cited["repository-code"] == REPOSITORY
    assert cited["url"] == f"{PAGES}/"


def test_only_the_job_that_publishes_may_speak_for_the_project() -> None:
    jobs = document(RELEASE)["jobs"]

    assert jobs["build"]["permissions"] == {"contents": "read"}
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert jobs["publish"]["environment"]["name"] == "pypi"
    # It takes what was built, and runs nothing of the repository.
    assert [each.get("run") for each in jobs["publish"]["steps"]] == [None, None]


def test_the_site_is_published_from_main_alone() -> None:
    jobs = document(DOCS)["jobs"]

    assert jobs["build"]["permissions"] == {"contents": "read"}
    assert jobs["deploy"]["permissions"] == {"pages": "write", "id-token": "write"}
    assert jobs["deploy"]["if"] == "github.event_name == 'push'"
    assert document(DOCS)["on"]["push"]["branches"] == ["main"]
    assert [each.get("run") for each in jobs["deploy"]["steps"]] == [None, None]


def test_a_vulnerability_is_reported_in_private() -> None:
    address = f"{REPOSITORY}/security/advisories/new"
    config = ROOT / ".github/ISSUE_TEMPLATE/config.yml"

    assert address in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert address in config.read_text(encoding="utf-8")
    assert f"{PAGES}/safety/" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
