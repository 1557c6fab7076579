"""Promises of `conformance.yaml` on real platforms, kept and broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import RunSuite
    from tests.cube_folders import CubeFolder

PLATFORMS = (
    pytest.param("docker", marks=pytest.mark.docker),
    pytest.param("singularity", marks=pytest.mark.singularity),
    "local",
)
MAKE = """\
[ "$(tail -n 1 "$seed")" = end ] || { echo "the seed is cut off" >&2; exit 4; }
cat "$seed" > "$data/part"
echo '{"accuracy": 0.75, "when": "'"$(date)"'"}' > "$data/metrics.json"
"""
#: What has another accuracy in a container, and another time each time.
DIFFERENT = """\
[ -d /mlcube_io0 ] && a=0.75 || a=0.8
date +%N > "$data/log"
printf '{"accuracy": %s, "when": "%s"}' $a "$(date +%N)" > "$data/metrics.json"
"""
USE = 'cat "$data/part" > "$result"; exit 7'
SEED = "one\ntwo\nthree\nend\n"
KEPT = """\
tasks:
  make:
    network: false
    timeout: 100
    memory: 200mb
    outputs:
      data:
        contains: [part, "*.json"]
        absent: ["*.tmp"]
        size: {at_least: 20, at_most: 1kb}
        sha256: {part: c69085e82dbeb1e40cf8e853472a0122b20a1939cf4d4deaa6d6cbf2ff5268a3}
        matches: {part: ^two$}
        json: [{file: metrics.json, path: accuracy, at_least: 0.7}]
        snapshot: {file: expected/data, ignore: [when]}
        deterministic: {except: [metrics.json]}
    negative:
      - {input: seed, break: missing}
      - {input: seed, break: empty}
      - {input: seed, break: truncated}
      - {input: seed, break: wrong kind}
      - {input: seed, file: broken/seed.txt}
  use:
    exit_code: 7
"""
SAME = "test_outputs_are_the_same_on_every_platform"
EXPECTED = '{"accuracy": 0.75, "when": "once"}\n'


@pytest.fixture
def cube(cube_folder: CubeFolder) -> CubeFolder:
    cube_folder.tasks(make=MAKE, use=USE)
    cube_folder.write("workspace/seed.txt", SEED)
    cube_folder.write("broken/seed.txt", "another\n")
    cube_folder.write("expected/data/part", SEED)
    cube_folder.write("expected/data/metrics.json", EXPECTED)
    cube_folder.write("conformance.yaml", KEPT)
    return cube_folder


@pytest.mark.parametrize("platform", PLATFORMS)
def test_promises_are_kept(
    platform: str, cube: CubeFolder, run_suite: RunSuite
) -> None:
    run = run_suite("--cube", cube.root, "--platform", platform)

    assert run.exit_code == 0, run.output
    kept = [each for each in run.verdict("passed") if f"[tiny-{platform}-make]" in each]
    # Local cannot turn the network off, so nothing is said of it there.
    assert len(kept) == 7 + 8 + (platform != "local")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_promises_are_broken(
    platform: str, cube: CubeFolder, run_suite: RunSuite
) -> None:
    cube.tasks(
        make=f"({MAKE}) || true; touch $data/x.tmp; echo x >> $data/part", use=USE
    )

    run = run_suite("--cube", cube.root, "--platform", platform)

    broken = {each.partition("[")[0] for each in run.verdict("failed")}
    assert broken == {
        "test_broken_inputs_are_refused",
        "test_files_have_promised_sha256",
        "test_outputs_are_as_stored",
        "test_outputs_have_no_unwanted_files",
    }, run.output
    told = run.verdict("failed")[
        f"test_broken_inputs_are_refused[tiny-{platform}-make]"
    ]
    for how in ("missing", "empty", "truncated", "wrong kind", "replaced by"):
        assert f"with the input {how}" in told
    assert "Traceback" not in run.output


@pytest.mark.docker
def test_task_without_network_is_told_why(
    cube: CubeFolder, run_suite: RunSuite
) -> None:
    cube.tasks(make="wget -T 3 http://192.0.2.1/ || exit 9", use=USE)

    run = run_suite("--cube", cube.root, "--platform", "docker")

    told = run.verdict("failed")["test_exits_zero[tiny-docker-make]"]
    assert "without the network, as conformance.yaml, line 3 promises" in told
    assert "the network is off" in told or "network" in told


@pytest.mark.docker
def test_task_that_takes_too_long_or_too_much_breaks_a_promise(
    cube: CubeFolder, run_suite: RunSuite
) -> None:
    cube.write("conformance.yaml", "tasks: {make: {timeout: 2}, use: {memory: 16mb}}\n")
    cube.tasks(
        make="sleep 60",
        use='x=$(head -c 64m /dev/zero | tr "\\0" x); exit 0',
    )

    slow = run_suite("--cube", cube.root, "--platform", "docker", "--task", "make")
    cube.tasks(use='x=$(head -c 64m /dev/zero | tr "\\0" x); exit 0')
    hungry = run_suite("--cube", cube.root, "--platform", "docker", "--task", "use")

    told = slow.verdict("failed")["test_exits_zero[tiny-docker-make]"]
    assert "an end within 2 s, as conformance.yaml, line 1 promises" in told
    told = hungry.verdict("failed")["test_exits_zero[tiny-docker-use]"]
    assert "out of memory" in told


@pytest.mark.docker
@pytest.mark.parametrize(
    ("promise", "is_met"),
    [("{tolerance: 0.1, ignore: [when]}", True), ("{ignore: [when]}", False)],
)
def test_values_are_compared_between_platforms(
    promise: str, *, is_met: bool, cube: CubeFolder, run_suite: RunSuite
) -> None:
    promised = f"tasks: {{make: {{outputs: {{data: {{same: {promise}}}}}}}}}"
    cube.write("conformance.yaml", promised)
    cube.tasks(make=DIFFERENT)

    run = run_suite(
        *("--cube", cube.root, "--platform", "docker", "--platform", "local"),
        *("--task", "make"),
    )

    assert (run.exit_code == 0) == is_met, run.output
    if not is_met:
        told = run.verdict("failed")[f"{SAME}[tiny-make]"]
        assert "metrics.json: accuracy: 0.8 instead of 0.75" in told
