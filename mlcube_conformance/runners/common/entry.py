"""What starts a task, as far as it is known before the task runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Violation
from mlcube_conformance.runners.common.layout import recipe_of

if TYPE_CHECKING:
    from mlcube_conformance.model import Case, Image
    from mlcube_conformance.runners.contract import Options

__all__ = ["entry_point"]


def entry_point(case: Case, image: Image, options: Options) -> tuple[str, ...]:
    """Return the words that start a task: its own, the image's or the Dockerfile's.

    Args:
        case: The task on a platform.
        image: What it runs in.
        options: What the command line asks for.
    """
    own = case.invocation.task.entrypoint or tuple(image.entrypoint)
    if own:
        return own
    build = case.cube.docker
    try:
        return recipe_of(case.cube, {**build.args, **options.build_args}).entrypoint
    except Violation:
        return ()
