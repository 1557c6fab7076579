"""Says which host key is trusted, to ssh, by the fingerprint in a platform file.

ssh runs this as its KnownHostsCommand (ssh_config(5)), with the file to write down
the key that the host has shown in, the fingerprints to trust, and the key. It runs
without the package: it may import nothing but the standard library.
"""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["main"]

#: What ssh gives instead of a key when it only asks which kinds are known.
_NO_KEY = "NONE"


def main() -> None:
    """Write down the key; print it as a line of known_hosts where it is trusted."""
    _, shown, trusted, fingerprint, host, kind, key = sys.argv
    if fingerprint == _NO_KEY:
        return
    Path(shown).write_text(f"{kind} {fingerprint}", encoding="utf-8")
    if fingerprint in trusted.split(","):
        sys.stdout.write(f"{host} {kind} {key}\n")


if __name__ == "__main__":
    main()
