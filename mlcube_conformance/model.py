"""The data model: cube, platform, case, image, run; no input or output."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mlcube_conformance.base.source import Source, Where
from mlcube_conformance.promise import TaskPromises

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mlcube_conformance.base.errors import Message, Unsupported, Violation
    from mlcube_conformance.place import Place, RemoteEntry
    from mlcube_conformance.promise import ExpectedFailure

__all__ = [
    "Binding",
    "Build",
    "Case",
    "Cube",
    "Image",
    "ImageOrigin",
    "Invocation",
    "Mount",
    "Parameter",
    "Platform",
    "PlatformFile",
    "Role",
    "RunResult",
    "Task",
]

_NO_PROMISES = TaskPromises()

Kind = Literal["file", "directory", "unknown"]
Access = Literal["", "ro", "rw"]
Strategy = Literal["auto", "pull", "always"]
Role = Literal["input", "output"]
ImageOrigin = Literal["built", "up to date", "pulled", "present"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """An input or output that a task declares."""

    name: str
    """What the task calls its option, without the hyphens."""
    kind: Kind
    """`unknown` for an input that is what is there when the task runs."""
    role: Role
    access: Access = ""
    """How the task sees it; "" for the default of its role."""
    optional: bool = False
    """Whether it may be missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a cube can do, with its typed parameters."""

    name: str
    parameters: tuple[Parameter, ...]
    entrypoint: tuple[str, ...] = ()
    """What is started instead of the image's entry point, and without the name of the
    task; empty for that of the image."""

    def parameter(self, name: str, role: Role) -> Parameter | None:
        """Return the parameter of that name and role, if it is declared."""
        for each in self.parameters:
            if each.name == name and each.role == role:
                return each
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A value for one parameter of a task."""

    parameter: Parameter
    value: str
    """As written: `$WORKSPACE`, `~` and variables are not replaced yet."""
    source: Source
    given_by_user: bool = False
    """True when the value came from the command line and not from the cube."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """A task with values for its parameters."""

    name: str
    """Path of the run file below `run/`, without its suffix."""
    task: Task
    bindings: tuple[Binding, ...]
    """Inputs in the order of the file, then outputs in the order of the file."""
    file: Path

    def bound(self, role: Role) -> Iterator[Binding]:
        """Yield the bindings of that role, in order."""
        return (each for each in self.bindings if each.parameter.role == role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What an image is made from."""

    file: Path
    """A Dockerfile, or a recipe of Singularity; it need not be there."""
    context: Path
    """Folder that the paths in it start from."""
    named: bool = False
    """Whether the cube names the recipe, so it has to be there."""
    args: Mapping[str, str] = field(default_factory=dict)
    """Values for its arguments, beside those of the command line."""
    given: bool = False
    """Whether the command line names the context."""
    trouble: Violation | Unsupported | None = None
    """Why nothing can be made from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cube:
    """A folder that packages an ML workload."""

    id: str
    """Name in test ids: the folder's name, made unique among the cubes of a run."""
    root: Path
    name: str
    version: str
    invocations: tuple[Invocation, ...]
    definition: str = ""
    """Name of its main file, where that is not the usual one."""
    platforms: Mapping[str, Platform] = field(default_factory=dict)
    """Those that its main file describes, by name."""
    docker_build: Build | None = None
    """None for `build/Dockerfile`."""
    singularity_build: Build | None = None
    """None for `build/Singularity.recipe`."""
    deterministic: frozenset[tuple[str, str]] = frozenset()
    """Tasks and outputs whose bytes the cube promises to be always the same."""
    volatile: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    """Patterns of files in such outputs for which it promises nothing."""
    promises: Mapping[str, TaskPromises] = field(default_factory=dict)
    """What else it promises, by the name of the task."""
    expected_failures: tuple[ExpectedFailure, ...] = ()

    def __repr__(self) -> str:
        """Keep assertions short."""
        return f"<Cube {self.id} at {self.root}>"

    @property
    def place(self) -> Path:
        """What tells it from all others: its folder, or its main file."""
        return self.root / self.definition if self.definition else self.root

    @property
    def workspace(self) -> Path:
        """Folder that the cube brings its inputs in."""
        return self.root / "workspace"

    @property
    def docker(self) -> Build:
        """The Dockerfile, and the folder it is built in."""
        build = self.root / "build"
        return self.docker_build or Build(file=build / "Dockerfile", context=build)

    @property
    def singularity(self) -> Build:
        """The recipe of Singularity, and the folder it is built in."""
        build = self.root / "build"
        recipe = build / "Singularity.recipe"
        return self.singularity_build or Build(file=recipe, context=build)

    def shown(self, path: Path) -> str:
        """Return a path, relative to the cube where it is in it."""
        inside = path.is_relative_to(self.root)
        return str(path.relative_to(self.root) if inside else path)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformFile:
    """Where a platform is described."""

    path: Path
    section: str = ""
    """Key of the cube's main file, where that is what describes it."""

    @property
    def stem(self) -> str:
        """What `--platform` calls it."""
        return self.section or self.path.stem

    def __str__(self) -> str:
        """Read as "mlcube.yaml, key docker"."""
        return f"{self.path}, key {self.section}" if self.section else str(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Where and how a cube runs, as its platform file says."""

    id: str
    """Stem of the file's name: what `--platform` calls it."""
    kind: str
    """Name of the runner: `docker`, `singularity`, …"""
    image: str
    file: Path
    section: str = ""
    """Key of the file, where it describes more than the platform."""
    options: Mapping[str, str] = field(default_factory=dict)
    """What the file asks beyond the defaults, such as `network` or `gpus`."""
    with_gpus: Mapping[str, str] = field(default_factory=dict)
    """What it asks further where a task gets GPUs."""
    without_gpus: Mapping[str, str] = field(default_factory=dict)
    """What it asks further where a task gets none."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables for tasks."""
    strategy: Strategy = "auto"
    """Whether the image is built where there is a recipe, pulled, or built again
    before each run."""
    base: str = ""
    """Image that stands for a recipe of Singularity, as `docker://python:3.12`."""
    limits: tuple[Message, ...] = ()
    """What it asks for and is not given here, by choice."""
    serves_any: bool = False
    """Whether its file is ours, so the cube names no image for it."""
    version: str = ""
    """Versions of the engine that serve, as `>=20.10`."""
    place: Place | None = None
    """The other host, where the kind is `ssh`."""
    inner: Platform | None = None
    """The platform of that host; this one has its image and options."""

    @property
    def source(self) -> PlatformFile:
        """Where it is described."""
        return PlatformFile(path=self.file, section=self.section)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One invocation of one cube on one platform."""

    cube: Cube
    platform: Platform
    invocation: Invocation

    def __repr__(self) -> str:
        """Keep assertions short."""
        return f"<Case {self.id}>"

    def __hash__(self) -> int:
        """Compute the key once; pytest asks for it often."""
        return hash((self.cube.place, self.platform.id, self.invocation.name))

    @property
    def placement_key(self) -> tuple[Path, PlatformFile]:
        """Identity of the cube and the platform; ids may look alike."""
        return (self.cube.place, self.platform.source)

    @property
    def promises(self) -> TaskPromises:
        """What the cube promises of the task."""
        return self.cube.promises.get(self.invocation.task.name, _NO_PROMISES)

    @property
    def key(self) -> tuple[Path, PlatformFile, str]:
        """Identity of the case."""
        return (*self.placement_key, self.invocation.name)

    @property
    def placement_id(self) -> str:
        """Name of the cube and the platform together, as in `mnist-docker`."""
        return f"{self.cube.id}-{self.platform.id}"

    @property
    def id(self) -> str:
        """Name in test ids, as in `mnist-docker-train`."""
        return f"{self.placement_id}-{self.invocation.name}"

    @property
    def where(self) -> Where:
        """Where messages about it point to: the file that says what is run."""
        file = self.invocation.file
        return Where(f"case {self.id}, {file}", Source(file=file, line=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What configuring a cube made."""

    name: str
    digest: str
    """Content address that the platform gives it."""
    origin: ImageOrigin
    source: str = ""
    """What it was made from, where there is a choice; fit to be shown."""
    entrypoint: tuple[str, ...] = ()
    """What it starts a task with, where the engine tells it."""
    user: str | None = None
    """Who runs a task in it, as the image says; None where the engine tells nothing."""
    variables: tuple[str, ...] = ()
    """Names of its variables that have a value."""
    size: int | None = None
    """Bytes, where the engine tells it."""

    @property
    def how(self) -> str:
        """Say how it came to be, as in "built from build/Singularity.recipe"."""
        return f"{self.origin} ({self.source})" if self.source else self.origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A folder of this machine that a task sees."""

    host: Path
    container: str
    writable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What running a task gave."""

    exit_code: int
    """As the platform reports it; 128 + n for a task killed by signal n."""
    timed_out: bool
    out_of_memory: bool
    seconds: float
    stdout: Path
    stderr: Path
    command: tuple[str, ...]
    """The engine's own command line that does the same."""
    remote: Mapping[str, Mapping[str, RemoteEntry]] | None = None
    """What is on the host where the task ran, by role, name and path; None for this."""
    taken_away: tuple[str, ...] = ()
    """Device nodes and privileged files that the task left, and what was done."""
    elsewhere: tuple[str, ...] = ()
    """Files that the task wrote to its container, outside of all mounts."""
    peak_memory: int | None = None
    """Bytes that the task held at once, where the engine tells it."""
    over: str = ""
    """What the task wrote too much of, where it was ended for that."""
    left_running: int = 0
    """Processes that went on after the task, where the engine tells it."""
    network_off: bool = False
