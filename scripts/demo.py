#!/usr/bin/env python3
"""Run the MNIST cube on this machine, on data that need no download.

    .venv/bin/python scripts/demo.py

The data are handwritten digits that scikit-learn brings along; they are not MNIST.
What the run leaves is in demo-results/, which each run makes again. The exit code is
pytest's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
CUBE: Final = Path("examples/mnist")
PROGRAM: Final = ROOT / CUBE / "build" / "mnist.py"
RESULTS: Final = ROOT / "demo-results"
WORKSPACE: Final = RESULTS / "workspace"
COMMAND: Final = ".venv/bin/mlcube-conformance"
DATA: Final = "handwritten digits of scikit-learn; this is NOT MNIST"
INTERRUPTED: Final = 2  # as pytest has it
FAULT: Final = 3  # none of what pytest says when tests were run


class DemoError(Exception):
    """The demo cannot go on; the message says why and what to do."""


def main() -> int:
    """Make the data, run the suite on them, and say where everything is."""
    started = time.monotonic()
    try:
        _prepare()
        with tempfile.TemporaryDirectory(prefix="mnist-mirror-") as mirror:
            _make_mirror(mirror)
            exit_code = _run_suite(mirror)
        _say(_summary(exit_code, time.monotonic() - started))
    except (DemoError, OSError) as error:
        sys.stderr.write(f"demo: error: {error}\n")
        return FAULT
    except KeyboardInterrupt:
        sys.stderr.write("demo: interrupted\n")
        return INTERRUPTED
    return exit_code


def _prepare() -> None:
    if not PROGRAM.is_file():
        message = f"{PROGRAM} is missing; run this from a checkout of the project"
        raise DemoError(message)
    if find_spec("mlcube_conformance") is None:
        message = f"{sys.executable} lacks mlcube-conformance; `make demo` installs all"
        raise DemoError(message)
    if RESULTS.exists():
        shutil.rmtree(RESULTS)
    RESULTS.mkdir()


def _make_mirror(mirror: str) -> None:
    _say(f"demo: step 2 of 3: making the data: {DATA}")
    argv = [sys.executable, str(PROGRAM), "digits", f"--mirror={mirror}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode != 0:
        reason = done.stderr.strip() or f"exit code {done.returncode}"
        message = f"the data cannot be made: {reason}\n  do: `make demo` installs all"
        raise DemoError(message)


def _run_suite(mirror: str) -> int:
    words = [
        *(str(CUBE), "--platform", "local", "--keep", "all"),
        *("--workspace", str(WORKSPACE.relative_to(ROOT))),
        *("--parameter", f"download.parameters_file={mirror}/download.parameters.yaml"),
        *("--parameter", f"train.parameters_file={mirror}/train.parameters.yaml"),
    ]
    _say(
        "demo: step 3 of 3: testing the cube; the first time, PyTorch is installed "
        "below ~/.cache: 300 MB or more of packages, one minute or some"
    )
    argv = [sys.executable, "-m", "mlcube_conformance", "test", *words]
    # The installed package is tested, not the folder of that name in the checkout.
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    return subprocess.run(argv, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603 - our own words


def _summary(exit_code: int, seconds: float) -> str:
    verdict = "passed" if exit_code == 0 else f"NOT passed (exit code {exit_code})"
    lines = {"verdict": f"{verdict}, {seconds:.0f} s in all", "data": DATA}
    metrics = WORKSPACE / "train_logs" / "metrics.json"
    if metrics.is_file():
        accuracy = json.loads(metrics.read_text(encoding="utf-8"))["test_accuracy"]
        lines["test accuracy"] = f"{100 * accuracy:.2f} % on those digits"
    for name, path in {
        "outputs": WORKSPACE,
        "metrics": metrics,
        "training curve": metrics.with_name("training_curve.png"),
    }.items():
        lines[name] = str(path) if path.exists() else "none were written"
    if exit_code == 0:
        lines["checked"] = (
            "the cube's files are valid; its environment can be made; both tasks exit "
            "with 0, write all that they declare, and change no input; the accuracy "
            "is what the cube promises"
        )
    lines["now the real MNIST"] = f"{COMMAND} test {CUBE} --platform local"
    lines["now yours"] = f"{ROOT}/{COMMAND} init ~/hello"
    return "\n" + "\n".join(f"{name + ':':<19} {text}" for name, text in lines.items())


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
