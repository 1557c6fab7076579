"""The image is made when needed, from the files of the cube."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.suites.runner.probe.cube import ProbeCube
from mlcube_conformance.suites.runner.probe.platform_files import with_command

if TYPE_CHECKING:
    from mlcube_conformance.suites.runner.probe.run import Placed, ProbeRun
    from mlcube_conformance.suites.runner.trial import Trial


@pytest.mark.clause("IMAGE-2")
def test_build_context(trial: Trial) -> None:
    """The image is built from the build folder, and not at all without a recipe."""
    cube = ProbeCube(image=trial.image("context"), context="for this cube\n")
    placed = trial.place(cube)
    trial.configure(placed).exits_with(0)
    run = trial.run(placed)
    trial.remove_image(cube.image)
    context = run.ends_well().context
    run.expect(context == cube.context, "the image holds a file of build/", context)

    nothing = ProbeCube(image=trial.image("nothing")).without("build/Dockerfile")
    trial.configure(nothing).fails()


@pytest.mark.clause("IMAGE-3")
def test_configure_twice(trial: Trial) -> None:
    """Configuring a cube again does no harm."""
    placed = trial.place(ProbeCube())
    for _ in range(2):
        trial.configure(placed).exits_with(0)
    trial.run(placed).ends_well()


@pytest.mark.clause("IMAGE-4")
def test_run_without_configure(trial: Trial) -> None:
    """A run makes the image that does not exist yet."""
    cube = ProbeCube(image=trial.image("first"), context="for the first run\n")
    run = trial.run(cube)
    trial.remove_image(cube.image)
    context = run.ends_well().context
    run.expect(context == cube.context, "the image of the cube", context)


@pytest.mark.clause("IMAGE-5")
def test_executable(trial: Trial) -> None:
    """Another executable of one word serves all steps, or is refused by name."""
    cube = ProbeCube()
    placed, log, command = _with_wrapper(trial, cube)
    run = trial.run(_commanded(trial, placed, cube, command))
    if run.called.exit_code:
        run.refuses(command)
        return
    run.ends_well()
    calls = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    made = [each for each in calls if re.search(r"\b(build|pull)\b", each)]
    run.expect(made, f"{command}, which has no image, is asked to build one", calls)


@pytest.mark.clause("IMAGE-7")
def test_missing_build_folder(trial: Trial) -> None:
    """Without the build folder nothing is built, least of all the current folder."""
    placed = trial.place(ProbeCube(image=trial.image("decoy")))
    decoy = placed.folder / "decoy"
    shutil.move(placed.root / "build", decoy)
    run = trial.configure(placed, cwd=decoy)
    trial.remove_image(trial.image("decoy"))
    run.fails()


@pytest.mark.clause("IMAGE-8")
def test_build_strategy(trial: Trial) -> None:
    """The strategy `always` builds each time, and an unknown one is refused."""
    cube = ProbeCube(
        image=trial.image("strategy"), section={"build_strategy": "always"}
    )
    placed = trial.place(cube, form="single-file")
    trial.run(placed).ends_well()
    (placed.root / "build/context.txt").write_text("again\n", encoding="utf-8")
    run = trial.run(placed)
    trial.remove_image(cube.image)
    context = run.ends_well().context
    run.expect(context == "again\n", "the image is built again", context)

    bad = ProbeCube(section={"build_strategy": "sometimes"})
    trial.run(bad, form="single-file").refuses("sometimes")


@pytest.mark.clause("IMAGE-9")
def test_image_path(trial: Trial) -> None:
    """An image file may be a name, a relative or absolute path, or start at ${HOME}."""
    made = trial.site.sif(ProbeCube().image)
    if not made.exists():
        trial.configure(ProbeCube(), platform="singularity").exits_with(0)
    for written, place in (
        ("bare.sif", "cube/workspace/bare.sif"),
        ("deep/er.sif", "cube/workspace/deep/er.sif"),
        ("{folder}/absolute.sif", "absolute.sif"),
        ("${HOME}/at-home.sif", "home/at-home.sif"),
    ):
        placed = _with_image(trial, ProbeCube(), written)
        image = placed.folder / place
        image.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(made, image)
        run = _run_at_home(trial, placed)
        run.ends_well()
        others = [str(p) for p in placed.folder.rglob("*.sif") if p != image]
        run.expect(not others, f"the image at {image} is used", others)


@pytest.mark.clause("IMAGE-10")
def test_image_folder(trial: Trial) -> None:
    """The folder of an image file is made; where it cannot be, a message says so."""
    placed = _with_image(trial, ProbeCube(), "{folder}/new/deep/probe.sif")
    _run_at_home(trial, placed).ends_well()
    made = placed.folder / "new/deep/probe.sif"
    run = _run_at_home(trial, placed)
    run.expect(made.exists(), f"the image is {made}")

    placed = _with_image(trial, ProbeCube(), "{folder}/file/probe.sif")
    (placed.folder / "file").write_text("no folder\n", encoding="utf-8")
    run = _run_at_home(trial, placed)
    run.refuses()


@pytest.mark.clause("IMAGE-11")
def test_executable_of_several_words(trial: Trial) -> None:
    """An executable of several words works, or is refused by name."""
    cube = ProbeCube(name="several-words")
    placed, log, command = _with_wrapper(trial, cube)
    command = f"{shutil.which('env')} {command}"
    run = trial.run(_commanded(trial, placed, cube, command))
    if run.called.exit_code:
        run.refuses(command)
        return
    run.ends_well()
    run.expect(log.exists(), f"{command} runs the image")


def _with_wrapper(trial: Trial, cube: ProbeCube) -> tuple[Placed, Path, str]:
    """Place a cube, and a program beside it that notes each of its calls."""
    placed = trial.place(cube)
    log, wrapper = placed.folder / "calls", placed.folder / "wrapper"
    engine = "docker" if trial.description.has("docker-section") else trial.platform
    wrapper.write_text(
        # It denies that there is any image, which shows who calls it.
        f'#!/bin/sh\necho "$@" >> "{log}"\n'
        f'case "$*" in *inspect*|images*|"image ls"*) exit 1 ;; esac\n'
        f'exec {engine} "$@"\n',
        encoding="utf-8",
    )
    wrapper.chmod(0o755)
    return placed, log, str(wrapper)


def _commanded(trial: Trial, placed: Placed, cube: ProbeCube, command: str) -> Placed:
    """Have a placed cube name the executable, in the way of its format."""
    if trial.form == "multi-file":
        with_command(placed.root / f"platform/{trial.platform}.yaml", command)
        return placed
    shutil.rmtree(placed.root)
    again = trial.place(replace(cube, executable=command))
    shutil.copytree(again.root, placed.root)
    return placed


def _with_image(trial: Trial, cube: ProbeCube, written: str) -> Placed:
    placed = trial.place(cube, form="multi-file")
    file = placed.root / "platform/singularity.yaml"
    image = written.replace("{folder}", str(placed.folder))
    old = str(trial.site.sif(cube.image))
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(old, image), encoding="utf-8")
    return placed


def _run_at_home(trial: Trial, placed: Placed) -> ProbeRun:
    home = placed.folder / "home"
    home.mkdir(exist_ok=True)
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return trial.run(
        placed,
        platform="singularity",
        environment={"HOME": str(home), "XDG_CACHE_HOME": cache},
    )
