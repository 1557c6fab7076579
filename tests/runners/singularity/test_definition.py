"""What a definition file may say, in any spelling, and how it is written again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.runners.singularity.definition import DefinitionError
from mlcube_conformance.runners.singularity.parsing import parse
from mlcube_conformance.runners.singularity.templates import filled

if TYPE_CHECKING:
    from pathlib import Path

START = "Bootstrap: docker\nFrom: busybox\n"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """Return a folder build/ with some files, beside which others are."""
    folder = tmp_path / "build"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.txt", "b.txt", "sub/c.txt", "bootstrap:"):
        (folder / name).write_text("ours\n")
    (tmp_path / "secret").write_text("not ours\n")
    return folder


def test_it_is_written_anew_without_ambiguity(build: Path) -> None:
    text = (
        "# ours\nBOOTSTRAP: docker # the agent\n  from:busybox\nFrom: other # last\n"
        "%%FILES\n  *.txt /app/\n  sub\n  # no\n%Post -c /bin/sh\n  echo a \\\n   b\n"
        "%runscript\n    exec x\n"
        "bootstrap: docker\nFrom: x\nStage: two\n%files from one\n /x /y\n"
    )

    assert str(parse(text, (build,), ())) == (
        "Bootstrap: docker\nFrom: other\n\n"
        "%files\n    ./a.txt /app/\n    ./b.txt /app/\n    ./sub sub\n\n"
        "%post -c /bin/sh\n  echo a \\\n   b\n\n"
        "%runscript\n    exec x\n\n\n"
        "Bootstrap: docker\nFrom: x\nStage: two\n\n"
        "%files from one\n    /x /y\n"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{START}%setup\n touch x", "%setup, whose commands run on this machine"),
        (f"{START}%SETUP\n touch x", "%setup, whose commands run on this machine"),
        (f"{START}%%setup\n touch x", "%setup, whose commands run on this machine"),
        (f"{START}  %Pre\n touch x", "%pre, whose commands run on this machine"),
        (f"{START}\u00a0%setup\n touch x", "%setup, whose commands run on this"),
        (f"{START}%post\n a\n\t%appsetup x\n b", "%appsetup, whose commands run"),
        (f"{START}%post\n a\x0b%setup\n b", "the character '\\x0b'"),
        (f"{START}%post\n a\x85%setup\n b", "the character '\\x85'"),
        (f"{START}%setup:\n touch x", "the section %setup:"),
        (f"{START}%\n x", "the section %"),
        (f"{START}%files\n /etc/passwd /x", "%files takes /etc/passwd, which is"),
        (f"{START}%Files\n /etc/passwd /x", "%files takes /etc/passwd, which is"),
        (f"{START}%appfiles x\n /etc/passwd", "%appfiles takes /etc/passwd"),
        (f"{START}%files\n ../secret /x", "%files takes ../secret, which is"),
        (f"{START}%files\n sub/../../secret /x", "which is outside build/"),
        (f"{START}%files\n ../sec* /x", "%files takes ../sec*, which is"),
        (f"{START}%files\n link /x", "%files takes link, which is"),
        (f"{START}%files\n li* /x", "%files takes link, which is"),
        (f"{START}%files\n . /x", "%files takes link, which is"),
        (f"{START}%files\n bootstrap: /x\n /etc/passwd /y", "takes /etc/passwd"),
        (f"{START}%files\n $(touch${{IFS}}x) /x", "%files: $(touch${IFS}x) /x"),
        (f"{START}%files\n {{/etc/passwd,a.txt}} /x", "%files: {/etc/passwd,a.txt}"),
        (f"{START}%files\n $HOME/x /x", "%files: $HOME/x /x"),
        (f"{START}%files\n ~/x /x", "%files: ~/x /x"),
        (f"{START}%files\n `id` /x", "%files: `id` /x"),
        (f'{START}%files\n a"/etc/passwd" /x', '%files: a"/etc/passwd" /x'),
        (f"{START}%files\n a.txt /x;id", "%files: a.txt /x;id"),
        (f"{START}%files\n a.txt ../../x", "%files: a.txt ../../x"),
        (f"{START}%files from one\n $(id) /x", "%files: $(id) /x"),
        ("Bootstrap: localimage\nFrom: /x.sif", "From takes /x.sif, which is"),
        ("Bootstrap: localimage # x\nFrom: /x.sif", "From takes /x.sif, which is"),
        ("Bootstrap: LOCALIMAGE\nFrom: ../x", "From takes ../x, which is"),
        ("Bootstrap: localimage\nFrom: a\nFrom: /x", "From takes /x, which is"),
        ("Bootstrap: local\\\nimage\nFrom: /x", "the line 'Bootstrap: local\\\\'"),
        (f"{START}Bootstrap: oci-archive\nFrom: /x", "From takes /x, which is"),
        ("Bootstrap: yum\nFrom: x", "Bootstrap: yum"),
        ("Bootstrap: docker\nFrom: x\nInclude: y", "the line 'Include: y'"),
        (f"{START}%apprun ../../../tmp/x\n a", "%apprun ../../../tmp/x"),
        (f"{START}%appfiles a/b\n a.txt", "%appfiles a/b"),
        (f"{START}%files fromage\n /etc/passwd /x", "%files fromage"),
        (f"{START}%files from a b\n /etc/passwd /x", "%files from a b"),
        (f"{START}%files\n a** /x", "%files: a**"),
        (f"{START}%files\n none /x", "%files takes none, which does not exist"),
        ("Bootstrap: localimage\nFrom: sub", "From takes sub, a folder"),
        (f"From: x\n{START}{START}", "the beginning 'From: x'"),
        ("%post\n x", "the beginning '%post"),
        ("", "the beginning ''"),
    ],
)
def test_what_reaches_out_is_refused(text: str, found: str, build: Path) -> None:
    (build / "link").symlink_to(build.parent / "secret")

    with pytest.raises(DefinitionError) as caught:
        parse(text, (build,), ())

    assert found in caught.value.found
    assert caught.value.expected
    assert caught.value.do


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("sub/. /app/", ["./sub/. /app/"]),
        ("sub/* /app/", ["./sub/c.txt /app/"]),
        ("sub/.h* /app/", ["./sub/.hidden /app/"]),
        ("./--opt=x /app", ["./--opt=x /app"]),
        (". /x..y", ["./. /x..y"]),
    ],
)
def test_files_are_named_one_by_one(line: str, named: list[str], build: Path) -> None:
    (build / "sub/.hidden").touch()
    (build / "--opt=x").touch()

    text = str(parse(f"{START}%files\n {line}\n", (build,), ()))

    assert [each.strip() for each in text.splitlines()[4:]] == named


def test_keys_may_come_in_any_order(build: Path) -> None:
    definition = parse("From: x\nBootstrap: docker\n", (build,), ())

    assert definition.stages[0].header == {"from": "x", "bootstrap": "docker"}


def test_base_of_this_machine_is_the_users_to_give(build: Path) -> None:
    text = "Bootstrap: localimage\nFrom: /images/base.sif\n"

    assert str(parse(text, (build,), ["/images/base.sif"])) == text


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("From: {{ A }}\n%arguments\n A=x\n%post\n {{A}}", "From: x\n%post\n x\n"),
        ("%ARGUMENTS\n # B=y\n A = x y\n%post\n {{ A }}", "%post\n x y\n"),
        ("%arguments\n A=x\nBootstrap: {{ A }}", "Bootstrap: x\n"),
        ("From: {{ GIVEN }}\n%arguments\n GIVEN=x", "From: value\n"),
    ],
)
def test_templates_are_filled(text: str, result: str) -> None:
    assert filled(text, {"GIVEN": "value"}).rstrip("\n") + "\n" == result


def test_template_without_a_value_is_told() -> None:
    with pytest.raises(DefinitionError, match="no value for A, B") as caught:
        filled("From: {{ B }} {{ A }}", {})

    assert caught.value.do == "give --build-arg A=VALUE"
