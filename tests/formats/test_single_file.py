"""Cubes that are described in one file: what each key means, and what is refused."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.formats.cubes import (
    load_cube,
    load_cube_for,
    load_for_configure,
)
from mlcube_conformance.formats.given import Given
from mlcube_conformance.formats.platforms import find_platform, load_platform
from mlcube_conformance.plan.mounts import task_view
from mlcube_conformance.plan.order import Override, override_parameters
from mlcube_conformance.plan.selection import select

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.formats.loaded import LoadedCube
    from mlcube_conformance.model import Invocation, Platform

CACHE = "${HOME}/.cache/mlcube-conformance/images"
LEAST = """\
docker: {image: "example/tiny:1"}
tasks:
  work:
    parameters:
      inputs: {seed: seed.txt}
      outputs: {made: made/}
"""


def _load(tmp_path: Path, text: str, **variables: str) -> LoadedCube:
    root = tmp_path / "tiny"
    root.mkdir(exist_ok=True)
    (root / "mlcube.yaml").write_text(text, encoding="utf-8")
    (root / "workspace").mkdir(exist_ok=True)
    (root / "workspace" / "seed.txt").write_text("seed\n", encoding="utf-8")
    return load_cube(root, "tiny", Given(variables=variables))


def _task(tmp_path: Path, text: str) -> Invocation:
    """Return the only task of a cube without a problem."""
    found = _load(tmp_path, text)
    assert found.problems == ()
    (invocation,) = found.cube.invocations
    return invocation


def _platform(found: LoadedCube, name: str) -> Platform:
    platform, problems = load_platform(find_platform(name, found.cube), found.cube)
    assert platform is not None
    assert problems == ()
    return platform


def _said(found: LoadedCube) -> str:
    return "\n".join(map(str, (*found.problems, *found.limits)))


def _arguments(invocation: Invocation, tmp_path: Path) -> tuple[str, ...]:
    return task_view(invocation, tmp_path / "tiny" / "workspace").arguments


@pytest.mark.parametrize(
    ("inputs", "argument", "kind"),
    [
        ("{seed: seed.txt}", "--seed=/mlcube_io0/seed.txt", "unknown"),
        ("{seed: {default: seed.txt}}", "--seed=/mlcube_io0/seed.txt", "unknown"),
        ("{seed: {type: file, default: a/b}}", "--seed=/mlcube_io0/b", "file"),
        ("{seed: data/}", "--seed=/mlcube_io0", "directory"),
        ('{seed: ""}', "--seed=/mlcube_io0", "directory"),
        ('{seed: {default: ""}}', "--seed=/mlcube_io0", "directory"),
        ("{seed: 'data\\'}", "--seed=/mlcube_io0", "directory"),
        ("{seed: {type: directory, default: data}}", "--seed=/mlcube_io0", "directory"),
        ("{seed.txt: }", "--seed.txt=/mlcube_io0/seed.txt", "unknown"),
        ("{seed.txt: {type: file}}", "--seed.txt=/mlcube_io0/seed.txt", "file"),
        ('{seed: {type: file, default: "null"}}', "--seed=/mlcube_io0/null", "file"),
        (
            "{seed: {type: file, default: results/}}",
            "--seed=/mlcube_io0/results",
            "file",
        ),
        ("{seed: '${workspace}/seed.txt'}", "--seed=/mlcube_io0/seed.txt", "unknown"),
    ],
)
def test_a_parameter_in_each_of_its_forms(
    inputs: str, argument: str, kind: str, tmp_path: Path
) -> None:
    text = LEAST.replace("{seed: seed.txt}", inputs)

    invocation = _task(tmp_path, text)

    assert _arguments(invocation, tmp_path)[:2] == ("work", argument)
    assert invocation.bindings[0].parameter.kind == kind


def test_an_input_of_no_type_is_what_lies_there(tmp_path: Path) -> None:
    invocation = _task(tmp_path, LEAST.replace("seed.txt", "data"))
    data = tmp_path / "tiny" / "workspace" / "data"

    data.write_text("a file", encoding="utf-8")
    as_file = _arguments(invocation, tmp_path)
    data.unlink()
    data.mkdir()
    as_folder = _arguments(invocation, tmp_path)

    assert as_file[1] == "--seed=/mlcube_io0/data"
    assert as_folder[1] == "--seed=/mlcube_io0"


@pytest.mark.parametrize(
    "body", ["", "null", "{parameters: null}", "{parameters: {inputs: null}}", "{}"]
)
def test_a_task_may_have_no_parameters(body: str, tmp_path: Path) -> None:
    invocation = _task(tmp_path, f"tasks:\n  work: {body}\n")

    assert _arguments(invocation, tmp_path) == ("work",)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("/app/run", ("/app/run",)),
        ("python /app/run.py", ("python", "/app/run.py")),
        ("sh -c 'echo \"$0\"'", ("sh", "-c", 'echo "$0"')),
    ],
)
def test_an_entrypoint_takes_the_place_of_the_name(
    given: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    quoted = given.replace("'", "''")
    text = LEAST.replace("work:\n", f"work:\n    entrypoint: '{quoted}'\n")

    invocation = _task(tmp_path, text)

    assert invocation.task.entrypoint == words
    assert _arguments(invocation, tmp_path) == (
        "--seed=/mlcube_io0/seed.txt",
        "--made=/mlcube_io1",
    )


def test_no_entrypoint_is_that_of_the_image(tmp_path: Path) -> None:
    text = LEAST.replace("work:\n", "work:\n    entrypoint: null\n")

    invocation = _task(tmp_path, text)

    assert invocation.task.entrypoint == ()
    assert _arguments(invocation, tmp_path)[0] == "work"


def test_opts_say_who_may_write(tmp_path: Path) -> None:
    invocation = _task(
        tmp_path,
        "tasks: {work: {parameters: {inputs: {a: {type: directory, opts: ro}, "
        "b: {type: directory, opts: rw}, c: {type: file, default: same/c, opts: ro}}, "
        "outputs: {d: {type: file, default: same/d}}}}}",
    )

    view = task_view(invocation, tmp_path)

    assert [each.writable for each in view.mounts] == [False, True, True]
    assert len(view.warnings) == 1
    assert "'c'" in view.warnings[0]


def test_references_are_filled_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("SECRET", "s3cret")
    found = _load(
        tmp_path,
        """\
name: tiny
docker:
  image: example/${name}:${version}
  env_args: {A: "${oc.env:GIVEN}", B: "${oc.env:http_proxy}"}
  build_args: "--build-arg C=${oc.env:OTHER,none} --build-arg 'D=a b'"
version: 1.2
tasks: {work: {parameters: {outputs: {made: "${names.folder}/"}}}}
names: {folder: out}
unread: ${no.such.key}
""",
        GIVEN="yes",
    )

    assert _said(found) == ""
    platform = _platform(found, "docker")
    assert platform.image == "example/tiny:1.2"
    assert platform.environment == {"A": "yes", "B": "http://proxy:3128"}
    assert found.cube.docker.args == {"C": "none", "D": "a b"}
    assert found.cube.invocations[0].bindings[0].value == "out/"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("image:", "imge:", ("unknown key 'imge'", "key docker.imge", "'image'?")),
        ("seed.txt", "5", ("value of 'seed' is not a path", "a number (5)", "line 5")),
        ("seed.txt", "[a]", ("value of 'seed' is not a path", "a list")),
        ("made/", "made", ("type of the output 'made' is unknown", "line 6")),
        ("seed: seed.txt", "seed: {typ: file}", ("unknown key 'typ'", "'type'?")),
        ("seed: seed.txt", "seed: {type: fil}", ("unknown type", "found:    fil")),
        ("seed: seed.txt", "seed: {opts: wr}", ("opts of 'seed'", "ro or rw")),
        ("made: made/", "made: {default: m/, opts: ro}", ("is read-only",)),
        ("parameters:", "parameter:", ("unknown key 'parameter'", "'parameters'?")),
        ("work:", "'-rf /':", ("name of a task is invalid", "-rf /")),
        ('image: "', 'build_strategy: now, image: "', ("build_strategy", "now")),
        ('image: "', 'docker: podman, image: "', ("another executable", "podman")),
        ('image: "', 'cpu_args: --privileged, image: "', ("--privileged",)),
        (
            'image: "',
            '--network: mars rover, image: "',
            ("invalid value of --network",),
        ),
        ('image: "', '--gpus: "1,2", image: "', ("invalid value of --gpus", "1,2")),
        ("tiny:1", "${nme}", ("${nme} refers to no value",)),
        (
            "tiny:1",
            "${oc.env:SECRET}",
            ("the variable 'SECRET' is not passed", "--env SECRET"),
        ),
        ("tasks:", "tasks: 5\nx:", ("no mapping 'tasks'", "a number (5)")),
        ("tiny:1", "${docker.image}", ("refers to itself",)),
        ("tiny:1", "a${", ("an invalid reference",)),
        ("seed: ", "a=b: ", ("the name of", "is invalid", "'a=b'")),
        ("seed: ", "'': ", ("is invalid",)),
        ("work:\n", 'work:\n    entrypoint: "sh \\0"\n', ("entrypoint of 'work'",)),
        (
            'image: "',
            'env_args: [A=b], image: "',
            ("the key 'docker.env_args' must be text",),
        ),
        (
            'image: "',
            'env_args: {"A=B": c}, image: "',
            ("name of a variable is invalid",),
        ),
        ('image: "', 'env_args: {A: [b]}, image: "', ("neither text nor a number",)),
        ('image: "', '--memory: [1], image: "', ("'docker.--memory'", "a list")),
    ],
)
def test_what_is_wrong_is_said(
    old: str, new: str, says: tuple[str, ...], tmp_path: Path
) -> None:
    assert old in LEAST

    said = _said(_load(tmp_path, LEAST.replace(old, new, 1)))

    for part in ("mlcube.yaml", *says):
        assert part in said


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        ("docker:", "dokcer:", "docker"),
        ("docker:", "Docker:", "docker"),
        ("tasks:", "taks:", "tasks"),
        ("tasks:", "task:", "tasks"),
        ("tasks:", "singularty: {}\ntasks:", "singularity"),
    ],
)
def test_a_misspelt_section_is_refused(
    old: str, new: str, meant: str, tmp_path: Path
) -> None:
    found = _load(tmp_path, LEAST.replace(old, new, 1))
    configured = load_for_configure(found.cube.root)

    (problem,) = found.problems
    key = new.partition(":")[0]
    assert f"unknown section '{key}'" in problem.what
    assert problem.where.endswith(f", key {key}")
    assert problem.do == f"did you mean '{meant}'?"
    assert configured.problems == found.problems


def test_other_keys_are_warned_of_or_left_alone(tmp_path: Path) -> None:
    more = "autor: A\nk8s: {pvc: a}\ndocker_gpu: {image: b}\ntags: [a]\n"

    found = _load(tmp_path, LEAST + more)

    assert found.problems == ()
    assert "'autor'" in str(found.warnings[0])
    assert not any("k8s" in str(each) for each in found.warnings)


@pytest.mark.parametrize(
    ("section", "platform", "options", "more"),
    [
        ("", "", {}, {}),
        ("--gpus: all", "", {"gpus": "all"}, {"shm_size": "1g"}),
        ("--gpus: 2", "", {"gpus": "2"}, {"shm_size": "1g"}),
        ("--gpus: 0", "platform: {accelerator_count: 2}", {}, {}),
        ("", "platform: {accelerator_count: 2}", {"gpus": "2"}, {"shm_size": "1g"}),
        ("", "platform: {accelerator_count: }", {}, {}),
    ],
)
def test_gpus_are_those_of_the_section_or_else_of_the_platform(
    section: str,
    platform: str,
    options: dict[str, str],
    more: dict[str, str],
    tmp_path: Path,
) -> None:
    text = LEAST.replace(
        '"example/tiny:1"',
        '"example/tiny:1", gpu_args: --shm-size=1g'
        + (f", {section}" if section else ""),
    )

    found = _load(tmp_path, f"{text}{platform}\n")

    asked = _platform(found, "docker")
    assert _said(found) == ""
    assert asked.options == options
    assert (asked.with_gpus if asked.options.get("gpus") else {}) == more


@pytest.mark.parametrize(
    ("section", "image", "base"),
    [
        ("{image: t.sif, image_dir: .image}", ".image/t.sif", ""),
        ("{image: t.sif, image_dir: /opt}", "/opt/t.sif", ""),
        ("{image: /opt/t.sif}", "/opt/t.sif", ""),
        ("{}", f"{CACHE}/exampletiny1-", ""),
        ("{image: t.sif}", f"{CACHE}/t-", ""),
        (
            "{build_file: 'docker://python:3.12'}",
            f"{CACHE}/dockerpython312-",
            "docker://python:3.12",
        ),
    ],
)
def test_the_image_of_singularity(
    section: str, image: str, base: str, tmp_path: Path
) -> None:
    found = _load(tmp_path, f"{LEAST}singularity: {section}\n")

    platform = _platform(found, "singularity")

    assert re.sub("[0-9a-f]{8}.sif$", "", platform.image) == image
    assert platform.base == base


def test_a_cube_without_a_section_has_the_platforms_of_any_cube(
    tmp_path: Path,
) -> None:
    found = _load(tmp_path, LEAST)

    assert _platform(found, "docker").section == "docker"
    assert _platform(found, "singularity").section == ""
    assert _platform(found, "local").kind == "local"


def test_the_build_context_may_lie_outside_of_the_cube(tmp_path: Path) -> None:
    text = LEAST.replace(
        '"example/tiny:1"', '"example/tiny:1", build_context: ../code, build_file: D'
    )

    (tmp_path / "code").mkdir()

    cube = _load(tmp_path, text).cube

    assert cube.docker.context == tmp_path / "code"
    assert cube.docker.file == tmp_path / "code" / "D"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("build_context: ~/.ssh", "neither in the cube"),
        ("build_context: /etc", "neither in the cube"),
        ("build_context: ..", "neither in the cube"),
        ("build_context: ../.ssh", "neither in the cube"),
        ("build_context: ../../x", "neither in the cube"),
        ("build_context: seed", "not a folder"),
        ("build_context: nothing", "not a folder"),
        ("build_file: /etc/passwd", "outside the cube"),
        ("build_context: ../code, build_file: ../D", "outside the cube"),
    ],
)
def test_files_elsewhere_count_only_where_an_image_is_built(
    written: str, says: str, tmp_path: Path
) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny/seed").touch()
    (tmp_path / "code").mkdir()

    found = _load(tmp_path, LEAST.replace('tiny:1"', f'tiny:1", {written}'))

    assert found.problems == ()
    assert says in str(found.cube.docker.trouble)
    assert found.cube.docker.context == tmp_path / "tiny"


def test_the_build_context_of_the_command_line_counts_first(tmp_path: Path) -> None:
    text = LEAST.replace('tiny:1"', 'tiny:1", build_context: /etc, build_file: x/D')
    root = _load(tmp_path, text).cube.root

    cube = load_cube(root, "tiny", Given(build_context=tmp_path)).cube

    assert cube.docker.trouble is None
    assert cube.docker.context == tmp_path
    assert cube.docker.file == tmp_path / "x/D"


@pytest.mark.parametrize(
    ("context", "tree", "home", "allowed"),
    [
        ("..", "project", "elsewhere", True),
        ("../..", "project", "elsewhere", True),
        ("../../code", "project", "elsewhere", True),
        ("../../..", "project", "elsewhere", False),
        ("../../.ssh", "project", "elsewhere", False),
        ("..", "project/cubes/tiny", "elsewhere", False),
        ("..", "nothing", "elsewhere", False),
        ("../..", "project", "project", False),
        ("../..", "project", "project/cubes", False),
        ("..", "project", "project", True),
    ],
)
def test_the_build_context_may_be_in_the_git_work_tree_of_the_cube(
    context: str,
    tree: str,
    home: str,
    allowed: bool,  # noqa: FBT001 - from the table
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / home))
    (tmp_path / "project/cubes").mkdir(parents=True)
    (tmp_path / tree / ".git").mkdir(parents=True)
    (tmp_path / "project/code").mkdir()
    text = LEAST.replace('tiny:1"', f'tiny:1", build_context: {context}')

    found = _load(tmp_path / "project/cubes", text)

    assert found.problems == ()
    assert ("neither in the cube" in str(found.cube.docker.trouble)) is not allowed
    if allowed:
        assert (
            found.cube.docker.context
            == (tmp_path / "project/cubes/tiny" / context).resolve()
        )


def test_one_task_is_found_by_its_name(tmp_path: Path) -> None:
    _load(tmp_path, LEAST + "  other:\n")

    found = load_cube_for(tmp_path / "tiny", "other")

    assert [each.name for each in found.cube.invocations] == ["other"]


def test_other_tasks_may_be_broken(tmp_path: Path) -> None:
    _load(tmp_path, LEAST + "  bad: {entrypoint: 5}\n")
    root = tmp_path / "tiny"

    named = load_cube_for(root, "work")
    built = load_for_configure(root)
    whole = load_cube(root, "tiny")

    assert (named.problems, built.problems) == ((), ())
    assert "'bad'" in _said(whole)


def test_references_cannot_swell_without_end(tmp_path: Path) -> None:
    one = ["".join((f'a{n}: "', f"${{a{n + 1}}}", '"\n')) for n in range(9)]
    eight = ["".join((f'a{n}: "', f"${{a{n + 1}}}" * 8, '"\n')) for n in range(9)]
    levels, many = "".join(one), "".join(eight)

    fine = _load(tmp_path, levels + "a9: x\nname: ${a0}\ntasks: {work: }\n")
    swollen = _load(tmp_path, many + "a9: x\nname: ${a0}\ntasks: {work: }\n")

    assert fine.cube.name == "x"
    assert "too long" in _said(swollen)


def test_a_reference_may_hold_another(tmp_path: Path) -> None:
    found = _load(
        tmp_path,
        "name: tiny\ntasks: {work: {parameters: {outputs: "
        "{made: \"${oc.env:NOT_SET, '${name}'}/\"}}}}\n",
    )

    assert found.cube.invocations[0].bindings[0].value == "tiny/"


def test_merged_mappings_are_read(tmp_path: Path) -> None:
    found = _load(
        tmp_path,
        "shared: &shared {type: file, default: a.txt}\ntasks: {work: {parameters: "
        "{inputs: {seed: {<<: *shared, default: b.txt}}}}}\n",
    )

    assert (found.problems, found.warnings) == ((), ())
    (binding,) = found.cube.invocations[0].bindings
    assert (binding.value, binding.parameter.kind) == ("b.txt", "file")


def test_what_the_user_gave_is_read_only_whatever_the_cube_asks(
    tmp_path: Path,
) -> None:
    text = LEAST.replace("seed: seed.txt", "seed: {type: file, opts: rw}")
    cube = _load(tmp_path, text).cube
    given = override_parameters(
        cube, [Override(name="work.seed", value=str(tmp_path / "mine" / "data.txt"))]
    )

    own = task_view(cube.invocations[0], cube.workspace).mounts
    users = task_view(given.invocations[0], cube.workspace).mounts

    assert (own[0].writable, users[0].writable) == (True, False)


def test_inputs_that_are_not_among_the_parameters_are_told_where_to_go(
    tmp_path: Path,
) -> None:
    said = _said(_load(tmp_path, "tasks: {work: {inputs: {a: b}}}\n"))

    assert "tasks.work.parameters.inputs" in said
    assert "put it below a key 'parameters'" in said


@pytest.mark.parametrize(("key", "count"), [("image", 1), ("imge", 0)])
def test_nothing_runs_by_a_section_that_is_broken(
    key: str, count: int, tmp_path: Path
) -> None:
    cube = _load(tmp_path, LEAST.replace("image:", f"{key}:")).cube

    found = select([str(cube.root)], ["docker"], [], [])

    assert len(found.placements) == count


def test_variable_of_tasks_is_kept_out_of_build_arguments(tmp_path: Path) -> None:
    text = (
        "docker:\n  image: tiny:1\n  build_args:\n"
        '    A: "${oc.env:TOKEN}"\n    B: "x${indirect}"\n    C: "${oc.env:OTHER,c}"\n'
        'indirect: "${oc.env:TOKEN}"\n'
        "tasks: {t: {parameters: {outputs: {o: {type: file}}}}}\n"
    )
    (tmp_path / "mlcube.yaml").write_text(text)

    loaded = load_cube(tmp_path, "tiny", Given(variables={"TOKEN": "secret"}))

    assert loaded.problems == ()
    assert loaded.cube.docker.args == {"B": "x", "C": "c"}
    assert "--build-arg TOKEN" in " ".join(map(str, loaded.warnings))


#: What YAML 1.1 takes for numbers, dates and truth values.
_WRITTEN = (
    *("3.10", "0644", "0o17", "12:30:00", "1_000", "0x1F", "1e3", "-0", "+1", ".5"),
    *("no", "Yes", "on", "TRUE", "2024-01-05", "2024-01-05 10:00:00", "1.0", "007"),
    *(".inf", ".NaN", "190:20:30.15", "0b11"),
)
_VALUES = """\
version: {value}
docker:
  image: "example/tiny:${{version}}"
  build_args: {{ONE: {value}, TWO: "${{docker.build_args.ONE}}"}}
  env_args: {{ONE: {value}, TWO: "a ${{version}} b", THREE: "${{version}}"}}
tasks:
  work:
    parameters:
      outputs: {{made: made/}}
"""


@pytest.mark.parametrize("value", _WRITTEN)
def test_values_stay_as_they_are_written(tmp_path: Path, value: str) -> None:
    found = _load(tmp_path, _VALUES.format(value=value))

    assert _said(found) == ""
    platform = _platform(found, "docker")
    assert found.cube.version == value
    assert platform.image == f"example/tiny:{value}"
    assert found.cube.docker.args == {"ONE": value, "TWO": value}
    assert platform.environment == {
        "ONE": value,
        "TWO": f"a {value} b",
        "THREE": value,
    }


@pytest.mark.parametrize(
    ("flags", "gpus"),
    [
        ("--runtime=nvidia", "all"),
        ("--runtime nvidia", "all"),
        ("--gpus 2 --runtime=nvidia", "2"),
        ("--runtime=nvidia --gpus=2", "2"),
        ("--gpus '\"device=0,1\"'", "device=0,1"),
        ('--gpus "device=0,1"', "device=0,1"),
    ],
)
def test_flags_that_ask_for_gpus(tmp_path: Path, flags: str, gpus: str) -> None:
    text = LEAST.replace('tiny:1"}', f'tiny:1", gpu_args: {json.dumps(flags)}}}')

    assert _platform(_load(tmp_path, text), "docker").with_gpus == {"gpus": gpus}


def test_other_runtimes_are_refused(tmp_path: Path) -> None:
    text = LEAST.replace('tiny:1"}', 'tiny:1", gpu_args: --runtime=other}')

    assert "unsupported flag in gpu_args" in _said(_load(tmp_path, text))
