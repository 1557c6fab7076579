"""How long it takes to collect the tests of many cubes, beside as many plain tests.

`python -m tests.benchmarks.collection` writes cubes and plain tests into a temporary
folder and collects both in turn, several times, each in a process of its own.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.many_cubes import PLATFORMS, TASKS, write_cubes

_COLLECTED = re.compile(r"^(\d+) tests collected", re.MULTILINE)
#: Parameters of one function, as many as cases have a clause.
_MOST = 10_000


def main() -> None:
    """Read the command line, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cubes", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--format", choices=("multi-file", "single-file"))
    given = parser.parse_args()
    for form in (given.format,) if given.format else ("multi-file", "single-file"):
        with tempfile.TemporaryDirectory() as folder:
            _measure(Path(folder), given.cubes, given.repeat, form)


def _measure(place: Path, cubes: int, repeat: int, form: str) -> None:
    write_cubes(place / "cubes", cubes, form)
    named = [word for each in PLATFORMS for word in ("--platform", each)]
    suite = ["--cube=cubes/*", *named]
    count = _collect(place, suite)[1]
    _write_plain(place / "test_plain.py", count)
    plain = ["test_plain.py"]
    assert _collect(place, plain)[1] == count
    found = [
        (_collect(place, suite)[0], _collect(place, plain)[0]) for _ in range(repeat)
    ]
    cases = cubes * len(PLATFORMS) * len(TASKS)
    _say(f"{form}: {cubes} cubes, {cases} cases, {count} tests")
    for name, times in zip(("suite", "plain"), zip(*found, strict=True), strict=True):
        shown = " ".join(f"{each:.2f}" for each in times)
        _say(f"  {name}: {shown}; median {statistics.median(times):.2f} s")
    ratios = [one / other for one, other in found]
    _say(
        f"  ratio: {statistics.median(ratios):.2f} (median), {min(ratios):.2f} (least)"
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _collect(place: Path, words: list[str]) -> tuple[float, int]:
    """Return the seconds that it takes to collect tests, and how many there are."""
    argv = [
        *(sys.executable, "-P", "-m", "pytest", "-p", "no:cacheprovider"),
        *("-c", os.devnull, "--rootdir", str(place), "--collect-only", "-q"),
    ]
    started = time.perf_counter()
    done = subprocess.run(
        [*argv, *words],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=1800,
        check=True,
    )
    seconds = time.perf_counter() - started
    collected = _COLLECTED.search(done.stdout)
    return seconds, int(collected[1]) if collected else 0


def _write_plain(file: Path, count: int) -> None:
    parts = [
        f"IDS_{n} = [f'cube-{n}-{{i}}' for i in range({min(_MOST, count - first)})]\n"
        f"@pytest.mark.parametrize('case', IDS_{n}, ids=IDS_{n})\n"
        f"def test_{n}(case): pass\n"
        for n, first in enumerate(range(0, count, _MOST))
    ]
    file.write_text("import pytest\n" + "".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
