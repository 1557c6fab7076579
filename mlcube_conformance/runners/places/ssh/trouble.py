"""Explains in plain words why ssh cannot connect."""

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
    "the key of the host is unknown",
    "compare the fingerprint with the one that its administrator gives; then\n"
    "write it into the platform file (fingerprint: SHA256:…), or name a file\n"
    "with the key (known_hosts: FILE), or connect once by hand:\n"
    "BY HAND",
)
_REFUSED = Trouble(
    "the host accepts none of the keys for that user",
    "fix authentication.user or identity_file; a key with a passphrase must\n"
    "be in the agent (ssh-add): nothing can ask for it here",
)
_CHANGED_KEY = Trouble(
    "the key of the host differs from the trusted one",
    "ask the administrator of the host; if the new key is right, replace\n"
    "the one in known_hosts",
)
_TROUBLES = (
    (
        re.compile(r"could not resolve hostname", re.IGNORECASE),
        Trouble(
            "the name of the host is unknown",
            "fix host, or add it to ~/.ssh/config",
        ),
    ),
    (
        re.compile(r"identification has changed", re.IGNORECASE),
        _CHANGED_KEY,
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
            "other users can read the key file, and ssh refuses it",
            "run chmod 600 on the key file",
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
            "cannot reach the host",
            "start the host or its sshd, or fix host, port or jump",
        ),
    ),
    (
        re.compile(r"bad configuration option", re.IGNORECASE),
        Trouble(
            "this ssh is too old, or its configuration is broken",
            "install OpenSSH 8.5 or newer, or fix ~/.ssh/config",
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
    if key and found is _CHANGED_KEY:
        what = f"{what}; it shows {key}"
    elif key and found is _UNKNOWN_KEY:
        if place.fingerprints:
            trusted = ", ".join(place.fingerprints)
            return Trouble(
                f"the host shows the key {key}, but the platform file trusts {trusted}",
                "ask the administrator of the host which one is right, before you "
                "change fingerprint",
            )
        what = f"{what}; it shows {key}"
    elif found is _REFUSED:
        user = place.user or "the default of ssh"
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
