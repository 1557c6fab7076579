"""The plugin, by pytester, on a platform without containers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Protocol

import pytest

from tests.cube_folders import CubeFolder, make_cube
from tests.records import RECORD_ALONE, left_by_run

if TYPE_CHECKING:
    from pathlib import Path

USER_ERROR = pytest.ExitCode.USAGE_ERROR
FAILED = pytest.ExitCode.TESTS_FAILED


class Run(Protocol):
    """Runs pytest in a process of its own."""

    def __call__(self, *arguments: str | Path) -> pytest.RunResult:
        """Run with these arguments."""


@pytest.fixture(params=[(), ("-n", "0"), ("-n", "2")], ids=["plain", "n0", "n2"])
def run(request: pytest.FixtureRequest, pytester: pytest.Pytester) -> Run:
    """Return what runs pytest, without and with workers."""
    return lambda *arguments: pytester.runpytest(
        *request.param, "-p", "no:cacheprovider", "-rs", *arguments
    )


@pytest.fixture
def run_plain(pytester: pytest.Pytester) -> Run:
    """Return what runs pytest in this process, for what workers cannot change."""
    return lambda *arguments: pytester.runpytest(
        "-p", "no:cacheprovider", "-rs", *arguments
    )


@pytest.fixture
def cube(pytester: pytest.Pytester) -> CubeFolder:
    """Return a sound cube whose platform `fake` passes."""
    folder = make_cube(pytester.path / "tiny")
    folder.fake_platform("pass")
    return folder


def test_sound_cube_passes(
    run: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    result = run("--cube", cube.root, "--platform", "fake", "-v")

    result.assert_outcomes(passed=17)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["mlcube-conformance *: tiny-fake: make, use"])
    assert left_by_run(pytester.path) == RECORD_ALONE


def test_failed_producer_is_named_and_its_folder_kept(
    run: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    cube.fake_platform("fail")

    result = run("--cube", cube.root, "--platform", "fake")

    result.assert_outcomes(failed=1, passed=6, skipped=10)
    assert result.ret == FAILED
    result.stdout.fnmatch_lines(
        [
            "task 'make' failed",
            "*found: *exit code 3",
            "    | stderr: playing fail",
            "*again: *mlcube-conformance test tiny --platform fake --task make",
            "*by hand: *fake make --seed=/mlcube_io0/seed.txt --data=/mlcube_io1",
            "*kept *.mlcube-conformance*",
            "SKIPPED*not run: case tiny-fake-make failed",
        ]
    )
    (log,) = (pytester.path / ".mlcube-conformance").glob("*/tiny/fake/make.stderr.log")
    assert log.read_text() == "playing fail\n"


def test_machine_fault_is_one_error_and_the_rest_says_why(
    run_plain: Run, cube: CubeFolder
) -> None:
    cube.fake_platform("not-there")

    result = run_plain("--cube", cube.root, "--platform", "fake")

    result.assert_outcomes(errors=1, passed=2, skipped=14)
    assert result.ret == FAILED
    result.stdout.fnmatch_lines(["SKIPPED*not run: the fake platform is not available"])


def test_image_that_does_not_build_is_a_failure(
    run_plain: Run, cube: CubeFolder
) -> None:
    cube.fake_platform("nothing-builds")

    result = run_plain("--cube", cube.root, "--platform", "fake")

    result.assert_outcomes(failed=1, passed=2, skipped=14)
    result.stdout.fnmatch_lines(
        [
            "the image does not build",
            "SKIPPED*not run: the image of tiny-fake failed",
        ]
    )


def test_task_that_hangs_is_told_from_one_that_fails(
    run_plain: Run, cube: CubeFolder
) -> None:
    cube.fake_platform("hang")

    result = run_plain("--cube", cube.root, "--platform", "fake")

    result.stdout.fnmatch_lines(["task 'make' ran past its deadline and was killed"])


def test_definitions_fail_where_they_are_broken(
    run_plain: Run, cube: CubeFolder
) -> None:
    cube.edit("run/use.yaml", "task_name: use", "task_name: nothing")

    result = run_plain("--cube", cube.root, "--platform", "fake")

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            "*: tiny: not run, its definitions are invalid",
            "run file use.yaml names the unknown task 'nothing'",
            "*where: *tiny/run/use.yaml, line 3, key task_name",
        ]
    )


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("mlcube.yaml", "tasks: [", "tasks: [[["),
        ("mlcube.yaml", "tasks/use.yaml", "tasks/no.yaml"),
        ("tasks/use.yaml", "type: file", "type: archive"),
        ("run/use.yaml", "result: $WORKSPACE", "results: $WORKSPACE"),
        ("conformance.yaml", "", "tasks: [\n"),
        ("conformance.yaml", "", "tasks: {make: {deterministc: true}}\n"),
    ],
)
def test_invalid_definitions_are_the_only_failure(
    file: str, old: str, new: str, run_plain: Run, cube: CubeFolder
) -> None:
    cube.fake_platform("fail")
    cube.write("conformance.yaml", "") if file == "conformance.yaml" else None
    cube.edit(file, old, new)

    result = run_plain("--cube", cube.root, "--platform", "fake")

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.no_fnmatch_line("*mlcube: running*")
    result.stdout.no_fnmatch_line("*mlcube: configured*")


def test_invalid_cube_keeps_no_other_back(run_plain: Run, cube: CubeFolder) -> None:
    other = make_cube(cube.root.with_name("other"))
    other.fake_platform("pass")
    cube.edit("tasks/use.yaml", "type: file", "type: archive")

    result = run_plain("--cube", cube.root, "--cube", other.root, "--platform", "fake")

    result.assert_outcomes(failed=1, passed=18)


def test_platform_file_that_is_broken_fails(run_plain: Run, cube: CubeFolder) -> None:
    cube.edit("platform/fake.yaml", "container:", "contaner:")

    result = run_plain("--cube", cube.root, "--platform", "fake")

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*did you mean 'container'?"])


def test_several_cubes_and_platforms_make_a_matrix(
    run_plain: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    make_cube(pytester.path / "more/tiny")
    other = pytester.path / "other.yaml"
    other.write_text((cube.root / "platform/fake.yaml").read_text())

    result = run_plain(
        *("--cube", pytester.path / "*/tiny", "--cube", cube.root / "mlcube.yaml"),
        *("--platform", other, "--platform", cube.root / "platform/fake.yaml", "-v"),
    )

    assert result.ret == 0
    for name in ("more-tiny-other-use", "more-tiny-fake-make"):
        assert f"test_exits_zero[{name}]" in result.stdout.str()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--cube", "tin"), ["*there is no cube at tin", "*did you mean 'tiny'?"]),
        (("--cube", "no*where"), ["*there is no cube at no*where"]),
        (
            ("--cube", "tiny", "--platform", "nosuch"),
            [
                "*unknown platform 'nosuch' for cube 'tiny'",
                "*expected: one of *docker*",
                "*name one of these, or write a platform file: docs/platforms.md",
            ],
        ),
        (("--cube", "tiny", "--platform", "x.yaml"), ["*x.yaml does not exist"]),
        (
            ("--cube", "tiny", "--platform", "fake", "--task", "mak"),
            ["*unknown task 'mak': no case*", "*did you mean 'make'?"],
        ),
        (
            ("--cube", "tiny", "--platform", "fake", "--parameter", "make.sed=x"),
            ["*no task has the parameter 'make.sed'", "*did you mean 'make.seed'?"],
        ),
        (
            ("--cube", "tiny", "--platform", "fake", "--parameter", "x"),
            ["*the value of --parameter is invalid", "*TASK.PARAMETER=PATH"],
        ),
        (
            ("--cube", "tiny", "--platform", "fake", "--task-timeout", "0"),
            ["*the value of --task-timeout*", "*a number of seconds above 0"],
        ),
        (
            ("--cube", "tiny", "--platform", "fake", "--gpus", "1,2"),
            ["*the value of --gpus*", "*all, a number, or device=0,1"],
        ),
        (
            ("--cube", "tiny", "--platform", "fake", "--ca-bundle", "nowhere.pem"),
            ["*the value of --ca-bundle*", "*a PEM file*"],
        ),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_runs(
    arguments: tuple[str, ...], says: list[str], run_plain: Run, cube: CubeFolder
) -> None:
    assert cube.root.is_dir()

    result = run_plain(*arguments)

    assert result.ret == USER_ERROR
    result.stderr.fnmatch_lines(says)
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_platform_without_a_runner_is_said(run_plain: Run, cube: CubeFolder) -> None:
    cube.edit("platform/fake.yaml", "name: fake", "name: mainframe")

    result = run_plain("--cube", cube.root, "--platform", "fake")

    assert result.ret == USER_ERROR
    result.stderr.fnmatch_lines(["*no runner for platforms of the kind 'mainframe'"])


@pytest.mark.parametrize("words", [(), ("-q",), ("-qq",)], ids=" ".join)
def test_platform_that_nobody_named_is_told_at_the_end(
    words: tuple[str, ...], run: Run, cube: CubeFolder
) -> None:
    result = run("--cube", cube.root, "--collect-only", *words)

    told = "mlcube-conformance: no --platform given: local was taken, the first that*"
    result.stdout.fnmatch_lines([told])


def test_platform_that_is_named_is_not_told_at_the_end(
    run_plain: Run, cube: CubeFolder
) -> None:
    result = run_plain("--cube", cube.root, "--platform", "fake", "-q")

    result.stdout.no_fnmatch_line("*no --platform given*")


def test_collecting_runs_nothing(
    run_plain: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    cube.fake_platform("not-there")

    result = run_plain("--cube", cube.root, "--platform", "fake", "--collect-only")

    assert result.ret == 0
    assert not (pytester.path / ".mlcube-conformance").exists()


def test_run_that_shows_nothing_is_not_green(
    run_plain: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        test_own="import pytest\ndef test_it(task_run): pytest.skip('not today')"
    )

    result = run_plain("--cube", cube.root, "--platform", "fake", "test_own.py")

    result.assert_outcomes(skipped=2)
    assert result.ret == FAILED
    result.stdout.fnmatch_lines(["*every case was skipped*this run fails"])


def test_nothing_selected_is_not_green(run_plain: Run, cube: CubeFolder) -> None:
    result = run_plain("--cube", cube.root, "--platform", "fake", "-k", "no_such_test")

    assert result.ret == FAILED
    result.stdout.fnmatch_lines(["*no test was selected*this run fails"])


def _other_platform(cube: CubeFolder, behaviour: str) -> None:
    cube.fake_platform(behaviour)
    (cube.root / "platform/fake.yaml").rename(cube.root / "platform/other.yaml")
    cube.fake_platform("pass")


BOTH = ("--platform", "fake", "--platform", "other")
SAME = "test_outputs_are_the_same_on_every_platform"


def test_platforms_that_agree_pass_the_comparison(run: Run, cube: CubeFolder) -> None:
    _other_platform(cube, "pass")

    result = run("--cube", cube.root, *BOTH, "-v")

    # One comparison for each task; everything else on each platform.
    result.assert_outcomes(passed=35)
    result.stdout.fnmatch_lines([f"*{SAME}[[]tiny-make[]]*", f"*{SAME}[[]tiny-use[]]*"])


def test_platforms_that_differ_read_as_a_table(
    run: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    _other_platform(cube, "other-name")

    result = run("--cube", cube.root, *BOTH)

    result.assert_outcomes(failed=1, passed=34)
    result.stdout.fnmatch_lines(
        [
            "the outputs of task 'make' differ between platforms",
            "*found: *output  path   fake  other",
            "            data    made   file  -",
            "            data    other  -     file",
            "*clause: *SAME-1: outputs are the same on every platform",
            "*again: *test tiny --platform fake --platform other --task make",
            "*files: *tiny/fake/workspace",
            "*files: *tiny/other/workspace",
        ]
    )
    kept = pytester.path.glob(".mlcube-conformance/*/tiny/*/workspace/data/*")
    assert sorted(each.name for each in kept) == ["made", "other"]


def test_bytes_are_compared_where_they_are_promised(
    run_plain: Run, cube: CubeFolder
) -> None:
    _other_platform(cube, "other-bytes")
    promise = "conformance.yaml"

    without = run_plain("--cube", cube.root, *BOTH, "-k", SAME)
    cube.write(promise, "tasks: {use: {deterministic: true}, make: {}}\n")
    promised = run_plain("--cube", cube.root, *BOTH, "-k", SAME)
    cube.write(promise, "tasks: {make: {deterministic: [data]}}\n")
    listed = run_plain("--cube", cube.root, *BOTH, "-k", SAME)

    without.assert_outcomes(passed=2, deselected=33)
    promised.assert_outcomes(passed=1, failed=1, deselected=33)
    promised.stdout.fnmatch_lines(
        [
            "the outputs of task 'use' differ*",
            "*found: *output  path  fake *other",
            "*result  .     file ????????????  file ????????????",
            "*expected: *and the same bytes where conformance.yaml promises",
        ]
    )
    listed.stdout.fnmatch_lines(["the outputs of task 'make' differ*"])


def test_platform_that_fails_is_not_compared(run: Run, cube: CubeFolder) -> None:
    _other_platform(cube, "fail")

    result = run("--cube", cube.root, *BOTH)

    result.assert_outcomes(failed=1, passed=22, skipped=12)
    result.stdout.fnmatch_lines(
        ["SKIPPED*not compared: tiny-other-make did not succeed"]
    )


def test_platform_that_is_not_there_is_not_compared(
    run_plain: Run, cube: CubeFolder
) -> None:
    _other_platform(cube, "not-there")

    result = run_plain("--cube", cube.root, *BOTH)

    result.assert_outcomes(errors=1, passed=18, skipped=16)
    result.stdout.fnmatch_lines(
        ["SKIPPED*not compared: tiny-other-make did not succeed"]
    )


def test_comparison_alone_shows_something(run: Run, cube: CubeFolder) -> None:
    _other_platform(cube, "pass")

    result = run("--cube", cube.root, *BOTH, "-k", SAME)

    result.assert_outcomes(passed=2)
    assert result.ret == 0


def test_what_was_skipped_is_told_once_for_each_reason(
    run: Run, cube: CubeFolder
) -> None:
    cube.fake_platform("nothing-builds")

    result = run("--cube", cube.root, "--platform", "fake")

    result.stdout.fnmatch_lines(
        ["mlcube-conformance: 14 skipped: not run: the image of tiny-fake failed"]
    )


def test_tests_without_a_subject_are_not_counted(
    run_plain: Run, cube: CubeFolder
) -> None:
    result = run_plain("--cube", cube.root, "--platform", "fake")

    result.stdout.fnmatch_lines(["collected 17 items"])


def test_fixtures_drive_ones_own_tests(
    run: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        test_own="""
        import pytest

        def test_every_case(cube, platform, image, task_run, workspace):
            assert task_run.exit_code == 0
            assert workspace == task_run.workspace
            assert (cube.id, platform.id) == ("tiny", "fake")

        @pytest.mark.mlcube_task("make")
        def test_one_task(task_run):
            assert (task_run.workspace / "data/made").read_text() == "made\\n"

        def test_once_per_cube(cube):
            assert cube.version == "0.1.0"

        def test_without_cube():
            pass
        """
    )

    result = run("--cube", cube.root, "--platform", "fake", "test_own.py")

    result.assert_outcomes(passed=5)


def test_without_a_cube_its_fixtures_skip_with_a_reason(
    run_plain: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile("def test_it(task_run): pass")

    result = run_plain()

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*use --cube PATH"])


def test_keep_all_keeps_what_passed(
    run_plain: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    run_plain("--cube", cube.root, "--platform", "fake", "--keep", "all")

    folders = list(
        (pytester.path / ".mlcube-conformance").glob("*/tiny/fake/workspace")
    )
    assert [each.name for each in folders] == ["workspace"]


def test_keep_none_removes_what_failed(
    run_plain: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    cube.fake_platform("fail")

    run_plain("--cube", cube.root, "--platform", "fake", "--keep", "none")

    assert left_by_run(pytester.path) == RECORD_ALONE


def test_key_written_twice_is_told_in_the_header(
    run_plain: Run, cube: CubeFolder
) -> None:
    cube.edit("run/make.yaml", "input_binding:", "input_binding: {}\ninput_binding:")

    result = run_plain("--cube", cube.root, "--platform", "fake", "--collect-only")

    result.stdout.fnmatch_lines(["warning: the key 'input_binding' is written twice*"])


@pytest.mark.parametrize(
    ("words", "gets"),
    [
        ((), "network=host, memory=1g"),
        (("--network", "none"), "network=none, memory=1g"),
        (("--gpus", "2"), "network=host, memory=1g, gpus=2"),
        (("--gpus", "0"), "network=host, memory=1g"),
    ],
)
def test_what_tasks_get_is_told_in_the_header(
    words: tuple[str, ...], gets: str, run_plain: Run, cube: CubeFolder
) -> None:
    flags = "--network=host --memory=1g"
    cube.edit("platform/fake.yaml", "pass}", f"pass, run_args: {flags}}}")

    result = run_plain(
        "--cube", cube.root, "--platform", "fake", "--collect-only", *words
    )

    result.stdout.fnmatch_lines([f"*tiny-fake runs with {gets}"])


@pytest.mark.parametrize(
    ("section", "words", "gets"),
    [
        ("", (), "shm_size=1g"),
        ("", ("--gpus", "1"), "shm_size=8g, gpus=1"),
        ("--gpus: 1", (), "gpus=1, shm_size=8g"),
        ("--gpus: 1", ("--gpus", "0"), "shm_size=1g"),
        ("--gpus: 1", ("--gpus", "device=3"), "gpus=device=3, shm_size=8g"),
    ],
)
def test_header_tells_what_goes_with_gpus_where_tasks_get_them(
    section: str,
    words: tuple[str, ...],
    gets: str,
    run_plain: Run,
    pytester: pytest.Pytester,
) -> None:
    CubeFolder(pytester.path / "single").write(
        "mlcube.yaml",
        "docker: {image: a, gpu_args: --shm-size=8g, cpu_args: --shm-size=1g, "
        f"{section}}}\ntasks: {{work: }}\n",
    )

    result = run_plain(
        "--cube", "single", "--platform", "docker", "--collect-only", *words
    )

    line = next(x for x in result.outlines if "single-docker runs with" in x)
    found = line.partition(" with ")[2].split(", ")
    assert sorted(found) == sorted(gets.split(", "))


def test_link_left_by_a_task_cannot_lead_out_of_the_workspace(
    run_plain: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    outside = pytester.path / "outside"
    outside.mkdir()
    place = pytester.path / "place"
    place.mkdir()
    (place / "out").symlink_to(outside)

    result = run_plain("--cube", cube.root, "--platform", "fake", "--workspace", place)

    result.stdout.fnmatch_lines(["*'result' leaves the workspace through a link"])
    assert list(outside.iterdir()) == []


def test_input_that_is_a_link_out_of_the_cube_is_not_staged(
    run_plain: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    secret = pytester.path / "secret.txt"
    secret.write_text("secret")
    (cube.root / "workspace/seed.txt").unlink()
    (cube.root / "workspace/seed.txt").symlink_to(secret)

    result = run_plain("--cube", cube.root, "--platform", "fake")

    result.stdout.fnmatch_lines(["*'seed' is a link that leaves the cube"])
    assert result.ret == FAILED
    assert not list(pytester.path.glob(".mlcube-conformance/*/*/*/workspace/seed.txt"))


def test_value_of_the_user_may_lie_anywhere(
    run_plain: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    (pytester.path / "mine.txt").write_text("mine")
    (cube.root / "workspace/seed.txt").unlink()

    result = run_plain(
        *("--cube", cube.root, "--platform", "fake"),
        *("--parameter", "make.seed=mine.txt"),
    )

    result.assert_outcomes(passed=17)


@pytest.mark.parametrize(
    "option", ["--platform=fake", "--task=make", "--parameter=a=b", "--live"]
)
def test_option_that_would_do_nothing_is_refused(option: str, run_plain: Run) -> None:
    result = run_plain(option)

    assert result.ret == USER_ERROR
    result.stderr.fnmatch_lines(["*needs a cube: give --cube PATH"])


@pytest.mark.parametrize("task", ["run/use.yaml", "use"])
def test_task_is_a_name_or_the_path_of_a_run_file(
    task: str, run_plain: Run, cube: CubeFolder
) -> None:
    task = str(cube.root / task) if "/" in task else task

    result = run_plain("--cube", cube.root, "--platform", "fake", "--task", task)

    result.assert_outcomes(passed=10)


def test_mark_with_an_unknown_task_is_an_error(
    run_plain: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        test_own="""
        import pytest

        @pytest.mark.mlcube_task("mak")
        def test_it(task_run):
            pass
        """
    )

    result = run_plain("--cube", cube.root, "--platform", "fake", "test_own.py")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        ["*no cube has the task 'mak'", "*did you mean 'make'?"]
    )


def test_workspace_is_there_before_any_task_ran(
    run_plain: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        test_own="def test_it(workspace): (workspace / 'x').write_text('x')"
    )

    result = run_plain("--cube", cube.root, "--platform", "fake", "test_own.py")

    result.assert_outcomes(passed=1)


def test_missing_file_of_the_user_is_told_as_theirs(
    run_plain: Run, cube: CubeFolder
) -> None:
    result = run_plain(
        *("--cube", cube.root, "--platform", "fake"),
        *("--parameter", "make.seed=/nowhere"),
    )

    result.stdout.fnmatch_lines(
        ["*where: *--parameter make.seed=/nowhere", "*found: *nothing at /nowhere"]
    )


def test_fake_runner_cannot_be_chosen_by_a_platform_file(
    run_plain: Run, cube: CubeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLCUBE_CONFORMANCE_FAKE")

    result = run_plain("--cube", cube.root, "--platform", "fake")

    assert result.ret == USER_ERROR
    result.stderr.fnmatch_lines(["*no runner for platforms of the kind 'fake'"])


def test_cases_whose_ids_look_alike_are_told_apart(run: Run, cube: CubeFolder) -> None:
    text = (cube.root / "platform/fake.yaml").read_text()
    cube.write("platform/fake-x.yaml", text.replace("pass", "fail"))
    cube.write("run/x-make.yaml", (cube.root / "run/make.yaml").read_text())

    result = run(
        *("--cube", cube.root, "--platform", "fake", "--platform", "fake-x"),
        *("-k", "exits_zero", "--keep", "all"),
    )

    # Both invocations of `make` pass on one and fail on the other platform.
    result.assert_outcomes(passed=3, failed=2, skipped=1)


def test_platform_files_of_one_name_are_told_apart(
    run_plain: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    text = (cube.root / "platform/fake.yaml").read_text()
    for folder, behaviour in (("pa", "pass"), ("pb", "fail")):
        (pytester.path / folder).mkdir()
        file = pytester.path / folder / "there.yaml"
        file.write_text(text.replace("pass", behaviour))

    result = run_plain(
        *("--cube", cube.root, "--platform", "pa/there.yaml"),
        *("--platform", "pb/there.yaml", "-k", "exits_zero", "-v"),
    )

    result.assert_outcomes(passed=2, failed=1, skipped=1)
    assert "tiny-pa-there-make" in result.stdout.str()


def test_path_with_dots_means_what_it_says(
    run_plain: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    pytester.mkdir("sub")

    result = run_plain("--cube", f"sub/../{cube.root.name}", "--platform", "fake")

    result.assert_outcomes(passed=17)


@pytest.mark.parametrize("words", ["definitions", "platform_file"])
def test_definitions_alone_show_something(
    words: str, run: Run, cube: CubeFolder
) -> None:
    result = run("--cube", cube.root, "--platform", "fake", "-k", words)

    assert result.ret == 0
    assert result.parseoutcomes()["passed"] in {1, 2}


def test_own_test_of_a_cube_alone_shows_something(
    run: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        test_own="""
        def test_of_the_cube(cube): assert cube.version == "0.1.0"
        def test_of_a_case(task_run): assert task_run
        """
    )

    result = run(
        *("--cube", cube.root, "--platform", "fake", "test_own.py"), "-k", "of_the_cube"
    )

    assert (result.ret, result.parseoutcomes()["passed"]) == (0, 1)


@pytest.mark.parametrize("behaviour", ["pass", "fail"])
def test_definitions_do_not_stand_for_cases_that_were_skipped(
    behaviour: str, run: Run, cube: CubeFolder
) -> None:
    cube.fake_platform(behaviour)

    result = run(
        *("--cube", cube.root, "--platform", "fake"),
        *("-k", "definitions or outputs_appear"),
    )

    # What the task left is looked at only where it ended well.
    assert result.ret == (0 if behaviour == "pass" else FAILED)
    if behaviour == "fail":
        result.stdout.fnmatch_lines(["*every case was skipped*this run fails"])


def test_folder_that_cannot_be_made_is_one_error(
    run_plain: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    (pytester.path / ".mlcube-conformance").write_text("a file in the way")

    result = run_plain("--cube", cube.root, "--platform", "fake")

    result.assert_outcomes(errors=1, passed=2, skipped=14)
    result.stdout.fnmatch_lines(["cannot create a folder"])


def test_workspace_that_is_a_file_is_refused(
    run_plain: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    (pytester.path / "file").touch()

    result = run_plain("--cube", cube.root, "--platform", "fake", "--workspace", "file")

    assert result.ret == USER_ERROR
    result.stderr.fnmatch_lines(["*--workspace is not a folder"])


def test_workspace_serves_one_cube_on_one_platform(
    run_plain: Run, cube: CubeFolder
) -> None:
    result = run_plain(
        *("--cube", cube.root, "--platform", "fake", "--platform", "docker"),
        *("--workspace", "place"),
    )

    assert result.ret == USER_ERROR
    result.stderr.fnmatch_lines(["*--workspace needs one cube and one platform"])


@pytest.mark.parametrize("words", [("{}",), ("n*",), (".",)])
def test_name_that_is_not_utf8_goes_to_no_worker(
    words: tuple[str, ...], pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = os.fsdecode(b"n\xffx")
    cube = make_cube(pytester.path / folder)
    cube.fake_platform("pass")
    if words == (".",):
        monkeypatch.chdir(cube.root)

    result = pytester.runpytest_subprocess(
        *(f"--cube={word.format(folder)}" for word in words),
        *("-n", "2", "-p", "no:cacheprovider", "--platform", "fake"),
        timeout=60,
    )

    assert result.ret == USER_ERROR
    said = str(result.stdout) + str(result.stderr)
    assert "pytest workers accept UTF-8 names only" in said
    assert "INTERNALERROR" not in said


_TELLING: Final = """
import os, pytest

def test_fails(task_run):
    print("printed", os.environ["PASSWORD"])
    assert os.environ["PASSWORD"] == "another"

def test_skips(task_run):
    pytest.skip(os.environ["PASSWORD"])
"""


def test_secrets_are_hidden_in_tests_of_the_user(
    run: Run,
    cube: CubeFolder,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PASSWORD", "correct horse")
    tests = pytester.makepyfile(test_telling=_TELLING)

    result = run(
        *(tests, f"--cube={cube.root}", "--platform", "fake", "--env", "PASSWORD"),
        *("--junit-xml=report.xml", "--showlocals", "--task", "make"),
    )

    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines_random(["printed ***", "*'***' == 'another'*"])
    shown = str(result.stdout) + (pytester.path / "report.xml").read_text()
    assert "correct horse" not in shown
