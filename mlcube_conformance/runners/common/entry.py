"""What starts a task, as far as it is known before the task runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Unsupported, Violation
from mlcube_conformance.runners.common.layout import recipe_of
from mlcube_conformance.runners.common.recipes import has_recipe, recipe_text

if TYPE_CHECKING:
    from mlcube_conformance.model import Case, Cube, Image
    from mlcube_conformance.runners.contract import Options

__all__ = ["entry_point"]

_RUNSCRIPT = re.compile(
    r"^%runscript\b[^\n]*\n(.*?)(?=^%|\Z)", re.IGNORECASE | re.MULTILINE | re.DOTALL
)


def entry_point(case: Case, image: Image, options: Options) -> tuple[str, ...]:
    """Return the words that start a task: its own, the image's or those of a recipe.

    Args:
        case: The task on a platform.
        image: What it runs in.
        options: What the command line asks for.
    """
    own = case.invocation.task.entrypoint or tuple(image.entrypoint)
    if own:
        return own
    platform = case.platform.inner or case.platform
    if platform.kind == "singularity" and has_recipe(case.cube.singularity):
        return _runscript(case.cube)
    build = case.cube.docker
    try:
        return recipe_of(case.cube, {**build.args, **options.build_args}).entrypoint
    except Violation:
        return ()


def _runscript(cube: Cube) -> tuple[str, ...]:
    """Return the script of the last stage of a recipe, for a shell."""
    try:
        text = recipe_text(cube, cube.singularity)
    except (Violation, Unsupported):
        return ()
    scripts = _RUNSCRIPT.findall(text)
    return ("/bin/sh", "-c", scripts[-1]) if scripts else ()
