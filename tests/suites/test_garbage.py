"""What Python looks through for garbage in and after a run."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cube_folders import CubeFolder

Run = Callable[..., pytest.RunResult]


@pytest.mark.usefixtures("fake_cube")
def test_run_in_a_process_of_others_leaves_their_garbage_to_them(
    run_fake: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    touched: list[str] = []
    for each in ("freeze", "unfreeze"):
        monkeypatch.setattr(gc, each, partial(touched.append, each))
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    monkeypatch.setattr(sys, "argv", ["program.py"])

    assert run_fake().ret == 0

    assert not touched


@pytest.mark.parametrize(
    ("command", "passes_over"),
    [
        (["-m", "pytest"], True),
        (["-m", "mlcube_conformance", "test"], True),
        (["-m", "pytest", "-n1"], True),
        (["-c", "import sys, pytest; pytest.main(sys.argv[1:])"], False),
    ],
)
def test_process_that_ends_with_the_run_ends_without_a_search(
    command: list[str],
    *,
    passes_over: bool,
    pytester: pytest.Pytester,
    fake_cube: CubeFolder,
) -> None:
    """What is registered first at the end of a process is called last."""
    site = pytester.mkdir("site")
    (site / "sitecustomize.py").write_text(
        "import atexit, gc\n"
        "atexit.register(lambda: print('passed over:', gc.get_freeze_count()))\n"
    )
    words = ["--cube", str(fake_cube.root), "--platform", "fake", "--collect-only"]

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", str(site))
        done = pytester.run(sys.executable, *command, *words)

    assert done.ret == 0
    done.stdout.fnmatch_lines(["passed over: " + ("[1-9]*" if passes_over else "0")])


def test_worker_passes_over_what_it_read(
    pytester: pytest.Pytester, fake_cube: CubeFolder
) -> None:
    site = pytester.mkdir("site")
    (site / "sitecustomize.py").write_text(
        "import gc, os\n"
        "freeze = gc.freeze\n"
        "def noting():\n"
        "    freeze()\n"
        f"    open({str(site)!r} + f'/{{os.getpid()}}.frozen', 'w').close()\n"
        "gc.freeze = noting\n"
    )
    words = ["--cube", str(fake_cube.root), "--platform", "fake", "-n1"]

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", str(site))
        done = pytester.run(sys.executable, "-m", "pytest", *words)

    assert done.ret == 0
    assert len([*site.glob("*.frozen")]) == 2  # the other is the process that asks it
