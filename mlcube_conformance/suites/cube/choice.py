"""Which platforms to test on, and why those where nobody named one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlcube_conformance.formats.cube_places import cube_places
from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.runners import first_available
from mlcube_conformance.runners.about import preferred
from mlcube_conformance.runners.common.recipes import is_made_for

if TYPE_CHECKING:
    import pytest

    from mlcube_conformance.base.errors import MachineError

__all__ = ["PlatformChoice"]

_CUBES = "mlcube_cube"


def _made_for(config: pytest.Config) -> tuple[str, ...]:
    """Return the kinds of platform to try: those that all cubes are made for.

    Where there is none for all, it is those that some are made for.
    """
    read = [load_cube(place, "") for place in cube_places(config.getoption(_CUBES))]
    cubes = [each.cube for each in read if not each.problems]
    kinds = preferred()
    fit = {each: [is_made_for(cube, each) for cube in cubes] for each in kinds}
    for enough in (all, any):
        found = tuple(each for each in kinds if enough(fit[each]))
        if found:
            return found
    return kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformChoice:
    """The platforms to test on, and how they were chosen where nobody named one."""

    platforms: tuple[str, ...]
    unavailable: tuple[MachineError, ...] = ()
    named: bool = True

    @classmethod
    def of(cls, config: pytest.Config) -> PlatformChoice:
        """Take what the command line names, or the first that works here."""
        given = config.getoption("mlcube_platform")
        given = getattr(config, "workerinput", {}).get("mlcube_platforms") or given
        if given or config.getoption("mlcube_check_only"):
            return cls(platforms=tuple(given))
        kind, troubles = first_available(_made_for(config))
        return cls(platforms=(kind,), unavailable=troubles, named=False)

    def summary(self) -> list[str]:
        """Say at the end what was chosen; `-q` leaves the header out."""
        if self.named:
            return []
        taken = f"{self.platforms[0]} was taken, the first that works here"
        return [f"mlcube-conformance: no --platform given: {taken}"]

    def header(self) -> list[str]:
        """Say what was chosen, and why the others were not."""
        if self.named:
            return []
        return [
            (
                "mlcube-conformance: no --platform given, so the first that works "
                f"here: {self.platforms[0]}"
            ),
            *(
                f"mlcube-conformance: not taken: {each.messages[0].what}"
                for each in self.unavailable
            ),
        ]
