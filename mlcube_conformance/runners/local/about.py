"""What processes of this machine are, and what a platform file may ask of them."""

from __future__ import annotations

import re

from mlcube_conformance.runners.about import GPUS, About, Offer

__all__ = ["ABOUT"]

_OFFER = Offer(
    kind="local",
    command="docker run",
    options={"--gpus": "gpus", "--network": "network", "--net": "network"},
    # Nothing is isolated: the network is that of this machine.
    values={
        "gpus": GPUS,
        "network": re.compile("host"),
    },
    ignored=frozenset({"--rm"}),
    needs_image=False,
)
ABOUT = About(
    kind="local",
    title="this machine",
    runner=f"{__package__}.runner:LocalRunner",
    offer=_OFFER,
    preference=3,
    isolates=False,
)
