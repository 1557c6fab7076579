"""Runs the command line by `python -m mlcube_conformance`."""

from __future__ import annotations

from mlcube_conformance.commands.project import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
