"""Stands between a client and a Docker daemon, and does something at a request."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass(slots=True)
class Proxy:
    """Passes all on, except some requests."""

    place: Path
    at: bytes
    """Pattern of the first lines of these."""
    does: Callable[[], object] | None = None
    """What it does once, when the daemon has the request; without it, each such request
    gets no answer."""
    seen: list[str] = field(default_factory=list)
    """First lines of the requests that it did not simply pass on."""

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"unix://{self.place}"

    def serve(self, client: socket.socket, daemon: str) -> None:
        """Pass on what one client asks."""
        with suppress(OSError), client, socket.socket(socket.AF_UNIX) as there:
            there.connect(daemon)
            threading.Thread(target=_back, args=(client, there), daemon=True).start()
            while piece := client.recv(65536):
                line = piece.partition(b"\r\n")[0]
                is_asked = b" HTTP/1." in line and re.search(self.at, line) is not None
                if is_asked and self.does is None:
                    self.seen.append(line.decode())
                    client.recv(1)  # until the client is gone
                    return
                there.sendall(piece)
                if is_asked and self.does and not self.seen:
                    self.seen.append(line.decode())
                    self.does()
                    return


def _back(client: socket.socket, there: socket.socket) -> None:
    with suppress(OSError):
        while piece := there.recv(65536):
            client.sendall(piece)
        client.shutdown(socket.SHUT_RDWR)


@contextmanager
def serving(proxy: Proxy, daemon: str) -> Iterator[Proxy]:
    """Let a proxy serve, for the daemon with a socket at a path."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(proxy.place))
    server.listen()

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = server.accept()
                threading.Thread(
                    target=proxy.serve, args=(client, daemon), daemon=True
                ).start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()
