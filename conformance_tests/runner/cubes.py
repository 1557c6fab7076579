"""Probe cubes that several clauses look at."""

from __future__ import annotations

from mlcube_conformance.suites.runner.probe.cube import (
    ProbeCube,
    ProbeTask,
    file_in,
    file_out,
    folder_in,
    folder_out,
)

__all__ = ["LOOK", "OVERRIDDEN", "REMOTE", "SEED"]

LOOK = ProbeCube(
    name="look",
    tasks=(
        ProbeTask(
            parameters=(
                file_in("seed", "seeds/seed.txt"),
                file_in("other", "seeds/other.txt"),
                folder_in("data", "data"),
                folder_out("made", "made"),
                file_out("result", "results/result.txt"),
                file_out("beside", "there/beside.txt"),
            )
        ),
    ),
    plan="write made\nwrite result\nwrite beside\n",
    workspace={
        "seeds/seed.txt": "seed\n",
        "seeds/other.txt": "other\n",
        "data/part.txt": "part\n",
        "there/already.txt": "already\n",
    },
)
"""Files and folders, in and out; the folder of `result` does not exist."""

SEED = ProbeCube(
    tasks=(ProbeTask(parameters=(file_in("seed", "seeds/seed.txt"),)),),
    workspace={"seeds/seed.txt": "seed\n"},
)
"""One file beside the plan."""

OVERRIDDEN = ProbeCube(
    name="overridden",
    tasks=(
        ProbeTask(
            parameters=(file_in("seed", "seeds/seed.txt"), folder_out("made", "made"))
        ),
    ),
    plan="write made\n",
    workspace={"seeds/seed.txt": "seed\n"},
)

REMOTE = ProbeCube(
    name="sent",
    tasks=(
        ProbeTask(
            parameters=(
                file_out("result", "results/deep/er/result.txt"),
                folder_out("made", "made"),
            )
        ),
    ),
    plan="write result\nwrite made\n",
    workspace={"made/mine.sh": "mine\n"},
)
