"""Asks git which files of a work tree changed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError, Message, UsageError
from mlcube_conformance.base.process import find_program, safe_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Changes", "changes_since"]

#: Seconds that git has for one answer.
_TIMEOUT = 120
_ZEROS = re.compile(r"0*")
_WHOLE_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
#: Settings of a clone change no answer, and run no program: no hook, and none to fetch
#: what a partial clone lacks.
_SETTINGS = (
    *("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}"),
    *("-c", "diff.external=", "--no-pager"),
)
_ENVIRONMENT = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",  # the same, for git before 2.45
    "LC_ALL": "C",
}
#: Programs that git calls for the content of files, by settings of any name.
_FILTERS = r"^filter\..*\.(clean|smudge|process|required)$"
_DIFF = ("diff", "--name-only", "-z", "--no-renames", "--ignore-submodules=dirty")
_OPTION = "--changed-since"
#: How git refuses a clone that belongs to another user, as in a container.
_FOREIGN = b"dubious ownership"
_TOLD_TO_TRUST = re.compile(r"--add safe\.directory (.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changed in a work tree."""

    top: Path
    """Folder of the work tree, links followed."""
    files: frozenset[Path] = frozenset()
    """Absolute paths, those of removed files too; a submodule is one path."""
    unknown: str = ""
    """Why they cannot be known, so everything counts as changed."""


def changes_since(ref: str, folder: Path) -> Changes:
    """Return what changed in the work tree of a folder since a commit.

    That is since HEAD and the commit went different ways, where git knows when; else
    all in which the two differ. What is not committed counts, except what git ignores.

    Args:
        ref: A commit, a branch or a tag. Empty or zeros alone, as GitHub names the
            commit before the first one of a branch: everything counts as changed.
        folder: A folder of the work tree.

    Raises:
        UsageError: The folder is not in a work tree, or has no such commit.
        MachineError: git is missing, does not answer, or does not trust the clone.
    """
    answer = _ask(folder, "rev-parse", "--show-toplevel")
    if _FOREIGN in answer.stderr:
        raise _not_trusted(folder, answer)
    if answer.returncode or not answer.stdout.strip():
        raise UsageError(
            Message(
                what="the current folder is not in a git work tree",
                where=str(folder),
                found=_words(answer) or "a repository without files",
                expected="a clone, with the files of the cubes",
                do=f"run in the clone, or omit {_OPTION}",
            )
        )
    top = Path(os.path.realpath(os.fsdecode(answer.stdout.removesuffix(b"\n"))))
    if _ZEROS.fullmatch(ref):
        return Changes(top=top, unknown="there is no commit before this one")
    commit = _commit(ref, top)
    if commit is None:
        return Changes(top=top, unknown=f"the commit {ref} no longer exists here")
    base = _ask(top, "merge-base", commit, "HEAD").stdout.split()
    since = os.fsdecode(base[0]) if base else commit
    # A new branch may have no commit yet.
    ends = ("HEAD",) if _hash_of("HEAD", top) else ()
    files = {
        top / each
        for words in (
            # In two steps: a partial clone has the content of HEAD alone.
            (*_DIFF, since, *ends, "--"),
            *((*_DIFF, end, "--") for end in ends),
            ("ls-files", "--others", "--exclude-standard", "-z"),
        )
        for each in _names(top, *words)
    }
    return Changes(top=top, files=frozenset(files))


def _not_trusted(
    folder: Path, answer: subprocess.CompletedProcess[bytes]
) -> MachineError:
    words = _words(answer)
    # git quotes the folder for a shell.
    told = _TOLD_TO_TRUST.search(words)
    place = told[1] if told else shlex.quote(str(folder))
    return MachineError(
        Message(
            what="git does not trust this clone",
            where=str(folder),
            found=words.partition("\n")[0],
            expected="a clone of the user who runs this, or one that git trusts",
            do=f"run git config --global --add safe.directory {place}",
        )
    )


def _hash_of(ref: str, top: Path) -> str:
    """Return the hash of a commit, or ""."""
    answer = _ask(top, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    return "" if answer.returncode else os.fsdecode(answer.stdout.strip())


def _commit(ref: str, top: Path) -> str | None:
    """Return the hash of a commit; None for one that a push has replaced.

    Raises:
        UsageError: There is no such commit.
    """
    # What begins with a hyphen would be an option of git, and names no commit.
    if not ref.startswith("-") and "\0" not in ref:
        found = _hash_of(ref, top)
        if found:
            return found
    shallow = _ask(top, "rev-parse", "--is-shallow-repository").stdout.strip()
    is_shallow = shallow == b"true"
    if _WHOLE_HASH.fullmatch(ref) and not is_shallow:
        return None
    raise UsageError(
        Message(
            what="git does not know this commit",
            where=_OPTION,
            found=f"{ref!r}, and a shallow clone" if is_shallow else repr(ref),
            expected="a commit, a branch such as origin/main, or a tag",
            do="fetch the history: git fetch --unshallow, or fetch-depth: 0 for "
            "actions/checkout"
            if is_shallow
            else "fix the name, or fetch it: git fetch origin",
        )
    )


def _names(top: Path, *words: str) -> list[str]:
    answer = _ask(top, *words, more=_without_filters(top))
    if answer.returncode:
        raise MachineError(
            Message(
                what="git cannot say which files changed",
                where=str(top),
                found=_words(answer),
                expected="a list of files",
                do="fix the clone, or clone again, without --filter",
            )
        )
    return [os.fsdecode(each) for each in answer.stdout.split(b"\0") if each]


@cache
def _without_filters(top: Path) -> Mapping[str, str]:
    """Return variables by which git calls no filter of the settings of a clone.

    Without them, it takes some files that did not change for changed. Those of the
    user's own settings stay.
    """
    names = {
        name
        for scope in ("--local", "--worktree")
        for name in _ask(
            *(top, "config", scope, "--includes", "--null", "--name-only"),
            *("--get-regexp", _FILTERS),
        ).stdout.split(b"\0")
        if name
    }
    # Not by `-c`, in which a name ends at its first `=`.
    count = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    found = {"GIT_CONFIG_COUNT": str(count + len(names))}
    for number, name in enumerate(sorted(names), count):
        found[f"GIT_CONFIG_KEY_{number}"] = os.fsdecode(name)
        is_flag = name.endswith(b".required")
        found[f"GIT_CONFIG_VALUE_{number}"] = "false" if is_flag else ""
    return found


def _words(answer: subprocess.CompletedProcess[bytes]) -> str:
    return answer.stderr.decode(errors="replace").strip()


def _ask(
    folder: Path, *words: str, more: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    program = find_program("git")
    if program is None:
        raise MachineError(
            Message(
                what="git is not installed",
                where="PATH",
                found="no program git",
                expected="git, which knows what changed",
                do=f"install git, or omit {_OPTION}",
            )
        )
    try:
        return subprocess.run(  # noqa: S603 - our own argument list
            [program, *_SETTINGS, *words],
            cwd=folder,
            env={**safe_environment(), **_ENVIRONMENT, **(more or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except OSError as error:
        raise MachineError(
            Message(
                what="git cannot be started",
                where=program,
                found=error.strerror or str(error),
                expected="git, which knows what changed",
                do=f"fix or remove this program, or omit {_OPTION}",
            )
        ) from error
    except subprocess.TimeoutExpired as error:
        raise MachineError(
            Message(
                what="git does not answer",
                where=str(folder),
                found=str(error)[:200],
                expected=f"an answer within {_TIMEOUT} seconds",
                do="fix the clone, or clone again",
            )
        ) from error
