"""What processes of this machine are, and what a platform file may ask of them."""

from __future__ import annotations

import re

from mlcube_conformance.runners.about import (
    ENVIRONMENT,
    GPUS,
    GPUS_IN_WORDS,
    OTHER_GPUS,
    About,
    Offer,
)
from mlcube_conformance.runners.flags import (
    IGNORED,
    IGNORED_VALUES,
    OTHERS,
    REFUSED,
)

__all__ = ["ABOUT"]

_OFFER = Offer(
    kind="local",
    command="docker run",
    options={
        "--gpus": "gpus",
        "--network": "network",
        "--net": "network",
        "--env": "env",
        "-e": "env",
    },
    # Nothing is isolated: the network is that of this machine.
    values={
        "gpus": GPUS,
        "network": re.compile("host"),
        "env": ENVIRONMENT,
    },
    known={"gpus": OTHER_GPUS, "network": re.compile(".+")},
    in_words={"gpus": GPUS_IN_WORDS, "network": "host", "env": "NAME=VALUE"},
    repeated=frozenset({"env"}),
    ignored=IGNORED,
    ignored_values=IGNORED_VALUES,
    refused=REFUSED,
    others=OTHERS,
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
