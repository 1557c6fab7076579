"""`mlcube-conformance doctor`: what this machine can run, and what is missing."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING, Any

import click

from mlcube_conformance.base.text import mask, visible
from mlcube_conformance.commands.output import refusing, show
from mlcube_conformance.runners import kinds, make_runner
from mlcube_conformance.runners.about import preferred
from mlcube_conformance.runners.common.gpus import gpus_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["doctor"]

#: What stands for the engine of a place that a platform file names.
_NO_ENGINE = "hosts that platform files name"


@click.command(short_help="Say what this machine can run, and what is missing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(*, as_json: bool) -> None:
    """Say which platforms work on this machine, and how to get the others.

    No cube is read, and nothing is started or changed. Exit code 1 means that no
    platform works.

    Example: mlcube-conformance doctor
    """
    with refusing():
        found = [_facts(each) for each in kinds()]
        facts: dict[str, Any] = {
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.release()}",
            "gpus": gpus_here(),
            "platforms": found,
        }
        works = {each["platform"] for each in found if each["works"]}
        chosen = next((each for each in preferred() if each in works), "")
        facts["chosen"] = chosen
        show(json.dumps(facts, indent=2) + "\n" if as_json else _text(facts))
    raise SystemExit(0 if works else 1)


def _facts(kind: str) -> dict[str, Any]:
    """Return whether a platform works, by which engine, and how to get it."""
    runner = make_runner(kind, "doctor")
    try:
        trouble = runner.unavailable()
        message = trouble.messages[0] if trouble else None
        return {
            "platform": kind,
            "works": not trouble,
            "engine": "" if trouble else mask(runner.engine()),
            "what": message.what if message else "",
            "found": mask(message.found) if message else "",
            "do": message.do if message else "",
        }
    finally:
        runner.close()


def _text(facts: Mapping[str, Any]) -> str:
    return "".join(f"{line}\n" for line in _lines(facts))


def _lines(facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"yes  Python {facts['python']} on {facts['system']}"
    for each in facts["platforms"]:
        name = f"{each['platform']:<12}"
        if each["works"]:
            yield f"yes  {name} {visible(each['engine'] or _NO_ENGINE)}"
            continue
        yield f"no   {name} {visible(each['what'])}"
        for label in ("found", "do"):
            lines = [visible(line) for line in each[label].splitlines()]
            for number, line in enumerate(lines):
                start = f"{label}:" if number == 0 else ""
                yield f"     {start:<12} {line}"
    gpus = ", ".join(facts["gpus"])
    yield f"{'yes' if gpus else 'no':<4} {'GPU':<12} {gpus or 'none was found'}"
    yield (
        f"\nWithout --platform, cubes run on {facts['chosen']}."
        if facts["chosen"]
        else "\nNo platform works here yet: do what stands above for one of them."
    )
