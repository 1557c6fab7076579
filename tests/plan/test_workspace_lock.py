"""A workspace is held by one run at a time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import UsageError
from mlcube_conformance.plan.workspace_lock import only_run_in

if TYPE_CHECKING:
    from pathlib import Path


def test_a_workspace_that_may_not_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", closed)  # Root may read any folder.
    with pytest.raises(UsageError) as raised, only_run_in(tmp_path):
        pass

    assert raised.value.messages[0].what == "the workspace cannot be read"
    assert raised.value.messages[0].found == f"{tmp_path}: Permission denied"
