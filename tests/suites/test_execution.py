"""What a run holds is released at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.runners.contract import Options, Watch
from mlcube_conformance.suites.cube import execution
from mlcube_conformance.suites.cube.execution import Execution
from mlcube_conformance.suites.cube.plugins import Plugins

if TYPE_CHECKING:
    from pathlib import Path


def test_every_platform_is_released_whatever_another_raises(
    tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = []

    class ToyRunner:
        def __init__(self, kind: str, run_id: str) -> None:
            del run_id
            self._kind = kind

        def unavailable(self) -> None:
            """Work everywhere."""

        def remove_leftovers(self) -> tuple[str, ...]:
            return ()

        def close(self) -> None:
            released.append(self._kind)
            if self._kind == "second":
                raise KeyboardInterrupt

    monkeypatch.setattr(execution, "make_runner", ToyRunner)
    run = Execution(
        run_id="one",
        folder=tmp_path,
        options=Options(),
        watch=Watch(),
        plugins=Plugins(pytestconfig),
    )
    kinds = ["first", "second", "third"]
    for kind in kinds:
        run.runner(kind)

    with pytest.raises(KeyboardInterrupt):
        run.close()

    assert sorted(released) == kinds
    run.close()
    assert sorted(released) == kinds
