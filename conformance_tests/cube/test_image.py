"""The image of the cube can be made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import Violation, require
from mlcube_conformance.checks.images import (
    has_no_secrets,
    has_user,
    is_named_with_tag,
    is_small_enough,
)
from mlcube_conformance.suites.fixtures import SESSION

if TYPE_CHECKING:
    from mlcube_conformance.model import Image, Platform


@pytest.mark.clause("IMAGE-1")
def test_image_builds(configured: Image | Violation) -> None:
    """Configuring the cube makes an image, or finds it up to date."""
    if isinstance(configured, Violation):
        raise configured
    assert configured.digest, "the platform names no digest for the image"


@pytest.fixture
def made(configured: Image | Violation) -> Image:
    """Return the image; without one, there is nothing to look at."""
    if isinstance(configured, Violation):
        pytest.skip("not checked: there is no image")
    return configured


@pytest.mark.clause("IMAGE-17")
def test_image_is_named_with_a_tag(platform: Platform) -> None:
    """The name of the image has a tag or a digest."""
    require(is_named_with_tag(platform))


@pytest.mark.clause("IMAGE-18")
def test_image_has_a_user(platform: Platform, made: Image) -> None:
    """The image names another user than root."""
    require(has_user(platform, made))


@pytest.mark.clause("IMAGE-19")
def test_image_has_no_secrets(platform: Platform, made: Image) -> None:
    """No variable of the image looks like a secret."""
    require(has_no_secrets(platform, made))


@pytest.mark.clause("IMAGE-20")
def test_image_is_small_enough(
    request: pytest.FixtureRequest, platform: Platform, made: Image
) -> None:
    """The image is not larger than it may be."""
    most = request.config.stash[SESSION].depth.max_image_size
    if most is None:
        pytest.skip("not applicable: no --max-image-size is given")
    require(is_small_enough(platform, made, most))
