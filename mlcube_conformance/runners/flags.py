"""Flags of `docker run` that ask for nothing, or for what tasks do not get."""

from __future__ import annotations

__all__ = ["IGNORED", "IGNORED_VALUES", "OTHERS", "REFUSED"]

#: Flags without a value for what is done anyway, or changes nothing for a task.
IGNORED = frozenset(
    {
        *("--rm", "-i", "-t", "-it", "-ti", "-d", "-dit", "-itd", "--interactive"),
        *("--tty", "--detach", "--quiet", "-q", "--sig-proxy", "--no-healthcheck"),
        "--disable-content-trust",
    }
)
#: Flags with a value that changes nothing for a task.
IGNORED_VALUES = frozenset(
    {
        *("--name", "--label", "-l", "--label-file", "--annotation", "--attach", "-a"),
        *("--log-driver", "--log-opt", "--pull", "--detach-keys", "--expose"),
        *("--cidfile", "--stop-signal", "--stop-timeout", "--health-cmd"),
        *("--health-interval", "--health-retries", "--health-start-period"),
        *("--health-timeout",),
    }
)
_MOUNT = (
    "make it an input or output of the task, and give its place by --parameter "
    "TASK.NAME=PATH"
)
_POWER = "remove it: a task gets no power over the machine"
_DEVICE = "remove it; GPUs are given by --gpus=all, or platform.accelerator_count"
_PORT = "remove it: nothing reaches a task over the network"
_USER = "remove it: tasks run as the user who calls, to whom outputs belong"
#: What to do instead of flags that are not given, by choice.
REFUSED = {
    **dict.fromkeys(("-v", "--volume", "--mount", "--volumes-from"), _MOUNT),
    **dict.fromkeys(("--privileged", "--cap-add", "--pid", "--userns"), _POWER),
    **dict.fromkeys(("--uts", "--cgroupns", "--cgroup-parent", "--sysctl"), _POWER),
    **dict.fromkeys(("--device", "--device-cgroup-rule"), _DEVICE),
    **dict.fromkeys(("-p", "--publish", "-P", "--publish-all"), _PORT),
    **dict.fromkeys(("-u", "--user", "--group-add"), _USER),
    "--runtime": "write --gpus=all for GPUs; another runtime is named by a platform "
    "file,\ncontainer.runtime",
    "--entrypoint": "write it as the entrypoint of the task, in mlcube.yaml",
    "--env-file": "give its variables on the command line: --env NAME",
    "--nv": "write --gpus=all: --nv is a flag of Singularity",
    "--restart": "remove it: a task runs once",
}
#: Flags that are not given, as nobody has needed them.
OTHERS = frozenset(
    {
        *("--blkio-weight", "--blkio-weight-device", "--cpu-count", "--cpu-percent"),
        *("--cpu-period", "--cpu-quota", "--cpu-rt-period", "--cpu-rt-runtime"),
        *("--cpuset-mems", "--device-read-bps", "--device-read-iops"),
        *("--device-write-bps", "--device-write-iops", "--dns-option", "--dns-search"),
        *("--domainname", "--io-maxbandwidth", "--io-maxiops", "--ip", "--ip6"),
        *("--isolation", "--kernel-memory", "--link", "--link-local-ip"),
        *("--mac-address", "--memory-reservation", "--memory-swappiness"),
        *("--net-alias", "--network-alias", "--oom-kill-disable", "--oom-score-adj"),
        *("--platform", "--storage-opt", "--volume-driver"),
    }
)
