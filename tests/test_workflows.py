"""The action, the workflow and the template: what others run, run here unchanged."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from tests.cube_folders import make_cube
from tests.git_clones import begin, commit, git
from tests.test_matrix import HOSTILE
from tests.test_matrix_jobs import fake_cube
from tests.workflow_steps import (
    ACTION,
    CUBES,
    DOCS,
    GITLAB,
    RELEASE,
    ROOT,
    TEST,
    Machine,
    document,
    run_bash,
    step,
    steps_of,
)

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence

GITHUB = (ACTION, CUBES, DOCS, RELEASE, TEST)
#: What the package is built from.
SOURCES = (
    *("pyproject.toml", "README.md", "LICENSE", ".gitignore", "platforms"),
    *("mlcube_conformance", "conformance_tests", "runners"),
)
EMPTY = '{"include": []}'
PINNED = re.compile(r"uses: ([\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)\n")
#: Inputs of the workflow and of the action that a test does not set.
INPUTS = {
    f"inputs_{name.replace('-', '_')}": each.get("default", "")
    for found in (
        document(ACTION)["inputs"],
        document(CUBES)["on"]["workflow_call"]["inputs"],
    )
    for name, each in found.items()
}


def plan(machine: Machine, since: str, **inputs: str) -> dict[str, str]:
    """Run the step that says which jobs there are, and return its outputs."""
    given = {**INPUTS, **inputs}
    done = machine.run(
        step(CUBES, "Say which jobs there are"), expression=since, **given
    )
    assert done.returncode == 0, done.stderr
    return machine.outputs


def run_job(
    machine: Machine, entry: object, **inputs: str
) -> subprocess.CompletedProcess[str]:
    """Run the steps of the action for an entry of a matrix, up to the tests."""
    # As toJSON of GitHub writes it.
    jobs = {"inputs_jobs": json.dumps(entry, indent=2), "inputs_summary": "false"}
    given = {**INPUTS, **jobs, **inputs}
    done = machine.run(step(ACTION, "Say which cubes are tested"), **given)
    assert done.returncode == 0, done.stderr
    results = machine.outputs["results"]
    return machine.run(
        step(ACTION, "Test the cubes"), steps_jobs_outputs_results=results, **given
    )


def reported(machine: Machine, plan: str, test: str) -> int:
    """Run the steps of the last job, and return the exit code of its verdict."""
    done = machine.run(step(CUBES, "Join the reports"))
    assert done.returncode == 0, done.stderr
    words = {"needs_plan_result": plan, "needs_test_result": test}
    return machine.run(step(CUBES, "Every job must have passed"), **words).returncode


def run_workflow(
    clone: Path, temp: Path, since: str, **inputs: str
) -> tuple[list[subprocess.CompletedProcess[str]], int, Machine]:
    """Run all jobs of the workflow; return those of its matrix, and the verdict."""
    outputs = plan(Machine(clone, temp / "plan"), since, **inputs)
    last = Machine(clone, temp / "report")
    jobs = []
    for number, entry in enumerate(json.loads(outputs["matrix"])["include"]):
        machine = Machine(clone, temp / f"job-{number}")
        jobs.append(run_job(machine, entry, **inputs))
        results = last.temp / f"jobs/mlcube-job-{number}"
        results.parent.mkdir(parents=True, exist_ok=True)
        (machine.temp / "mlcube-results").rename(results)
    failed = any(each.returncode for each in jobs)
    test = "failure" if failed else "success"
    return (
        jobs,
        reported(last, "success", test if "any" in outputs else "skipped"),
        last,
    )


def cases_of(machine: Machine) -> set[tuple[str, str, str]]:
    """Return the cube, platform and task of each case in the joined record."""
    file = machine.temp / "mlcube-results/report.json"
    record: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return {
        (about["cube"], about["platform"], about["task"])
        for about in (each["subject"] for each in record["findings"])
        if about["kind"] == "case"
    }


def cases(*jobs: tuple[str, str]) -> set[tuple[str, str, str]]:
    return {(*each, task) for each in jobs for task in ("make", "use")}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a repository of three cubes, each for two platforms without an engine."""
    folder = tmp_path / "clone"
    for name in ("a/one", "b/one", "two words"):
        fake_cube(folder / "cubes" / name, "first", "second")
    begin(folder)
    return folder


@pytest.mark.parametrize("file", GITHUB, ids=lambda each: each.name)
def test_actions_of_others_are_pinned(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    used = [each["uses"] for each in steps_of(file) if "uses" in each]

    pinned = [f"{name}@{commit}" for name, commit, _ in PINNED.findall(text)]
    assert pinned == [each for each in used if not each.startswith("./")]


def test_one_action_has_one_version() -> None:
    text = "".join(each.read_text(encoding="utf-8") for each in GITHUB)
    found: dict[str, set[str]] = {each[0]: set() for each in PINNED.findall(text)}
    for name, *pin in PINNED.findall(text):
        found[name].add(" ".join(pin))

    assert {name: len(pins) for name, pins in found.items()} == dict.fromkeys(found, 1)


@pytest.mark.parametrize("file", GITHUB, ids=lambda each: each.name)
def test_no_expression_is_put_into_a_script(file: Path) -> None:
    scripts = [each["run"] for each in steps_of(file) if "run" in each]

    assert scripts
    assert [each for each in scripts if "${{" in each] == []


@pytest.mark.parametrize("file", [CUBES, TEST], ids=lambda each: each.name)
def test_jobs_may_read_and_nothing_else(file: Path) -> None:
    found = document(file)

    assert found["permissions"] == {}
    for job in found["jobs"].values():
        assert job.get("permissions", {}) in ({}, {"contents": "read"})
        for each in job.get("steps", ()):
            if each.get("uses", "").startswith("actions/checkout@"):
                assert each["with"]["persist-credentials"] == "false"


def test_the_last_job_of_our_workflow_waits_for_all_others() -> None:
    jobs = document(TEST)["jobs"]
    last = jobs.pop("required")

    assert {*last["needs"]} == {*jobs}
    assert last["steps"][0]["run"].count("success") == len(jobs)


def test_changed_cubes_are_tested_in_shards_and_joined(
    clone: Path, tmp_path: Path
) -> None:
    for name in ("a/one", "b/one"):
        (clone / "cubes" / name / "new.txt").write_text(name, encoding="utf-8")
    commit(clone)

    jobs, verdict, last = run_workflow(
        clone,
        tmp_path,
        "HEAD~1",
        inputs_platforms="first\nsecond\n",
        inputs_shards="2",
    )

    assert [each.returncode for each in jobs] == [0, 0], jobs[0].stdout
    assert verdict == 0
    assert cases_of(last) == cases(
        *(
            (f"{cube}-one", platform)
            for cube in ("a", "b")
            for platform in ("first", "second")
        )
    )
    results = last.temp / "mlcube-results"
    assert {each.suffix for each in results.iterdir()} == {
        *(".html", ".md", ".xml", ".svg", ".sarif", ".json")
    }
    assert ET.parse(results / "report.xml").getroot().get("failures") == "0"  # noqa: S314 - ours
    assert "| first | second |" in last.summary.read_text(encoding="utf-8")
    # GitHub shows the summaries of all jobs below each other.
    assert [*tmp_path.rglob("summary.md")] == [last.summary]


def test_a_job_of_your_own_has_a_summary(clone: Path, tmp_path: Path) -> None:
    machine = Machine(clone, tmp_path / "job")
    entry = {"cube": "cubes/a/one", "platform": "first"}

    done = run_job(machine, entry, inputs_summary="true")

    assert done.returncode == 0, done.stdout
    assert "| cube | task | first |" in machine.summary.read_text(encoding="utf-8")


def test_each_use_of_the_workflow_has_artifacts_of_its_own() -> None:
    # GitHub refuses a second artifact of one name, of all jobs of a run.
    steps = [each for each in steps_of(CUBES) if "uses" in each]
    names = [
        name
        for each in steps
        for key in ("artifact", "pattern", "name")
        if (name := each.get("with", {}).get(key))
    ]

    own = "${{ inputs.artifact }}"
    each_job = f"{own}-job-${{{{ strategy.job-index }}}}"
    assert names == [each_job, f"{own}-job-*", own]


def test_no_artifact_is_asked_for_where_no_cube_is_found() -> None:
    kept = step(ACTION, "Keep the reports")

    assert "steps.jobs.outputs.results != ''" in kept["if"]


def test_a_job_for_each_cube_and_platform(clone: Path, tmp_path: Path) -> None:
    fake_cube(clone / "cubes/two words", "first", behaviour="fail")

    jobs, verdict, last = run_workflow(
        clone, tmp_path, "", inputs_platforms="first", inputs_options="--task\nmake"
    )

    assert [each.returncode for each in jobs] == [0, 0, 1]
    assert verdict == 1
    assert {each[2] for each in cases_of(last)} == {"make"}
    assert {each[0] for each in cases_of(last)} == {*("a-one", "b-one", "two words")}


def test_without_a_change_no_job_runs(clone: Path, tmp_path: Path) -> None:
    outputs = plan(Machine(clone, tmp_path / "plan"), "HEAD")

    assert outputs == {"matrix": EMPTY}
    for each, code in (("success skipped", 0), ("failure skipped", 1)):
        machine = Machine(clone, tmp_path / each)
        assert reported(machine, *each.split()) == code
    assert document(CUBES)["jobs"]["test"]["if"] == "needs.plan.outputs.any == 'true'"


@pytest.mark.parametrize(
    ("plan_ended", "test_ended"),
    [("success", "failure"), ("success", "cancelled"), ("cancelled", "skipped")],
)
def test_a_job_that_did_not_pass_fails_the_workflow(
    clone: Path, tmp_path: Path, plan_ended: str, test_ended: str
) -> None:
    assert reported(Machine(clone, tmp_path / "last"), plan_ended, test_ended) == 1


def test_hostile_names_reach_no_script(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for name in HOSTILE:
        fake_cube(clone / name)
    begin(clone)

    jobs, verdict, last = run_workflow(
        clone, tmp_path, "", inputs_platforms="fake", inputs_shards="1"
    )

    assert [each.returncode for each in jobs] == [0], jobs[0].stdout
    assert verdict == 0
    assert len(cases_of(last)) == 2 * len(HOSTILE)
    assert [*tmp_path.rglob("injected")] == []
    assert "\n::set-output" not in jobs[0].stdout


def test_the_action_takes_cubes_and_platforms_by_line(
    clone: Path, tmp_path: Path
) -> None:
    machine = Machine(clone, tmp_path / "job")
    inputs = {
        **INPUTS,
        "inputs_cubes": "cubes/two words\ncubes/a/one\n",
        "inputs_platforms": "first\nsecond\n",
    }

    done = machine.run(step(ACTION, "Say which cubes are tested"), **inputs)

    assert done.returncode == 0, done.stderr
    assert {*machine.outputs} == {"results", "key"}
    text = (machine.temp / "mlcube-results/jobs.json").read_text(encoding="utf-8")
    assert [(x["cube"], x["platform"]) for x in json.loads(text)["include"]] == [
        (cube, platform)
        for cube in ("cubes/two words", "cubes/a/one")
        for platform in ("first", "second")
    ]


@pytest.mark.parametrize(
    ("platform", "found"),
    [
        ("docker", set()),
        ("singularity", {"singularity", "cached"}),
        ("local", {"cached"}),
    ],
)
def test_what_a_platform_needs_is_known_before(
    clone: Path, tmp_path: Path, platform: str, found: set[str]
) -> None:
    machine = Machine(clone, tmp_path / "job")
    entry = {"cube": '"platform": "singularity"', "platform": platform, "name": "x"}
    given = {**INPUTS, "inputs_jobs": json.dumps(entry, indent=2)}

    machine.run(step(ACTION, "Say which cubes are tested"), **given)

    assert {*machine.outputs} - {"results", "key"} == found


def test_the_checkout_of_the_action_is_installed(tmp_path: Path, clone: Path) -> None:
    # Where the workflow has it: in the .git of the repository of cubes.
    checkout = clone / ".git/mlcube-conformance"
    checkout.mkdir()
    for name in SOURCES:
        source, target = ROOT / name, checkout / name
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    python = tmp_path / "python"
    venv.create(python, with_pip=True)
    # Its dependencies are here; only what builds it has to be fetched.
    own = next(python.glob("lib/*/site-packages"))
    (own / "here.pth").write_text(str(Path(pytest.__file__).parents[1]), "utf-8")
    machine = Machine(
        clone, tmp_path / "job", path=f"{python / 'bin'}:{os.environ['PATH']}"
    )

    done = machine.run(
        step(ACTION, "Install mlcube-conformance"),
        inputs_version="",
        github_action_path=str(checkout),
    )
    if done.returncode and re.search("No matching distribution|connect", done.stderr):
        pytest.skip("needs a package index, to fetch what builds the package")

    assert done.returncode == 0, done.stderr
    assert (python / "bin/mlcube-conformance").exists()
    assert git(clone, "status", "--porcelain") == ""
    assert len(json.loads(plan(machine, "")["matrix"])["include"]) == 6


def test_a_release_is_installed_by_its_version(tmp_path: Path) -> None:
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "python").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', "utf-8")
    (bin_folder / "python").chmod(0o755)
    machine = Machine(
        tmp_path, tmp_path / "job", path=f"{bin_folder}:{os.environ['PATH']}"
    )

    done = machine.run(
        step(ACTION, "Install mlcube-conformance"),
        inputs_version="0.1.0; touch injected",
        github_action_path="/none",
    )

    last = done.stdout.splitlines()[-1]
    assert last == "mlcube-conformance==0.1.0; touch injected"
    assert not (tmp_path / "injected").exists()


def gitlab(clone: Path, job: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the script of a job of the template, with its variables."""
    found = document(GITLAB)
    script = clone.parent / "gitlab.sh"
    script.write_text("\n".join(found[job]["script"]), encoding="utf-8")
    own = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    more = {**found["variables"], "PATH": own, "GITLAB_CI": "true", **variables}
    return run_bash(script, place=clone, more=more)


def _passed(results: Sequence[Path]) -> int:
    return sum(len(json.loads(x.read_text("utf-8"))["runs"]) for x in results)


def test_the_template_of_gitlab_shares_changed_cubes(clone: Path) -> None:
    before = git(clone, "rev-parse", "HEAD")
    for name in ("a/one", "two words"):
        (clone / "cubes" / name / "new.txt").write_text(name, encoding="utf-8")
    commit(clone)

    for number in ("1", "2", "3"):
        done = gitlab(
            clone,
            "mlcube-test",
            MLCUBE_PLATFORMS="first",
            CI_NODE_TOTAL="3",
            CI_NODE_INDEX=number,
            CI_COMMIT_BEFORE_SHA="0" * 40,
            CI_MERGE_REQUEST_DIFF_BASE_SHA=before,
        )
        assert done.returncode == 0, done.stdout

    # Two cubes changed: the third job has nothing to do.
    names = document(GITLAB)["mlcube-test"]["artifacts"]["paths"]
    kept = sorted(clone.glob(*names))
    assert [each.name for each in kept] == ["results-1", "results-2"]
    assert _passed([each / "report.json" for each in kept]) == 4
    reports = document(GITLAB)["mlcube-test"]["artifacts"]["reports"]
    assert len([*clone.glob(reports["junit"])]) == 2
    # The last job has the artifacts of all of them.
    done = gitlab(clone, "mlcube-report")
    assert done.returncode == 0, done.stderr
    assert _passed([clone / "mlcube-results/report.json"]) == 4
    (needed,) = document(GITLAB)["mlcube-report"]["needs"]
    assert needed == {"job": "mlcube-test", "optional": "true"}


def test_the_template_of_gitlab_without_a_changed_cube(clone: Path) -> None:
    head = git(clone, "rev-parse", "HEAD")

    tested = gitlab(clone, "mlcube-test", CI_COMMIT_BEFORE_SHA=head)
    joined = gitlab(clone, "mlcube-report")

    assert (tested.returncode, joined.returncode) == (0, 0)
    assert "No job wrote a report." in joined.stdout


def test_the_template_of_gitlab_validates(clone: Path) -> None:
    sound = gitlab(clone, "mlcube-validate", MLCUBE_CUBES="cubes/a\ncubes/two words\n")
    make_cube(clone / "cubes/broken").write("run/use.yaml", "task_name: [")
    broken = gitlab(clone, "mlcube-validate")

    assert sound.returncode in {0, 1}
    assert "of 2 cubes" in sound.stdout or "in 2 cubes" in sound.stdout
    assert broken.returncode == 1


@pytest.mark.docker
def test_the_workflow_on_docker_and_local(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for name in ("one", "two", "three"):
        make_cube(clone / name)
    begin(clone)
    for name in ("one", "three"):
        (clone / name / "new.txt").write_text("new\n", encoding="utf-8")
    commit(clone)

    jobs, verdict, last = run_workflow(
        clone,
        tmp_path,
        "HEAD~1",
        inputs_platforms="docker\nlocal",
        inputs_shards="2",
    )

    assert [each.returncode for each in jobs] == [0, 0], jobs[0].stdout
    assert verdict == 0
    assert cases_of(last) == cases(
        *((cube, on) for cube in ("one", "three") for on in ("docker", "local"))
    )
