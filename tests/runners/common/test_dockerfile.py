"""What a Dockerfile copies where, and what it starts."""

from __future__ import annotations

import pytest

from mlcube_conformance.runners.common.dockerfile.bases import base_images
from mlcube_conformance.runners.common.dockerfile.stages import Copy, read_recipe


def _copy(source: str, target: str, *, into_folder: bool = False) -> Copy:
    return Copy(source=source, target=target, into_folder=into_folder)


@pytest.mark.parametrize(
    ("text", "copies"),
    [
        ("COPY a.sh /a.sh", [_copy("a.sh", "/a.sh")]),
        ("copy\ta.sh\t/a.sh", [_copy("a.sh", "/a.sh")]),
        ("ADD a.sh /app/", [_copy("a.sh", "/app", into_folder=True)]),
        ("COPY ./ /app", [_copy(".", "/app")]),
        ("COPY / /app/", [_copy(".", "/app", into_folder=True)]),
        ("WORKDIR /app\nCOPY . .", [_copy(".", "/app", into_folder=True)]),
        ("WORKDIR a\nWORKDIR b\nCOPY x y", [_copy("x", "/a/b/y")]),
        ('COPY ["a b", "/c d"]', [_copy("a b", "/c d")]),
        ("COPY --chown=1:1 a /b", [_copy("a", "/b")]),
        ("COPY a \\\n  # no\n  /b", [_copy("a", "/b")]),
        (
            "COPY a b /c",
            [_copy("a", "/c", into_folder=True), _copy("b", "/c", into_folder=True)],
        ),
        ("COPY --from=other /x /y", []),
        ("COPY a /../../etc/x", [_copy("a", "/etc/x")]),
        ("ARG F=x.sh\nCOPY $F /${F}", [_copy("x.sh", "/x.sh")]),
        ("ARG G=x\nCOPY ${G}.sh /y", [_copy("given.sh", "/y")]),
        ("ENV D=/app\nCOPY a $D/b", [_copy("a", "/app/b")]),
        ("COPY ${NONE:-a} /b", [_copy("a", "/b")]),
        ("FROM x\nCOPY a /a\nFROM y\nCOPY b /b", [_copy("b", "/b")]),
        (
            "FROM x AS one\nCOPY a /a\nFROM one\nCOPY b /b",
            [_copy("a", "/a"), _copy("b", "/b")],
        ),
    ],
)
def test_copies(text: str, copies: list[Copy]) -> None:
    assert read_recipe(text, {"G": "given"}).copies == copies


@pytest.mark.parametrize(
    ("text", "entrypoint"),
    [
        ('ENTRYPOINT ["python3", "/a.py"]', ("python3", "/a.py")),
        ("ENTRYPOINT exec /a.sh x", ("/bin/sh", "-c", "exec /a.sh x")),
        ('FROM x as one\nENTRYPOINT ["a"]\nFROM one', ("a",)),
        ('ENTRYPOINT ["a"]\nFROM y', ()),
        ('CMD ["a"]', ()),
        ('ENTRYPOINT ["a"]\nENTRYPOINT []', ()),
        ("ENTRYPOINT [ -f x ]", ("/bin/sh", "-c", "[ -f x ]")),
        ("ENTRYPOINT " + "[" * 99_999, ("/bin/sh", "-c", "[" * 99_999)),
        ("ENTRYPOINT ['a']", ("/bin/sh", "-c", "['a']")),
    ],
)
def test_entrypoint(text: str, entrypoint: tuple[str, ...]) -> None:
    assert read_recipe(text, {}).entrypoint == entrypoint


def test_environment() -> None:
    text = 'ENV A=1 B="two words"\nENV C three words\nENV D=$A/$B'

    assert read_recipe(text, {}).environment == {
        "A": "1",
        "B": "two words",
        "C": "three words",
        "D": "1/two words",
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ENV V='$HOME-lit'", "$HOME-lit"),
        ("ENV V=\\$HOME", "$HOME"),
        ('ENV V="a \\"b\\" \\n"', 'a "b" \\n'),
        ("ENV V=a\\ b", "a b"),
        ("ENV V=${NOPE:+alt}", ""),
        ("ENV A=/a\nENV V=/x${A:+:$A}", "/x:/a"),
        ("ENV A=/a\nENV V=${NOPE:-${A}}/b", "/a/b"),
        ("ENV V=${NOPE:-'a}b'}", "a}b"),
        ("ENV\tV\tsome value", "some value"),
        ("ENV A=1\nENV V=${A:+alt}", "alt"),
        ("ENV A=\nENV V=${A:-other}", "other"),
        ("ENV A=1 B=2\nENV A=3 V=$A", "1"),
        ("ARG X=arg\nENV X=env\nENV V=$X", "env"),
        ("ARG A=a\nARG B=${A}-x\nENV V=$B", "a-x"),
        ("ARG P=p Q=q\nENV V=$P$Q", "pq"),
        ("ARG VER=1\nFROM x:$VER\nARG VER\nENV V=$VER", "1"),
        ("ARG VER=1\nFROM x\nENV V=$VER", ""),
        ("ARG G=x\nENV V=$G", "given"),
        ("FROM x\nARG G\nENV V=$G", "given"),
        ("ENV V=1$", "1$"),
        ("ENV V a  $A 'b'", "a   b"),
    ],
)
def test_value(text: str, value: str) -> None:
    assert read_recipe(text, {"G": "given"}).environment["V"] == value


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("RUN a $B", ["/bin/sh -c 'a $B'"]),
        ("RUN a \\\n\n  b", ["/bin/sh -c 'a    b'"]),
        ("RUN [ -f x ] && y", ["/bin/sh -c '[ -f x ] && y'"]),
        ("RUN echo $((1<<k))", ["/bin/sh -c 'echo $((1<<k))'"]),
        ("ENV P=/x${P:+:$P}", ['export P=/x"${P:+:${P}}"']),
        ('RUN ["a", "b c"]', ["a 'b c'"]),
        ("WORKDIR /a b\nRUN x", ["mkdir -p '/a b' && cd '/a b'", "/bin/sh -c x"]),
        ("ENV PATH=/own:$PATH", ['export PATH=/own:"${PATH}"']),
        ("ENV A=${B:-$(id)}", ['export A="${B:-\\$(id)}"']),
        (
            "ENV P=/a:$P\nENV P=/b:$P",
            ['export P=/a:"${P}"', 'export P=/b:"${P}"'],
        ),
        ("ARG A=$(id)\nENV B=$A", ["export A='$(id)'", "export B='$(id)'"]),
        ("ENV A=1\nARG A=2", ["export A=1"]),
    ],
)
def test_commands_for_a_shell(text: str, commands: list[str]) -> None:
    assert read_recipe(f"FROM x\n{text}", {}).commands == commands


@pytest.mark.parametrize(
    "line",
    [
        "COPY --from=other /x /y",
        "COPY --chmod=u+x x /y",
        "COPY <<EOF /y",
        "RUN <<EOF",
        "RUN --mount=type=cache,target=/x y",
        "ADD https://example.org/x /y",
        "ADD x.tar.gz /y",
        'SHELL ["/bin/bash", "-c"]',
    ],
)
def test_what_only_a_builder_can_do_is_named(line: str) -> None:
    (named,) = read_recipe(f"FROM x\n{line}", {}).beyond

    assert named.split()[0] == line.split(maxsplit=1)[0]


def test_stages_and_bases_are_told() -> None:
    recipe = read_recipe("ARG B=x\nFROM --platform=a $B:1 AS one\nUSER 5", {})

    assert (recipe.base, recipe.stages, recipe.unkept) == ("x:1", 1, ["USER 5"])
    assert read_recipe("FROM x AS a\nFROM a", {}).stages == 2


@pytest.mark.parametrize(
    "line",
    [
        "ENV",
        'COPY "a',
        "COPY",
        "ENV A=${B%c}",
        "COPPY a /b",
    ],
)
def test_line_that_cannot_be_understood_is_named(line: str) -> None:
    with pytest.raises(ValueError, match=line.split(maxsplit=1)[0]):
        read_recipe(line, {})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("FROM a\nRUN <<EOF\nFROM b\nEOF\nFROM c", ["a", "c"]),
        ("FROM a\nCOPY <<-'END' <<B /x/\nFROM b\n\tEND\nFROM d\nB\nFROM c", ["a", "c"]),
        ("FROM a\nRUN echo '<<EOF'\nFROM b", ["a", "b"]),
        ("FROM a\nRUN --mount=type=bind,from=b,target=/x y", ["a", "b"]),
        ("FROM a\nRUN --mount=type=cache,id=from y", ["a"]),
        ("FROM a\nCOPY --from=b --chown=1 x /y", ["a", "b"]),
    ],
)
def test_base_images(text: str, names: list[str]) -> None:
    assert base_images(text, {}) == names


def test_text_below_an_instruction_is_none_of_its_own() -> None:
    recipe = read_recipe("FROM x\nRUN <<EOF\nENTRYPOINT y\nnonsense\nEOF\nUSER 5", {})

    assert (recipe.entrypoint, recipe.unkept) == ((), ["USER 5"])
