"""A browser: Chromium, for the tests that open a report."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from packages import apt_install
from steps import say

if TYPE_CHECKING:
    from steps import Options

STEP: Final = "browser"
PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")


def set_up_browser(_: Options) -> dict[str, str]:
    """Have a browser that needs no screen."""
    if not any(map(shutil.which, PROGRAMS)):
        apt_install(STEP, ["chromium"])
    found = next((each for each in map(shutil.which, PROGRAMS) if each), "chromium")
    say(f"{STEP}: {found}")
    return {}
