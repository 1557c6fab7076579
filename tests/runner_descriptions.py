"""Descriptions of runners that run nothing."""

from __future__ import annotations

__all__ = ["refuser"]


def refuser(
    *,
    formats: str = "single-file",
    configure: str = "true",
    run: str = "false",
    options: str = 'task: "{task}"',
) -> str:
    """Return the description of a runner whose every task fails.

    Args:
        formats: Formats that it reads, with commas between them.
        configure: Program that makes an image.
        run: Program that runs a task.
        options: Its options, as the inside of a YAML mapping.
    """
    return (
        "name: refuser\n"
        'version: [echo, "0.1"]\n'
        f"formats: [{formats}]\n"
        f'configure: ["{configure}", "{{cube}}", "{{platform}}"]\n'
        f'run: ["{run}", "{{cube}}", "{{platform}}"]\n'
        f"options: {{{options}}}\n"
        "platform: docker\n"
    )
