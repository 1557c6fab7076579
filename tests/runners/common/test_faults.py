"""Whose fault the words of an engine mean: an example for each row and tool."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlcube_conformance.base.markdown import cell, table
from mlcube_conformance.runners.common.faults import (
    ROWS,
    Fault,
    Row,
    Tool,
    cannot_start,
    lacks_ids,
    machine_fault,
    start_fault,
)
from mlcube_conformance.runners.common.steps import advice_on_step

ENGINES: tuple[Tool, ...] = ("docker", "singularity")
ALL: tuple[Tool, ...] = (*ENGINES, "pip")
MACHINE: dict[str, tuple[Tool, ...]] = {
    "OSError: [Errno 28] No room": ("pip",),
    "Connection refused": ALL,
    "read tcp 10.0.0.1:443: connection reset by peer": ALL,
    "dial tcp 10.0.0.1:443: nobody answers": ENGINES,
    "lookup registry.invalid: no such host": ENGINES,
    "read: i/o timeout": ENGINES,
    "net/http: TLS handshake timeout": ENGINES,
    "x509: certificate signed by unknown authority": ENGINES,
    "toomanyrequests: You have reached your pull rate limit": ENGINES,
    "unexpected EOF": ENGINES,
    "cannot write /a/id because server did not provide an image ID": ENGINES,
    "rpc error: code = Unavailable desc = error reading from server: EOF": ENGINES,
    "received unexpected HTTP status: 503 Service Unavailable": ENGINES,
    "net/http: request canceled (Client.Timeout exceeded)": ("docker",),
    "server gave HTTP response to HTTPS client": ("docker",),
    "Temporary failure in name resolution": ("singularity", "pip"),
    "urllib3.exceptions.NewConnectionError: it failed": ("pip",),
    "urllib3.exceptions.ConnectTimeoutError: it failed": ("pip",),
    "ReadTimeoutError: HTTPSConnectionPool": ("pip",),
    "Max retries exceeded with url: /simple/x/": ("pip",),
    "ProxyError('Cannot connect to proxy.')": ("pip",),
    "SSLError(1)": ("pip",),
    "[SSL: CERTIFICATE_VERIFY_FAILED]": ("pip",),
    "HTTP error 502 while getting x": ("pip",),
}
DISK: dict[str, tuple[Tool, ...]] = {
    "write /var/lib/docker: no space left on device": ALL,
    "OSError: [Errno 28] No space left on device": ALL,
    "write: disk quota exceeded": ALL,
    "head: standard output: I/O error": ALL,
    "cp: error writing '/x': Input/output error\nthe next line": ALL,
}
STEP: dict[str, tuple[Tool, ...]] = {
    'process "/bin/sh -c x" did not complete successfully: exit code: 9': ("docker",),
    "executor failed running [/bin/sh -c x]: exit code: 9": ("docker",),
    "'curl connection refused' returned a non-zero code: 9": ("docker",),
    "while running %post section: exit status 1": ("singularity",),
    "while copying files: connection refused": ("singularity",),
}
START: dict[str, tuple[Tool, ...]] = {
    'exec: "tiny": executable file not found in $PATH': ("docker",),
    "executable file `tiny` not found in $PATH: No such file": ("docker",),
    "no command or entrypoint provided": ("docker",),
    'exec: "/tiny": stat /tiny: too many levels of symbolic links': ("docker",),
    'exec: "/a/b": stat /a/b: not a directory': ("docker",),
    'exec: "/etc": is a directory': ("docker",),
    "open executable: Permission denied": ("docker",),
    'exec: "/aaa": stat /aaa: file name too long': ("docker",),
    "/.singularity.d/runscript: 3: exec: /x: Too many levels": ("runscript",),
    "/.singularity.d/runscript: 3: exec: /x: Is a directory": ("runscript",),
    "/.singularity.d/runscript: 3: exec: /x/y: Not a directory": ("runscript",),
    "No command specified": ("docker",),
    'exec: "/a\nb": stat /a\nb: no such file or directory': ("docker",),
    'exec: "/tiny": permission denied': ("docker",),
    "exec /tiny: exec format error": ("docker",),
    "exec /tiny failed: a stale NFS file handle": ("singularity",),
    '"tiny": executable file not found in $PATH': ("singularity",),
    "stat /opt/tool/run: no such file or directory": ("singularity",),
    "permission denied": ("singularity",),
    "/.singularity.d/runscript: 3: exec: tiny: not found": ("runscript",),
    "/.singularity.d/actions/run: 9: /tiny: Permission denied": ("runscript",),
}
#: Each with the fault that keeps a container from starting.
AT_START: dict[str, Fault] = {
    'could not select device driver "" with capabilities: [[gpu]]': "gpus",
    "nvidia-container-cli: initialization error: nvml error": "gpus",
    "unknown or invalid runtime name: nvidia": "gpus",
    "Unknown runtime specified nvidia": "gpus",
    "failed to discover GPU vendor from CDI": "gpus",
    "invalid mount config: bind source path does not exist: /a": "place",
    "statfs /a: no such file or directory": "place",
    'error mounting "/a" to rootfs at "/x": mount /a: not a directory': "mount",
    'error mounting "/a" to rootfs at "/x": too many levels of symbolic links': "mount",
    'error mounting "/a" to rootfs at "/x/y": read-only file system': "mount",
    "Duplicate mount point: /mlcube_io0": "mount",
    "invalid mount config: Duplicate mount point: /mlcube_io0": "mount",
    "invalid mount target: destination can't be '/'": "mount",
    "Minimum memory limit allowed is 6MB": "value",
    "Memory limit should be smaller than MemorySwap limit": "value",
    "SHM size can not be less than 0": "value",
    "Invalid IPC mode: x": "value",
    "invalid --security-opt 2: x": "value",
    "unknown or invalid runtime name: x": "value",
    "Requested CPUs are not available - requested 0-63": "value",
    "Invalid value x for cpuset cpus": "value",
    "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available": "value",
    "wrong rlimit value: RLIMIT_FOO: unknown": "value",
    "network my-net not found": "value",
    'invalid CapDrop: unknown capability: "CAP_FOO"': "value",
    "invalid ulimit type: x": "value",
    "apparmor is not enabled": "value",
    **dict.fromkeys(
        (each for each, tools in START.items() if "docker" in tools), "start"
    ),
}
MOUNT: dict[str, tuple[Tool, ...]] = {
    "mount /w->/mlcube_io0 error: could not mount /w: not a directory": (
        "singularity",
    ),
}
IDS: dict[str, tuple[Tool, ...]] = {
    "chown: Invalid argument": ("singularity",),
    "setgroups: Operation not permitted": ("singularity",),
    "no mapping entry in /etc/subuid": ("singularity",),
    "no mapping entry in /etc/subgid": ("singularity",),
    "newuidmap was not found": ("singularity",),
    "could not use a user namespace": ("singularity",),
}


def _table(examples: dict[str, tuple[Tool, ...]]) -> list[tuple[str, Tool]]:
    return [(said, tool) for said, tools in examples.items() for tool in tools]


@pytest.mark.parametrize(("said", "tool"), _table(MACHINE))
def test_the_machine_is_at_fault(said: str, tool: Tool) -> None:
    found = machine_fault(tool, f"first\n{said}\nlast")

    assert found
    assert found in said


@pytest.mark.parametrize(("said", "tool"), _table(STEP))
def test_a_step_is_the_fault_of_the_cube_whatever_it_says(
    said: str, tool: Tool
) -> None:
    refused = f"connection refused\n{said}"

    assert machine_fault(tool, refused) == "connection refused"
    assert machine_fault(tool, refused, last=said) == ""


@pytest.mark.parametrize(("said", "tool"), _table(DISK))
def test_a_disk_is_nobodys_step(said: str, tool: Tool) -> None:
    last = next((each for each, tools in STEP.items() if tool in tools), "exit code 1")

    assert machine_fault(tool, last, last=last, log=said.splitlines())
    assert machine_fault(tool, f"{said}\n{last}", last=last)


@pytest.mark.parametrize(("said", "tool"), _table(START))
def test_the_image_cannot_start_the_task(said: str, tool: Tool) -> None:
    assert cannot_start(tool, said)


@pytest.mark.parametrize("said", AT_START)
def test_what_keeps_a_container_from_starting_has_one_fault(said: str) -> None:
    passed_on = f"OCI runtime create failed: runc create failed: {said}: unknown"

    assert start_fault("docker", passed_on) == AT_START[said]


@pytest.mark.parametrize(("said", "tool"), _table(MOUNT))
def test_the_image_leaves_no_room_for_a_mount(said: str, tool: Tool) -> None:
    assert start_fault(tool, said) == "mount"


def test_an_unknown_start_is_nobodys_fault_yet() -> None:
    assert start_fault("docker", "cgroups: cannot find cgroup mount") is None


@pytest.mark.parametrize(("said", "tool"), _table(IDS))
def test_the_user_may_not_be_several_users(said: str, tool: Tool) -> None:
    assert lacks_ids(tool, said)


@pytest.mark.parametrize(
    ("said", "tool"),
    [
        ("manifest for x:1 not found", "docker"),
        ("pull access denied for x", "docker"),
        ("an I/O error is what it fears", "docker"),
        ("Client.Timeout exceeded", "singularity"),
        ("ERROR: No matching distribution found for x", "pip"),
        ("dial tcp", "pip"),
        ("", "docker"),
    ],
)
def test_other_words_mean_nothing(said: str, tool: Tool) -> None:
    assert machine_fault(tool, said) == ""
    assert not cannot_start(tool, said)
    assert not lacks_ids(tool, said)


def test_words_of_a_task_are_not_those_of_its_engine() -> None:
    assert not cannot_start("runscript", "exec /tiny failed")
    assert not cannot_start("singularity", "it says: exec /tiny failed")


def test_the_first_words_are_shown() -> None:
    said = "connection refused, then dial tcp 10.0.0.1:443"

    assert machine_fault("docker", said) == "connection refused"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.words.pattern)
def test_each_row_has_an_example_for_each_tool(row: Row) -> None:
    examples = {
        "machine": MACHINE,
        "disk": DISK,
        "step": STEP,
        "start": START,
        "ids": IDS,
    }
    examples["mount"] = dict(MOUNT)
    for said, fault in AT_START.items():
        if fault != "start":
            examples.setdefault(fault, {})[said] = ("docker",)

    shown = {
        tool
        for said, tools in examples[row.fault].items()
        for tool in tools
        if row.words.search(said)
    }

    assert set(row.tools) <= shown


_STEP = "executor failed running [/bin/sh -c x]: exit code: 1"


#: For each: what an engine says of the end, a line before it, and words of what to do.
_STEPS: tuple[tuple[str, str, str], ...] = (
    ('"/nope" not found: not found', "", "add nope to the build context"),
    ("COPY failed: stat a/b: file does not exist", "", "add a/b to the build"),
    (_STEP, "Temporary failure resolving 'deb.debian.org'", "check the network"),
    (_STEP, "fatal: Could not resolve host: github.com", "check the network"),
    (_STEP, "tar: x: No space left on device", "free some disk space"),
    (
        _STEP,
        "ERROR: Could not find a version that satisfies the requirement a==9",
        "version of a==9",
    ),
    (_STEP, "E: Unable to locate package libgl1", "apt-get update"),
    (_STEP, "ModuleNotFoundError: No module named 'torch'", "install torch in a"),
    (_STEP, "/bin/sh: pip: not found", "install pip in a step"),
    ("while running %post section: exit status 127", "gcc: not found", "gcc"),
    (_STEP, "exec /bin/sh: exec format error", "another architecture"),
    (_STEP, "Killed", "more memory"),
    (_STEP, "make: *** [all] Error 2", ""),
    (_STEP, "[2/2] RUN x || echo x: not found", ""),
    (_STEP, "+ echo pip: not found", ""),
    ("docker.io/library/x:1: not found", "x:1: not found", ""),
)
_PAGE = Path(__file__).parents[3] / "docs" / "reading-a-failure.md"


def test_page_lists_what_the_steps_of_a_build_say() -> None:
    rows = [
        (f"`{line or said}`", cell(" ".join(advice_on_step(said, [line]).split())))
        for said, line, does in _STEPS
        if does
    ]
    text = "\n".join(table(("the build says", "what to do"), rows))

    assert f"\n\n{text}\n\n" in _PAGE.read_text(encoding="utf-8"), text


@pytest.mark.parametrize(("found", "line", "does"), _STEPS)
def test_step_of_a_build_that_failed_is_told_its_cause(
    found: str, line: str, does: str
) -> None:
    advice = advice_on_step(found, ["Step 1", line, found])

    assert does in advice
    assert bool(advice) == bool(does)
