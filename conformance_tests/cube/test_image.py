"""The image of the cube can be made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import Violation

if TYPE_CHECKING:
    from mlcube_conformance.model import Image


@pytest.mark.clause("IMAGE-1")
def test_image_builds(configured: Image | Violation) -> None:
    """Configuring the cube makes an image, or finds it up to date."""
    if isinstance(configured, Violation):
        raise configured
    assert configured.digest, "the platform names no digest for the image"
