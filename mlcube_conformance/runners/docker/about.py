"""What Docker is, and what a platform file may ask of it."""

from __future__ import annotations

import re

from mlcube_conformance.runners.about import (
    ENVIRONMENT,
    GPUS,
    GPUS_IN_WORDS,
    OTHER_GPUS,
    About,
    Offer,
)
from mlcube_conformance.runners.flags import (
    IGNORED,
    IGNORED_VALUES,
    OTHERS,
    REFUSED,
)

__all__ = ["ABOUT", "OFFER"]

# https://github.com/docker/go-units, RAMInBytes
_BYTES = r"(?=.*[1-9])\d{1,15}(\.\d{1,15})? ?[kmgtp]?i?b?"
_SIZE = re.compile(_BYTES, re.IGNORECASE)
_SIZE_IN_WORDS = "a size, such as 512m, 2gb or 1.5g"
_NUMBER = re.compile(r"\d{1,9}")
_HOST_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
_PATH = r"/[^\s:,]*"

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
        "--memory-swap": "memory_swap",
        "--ipc": "ipc",
        "--cpus": "cpus",
        "--cpu-shares": "cpu_shares",
        "-c": "cpu_shares",
        "--cpuset-cpus": "cpuset_cpus",
        "--pids-limit": "pids_limit",
        "--ulimit": "ulimit",
        "--security-opt": "security_opt",
        "--cap-drop": "cap_drop",
        "--init": "init",
        "--read-only": "read_only",
        "--tmpfs": "tmpfs",
        "--hostname": "hostname",
        "-h": "hostname",
        "--add-host": "add_host",
        "--dns": "dns",
        "--workdir": "workdir",
        "-w": "workdir",
        "--env": "env",
        "-e": "env",
    },
    values={
        "network": re.compile(r"none|host|bridge|default|[\w][\w.-]*"),
        "gpus": GPUS,
        "shm_size": _SIZE,
        "memory": _SIZE,
        "memory_swap": re.compile(rf"-1|{_BYTES}", re.IGNORECASE),
        "ipc": re.compile(r"none|host|private|shareable"),
        "cpus": re.compile(r"(?=.*[1-9])\d{1,4}(\.\d{1,9})?"),
        "cpu_shares": _NUMBER,
        "cpuset_cpus": re.compile(r"\d[\d,-]*"),
        "pids_limit": re.compile(r"-1|\d{1,9}"),
        "ulimit": re.compile(r"[a-z]{1,20}=-?\d{1,18}(:-?\d{1,18})?"),
        "security_opt": re.compile(r"no-new-privileges(:(true|false))?|label[=:].+"),
        "cap_drop": re.compile(r"[A-Za-z_]{1,40}"),
        "tmpfs": re.compile(rf"{_PATH}(:[\w=,.%-]+)?"),
        "hostname": _HOST_NAME,
        "add_host": re.compile(rf"{_HOST_NAME.pattern}:[0-9A-Fa-f:.]+"),
        "dns": re.compile(r"[0-9A-Fa-f:.]+"),
        "workdir": re.compile(_PATH),
        "env": ENVIRONMENT,
    },
    known={
        "gpus": OTHER_GPUS,
        "ipc": re.compile(r"container:.+"),
        "network": re.compile(r"container:.+|.*=.*"),
        "security_opt": re.compile(
            r"(seccomp|apparmor|systempaths|mask|unmask|credentialspec)[=:].*"
        ),
    },
    in_words={
        "network": "none, host, bridge, or the name of a network",
        "gpus": GPUS_IN_WORDS,
        "ipc": "none, host, private or shareable",
        "cpu_shares": "a whole number",
        "cpuset_cpus": "numbers of processors, such as 0-3,8",
        "pids_limit": "a whole number, or -1",
        "security_opt": "no-new-privileges, or label=…",
        "cap_drop": "the name of a capability, or ALL",
        "hostname": "a name",
        "add_host": "NAME:ADDRESS",
        "dns": "the address of a server",
        "shm_size": _SIZE_IN_WORDS,
        "memory": _SIZE_IN_WORDS,
        "memory_swap": f"-1, or {_SIZE_IN_WORDS}",
        "cpus": "a number, such as 1.5",
        "ulimit": "NAME=SOFT[:HARD], such as memlock=-1",
        "env": "NAME=VALUE",
        "tmpfs": "an absolute path, and options behind a colon",
        "workdir": "an absolute path",
    },
    words={"--init": "yes", "--read-only": "yes"},
    repeated=frozenset({"ulimit", "cap_drop", "tmpfs", "add_host", "dns", "env"}),
    ignored=IGNORED,
    ignored_values=IGNORED_VALUES,
    refused=REFUSED,
    others=OTHERS,
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
