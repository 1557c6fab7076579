"""What a Dockerfile copies where, and what it starts."""

from __future__ import annotations

import pytest

from mlcube_conformance.runners.dockerfile import Copy, read_recipe


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
    "line", ["ENV", "ENTRYPOINT [", "ENTRYPOINT " + "[" * 100_000, 'COPY "a', "COPY"]
)
def test_line_that_cannot_be_understood_is_named(line: str) -> None:
    with pytest.raises(ValueError, match=line.split(maxsplit=1)[0]):
        read_recipe(line, {})
