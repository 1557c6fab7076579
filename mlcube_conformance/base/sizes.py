"""Sizes, as people write them."""

from __future__ import annotations

import re

__all__ = ["SIZE", "in_words", "size_in_bytes"]

#: https://github.com/docker/go-units, RAMInBytes
SIZE = re.compile(r"\d{1,15}(\.\d{1,15})? ?[kmgtp]?i?b?", re.IGNORECASE)


def in_words(count: int) -> str:
    """Return a number of bytes as people read it: `48 MB`."""
    size, units = float(count), ["bytes", "kB", "MB", "GB"]
    while size >= 1000 and len(units) > 1:  # noqa: PLR2004 - as in kilo
        size /= 1000
        del units[0]
    digits = 1 if size < 10 and units[0] != "bytes" else 0  # noqa: PLR2004 - two digits say enough
    return f"{size:.{digits}f} {units[0]}"


def size_in_bytes(text: str) -> int:
    """Return a size as `docker` reads it: `512m`, `2gb`, `1.5g`, `1TiB`; also -1.

    https://github.com/docker/go-units, RAMInBytes: k, m, g, t and p are powers of 1024,
    with or without `b` or `ib`.

    Raises:
        ValueError: It is not a size.
    """
    if text == "-1":
        return -1
    if SIZE.fullmatch(text) is None:
        raise ValueError(text)
    number = text.rstrip("kmgtpibKMGTPIB ")
    unit = text[len(number) :].strip().lower()
    return int(float(number) * 1024 ** "bkmgtp".index(unit[:1] or "b"))
