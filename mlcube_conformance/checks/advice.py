"""Checks of SHOULD clauses: what works here, and is likely to fail elsewhere."""

from __future__ import annotations

import re
import shlex
from itertools import dropwhile, groupby
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message
from mlcube_conformance.base.text import TRACEBACK, visible
from mlcube_conformance.checks.run import end_of_log, logs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlcube_conformance.model import Case, Cube, RunResult

__all__ = [
    "entry_point_is_absolute",
    "stderr_ends_without_error",
    "words_are_absolute",
]

#: Lines that the last exception of a traceback may take.
_EXCEPTION = 4
#: The words at the start of a line that say that something failed.
_FAILED = re.compile(
    r"(?i:error|fatal|fatal error|critical|panic|exception)|[\w.$]*(?:Error|Exception)"
)
_LEVEL = re.compile(r"ERROR|FATAL|CRITICAL")
#: Words of a line that are looked at, and their letters.
_WORDS, _LETTERS = 8, 300
_NUMBERS = re.compile(r"[\d\s.,%e+-]+")
_HALTED = ("Execution halted", "Aborted", "Segmentation fault", "core dumped")
_SHELL = ("/bin/sh", "/bin/bash", "sh", "bash")
_SHELL_WORDS = 3
_INTERPRETER = re.compile(r"(?:.*/)?(?:python|pypy|ruby|perl|Rscript|node|julia)[\d.]*")
_SCRIPT = re.compile(
    r"\.{1,2}/.*|[^\s:=$/[-][^\s:=$]*(?:/[^\s:=$]*|\.(?:py|sh|bash|R|r|pl|rb|js|jl|jar))"
)
#: What stands between two commands of a shell, what before one, and what starts none.
_MARK, _REDIRECTS = re.compile(r"[;&|()<>]+|\{|\}"), re.compile(r"[<>]")
_BEFORE = re.compile(r"\w+=.*|exec|time|nohup|then|do|else|if|while|until|!", re.DOTALL)
_BUILT_IN = frozenset(
    (
        *("[", "[[", ":", "case", "echo", "export", "for", "local", "mkdir", "printf"),
        *("cp", "ls", "mv", "rm", "set", "shift", "test", "touch", "trap", "unset"),
    )
)
#: Letters of a script that are looked at.
_SCRIPT_LETTERS = 20_000
_MODULE = ("-m", "-c", "-e")


def stderr_ends_without_error(case: Case, result: RunResult) -> tuple[Message, ...]:
    """Check that a task that exits with 0 does not say last that it failed."""
    if result.exit_code != 0 or result.timed_out or result.over:
        return ()
    last = end_of_log(result)
    said = [
        line.removeprefix("stderr: ") for line in last if line.startswith("stderr: ")
    ]
    if not _ends_with_error(said):
        return ()
    return (
        Message(
            what=f"task {case.invocation.task.name!r} exits with 0 after an error",
            where=case.where,
            found=f"exit code 0, after {visible(said[-1].strip())}",
            expected="another exit code where a task fails",
            do="let exceptions and failed commands end the task (set -e in a shell),\n"
            "with their exit code",
            tail=last,
            log=logs(result),
        ),
    )


def _ends_with_error(said: Sequence[str]) -> bool:
    if not said:
        return False
    last = said[-1].strip()
    if _is_error(last) or last.endswith(_HALTED):
        return True
    starts = [at for at, line in enumerate(said) if line.strip() == TRACEBACK]
    if not starts:
        return False
    after = dropwhile(lambda line: line.startswith(" "), said[starts[-1] + 1 :])
    return len(list(after)) <= _EXCEPTION


def _is_error(line: str) -> bool:
    """Say whether a line begins with an error, behind names, times and brackets.

    Such as `error: …`, `main.py: error: …`, `2026-01-01 10:00:00 [ERROR] …`,
    `ERROR:root:…`, `java.io.IOException: …` or `Error in f(x) : …`; a number behind the
    word is that of a metric.
    """
    words = line[:_LETTERS].split()
    for at, word in enumerate(words[:_WORDS]):
        bare, mark, rest = word.lstrip("[(<").partition(":")
        bare = bare.rstrip("])>")
        last = words[at - 1] if at else ":"
        closed = bool(mark) or word.endswith("]")
        behind = f"{rest} {' '.join(words[at + 1 :])}".strip()
        if _NUMBERS.fullmatch(behind):
            continue
        if _LEVEL.fullmatch(bare) and (last[-1] in ":-|])" or last[0].isdigit()):
            return True
        starts = at == 0 and words[1:2] == ["in"]
        if _FAILED.fullmatch(bare) and (closed or starts or len(words) == 1):
            return True
        named = words[at + 1 : at + 2] in (["-"], ["|"])
        if not (named or word[-1] in ":-|])" or word[0].isdigit() or word[0] in "[("):
            return False
    return False


def entry_point_is_absolute(case: Case, words: Sequence[str]) -> tuple[Message, ...]:
    """Check that what starts a task does not depend on the working folder.

    Args:
        case: The task on a platform.
        words: The entry point of the task or of its image; empty where it is unknown.
    """
    where = f"{case.cube.docker.file}, case {case.id}"
    return words_are_absolute(case.cube, where, words)


def words_are_absolute(
    cube: Cube, where: str, words: Sequence[str]
) -> tuple[Message, ...]:
    """Check the same of the words of an entry point that are written somewhere."""
    found = _relative_path(words)
    if not found:
        return ()
    return (
        Message(
            what=f"the entry point of {cube.id!r} has a relative path",
            where=where,
            found=visible(shlex.join(words)),
            expected=f"an absolute path instead of {visible(found)}",
            do="write the whole path: Docker starts in the WORKDIR of an image, "
            "other\nplatforms do not",
        ),
    )


def _commands(script: str) -> Iterator[list[str]]:
    """Yield the commands of a script that may start a program."""
    for line in re.sub(r"\\\n", " ", script[:_SCRIPT_LETTERS]).splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        try:
            words = list(lexer)
        except ValueError:
            continue
        mark = ""
        for is_mark, group in groupby(words, lambda each: bool(_MARK.fullmatch(each))):
            command = list(group)
            if is_mark:
                mark = command[-1]
                continue
            own = list(dropwhile(_BEFORE.fullmatch, command))
            if own and not _REDIRECTS.search(mark) and own[0] not in _BUILT_IN:
                yield own


def _relative_path(words: Sequence[str]) -> str:
    """Return the first word that starts from the working folder, or ""."""
    if tuple(words[:2]) in {(shell, "-c") for shell in _SHELL}:
        if len(words) < _SHELL_WORDS or re.search(r"\b(cd|pushd)\b", words[2]):
            return ""  # It chooses its folder by itself.
        found = (_relative_path(each) for each in _commands(words[2]))
        return next(filter(None, found), "")
    if words and "/" in words[0] and not words[0].startswith(("/", "$", "[")):
        return words[0]
    before = ""
    for word in words:
        if word in _MODULE:
            return ""
        starts = _INTERPRETER.fullmatch(before) or before in _SHELL
        named = starts and not word.startswith(("/", "-", "$"))
        if named or _SCRIPT.fullmatch(word):
            return word
        before = word
    return ""
