"""One way to break each clause, done to what a sound runner did."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlcube_conformance.clauses import clause
from tests.fake_command_line import FakeCall, play

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_TRACEBACK = "Traceback (most recent call last):\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """Something that a runner does wrong, in the runs that a clause is about."""

    where: str
    """Name of the folder around the cube; a number may follow."""
    change: Callable[[FakeCall], int | None]
    """Changes what was made; a number stands for the exit code."""
    instead: bool = False
    """Whether nothing runs but the change."""

    def __call__(self, call: FakeCall) -> int:
        """Do what a call asks for, wrongly if it is one of those."""
        here = re.fullmatch(rf"{self.where}(-\d+)?", call.scenario)
        if here and self.instead:
            return self.change(call) or 0
        code = play(call)
        changed = self.change(replace(call, code=code)) if here else None
        return code if changed is None else changed


def exits(code: int, *, of: int | None = None) -> Callable[[FakeCall], int | None]:
    """Exit otherwise; with `of`, only where that would have been the code."""

    def change(call: FakeCall) -> int | None:
        return code if of in {None, call.code} else None

    return change


def says(text: str, code: int | None = None) -> Callable[[FakeCall], int | None]:
    """Say something else, and perhaps exit otherwise."""

    def change(call: FakeCall) -> int | None:
        call.stderr.write_text(text)
        return code

    return change


def says_more(text: str) -> Callable[[FakeCall], None]:
    """Say something more."""

    def change(call: FakeCall) -> None:
        with call.stderr.open("a") as err:
            err.write(text)

    return change


def makes(path: Callable[[FakeCall], Path]) -> Callable[[FakeCall], None]:
    """Make a folder."""
    return lambda call: path(call).mkdir(parents=True, exist_ok=True)


def loses(name: str) -> Callable[[FakeCall], None]:
    """Lose an output."""
    return lambda call: (call.workspace / name).unlink()


def records(
    name: str, change: Callable[[str], str], task: str = "look"
) -> Callable[[FakeCall], None]:
    """Give the task something else to write down."""

    def altered(call: FakeCall) -> None:
        file = call.workspace / f"report-{task}" / name
        if not file.parent.exists():
            return
        old = os.fsdecode(file.read_bytes()) if file.exists() else ""
        file.write_bytes(os.fsencode(change(old)))

    return altered


def reads(name: str, content: str) -> Callable[[FakeCall], None]:
    """Give the task another content of a file."""

    def change(call: FakeCall) -> None:
        report = call.workspace / "report-look"
        if not report.exists():
            return
        words = (report / "argv").read_text().splitlines()
        for place, word in enumerate(words, 1):
            if word.startswith(f"--{name}="):
                (report / "content" / str(place)).write_text(content)

    return change


def lists_nothing(call: FakeCall) -> None:
    """Give the task empty folders."""
    for each in call.workspace.glob("report-*/listing/*"):
        each.write_text(".\n..\n")


def argument(pattern: str, new: str, task: str = "look") -> Callable[[FakeCall], None]:
    """Give the task other arguments."""
    return records(
        "argv", lambda text: re.sub(pattern, new, text, flags=re.MULTILINE), task
    )


def _runs_second_too(call: FakeCall) -> int:
    words = [each.replace("first,second", "second") for each in call.argv]
    code = play(call)
    play(call.with_argv(words))
    return code


def _is_a_folder(call: FakeCall) -> None:
    (call.workspace / "there/beside.txt").unlink()
    (call.workspace / "there/beside.txt").mkdir()


def _put_together(call: FakeCall) -> Path:
    outside = call.root.parent / "outside"
    return call.workspace / str(outside).lstrip("/")


def _gives_gpus(call: FakeCall) -> int:
    """Give GPUs to a task that nobody asked any for."""
    asked = call.option("gpus") or call.argv[1:2] != ("run",)
    return play(call if asked else call.with_argv([*call.argv, "--gpus=all"]))


def _leaves_one(call: FakeCall) -> None:
    if call.argv[0] == "fake-engine" and "left" in call.argv[-1]:
        marker = call.stdout.with_name("listed")
        if marker.exists():
            call.stdout.write_text("0123456789ab\n")
        marker.touch()


def _changes_text(call: FakeCall) -> None:
    text = call.stdout.read_bytes().decode("utf-8", "replace")
    call.stdout.write_text(text, encoding="utf-8")


def _cuts_value(call: FakeCall) -> int:
    return play(call.with_argv([w.replace("a=b=c.txt", "a=b") for w in call.argv]))


def _splits_tasks(call: FakeCall) -> int:
    code = play(call)
    return 1 if ", " in call.option("task") else code


def _only_second_time(call: FakeCall) -> int | None:
    return 1 if call.argv[1] == "configure" and call.number > 1 else None


def _copies_outputs(call: FakeCall) -> None:
    made = call.workspace / "made"
    (made / "old.txt").write_text("old\n")


def _changes_file(call: FakeCall) -> None:
    with (call.root / "mlcube.yaml").open("a") as file:
        file.write("# changed\n")


def _swaps_outputs(text: str) -> str:
    return re.sub(r"(--report=.*\n)(--made=.*\n)", r"\2\1", text)


def _names_otherwise(call: FakeCall) -> int:
    """Give the task another place where the cube is named by a dot."""
    code = play(call)
    if call.option("mlcube") == ".":
        argument(r"^--seed=.*", "--seed=/mlcube_io9/seed.txt")(call)
    return code


def _shows_the_host(call: FakeCall) -> None:
    argument(r"^--data=.*", f"--data={call.root}/workspace/data")(call)


def _belongs_to_another(call: FakeCall) -> None:
    made = call.workspace / "made/made"
    if os.geteuid() == 0:
        os.chown(made, 65534, 65534)
    else:
        made.unlink()
        made.symlink_to("/")  # of root


#: Folder of the runs that several clauses share, by clause.
_SHARED: Mapping[str, str] = {
    **dict.fromkeys(("MOUNT-1", "MOUNT-2", "MOUNT-3", "MOUNT-4", "MOUNT-8"), "look"),
    **dict.fromkeys(("MOUNT-9", "OWNER-2", "RUN-2", "ARG-1"), "look"),
    **dict.fromkeys(("PATH-8", "PATH-9", "ARG-9"), "overridden"),
    **dict.fromkeys(("REMOTE-2", "REMOTE-3", "REMOTE-8", "REMOTE-9"), "sent"),
    "RUN-1": "main",
    "IMAGE-11": "several-words",
}

_AFTER: Mapping[str, Callable[[FakeCall], int | None]] = {
    "EXIT-2": exits(1, of=42),
    "EXIT-3": exits(0),
    "EXIT-6": exits(0),
    "EXIT-7": exits(0),
    "EXIT-13": exits(1),
    "EXIT-14": exits(0),
    "EXIT-15": says_more(_TRACEBACK),
    "PATH-1": exits(125),
    "PATH-2": makes(lambda call: call.cwd / "hacked"),
    "PATH-3": argument(r"[^\x00-\x7f]", "?"),
    "PATH-5": says("no such file\n", 1),
    "PATH-6": makes(lambda call: call.cwd / "made"),
    "PATH-7": loses("result.txt"),
    "PATH-8": lambda call: (call.stdout.parents[1] / "outside/made/made").unlink(),
    "PATH-9": makes(_put_together),
    "PATH-10": makes(lambda call: call.cwd / "~"),
    "PATH-11": reads("seed", ""),
    "PATH-13": reads("linked", ""),
    "MOUNT-1": loses("results/result.txt"),
    "MOUNT-2": _is_a_folder,
    "MOUNT-3": reads("seed", ""),
    "MOUNT-4": argument(r"^--other=.*", "--other=/mlcube_io9/other.txt"),
    "MOUNT-5": argument(r"^--new=.*", "--new=/mlcube_io9"),
    "MOUNT-6": argument(r"^--two=.*", "--two=/mlcube_io9"),
    "MOUNT-7": lists_nothing,
    "MOUNT-8": _shows_the_host,
    "MOUNT-9": records("mountinfo", lambda text: f"{text}1 2 3:4 / /workspace rw\n"),
    "MOUNT-10": records("writes", lambda _: "data yes\n"),
    "MOUNT-11": loses("both/result.txt"),
    "MOUNT-12": says(""),
    "INPUT-3": says("this is wrong\n"),
    "INPUT-4": makes(lambda call: call.workspace / "nowhere"),
    "OWNER-2": _belongs_to_another,
    "RUN-1": _leaves_one,
    "RUN-2": _changes_text,
    "RUN-3": says(_TRACEBACK),
    "RUN-4": exits(125),
    "RUN-5": _copies_outputs,
    "RUN-6": exits(0),
    "ARG-1": records("argv", _swaps_outputs),
    "ARG-3": says("no such task\n"),
    "ARG-4": says("no such task\n", 1),
    "ARG-5": says("this is wrong\n"),
    "ARG-6": says("this is wrong\n"),
    "ARG-7": argument(r"^--data=.*\n(?=--report)", ""),
    "ARG-8": argument("^eval", "ev", "eval"),
    "ARG-9": _changes_file,
    "ARG-10": exits(0),
    "ARG-11": exits(0),
    "ARG-12": says_more(_TRACEBACK),
    "ARG-14": says("which task?\n"),
    "ARG-15": says("this is wrong\n"),
    "ARG-16": lists_nothing,
    "ARG-17": lists_nothing,
    "ARG-18": argument("^--plan", "one\n--plan", "one"),
    "ARG-19": argument(r"^look\n", ""),
    "ARG-20": exits(125),
    "FILE-3": says("no such file\n"),
    "FILE-4": says("this is wrong\n"),
    "FILE-5": makes(lambda call: call.cwd / "hacked"),
    "FILE-6": says(""),
    "FILE-7": exits(2),
    "FILE-8": exits(0),
    "FILE-9": exits(2),
    "FILE-10": says("this is wrong\n", 2),
    "IMAGE-2": records("context", lambda _: "as built\n"),
    "IMAGE-3": _only_second_time,
    "IMAGE-4": records("context", lambda _: "as built\n"),
    "IMAGE-5": says("this is wrong\n"),
    "IMAGE-7": exits(0),
    "IMAGE-8": records("context", lambda _: "as built\n"),
    "IMAGE-9": makes(lambda call: call.cwd / "other.sif"),
    "IMAGE-10": says_more(_TRACEBACK),
    "IMAGE-11": says("this is wrong\n"),
    "ENV-1": records("environment", lambda _: ""),
    "ENV-2": lambda call: says_more(call.env.get("http_proxy", ""))(call),
    "ENV-3": records("environment", lambda text: text.replace("two words", "two")),
    "ENV-5": records("routes", lambda text: f"{text}eth0\n"),
    "ENV-6": records("routes", lambda text: f"{text}eth0\n"),
    "REMOTE-2": loses("results/deep/er/result.txt"),
    "REMOTE-3": loses("made/made"),
    "REMOTE-4": exits(0),
    "REMOTE-5": _only_second_time,
    "REMOTE-6": reads("seed", "seed\n"),
    "REMOTE-7": exits(125),
    "REMOTE-8": records("environment", lambda text: text.replace("two words", "two")),
    "REMOTE-9": loses("made/mine.sh"),
    "REMOTE-10": reads("seed", "one\n"),
}

_INSTEAD: Mapping[str, Callable[[FakeCall], int]] = {
    "ENV-4": _gives_gpus,
    "EXIT-11": _runs_second_too,
    "PATH-4": _cuts_value,
    "PATH-12": _names_otherwise,
    "ARG-13": _splits_tasks,
}


def _where(name: str) -> str:
    test = clause(name).test.rpartition("::test_")[2]
    return _SHARED.get(name) or test.replace("_", "-")


MUTATIONS = {
    **{
        name: Mutation(where=_where(name), change=change)
        for name, change in _AFTER.items()
    },
    **{
        name: Mutation(where=_where(name), change=change, instead=True)
        for name, change in _INSTEAD.items()
    },
}
