"""What validate says of a Dockerfile is what a build and a run of it show."""

from __future__ import annotations

import subprocess

import pytest

from mlcube_conformance.validation.cubes import check_cube
from tests.cube_folders import BUSYBOX, CubeFolder

pytestmark = pytest.mark.docker


def _docker(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *words], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize(
    ("lines", "ignored"),
    [
        ("COPY a.txt /x/", ""),
        ("COPY no.txt /x/", ""),
        ("COPY *.txt su?/d*.txt /x/", ""),
        ("COPY *.py /x/", ""),
        ('COPY ["b c", "/x/"]', ""),
        ("COPY a.txt /x/", "*.txt"),
        ("COPY a.txt /x/", "*.txt\n!a.txt"),
        ("COPY sub /x/", "sub"),
        ("COPY sub /x/", "sub\n!sub/deep.txt"),
        ("COPY . /x/", "*"),
        ("COPY link /x/", ""),
        ("COPY out /x/", ""),
        ("COPPY a.txt /x/", ""),
    ],
)
def test_sources_are_told_as_a_build_finds_them(
    lines: str, ignored: str, cube_folder: CubeFolder
) -> None:
    for name in ("a.txt", "b c", "sub/deep.txt"):
        cube_folder.write(f"build/{name}", "x")
    build = cube_folder.root / "build"
    (build / "link").symlink_to("a.txt")
    (build / "out").symlink_to("../mlcube.yaml")
    cube_folder.write("build/.dockerignore", ignored)
    text = f'FROM {BUSYBOX}\n{lines}\nENTRYPOINT ["/bin/sh"]\n'
    cube_folder.write("build/Dockerfile", text)

    built = _docker("build", "--quiet", "--force-rm", str(build))

    if built.returncode == 0:
        _docker("rmi", built.stdout.strip())
    errors = [x for x in check_cube(cube_folder.root).flaws if x.level == "error"]
    assert bool(errors) == bool(built.returncode), built.stderr


@pytest.mark.parametrize(
    ("lines", "mode", "script"),
    [
        ('ENTRYPOINT ["/go.sh"]', 0o755, "#!/bin/sh\necho $*\n"),
        ('ENTRYPOINT ["/go.sh"]', 0o644, "#!/bin/sh\necho $*\n"),
        ('ENTRYPOINT ["/go.sh"]', 0o755, "echo $*\n"),
        ('ENTRYPOINT ["/go.sh"]', 0o755, "#!/bin/sh\r\necho $*\r\n"),
        ("ENTRYPOINT /go.sh", 0o755, "#!/bin/sh\necho $*\n"),
        ('ENTRYPOINT /go.sh "$0" "$@"', 0o755, "#!/bin/sh\necho $*\n"),
        ('ENTRYPOINT ["sh", "-c", "/go.sh"]', 0o755, "#!/bin/sh\necho $*\n"),
        ('CMD ["/go.sh"]', 0o755, "#!/bin/sh\necho $*\n"),
        (
            'RUN chmod +x /go.sh\nENTRYPOINT ["/go.sh"]',
            0o644,
            "#!/bin/sh\necho $*\n",
        ),
    ],
)
def test_entry_points_are_told_as_a_run_shows_them(
    lines: str, mode: int, script: str, cube_folder: CubeFolder
) -> None:
    build = cube_folder.root / "build"
    (build / "go.sh").write_bytes(script.encode())
    (build / "go.sh").chmod(mode)
    cube_folder.write("build/Dockerfile", f"FROM {BUSYBOX}\nCOPY go.sh /\n{lines}\n")

    image = _docker("build", "--quiet", "--force-rm", str(build)).stdout.strip()
    shown = _docker("run", "--rm", image, "train", "--a=b").stdout.strip()
    _docker("rmi", image)

    errors = [x for x in check_cube(cube_folder.root).flaws if x.level == "error"]
    assert bool(errors) == (shown != "train --a=b"), shown
