"""What Python looks through for garbage in and after a run."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cube_folders import CubeFolder

Run = Callable[..., pytest.RunResult]


@pytest.mark.usefixtures("fake_cube")
def test_run_in_a_process_of_others_leaves_their_garbage_to_them(
    run_fake: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    freeze, passed_over = gc.freeze, []

    def passing_over() -> None:
        freeze()
        passed_over.append(gc.get_freeze_count())

    monkeypatch.setattr(gc, "freeze", passing_over)

    assert run_fake().ret == 0

    assert len(passed_over) == 1
    assert gc.get_freeze_count() == 0 < passed_over[0]


def test_process_of_a_run_ends_without_a_search(
    pytester: pytest.Pytester, fake_cube: CubeFolder
) -> None:
    words = ["--cube", str(fake_cube.root), "--platform", "fake", "--collect-only"]
    code = (
        "import atexit, gc, pytest\n"
        "atexit.register(lambda: print('passed over:', gc.get_freeze_count()))\n"
        f"pytest.main({words!r})\n"
        "print('then:', gc.get_freeze_count())\n"
    )

    done = pytester.run(sys.executable, "-P", "-c", code)

    assert done.ret == 0
    done.stdout.fnmatch_lines(["then: 0", "passed over: [1-9]*"])
