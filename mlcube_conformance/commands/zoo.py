"""`mlcube-conformance zoo`: cubes to learn from, broken and sound."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from mlcube_conformance.base.errors import Message, UsageError, did_you_mean
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.base.text import command_line, visible
from mlcube_conformance.commands.output import refusing, show
from mlcube_conformance.zoo.animals import animals
from mlcube_conformance.zoo.difference import difference
from mlcube_conformance.zoo.folders import BASE, HALVES, write_animal

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.zoo.animals import Animal

__all__ = ["zoo"]


@click.command(short_help="List cubes that are broken on purpose, or write one.")
@click.argument(
    "name",
    metavar="[NAME]",
    required=False,
    shell_complete=lambda _, __, begun: [
        each.name for each in animals() if each.name.startswith(begun)
    ],
)
@click.option(
    "--to",
    "target",
    metavar="DIR",
    help="New folder that both cubes of NAME are written to.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def zoo(*, name: str | None, target: str | None, as_json: bool) -> None:
    """List cubes that are broken on purpose, or show what is wrong with one.

    Each breaks one clause, and has a sound cube beside it that is as like it as
    possible. With --to, both are written, as DIR/broken and DIR/sound.

    Example: mlcube-conformance zoo exits-with-3 --to lesson
    """
    with refusing():
        if name is None:
            if target is not None:
                raise UsageError(
                    Message(
                        what="--to needs the name of an animal",
                        where="--to",
                        found="no NAME",
                        expected="one, as `mlcube-conformance zoo` lists them",
                        do="give a name, such as exits-with-3",
                    )
                )
            show(_as_json(animals()) if as_json else _listed())
            return
        animal = _named(name)
        if target is not None:
            _write(animal, given_path(target, "--to"))
        else:
            show(_as_json((animal,)) if as_json else _shown(animal))


def _named(name: str) -> Animal:
    known = {each.name: each for each in animals()}
    if name in known:
        return known[name]
    raise UsageError(
        Message(
            what=f"unknown animal {name!r}",
            where="NAME",
            found=repr(name),
            expected="one that `mlcube-conformance zoo` lists",
            do=did_you_mean(name, known) or "run: mlcube-conformance zoo",
        )
    )


def _as_json(shown: tuple[Animal, ...]) -> str:
    return json.dumps([asdict(each) for each in shown], indent=2) + "\n"


def _listed() -> str:
    wide = max(len(each.name) for each in animals())
    clause = max(len(each.clause) for each in animals())
    lines = [
        f"{each.clause:{clause}}  {each.name:{wide}}  {each.breaks}"
        for each in animals()
    ]
    return "\n".join(
        [*lines, "", "One of them: mlcube-conformance zoo NAME [--to DIR]", ""]
    )


def _shown(animal: Animal) -> str:
    """Return what is wrong with a cube, and its files against those of a sound one."""
    where = ", ".join(animal.on) or "validate alone"
    lines = [
        f"{animal.name}: {animal.breaks}",
        f"  clause: {animal.clause}",
        f"  seen:   {where}{f' (--level {animal.level})' if animal.level else ''}",
        f"  fix:    {animal.fix}",
        "",
    ]
    lines += difference(animal)
    return "".join(f"{visible(each)}\n" for each in lines)


def _write(animal: Animal, folder: Path) -> None:
    """Write both cubes of an animal, and say how they are tested."""
    if folder.exists() or folder.is_symlink():
        raise UsageError(
            Message(
                what="--to must be a new folder",
                where="--to",
                found=f"{folder} exists",
                expected="a path where nothing is",
                do="name another one",
            )
        )
    for half in HALVES:
        write_animal(animal, half, folder / half, BASE)
        show(f"written: {visible(str(folder / half))}\n")
    place = command_line([str(folder / HALVES[0])])
    if not animal.on:
        show(f"next: mlcube-conformance validate {place}\n")
        return
    words = [f"--level {animal.level}"] if animal.level else []
    words += animal.options
    show(
        f"next: mlcube-conformance test {place} --platform {animal.on[0]}"
        f"{''.join(f' {each}' for each in words)}\n"
    )
