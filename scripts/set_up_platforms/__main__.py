"""Bring up the platforms that the tests need, on a machine that has none.

    python3 scripts/set_up_platforms docker singularity ssh mlcube browser
        [--env-file PATH]

Each step looks first and works only when something is missing: what is
installed stays as it is, what runs is never restarted, and an image is built
again only when its recipe changes (the tag is a hash of the recipe).

Progress goes to stderr. At the end stdout carries one KEY=VALUE line for each
base image, and for each setting that a platform needs here, as a shell reads it
to hand it to the tests.
"""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from browser import set_up_browser
from docker_platform import set_up_docker
from lock import one_at_a_time
from mlcube_runner import set_up_mlcube
from singularity_platform import set_up_singularity
from ssh_platform import set_up_ssh
from steps import MINUTE, Options, SetUpError, say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parents[2]
REQUIREMENTS: Final = ROOT / "cubes" / "mnist" / "build" / "requirements.txt"
PLATFORMS: Final[dict[str, Callable[[Options], dict[str, str]]]] = {
    "docker": set_up_docker,
    "singularity": set_up_singularity,
    "ssh": set_up_ssh,
    "mlcube": set_up_mlcube,
    "browser": set_up_browser,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Bring up the platforms named on the command line."""
    arguments = _parse(argv)
    signal.signal(signal.SIGTERM, _terminated)
    options = Options(requirements=arguments.requirements)
    try:
        with one_at_a_time(15 * MINUTE):
            values: dict[str, str] = {}
            for name in dict.fromkeys(arguments.platforms):
                values |= PLATFORMS[name](options)
        if arguments.env_file is not None:
            _merge_env_file(arguments.env_file, values)
    except SetUpError as error:
        say(f"error: {error}")
        return 1
    except OSError as error:
        say(f"error: {_refused(error)}")
        return 1
    except KeyboardInterrupt:
        say("error: interrupted")
        return 130
    sys.stdout.writelines(f"{line}\n" for line in _lines(values))
    return 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Bring up the platforms that the tests need; idempotent."
    )
    parser.add_argument(
        "platforms",
        nargs="+",
        choices=sorted(PLATFORMS),
        metavar="PLATFORM",
        help=f"one or more of: {', '.join(sorted(PLATFORMS))}",
    )
    parser.add_argument(
        "--env-file",
        type=Path,
        metavar="PATH",
        help="set the KEY=VALUE lines in this file too; its other lines stay",
    )
    parser.add_argument(
        "--requirements",
        type=Path,
        default=REQUIREMENTS,
        metavar="PATH",
        help="the Python packages of base-torch (default: those of the mnist cube)",
    )
    return parser.parse_args(argv)


def _refused(error: OSError) -> SetUpError:
    return SetUpError(
        what="the operating system refused something",
        where=str(error.filename or "(it does not say)"),
        found=str(error),
        todo="check permissions and the free space of the disks",
    )


def _terminated(_number: int, _frame: object) -> NoReturn:
    """Turn SIGTERM into an ordinary exit, so temporary folders go."""
    sys.exit(128 + signal.SIGTERM)


def _merge_env_file(path: Path, values: Mapping[str, str]) -> None:
    """Set lines of an environment file, and keep what else is in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    old = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = [line for line in old if line.partition("=")[0] not in values]
    lines = [*kept, *_lines(values)]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _lines(values: Mapping[str, str]) -> list[str]:
    """Return the values as a shell sets them."""
    return [f"{key}={shlex.quote(value)}" for key, value in values.items()]


if __name__ == "__main__":
    sys.exit(main())
