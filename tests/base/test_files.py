"""What a file that cannot be read is said to be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlcube_conformance.base.errors import Violation
from mlcube_conformance.base.files import read_text


def test_a_pipe_without_a_name_is_called_a_pipe() -> None:
    reading, writing = os.pipe()
    try:
        with pytest.raises(Violation) as raised:
            read_text(Path(f"/dev/fd/{reading}"))
    finally:
        os.close(reading)
        os.close(writing)

    assert raised.value.messages[0].found == "a pipe"
