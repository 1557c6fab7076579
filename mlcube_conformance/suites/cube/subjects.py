"""What a test is about: a cube, a platform, a placement, a case or a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlcube_conformance.formats.loaded import LoadedCube
from mlcube_conformance.model import Case
from mlcube_conformance.plan.order import Comparison, Placement
from mlcube_conformance.plan.selection import CheckedPlatform

if TYPE_CHECKING:
    import pytest

__all__ = ["has_no_subject", "placement_keys", "subject_of_item"]

_KINDS = (LoadedCube, CheckedPlatform, Placement, Case, Comparison)


def subject_of_item(item: pytest.Item | pytest.Collector) -> Any:  # noqa: ANN401 - a cube, platform or case
    """Return what a test is about; None for any other test."""
    callspec = getattr(item, "callspec", None)
    subject = callspec.params.get("mlcube_subject") if callspec else None
    return subject if isinstance(subject, _KINDS) else None


def has_no_subject(item: pytest.Item | pytest.Collector) -> bool:
    """Say whether pytest made the item only because there is no value for it."""
    callspec = getattr(item, "callspec", None)
    return (
        callspec is not None
        and "mlcube_subject" in callspec.params
        and subject_of_item(item) is None
    )


def placement_keys(subject: object) -> set[object]:
    """Return what tells the placements that a test is about from all others."""
    if isinstance(subject, Placement):
        return {subject.key}
    cases = subject.cases if isinstance(subject, Comparison) else (subject,)
    return {each.placement_key for each in cases if isinstance(each, Case)}
