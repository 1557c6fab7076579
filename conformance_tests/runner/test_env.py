"""Variables, GPUs and the network of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance_tests.runner.runs import gives_no_gpu
from mlcube_conformance.suites.runner.probe.cube import ProbeCube

if TYPE_CHECKING:
    from mlcube_conformance.suites.runner.trial import Trial

_PROXIES = {
    "http_proxy": "http://127.0.0.1:9/one",
    "https_proxy": "http://127.0.0.1:9/two",
}
_WORDS = "two words"


@pytest.mark.clause("ENV-1")
def test_proxies(trial: Trial) -> None:
    """http_proxy and https_proxy reach the task where they are set, and only then."""
    # Docker itself hands on proxies of the user's own configuration.
    placed = trial.place(ProbeCube())
    (empty := placed.folder / "empty").mkdir()
    plain = {"DOCKER_CONFIG": str(empty)}
    without = trial.run(placed, environment=plain)
    unset = {*without.ends_well().environment} & {*_PROXIES}
    without.expect(not unset, "no proxy, as none is set", unset)
    run = trial.run(placed, environment=_PROXIES | plain)
    found = run.ends_well().environment
    for name, value in _PROXIES.items():
        run.expect(found.get(name) == value, f"{name}={value}", found.get(name))


@pytest.mark.clause("ENV-2")
def test_proxy_password(trial: Trial) -> None:
    """The password in the URL of a proxy is not shown."""
    secret = "s3cr3t-w0rd"  # noqa: S105 - nobody's
    proxies = dict.fromkeys(_PROXIES, f"http://me:{secret}@127.0.0.1:9")
    placed = trial.place(ProbeCube())
    for called in (
        trial.configure(placed, environment=proxies),
        trial.run(placed, environment=proxies),
    ):
        called.expect(secret not in called.called.said, "no password in the output")
    called.starts()


@pytest.mark.clause("ENV-3")
def test_value_with_space(trial: Trial) -> None:
    """A variable whose value has a blank is one value."""
    if "environment" in trial.description.options:
        words = trial.variable("PROBE_WORDS", _WORDS)
        run = trial.run(ProbeCube(), words=words)
    else:
        cube = ProbeCube(section={"env_args": {"PROBE_WORDS": _WORDS}})
        run = trial.run(cube, form="single-file")
    found = run.ends_well().environment.get("PROBE_WORDS")
    run.expect(found == _WORDS, f"PROBE_WORDS={_WORDS}", found)


@pytest.mark.clause("ENV-4")
def test_gpus(trial: Trial) -> None:
    """No GPU comes unasked or for 0, and a request that makes no sense is refused."""
    gives_no_gpu(trial)
    gives_no_gpu(trial, *trial.gpus("0"))
    trial.run(ProbeCube(), gpus="some").refuses("some")


@pytest.mark.clause("ENV-5")
def test_network_of_named_platform(trial: Trial) -> None:
    """The network that is asked for applies to a platform of any name."""
    placed = trial.place(ProbeCube(), form="multi-file")
    folder = placed.root / "platform"
    (folder / f"{trial.platform}.yaml").rename(folder / "mine.yaml")
    run = trial.run(placed, platform="mine", network="none")
    routes = run.ends_well().routes
    run.expect(not routes, "no way out of the task's network", routes)


@pytest.mark.clause("ENV-6")
def test_network_of_docker_only_cube(trial: Trial) -> None:
    """The network that is asked for applies to a cube that mentions Docker alone."""
    cube = ProbeCube().changed("mlcube.yaml", _without_singularity)
    run = trial.run(cube, form="single-file", network="none")
    routes = run.ends_well().routes
    run.expect(not routes, "no way out of the task's network", routes)


def _without_singularity(text: str) -> str:
    before, _, after = text.partition("singularity:\n")
    return before + after[after.index("tasks:\n") :]
