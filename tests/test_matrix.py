"""The jobs of a CI, printed by `mlcube-conformance matrix` for real repositories."""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.command import call
from tests.cube_folders import make_cube
from tests.git_clones import begin, commit, git

if TYPE_CHECKING:
    from pathlib import Path

ZEROS = "0" * 40
#: Names that a shell, a workflow or a terminal could take for something else.
HOSTILE = (
    "two words",
    "$(touch injected)",
    "`touch injected`",
    "${{ github.token }}",
    "a'b\"c\\d",
    "a\n::set-output name=matrix::x",
    "##[error]x",
    "-option",
    "~",
    "*",
    "[ab]",
    "\x1b[31m\u202e;&|",
)

SINGLE_FILE = """\
name: parent
docker:
  image: example/parent:1
  build_context: ..
  build_file: mlcube/Dockerfile
  build_strategy: always
tasks:
  work:
    parameters:
      outputs: {data: {type: directory, default: data}}
"""


def matrix(*words: str | Path, place: Path, code: int = 0) -> list[dict[str, Any]]:
    """Return the entries that the command prints."""
    done = call("matrix", *words, place=place)
    assert done.returncode == code, done.stderr
    assert done.stdout.count("\n") == 1
    assert done.stdout.isascii()
    document = json.loads(done.stdout)
    assert list(document) == ["include"]
    return list(document["include"])


def cubes(*words: str | Path, place: Path) -> list[str]:
    """Return the cubes of the jobs, each once, in their order."""
    found = matrix(*words, "--platform", "local", place=place)
    return [each["cube"] for each in found]


def refused(*words: str | Path, place: Path) -> str:
    """Return the message with which the command refuses."""
    done = call("matrix", *words, place=place)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a repository of three cubes and a file beside them."""
    folder = tmp_path / "repository"
    for name in ("one", "two", "two words"):
        make_cube(folder / "cubes" / name)
    (folder / "README.md").write_text("cubes\n", encoding="utf-8")
    begin(folder)
    return folder


def test_each_cube_has_a_job_on_each_container_platform(place: Path) -> None:
    found = matrix("cubes", place=place)

    assert [(each["cube"], each["platform"]) for each in found] == [
        (f"cubes/{cube}", platform)
        for cube in ("one", "two", "two words")
        for platform in ("docker", "singularity")
    ]
    assert re.fullmatch(r"test-\w+ on docker", found[0]["name"])


def test_platforms_are_those_that_a_cube_is_made_for(tmp_path: Path) -> None:
    pulled = make_cube(tmp_path / "pulled")
    shutil.rmtree(pulled.root / "build")
    pulled.write("platform/docker.yaml", "platform: {name: docker}\n")
    pulled.write("platform/gpu.yaml", "platform: {name: docker}\n")
    make_cube(tmp_path / "built")

    found = matrix("--platform", "gpu", "--platform", "local", place=tmp_path)
    usual = matrix(place=tmp_path)

    jobs = [(each["cube"], each["platform"]) for each in found]
    assert jobs == [("built", "local"), ("pulled", "gpu")]
    jobs = [(each["cube"], each["platform"]) for each in usual]
    assert jobs == [
        ("built", "docker"),
        ("built", "singularity"),
        ("pulled", "docker"),
    ]


def test_a_misspelt_platform_is_refused(place: Path) -> None:
    text = refused("--platform", "dokcer", place=place)

    assert "unknown platform 'dokcer' for cube 'one'" in text
    assert "did you mean 'docker'?" in text


def test_a_broken_cube_has_a_job_that_will_fail(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/mlcube.yaml").write_text("tasks: [", encoding="utf-8")

    for words in ((), ("--platform", "local")):
        (found,) = matrix(*words, place=tmp_path)
        assert found["cube"] == "broken"


def test_cubes_of_one_name_are_called_by_their_paths(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        make_cube(tmp_path / folder).edit("mlcube.yaml", "name: test-", "name: x #")

    found = matrix("--platform", "docker", place=tmp_path)

    assert [each["name"] for each in found] == ["a on docker", "b on docker"]


def test_only_cubes_with_a_change_have_jobs(place: Path) -> None:
    before = git(place, "rev-parse", "HEAD")
    (place / "README.md").write_text("changed\n", encoding="utf-8")
    outside = commit(place)
    (place / "cubes/two words/build/task.sh").write_text("exit 1\n", encoding="utf-8")
    commit(place)

    assert cubes("--changed-since", before, place=place) == ["cubes/two words"]
    assert cubes("--changed-since", outside, place=place) == ["cubes/two words"]
    assert cubes("--changed-since", "HEAD", place=place) == []
    assert matrix("--changed-since", "HEAD", place=place) == []
    # From a folder of the clone, paths are relative to that.
    assert cubes("--changed-since", before, place=place / "cubes") == ["two words"]


def test_only_changes_of_this_side_count(place: Path) -> None:
    git(place, "switch", "--quiet", "--create", "feature")
    (place / "cubes/one/new.txt").write_text("new\n", encoding="utf-8")
    commit(place)
    git(place, "switch", "--quiet", "main")
    (place / "cubes/two/new.txt").write_text("new\n", encoding="utf-8")
    commit(place)
    git(place, "switch", "--quiet", "feature")

    assert cubes("--changed-since", "main", place=place) == ["cubes/one"]


def test_a_renamed_and_a_deleted_file_count_where_they_were(place: Path) -> None:
    (place / "cubes/one/workspace/seed.txt").rename(place / "cubes/two/seed.txt")
    commit(place)
    moved = cubes("--changed-since", "HEAD~1", place=place)
    (place / "cubes/two words/tasks/use.yaml").unlink()
    commit(place)

    assert moved == ["cubes/one", "cubes/two"]
    assert cubes("--changed-since", "HEAD~1", place=place) == ["cubes/two words"]


def test_a_deleted_cube_has_no_job_and_a_new_name_has_one(place: Path) -> None:
    shutil.rmtree(place / "cubes/two")
    (place / "cubes/one").rename(place / "cubes/first")
    commit(place)

    assert cubes("--changed-since", "HEAD~1", place=place) == ["cubes/first"]


def test_what_is_not_committed_counts_unless_git_ignores_it(place: Path) -> None:
    (place / "cubes/one/workspace/seed.txt").write_text("seed 2\n", encoding="utf-8")
    (place / "cubes/two/new.txt").write_text("new\n", encoding="utf-8")
    (place / ".gitignore").write_text("*.log\n", encoding="utf-8")
    (place / "cubes/two words/run.log").write_text("new\n", encoding="utf-8")

    found = cubes("--changed-since", "HEAD", place=place)

    assert found == ["cubes/one", "cubes/two"]


def test_a_branch_without_a_commit_is_compared_as_it_lies_there(place: Path) -> None:
    git(place, "checkout", "--quiet", "--orphan", "other")
    (place / "cubes/one/workspace/seed.txt").write_text("seed 2\n", encoding="utf-8")

    assert cubes("--changed-since", "main", place=place) == ["cubes/one"]


def test_a_change_in_a_build_context_above_the_cube_counts(place: Path) -> None:
    cube = place / "project/mlcube"
    cube.mkdir(parents=True)
    (cube / "mlcube.yaml").write_text(SINGLE_FILE, encoding="utf-8")
    (cube / "Dockerfile").write_text("FROM busybox:1\n", encoding="utf-8")
    commit(place)
    (place / "project/code.py").write_text("print()\n", encoding="utf-8")

    found = matrix("--changed-since", "HEAD", place=place)

    assert [(each["cube"], each["platform"]) for each in found] == [
        ("project/mlcube", "docker"),
        ("project/mlcube", "singularity"),
    ]


def test_a_change_of_a_link_and_behind_one_counts(place: Path) -> None:
    (place / "examples").symlink_to("cubes")
    commit(place)
    (place / "cubes/one/new.txt").write_text("new\n", encoding="utf-8")
    behind = cubes("examples", "--changed-since", "HEAD", place=place)
    commit(place)
    (place / "latest").symlink_to("cubes/two")
    commit(place)

    found = cubes("latest", "--changed-since", "HEAD~1", place=place)

    assert behind == ["examples/one"]
    assert found == ["latest"]


def test_a_new_commit_of_a_submodule_counts(place: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    make_cube(other / "three")
    begin(other)
    git(place, "submodule", "--quiet", "add", other, "others")
    commit(place)
    assert cubes("--changed-since", "HEAD", place=place) == []
    git(place / "others", "commit", "--quiet", "--allow-empty", "--message=x")
    commit(place)

    assert cubes("--changed-since", "HEAD~1", place=place) == ["others/three"]


def test_a_shared_file_concerns_all_cubes(place: Path) -> None:
    (place / ".github/workflows").mkdir(parents=True)
    (place / ".github/workflows/cubes.yml").write_text("on: push\n", encoding="utf-8")
    commit(place)

    asked = ("--changed-since", "HEAD~1", "--shared", ".github/workflows")
    found = cubes(*asked, "--shared", "none", place=place)

    assert len(found) == 3
    assert cubes("--changed-since", "HEAD~1", place=place) == []


@pytest.mark.parametrize("ref", ["", ZEROS, "a" * 40])
def test_all_cubes_have_jobs_where_nothing_says_what_changed(
    place: Path, ref: str
) -> None:
    done = call("matrix", "--changed-since", ref, place=place)

    assert done.returncode == 0
    assert len(json.loads(done.stdout)["include"]) == 6
    assert done.stderr.startswith("all cubes: ")


@pytest.mark.parametrize("ref", ["trunk", "--output=injected", "-x", "a..b", "a\nb"])
def test_an_unknown_commit_is_refused(place: Path, ref: str) -> None:
    text = refused("--changed-since", ref, place=place)

    assert text.startswith("git does not know this commit\n")
    assert not (place / "injected").exists()


def test_a_shallow_clone_says_how_to_get_the_commit(
    place: Path, tmp_path: Path
) -> None:
    before = git(place, "rev-parse", "HEAD")
    (place / "cubes/two/new.txt").write_text("new\n", encoding="utf-8")
    commit(place)
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{place}", shallow)

    text = refused("--changed-since", before, place=shallow)
    git(shallow, "fetch", "--quiet", "--depth=1", "origin", before)

    assert "a shallow clone" in text
    assert "fetch-depth: 0" in text
    # Where the histories do not meet, the two commits are compared.
    assert cubes("--changed-since", before, place=shallow) == ["cubes/two"]


def test_a_folder_without_git_is_refused(tmp_path: Path, place: Path) -> None:
    make_cube(tmp_path / "plain/one")

    alone = refused("--changed-since", "HEAD", place=tmp_path / "plain")
    beside = refused("../plain", "--changed-since", "HEAD", place=place)

    assert alone.startswith("the current folder is not in a git work tree\n")
    assert beside.startswith("the cube is not in the git work tree of the current")


def test_a_clone_of_another_user_is_told(place: Path) -> None:
    # As in a container of a CI, where the clone belongs to the user outside.
    foreign = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}

    done = call("matrix", "--changed-since", "HEAD", place=place, more=foreign)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("git does not trust this clone\n")
    trust = f"git config --global --add safe.directory {place}"
    assert f"do:       run {trust}\n" in done.stderr


def test_git_that_is_missing_is_told(place: Path, tmp_path: Path) -> None:
    done = call(
        "matrix", "--changed-since", "HEAD", place=place, more={"PATH": str(tmp_path)}
    )

    assert done.returncode == 2
    assert done.stderr.startswith("git is not installed\n")


def test_git_that_does_not_start_is_told(place: Path, tmp_path: Path) -> None:
    git = tmp_path / "bin/git"
    git.parent.mkdir()
    git.write_text("#!/nowhere/sh\n", encoding="utf-8")
    git.chmod(0o755)

    done = call(
        *("matrix", "--changed-since", "HEAD"),
        place=place,
        more={"PATH": f"{git.parent}:{os.environ['PATH']}"},
    )

    assert done.returncode == 2
    assert done.stderr.startswith("git cannot be started\n")
    assert f"where:    {git}\n" in done.stderr


def test_settings_of_a_clone_run_nothing(place: Path, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="utf-8")
    script.chmod(0o755)
    for name in ("core.fsmonitor", "diff.external", "core.pager"):
        git(place, "config", name, script)
    git(place, "config", "diff.relative", "true")
    (place / "cubes/two/new.txt").write_text("new\n", encoding="utf-8")
    commit(place)
    (tmp_path / "hooks").mkdir()
    shutil.copy(script, tmp_path / "hooks/post-index-change")
    git(place, "config", "core.hooksPath", tmp_path / "hooks")
    # The last two are in a file that the settings include.
    for number, name in enumerate(("a.clean", "b.process", "c=d.clean", "e.clean")):
        more = ("--file", tmp_path / "included") if number > 1 else ()
        git(place, "config", *more, f"filter.{name}", script)
        git(place, "config", *more, f"filter.{name[:-6].rstrip('.')}.required", "true")
    git(place, "config", "include.path", tmp_path / "included")
    attributes = "one/** filter=a\ntwo/** filter=b\nmlcube.yaml filter=e\n"
    (place / ".git/info/attributes").write_text(f"cubes/{attributes}", "utf-8")
    for each in (place / "cubes").rglob("*.yaml"):
        os.utime(each, (0, 0))  # so git has to read it again
    (tmp_path / "ran").unlink(missing_ok=True)

    found = cubes("--changed-since", "HEAD~1", place=place / "cubes/one/..")

    assert found == ["two"]
    assert not (tmp_path / "ran").exists()


def test_nothing_is_fetched(place: Path, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="utf-8")
    script.chmod(0o755)
    missing = commit(place)
    commit(place)
    (place / ".git/objects" / missing[:2] / missing[2:]).unlink()
    for name, value in {
        "core.repositoryFormatVersion": "1",
        "core.sshCommand": str(script),
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": "ssh://example.org/clone",
    }.items():
        git(place, "config", name, value)

    found = matrix("--changed-since", missing, place=place)

    assert len({each["cube"] for each in found}) == 3
    assert not (tmp_path / "ran").exists()


def test_a_clone_without_old_content_is_enough(place: Path, tmp_path: Path) -> None:
    (place / "cubes/two/mlcube.yaml").write_text("name: new\n", encoding="utf-8")
    commit(place)
    git(place, "config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    git(tmp_path, "clone", "-q", "--filter=blob:none", place.as_uri(), partial)
    (partial / "cubes/two/mlcube.yaml").write_text("name: next\n", encoding="utf-8")

    assert cubes("--changed-since", "HEAD~1", place=partial) == ["cubes/two"]


@pytest.mark.parametrize("count", [1, 2, 4, 5, 6, 50])
def test_shards_hold_all_jobs_once_and_are_of_one_size(place: Path, count: int) -> None:
    alone = matrix(place=place)
    shards = matrix("--shards", str(count), place=place)

    sizes = [len(each["jobs"]) for each in shards]
    assert len(shards) == min(count, len(alone))
    assert max(sizes) - min(sizes) <= 1
    assert [x for each in shards for x in each["jobs"]] == [
        {"cube": each["cube"], "platform": each["platform"]} for each in alone
    ]
    assert [each["shard"] for each in shards] == [*range(1, len(shards) + 1)]


def test_one_shard_is_printed_for_a_ci_that_numbers_its_jobs(place: Path) -> None:
    shards = matrix("--shards", "4", place=place)

    for number in range(1, 5):
        asked = ("--shards", "4", "--shard", str(number))
        assert matrix(*asked, place=place) == [shards[number - 1]]
    assert matrix("--shards", "9", "--shard", "8", place=place) == []
    assert "give --shards N" in refused("--shard", "1", place=place)
    assert "from 1 to 2" in refused("--shards", "2", "--shard", "3", place=place)


def test_hostile_names_stay_names(tmp_path: Path) -> None:
    for name in HOSTILE:
        cube = make_cube(tmp_path / name)
        quoted = json.dumps(f"{name}\n::set-output name=x::y")
        cube.edit("mlcube.yaml", "name: test-", f"name: {quoted} #")
    begin(tmp_path)
    for name in HOSTILE:
        (tmp_path / name / "new\n.txt").write_text("new\n", encoding="utf-8")

    done = call("matrix", "--changed-since", "HEAD", place=tmp_path)
    found = json.loads(done.stdout)["include"]

    assert {os.path.normpath(each["cube"]) for each in found} == {*HOSTILE}
    assert len(found) == 2 * len(HOSTILE)
    assert "##[" not in done.stdout
    assert all(each["name"].isprintable() for each in found)
    assert max(len(each["name"]) for each in found) <= 100
    assert not (tmp_path / "injected").exists()


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    make_cube(tmp_path / "a\udcff")

    text = refused(place=tmp_path)

    assert text.startswith("the path of a cube cannot be written as JSON\n")
    assert "a\\xff" in text
