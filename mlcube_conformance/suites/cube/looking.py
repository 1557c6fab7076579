"""Looks at all that a task could change, before it runs and after."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Violation
from mlcube_conformance.base.paths import is_like
from mlcube_conformance.base.snapshots import (
    Snapshot,
    digests,
    reached,
    snapshot,
    stray_links,
)
from mlcube_conformance.base.trees import now, written_since
from mlcube_conformance.checks.outputs import Observation
from mlcube_conformance.plan.mounts import host_path

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from mlcube_conformance.model import Binding, Case
    from mlcube_conformance.suites.cube.task_run import TaskRun

__all__ = ["Look", "look_at_left"]

#: Files that are reported in the place of an output.
_MOST = 20


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

    def __init__(
        self, case: Case, workspace: Path, earlier: Iterable[TaskRun] = ()
    ) -> None:
        """Look now.

        Args:
            case: What is going to run.
            workspace: Where it is run.
            earlier: What ran there before.
        """
        self._case = case
        self._workspace = workspace
        self._began = now()
        self._free = frozenset(self._free_places())
        self._own = [self._look(each) for each in case.invocation.bindings]
        self._beside = [*self._led_to(), *self._of_others()]
        self._shared = list(self._made_where_it_writes(earlier))

    def again(self) -> tuple[Observation, ...]:
        """Look again, and return what the inputs and outputs were and are."""
        return tuple(self._observe(each) for each in self._own)

    def beside(self) -> tuple[Observation, ...]:
        """Look again at what is neither, and not for the task to change."""
        return (
            *(self._observe(each) for each in self._beside),
            *map(_again, self._shared),
        )

    def elsewhere(self, observations: Iterable[Observation]) -> tuple[str, ...]:
        """Return files of the workspace that the task wrote instead of an output.

        Nothing is looked for where each output was made.
        """
        outputs = [
            each for each in observations if each.binding.parameter.role == "output"
        ]
        if all(each.made for each in outputs):
            return ()
        return self._beside_places(self._free)

    def beside_parameters(self) -> tuple[str, ...]:
        """Return files that the task wrote beside its outputs and its inputs.

        Whether it may write to inputs is another question, answered by `again`.
        """
        bound = self._case.invocation.bound("input")
        inputs = {host_path(each, self._workspace) for each in bound}
        return self._beside_places(self._free | inputs)

    def _beside_places(self, places: frozenset[Path]) -> tuple[str, ...]:
        found = written_since(self._workspace, self._began)
        others = (each for each in found if places.isdisjoint({each, *each.parents}))
        return tuple(map(str, islice(others, _MOST)))

    def _made_where_it_writes(
        self, earlier: Iterable[TaskRun]
    ) -> Iterator[Observation]:
        """Yield what other tasks made, where this one writes an output of its own.

        What a task takes as input and output, it works on in place; a file that both
        name as their output, both write.
        """
        inputs = {
            host_path(each, self._workspace)
            for each in self._case.invocation.bound("input")
        }
        outputs = {
            host_path(each, self._workspace)
            for each in self._case.invocation.bound("output")
        }
        name = self._case.invocation.task.name
        for run in earlier:
            other = run.case.invocation.task.name
            for each in run.outputs if other != name else ():
                made = {
                    path
                    for path in map(Path, each.made)
                    if self._is_free(path)
                    and path not in outputs
                    and inputs.isdisjoint({path, *path.parents})
                }
                before = _only(snapshot(each.path), each.path, made)
                if before.entries:
                    yield replace(
                        each, before=before, after=before, digests={}, task=other
                    )

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
        cube = self._case.cube
        exact = is_output and not seen.task and place in cube.deterministic
        volatile = cube.volatile.get(place, ())
        return Observation(
            binding=binding,
            path=path,
            before=seen.before,
            after=after,
            digests={
                name: digest
                for name, digest in (digests(path, after) if exact else {}).items()
                if not any(is_like(name, pattern) for pattern in volatile)
            },
            stray_links=stray_links(path, after) if is_output else (),
            task=seen.task,
        )


def look_at_left(case: Case, workspace: Path) -> tuple[Observation, ...]:
    """Look at the outputs that are there, of which none was seen before."""
    return tuple(
        Observation(
            binding=each,
            path=path,
            before=Snapshot({}),
            after=(after := snapshot(path)),
            stray_links=stray_links(path, after),
        )
        for each in case.invocation.bound("output")
        for path in [host_path(each, workspace)]
    )


def _only(seen: Snapshot, top: Path, paths: Container[Path]) -> Snapshot:
    """Return the files and links of a snapshot that are at some paths."""
    return Snapshot(
        {
            name: entry
            for name, entry in seen.entries.items()
            if entry.kind != "directory" and top / name in paths
        }
    )


def _again(each: Observation) -> Observation:
    """Return what was looked at with what it is now, other rights left out."""
    now = snapshot(each.path).entries
    after = {
        name: now[name] if now[name].written_after(entry) else entry
        for name, entry in each.before.entries.items()
        if name in now
    }
    return replace(each, after=Snapshot(after))
