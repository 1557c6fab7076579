"""Reads the sections `docker` and `singularity` of a single-file cube."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mlcube_conformance.base.errors import did_you_mean
from mlcube_conformance.base.files import is_there
from mlcube_conformance.formats.build_paths import docker_build, recipe_elsewhere
from mlcube_conformance.formats.run_args import (
    read_flag,
    read_program,
    read_words,
    split_words,
)
from mlcube_conformance.formats.section_values import (
    assignments,
    flags_below,
    is_text,
    optional_text,
    path_below,
    scalar,
)
from mlcube_conformance.model import Build, Platform
from mlcube_conformance.runners.docker.about import OFFER as DOCKER
from mlcube_conformance.runners.singularity.about import OFFER as SINGULARITY

if TYPE_CHECKING:
    from collections.abc import Collection

    from mlcube_conformance.base.errors import Message
    from mlcube_conformance.formats.given import Given
    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located
    from mlcube_conformance.model import Strategy
    from mlcube_conformance.runners.about import Offer

__all__ = [
    "DOCKER_VALUES",
    "NOT_GIVEN",
    "SECTIONS",
    "SINGULARITY_VALUES",
    "STRATEGIES",
    "Sections",
    "read_sections",
]

_DOCKER_FLAGS = ("--network", "--security-opt", "--gpus", "--memory", "--cpuset-cpus")
_DOCKER_KEYS = (
    *("image", "docker", "env_args", "gpu_args", "cpu_args", "build_args"),
    *("build_context", "build_file", "build_strategy", "tar_file"),
    *(*_DOCKER_FLAGS, "--mount_opts"),
)
#: Keys that look like flags, and mean more than these.
DOCKER_VALUES = ("--gpus", "--mount_opts")
SINGULARITY_VALUES = ("--security", "--nv", "--vm-ram", "--vm-cpu", "--mount_opts")
_SINGULARITY_KEYS = (
    *("image", "image_dir", "singularity", "build_args", "run_args", "build_file"),
    *("--network", *SINGULARITY_VALUES),
)
#: The platforms that this format describes, with the keys of each.
SECTIONS = {"docker": _DOCKER_KEYS, "singularity": _SINGULARITY_KEYS}
#: Keys of `singularity` for which its runner has nothing.
NOT_GIVEN = ("--security", "--vm-ram", "--vm-cpu")
STRATEGIES = ("auto", "pull", "always")
_ARCHIVE = "docker-archive:"
_BASES = ("docker://", _ARCHIVE)
#: Where images are kept that are given no folder.
_IMAGES = "${HOME}/.cache/mlcube-conformance/images"
#: Flags of a build that are given, or not, whether they are asked for or not.
_OF_BUILD = ("--fakeroot", "-f", "--force", "-F", "--notest", "-T")
_OFF = (None, "", "0", 0, False)


@dataclass(slots=True, kw_only=True)
class Sections:
    """What the sections of a file say."""

    platforms: dict[str, Platform] = field(default_factory=dict)
    docker: Build
    singularity: Build


def read_sections(
    document: Located, root: Path, given: Given, problems: Problems
) -> Sections:
    """Read the sections that are there; the others count as they would be empty.

    Args:
        document: The whole file, filled in.
        root: Folder of the cube.
        given: What the command line gives.
        problems: Takes what is wrong.
    """
    found = Sections(
        docker=docker_build(document, root, given, problems),
        singularity=Build(file=root / "Singularity.recipe", context=root),
    )
    for name, known in SECTIONS.items():
        section = document.get(name)
        if section is None or section.value is None:
            continue
        if not section.is_mapping():
            problems.add(
                f"the section {name!r} is not a mapping",
                section,
                expected=f"a mapping with {', '.join(known)}",
                do="fix the section, or remove it",
            )
            continue
        problems.warn_of_duplicates(section)
        # MLCube hands each key that begins with -- to the engine.
        flags = (key for key, _ in section.items() if key.startswith("--"))
        problems.further_keys(section, dict.fromkeys((*known, *flags)))
        _check_mounts(section, problems)
        if name == "docker":
            _read_docker(document, section, root, found, problems)
        else:
            _read_singularity(section, root, found, problems)
    return found


def _read_docker(
    document: Located, section: Located, root: Path, found: Sections, problems: Problems
) -> None:
    options: dict[str, str] = {}
    program = optional_text(section, "docker", problems)
    if program:
        named = section.get("docker") or section
        read_program(program, named, options, problems, DOCKER)
    with_gpus = flags_below(section, "gpu_args", problems, DOCKER)
    if "--runtime" in (at.text() if (at := section.get("gpu_args")) else ""):
        # Its containers have GPUs, however many: nothing else need say so.
        options.update({"gpus": gpus} if (gpus := with_gpus.get("gpus")) else {})
    _read_gpus(document, section, options, problems)
    _read_flag_keys(section, DOCKER_VALUES, options, problems, DOCKER)
    found.platforms["docker"] = Platform(
        id="docker",
        kind="docker",
        image=problems.text(section, "image"),
        file=document.source.file,
        section="docker",
        options=options,
        with_gpus=with_gpus,
        without_gpus=flags_below(section, "cpu_args", problems, DOCKER),
        environment=assignments(section, "env_args", ("-e", "--env"), problems),
        strategy=_strategy(section, found.docker.file, problems),
        base=_archive(root, path_below(section, "tar_file", problems)),
        limits=_limits_of(section, problems),
    )


def _read_flag_keys(
    section: Located,
    others: Collection[str],
    options: dict[str, str],
    problems: Problems,
    offer: Offer,
) -> None:
    """Read the keys of a section that are flags, except some that mean more."""
    for key, at in section.items():
        if not key.startswith("--") or key in others or at.value is None:
            continue
        value = scalar(at, problems)
        value = value.lower() if isinstance(at.value, bool) else value
        read_words([f"{key}={value}"], at, options, problems, offer)


def _limits_of(section: Located, problems: Problems) -> tuple[Message, ...]:
    """Return what a section asks for and is not given."""
    key = f", key {section.source.key}"
    return tuple(
        each for each in problems.limits if re.search(f"{key}(\\.|$)", each.where)
    )


def _read_singularity(
    section: Located, root: Path, found: Sections, problems: Problems
) -> None:
    given = path_below(section, "build_file", problems)
    base = given if given.startswith(_BASES) else ""
    if base.startswith(_ARCHIVE):
        base = _archive(root, base.removeprefix(_ARCHIVE).removeprefix("//"))
    if given and not base:
        file = Path(os.path.normpath(root / given))
        at = section.get("build_file") or section
        trouble = None if file.is_relative_to(root) else recipe_elsewhere(at, file)
        found.singularity = Build(file=file, context=root, trouble=trouble)
    options: dict[str, str] = {}
    program = optional_text(section, "singularity", problems)
    if program:
        at = section.get("singularity") or section
        read_program(program, at, options, problems, SINGULARITY)
    options.update(flags_below(section, "run_args", problems, SINGULARITY))
    _read_flag_keys(section, SINGULARITY_VALUES, options, problems, SINGULARITY)
    gpus = section.get("--nv")
    if gpus is not None and gpus.value not in _OFF:
        options["gpus"] = "all"
    _check_build_flags(section, problems)
    for key in NOT_GIVEN:
        asked = section.get(key)
        if asked is not None and asked.value is not None:
            problems.limit(
                f"the section uses {key}, which this runner does not support",
                asked,
                found=asked.kind,
                expected="nothing",
                do="remove it",
            )
    folder = path_below(section, "image_dir", problems) or _IMAGES
    image = path_below(section, "image", problems) or _image_of(base, found)
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
        limits=_limits_of(section, problems),
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
        given = scalar(at, problems).strip()
        if given and not re.fullmatch(r"0+|-[0-9]+", given):
            read_flag("--gpus", given, at, options, problems, offer=DOCKER)
        return
    platform = document.get("platform")
    count = platform.get("accelerator_count") if platform is not None else None
    if count is None or count.value is None or count.value == "":
        return
    written = count.as_written().strip()
    if not re.fullmatch(r"-?[0-9]{1,9}", written):
        problems.add(
            "the number of accelerators is not a number",
            count,
            expected="a whole number, 0 or more",
            do="write accelerator_count: 0, or how many GPUs a task needs",
        )
    elif int(written) > 0:
        options.setdefault("gpus", str(int(written)))
    else:
        options.pop("gpus", None)


def _strategy(section: Located, recipe: Path, problems: Problems) -> Strategy:
    at = section.get("build_strategy")
    given = optional_text(section, "build_strategy", problems) or "pull"
    if given not in STRATEGIES:
        problems.add(
            "unknown build_strategy",
            at or section,
            found=given,
            expected=f"one of {', '.join(STRATEGIES)}",
            do=did_you_mean(given, STRATEGIES) or "write auto",
        )
        return "auto"
    if given == "pull" and is_there(recipe):
        problems.warn(
            f"the recipe {recipe.name} is not used: the image is pulled",
            at or section,
            found="build_strategy: pull" if at else "no build_strategy: that is pull",
            do="write build_strategy: auto, or give --build-strategy auto",
        )
    return cast("Strategy", given)


def _check_build_flags(section: Located, problems: Problems) -> None:
    at = section.get("build_args")
    if at is None or at.value in (None, "") or not is_text(at, problems):
        return
    unknown = [each for each in split_words(at, problems) if each not in _OF_BUILD]
    if unknown:
        problems.limit(
            "unsupported flag in build_args",
            at,
            found=unknown[0],
            expected=f"one of {', '.join(_OF_BUILD)}",
            do="remove it",
        )


def _check_mounts(section: Located, problems: Problems) -> None:
    at = section.get("--mount_opts")
    if at is not None and at.value not in (None, "", "ro"):
        problems.limit(
            "--mount_opts lets tasks write to every input",
            at,
            expected="ro, or nothing",
            do="write opts: rw for those inputs that a task has to write to",
        )


def _is_whole(path: str) -> bool:
    return path.startswith(("/", "~", "$"))


def _archive(root: Path, name: str) -> str:
    """Return an archive that `docker save` wrote, as a recipe."""
    return f"{_ARCHIVE}{os.path.normpath(root / name)}" if name else ""
