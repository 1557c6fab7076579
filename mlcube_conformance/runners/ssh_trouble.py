"""Says in plain words what ssh means when it cannot connect."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Trouble", "what_ssh_means"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no connection; `HOST` in what to do stands for the host."""

    what: str
    do: str = "try it by hand: ssh HOST"


_TROUBLES = (
    (
        re.compile(r"could not resolve hostname", re.IGNORECASE),
        Trouble(
            "no host of that name is known",
            "mend host, or add it to ~/.ssh/config",
        ),
    ),
    (
        re.compile(r"identification has changed", re.IGNORECASE),
        Trouble(
            "the host shows another key than the one that is trusted",
            "ask whoever runs the host; if the new key is right, remove the old one:\n"
            "ssh-keygen -R HOST",
        ),
    ),
    (
        re.compile(
            r"host key verification failed|no .* host key is known", re.IGNORECASE
        ),
        Trouble(
            "the key of the host is not known",
            "compare the fingerprint with what whoever runs the host says; then write\n"
            "it into the platform file (fingerprint: SHA256:…), or name a file with\n"
            "the key (known_hosts: FILE), or connect once by hand: ssh HOST",
        ),
    ),
    (
        re.compile(r"unprotected private key|bad permissions", re.IGNORECASE),
        Trouble(
            "the key file can be read by others, so that ssh does not use it",
            "chmod 600 the key file",
        ),
    ),
    (
        re.compile(
            r"permission denied|too many authentication failures", re.IGNORECASE
        ),
        Trouble(
            "the host does not let that user in with any of the keys",
            "mend authentication.user or identity_file; a key with a passphrase must\n"
            "be in the agent (ssh-add), since nobody can be asked for it here",
        ),
    ),
    (
        re.compile(
            r"connection refused|timed out|no route to host|unreachable|reset by peer"
            r"|connection closed",
            re.IGNORECASE,
        ),
        Trouble(
            "the host cannot be reached",
            "start the host or its sshd, or mend host, port or jump",
        ),
    ),
    (
        re.compile(r"bad configuration option", re.IGNORECASE),
        Trouble(
            "this ssh is too old, or its configuration is broken",
            "install OpenSSH 8.5 or newer, or mend ~/.ssh/config",
        ),
    ),
)


def what_ssh_means(said: str, key: str) -> Trouble:
    """Return what the words of ssh mean.

    Args:
        said: Its standard error.
        key: The key that the host has shown, with its fingerprint; "" for none.
    """
    for pattern, trouble in _TROUBLES:
        if pattern.search(said):
            if key and "key of the host" in trouble.what:
                return Trouble(f"{trouble.what}; it shows {key}", trouble.do)
            return trouble
    return Trouble("ssh cannot connect")
