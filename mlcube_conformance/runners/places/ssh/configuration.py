"""What ssh reads about another host: a file of its own, in the form of ssh_config(5).

The user's own configuration is read after it: there, the first word counts.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError, Message, PlatformUnavailable
from mlcube_conformance.base.files import is_plain_file
from mlcube_conformance.runners.places.ssh import known_host as ssh_known_host

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.place import Place

__all__ = ["CONNECT_TIMEOUT", "check_place", "configuration"]

#: Seconds for a connection to be made.
CONNECT_TIMEOUT = 30
#: Seconds without a word from the host after which it is asked, and how often.
_ALIVE_INTERVAL = 5
_ALIVE_COUNT = 3
#: Names that stand for others in documents; RFC 2606.
_PLACEHOLDER = re.compile(r"(^|\.)example(\.(org|com|net))?$")


def check_place(place: Place) -> None:
    """Refuse what can be seen to be wrong before anybody is asked.

    Raises:
        PlatformUnavailable: The platform file does not point to a host.
    """
    if _PLACEHOLDER.search(place.host):
        raise _unusable(
            place, "host", place.host, "the name of a host that you may use"
        )
    for key, path in (
        ("identity_file", place.identity_file),
        ("known_hosts", place.known_hosts),
        ("ssh_config", place.ssh_config),
    ):
        if path is not None and not is_plain_file(path):
            raise _unusable(place, key, f"no file {path}", "a file of this machine")
    key_file = place.identity_file
    if key_file and key_file.suffix == ".pub":
        found = f"{key_file}, by its name the public key"
        raise _unusable(place, "identity_file", found, "the private key")


def _unusable(place: Place, key: str, found: str, expected: str) -> MachineError:
    return PlatformUnavailable(
        Message(
            what=f"cannot use the key {key} of the platform file",
            where=f"{place.file}, key {key}",
            found=found,
            expected=expected,
            do="write it there, or leave the key out where ssh knows it",
        )
    )


def configuration(place: Place, folder: Path) -> str:
    """Return the settings of ssh for a host, in the form of ssh_config(5)."""
    known_host = " ".join(
        _quoted(each)
        for each in (
            *(sys.executable, "-I", "-S", ssh_known_host.__file__),
            str(folder / "shown"),
            ",".join(place.fingerprints),
        )
    )
    lines = [f"Host {place.host}"]
    if place.user:
        lines.append(f"User {_quoted(place.user)}")
    if place.port:
        lines.append(f"Port {place.port}")
    if place.jump:
        lines.append(f"ProxyJump {place.jump}")
    if place.identity_file:
        lines += [
            f"IdentityFile {_quoted(str(place.identity_file))}",
            "IdentitiesOnly yes",
        ]
    lines += [
        f"ControlPath {folder}/control",
        "ControlMaster no",
        "ControlPersist no",
        f"KnownHostsCommand {known_host} %f %H %t %K",
        # A fingerprint in the platform file is the only one that counts.
        *(["UserKnownHostsFile none"] if place.fingerprints else []),
        *(["GlobalKnownHostsFile none"] if place.fingerprints else []),
        "RemoteCommand none",
        "RequestTTY no",
        "ClearAllForwardings yes",
        f"ServerAliveInterval {_ALIVE_INTERVAL}",
        f"ServerAliveCountMax {_ALIVE_COUNT}",
        "TCPKeepAlive yes",
        # Those that are gone through, too.
        "Host *",
        "BatchMode yes",
        "StrictHostKeyChecking yes",
        "UpdateHostKeys no",
        "VerifyHostKeyDNS no",
        "NoHostAuthenticationForLocalhost no",
        f"ConnectTimeout {CONNECT_TIMEOUT - 10}",
        "ForwardAgent no",
        "ForwardX11 no",
        "PermitLocalCommand no",
        "LogLevel ERROR",
    ]
    if place.known_hosts:
        own = _quoted(str(place.known_hosts))
        lines.append(f"UserKnownHostsFile {own} ~/.ssh/known_hosts")
    own = _quoted(str(place.ssh_config)) if place.ssh_config else "~/.ssh/config"
    return "\n".join([*lines, f"Include {own}", "Include /etc/ssh/ssh_config", ""])


def _quoted(text: str) -> str:
    """Return a word of ssh_config(5); its percent characters stand for themselves."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
