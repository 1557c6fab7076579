"""Records that no run made, for tests of reports."""

from __future__ import annotations

from typing import Any

__all__ = ["cube_record", "finding", "ran"]

_AT = "2026-11-28T00:00:00.000Z"


def finding(
    clause: str,
    verdict: str = "passed",
    *,
    task: str = "make",
    platform: str = "docker",
    cube: str = "tiny",
    **more: Any,  # noqa: ANN401 - as JSON knows it
) -> dict[str, Any]:
    """Return what a test of a task found."""
    case = f"{cube}-{platform}-{task}"
    return {
        "at": _AT,
        "subject": {
            "kind": "case",
            "id": case,
            "cube": cube,
            "platform": platform,
            "task": task,
        },
        "verdict": verdict,
        "clause": clause,
        "reason": "",
        "messages": [],
        "facts": {},
        "test": f"test_task.py::test_it[{case}-{clause}]",
        "expected": False,
        "required": True,
        "seconds": 0.01,
        **more,
    }


def ran(case: str = "tiny-docker-make", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as JSON knows it
    """Return how a task ended."""
    return {
        "at": _AT,
        "subject": case,
        "state": "ended",
        "exit_code": 0,
        "timed_out": False,
        "out_of_memory": False,
        "seconds": 10.0,
        "peak_memory": None,
        "argv": ["docker", "run"],
        "stdout": "/r/make.stdout.log",
        "stderr": "/r/make.stderr.log",
        "outputs": {"data": {"path": "/r/data", "files": 1, "bytes": 1_000_000}},
        "logs": [
            {
                "name": "stdout",
                "path": "/r/make.stdout.log",
                "bytes": 6,
                "tail": ["made"],
            }
        ],
        "metrics": [],
        "pictures": [],
        **more,
    }


def cube_record(
    *findings: dict[str, Any],
    runs: tuple[dict[str, Any], ...] = (),
    run: str = "one",
    platforms: tuple[str, ...] = ("docker",),
    level: str = "L2",
    host: str = "here",
    **more: Any,  # noqa: ANN401 - as JSON knows it
) -> dict[str, Any]:
    """Return the record of a test of the cube `tiny`."""
    bad = any(each["verdict"] in {"failed", "error"} for each in findings)
    return {
        "schema_version": 1,
        "suite": "cube",
        "run": run,
        "began": _AT,
        "tool": {"name": "mlcube-conformance", "version": "0.1.0", "commit": None},
        "host": {
            "name": host,
            "system": "Linux",
            "kernel": "6",
            "machine": "x86_64",
            "python": "3.12.1",
        },
        "command": ["tiny"],
        "folder": "/r",
        "keep": "failed",
        "ended": {"at": _AT, "exit_code": int(bad)},
        "cubes": [
            {
                "at": _AT,
                "id": "tiny",
                "name": "tiny",
                "version": "1",
                "root": "/r/tiny",
                "file": "/r/tiny/mlcube.yaml",
                "tasks": {"make": "/r/tiny/run/make.yaml"},
                "content": None,
            }
        ],
        "platforms": [
            {
                "at": _AT,
                "id": f"tiny-{each}",
                "cube": "tiny",
                "platform": each,
                "runner": each,
                "engine": "",
                "file": "",
            }
            for each in platforms
        ],
        "configures": [],
        "runs": list(runs),
        "levels": [
            {"at": _AT, "subject": f"tiny-{each}", "level": level, "missing": ""}
            for each in platforms
        ],
        "calls": [],
        "findings": list(findings),
        **more,
    }
