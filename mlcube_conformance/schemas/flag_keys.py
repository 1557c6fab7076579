"""Rules of the keys of a section that are flags of an engine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlcube_conformance.formats.run_args import given_elsewhere
from mlcube_conformance.schemas.rules import (
    FILLED,
    NOTHING,
    SCALAR,
    Rule,
    any_of,
    described,
    exactly,
    pattern_of,
)

if TYPE_CHECKING:
    from mlcube_conformance.runners.about import Offer

__all__ = ["flag_rules", "other_flags"]

#: Numbers as files have them: if none serves, no number does.
_NUMBERS = ("0", "1", "2", "10", "1.5", "-1")
_TRUTHS = ("true", "false")
#: A name of a variable, without its value: unsupported, and no fault.
_VARIABLE_ALONE = "[A-Za-z_][A-Za-z0-9_]*"


def flag_rules(offer: Offer, values: tuple[str, ...]) -> dict[str, Rule]:
    """Return the rules of the keys that are flags of which the engine takes the value.

    Args:
        offer: What the engine may be asked for.
        values: Keys that mean more than flags.
    """
    return {
        flag: _rule(flag, offer)
        for flag in offer.options
        if flag.startswith("--") and flag not in values
    }


def _rule(flag: str, offer: Offer) -> Rule:
    """Return the rule of a key that is a flag of which the engine takes the value."""
    option = offer.options[flag]
    shown = offer.in_words.get(option, "true")
    regexes = [
        each for each in (offer.values.get(option), offer.known.get(option)) if each
    ]
    patterns = [pattern_of(each) for each in regexes]
    truths: tuple[str, ...] = ()
    if flag in offer.words:
        patterns.append("true|false|")
        truths = _TRUTHS
    if option == "env":
        patterns.append(_VARIABLE_ALONE)
    known = re.compile("|".join(f"(?:{each.pattern})" for each in regexes) or "(?!)")
    types = ["number"] if any(map(known.fullmatch, _NUMBERS)) else []
    types += ["boolean"] if truths or any(map(known.fullmatch, _TRUTHS)) else []
    ways: list[Rule] = [exactly("|".join(patterns)), FILLED, NOTHING]
    if types:
        ways.append({"type": types})
    return described(f"As the flag of {offer.command}: {shown}.", any_of(*ways))


def other_flags(offer: Offer, values: tuple[str, ...]) -> dict[str, Rule]:
    """Return the rules of all other keys of a section that begin with two hyphens.

    Args:
        offer: What the engine may be asked for.
        values: Keys that mean more than flags.
    """
    flags = {
        *offer.options,
        *offer.ignored,
        *offer.ignored_values,
        *offer.refused,
        *offer.others,
        *(each.partition("=")[0] for each in offer.same),
        *given_elsewhere(offer),
    }
    known = {each[2:] for each in flags if each.startswith("--")}
    own = {each[2:] for each in values}
    # Each key matches one of these: editors look no further than the first.
    return {
        f"^--(?:{'|'.join(sorted(known - own))})$": described(
            f"A flag of {offer.command}.", SCALAR
        ),
        f"^--(?!(?:{'|'.join(sorted(known | own))})$)[A-Za-z0-9_-]+$": described(
            f"Not a flag of {offer.command}.", NOTHING
        ),
        "^--.*[^A-Za-z0-9_-]": described("Not a flag.", SCALAR),
    }
