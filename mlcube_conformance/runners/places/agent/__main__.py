"""What is asked of another host: a request a line, an answer a line, both as JSON.

`python -m mlcube_conformance.runners.places.agent` runs on the host that a cube is
brought to. The request comes by standard input: no value of it is ever read by a
shell. It may be run from the wheel that was sent, and needs nothing but Python.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlcube_conformance.runners.common.scratch import remove_all
from mlcube_conformance.runners.places.agent import job as remote_job
from mlcube_conformance.runners.places.agent.environment import (
    EnvironmentRefused,
    make_environment,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["main"]

#: In a folder that holds a cube; its dot keeps it from being removed.
_MARK = ".mlcube-conformance-cube.json"
_SHOWN = 6
_DAY = 86400  # seconds
_KINDS = ("cubes", "workspaces")


def _use(request: Mapping[str, Any]) -> dict[str, Any]:
    """Make folders, and note in some whom they belong to and that they are in use."""
    for name in request["make"]:
        Path(name).mkdir(parents=True, exist_ok=True)
    for name in request["folders"]:
        folder = Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / remote_job.NOTE).write_text(
            json.dumps(request["note"]), encoding="utf-8"
        )
    return {}


def _claim(request: Mapping[str, Any]) -> dict[str, Any]:
    """Take a folder for a cube; `found` says whose it is, "" when it is that cube's."""
    folder = Path(request["folder"])
    mark = folder / _MARK
    folder.mkdir(parents=True, exist_ok=True)
    around = [each for each in folder.parents if (each / _MARK).is_file()]
    inside = [each for each in folder.rglob(_MARK) if each != mark]
    if around or inside:
        return {"found": f"a cube at {(around or inside)[0]}"}
    if mark.is_file():
        whose = json.loads(mark.read_text(encoding="utf-8"))
        same = whose == request["whose"]
        return {"found": "" if same else f"the cube {whose[1]} of {whose[0]}"}
    if names := sorted(each.name for each in folder.iterdir()):
        return {"found": ", ".join(names[:_SHOWN])}
    mark.write_text(json.dumps(request["whose"]), encoding="utf-8")
    return {"found": ""}


def _names(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything at and below some paths, relative to one folder."""
    base = Path(request["base"])
    return {"names": [name for each in request["names"] for name in _below(base, each)]}


def _below(base: Path, name: str) -> Iterator[str]:
    top = os.path.normpath(base / name)
    if os.path.lexists(top):
        yield os.path.normpath(name)
    for folder, folders, files in os.walk(top):
        for each in (*folders, *files):
            yield os.path.relpath(Path(folder, each), base)


def _remove(request: Mapping[str, Any]) -> dict[str, Any]:
    """Remove some names below one folder; what a link points to is left alone."""
    base = Path(request["base"])
    top = os.path.realpath(base)
    for name in request["names"]:
        place = Path(os.path.normpath(base / name))
        holder = os.path.realpath(place.parent)
        if place != base and os.path.commonpath((holder, top)) == top:
            remove_all(place)
    return {}


def _clean(request: Mapping[str, Any]) -> dict[str, Any]:
    """Remove the folders of an owner that nothing uses; say what became of each.

    Args:
        request: `root`, `owner`, `days` without use, `force` for those with a task
            that runs or results that were not fetched.
    """
    root = Path.home() / request["root"]
    found = []
    own = [
        (folder, note)
        for kind in _KINDS
        for folder in sorted(root.glob(f"{kind}/*"))
        if (note := _note_of(folder)).get("owner") == request["owner"]
    ]
    # A cube is needed as long as anything of it runs.
    used = {note["cube"]: why for folder, note in own if (why := _in_use(folder))}
    for folder, note in own:
        with suppress(OSError):
            age = time.time() - (folder / remote_job.NOTE).stat().st_mtime
            if age < request["days"] * _DAY:
                continue
            kept = "" if request["force"] else used.get(note["cube"], "")
            size = _size(folder)
            if not kept:
                for job in _jobs(folder):
                    remote_job.stop({"folder": str(job), "grace": 15})
                remove_all(folder)
                kept = "it cannot be removed" if folder.exists() else ""
            found.append({"folder": str(folder), "bytes": size, "kept": kept, **note})
    return {"found": found}


def _note_of(folder: Path) -> dict[str, str]:
    with suppress(OSError, ValueError):
        note: dict[str, str] = json.loads(
            (folder / remote_job.NOTE).read_text(encoding="utf-8")
        )
        return note
    return {}


def _jobs(folder: Path) -> list[Path]:
    return [each.with_suffix("") for each in folder.glob("*.lock")]


def _in_use(folder: Path) -> str:
    for job in _jobs(folder):
        state = remote_job.look({"folder": str(job)})
        if state["state"] == "running":
            return "a task of its cube runs"
        if state["state"] == "ended" and job.name == "run":
            return "results of its cube were not fetched yet"
    return ""


def _size(folder: Path) -> int:
    return sum(
        Path(place, name).lstat().st_size
        for place, _, files in os.walk(folder)
        for name in files
    )


_DO = {
    "environment": make_environment,
    "use": _use,
    "claim": _claim,
    "names": _names,
    "remove": _remove,
    "clean": _clean,
    "start": remote_job.start,
    "look": remote_job.look,
    "stop": remote_job.stop,
    "end": remote_job.end,
}


def main() -> None:
    """Do what each line asks, and answer by a line, until there are no more."""
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "follow":
            remote_job.follow(request)
            return
        answer = _answer(request)
        if "number" in request:  # Of one that is asked for more.
            answer["to"] = request["number"]
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return _DO[request["do"]](request)
    except EnvironmentRefused as error:
        return {"error": {"found": error.found, "do": error.do}}
    except OSError as error:
        return {"error": {"found": str(error), "do": "fix that on the other host"}}


if __name__ == "__main__":
    main()
