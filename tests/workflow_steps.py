"""Steps of workflows and actions, read from their files and run by bash unchanged."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[1]
ACTION = ROOT / "action.yml"
CUBES = ROOT / ".github/workflows/cubes.yml"
TEST = ROOT / ".github/workflows/test.yml"
DOCS = ROOT / ".github/workflows/docs.yml"
RELEASE = ROOT / ".github/workflows/release.yml"
GITLAB = ROOT / "ci/gitlab.yml"
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
#: As GitHub starts the bash of a step.
_BASH = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")


def document(file: Path) -> dict[str, Any]:
    """Return what a file says; `on` is a key there, not a truth value."""
    found: dict[str, Any] = yaml.load(file.read_text("utf-8"), yaml.BaseLoader)  # noqa: S506 - texts only
    return found


def steps_of(file: Path) -> Iterator[dict[str, Any]]:
    """Yield each step of an action, or of all jobs of a workflow."""
    found = document(file)
    if "runs" in found:
        yield from found["runs"]["steps"]
    for job in found.get("jobs", {}).values():
        yield from job.get("steps", ())


def step(file: Path, name: str) -> dict[str, Any]:
    """Return the step of that name."""
    (found,) = (each for each in steps_of(file) if each.get("name") == name)
    return found


@dataclass
class Machine:
    """A machine of GitHub, as far as a script of a step sees it."""

    clone: Path
    temp: Path
    """Its RUNNER_TEMP."""
    path: str = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    outputs: dict[str, str] = field(default_factory=dict)
    """Outputs of the last step."""

    @property
    def summary(self) -> Path:
        """File of the summary."""
        return self.temp / "summary.md"

    def run(
        self, found: Mapping[str, Any], **values: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the script of a step.

        Args:
            found: The step.
            values: What its expressions are worth, with `_` for each dot and hyphen.
        """
        assert found["shell"] == "bash"
        self.temp.mkdir(parents=True, exist_ok=True)
        script, output = self.temp / "script.sh", self.temp / "output"
        script.write_text(found["run"], encoding="utf-8")
        output.write_text("", encoding="utf-8")
        given = {
            name: _EXPRESSION.sub(lambda match: _value(match[1], values), text)
            for name, text in found.get("env", {}).items()
        }
        done = run_bash(
            script,
            place=self.clone,
            more={
                **given,
                "PATH": self.path,
                "GITHUB_ACTIONS": "true",
                "GITHUB_WORKSPACE": str(self.clone),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "RUNNER_TEMP": str(self.temp),
            },
        )
        lines = output.read_text("utf-8").splitlines()
        self.outputs = dict(line.split("=", 1) for line in lines)
        return done


def _value(expression: str, values: Mapping[str, str]) -> str:
    name = re.sub(r"[.-]", "_", expression)
    return values[name if name in values else "expression"]


def run_bash(
    script: Path, *, place: Path, more: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a script as a CI does."""
    return subprocess.run(
        [*_BASH, script],
        cwd=place,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
