"""`pytest --runner`: what is asked for, refused and written, on tiny runners."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.clauses import clause
from mlcube_conformance.results.judgements import Scorecard
from tests.runner_descriptions import refuser

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]

_DESCRIPTION = refuser()


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Return what runs pytest in an empty folder."""
    pytester.makefile(".yaml", refuser=_DESCRIPTION)

    def run(*words: str) -> pytest.RunResult:
        return pytester.runpytest("-p", "no:cacheprovider", *words)

    return run


def test_images_of_the_probe_that_stay_are_named(
    run: Run, pytester: pytest.Pytester
) -> None:
    more = 'remove_image: [rm, "{image}"]\n'
    pytester.makefile(".yaml", remover=_DESCRIPTION + more)

    said = run("--runner", "remover.yaml", "-k", "test_usage_error")

    said.stdout.fnmatch_lines(
        ["the probe's image stays for the next run: rm mlcube-conformance-probe:*"]
    )
    other = run("--runner", "refuser.yaml", "-k", "test_usage_error")
    other.stdout.no_fnmatch_line("the probe's image stays*")


def test_runner_without_test_files_runs_the_packaged_suite(
    run: Run, pytester: pytest.Pytester
) -> None:
    result = run("--runner", "refuser.yaml", "-k", "test_exit", "--scorecard=c.json")

    result.stdout.fnmatch_lines(
        [
            "mlcube-conformance *: runner refuser (0.1), cubes of the format single*",
            "mlcube-conformance: probe cubes and logs in */.mlcube-conformance/*",
            "EXIT-2: a task that exits *",
            "  EXIT  MUST    0 of 5 passed, 5 failed, 3 not applicable",
            "5 of 5 MUST not met, * MUST not run",
            "mlcube-conformance: scorecard in */c.json",
            "mlcube-conformance: kept */.mlcube-conformance/*",
        ]
    )
    shown = result.stdout.str()
    assert shown.count(clause("EXIT-2").sentence) == 1
    assert "not run" not in shown.replace("MUST not run", "")
    assert "PATH" not in shown
    card = Scorecard.from_json((pytester.path / "c.json").read_text())
    found = {each.clause: each.verdict for each in card.judgements}
    # It fails whatever it is asked for, and starts nothing.
    assert found["EXIT-2"] == "failed"
    assert found["EXIT-11"] == "not applicable"
    assert (card.runner, card.version) == ("refuser", "0.1")


def test_workers_find_what_one_process_finds(
    run: Run, pytester: pytest.Pytester
) -> None:
    words = ("--pyargs", "conformance_tests.runner", "--runner", "refuser.yaml")
    chosen = ("-k", "test_exit or test_input or test_run or test_remote")

    run(*words, *chosen, "-n", "0", "--scorecard", "one.json")
    run(*words, *chosen, "-n", "2", "--scorecard", "two.json")

    one, two = (
        Scorecard.from_json((pytester.path / f"{name}.json").read_text()).ordered()
        for name in ("one", "two")
    )
    assert one == two
    verdicts = {each.verdict for each in one}
    assert verdicts == {"passed", "failed", "not applicable", "not run"}


def test_suite_without_a_runner_is_skipped_with_the_reason(run: Run) -> None:
    result = run("--pyargs", "conformance_tests.runner", "-k", "test_exit", "-rs")

    assert set(result.parseoutcomes()) == {"skipped", "deselected"}
    result.stdout.fnmatch_lines(["*no runner is given: use --runner NAME"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--runner", "dokcer"), "unknown runner 'dokcer'"),
        (("--runner", "dokcer"), "docker, local, mlcube, singularity, ssh, or the*"),
        (("--runner", "dokcer"), "did you mean 'docker'?"),
        (("--runner", "other"), "write a description: docs/runners.md says how"),
        (("--runner", "none.yaml"), "none.yaml cannot be read"),
        (("--runner", "x.yaml", "--cube", "."), "--cube and --runner ask for two*"),
        (("--runner", "refuser.yaml", "--task", "a"), "--task needs a cube*"),
        (("--scorecard", "c.json"), "--scorecard needs a runner*"),
        (("--format", "multi-file"), "--format needs a runner*"),
        (("--expected-failures", "a.yaml"), "--expected-failures needs a runner*"),
        (("--runner-platform", "a.yaml"), "--runner-platform needs a runner*"),
        (("--runner-timeout", "3"), "--runner-timeout needs a runner*"),
        (
            ("--runner", "refuser.yaml", "--format", "multi-file"),
            "the runner refuser does not read this format",
        ),
        (
            ("--runner", "refuser.yaml", "--scorecard", "card.txt"),
            "the format of the scorecard is unknown",
        ),
        (
            ("--runner", "refuser.yaml", "--scorecard", "card.txt"),
            "a name that ends in .json or .md",
        ),
        (
            ("--runner", "refuser.yaml", "--runner-timeout", "soon"),
            "the value of --runner-timeout is invalid",
        ),
        (
            ("--runner", "refuser.yaml", "--expected-failures", "none.yaml"),
            "none.yaml cannot be read",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(
    words: tuple[str, ...], message: str, run: Run, pytester: pytest.Pytester
) -> None:
    result = run(*words)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{message}*"])
    assert not (pytester.path / ".mlcube-conformance").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[echo,", "[no-such-program,", "cannot start the program of the runner"),
        ('[echo, "0.1"]', '["false"]', "the runner refuser does not print its version"),
        ('[echo, "0.1"]', '["true"]', "the runner refuser does not print its version"),
        ("docker", '"${NO_SUCH_VARIABLE}"', "needs the variable NO_SUCH_VARIABLE"),
    ],
)
def test_runner_that_is_not_there_is_told_once(
    old: str, new: str, message: str, run: Run, pytester: pytest.Pytester
) -> None:
    text = _DESCRIPTION.replace(old, new)
    Path(pytester.path / "refuser.yaml").write_text(text)

    result = run("--runner", "refuser.yaml")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().count(message) == 1
    assert "Traceback" not in result.stderr.str()
    assert not (pytester.path / ".mlcube-conformance").exists()


def test_program_that_is_not_there_errors_once(
    run: Run, pytester: pytest.Pytester
) -> None:
    text = _DESCRIPTION.replace('["true",', "[no-such-program,")
    Path(pytester.path / "refuser.yaml").write_text(text)

    result = run("--runner", "refuser.yaml", "-k", "test_exit", "--scorecard=c.json")

    outcomes = result.parseoutcomes()
    assert outcomes["errors" if "errors" in outcomes else "error"] == 1
    assert outcomes["skipped"] > 1
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["cannot start the program of the runner"])


@pytest.mark.parametrize(
    ("text", "mode", "helps"),
    [
        ("#!/bin/sh\n", 0o644, "make it executable (chmod +x)"),
        ("true\n", 0o755, "let its first line name its interpreter"),
        ("#!/no/such/shell\n", 0o755, "install it"),
    ],
    ids=["mode", "no first line", "no interpreter"],
)
def test_program_that_is_there_and_does_not_start(
    text: str, mode: int, helps: str, run: Run, pytester: pytest.Pytester
) -> None:
    program = pytester.path / "theirs"
    program.write_text(text)
    program.chmod(mode)
    description = _DESCRIPTION.replace("[echo,", f"[{program},")
    Path(pytester.path / "refuser.yaml").write_text(description)

    result = run("--runner", "refuser.yaml")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{helps}, or fix the runner*"])


def test_runner_that_hangs_is_ended_at_its_deadline(
    run: Run, pytester: pytest.Pytester
) -> None:
    text = _DESCRIPTION.replace(
        '["false", "{cube}", "{platform}"]', '[sh, -c, "sleep 99", "{cube}"]'
    )
    Path(pytester.path / "refuser.yaml").write_text(text)

    result = run(
        *("--runner", "refuser.yaml", "--runner-timeout", "0.5"),
        *("-k", "failure_is_no_success or missing_input"),
    )

    result.stdout.fnmatch_lines(
        [
            "expected: it ends by itself",
            "*found:    it had not ended by its deadline, and was killed",
        ]
    )
