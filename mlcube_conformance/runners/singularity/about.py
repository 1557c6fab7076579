"""What Singularity is, and what a platform file may ask of it."""

from __future__ import annotations

import re

from mlcube_conformance.runners.about import About, Offer

__all__ = ["ABOUT", "OFFER"]

OFFER = Offer(
    kind="singularity",
    command="singularity run",
    options={
        "--network": "network",
        "--nv": "gpus",
        "--writable-tmpfs": "writable_tmpfs",
    },
    values={"network": re.compile(r"none|host")},
    words={"--nv": "all", "--writable-tmpfs": "yes"},
    ignored=frozenset(
        {
            *("-c", "--contain", "-C", "--containall", "-e", "--cleanenv"),
            *("-n", "--net", "--no-home"),
        }
    ),
    programs={each: {"command": each} for each in ("singularity", "apptainer")},
    otherwise="write one of these, or leave it out",
)
ABOUT = About(
    kind="singularity",
    title="Singularity",
    runner=f"{__package__}.runner:SingularityRunner",
    offer=OFFER,
    preference=2,
    works_at_place=True,
    keeps_workdir=False,
    other_names=("apptainer",),
    versions=">=3.5",
    first_schemas=("mlcube_singularity", "mlbox_singularity"),
)
