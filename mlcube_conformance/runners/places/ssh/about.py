"""What another host is: a place, where the platform used there is asked."""

from __future__ import annotations

from mlcube_conformance.runners.about import About

__all__ = ["ABOUT"]

ABOUT = About(
    kind="ssh",
    title="another host",
    runner=f"{__package__}.runner:SshRunner",
)
