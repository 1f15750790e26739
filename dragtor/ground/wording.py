"""Wording: does a claim say otherwise than its quote, although the words are alike?

Deterministic rules on numbers, force and roles, tuned on one half of tests/data/claims.jsonl.
"""

from __future__ import annotations

from dragtor.ground import force, numbers, roles
from dragtor.ground.tokens import read

_RULES = {  # cheap ones first
    "number": numbers.other_number,
    "strength": force.stronger,
    "bound": numbers.other_bound,
    "opposite": force.opposite,
    "side": roles.other_side,
    "condition": force.unconditional,
    "thing": numbers.other_thing,
    "hedge": force.unhedged,
    "word": roles.other_word,
    "negation": force.negated,
    "swap": roles.swapped,
}


def contradicts(claim: str, quote: str, above: str = "") -> str:
    """The first rule that the claim breaks; empty: it says what `quote` under `above` says."""
    texts = read(claim), read(quote), read(above)
    if texts[0].tokens == texts[1].tokens:
        return ""
    return next((name for name, breaks in _RULES.items() if breaks(*texts)), "")
