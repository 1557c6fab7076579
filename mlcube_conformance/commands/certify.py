"""`mlcube-conformance certify` and `verify`: statements on what a run proved."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlcube_conformance.base.errors import Message, UsageError
from mlcube_conformance.base.homes import current_folder, given_path
from mlcube_conformance.base.text import visible
from mlcube_conformance.base.trees import temporary_folder
from mlcube_conformance.base.writing import refuse_to_replace
from mlcube_conformance.commands.output import (
    refusing,
    show,
    show_or_write,
    write_file,
)
from mlcube_conformance.commands.said import tell
from mlcube_conformance.results.bundle import CERTIFICATE, SUFFIX, bundle
from mlcube_conformance.results.certificate import (
    VERDICTS,
    certificate,
    read_certificate,
    verified,
)
from mlcube_conformance.results.formats import reporters
from mlcube_conformance.results.overview import Overview
from mlcube_conformance.results.reading import joined, read_record
from mlcube_conformance.results.report import Report
from mlcube_conformance.results.unpacking import unpacked

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["certify", "verify"]


@click.command(short_help="Write what a run proved as a statement of in-toto.")
@click.argument("records", metavar="RECORD...", nargs=-1, required=True)
@click.option("--output", metavar="FILE", help="Output file (default: the terminal).")
@click.option(
    "--bundle",
    "packed",
    metavar="FILE",
    help=f"Archive with the records, logs and a report as well ({SUFFIX}).",
)
def certify(
    *, records: tuple[str, ...], output: str | None, packed: str | None
) -> None:
    """Write what runs proved as a statement of in-toto, which others can verify.

    It names cubes and images by their SHA-256, and says clause by clause what was
    found. It is not signed: sign it as any other file, for example by cosign.

    With --bundle, one archive has all that others need to verify and to look at it.

    Example: mlcube-conformance certify record.json --output cube.intoto.json
    """
    with refusing():
        files = [given_path(each, "RECORD") for each in records]
        place = _bundle_file(packed) if isinstance(packed, str) else None
        kept = [*files]
        if place:
            refuse_to_replace(kept, place, "--bundle")
            kept.append(place)
        if isinstance(output, str):
            refuse_to_replace(kept, given_path(output, "--output"), "--output")
        text = json.dumps(certificate(files), indent=2) + "\n"
        if place:
            write_file(place, bundle(files, {CERTIFICATE: text, **_reports(files)}))
            tell(f"written: {visible(str(place))}\n")
        if isinstance(output, str) or not place:
            show_or_write(text, output)


def _bundle_file(given: str) -> Path:
    file = given_path(given, "--bundle")
    if not file.name.endswith(SUFFIX):
        raise UsageError(
            Message(
                what="the format of the bundle is unknown",
                where="--bundle",
                found=given,
                expected=f"a name that ends in {SUFFIX}",
                do=f"write --bundle {file.stem or 'bundle'}{SUFFIX}",
            )
        )
    return file


def _reports(files: Sequence[Path]) -> dict[str, str]:
    overview = Overview(joined([*map(read_record, files)]))
    shown = Report(overview=overview, folder=current_folder())
    return {f"report{each}": reporters()[each](shown) for each in (".html", ".md")}


@click.command(short_help="Say what of a certificate still holds.")
@click.argument("file", metavar="FILE")
@click.option(
    "--record",
    "records",
    metavar="RECORD",
    multiple=True,
    help="Its record, if not where it was; may be repeated.",
)
@click.option("--cube", metavar="CUBE", help="Its only cube, if not where it was.")
def verify(*, file: str, records: tuple[str, ...], cube: str | None) -> None:
    """Recompute what a certificate says, as far as that is possible here.

    FILE is a certificate, or a bundle, which has the records in it. Exit code 1 means
    that something does not hold, or that its verdicts could not be checked: they stand
    in its record.

    Example: mlcube-conformance verify cube.intoto.json --cube wordcount
    """
    with refusing():
        place = given_path(file, "FILE")
        is_bundle = place.name.endswith(SUFFIX)
        with temporary_folder() if is_bundle else nullcontext(Path()) as folder:
            found, packed = unpacked(place, folder) if is_bundle else (place, [])
            points = [
                *verified(
                    read_certificate(found),
                    records=[given_path(x, "--record") for x in records] or packed,
                    cube=given_path(cube, "--cube") if isinstance(cube, str) else None,
                )
            ]
        for each in points:
            what = (
                each.what.replace(f"{folder}/", f"{place}/") if is_bundle else each.what
            )
            why = f": {each.why}" if each.why else ""
            show(visible(f"{each.state}: {what}{why}") + "\n")
    changed = any(each.state == "changed" for each in points)
    proved = any(each.what == VERDICTS and each.state == "holds" for each in points)
    raise SystemExit(0 if proved and not changed else 1)
