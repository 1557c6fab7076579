"""Reads the sections `docker` and `singularity` of a single-file cube."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mlcube_conformance.base.errors import did_you_mean
from mlcube_conformance.base.files import is_folder, is_inside, is_there, resolved
from mlcube_conformance.formats.loaded import check_path
from mlcube_conformance.formats.run_args import (
    DOCKER,
    SINGULARITY,
    Offer,
    read_flag,
    read_flags,
    read_program,
    split_words,
)
from mlcube_conformance.model import Build, Platform

if TYPE_CHECKING:
    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located
    from mlcube_conformance.model import Strategy

__all__ = ["Sections", "read_sections"]

_DOCKER_FLAGS = ("--network", "--security-opt", "--gpus", "--memory", "--cpuset-cpus")
_DOCKER_KEYS = (
    *("image", "docker", "env_args", "gpu_args", "cpu_args", "build_args"),
    *("build_context", "build_file", "build_strategy", "tar_file"),
    *(*_DOCKER_FLAGS, "--mount_opts"),
)
_SINGULARITY_KEYS = (
    *("image", "image_dir", "singularity", "build_args", "run_args", "build_file"),
    *("--network", "--security", "--nv", "--vm-ram", "--vm-cpu", "--mount_opts"),
)
#: Keys of `singularity` for which its runner has nothing.
_NOT_GIVEN = ("--security", "--vm-ram", "--vm-cpu")
_STRATEGIES = ("auto", "pull", "always")
_ARCHIVE = "docker-archive:"
_BASES = ("docker://", _ARCHIVE)
#: Where images are kept that are given no folder.
_IMAGES = "${HOME}/.cache/mlcube-conformance/images"
_VARIABLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)
#: Flags of a build that are given, or not, whether they are asked for or not.
_OF_BUILD = ("--fakeroot", "-f", "--force", "-F", "--notest", "-T")
_OFF = (None, "", "0", 0, False)


@dataclass(slots=True, kw_only=True)
class Sections:
    """What the sections of a file say."""

    platforms: dict[str, Platform] = field(default_factory=dict)
    docker: Build
    singularity: Build


def read_sections(document: Located, root: Path, problems: Problems) -> Sections:
    """Read the sections that are there; the others count as they would be empty.

    Args:
        document: The whole file, filled in.
        root: Folder of the cube.
        problems: Takes what is wrong.
    """
    found = Sections(
        docker=Build(file=root / "Dockerfile", context=root),
        singularity=Build(file=root / "Singularity.recipe", context=root),
    )
    for name, known in (("docker", _DOCKER_KEYS), ("singularity", _SINGULARITY_KEYS)):
        section = document.get(name)
        if section is None or section.value is None:
            continue
        if not section.is_mapping():
            problems.add(
                f"the section {name!r} is no mapping",
                section,
                expected=f"a mapping with {', '.join(known)}",
                do="mend the section, or remove it",
            )
            continue
        problems.warn_of_duplicates(section)
        problems.unknown_keys(section, known)
        _check_mounts(section, problems)
        if name == "docker":
            _read_docker(document, section, root, found, problems)
        else:
            _read_singularity(section, root, found, problems)
    return found


def _read_docker(
    document: Located, section: Located, root: Path, found: Sections, problems: Problems
) -> None:
    context = _context(root, section, problems)
    file = _recipe(root, context, section, problems)
    arguments = _assignments(section, "build_args", ("--build-arg",), problems)
    named = bool(_optional_text(section, "build_file", problems))
    found.docker = Build(file=file, context=context, args=arguments, named=named)
    options: dict[str, str] = {}
    program = section.get("docker")
    if program is not None:
        name = problems.text(section, "docker")
        read_program(name, program, options, problems, DOCKER)
    _read_gpus(document, section, options, problems)
    for key in _DOCKER_FLAGS:
        given = section.get(key)
        if key != "--gpus" and given is not None and given.value is not None:
            value = _scalar(given, problems)
            read_flag(key, value, given, options, problems, offer=DOCKER)
    found.platforms["docker"] = Platform(
        id="docker",
        kind="docker",
        image=problems.text(section, "image"),
        file=document.source.file,
        section="docker",
        options=options,
        with_gpus=_flags(section, "gpu_args", problems, DOCKER),
        without_gpus=_flags(section, "cpu_args", problems, DOCKER),
        environment=_assignments(section, "env_args", ("-e", "--env"), problems),
        strategy=_strategy(section, file, problems),
        base=_archive(root, _path(section, "tar_file", problems)),
    )


def _read_singularity(
    section: Located, root: Path, found: Sections, problems: Problems
) -> None:
    given = _path(section, "build_file", problems)
    base = given if given.startswith(_BASES) else ""
    if base.startswith(_ARCHIVE):
        base = _archive(root, base.removeprefix(_ARCHIVE).removeprefix("//"))
    if given and not base:
        file = Path(os.path.normpath(root / given))
        _refuse_outside(root, file, section.get("build_file") or section, problems)
        found.singularity = Build(file=file, context=root)
    options: dict[str, str] = {}
    program = _optional_text(section, "singularity", problems)
    if program:
        at = section.get("singularity") or section
        read_program(program, at, options, problems, SINGULARITY)
    options.update(_flags(section, "run_args", problems, SINGULARITY))
    network = section.get("--network")
    if network is not None and network.value is not None:
        value = _scalar(network, problems)
        read_flag("--network", value, network, options, problems, offer=SINGULARITY)
    gpus = section.get("--nv")
    if gpus is not None and gpus.value not in _OFF:
        options["gpus"] = "all"
    _check_build_flags(section, problems)
    for key in _NOT_GIVEN:
        asked = section.get(key)
        if asked is not None and asked.value is not None:
            problems.add(
                f"the section asks for {key}, which this runner does not give",
                asked,
                found=asked.kind,
                expected="nothing",
                do="remove it",
            )
    folder = _path(section, "image_dir", problems) or _IMAGES
    image = _path(section, "image", problems) or _image_of(base, found)
    if folder == _IMAGES and not _is_whole(image):
        # Not in the workspace, which may be part of what an image is built from.
        image = image.removesuffix(".sif") + "-${place}.sif"
    found.platforms["singularity"] = Platform(
        id="singularity",
        kind="singularity",
        image=image if _is_whole(image) else f"{folder}/{image}",
        file=section.source.file,
        section="singularity",
        options=options,
        base=base,
    )


def _image_of(base: str, found: Sections) -> str:
    """Return the name of an image file, from what it is made of."""
    docker = found.platforms.get("docker")
    text = base or (docker.image if docker else "") or "cube"
    return "".join(sign for sign in text if sign.isalnum()) + ".sif"


def _read_gpus(
    document: Located, section: Located, options: dict[str, str], problems: Problems
) -> None:
    """Read how many GPUs a task gets: those of the section, or of the platform."""
    at = section.get("--gpus")
    if at is not None and at.value is not None:
        options.pop("gpus", None)
        given = _scalar(at, problems).strip()
        if given and not re.fullmatch(r"0+|-[0-9]+", given):
            read_flag("--gpus", given, at, options, problems, offer=DOCKER)
        return
    platform = document.get("platform")
    count = platform.get("accelerator_count") if platform is not None else None
    if count is None or count.value is None or count.value == "":
        return
    if not isinstance(count.value, int) or isinstance(count.value, bool):
        problems.add(
            "the number of accelerators is no number",
            count,
            expected="a whole number, 0 or more",
            do="write accelerator_count: 0, or how many GPUs a task needs",
        )
    elif count.value > 0:
        options.setdefault("gpus", str(count.value))
    else:
        options.pop("gpus", None)


def _strategy(section: Located, recipe: Path, problems: Problems) -> Strategy:
    at = section.get("build_strategy")
    given = problems.text(section, "build_strategy") if at is not None else "pull"
    if given and given not in _STRATEGIES:
        problems.add(
            "the build_strategy is none that there is",
            at or section,
            found=given,
            expected=f"one of {', '.join(_STRATEGIES)}",
            do=did_you_mean(given, _STRATEGIES) or "write auto",
        )
        return "auto"
    if given == "pull" and is_there(recipe):
        problems.warn(
            f"{recipe.name} is not used, since the image is pulled",
            at or section,
            found="build_strategy: pull" if at else "no build_strategy: that is pull",
            do="write build_strategy: auto, or give --build-strategy auto",
        )
    return cast("Strategy", given or "auto")


def _flags(
    section: Located, key: str, problems: Problems, offer: Offer
) -> dict[str, str]:
    options: dict[str, str] = {}
    at = section.get(key)
    if at is not None and at.value not in (None, ""):
        read_flags(at, options, problems, offer)
    return options


def _check_build_flags(section: Located, problems: Problems) -> None:
    at = section.get("build_args")
    if at is None or at.value in (None, "") or not _is_text(at, problems):
        return
    unknown = [each for each in split_words(at, problems) if each not in _OF_BUILD]
    if unknown:
        problems.add(
            "build_args asks for what this runner does not give",
            at,
            found=unknown[0],
            expected=f"one of {', '.join(_OF_BUILD)}",
            do="remove it",
        )


def _check_mounts(section: Located, problems: Problems) -> None:
    at = section.get("--mount_opts")
    if at is not None and at.value not in (None, "", "ro"):
        problems.add(
            "--mount_opts lets tasks write to every input",
            at,
            expected="ro, or nothing",
            do="write opts: rw for those inputs that a task has to write to",
        )


def _assignments(
    section: Located, key: str, flags: tuple[str, ...], problems: Problems
) -> dict[str, str]:
    """Read variables: a mapping, or the flags that stand for one in a command line."""
    at = section.get(key)
    if at is None or at.value in (None, ""):
        return {}
    if at.is_mapping():
        return {
            name: _scalar(value, problems)
            for name, value in at.items()
            if _is_variable(name, value, problems) and value.value is not None
        }
    if not _is_text(at, problems):
        return {}
    found: dict[str, str] = {}
    words = iter(split_words(at, problems))
    for word in words:
        flag, _, rest = word.partition("=")
        assigned = rest if flag in flags and rest else next(words, "")
        name, equals, value = assigned.partition("=")
        if flag not in flags or not _VARIABLE.fullmatch(name) or not equals:
            problems.add(
                f"{key} is no list of variables",
                at,
                found=f"{word} {assigned}".strip(),
                expected=f"a mapping, or {flags[0]} NAME=VALUE for each",
                do=f"write {key}: {{NAME: value}}",
            )
            return {}
        found[name] = value
    return found


def _scalar(at: Located, problems: Problems) -> str:
    if isinstance(at.value, (dict, list)) or "\0" in at.text():
        problems.add(
            f"{at.source.key!r} is neither text nor a number",
            at,
            found=ascii(at.value) if at.text() else at.kind,
            expected="a text or a number",
            do="mend the value",
        )
        return ""
    return str(at.value).lower() if isinstance(at.value, bool) else str(at.value)


def _optional_text(section: Located, key: str, problems: Problems) -> str:
    at = section.get(key)
    if at is None or at.value in (None, ""):
        return ""
    return problems.text(section, key)


def _path(section: Located, key: str, problems: Problems) -> str:
    """Return the path under a key; add a problem and return "" where it is none."""
    text = _optional_text(section, key, problems)
    at = section.get(key) or section
    return text if check_path(text, f"the {key}", at, problems) else ""


def _is_variable(name: str, at: Located, problems: Problems) -> bool:
    if _VARIABLE.fullmatch(name):
        return True
    problems.add(
        "a variable has a name that none can have",
        at,
        found=ascii(name),
        expected="letters, digits and _, and no digit first",
        do="rename it",
    )
    return False


def _is_text(at: Located, problems: Problems) -> bool:
    if at.text():
        return True
    problems.add(
        f"{at.source.key!r} is no text",
        at,
        expected="a mapping or a text of flags",
        do="mend the value",
    )
    return False


def _is_whole(path: str) -> bool:
    return path.startswith(("/", "~", "$"))


def _archive(root: Path, name: str) -> str:
    """Return an archive that `docker save` wrote, as it stands for a recipe."""
    return f"{_ARCHIVE}{os.path.normpath(root / name)}" if name else ""


def _context(root: Path, section: Located, problems: Problems) -> Path:
    """Return the folder of the build: in the cube, or beside it.

    All that lies in it may go into an image, and from there anywhere.
    """
    at = section.get("build_context") or section
    text = _path(section, "build_context", problems) or "."
    # As the system reads it, where the cube itself is reached through a link.
    outside = os.path.normpath(text).startswith("..")
    context = Path(os.path.normpath((resolved(root) if outside else root) / text))
    place, home = resolved(context), resolved(root)
    if is_there(context) and not is_folder(context):
        problems.add(
            "the build_context is not a folder",
            at,
            found=f"{text} is a file, or a link that leads nowhere",
            expected="a folder of the cube, or one beside it such as ../project",
            do="fix the path",
        )
        return root
    beside = place.is_relative_to(home.parent) and not (
        home.is_relative_to(place)
        or any(part.startswith(".") for part in place.relative_to(home.parent).parts)
    )
    if text.startswith(("/", "~")) or not (is_inside(root, context) or beside):
        problems.add(
            "the build_context lies neither in the cube nor beside it",
            at,
            found=f"{text} (that is {place})",
            expected="a folder of the cube, or one beside it such as ../project",
            do="move what the image needs there, or give the place on the command "
            "line: --build-context DIR",
        )
        return root
    return context


def _recipe(root: Path, context: Path, section: Located, problems: Problems) -> Path:
    text = _path(section, "build_file", problems) or "Dockerfile"
    file = Path(os.path.normpath(context / text))
    at = section.get("build_file") or section
    # A link that leads elsewhere is the image's fault, as is whatever else it is.
    if not (file.is_relative_to(context) or file.is_relative_to(root)):
        _refuse_outside(root, file, at, problems)
    return file


def _refuse_outside(root: Path, file: Path, at: Located, problems: Problems) -> None:
    if not file.is_relative_to(root):
        problems.add(
            "the build_file lies outside of the cube",
            at,
            found=str(file),
            expected="a file of the cube or of the build context",
            do="move it there",
        )
