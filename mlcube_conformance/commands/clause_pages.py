"""The pages of the documents on clauses: one for each, and two that list them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from mlcube_conformance.base.markdown import cell, table
from mlcube_conformance.clauses import CUBE_CLAUSES, RUNNER_CLAUSES
from mlcube_conformance.clauses.page import clauses_markdown, runner_clauses_markdown
from mlcube_conformance.commands.clause_facts import facts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlcube_conformance.clauses import Clause

__all__ = ["clause_pages"]

_WRITTEN: Final = (
    "<!-- Written by `mlcube-conformance clauses --pages docs`: see CONTRIBUTING.md -->"
)
#: Words that no sentence begins in capitals.
_NAMES: Final = ("chmod", "examples", "medperf", "mlcube", "planemo")
#: Projects of the issues, by the words that name them.
_PROJECTS: Final = {
    "mlcube": "mlcube",
    "medperf": "medperf",
    "examples": "mlcube_examples",
}
_ISSUE: Final = re.compile(rf"\b({'|'.join(_PROJECTS)}) ?#(\d+)")
_LISTS: Final = {
    "cube": "[All clauses of cubes](../clauses.md)",
    "runner": "[All clauses of runners](../runner-clauses.md)",
}


def clause_pages() -> dict[str, str]:
    """Return the text of each page by its path in the folder of the documents."""
    return {
        "clauses.md": clauses_markdown(),
        "runner-clauses.md": runner_clauses_markdown(),
        **{
            f"clauses/{each.id}.md": _page(each)
            for each in (*CUBE_CLAUSES, *RUNNER_CLAUSES)
        },
    }


def _page(clause: Clause) -> str:
    found = facts_of(clause)
    lines = [
        f"# {clause.id}: {cell(clause.sentence)}",
        "",
        _WRITTEN,
        "",
        _summary(found),
        "",
        "## Why",
        "",
        _linked(_sentence(found["why"])),
        "",
        "## How it is tested",
        "",
        *_test(found),
        *_example(found),
        *_others(found),
        *_breaker(found["broken_by"]),
        "",
        "## How to waive it",
        "",
        *_waiver(found),
    ]
    return "\n".join([*lines, ""])


def _summary(found: dict[str, Any]) -> str:
    depth = f", for [level {found['depth']}](../levels.md)" if found["depth"] else ""
    needs = ", and ".join(found["needs"])
    applies = f" It applies where {cell(needs)}." if needs else ""
    whose = f"A {found['level']} of a {found['who']}{depth}."
    return f"{whose}{applies} {_LISTS[found['who']]}."


def _test(found: dict[str, Any]) -> Iterator[str]:
    if not found["test"]:
        yield f"It has no test of its own: {_marked(found['why_not'])}."
        return
    file, _, function = found["test"].partition("::")
    yield f"[`{function}`](../../{file}): {_sentence(found['checks'])}"
    if found["who"] == "runner":
        yield ""
        yield "Try it on a runner that has a description, such as `docker`:"
        yield ""
        line = f"mlcube-conformance test --runner docker -k {function}"
        yield from _block("shell", [line])


def _example(found: dict[str, Any]) -> Iterator[str]:
    example = found["example"]
    if not example:
        return
    yield from ("", "## An example", "")
    yield f"{_sentence(example['breaks'])} The broken cube, and a sound one:"
    yield ""
    yield from _block("diff", example["difference"])
    runs = any("RUN/" in each for each in example["message"])
    folder = " (`RUN` is the folder of the run)" if runs else ""
    yield from ("", f"`{example['seen_by']}` says{folder}:", "")
    yield from _block("text", example["message"])
    yield from ("", "## How to fix it", "", _sentence(example["fix"]), "")
    yield "Both cubes, to try it:"
    yield ""
    line = f"mlcube-conformance zoo {example['name']} --to lesson"
    yield from _block("shell", [line])


def _others(found: dict[str, Any]) -> Iterator[str]:
    shown = found["example"]["name"] if found["example"] else ""
    rows = [
        (f"`{each['name']}`", _marked(each["breaks"]), _marked(each["fix"]))
        for each in found["animals"]
        if each["name"] != shown
    ]
    if rows:
        yield from ("", "Other cubes of [the zoo](../zoo.md) that break it:", "")
        yield from table(("cube", "what is wrong", "fix"), rows)


def _breaker(known: dict[str, str]) -> Iterator[str]:
    if known:
        yield from ("", "## A runner that breaks it", "")
        yield f"{cell(known['runner'])}: {cell(known['reason'])}."


def _waiver(found: dict[str, Any]) -> Iterator[str]:
    waiver = found["waiver"]
    if "why_not" in waiver:
        yield _sentence(waiver["why_not"])
        return
    yield f"In {_marked(waiver['file'])}:"
    yield ""
    yield from _block("yaml", waiver["lines"])
    yield ""
    if "note" in waiver:
        yield _sentence(waiver["note"])
    if found["who"] == "cube":
        yield "[More on expected failures](../promises.md#expected-failures)."
        return
    yield "[More on expected failures](../runners.md#expected-failures)."
    if found["level"] == "SHOULD":
        yield "The description of a runner may declare it as `unsupported`."


def _sentence(text: str) -> str:
    """Return a text that begins as a sentence, unless with a name, and ends as one."""
    first = text.split(maxsplit=1)[0].strip(",:")
    if first.isalpha() and first not in _NAMES:
        text = text[0].upper() + text[1:]
    return _marked(text if text.endswith(".") else f"{text}.")


def _linked(text: str) -> str:
    """Return Markdown in which issues of the projects are links."""
    return _ISSUE.sub(
        lambda found: (
            f"[{found[0]}](https://github.com/mlcommons/{_PROJECTS[found[1]]}/issues/"
            f"{found[2]})"
        ),
        text,
    )


def _marked(text: str) -> str:
    """Return our own text as Markdown: its words in backquotes stay code."""
    parts = text.split("`")
    return "`".join(
        part if place % 2 else cell(f"x{part}x")[1:-1]
        for place, part in enumerate(parts)
    )


def _block(kind: str, lines: list[str]) -> Iterator[str]:
    """Yield a block in which nothing is Markdown."""
    runs = (len(run) for each in lines for run in re.findall("`+", each))
    fence = "`" * max(3, max(runs, default=0) + 1)
    yield from (f"{fence}{kind}", *lines, fence)
