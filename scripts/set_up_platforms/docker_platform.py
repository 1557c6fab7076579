"""The platform docker: a daemon that answers, and base images in its store."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from base_images import build_busybox, build_debian, layer_wheels
from docker_daemon import engine_socket, start_docker_daemon
from engine import Engine
from recipes import Recipe, busybox_recipe, debian_recipe, torch_recipe
from steps import PREFIX, Options, SetUpError, say

if TYPE_CHECKING:
    from collections.abc import Callable


def set_up_docker(options: Options) -> dict[str, str]:
    """Have a Docker daemon answer, and the base images in its store."""
    engine = Engine(engine_socket())
    if not engine.answers():
        start_docker_daemon(engine)
    say(f"docker: daemon answers ({engine.version()})")
    busybox = busybox_recipe()
    _provide(engine, busybox, "some seconds", build_busybox)
    debian = debian_recipe()
    torch = torch_recipe(_read_requirements(options.requirements))

    def build_torch(engine: Engine, image: str, folder: Path) -> None:
        _provide(engine, debian, "half a minute", build_debian)
        layer_wheels(engine, debian.image, image, options.requirements, folder)

    _provide(engine, torch, "about a minute", build_torch)
    return {recipe.variable: recipe.image for recipe in (busybox, torch)}


def _read_requirements(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetUpError(
            what="base-torch: the list of its Python packages cannot be read",
            where=str(path),
            found=str(error),
            todo="name a pip requirements file with --requirements PATH",
        ) from error


def _provide(
    engine: Engine,
    recipe: Recipe,
    how_long: str,
    build: Callable[[Engine, str, Path], None],
) -> None:
    if engine.has_image(recipe.image):
        say(f"{recipe.name}: nothing to do, {recipe.image} is there")
        return
    say(f"{recipe.name}: building ({how_long}) ...")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}-") as folder:
        build(engine, recipe.image, Path(folder))
    say(f"{recipe.name}: done in {time.monotonic() - started:.0f} s, {recipe.image}")
