"""What each layer may import."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import mlcube_conformance

PACKAGE = Path(mlcube_conformance.__file__).parent

#: Each module may import only what stands above it.
LAYERS = (
    # words
    "log",
    "trees",
    "errors",
    "files",
    "homes",
    "faults",
    "model",
    "outcome",
    "run_names",
    "interrupts",
    "streams",
    "clauses.clause",
    "clauses.cubes",
    "clauses.exits",
    "clauses.paths",
    "clauses.mounts",
    "clauses.runs",
    "clauses.arguments",
    "clauses.files",
    "clauses.images",
    "clauses.environment",
    "clauses.remote",
    "clauses",
    "markdown",
    "clauses_page",
    "judgements",
    "scorecard",
    # reading
    "loader.main_files",
    "loader.yaml",
    "loader.fields",
    "loader.loaded",
    "loader.expected_failures",
    "loader.promises",
    "loader.run_args",
    "loader.interpolation",
    "loader.sections",
    "loader.multi_file",
    "loader.single_file",
    "loader.cubes",
    "loader.places",
    "loader.platforms",
    "loader.runner_description",
    # deciding
    "mounts",
    "data_flow",
    "plan",
    # doing
    "snapshots",
    "copying",
    "workspace",
    "workspace_lock",
    "given_outputs",
    "given",
    "log_folder",
    "process",
    "runners",
    "runners.base",
    "runners.command",
    "runners.scratch",
    "runners.liveness",
    "runners.content",
    "runners.records",
    "runners.container",
    "runners.recipes",
    "runners.requirements",
    "runners.dockerignore",
    "runners.dockerfile_words",
    "runners.dockerfile",
    "runners.layout",
    "runners.environments",
    "runners.local",
    "runners.docker_streams",
    "runners.docker_client",
    "runners.docker_build",
    "runners.docker_container",
    "runners.docker_made",
    "runners.docker_images",
    "runners.docker",
    "runners.singularity_engine",
    "runners.singularity_image",
    "runners.singularity_conversion",
    "runners.singularity_definition",
    "runners.singularity_recipe",
    "runners.singularity_build",
    "runners.singularity_container",
    "runners.singularity",
    "runners.remote_job",
    "runners.remote_environment",
    "runners.remote",
    "runners.ssh_known_host",
    "runners.ssh_wheel",
    "runners.ssh_trouble",
    "runners.ssh_connection",
    "runners.ssh_host",
    "runners.ssh_transfer",
    "runners.ssh_data",
    "runners.ssh_cube",
    "runners.ssh_task",
    "runners.ssh",
    "runners.fake",
    "disarming",
    # judging
    "checks.definition",
    "checks.run",
    "checks.outputs",
    "checks.remote",
    "checks.comparison",
    # all together
    "looking",
    "execution",
    "selection",
    # a runner on trial
    "probe.cube",
    "probe.writing",
    "probe.record",
    "probe.run",
    "probe.platform_files",
    "probe.keys",
    "trial",
    # pytest and the command line
    "cube_writing",
    "multi_file_writing",
    "single_file_writing",
    "conversion",
    "starting",
    "commands",
    "__main__",
    "cli_options",
    "cli",
    "own_settings",
    "scheduling",
    "terminal",
    "choice",
    "session",
    "runner_choice",
    "runner_session",
    "fixtures",
    "plugin_options",
    "plugin",
)

HEAVY = ("docker", "spython", "torch", "typer", "numpy", "requests")


#: Those that know neither pytest nor a library of one platform.
LOWER = tuple(
    name
    for name in LAYERS[: LAYERS.index("commands")]
    if not name.startswith("runners.docker_") and name != "runners.docker"
)


def _imported_by(*modules: str) -> set[str]:
    """Return what an interpreter holds after importing only these modules."""
    names = ", ".join(f"mlcube_conformance.{each}" for each in modules)
    done = subprocess.run(
        [sys.executable, "-c", f"import {names}, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_lower_layers_know_neither_pytest_nor_a_container_library() -> None:
    assert not _imported_by(*LOWER) & {"pytest", "_pytest", *HEAVY}


def test_no_runner_and_no_command_line_needs_pytest() -> None:
    assert not _imported_by(*LAYERS[: LAYERS.index("cli") + 1]) & {"pytest", "_pytest"}


def test_plugin_imports_nothing_heavy_until_a_cube_is_asked_for() -> None:
    imported = _imported_by("plugin")

    assert not imported & {*HEAVY, "yaml", "filelock", "platformdirs", "xdist"}


def _imports(module: str) -> set[str]:
    """Return the modules of the package that a module imports when it runs."""
    path = PACKAGE / (module.replace(".", "/") + ".py")
    if not path.exists():
        path = PACKAGE / module.replace(".", "/") / "__init__.py"
    prefix = "mlcube_conformance."
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.module.removeprefix(prefix)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module is not None
        and node.module.startswith(prefix)
        and not _is_for_types(tree, node)
    }


def _is_for_types(tree: ast.Module, node: ast.AST) -> bool:
    return any(
        isinstance(block, ast.If)
        and isinstance(block.test, ast.Name)
        and block.test.id == "TYPE_CHECKING"
        and node in ast.walk(block)
        for block in tree.body
    )


def test_every_module_has_its_place() -> None:
    found = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
        if path.name != "__init__.py"
    }

    assert found == set(LAYERS) - {"clauses", "runners"}


@pytest.mark.parametrize("module", LAYERS)
def test_module_imports_only_what_stands_above_it(module: str) -> None:
    above = set(LAYERS[: LAYERS.index(module)])

    assert _imports(module) <= above


@pytest.mark.parametrize("module", [name for name in LAYERS if name != "plugin"])
def test_all_names_what_is_public(module: str) -> None:
    imported = import_module(f"mlcube_conformance.{module}")
    public = {
        name
        for name, value in vars(imported).items()
        if not name.startswith("_")
        and getattr(value, "__module__", None) == imported.__name__
    }

    assert public <= set(imported.__all__)
    assert all(hasattr(imported, name) for name in imported.__all__)
