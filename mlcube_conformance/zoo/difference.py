"""How a broken cube differs from the sound one beside it."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

from mlcube_conformance.zoo.folders import HALVES, files_of

if TYPE_CHECKING:
    from mlcube_conformance.zoo.animals import Animal, Half

__all__ = ["difference"]


def difference(animal: Animal) -> list[str]:
    """Return the lines that differ, from the broken cube to the sound one."""
    broken, sound = (
        {
            path: text.replace(f"{animal.name}-{half}", animal.name)
            for path, text in files_of(animal, half).items()
        }
        for half in HALVES
    )
    lines: list[str] = []
    for path in sorted({*broken, *sound}):
        lines += unified_diff(
            _lines(broken.get(path, "")),
            _lines(sound.get(path, "")),
            f"broken/{path}" if path in broken else "/dev/null",
            f"sound/{path}" if path in sound else "/dev/null",
            n=2,
            lineterm="",
        )
    held = "\n".join(["", *broken, *sound])
    without, with_it = (_beside_text(animal, half, held) for half in HALVES)
    lines += [f"-{each}" for each in without if each not in with_it]
    lines += [f"+{each}" for each in with_it if each not in without]
    return lines


def _lines(text: str) -> list[str]:
    """Return the lines of a file; what ends those of Windows can be seen."""
    return text.removesuffix("\n").replace("\r", "\\r").split("\n") if text else []


def _beside_text(animal: Animal, half: Half, held: str) -> list[str]:
    """Return what a cube has beside files with a text, and the folders of these."""
    changes = animal.changes(half)
    return [
        *(
            f"folder {each}"
            for each in changes.get("folders", ())
            if f"\n{each}/" not in held
        ),
        *(f"link {path} -> {to}" for path, to in changes.get("links", {}).items()),
        *(f"pipe {each}" for each in changes.get("pipes", ())),
        *(f"executable {each}" for each in changes.get("runs", ())),
    ]
