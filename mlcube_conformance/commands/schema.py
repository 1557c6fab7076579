"""`mlcube-conformance schema`: JSON Schemas for editors."""

from __future__ import annotations

import click

from mlcube_conformance.base.errors import Message, UsageError, did_you_mean
from mlcube_conformance.commands.output import refusing, show
from mlcube_conformance.schemas.named import SCHEMAS
from mlcube_conformance.schemas.written import written

__all__ = ["schema"]


@click.command(short_help="Print a JSON Schema for editors, or list all.")
@click.argument(
    "name",
    metavar="[NAME]",
    required=False,
    shell_complete=lambda _, __, begun: [
        each.name for each in SCHEMAS if each.name.startswith(begun)
    ],
)
def schema(name: str | None) -> None:
    """Print the JSON Schema of a kind of file, or list all of them.

    Editors complete and check files by these: docs/editors.md.

    Example: mlcube-conformance schema mlcube
    """
    with refusing():
        show(_listed() if name is None else _text(name))


def _listed() -> str:
    wide = max(len(each.name) for each in SCHEMAS)
    lines = [f"{each.name:{wide}}  {each.what}" for each in SCHEMAS]
    return "\n".join([*lines, "", "One of them: mlcube-conformance schema NAME", ""])


def _text(name: str) -> str:
    known = [each.name for each in SCHEMAS]
    if name not in known:
        raise UsageError(
            Message(
                what=f"unknown schema {name!r}",
                where="NAME",
                found=repr(name),
                expected=f"one of {', '.join(known)}",
                do=did_you_mean(name, known) or "run: mlcube-conformance schema",
            )
        )
    return written(name)
