"""Rules of the sections `docker` and `singularity` of a single-file cube."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.formats.section_values import VARIABLE
from mlcube_conformance.formats.sections import (
    DOCKER_VALUES,
    NOT_GIVEN,
    SECTIONS,
    SINGULARITY_VALUES,
    STRATEGIES,
)
from mlcube_conformance.runners.docker.about import OFFER as DOCKER
from mlcube_conformance.runners.singularity.about import OFFER as SINGULARITY
from mlcube_conformance.schemas.flag_keys import flag_rules, other_flags
from mlcube_conformance.schemas.rules import (
    ANYTHING,
    FILLED,
    SCALAR,
    Rule,
    any_of,
    described,
    empty_or,
    exactly,
    in_order,
    mapping,
    pattern_of,
    text,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["docker_section", "singularity_section"]

#: Text, or a number that is read as it is written.
_TEXT: Rule = {"type": ["string", "number"], "pattern": r"\S"}
#: Of ASCII, for which `\w` needs no more than JavaScript gives.
_VARIABLE = f"^(?:{VARIABLE.pattern})$"
_FLAGS: Rule = {"type": "string", "minLength": 1}


def docker_section() -> Rule:
    """Return the rule of the section `docker`."""
    rules = {
        "image": text("Name of the image.", "example/wordcount:1.0"),
        "docker": _program("Program that runs containers.", DOCKER.programs),
        "env_args": _variables(
            "Variables of tasks: a mapping, or -e NAME=VALUE for each.",
            {"type": "string", "pattern": r"=|^\s*$|\$\{"},
        ),
        "gpu_args": _flags("Flags of docker run for tasks with GPUs.", "--gpus=all"),
        "cpu_args": _flags(
            "Flags of docker run for tasks without GPUs.", "--shm-size=1g"
        ),
        "build_args": _variables(
            "Arguments of the build: a mapping, or --build-arg NAME=VALUE for each.",
            _FLAGS,
        ),
        "build_context": _path(
            "Folder of the build, relative to the cube (default: the cube itself)."
        ),
        "build_file": _path("The recipe, in that folder (default: Dockerfile)."),
        "build_strategy": described(
            "pull: the image comes from a registry (default); auto: it is built where "
            "there is a recipe; always: it is built each time.",
            empty_or(words(STRATEGIES), FILLED),
        ),
        "tar_file": _path("An archive of the image, which Singularity takes."),
        "--gpus": described(
            f"GPUs of each task: {DOCKER.in_words['gpus']}.", _gpus_of_docker()
        ),
        "--mount_opts": _mounts(),
    }
    flags = flag_rules(DOCKER, DOCKER_VALUES)
    return {
        **mapping(
            "The platform docker: the image, and what its containers get.",
            {**_rules_of("docker", rules, flags), **flags},
            ("image",),
            closed=False,
        ),
        "patternProperties": other_flags(DOCKER, DOCKER_VALUES),
    }


def singularity_section() -> Rule:
    """Return the rule of the section `singularity`."""
    rules = {
        "image": _path("Name of the image file."),
        "image_dir": _path("Folder of the image file."),
        "singularity": _program("Program that runs containers.", SINGULARITY.programs),
        "build_args": _flags("Flags of singularity build.", "--fakeroot"),
        "run_args": _flags("Flags of singularity run.", "--nv"),
        "build_file": _path(
            "The recipe, relative to the cube; or docker://NAME, or "
            "docker-archive:FILE."
        ),
        "--nv": described("Whether tasks get GPUs.", ANYTHING),
        "--mount_opts": _mounts(),
        **{key: described("Not supported: remove it.", ANYTHING) for key in NOT_GIVEN},
    }
    flags = flag_rules(SINGULARITY, SINGULARITY_VALUES)
    return {
        **mapping(
            "The platform singularity: the image file, and what its containers get.",
            {**_rules_of("singularity", rules, flags), **flags},
            closed=False,
        ),
        "patternProperties": other_flags(SINGULARITY, SINGULARITY_VALUES),
    }


def _rules_of(
    section: str, rules: dict[str, Rule], flags: dict[str, Rule]
) -> dict[str, Rule]:
    """Return the rules of the keys of a section, except those that are flags."""
    return in_order([key for key in SECTIONS[section] if key not in flags], rules)


def _path(description: str) -> Rule:
    return described(description, empty_or(_TEXT))


def _program(description: str, known: Iterable[str]) -> Rule:
    return described(description, empty_or(words(known), _TEXT))


def _flags(description: str, example: str) -> Rule:
    return {**described(description, empty_or(_FLAGS)), "examples": [example]}


def _variables(description: str, flags: Rule) -> Rule:
    names = {
        "type": "object",
        "propertyNames": {"pattern": _VARIABLE},
        "additionalProperties": SCALAR,
    }
    return described(description, empty_or(names, flags))


def _mounts() -> Rule:
    return described(
        "How inputs are mounted: ro, which is always so.",
        any_of(words(["ro"]), ANYTHING),
    )


def _gpus_of_docker() -> Rule:
    ways = "|".join(
        pattern_of(each) for each in (DOCKER.values["gpus"], DOCKER.known["gpus"])
    )
    text = exactly(rf'\s*(?:0+|-[0-9]+|"*(?:count=)?(?:{ways})"*)?\s*')
    return empty_or(words(["all"]), text, FILLED, {"type": "integer"})
