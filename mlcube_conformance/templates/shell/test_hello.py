"""A test of your own: mlcube-conformance test . test_hello.py"""

import pytest

from mlcube_conformance import TaskRun


@pytest.mark.mlcube_task("most")
def test_the_word(task_run: TaskRun) -> None:
    assert (task_run.workspace / "most/word.txt").read_text() == "tea\n"
