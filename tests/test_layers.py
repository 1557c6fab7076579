"""What each room of the package may import."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import mlcube_conformance

PACKAGE = Path(mlcube_conformance.__file__).parent
PREFIX = "mlcube_conformance."

ABOUT = "runners.about"
#: The folders of the platforms of this machine, in the order of their names.
PLATFORMS = sorted(
    f"runners.{each.parent.name}" for each in PACKAGE.glob("runners/*/about.py")
)
#: Each room may import only itself and what stands above it. A module belongs to the
#: longest name that fits; what says what a platform is, to the room of all of these.
ROOMS = (
    "",  # the public face
    "base",
    "place",
    "promise",
    "model",
    "clauses",
    "runners.flags",
    ABOUT,
    "formats",
    "schemas",
    "runners.contract",
    "runners",
    "plan",
    "option",
    "options",
    "convert",
    "runners.disarming",
    "runners.work",
    "runners.common.dockerfile",
    "runners.common",
    *PLATFORMS,
    "runners.places",
    "runners.places.agent",
    "runners.places.ssh",
    "runners.fake",
    "checks",
    "results",
    "validation",
    "zoo",
    # pytest and the command lines
    "suites.starting",
    "suites.reruns",
    "suites.options",
    "suites.hooks",
    "suites.reports",
    "suites.own_settings",
    "suites.again",
    "suites.live_line",
    "suites.terminal",
    "suites.cube",
    "suites.runner.command",
    "suites.runner.probe",
    "suites.runner",
    "suites.fixtures",
    "suites",
    "commands",
    "__main__",
    "hookspecs",
    "plugin",
)
#: Rooms that know nothing of pytest.
LOWER = ROOMS[: ROOMS.index("suites.starting")]
#: Where each library of a platform may be imported.
ENGINES = {
    "docker": "runners.docker",
    "requests": "runners.docker",
    "spython": "runners.singularity",
    "testinfra": "runners.places.ssh.look",
    "torch": None,
    "numpy": None,
}
#: Lines of a module.
LONGEST = 350
HEAVY = {*ENGINES, "click", "yaml", "filelock", "platformdirs", "xdist"}


def _modules() -> dict[str, ast.Module]:
    """Return every module of the package, by its name within it."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[0] == "templates":  # cubes for `init`, which nothing imports
            continue
        name = ".".join(parts).removesuffix("__init__").removesuffix(".")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


MODULES = _modules()


def _for_types(tree: ast.Module) -> set[ast.AST]:
    """Return what stands below `if TYPE_CHECKING`."""
    return {
        node
        for block in tree.body
        if isinstance(block, ast.If)
        and isinstance(block.test, ast.Name)
        and block.test.id == "TYPE_CHECKING"
        for node in ast.walk(block)
    }


def _names(module: str) -> set[str]:
    """Return every name that a module imports when it runs, with dots."""
    tree = MODULES[module]
    left_out = _for_types(tree)
    found = set()
    for node in ast.walk(tree):
        if node in left_out:
            continue
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: imports are absolute"
            found |= {f"{node.module}.{each.name}" for each in node.names}
    return found


def _own(module: str) -> set[str]:
    """Return the modules of the package that a module imports."""
    found = set()
    for name in _names(module):
        if name.startswith(PREFIX):
            own = name.removeprefix(PREFIX)
            found.add(own if own in MODULES else own.rpartition(".")[0])
    return found


def _room(module: str) -> str:
    if module.startswith("runners.") and module.endswith(".about"):
        return ABOUT
    fitting = [
        each for each in ROOMS if module == each or module.startswith(f"{each}.")
    ]
    return max(fitting, key=len, default="")


def _imported_by(*modules: str) -> set[str]:
    """Return what an interpreter holds after importing only these modules."""
    names = ", ".join(f"{PREFIX}{each}".rstrip(".") for each in modules)
    done = subprocess.run(
        [sys.executable, "-c", f"import {names}, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_every_module_has_a_room_and_every_room_a_module() -> None:
    assert {_room(each) for each in MODULES} == set(ROOMS)
    assert [each for each in MODULES if each and not _room(each)] == []


def test_imports_fall() -> None:
    rising = {
        (module, each)
        for module in MODULES
        for each in _own(module)
        if ROOMS.index(_room(each)) > ROOMS.index(_room(module))
    }

    assert rising == set()


def test_no_module_imports_itself_by_way_of_others() -> None:
    order = TopologicalSorter({each: _own(each) - {each} for each in MODULES})

    assert set(order.static_order()) == set(MODULES)


def _foreign(module: str) -> set[str]:
    return {name.partition(".")[0] for name in _names(module)}


def test_a_library_is_imported_only_in_its_engine() -> None:
    elsewhere = {
        (module, library)
        for module in MODULES
        for library in _foreign(module) & set(ENGINES)
        if not f"{module}.".startswith(f"{ENGINES[library]}.")
    }

    assert elsewhere == set()


def test_lower_rooms_never_import_pytest() -> None:
    names = {
        (module, each)
        for module in MODULES
        if _room(module) in LOWER
        for each in _foreign(module) & {"pytest", "_pytest", "xdist"}
    }

    assert names == set()


def test_lower_rooms_load_neither_pytest_nor_a_library_of_a_platform() -> None:
    modules = [
        each
        for each in sorted(MODULES)
        if _room(each) in LOWER
        and not each.startswith("runners.docker")
        and each != "runners.places.agent.__main__"
    ]

    assert not _imported_by(*modules) & {"pytest", "_pytest", *ENGINES, "click"}


def test_no_runner_and_no_command_line_needs_pytest() -> None:
    modules = [
        each
        for each in sorted(MODULES)
        if _room(each) in {*LOWER, "commands"} and not each.endswith("__main__")
    ]

    assert not _imported_by(*modules) & {"pytest", "_pytest"}


def test_plugin_imports_nothing_heavy_until_a_cube_is_asked_for() -> None:
    assert not _imported_by("plugin") & HEAVY


def test_all_names_what_is_public() -> None:
    hidden = {}
    for module in MODULES:
        if module in {"", "plugin"} or module.endswith("__main__"):
            continue
        imported = import_module(f"{PREFIX}{module}")
        public = {
            name
            for name, value in vars(imported).items()
            if not name.startswith("_")
            and getattr(value, "__module__", None) == imported.__name__
        }
        named = set(getattr(imported, "__all__", ()))
        missing = {name for name in named if not hasattr(imported, name)}
        if public - named or missing:
            hidden[module] = (public - named, missing)

    assert hidden == {}


def test_no_module_is_too_long_to_be_read_at_once() -> None:
    lengths = {
        str(each.relative_to(PACKAGE)): len(
            each.read_text(encoding="utf-8").splitlines()
        )
        for each in PACKAGE.rglob("*.py")
    }

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}
