#!/usr/bin/env python3
"""Bring up the platforms that the tests need, on a machine that has none.

    python3 scripts/set_up_platforms.py docker [--env-file PATH]

Each step looks first and works only when something is missing: what is
installed stays as it is, what runs is never restarted, and an image is built
again only when its recipe changes (the tag is a hash of the recipe).

Progress goes to stderr. At the end stdout carries one KEY=VALUE line for each
base image, ready to be handed to the tests.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import http.client
import io
import json
import os
import platform
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NoReturn
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
REQUIREMENTS: Final = ROOT / "cubes" / "mnist" / "build" / "requirements.txt"
PREFIX: Final = "mlcube-conformance"
DEFAULT_SOCKET: Final = "/var/run/docker.sock"
LABELS: Final = {PREFIX: "set-up"}
MINUTE: Final = 60.0
TAIL: Final = 20  # lines of output in a message
LONG: Final = 240  # characters of a command in a message

DAEMON_PID: Final = Path("/var/run/docker.pid")
CONTAINERD_PID: Final = Path("/var/run/docker/containerd/containerd.pid")
DOCKER_PACKAGES: Final = ("docker.io", "iptables")

BUSYBOX_PACKAGE: Final = "busybox-static"
BUSYBOX_FOLDERS: Final = {
    "bin": 0o755,
    "dev": 0o755,
    "etc": 0o755,
    "proc": 0o755,
    "root": 0o700,
    "sys": 0o755,
    "tmp": 0o1777,
    "usr": 0o755,
}
BUSYBOX_LINKS: Final = {"sbin": "bin", "usr/bin": "../bin", "usr/sbin": "../bin"}
BUSYBOX_FILES: Final = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "etc/group": "root:x:0:\n",
}

SUITE: Final = "bookworm"
SUITE_PYTHON: Final = "3.11"
SUITE_GLIBC: Final = 36  # 2.36
SUITE_PACKAGES: Final = (
    "ca-certificates",
    "python-is-python3",
    "python3",
    "python3-pip",
    "python3-venv",
)
# Without its marker file pip installs system-wide, as it does in the public
# Python images: a cube's recipe then works on both.
SUITE_LEFT_OUT: Final = (
    "/usr/lib/python3*/EXTERNALLY-MANAGED",
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
)
INSTALL_WHEELS: Final = (
    *("python3", "-m", "pip", "install", "--no-cache-dir", "--progress-bar=off"),
    *("--root-user-action=ignore", "--no-index", "--find-links=/mnt"),
    "--requirement=/mnt/requirements.txt",
)
PYTHON_COMMAND: Final = ("python3",)
BUSYBOX_COMMAND: Final = ("sh",)


class SetUpError(Exception):
    """A step cannot go on; the message says why, where, and what to do."""

    def __init__(self, *, what: str, where: str, found: str, todo: str) -> None:
        """Lay the four parts out, one a line."""
        super().__init__(f"{what}\n  where: {where}\n  found: {found}\n  do: {todo}")


class CommandError(SetUpError):
    """A command did not end well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    requirements: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides what is in an image."""

    name: str
    parts: tuple[str, ...]

    @property
    def image(self) -> str:
        """Name the image; the tag changes when, and only when, the recipe does."""
        text = json.dumps([platform.machine(), *self.parts])
        return f"{PREFIX}/{self.name}:{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    @property
    def variable(self) -> str:
        """Name the environment variable that hands the image to the tests."""
        return f"{PREFIX}_{self.name}".upper().replace("-", "_")


def main(argv: Sequence[str] | None = None) -> int:
    """Bring up the platforms named on the command line."""
    arguments = _parse(argv)
    signal.signal(signal.SIGTERM, _terminated)
    options = Options(requirements=arguments.requirements)
    try:
        with _one_at_a_time(15 * MINUTE):
            values: dict[str, str] = {}
            for name in dict.fromkeys(arguments.platforms):
                values |= PLATFORMS[name](options)
        if arguments.env_file is not None:
            _merge_env_file(arguments.env_file, values)
    except SetUpError as error:
        _say(f"error: {error}")
        return 1
    except OSError as error:
        _say(f"error: {_refused(error)}")
        return 1
    except KeyboardInterrupt:
        _say("error: interrupted")
        return 130
    sys.stdout.write("".join(f"{key}={value}\n" for key, value in values.items()))
    return 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Bring up the platforms that the tests need; idempotent."
    )
    parser.add_argument(
        "platforms",
        nargs="+",
        choices=sorted(PLATFORMS),
        metavar="PLATFORM",
        help=f"one or more of: {', '.join(sorted(PLATFORMS))}",
    )
    parser.add_argument(
        "--env-file",
        type=Path,
        metavar="PATH",
        help="set the KEY=VALUE lines in this file too; its other lines stay",
    )
    parser.add_argument(
        "--requirements",
        type=Path,
        default=REQUIREMENTS,
        metavar="PATH",
        help="the Python packages of base-torch (default: those of the mnist cube)",
    )
    return parser.parse_args(argv)


def _refused(error: OSError) -> SetUpError:
    return SetUpError(
        what="the operating system refused something",
        where=str(error.filename or "(it does not say)"),
        found=str(error),
        todo="check permissions and the free space of the disks",
    )


def _terminated(_number: int, _frame: object) -> NoReturn:
    """Turn SIGTERM into an ordinary exit, so that temporary folders go."""
    sys.exit(128 + signal.SIGTERM)


# --- docker -----------------------------------------------------------------


def set_up_docker(options: Options) -> dict[str, str]:
    """Have a Docker daemon answer, and the base images in its store."""
    engine = Engine(_engine_socket())
    if not engine.answers():
        _start_docker_daemon(engine)
    _say(f"docker: daemon answers ({engine.version()})")
    busybox = busybox_recipe()
    _provide(engine, busybox, "some seconds", build_busybox)
    debian = debian_recipe()
    torch = torch_recipe(_read_requirements(options.requirements))

    def build_torch(engine: Engine, image: str, folder: Path) -> None:
        _provide(engine, debian, "half a minute", build_debian)
        layer_wheels(engine, debian.image, image, options.requirements, folder)

    _provide(engine, torch, "about a minute", build_torch)
    return {recipe.variable: recipe.image for recipe in (busybox, torch)}


def busybox_recipe() -> Recipe:
    """Describe the tiny image: one static binary and links to it."""
    layout = json.dumps([BUSYBOX_FOLDERS, BUSYBOX_LINKS, BUSYBOX_FILES])
    return Recipe(
        name="base-busybox", parts=(BUSYBOX_PACKAGE, layout, *BUSYBOX_COMMAND)
    )


def debian_recipe() -> Recipe:
    """Describe the image with Debian and Python that base-torch stands on."""
    parts = (SUITE, *SUITE_PACKAGES, *SUITE_LEFT_OUT, *PYTHON_COMMAND)
    return Recipe(name="base-debian", parts=parts)


def torch_recipe(requirements: str) -> Recipe:
    """Describe the image with the given Python packages on top of Debian."""
    parts = (*debian_recipe().parts, *INSTALL_WHEELS, requirements)
    return Recipe(name="base-torch", parts=parts)


def _read_requirements(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetUpError(
            what="base-torch: the list of its Python packages cannot be read",
            where=str(path),
            found=str(error),
            todo="name a pip requirements file with --requirements PATH",
        ) from error


def _provide(
    engine: Engine,
    recipe: Recipe,
    how_long: str,
    build: Callable[[Engine, str, Path], None],
) -> None:
    if engine.has_image(recipe.image):
        _say(f"{recipe.name}: nothing to do, {recipe.image} is there")
        return
    _say(f"{recipe.name}: building ({how_long}) ...")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}-") as folder:
        build(engine, recipe.image, Path(folder))
    _say(f"{recipe.name}: done in {time.monotonic() - started:.0f} s, {recipe.image}")


# --- docker: the daemon -----------------------------------------------------


def _engine_socket() -> str:
    host = os.environ.get("DOCKER_HOST") or f"unix://{DEFAULT_SOCKET}"
    scheme, _, path = host.partition("://")
    if scheme != "unix" or not path.startswith("/"):
        raise SetUpError(
            what="docker: only a daemon behind a local unix socket can be set up",
            where="environment variable DOCKER_HOST",
            found=host,
            todo="unset DOCKER_HOST, or set it to unix:///path/to/docker.sock",
        )
    return path


def _start_docker_daemon(engine: Engine) -> None:
    _need_for_docker(engine)
    if shutil.which("dockerd") is None:
        _apt_install("docker", DOCKER_PACKAGES)
    if engine.answers():  # where there is an init system, apt starts it
        return
    _forget_dead_daemon()
    daemon = _program("docker", "dockerd")
    log = Path(tempfile.gettempdir()) / f"{PREFIX}-dockerd.log"
    _say(f"docker: starting {daemon}, its output is in {log}")
    log.unlink(missing_ok=True)
    with log.open("xb") as output:
        process = subprocess.Popen(  # noqa: S603 (a fixed list, no shell)
            [daemon, "--host", f"unix://{engine.socket_path}"],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for_daemon(engine, process, log)
    except BaseException:
        _stop(process)
        raise


def _forget_dead_daemon() -> None:
    """Remove the file in which a daemon that was killed still claims to run.

    A new one refuses to start while any process has the number in that file.
    """
    for file, name in ((DAEMON_PID, "dockerd"), (CONTAINERD_PID, "containerd")):
        try:
            status = Path("/proc", file.read_text(encoding="utf-8").strip(), "status")
            fields = status.read_text(encoding="utf-8").splitlines()
        except OSError:
            fields = []  # no such file, or no such process
        of_daemon = f"Name:\t{name}" in fields
        if of_daemon and not any("(zombie)" in field for field in fields):
            continue
        with contextlib.suppress(OSError):
            file.unlink()
            _say(f"docker: removed {file}, left by a daemon that is gone")


def _need_for_docker(engine: Engine) -> None:
    """Refuse early, in one message, where the daemon cannot be started."""
    can_install = shutil.which("dockerd") or shutil.which("apt-get")
    if os.geteuid() == 0 and can_install:
        return
    raise SetUpError(
        what="docker: no daemon answers, and none can be installed and started here",
        where=f"unix socket {engine.socket_path}",
        found=f"user id {os.geteuid()} (0 is needed), {_found('dockerd', 'apt-get')}",
        todo="start a Docker daemon (DOCKER_HOST may name its unix socket), or run "
        "this as root on a Debian-like system",
    )


def _wait_for_daemon(
    engine: Engine, process: subprocess.Popen[bytes], log: Path
) -> None:
    deadline = time.monotonic() + MINUTE
    while not engine.answers():
        ended = process.poll()
        if ended is None and time.monotonic() < deadline:
            time.sleep(0.1)
            continue
        state = "no answer within 60 s" if ended is None else f"exit code {ended}"
        with log.open("rb") as output:
            tail = _tail(output)
        raise SetUpError(
            what="docker: the daemon was started and does not answer",
            where=f"unix socket {engine.socket_path}, log {log}",
            found=f"{state}; the log ends with:\n{tail}",
            todo="read the log; the daemon needs a kernel with overlay and iptables",
        )


# --- docker: the images -----------------------------------------------------


def build_busybox(engine: Engine, image: str, folder: Path) -> None:
    """Make an image of Debian's static busybox and links for its applets."""
    step = "base-busybox"
    unpack = _program(step, "dpkg-deb")
    _apt_download(step, BUSYBOX_PACKAGE, folder)
    for package in folder.glob("*.deb"):
        _run(step, [unpack, "--extract", str(package), str(folder / "package")])
    unpacked = folder / "package"
    binary = next(unpacked.glob("**/bin/busybox"), unpacked / "bin" / "busybox")
    applets = _run(step, [str(binary), "--list"], seconds=10).split()
    archive = folder / "rootfs.tar"
    _write_busybox_tar(archive, binary, applets)
    engine.import_image(step, archive, image, BUSYBOX_COMMAND)


def _write_busybox_tar(archive: Path, binary: Path, applets: Sequence[str]) -> None:
    links = BUSYBOX_LINKS | {
        f"bin/{name}": "busybox" for name in applets if name != "busybox"
    }
    with tarfile.open(archive, "w") as tar:
        for name, mode in BUSYBOX_FOLDERS.items():
            tar.addfile(_tar_entry(name, mode=mode, kind=tarfile.DIRTYPE))
        for name, target in links.items():
            tar.addfile(_tar_entry(name, kind=tarfile.SYMTYPE, target=target))
        contents = {name: text.encode() for name, text in BUSYBOX_FILES.items()}
        for name, data in contents.items():
            tar.addfile(_tar_entry(name, size=len(data)), io.BytesIO(data))
        data = binary.read_bytes()
        tar.addfile(
            _tar_entry("bin/busybox", mode=0o755, size=len(data)), io.BytesIO(data)
        )


def _tar_entry(
    name: str,
    *,
    mode: int = 0o644,
    kind: bytes = tarfile.REGTYPE,
    size: int = 0,
    target: str = "",
) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.type, entry.size, entry.linkname = mode, kind, size, target
    return entry


def build_debian(engine: Engine, image: str, folder: Path) -> None:
    """Make an image of a minimal Debian with Python and pip."""
    step = "base-debian"
    if shutil.which("mmdebstrap") is None:
        _apt_install(step, ("mmdebstrap",))
    archive = folder / "rootfs.tar"
    left_out = [f"--dpkgopt=path-exclude={path}" for path in SUITE_LEFT_OUT]
    command = [
        _program(step, "mmdebstrap"),
        "--variant=minbase",
        f"--include={','.join(SUITE_PACKAGES)}",
        *left_out,
        SUITE,
        str(archive),
        *_mirrors(step),
    ]
    _run(step, command, seconds=10 * MINUTE)
    engine.import_image(step, archive, image, PYTHON_COMMAND)


def _mirrors(step: str) -> list[str]:
    """Take the package mirrors of the suite from the machine's configuration.

    Where the machine runs another suite the list is empty, and mmdebstrap has
    a default of its own.
    """
    form = "$(SITE) $(CODENAME)"
    filters = ["Created-By: Packages", "Component: main", "Origin: Debian"]
    command = [_program(step, "apt-get"), "indextargets", "--format", form, *filters]
    pairs = [line.split() for line in _run(step, command).splitlines()]
    suites = (SUITE, f"{SUITE}-updates", f"{SUITE}-security")
    known = {suite: site for site, suite in pairs if suite in suites}
    if SUITE not in known:
        return []
    return [f"deb {known[suite]} {suite} main" for suite in suites if suite in known]


def layer_wheels(
    engine: Engine, base: str, image: str, requirements: Path, folder: Path
) -> None:
    """Install Python packages into an image, without network inside it.

    The wheels are only mounted, so that the new layer has no second copy.
    """
    _download_wheels(requirements, folder)
    shutil.copyfile(requirements, folder / "requirements.txt")
    folder.chmod(0o755)
    with engine.container(base, INSTALL_WHEELS, (f"{folder}:/mnt:ro",)) as name:
        status, output = engine.run_container(name, 5 * MINUTE)
        if status != 0:
            raise SetUpError(
                what=f"base-torch: pip inside the image ended with {status}",
                where=f"{requirements}, in a container of {base}",
                found=f"the output ends with:\n{_indent(output.splitlines())}",
                todo="check the requirements against Python " + SUITE_PYTHON,
            )
        engine.commit(name, image, PYTHON_COMMAND)


def _download_wheels(requirements: Path, folder: Path) -> None:
    """Fetch wheels for the image's Python, whatever Python runs this script."""
    machine = platform.machine()
    names = [f"manylinux_2_{minor}" for minor in range(SUITE_GLIBC, 4, -1)]
    names += ["manylinux2014", "manylinux2010", "manylinux1", "linux"]
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input"),
        *("--only-binary=:all:", "--implementation=cp"),
        *(f"--python-version={SUITE_PYTHON}", f"--dest={folder}"),
        *(f"--platform={name}_{machine}" for name in names),
        f"--requirement={requirements}",
    ]
    _run("base-torch", command, seconds=10 * MINUTE)


class _UnixConnection(http.client.HTTPConnection):
    """An HTTP connection through a unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock = connection
        connection.settimeout(self.timeout)
        connection.connect(self._path)


class Engine:
    """The few calls of the Docker Engine API that are needed here."""

    def __init__(self, socket_path: str) -> None:
        """Remember the socket; nothing is opened before the first call."""
        self.socket_path = socket_path

    def answers(self) -> bool:
        """Tell whether a daemon answers behind the socket."""
        try:
            return self._exchange("GET", "/_ping", seconds=10)[0] == http.HTTPStatus.OK
        except PermissionError as error:
            raise SetUpError(
                what="docker: the daemon's socket may not be used",
                where=f"unix socket {self.socket_path}",
                found=f"user id {os.geteuid()}: {error}",
                todo="join the group that owns the socket (docker), or run as root",
            ) from error
        except (OSError, http.client.HTTPException):
            return False

    def version(self) -> str:
        """Name the daemon's version."""
        return str(json.loads(self._call("GET", "/version"))["Version"])

    def has_image(self, image: str) -> bool:
        """Tell whether an image is in the daemon's store."""
        path = f"/images/{quote(image)}/json"
        return bool(self._call("GET", path, accept=(http.HTTPStatus.NOT_FOUND,)))

    def import_image(
        self, step: str, archive: Path, image: str, command: Sequence[str]
    ) -> None:
        """Make an image of one layer from a tar file."""
        query = _image_query(image, command) | {"fromSrc": "-"}
        path = f"/images/create?{urlencode(query)}"
        with archive.open("rb") as body:
            answer = self._call("POST", path, body=body, seconds=3 * MINUTE)
        for line in answer.splitlines():  # faults come as lines, after a 200
            if "error" in json.loads(line):
                raise SetUpError(
                    what=f"{step}: the Docker daemon did not import the image",
                    where=f"{image}, unix socket {self.socket_path}",
                    found=line.decode(errors="replace"),
                    todo="check the disk that holds the daemon's images",
                )

    @contextlib.contextmanager
    def container(
        self, image: str, command: Sequence[str], mounts: Sequence[str]
    ) -> Iterator[str]:
        """Create a container without network, and remove it at the end."""
        config = {
            "Image": image,
            "Cmd": list(command),
            "Labels": LABELS,
            "Tty": True,  # plain logs: one stream, without frames
            "HostConfig": {"Binds": list(mounts), "NetworkMode": "none"},
        }
        body = json.dumps(config).encode()
        answer = self._call("POST", "/containers/create", body=body)
        name = json.loads(answer)["Id"]
        try:
            yield name
        finally:
            self._call("DELETE", f"/containers/{name}?force=1&v=1")

    def run_container(self, name: str, seconds: float) -> tuple[int, str]:
        """Run a created container to its end; return exit code and output."""
        self._call("POST", f"/containers/{name}/start")
        answer = self._call("POST", f"/containers/{name}/wait", seconds=seconds)
        logs = f"/containers/{name}/logs?stdout=1&stderr=1&tail={TAIL}"
        output = self._call("GET", logs).decode(errors="replace")
        return int(json.loads(answer)["StatusCode"]), output

    def commit(self, name: str, image: str, command: Sequence[str]) -> None:
        """Make an image of a container."""
        query = _image_query(image, command) | {"container": name}
        self._call("POST", f"/commit?{urlencode(query)}", seconds=3 * MINUTE)

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: IO[bytes] | bytes | None = None,
        seconds: float = MINUTE,
        accept: Sequence[int] = (),
    ) -> bytes:
        """Return the body of a good answer, empty for an accepted bad one."""
        where = f"{method} {path}, unix socket {self.socket_path}"
        try:
            status, answer = self._exchange(method, path, body=body, seconds=seconds)
        except (OSError, http.client.HTTPException) as error:
            raise SetUpError(
                what="docker: the daemon broke off, or gave no answer in time",
                where=where,
                found=f"{type(error).__name__}: {error} (limit {seconds:.0f} s)",
                todo="read the daemon's log; check its disk",
            ) from error
        if status < http.HTTPStatus.BAD_REQUEST:
            return answer
        if status in accept:
            return b""
        raise SetUpError(
            what="docker: the daemon refused a request",
            where=where,
            found=f"status {status}: {answer.decode(errors='replace').strip()}",
            todo="read the daemon's log; check its disk",
        )

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        body: IO[bytes] | bytes | None = None,
        seconds: float,
    ) -> tuple[int, bytes]:
        connection = _UnixConnection(self.socket_path, seconds)
        try:
            kind = "json" if isinstance(body, bytes) else "x-tar"
            headers = {"Content-Type": f"application/{kind}"} if body else {}
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def _image_query(image: str, command: Sequence[str]) -> dict[str, str]:
    repository, _, tag = image.partition(":")
    changes = f"CMD {json.dumps(list(command))}"
    return {"repo": repository, "tag": tag, "changes": changes}


# --- packages and commands --------------------------------------------------


def _apt_install(step: str, packages: Sequence[str]) -> None:
    if os.geteuid() != 0:
        raise SetUpError(
            what=f"{step}: packages are missing, and only root may install them",
            where="apt-get install",
            found=f"user id {os.geteuid()}",
            todo=f"install {' '.join(packages)}, or run this as root",
        )
    _say(f"{step}: installing {' '.join(packages)} ...")
    started = time.monotonic()
    _apt(step, ["install", "--yes", "--no-install-recommends", *packages])
    _say(f"{step}: installed in {time.monotonic() - started:.0f} s")


def _apt_download(step: str, package: str, folder: Path) -> None:
    as_root = ["-o", "APT::Sandbox::User=root"]  # apt's own user sees no such folder
    _apt(step, [*as_root, "download", package], folder=folder)


def _apt(step: str, arguments: Sequence[str], *, folder: Path | None = None) -> None:
    """Run apt-get; refresh its lists once when it cannot go on with the old ones."""
    program = _program(step, "apt-get")
    prefix = [program, "-o", f"DPkg::Lock::Timeout={2 * MINUTE:.0f}"]
    command = [*prefix, *arguments]
    try:
        _run(step, command, folder=folder)
    except CommandError:
        if os.geteuid() != 0:
            raise
        _say(f"{step}: refreshing the package lists ...")
        with contextlib.suppress(CommandError):  # one source of many may be down
            _run(step, [*prefix, "update"])
        _run(step, command, folder=folder)


def _program(step: str, name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise SetUpError(
            what=f"{step}: a program is missing",
            where=f"PATH={os.environ.get('PATH', '')}",
            found=_found(name),
            todo=f"install the package that brings {name} (a Debian-like system is "
            "needed), or put its folder on PATH",
        )
    return path


def _found(*names: str) -> str:
    return ", ".join(f"{name}: {shutil.which(name) or 'not on PATH'}" for name in names)


def _run(
    step: str,
    command: Sequence[str],
    *,
    folder: Path | None = None,
    seconds: float = 5 * MINUTE,
) -> str:
    """Run a command to its end; return its output, both streams together."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 (argument list, no shell)
            command,
            cwd=folder,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        ended = f"no end within {seconds:.0f} s"
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                ended = f"exit code {process.wait(seconds)}"
        finally:
            _stop(process)
        if process.returncode != 0:
            raise CommandError(
                what=f"{step}: {Path(command[0]).name} failed",
                where=_shortened(command),
                found=f"{ended}; the output ends with:\n{_tail(output)}",
                todo="check the network, the package sources and the free disk space",
            )
        output.seek(0)
        return output.read().decode(errors="replace")


def _shortened(command: Sequence[str]) -> str:
    text = shlex.join(command)
    return text if len(text) < LONG else f"{text[: LONG // 2]} ... {text[-LONG // 2 :]}"


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and its children: ask, wait, insist."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)


def _tail(output: IO[bytes]) -> str:
    output.seek(0)
    return _indent(output.read().decode(errors="replace").splitlines()[-TAIL:])


def _indent(lines: Sequence[str]) -> str:
    return "\n".join(f"    {line}" for line in lines) or "    (nothing)"


# --- the rest ---------------------------------------------------------------


@contextlib.contextmanager
def _one_at_a_time(seconds: float) -> Iterator[None]:
    """Hold the user's lock file, so that two calls do no work twice."""
    path = Path(tempfile.gettempdir()) / f"{PREFIX}-set-up-{os.geteuid()}.lock"
    deadline = time.monotonic() + seconds
    told = False
    with path.open("a", encoding="utf-8") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                _wait_for_lock(path, deadline, told=told)
                told = True
        yield


def _wait_for_lock(path: Path, deadline: float, *, told: bool) -> None:
    if time.monotonic() > deadline:
        raise SetUpError(
            what="another set-up has not ended in time",
            where=str(path),
            found="the file is locked",
            todo="wait for the other process or end it, then run this again",
        )
    if not told:
        _say(f"waiting for another set-up to end (lock {path}) ...")
    time.sleep(0.2)


def _merge_env_file(path: Path, values: Mapping[str, str]) -> None:
    """Set lines of an environment file, and keep what else is in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    old = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = [line for line in old if line.partition("=")[0] not in values]
    lines = [*kept, *(f"{key}={value}" for key, value in values.items())]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


PLATFORMS: Final[dict[str, Callable[[Options], dict[str, str]]]] = {
    "docker": set_up_docker
}

if __name__ == "__main__":
    sys.exit(main())
