"""Files of a cube are read as they are meant, or refused by name."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conformance_tests.runner.cubes import LOOK, SEED
from conformance_tests.runner.runs import traces
from mlcube_conformance.suites.runner.probe.cube import ProbeCube

if TYPE_CHECKING:
    from mlcube_conformance.suites.runner.trial import Trial

_UNSAFE = '!!python/object/apply:os.system ["touch hacked"]'


@pytest.mark.clause("FILE-3")
def test_missing_definition(trial: Trial) -> None:
    """Without mlcube.yaml, a message names the path that was expected."""
    placed = trial.place(ProbeCube().without("mlcube.yaml"))
    trial.run(placed).refuses(str(placed.root / "mlcube.yaml"))


@pytest.mark.clause("FILE-4")
def test_unknown_key(trial: Trial) -> None:
    """A key that the format does not have is refused with its file and its name."""
    if trial.form == "multi-file":
        cube = ProbeCube().changed("mlcube.yaml", lambda text: f"{text}autor: Me\n")
        trial.run(cube).refuses("mlcube.yaml", "autor")
    else:
        cube = ProbeCube(section={"imge": "probe"})
        trial.run(cube).refuses("mlcube.yaml", "imge")


@pytest.mark.clause("FILE-5")
def test_unsafe_yaml(trial: Trial) -> None:
    """A file that asks for an object to be made is refused, and makes none."""
    cube = ProbeCube().changed(
        "mlcube.yaml",
        lambda text: text.replace("name: conformance-probe", f"name: {_UNSAFE}"),
    )
    run = trial.run(cube)
    executed = traces(run.placed.folder, "hacked")
    run.expect(not executed, "nothing is executed", executed)
    run.fails()
    run.starts_nothing()


@pytest.mark.clause("FILE-6")
def test_duplicate_key(trial: Trial) -> None:
    """A duplicate key is refused, or its last value counts, with a warning."""
    run = trial.run(
        replace(SEED, workspace={"seeds/seed.txt": "seed\n", "seeds/two.txt": "two\n"})
        .changed("run/look.yaml", _doubled)
        .changed("mlcube.yaml", _doubled)
    )
    if run.called.exit_code:
        run.refuses("seed")
        return
    content = run.ends_well().content("seed")
    run.expect(content == "two\n", "the last value of `seed`", content)
    run.warns_of("seed")


def _doubled(text: str) -> str:
    """Write the line of `seed` again, with another value."""
    return re.sub(
        r"^( *seed: .*\n)",
        lambda match: match[1] + match[1].replace("seed.txt", "two.txt"),
        text,
        flags=re.MULTILINE,
    )


@pytest.mark.clause("FILE-7")
def test_odd_yaml(trial: Trial) -> None:
    """Other ends of lines, quotes, wide indentation and no last newline are read."""
    cube = replace(LOOK, name="")
    for path in ("mlcube.yaml", "run/look.yaml", "tasks/look.yaml"):
        cube = cube.changed(path, _odd)
    trial.run(cube).ends_well()


def _odd(text: str) -> str:
    quoted = text.replace("name: conformance-probe", "name: 'conformance-probe'")
    wide = re.sub(r"^ +", lambda match: match[0] * 3, quoted, flags=re.MULTILINE)
    return wide.rstrip("\n").replace("\n", "\r\n")


@pytest.mark.clause("FILE-8")
def test_platform_of_another_kind(trial: Trial) -> None:
    """A platform file for another runner is refused."""
    placed = trial.place(ProbeCube(), form="multi-file")
    other = "docker" if trial.platform == "singularity" else "singularity"
    run = trial.run(placed, platform=str(placed.root / f"platform/{other}.yaml"))
    run.fails()
    run.starts_nothing()


@pytest.mark.clause("FILE-9")
def test_platform_outside_the_cube(trial: Trial) -> None:
    """A platform file may be outside of the cube."""
    placed = trial.place(ProbeCube(), form="multi-file")
    outside = placed.folder / "mine.yaml"
    (placed.root / f"platform/{trial.platform}.yaml").rename(outside)
    trial.run(placed, platform=str(outside)).ends_well()


@pytest.mark.clause("FILE-10")
def test_older_platform_schema(trial: Trial) -> None:
    """A platform file of the first schema is understood, or the schema is named."""
    cube = ProbeCube()
    lines = [
        f"schema_type: mlcube_{trial.platform}",
        "schema_version: 1.0.0",
        f"image: {trial.image_of(cube)}",
        *(["docker_runtime: docker"] if trial.platform == "docker" else []),
    ]
    placed = trial.place(
        cube.changed(f"platform/{trial.platform}.yaml", lambda _: "\n".join(lines)),
        form="multi-file",
    )
    run = trial.run(placed)
    if run.called.exit_code:
        run.refuses("schema_type")
    else:
        run.ends_well()
