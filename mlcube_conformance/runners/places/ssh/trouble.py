"""Says in plain words what ssh means when it cannot connect."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlcube_conformance.place import Place

__all__ = ["Trouble", "by_hand", "hand_words", "what_ssh_means"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no connection, and what to do."""

    what: str
    do: str


_UNKNOWN_KEY = Trouble(
    "the key of the host is not known",
    "compare the fingerprint with what whoever runs the host says; then write\n"
    "it into the platform file (fingerprint: SHA256:…), or name a file with\n"
    "the key (known_hosts: FILE), or connect once by hand:\nBY HAND",
)
_REFUSED = Trouble(
    "the host does not let that user in with any of the keys",
    "mend authentication.user or identity_file; a key with a passphrase must\n"
    "be in the agent (ssh-add), since nobody can be asked for it here",
)
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
            "ask whoever runs the host; if the new key is right, put it in place of\n"
            "the one in known_hosts",
        ),
    ),
    (
        re.compile(
            r"host key verification failed|no .* host key is known", re.IGNORECASE
        ),
        _UNKNOWN_KEY,
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
        _REFUSED,
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


def what_ssh_means(said: str, place: Place, key: str) -> Trouble:
    """Return what the words of ssh mean.

    Args:
        said: Its standard error.
        place: The host that it was to connect to.
        key: The key that the host has shown, with its fingerprint; "" for none.
    """
    found = next((each for form, each in _TROUBLES if form.search(said)), None)
    if found is None:
        return Trouble("ssh cannot connect", f"try it by hand: {by_hand(place)}")
    what = found.what
    if key and "key" in what and "the host shows" in what:
        what = f"{what}: {key}"
    elif key and found is _UNKNOWN_KEY:
        if place.fingerprints:
            trusted = ", ".join(place.fingerprints)
            return Trouble(
                f"the host shows the key {key}, but the platform file trusts {trusted}",
                "ask whoever runs the host which one is right, before you change "
                "fingerprint",
            )
        what = f"{what}; it shows {key}"
    elif found is _REFUSED:
        user = place.user or "whom ssh names"
        keys = place.identity_file or "those of ssh and of its agent"
        what = f"{what} (user: {user}; keys: {keys})"
    return Trouble(what, found.do.replace("BY HAND", by_hand(place)))


def by_hand(place: Place) -> str:
    """Return the command line that connects to a host."""
    return shlex.join(hand_words(place))


def hand_words(place: Place) -> tuple[str, ...]:
    """Return the words of a command line of ssh, as a person would type it."""
    config = ("-F", str(place.ssh_config)) if place.ssh_config else ()
    port = ("-p", str(place.port)) if place.port else ()
    jump = ("-J", place.jump) if place.jump else ()
    key = ("-i", str(place.identity_file)) if place.identity_file else ()
    known = (
        ("-o", f"UserKnownHostsFile={place.known_hosts}") if place.known_hosts else ()
    )
    target = f"{place.user}@{place.host}" if place.user else place.host
    return ("ssh", *config, *port, *jump, *key, *known, target)
