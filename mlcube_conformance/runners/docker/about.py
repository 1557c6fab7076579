"""What Docker is, and what a platform file may ask of it."""

from __future__ import annotations

import re

from mlcube_conformance.runners.about import GPUS, About, Offer

__all__ = ["ABOUT", "OFFER"]

# https://github.com/docker/go-units, RAMInBytes
_SIZE = re.compile(r"(?=.*[1-9])\d{1,15}(\.\d{1,15})? ?[kmgtp]?i?b?", re.IGNORECASE)
_SIZE_IN_WORDS = "a size, such as 512m, 2gb or 1.5g"

OFFER = Offer(
    kind="docker",
    command="docker run",
    options={
        "--network": "network",
        "--net": "network",
        "--gpus": "gpus",
        "--shm-size": "shm_size",
        "--memory": "memory",
        "-m": "memory",
        "--ipc": "ipc",
        "--cpuset-cpus": "cpuset_cpus",
        "--security-opt": "security_opt",
    },
    values={
        "network": re.compile(r"none|host|bridge|default|[\w][\w.-]*"),
        "gpus": GPUS,
        "shm_size": _SIZE,
        "memory": _SIZE,
        "ipc": re.compile(r"none|host|private|shareable"),
        "cpuset_cpus": re.compile(r"\d[\d,-]*"),
        "security_opt": re.compile(r"no-new-privileges(:(true|false))?|label[=:].+"),
    },
    in_words={"shm_size": _SIZE_IN_WORDS, "memory": _SIZE_IN_WORDS},
    ignored=frozenset({"--rm"}),
    same={"--runtime=nvidia": "--gpus=all"},
    programs={"docker": {}, "nvidia-docker": {"gpus": "all"}},
    otherwise="write docker; DOCKER_HOST selects the daemon",
    runtimes=True,
)
ABOUT = About(
    kind="docker",
    title="Docker",
    runner=f"{__package__}.runner:DockerRunner",
    offer=OFFER,
    preference=1,
    works_at_place=True,
    other_names=("podman",),
    versions=">=18.01",
    first_schemas=("mlcube_docker", "mlbox_docker"),
    first_program="docker_runtime",
)
