"""What ssh means when it cannot connect: an example of each of its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlcube_conformance.place import Place
from mlcube_conformance.runners.places.ssh.trouble import what_ssh_means

KEY = "SHA256:AAAA"
PLACE = Place(host="far", user="me", port=2222, identity_file=Path("/keys/me"))


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("ssh: Could not resolve hostname far: Name or service not known", "name"),
        ("WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!", "key"),
        ("No ED25519 host key is known for far", "key of the host"),
        ("Host key verification failed.", "key of the host"),
        ("WARNING: UNPROTECTED PRIVATE KEY FILE!", "key file"),
        ("bad permissions: ignore key", "key file"),
        ("me@far: Permission denied (publickey).", "(user: me; keys: /keys/me)"),
        ("Received disconnect: Too many authentication failures", "(user: me;"),
        ("connect to host far port 22: Connection refused", "cannot reach"),
        ("connect to host far port 22: Connection timed out", "cannot reach"),
        ("connect to host far port 22: No route to host", "cannot reach"),
        (
            "connect to host far port 22: Network is unreachable",
            "cannot reach the host",
        ),
        (
            "kex_exchange_identification: read: Connection reset by peer",
            "cannot reach the host",
        ),
        ("Connection closed by 10.0.0.1 port 22", "cannot reach"),
        ("command-line: line 0: Bad configuration option: knownhosts", "too old"),
        ("something else", "ssh cannot connect"),
    ],
)
def test_each_trouble_is_explained(said: str, what: str) -> None:
    trouble = what_ssh_means(said, PLACE, "")

    assert what in trouble.what
    assert trouble.do


def test_the_key_that_a_host_shows_is_part_of_what_is_said() -> None:
    unknown = what_ssh_means("Host key verification failed.", PLACE, KEY)
    changed = what_ssh_means("identification has changed", PLACE, KEY)

    assert f"it shows {KEY}" in unknown.what
    assert KEY in changed.what


def test_a_key_that_the_platform_file_does_not_trust_is_compared() -> None:
    place = Place(host="far", fingerprints=("SHA256:BBBB",))

    trouble = what_ssh_means("Host key verification failed.", place, KEY)

    assert KEY in trouble.what
    assert "SHA256:BBBB" in trouble.what


def test_what_to_do_by_hand_is_a_whole_command() -> None:
    trouble = what_ssh_means("something else", PLACE, "")

    assert "ssh -p 2222 -i /keys/me me@far" in trouble.do
