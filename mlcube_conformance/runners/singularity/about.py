"""What Singularity is, and what a platform file may ask of it."""

from __future__ import annotations

import re

from mlcube_conformance.runners.about import ENVIRONMENT, About, Offer

__all__ = ["ABOUT", "OFFER"]

_MOUNT = (
    "make it an input or output of the task, and give its place by --parameter "
    "TASK.NAME=PATH"
)
_POWER = "remove it: a task gets no power over the machine"

OFFER = Offer(
    kind="singularity",
    command="singularity run",
    options={
        "--network": "network",
        "--nv": "gpus",
        "--writable-tmpfs": "writable_tmpfs",
        "--env": "env",
    },
    values={"network": re.compile(r"none|host"), "env": ENVIRONMENT},
    known={"network": re.compile(r"[\w][\w.,-]*")},
    in_words={"env": "NAME=VALUE", "network": "none or host"},
    repeated=frozenset({"env"}),
    words={"--nv": "all", "--writable-tmpfs": "yes"},
    ignored=frozenset(
        {
            *("-c", "--contain", "-C", "--containall", "-e", "--cleanenv"),
            *("-n", "--net", "--no-home", "-p", "--pid", "-i", "--ipc", "--uts"),
            *("--no-privs", "--no-init", "--compat"),
        }
    ),
    refused={
        **dict.fromkeys(("-B", "--bind", "--mount", "-S", "--scratch"), _MOUNT),
        **dict.fromkeys(("-H", "--home", "-W", "--workdir", "-o", "--overlay"), _MOUNT),
        **dict.fromkeys(("--add-caps", "--keep-privs", "--allow-setuid"), _POWER),
        **dict.fromkeys(("--security", "-s", "--fakeroot", "-f"), _POWER),
        "--env-file": "give its variables on the command line: --env NAME",
        "--writable": "write --writable-tmpfs: an image is not changed by its tasks",
        "-w": "write --writable-tmpfs: an image is not changed by its tasks",
        "--pwd": "write absolute paths into the image: its working folder is not kept",
        "--cwd": "write absolute paths into the image: its working folder is not kept",
    },
    others=frozenset(
        {
            *("--rocm", "--nvccli", "--userns", "-u", "--no-mount", "--no-umask"),
            *("--apply-cgroups", "--memory", "--cpus", "--cpuset-cpus", "--app"),
            *("--dns", "--hostname", "--network-args", "--no-eval", "--no-nv", "--vm"),
            *("--drop-caps", "--fusemount", "--underlay", "--sharens", "--contain-all"),
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
