"""What an image of Singularity is built from: the cube's recipe, or what stands for it.

The format is that of https://apptainer.org/docs/user/latest/definition_files.html.
Templates (`{{ NAME }}` and `%arguments`) are filled in here, since programs before
Apptainer 1.2 do not know them. A recipe can run commands on the machine that builds,
and copy any of its files into the image; neither is let through.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlcube_conformance.errors import Message, Violation
from mlcube_conformance.runners.base import CA_VARIABLES
from mlcube_conformance.runners.container import CA_FILE
from mlcube_conformance.runners.content import CONTENT_LABEL, content_key, files_below
from mlcube_conformance.runners.singularity_conversion import convert

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlcube_conformance.runners.base import ConfigureRequest

__all__ = ["RECIPE", "Definition", "build_environment", "definition_of"]

RECIPE = "Singularity.recipe"

_SECTION = re.compile(r"^\s*%(\w+)(.*)$")
_TEMPLATE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_HEADER = re.compile(r"^\s*(bootstrap|from)\s*:\s*(.*?)\s*$", re.IGNORECASE)
#: Sections whose commands run on the machine that builds, outside of the image.
_ON_THIS_MACHINE = {"setup", "pre"}
_FILES = {"files", "appfiles"}
#: Agents that read a file or folder of this machine.
_LOCAL_AGENTS = {"localimage", "docker-archive", "oci", "oci-archive"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """Everything that decides what an image holds."""

    text: str
    """The recipe, with nothing left to fill in."""
    folder: Path
    """Folder that its relative paths start from."""
    source: str
    """What it was made from, as it is shown."""
    key: str

    def labelled(self, ca_bundle: Path | None) -> str:
        """Return the text with our label, and with certificates to be trusted."""
        trust = ""
        if ca_bundle is not None:
            trust = f"\n%files\n    {shlex.quote(str(ca_bundle))} {CA_FILE}\n"
        return f"{self.text}\n{trust}\n%labels\n    {CONTENT_LABEL} {self.key}\n"


def build_environment(ca_bundle: Path | None) -> dict[str, str]:
    """Return the variables that the commands of a recipe see."""
    return dict.fromkeys(CA_VARIABLES, CA_FILE) if ca_bundle is not None else {}


def definition_of(request: ConfigureRequest, place: Path) -> Definition | None:
    """Return what to build the image of a cube from; None where it brings nothing.

    That is `build/Singularity.recipe`; without it the image that a Docker daemon has
    of the cube, if that is up to date; without that the Dockerfile, converted.

    Args:
        request: The image that is wanted.
        place: An empty folder for the files of a converted Dockerfile.

    Raises:
        Violation: The recipe cannot be read, or reaches out of `build/`.
    """
    context = request.cube.build_context
    if (context / RECIPE).is_file():
        return _from_recipe(request)
    if not (context / "Dockerfile").is_file():
        return None
    from mlcube_conformance.runners.docker_images import (  # noqa: PLC0415 - slow
        image_of_cube,
    )

    name, found = image_of_cube(request)
    if name:
        return Definition(
            text=f"Bootstrap: docker-daemon\nFrom: {name}\n",
            folder=context,
            source=f"the image {name} of the Docker daemon",
            key=content_key(context, (), found),
        )
    text = convert(request.cube, request.options.build_args, place)
    return _finished(
        request,
        text=text,
        folder=place,
        source="build/Dockerfile, converted by spython",
    )


def _from_recipe(request: ConfigureRequest) -> Definition:
    file = request.cube.build_context / RECIPE
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _refusal(
            request, str(error), "a text in UTF-8", "mend the file"
        ) from error
    text = _filled(request, text)
    _refuse_reaching_out(request, text)
    return _finished(
        request, text=text, folder=request.cube.build_context, source=f"build/{RECIPE}"
    )


def _finished(
    request: ConfigureRequest, *, text: str, folder: Path, source: str
) -> Definition:
    """Take the base image from the Docker daemon if it has it, as Docker would."""
    base = _base(text)
    found = ""
    if base.get("bootstrap") == "docker" and "from" in base:
        from mlcube_conformance.runners.docker_images import (  # noqa: PLC0415 - slow
            image_in_daemon,
        )

        found = image_in_daemon(base["from"])
        if found:
            text = re.sub(
                r"^(\s*bootstrap\s*:\s*)docker\s*$",
                r"\1docker-daemon",
                text,
                count=1,
                flags=re.IGNORECASE | re.MULTILINE,
            )
            source += f", on the image {base['from']} of the Docker daemon"
    bundle = request.options.ca_bundle
    trusted = bundle.read_text(encoding="utf-8") if bundle else ""
    try:
        key = content_key(folder, files_below(folder), text, found, trusted)
    except (OSError, RecursionError) as error:
        raise _refusal(
            request, str(error), "files that can be read, not too deep", "mend build/"
        ) from error
    return Definition(text=text, folder=folder, source=source, key=key)


def _base(text: str) -> dict[str, str]:
    """Return the header of a recipe's first stage, with its keys in small letters."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if _SECTION.match(line):
            break
        if match := _HEADER.match(line):
            found.setdefault(match[1].lower(), match[2])
    return found


def _lines(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield each line below a section: its section, what follows that name, itself."""
    section = rest = ""
    for line in text.splitlines():
        match = _SECTION.match(line)
        if match:
            section, rest = match[1], match[2].strip()
        elif line.lstrip()[:10].lower() == "bootstrap:":
            section = rest = ""
        yield section, rest, "" if match else line.strip()


def _filled(request: ConfigureRequest, text: str) -> str:
    """Fill in the templates, and leave out the section with their defaults."""
    values: dict[str, str] = {}
    kept = []
    for (section, _, content), line in zip(
        _lines(text), text.splitlines(), strict=True
    ):
        if section != "arguments":
            kept.append(line)
            continue
        name, equals, value = content.partition("=")
        if equals and not content.startswith("#"):
            values[name.strip()] = value.strip()
    values |= request.options.build_args
    missing = sorted({name for name in _TEMPLATE.findall(text) if name not in values})
    if missing:
        raise _refusal(
            request,
            f"no value for {', '.join(missing)}",
            "a default in %arguments, or a value of the command line",
            f"give --build-arg {missing[0]}=VALUE",
        )
    return _TEMPLATE.sub(lambda match: values[match[1]], "\n".join(kept)) + "\n"


def _refuse_reaching_out(request: ConfigureRequest, text: str) -> None:
    """Refuse what would run on this machine, or read files outside of `build/`.

    Raises:
        Violation: The recipe does that.
    """
    for section, rest, line in _lines(text):
        if section in _ON_THIS_MACHINE:
            raise _refusal(
                request,
                f"%{section}, whose commands run on this machine, outside of the image",
                "a recipe whose commands run inside, in %post",
                f"move the commands of %{section} to %post",
            )
        copied = section in _FILES and not rest.startswith("from")
        if copied and line and not line.startswith("#"):
            _refuse_outside(request, f"%{section}", _source_of(line))
    base = _base(text)
    path = base.get("from", "")
    local = base.get("bootstrap", "").lower() in _LOCAL_AGENTS
    if local and path not in request.options.build_args.values():
        _refuse_outside(request, "From", path)


def _source_of(line: str) -> str:
    try:
        return shlex.split(line)[0]
    except (ValueError, IndexError):
        return line.split(maxsplit=1)[0]


def _refuse_outside(request: ConfigureRequest, where: str, source: str) -> None:
    context = request.cube.build_context.resolve()
    outside = [] if _inside(context / source, context) else [source]
    if not outside:
        # Links are followed when files are copied into an image.
        pattern = os.path.relpath(context / source, context)
        for found in [context] if pattern == "." else context.glob(pattern):
            below = found.rglob("*") if found.is_dir() else ()
            outside += [
                str(each) for each in (found, *below) if not _inside(each, context)
            ]
    if outside:
        raise _refusal(
            request,
            f"{where} takes {outside[0]}, which lies outside of build/",
            "files of build/, the root of what an image is made from",
            "put the file into build/, and name it relative to that",
        )


def _inside(path: Path, context: Path) -> bool:
    return path.resolve().is_relative_to(context)


def _refusal(
    request: ConfigureRequest, found: str, expected: str, do: str
) -> Violation:
    return Violation(
        Message(
            what=f"the recipe of {request.cube.id!r} cannot be used",
            where=str(request.cube.build_context / RECIPE),
            found=found,
            expected=expected,
            do=do,
        )
    )
