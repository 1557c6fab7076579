"""What a probe cube is, whatever the format that it is written in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "IMAGE",
    "Change",
    "ProbeCube",
    "ProbeParameter",
    "ProbeTask",
    "file_in",
    "file_out",
    "folder_in",
    "folder_out",
]

#: Image of all probes that are alike: made once, and kept for the next session.
IMAGE = "mlcube-conformance-probe:2"

Role = Literal["input", "output"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeParameter:
    """A parameter of a task, with the value that the cube gives it."""

    name: str
    role: Role
    kind: Literal["file", "directory", ""]
    """"" leaves the type to the value."""
    value: str | int | list[str] | None
    """Relative to the workspace; None leaves it without a value."""
    opts: str = ""
    raw: bool = False
    """Whether the value is written unchanged, in every format."""
    declared: bool = True
    """Whether its task knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeTask:
    """A task, with its values."""

    name: str = "look"
    parameters: tuple[ProbeParameter, ...] = ()
    """Beside the input `plan` and the output `report`."""
    run_file: str = ""
    """Path below `run/`, without suffix; "" for the name of the task."""
    entrypoint: str | None = ""
    """"" writes no such key; None writes it without a value."""
    bare: bool = False
    """Whether it has neither a plan nor a report."""
    listed: bool = True
    """Whether the main file of the cube names it."""

    @property
    def report(self) -> str:
        """Where its report is, in the workspace."""
        return f"report-{self.name}"

    @property
    def all_parameters(self) -> tuple[ProbeParameter, ...]:
        """Its parameters: `plan` comes first, and `report` before other outputs."""
        if self.bare:
            return self.parameters
        inputs = tuple(each for each in self.parameters if each.role == "input")
        outputs = tuple(each for each in self.parameters if each.role == "output")
        plan = file_in("plan", f"plan-{self.name}/plan.txt")
        return (plan, *inputs, folder_out("report", self.report), *outputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Another text for a file of the cube, once all is written."""

    path: str
    make: Callable[[str], str] | None
    """Takes the text that is there ("" for none); None removes the file or folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCube:
    """A cube whose tasks write down what they see."""

    tasks: tuple[ProbeTask, ...] = (ProbeTask(),)
    plan: str | Mapping[str, str] = ""
    """What the tasks do, all alike or by their name."""
    workspace: Mapping[str, str | None] = field(default_factory=dict)
    """Files of the workspace; None stands for a folder."""
    name: str = ""
    """What the folder around it is called; "" for the test that needs it."""
    folder: str = "cube"
    image: str = IMAGE
    recipe: str = ""
    """Lines added to its Dockerfile."""
    context: str = "as built\n"
    """A text that is copied into the image."""
    section: Mapping[str, object] = field(default_factory=dict)
    """Keys of the section of Docker of a cube of one file."""
    executable: str = ""
    """What its sections name instead of `docker` and `singularity`."""
    changes: tuple[Change, ...] = ()

    def changed(self, path: str, make: Callable[[str], str]) -> ProbeCube:
        """Return the cube with another text in a file."""
        return replace(self, changes=(*self.changes, Change(path=path, make=make)))

    def without(self, path: str) -> ProbeCube:
        """Return the cube without one of its files or folders."""
        return replace(self, changes=(*self.changes, Change(path=path, make=None)))

    def plan_of(self, task: str) -> str:
        """Return what a task does."""
        return self.plan if isinstance(self.plan, str) else self.plan.get(task, "")


def file_in(name: str, value: str, **more: str | bool) -> ProbeParameter:
    """Return an input that is a file."""
    return _parameter(name, "input", "file", value, more)


def folder_in(name: str, value: str, **more: str | bool) -> ProbeParameter:
    """Return an input that is a folder."""
    return _parameter(name, "input", "directory", value, more)


def file_out(name: str, value: str, **more: str | bool) -> ProbeParameter:
    """Return an output that is a file."""
    return _parameter(name, "output", "file", value, more)


def folder_out(name: str, value: str, **more: str | bool) -> ProbeParameter:
    """Return an output that is a folder."""
    return _parameter(name, "output", "directory", value, more)


def _parameter(
    name: str,
    role: Role,
    kind: Literal["file", "directory"],
    value: str,
    more: Mapping[str, str | bool],
) -> ProbeParameter:
    return ProbeParameter(
        name=name,
        role=role,
        kind=kind,
        value=value,
        opts=str(more.get("opts", "")),
        raw=bool(more.get("raw", False)),
        declared=bool(more.get("declared", True)),
    )
