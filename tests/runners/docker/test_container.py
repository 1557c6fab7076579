"""What a container gets."""

from __future__ import annotations

import re

import pytest

from mlcube_conformance.base.sizes import size_in_bytes
from mlcube_conformance.runners.docker.about import OFFER

#: As `docker run --memory` reads them.
_SIZES = {
    "64": 64,
    "64b": 64,
    "10k": 10 * 2**10,
    "512m": 512 * 2**20,
    "512MB": 512 * 2**20,
    "2g": 2 * 2**30,
    "2gb": 2 * 2**30,
    "2GiB": 2 * 2**30,
    "1.5g": 3 * 2**29,
    "0.5G": 2**29,
    "1t": 2**40,
    "1 tb": 2**40,
}


@pytest.mark.parametrize("text", _SIZES)
def test_a_size_is_read_as_docker_reads_it(text: str) -> None:
    assert OFFER.values["memory"].fullmatch(text)
    assert size_in_bytes(text) == _SIZES[text]


@pytest.mark.parametrize(
    "text", ["", "0", "0g", "-1g", "g", "1x", "1gg", "1.g", "½g", "9" * 400]
)
def test_what_is_not_a_size_is_refused(text: str) -> None:
    assert not re.fullmatch(OFFER.values["shm_size"], text)
