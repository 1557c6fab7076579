"""Looks at all that a task could change, before it runs and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Violation
from mlcube_conformance.base.snapshots import (
    Snapshot,
    digests,
    reached,
    snapshot,
    stray_links,
)
from mlcube_conformance.checks.outputs import Observation
from mlcube_conformance.plan.mounts import host_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlcube_conformance.model import Binding, Case

__all__ = ["Look"]


@dataclass(frozen=True, slots=True)
class _Seen:
    """Something that was looked at before the task ran."""

    binding: Binding
    path: Path
    before: Snapshot
    without: frozenset[Path] = frozenset()
    task: str = ""
    is_free: bool = False
    """Whether the task may do there as it likes."""


class Look:
    """The files of the parameters of a case, before its task runs."""

    def __init__(self, case: Case, workspace: Path) -> None:
        """Look now."""
        self._case = case
        self._workspace = workspace
        self._free = frozenset(self._free_places())
        self._own = [self._look(each) for each in case.invocation.bindings]
        self._beside = [*self._led_to(), *self._of_others()]

    def again(self) -> tuple[Observation, ...]:
        """Look again, and return what the inputs and outputs were and are."""
        return tuple(self._observe(each) for each in self._own)

    def beside(self) -> tuple[Observation, ...]:
        """Look again at what is neither, and not for the task to change."""
        return tuple(self._observe(each) for each in self._beside)

    def _free_places(self) -> Iterator[Path]:
        """Yield what the task must or may write."""
        for binding in self._case.invocation.bindings:
            asked = binding.parameter.access == "rw" and not binding.given_by_user
            if binding.parameter.role == "output" or asked:
                yield host_path(binding, self._workspace)

    def _is_free(self, path: Path) -> bool:
        return not self._free.isdisjoint({path, *path.parents})

    def _look(self, binding: Binding) -> _Seen:
        path = host_path(binding, self._workspace)
        if binding.parameter.role == "output":
            return _Seen(binding, path, snapshot(path))
        if path in self._free:
            return _Seen(binding, path, Snapshot({}), is_free=True)
        outputs = frozenset(
            host_path(each, self._workspace)
            for each in self._case.invocation.bound("output")
        )
        return _Seen(binding, path, snapshot(path, outputs), outputs)

    def _led_to(self) -> Iterator[_Seen]:
        """Yield what the inputs point to by links, elsewhere in the workspace."""
        free = frozenset(each.resolve() for each in self._free)
        for each in self._own:
            if each.binding.parameter.role == "output" or each.is_free:
                continue
            within = each.path if each.binding.given_by_user else self._workspace
            for path in reached(each.path, each.before, within):
                if free.isdisjoint({path, *path.parents}):
                    yield _Seen(each.binding, path, snapshot(path, free), free)

    def _of_others(self) -> Iterator[_Seen]:
        """Yield what other tasks of the cube read and made so far."""
        seen = {each.path for each in self._own}
        for invocation in self._case.cube.invocations:
            for binding in invocation.bindings:
                path = self._place_of(binding)
                if path is None or path in seen or self._is_free(path):
                    continue
                seen.add(path)
                before = snapshot(path, self._free)
                if before.entries:
                    task = invocation.task.name
                    yield _Seen(binding, path, before, self._free, task)

    def _place_of(self, binding: Binding) -> Path | None:
        """Return where a value of another task is, if that is in the workspace."""
        try:
            path = host_path(binding, self._workspace)
        except Violation:
            return None
        inside = path.resolve().is_relative_to(self._workspace.resolve())
        return path if inside and not binding.given_by_user else None

    def _observe(self, seen: _Seen) -> Observation:
        binding, path = seen.binding, seen.path
        after = Snapshot({}) if seen.is_free else snapshot(path, seen.without)
        is_output = binding.parameter.role == "output"
        place = (self._case.invocation.task.name, binding.parameter.name)
        exact = is_output and not seen.task and place in self._case.cube.deterministic
        return Observation(
            binding=binding,
            path=path,
            before=seen.before,
            after=after,
            digests=digests(path, after) if exact else {},
            stray_links=stray_links(path, after) if is_output else (),
            task=seen.task,
        )
