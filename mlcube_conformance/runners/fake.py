"""A runner without containers, for tests of what is above the runners.

The platform file's `image` says how each task behaves: `pass`, `fail`, `hang`,
`missing`, `empty`, `nothing-builds`, `not-there`, `other-name`, `other-bytes`. Behind
`once-`, it does so the first time and passes from then on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import (
    MachineError,
    Message,
    PlatformUnavailable,
    Violation,
)
from mlcube_conformance.base.text import plain
from mlcube_conformance.model import Image, RunResult

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from mlcube_conformance.model import Cube, Platform
    from mlcube_conformance.runners.contract import ConfigureRequest, RunRequest

__all__ = ["FakeRunner"]

#: What is written to each output, and the name it gets in a folder.
_WRITES = {
    "pass": ("made\n", "made"),
    "empty": ("", "made"),
    "other-name": ("made\n", "other"),
    "other-bytes": ("other\n", "made"),
}
_OF_CONFIGURE = {"nothing-builds", "not-there"}
_ONCE = "once-"


class FakeRunner:
    """Plays the part that the image's name says."""

    protects_inputs = True

    def __init__(self, run_id: str) -> None:
        """Remember nothing but the run."""
        self._run_id = run_id
        self._played: set[str] = set()

    def unavailable(self) -> MachineError | None:
        """Return None: whether it is there is seen at configure."""
        return None

    def engine(self) -> str:
        """Return nothing: there is none."""
        return ""

    def configure(self, request: ConfigureRequest) -> Image:
        """Note that it was called; fail where the image's name says so."""
        behaviour = self._now(request.platform.image, _OF_CONFIGURE)
        text = plain(f"configuring {request.cube.id}\n")
        request.log.write_text(text, encoding="utf-8")
        if behaviour == "not-there":
            raise PlatformUnavailable(
                Message(what="the fake platform is not available", do="start it")
            )
        if behaviour == "nothing-builds":
            raise Violation(
                Message(what="the image does not build", tail=("Step 1/1: no",))
            )
        return Image(name=request.platform.image, digest="sha256:0", origin="built")

    def find_image(self, cube: Cube, platform: Platform) -> Image | None:
        """Return the image at once: there is nothing to make."""
        del cube
        return Image(name=platform.image, digest="sha256:0", origin="present")

    def run(self, request: RunRequest) -> RunResult:
        """Write, or do not write, what the task's arguments name."""
        behaviour = self._now(request.image.name)
        stderr = "" if behaviour in _WRITES else f"playing {behaviour}\n"
        stdout = plain(f"{request.case_id}\n")
        request.stdout.write_text(stdout, encoding="utf-8")
        request.stderr.write_text(stderr, encoding="utf-8")
        if behaviour in _WRITES:
            self._write(request, *_WRITES[behaviour])
        return RunResult(
            exit_code={"fail": 3, "hang": 137}.get(behaviour, 0),
            timed_out=behaviour == "hang",
            out_of_memory=False,
            seconds=0.0,
            stdout=request.stdout,
            stderr=request.stderr,
            command=("fake", *request.view.arguments),
        )

    def _now(self, image: str, only: Collection[str] = ()) -> str:
        """Return what an image's name says for this time, among some behaviours."""
        behaviour = image.removeprefix(_ONCE)
        if only and behaviour not in only:
            return behaviour
        again = image in self._played
        self._played.add(image)
        return "pass" if again and image.startswith(_ONCE) else behaviour

    def _write(self, request: RunRequest, text: str, made: str) -> None:
        writable = {each.container: each for each in request.view.mounts}
        for argument in request.view.arguments[1:]:
            inside = argument.partition("=")[2]
            _, mount, *name = inside.split("/", 2)
            folder = writable[f"/{mount}"]
            if folder.writable:
                self._write_file(folder.host / (name[0] if name else made), text)

    @staticmethod
    def _write_file(file: Path, text: str) -> None:
        file.write_text(text, encoding="utf-8")

    def remove_leftovers(self) -> tuple[str, ...]:
        """Return nothing: it leaves nothing behind."""
        return ()

    def close(self) -> None:
        """Do nothing."""
