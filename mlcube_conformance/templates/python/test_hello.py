"""A test of your own: mlcube-conformance test . test_hello.py"""

import json

import pytest

from mlcube_conformance import TaskRun


@pytest.mark.mlcube_task("evaluate")
def test_accuracy(task_run: TaskRun) -> None:
    metrics = json.loads((task_run.workspace / "metrics/metrics.json").read_text())
    assert metrics["accuracy"] >= 0.95
