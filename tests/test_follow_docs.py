"""What the first page of the docs shows is what one sees."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import docker
import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "scripts/follow_docs.py"
PAGE = ROOT / "docs/first-cube.md"
_IMAGE = "python:3.12-slim"


def _follow(*words: str | Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, SCRIPT, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_first_page_is_as_it_says() -> None:
    code, said = _follow(PAGE)

    assert code == 0, said


@pytest.mark.docker
def test_the_first_page_is_as_it_says_on_docker() -> None:
    base = os.environ.get("MLCUBE_CONFORMANCE_BASE_TORCH", "")
    with closing(docker.from_env()) as client:
        has = [tag for each in client.images.list(_IMAGE) for tag in each.tags]
        if base and not has:
            client.images.get(base).tag(*_IMAGE.split(":"))
        try:
            code, said = _follow(PAGE, "--with", "docker")
        finally:
            if base and not has:
                with suppress(docker.errors.APIError):
                    client.images.remove(_IMAGE)

    assert code == 0, said
    assert "--platform docker --platform local" in said


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ("$ echo one\none\n", 0),
        ("$ echo one\ntwo\n", 1),
        ("$ echo one\n", 1),
        ("$ true\n", 0),
        ("$ echo 1.5 s in  20261128-111507-b3082302\n0.1 s  in RUN\n", 0),
        ("$ printf 'a\\nb\\nc\\n'\na\n…\n", 0),
        ("$ printf 'a\\nb\\nc\\n'\n…\nc\n", 0),
        ("$ printf 'a\\nb\\nc\\n'\n…\nb\n", 1),
        ("$ echo some words\nsome …\n", 0),
        ("$ mkdir x\n$ cd x\n$ basename $PWD\nx\n", 0),
        ("$ false\n$ echo two\n2\n", 1),
    ],
)
def test_each_output_is_compared(block: str, code: int, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# A page\n\n```console\n{block}```\n")

    found, said = _follow(page)

    assert found == code, said


def test_blocks_that_need_more_are_left_out(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ echo a\na\n```\n"
        "<!-- needs docker -->\n```console\n$ echo b\nno\n```\n"
    )

    assert _follow(page)[0] == 0
    assert _follow(page, "--with", "docker")[0] == 1
