"""A test of your own: mlcube-conformance test . test_hello.py"""

import json

import pytest

from mlcube_conformance import TaskRun


@pytest.mark.mlcube_task("statistics")
def test_cases(task_run: TaskRun) -> None:
    found = json.loads((task_run.workspace / "statistics.yaml").read_text())
    assert found["cases"] == 3
