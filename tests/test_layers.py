"""What each layer may import."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("docker", "torch", "typer", "numpy", "requests")


def _imported_by(module: str) -> set[str]:
    done = subprocess.run(
        [
            *(sys.executable, "-c"),
            f"import {module}, sys; print(*sys.modules)",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    "module",
    [
        "errors",
        "model",
        "log",
        "clauses",
        "loader.yaml",
        "loader.fields",
        "loader.multi_file",
        "loader.platforms",
        "mounts",
        "plan",
        "workspace",
        "runners",
        "process",
        "runners.base",
        "runners.dockerfile",
        "runners.environments",
        "runners.local",
        "runners.fake",
        "checks.definition",
        "checks.run",
        "checks.outputs",
        "execution",
        "selection",
    ],
)
def test_lower_layers_know_neither_pytest_nor_a_container_library(module: str) -> None:
    imported = _imported_by(f"mlcube_conformance.{module}")

    assert not imported & {"pytest", "_pytest", *HEAVY}


@pytest.mark.parametrize("module", ["runners.docker", "runners.docker_build", "cli"])
def test_no_runner_and_no_command_line_needs_pytest(module: str) -> None:
    assert not _imported_by(f"mlcube_conformance.{module}") & {"pytest", "_pytest"}


def test_plugin_imports_nothing_heavy_until_a_cube_is_asked_for() -> None:
    imported = _imported_by("mlcube_conformance.plugin")

    assert not imported & {*HEAVY, "yaml", "filelock", "platformdirs", "xdist"}
