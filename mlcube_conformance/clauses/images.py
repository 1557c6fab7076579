"""Images are built as the cube says, and found again."""

from __future__ import annotations

from mlcube_conformance.clauses.clause import Clause

__all__ = ["IMAGES"]

_IMAGE = "conformance_tests/runner/test_image.py"

IMAGES = (
    Clause(
        id="IMAGE-2",
        sentence=(
            "the build folder is the context of the build; with neither recipe nor "
            "image, configure fails"
        ),
        evidence="mlcube 3601f55 (#74)",
        fact=75,
        test=f"{_IMAGE}::test_build_context",
    ),
    Clause(
        id="IMAGE-3",
        sentence="configure succeeds a second time",
        evidence=(
            "the runners of 2020 build again on Docker and keep the image on "
            "Singularity"
        ),
        fact=76,
        test=f"{_IMAGE}::test_configure_twice",
    ),
    Clause(
        id="IMAGE-4",
        sentence="a run without a configure before it makes the image first",
        evidence="mlcube fc21ba3 (#125), 6152c9e (#127)",
        fact=77,
        test=f"{_IMAGE}::test_run_without_configure",
    ),
    Clause(
        id="IMAGE-5",
        sentence=(
            "the named executable of the engine is also used to look for the image, "
            "or is refused clearly"
        ),
        evidence="mlcube e47da0b",
        fact=78,
        needs=("executable",),
        test=f"{_IMAGE}::test_executable",
    ),
    Clause(
        id="IMAGE-6",
        sentence="the check for an existing image uses no shell",
        evidence="mlcube#136; mlcube 1b43285",
        fact=79,
        why_not="seen from outside, this is IMAGE-4",
    ),
    Clause(
        id="IMAGE-7",
        sentence=(
            "where the build folder is missing, nothing is built from the current "
            "folder instead"
        ),
        evidence="mlcube 84a710d (#134): a failed change of folder was ignored",
        fact=80,
        test=f"{_IMAGE}::test_missing_build_folder",
    ),
    Clause(
        id="IMAGE-8",
        sentence=(
            "the build strategy always builds again, and an unknown strategy is "
            "refused by its name"
        ),
        evidence="confirmed in mlcube 6b32fa3",
        fact=81,
        needs=("docker-section",),
        test=f"{_IMAGE}::test_build_strategy",
    ),
    Clause(
        id="IMAGE-9",
        sentence=(
            "a bare, relative or absolute image path, or one that begins with "
            "${HOME}, names that file"
        ),
        evidence="mlcube 6152c9e; ab5b38f makes a folder called ${HOME}",
        fact=84,
        needs=("sif",),
        test=f"{_IMAGE}::test_image_path",
    ),
    Clause(
        id="IMAGE-10",
        sentence=(
            "the folder of the image is created; a file in its way is refused "
            "without a traceback"
        ),
        evidence="the first MNIST cube names /opt/singularity, which few machines have",
        fact=85,
        needs=("sif",),
        test=f"{_IMAGE}::test_image_folder",
    ),
    Clause(
        id="IMAGE-11",
        sentence="an executable of several words works, or is refused clearly",
        evidence="sudo docker is a common one; confirmed in mlcube a1135be",
        fact=86,
        needs=("executable",),
        test=f"{_IMAGE}::test_executable_of_several_words",
    ),
)
