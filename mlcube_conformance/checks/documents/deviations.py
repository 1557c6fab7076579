"""Where two documents differ, the largest deviation first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

from mlcube_conformance.checks.documents.reading import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Deviation", "deviations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One place where two documents differ."""

    place: str
    expected: object
    found: object
    size: float
    """Relative to the larger one; infinite where they are not both numbers."""

    def __str__(self) -> str:
        """Read as "accuracy: 0.5 instead of 0.9"."""
        return f"{self.place}: {shown(self.found)} instead of {shown(self.expected)}"


def deviations(
    expected: object, found: object, *, tolerance: float = 0, ignore: Sequence[str] = ()
) -> list[Deviation]:
    """Return where two documents differ, the largest deviation first.

    Args:
        expected: What is promised.
        found: What was written.
        tolerance: Difference of two numbers that does not count.
        ignore: Names of keys, or paths of keys with dots, that do not count.
    """
    from deepdiff import DeepDiff  # noqa: PLC0415 - takes a moment

    left_out = set(ignore)

    def is_left_out(_: object, path: str) -> bool:
        steps = _steps(path)
        named = [each for each in steps if not each.isdigit()]
        return bool(steps) and (
            steps[-1] in left_out
            or ".".join(steps) in left_out
            or ".".join(named) in left_out
        )

    tree = DeepDiff(
        _with_words(expected),
        _with_words(found),
        view="tree",
        ignore_numeric_type_changes=True,
        ignore_nan_inequality=True,
        math_epsilon=tolerance or None,
        exclude_obj_callback=is_left_out,
    )
    result = [
        Deviation(
            place=".".join(_steps(each.path())) or "the document",
            expected=_or_nothing(each.t1),
            found=_or_nothing(each.t2),
            size=_size(each.t1, each.t2),
        )
        for levels in tree.values()
        for each in levels
    ]
    return sorted(result, key=lambda each: (-each.size, each.place))


def _with_words(value: object) -> object:
    """Return a document with words for truth values, which Python takes for 1 and 0."""
    if isinstance(value, bool):
        return f"{str(value).lower()} (a truth value)"
    if isinstance(value, dict):
        return {key: _with_words(each) for key, each in value.items()}
    return [_with_words(each) for each in value] if isinstance(value, list) else value


def _steps(path: str) -> list[str]:
    """Return the keys and positions of a path such as `root['a'][0]`."""
    from deepdiff import parse_path  # noqa: PLC0415 - takes a moment

    return [str(key) for key in parse_path(path)]  # type: ignore[no-untyped-call]


def _or_nothing(value: object) -> object:
    return "nothing" if type(value).__name__ == "NotPresent" else value


def _size(expected: object, found: object) -> float:
    if not (_is_number(expected) and _is_number(found)):
        return math.inf
    largest = max(abs(expected), abs(found))
    size = abs(expected - found) / largest if largest else 0.0
    return math.inf if math.isnan(size) else size


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
