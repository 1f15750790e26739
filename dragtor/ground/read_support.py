"""ReaderSupport: a Support that asks the rules first, and the reader's entail head besides.

Rules on what is exact (numbers, names) have the last word; of wording the reader may know better.
"""

from __future__ import annotations

from collections.abc import Sequence

from dragtor.ground.premise import evidence
from dragtor.ground.rules import UNKNOWN_SCORE, RuleSupport
from dragtor.ground.spans import TextSpan
from dragtor.ground.support import Verdict
from dragtor.types import Entailment, Reader

DENIED = 0.9  # probability of a contradiction from which what rules accept is refused
CARRIED = 0.9  # probability of support from which what rules are unsure of is accepted
LEAST_SHARED = 0.3  # of a claim's words in the sentence itself: below, it is not read
# Reasons of the rules that are about wording: what they refuse for these may be accepted.
WORDING = frozenset(["words", "word", "swap", "side", "hedge", "strength", "condition"])


class ReaderSupport:
    """A Support of rules and a reader; one pass of the reader a claim."""

    def __init__(self, rules: RuleSupport, reader: Reader) -> None:
        self.rules = rules
        self.reader = reader

    def verify(self, claim: str, spans: Sequence[TextSpan]) -> list[Verdict]:
        """One verdict a span; the reason is a rule's, or "reader" where it says no."""
        verdicts = self.rules.verify(claim, spans)
        doubtful = [
            at
            for at, (verdict, span) in enumerate(zip(verdicts, spans, strict=True))
            if verdict.label == "supported" or self._unsure(claim, span, verdict)
        ]
        said = self.reader.entail(claim, [evidence(spans[at]) for at in doubtful])
        for at, entailment in zip(doubtful, said, strict=True):
            verdicts[at] = _weighed(verdicts[at], entailment)
        return verdicts

    def _unsure(self, claim: str, span: TextSpan, verdict: Verdict) -> bool:
        """Whether no rule on what is exact refuses, and the two have words in common."""
        if verdict.reason not in WORDING:
            return False
        near = verdict.reason != "words" or verdict.score >= UNKNOWN_SCORE * LEAST_SHARED
        return near and not self.rules.exact(claim, span)


def _weighed(verdict: Verdict, said: Entailment) -> Verdict:
    if verdict.label == "supported":
        denied = said.contradicted >= DENIED
        return Verdict("contradicted", 0.0, "reader") if denied else verdict
    return Verdict("supported", 0.5 + said.supported / 2) if said.supported >= CARRIED else verdict
