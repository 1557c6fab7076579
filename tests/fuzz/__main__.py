"""`python -m tests.fuzz [COUNT] [SEED]`: reads many mutations, and prints figures."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.fuzz.fuzzing import fuzz

if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    count, seed = (given + [100_000, 0][len(given) :])[:2]
    found = fuzz(count, Path(tempfile.mkdtemp(prefix="fuzz-")), seed)
    print(found)  # noqa: T201 - the figures
    raise SystemExit(bool(found.failures))
