"""The Docker Engine API, as far as it is needed here."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from steps import MINUTE, PREFIX, TAIL, SetUpError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

DEFAULT_SOCKET: Final = "/var/run/docker.sock"
LABELS: Final = {PREFIX: "set-up"}


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
