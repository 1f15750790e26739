"""Support: whether spans of text entail a claim; the contract of everything that says so.

tests/test_support_contract.py holds its implementations to it. Knows none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from dragtor.ground.spans import TextSpan

Label = Literal["supported", "contradicted", "unknown"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a span says of a claim.

    `score` is 0..1: how far the span supports the claim, 0.5 or more where it is supported, less
    where it is not. `reason` is a short word on why not, where one is known.
    """

    label: Label
    score: float
    reason: str = ""


class Support(Protocol):
    """Natural language inference over spans: rules, or a trained head."""

    def verify(self, claim: str, spans: Sequence[TextSpan]) -> list[Verdict]:
        """One verdict a span, in their order, each on that span alone under its section path.

        A claim is one sentence without citation markers. A question supports nothing and is not
        supported. Any text is allowed; nothing is raised for its content.
        """
