"""What an image of Docker is built from, and the hash that tells it from others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from tarfile import DIRTYPE, USTAR_FORMAT, TarInfo
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from docker.utils import create_archive

from mlcube_conformance.runners.common.container import CA_FILE, build_arguments
from mlcube_conformance.runners.common.content import content_key
from mlcube_conformance.runners.common.dockerfile.bases import base_images
from mlcube_conformance.runners.common.dockerfile.ignore import sent_files
from mlcube_conformance.runners.common.recipes import check_build, recipe_text
from mlcube_conformance.runners.work import CA_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlcube_conformance.runners.contract import ConfigureRequest

__all__ = ["BuildContext"]

_CA_IN_CONTEXT = ".mlcube-conformance-ca.crt"
#: Name of a recipe in the context that is not called `Dockerfile` there.
_RECIPE_IN_CONTEXT = ".mlcube-conformance-dockerfile"
_TOP = TarInfo("./")
_TOP.type, _TOP.mode = DIRTYPE, 0o755


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """The files an image is built from, and all else that decides its content."""

    root: Path
    files: tuple[str, ...]
    build_args: Mapping[str, str]
    ca_bundle: str
    """Text of the certificates to be trusted; "" for none."""
    recipe: str = ""
    """Text of a recipe that is not in `root` as `Dockerfile`."""
    recipe_text: str
    """Text of the recipe, wherever it is."""

    @classmethod
    def of(cls, request: ConfigureRequest) -> BuildContext:
        """Gather the context of a cube, less what `.dockerignore` leaves out."""
        check_build(request.cube.docker)
        root = request.cube.docker.context
        bundle = request.options.ca_bundle
        dockerfile = request.cube.docker.file
        recipe = recipe_text(request.cube, request.cube.docker)
        arguments = build_arguments(request, request.cube.docker)
        return cls(
            root=root,
            files=tuple(sent_files(root, dockerfile, recipe)),
            build_args=dict(sorted(arguments.items())),
            recipe_text=recipe,
            ca_bundle=bundle.read_text(encoding="utf-8") if bundle else "",
            # What is a link there may point to a file that is not sent.
            recipe=""
            if dockerfile == root / "Dockerfile" and not dockerfile.is_symlink()
            else recipe,
        )

    @property
    def bases(self) -> list[str]:
        """Names of the images that it is built on."""
        return base_images(self.recipe_text, self.build_args)

    def key(self, bases: Mapping[str, str]) -> str:
        """Return a hash of everything that decides what the image holds.

        Args:
            bases: The id of each image that it is built on, "" where it is not here.
        """
        more: list[object] = [self.recipe] if self.recipe else []
        more.append(dict(sorted(bases.items())))
        arguments = dict(self.build_args)
        return content_key(self.root, self.files, arguments, self.ca_bundle, *more)

    @property
    def recipe_name(self) -> str:
        """Name of the recipe in the archive."""
        return _RECIPE_IN_CONTEXT if self.recipe else "Dockerfile"

    def archive(self) -> Any:  # noqa: ANN401 - docker has no type for it
        """Return the context as an open tar file."""
        recipe, extra = self.recipe, []
        if self.ca_bundle:
            recipe = _trusting(self.recipe_text)
            extra.append((_CA_IN_CONTEXT, self.ca_bundle))
        if recipe:
            extra.append((self.recipe_name, recipe))
        # Without a name, so nothing is left of it however this process ends.
        file = TemporaryFile()  # noqa: SIM115 - whoever asked closes it
        # A command line of Docker takes what it reads for an archive by its first
        # block, and does not know that of the extended format.
        file.write(_TOP.tobuf(USTAR_FORMAT))
        return create_archive(str(self.root), list(self.files), file, extra_files=extra)


def _trusting(dockerfile: str) -> str:
    """Return a Dockerfile whose every stage trusts the extra certificates."""
    variables = " ".join(f"{name}={CA_FILE}" for name in CA_VARIABLES)
    addition = f"\nCOPY {_CA_IN_CONTEXT} {CA_FILE}\nENV {variables}"
    return re.sub(
        r"^[ \t]*FROM[ \t].*$",
        lambda match: match[0] + addition,
        dockerfile,
        flags=re.IGNORECASE | re.MULTILINE,
    )
