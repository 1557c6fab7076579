"""The command line that runs again what failed, as it ran now."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import UsageError
from mlcube_conformance.base.homes import current_folder, is_written_as_path
from mlcube_conformance.base.text import command_line, mask
from mlcube_conformance.formats.platforms import find_platform
from mlcube_conformance.model import Case
from mlcube_conformance.options import option, options_of
from mlcube_conformance.plan.selection import NOWHERE
from mlcube_conformance.suites.options import given_words
from mlcube_conformance.suites.starting import is_test

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pytest

    from mlcube_conformance.model import Cube, Platform
    from mlcube_conformance.option import Option, Taker
    from mlcube_conformance.plan.order import Placement

__all__ = ["again_for_cube", "again_for_runner"]

_COMMAND = ("mlcube-conformance", "test")


def again_for_cube(
    config: pytest.Config, item: pytest.Item, subjects: Sequence[Case | Placement]
) -> str:
    """Return the line that runs cases, or placements, of one cube again.

    Args:
        config: What was asked for.
        item: The test that failed.
        subjects: What it looked at, on one platform each.
    """
    cube = subjects[0].cube
    words = [*_COMMAND, *_cube_words(cube)]
    for each in subjects if subjects[0].platform.kind != NOWHERE else ():
        words += _words("--platform", _platform_word(each.platform, cube))
    if isinstance(subjects[0], Case):
        words += _words("--task", subjects[0].invocation.name)
    else:
        words += _given(config, option("--task", "cube"))
    words += [*_forwarded(config, "cube"), *_own_test(item)]
    return mask(command_line(words))


def again_for_runner(config: pytest.Config, item: pytest.Item) -> str:
    """Return the line that puts a runner to one test again."""
    words = [*_COMMAND, *_words("--runner", config.getoption("mlcube_runner"))]
    words += [*_forwarded(config, "runner"), *_own_test(item)]
    # Without the values of its parameters, which `-k` may not take.
    words += ["-k", getattr(item, "originalname", "") or item.name]
    return mask(command_line(words))


def _forwarded(config: pytest.Config, suite: Taker) -> Iterator[str]:
    """Yield the options that were given, except those that change nothing."""
    for each in options_of(suite):
        if each.again:
            yield from _given(config, each)


def _given(config: pytest.Config, declared: Option) -> Iterator[str]:
    for each in given_words(config, declared):
        yield from [declared.name] if each is None else _words(declared.name, each)


def _words(option: str, value: str) -> list[str]:
    """Return an option with its value, in one word where pytest would mistake two."""
    return [f"{option}={value}"] if value.startswith(("-", "@")) else [option, value]


def _cube_words(cube: Cube) -> list[str]:
    given = _short(cube.place)
    # pytest would not take these for the path of a cube.
    odd = given.startswith(("-", "@")) or is_test(given)
    return [f"--cube={given}"] if odd else [given]


def _platform_word(platform: Platform, cube: Cube) -> str:
    """Return the name of a platform, or its file where the name means another."""
    source = platform.source
    with suppress(UsageError):
        if find_platform(source.stem, cube) == source:
            return source.stem
    path = _short(source.path)
    return path if is_written_as_path(path) else f"./{path}"


def _own_test(item: pytest.Item) -> list[str]:
    """Return the file of a test of the user's own; nothing for one of our suites."""
    module = str(getattr(getattr(item, "module", None), "__name__", ""))
    return [] if module.startswith("conformance_tests.") else [_short(item.path)]


def _short(path: Path) -> str:
    here = current_folder()
    text = str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
    return f"./{text}" if text.startswith("~") else text
