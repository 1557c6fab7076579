"""Variables, GPUs and the network of a task."""

from __future__ import annotations

from mlcube_conformance.clauses.clause import Clause

__all__ = ["ENVIRONMENT"]

_ENV = "conformance_tests/runner/test_env.py"

ENVIRONMENT = (
    Clause(
        id="ENV-1",
        sentence=(
            "http_proxy and https_proxy reach the task where they are set, and are "
            "absent otherwise"
        ),
        evidence="the runners of 2020 pass those two on",
        fact=82,
        needs=("proxies",),
        test=f"{_ENV}::test_proxies",
    ),
    Clause(
        id="ENV-2",
        sentence=(
            "the password in the URL of a proxy is not in the output of the runner"
        ),
        evidence="the runners of 2020 print each command, with the proxies in it",
        fact=83,
        needs=("proxies",),
        test=f"{_ENV}::test_proxy_password",
    ),
    Clause(
        id="ENV-3",
        sentence="a variable whose value has a blank is one value",
        evidence="mlcube 6b32fa3 splits it into two words",
        fact=87,
        needs=("environment",),
        test=f"{_ENV}::test_value_with_space",
    ),
    Clause(
        id="ENV-4",
        sentence=(
            "a task gets no GPU without a request, a request for 0 gives none, and "
            "an invalid request is refused first"
        ),
        evidence="mlcube 8833ec0 (#351), 2aab273 (#353); mlcube#344",
        fact=88,
        needs=("gpus",),
        test=f"{_ENV}::test_gpus",
    ),
    Clause(
        id="ENV-5",
        sentence="the network that is asked for applies to a platform of any name",
        evidence=(
            "mlcube 6b32fa3 drops it unless the platform has the name of its engine"
        ),
        fact=89,
        needs=("platform-files", "network"),
        test=f"{_ENV}::test_network_of_named_platform",
    ),
    Clause(
        id="ENV-6",
        sentence=(
            "the network that is asked for applies to a cube with a section for "
            "Docker alone"
        ),
        evidence="mlcube#325, mlcube#343; mlcube 16999ea",
        fact=90,
        needs=("sif", "network", "single-file"),
        test=f"{_ENV}::test_network_of_docker_only_cube",
    ),
)
