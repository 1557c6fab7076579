"""Tests that a plugin such as pytest-rerunfailures runs again: nothing is remembered.

What a test looked at took place once, for all tests; that of a test that runs again
has to take place again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Reruns", "is_final"]

_ATTEMPTS = pytest.StashKey[int]()


def is_final(report: pytest.TestReport) -> bool:
    """Say whether a report counts: that of a test that will run again does not."""
    return report.outcome in {"passed", "failed", "skipped"}


class Reruns:
    """Notes which tests run again, and drops what fixtures hold for them."""

    def __init__(self, fixture: str) -> None:
        """Take the name of the fixture that others are made from."""
        self._name = fixture
        self._made: tuple[pytest.FixtureDef[object], pytest.FixtureRequest] | None = (
            None
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
    ) -> None:
        """Remember how to drop what is being made; this makes nothing."""
        if fixturedef.argname == self._name:
            self._made = fixturedef, request

    def begin(self, item: pytest.Item) -> bool:
        """Note that a test begins; say whether it did before, and drop what it saw."""
        attempts = item.stash.get(_ATTEMPTS, 0)
        item.stash[_ATTEMPTS] = attempts + 1
        if attempts and self._made is not None:
            fixturedef, request = self._made
            fixturedef.finish(request)  # type: ignore[arg-type]
        return attempts > 0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let no test pass for skipped that failed before."""
        report = yield
        again = item.stash.get(_ATTEMPTS, 0) > 1
        if again and report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
            report.outcome = "failed"
            report.longrepr = f"it failed, and was skipped when it ran again: {reason}"
        return report
