"""Claims over evidence as rows of the reader's head `supports`, with contradictions made of
supported ones.

Owns how many claims of which set are taken and how evidence is cut; does not know the sets' formats
nor questions.

Labels of what is made: whoever exchanges roles, numbers, times, units, words for their opposites or
denies a statement contradicts it; "may help" made "always helps" is unknown, for evidence of a
possibility denies no certainty.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import reader_makers as makers
from reader_sets import Claim
from reader_text import Index, holds, nearest, pieces, sentences, stems, window

TAKEN = {  # rows of a set and label at most
    "fever": {"supported": 3000, "contradicted": 3000},
    "snli": {"supported": 1000, "contradicted": 1000, "unknown": 1200},
    "begin": {"supported": 1500, "unknown": 1700},
    "factcheck": {"unknown": 1500},
}
MADE = {"role": 500, "number": 900, "time": 700, "unit": 150, "negation": 800, "modality": 300,
        "population": 250, "condition": 400, "antonym": 500, "name": 700}  # fmt: skip
HELD_MAKER = "name"  # made for the held-out files only
DENIED = 700  # refuted claims
OTHER_EVIDENCE = 1800  # claims over evidence of something near
BUDGET = 130  # word pieces of evidence
Make = Callable[[Claim, random.Random], tuple[str, str] | None]  # claim, evidence


def shown(claim: Claim, draw: random.Random) -> Claim:
    """The claim with long evidence cut around the sentences that must stay, or the nearest one."""
    if pieces(claim.evidence) <= BUDGET:
        return replace(claim, evidence=re.sub(r"\s+", " ", claim.evidence))
    spans = sentences(claim.evidence)
    near = nearest(claim.evidence, spans, claim.claim)
    marked = [i for i in claim.at if i < len(spans)] or [near]
    if (
        len(marked) > 1
        and pieces(claim.evidence[spans[marked[0]][0] : spans[marked[-1]][1]]) > BUDGET
    ):
        marked = [near if near in marked else marked[0]]
    keep = (spans[min(marked)][0], spans[max(marked)][1])
    start, end = window(claim.evidence, keep, BUDGET, draw)
    return replace(claim, evidence=re.sub(r"\s+", " ", claim.evidence[start:end]))


def taken(claims: Sequence[Claim], draw: random.Random) -> list[Claim]:
    """As many of each set and label as are wanted, with their evidence cut, none too long."""
    counts: Counter[tuple[str, str]] = Counter()
    kept = []
    for claim in draw.sample(claims, len(claims)):
        key = claim.source, claim.label
        if counts[key] >= TAKEN.get(claim.source, {}).get(claim.label, 10**9):
            continue
        cut = shown(claim, draw)
        if pieces(cut.evidence) + pieces(cut.claim) <= 185 and len(cut.claim.split()) > 2:
            counts[key] += 1
            kept.append(cut)
    return kept


def made(
    claims: Sequence[Claim],
    antonyms: Mapping[str, Sequence[str]],
    draw: random.Random,
    share: float = 1,
) -> Iterator[Claim]:
    """Contradicted (and some unknown) claims out of supported ones, each with its maker's name."""
    good = [
        claim for claim in claims if claim.label == "supported" and claim.source != "refchecker"
    ]
    names: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for claim in good:
        names[claim.source] += makers.names(claim.evidence)
    makes = _makes(antonyms, names)
    used: Counter[str] = Counter()
    for maker, wanted in MADE.items():
        count = 0
        for claim in draw.sample(good, len(good)):
            if count >= wanted * share:
                break
            found = makes[maker](claim, draw) if used[claim.claim] < 2 else None
            if found:
                count += 1
                used[claim.claim] += 1
                label = "unknown" if maker == "modality" else "contradicted"
                yield replace(claim, claim=found[0], evidence=found[1], label=label, maker=maker)
    yield from _denied(claims, int(DENIED * share), draw)
    yield from _other_evidence(good, int(OTHER_EVIDENCE * share), draw)


def _denied(claims: Sequence[Claim], wanted: int, draw: random.Random) -> Iterator[Claim]:
    """Refuted claims denied are supported, so that a "not" alone says nothing."""
    refuted = [c for c in claims if c.label == "contradicted" and c.source == "fever"]
    found = ((c, makers.statement_negated(c.claim)) for c in draw.sample(refuted, len(refuted)))
    denied = [replace(c, claim=new, label="supported", maker="denied") for c, new in found if new]
    yield from denied[:wanted]


def _makes(
    antonyms: Mapping[str, Sequence[str]], names: Mapping[str, Sequence[tuple[str, str]]]
) -> dict[str, Make]:
    def table(words: Mapping[str, Sequence[str]]) -> Make:
        return lambda claim, draw: _exchanged(
            claim, makers.exchanged(claim.claim, claim.evidence, words, draw), draw
        )

    return {
        "role": lambda claim, draw: _claim(claim, makers.roles_exchanged(claim.claim)),
        "number": lambda claim, draw: _exchanged(
            claim, makers.exchanged_number(claim.claim, claim.evidence, draw), draw
        ),
        "time": lambda claim, draw: _exchanged(
            claim, makers.exchanged_time(claim.claim, claim.evidence, draw), draw
        ),
        "unit": lambda claim, draw: _exchanged(
            claim, makers.unit_exchanged(claim.claim, claim.evidence, draw), draw
        ),
        "negation": lambda claim, draw: _claim(claim, makers.statement_negated(claim.claim)),
        "modality": _modality,
        "population": table(makers.POPULATION),
        "condition": table(makers.CONDITION),
        "antonym": table(antonyms),
        "name": lambda claim, draw: _name(claim, names[claim.source], draw),
    }


def _claim(claim: Claim, new: str | None) -> tuple[str, str] | None:
    return (new, claim.evidence) if new else None


def _exchanged(
    claim: Claim, pair: tuple[str, str] | None, draw: random.Random
) -> tuple[str, str] | None:
    """A word exchanged in the claim or, in some, in the evidence."""
    if pair is None:
        return None
    old, new = pair
    if draw.random() < 0.35:
        evidence = makers.replaced(claim.evidence, old, new)
        if not stems(old) & stems(evidence):
            return claim.claim, evidence
    return makers.replaced(claim.claim, old, new), claim.evidence


def _modality(claim: Claim, draw: random.Random) -> tuple[str, str] | None:
    """Only where the evidence speaks of a possibility as well."""
    new = makers.strengthened(claim.claim)
    possible = re.search(
        r"\b(?:may|might|could|can|seem|appear|suggest|tend|sometimes|often)", claim.evidence
    )
    return (new, claim.evidence) if new and possible else None


def _name(
    claim: Claim, others: Sequence[tuple[str, str]], draw: random.Random
) -> tuple[str, str] | None:
    """A name that the evidence knows, for another of its kind that the evidence lacks."""
    known = [pair for pair in makers.names(claim.evidence) if holds(claim.claim, pair[0])]
    if not known or not others or len(claim.claim.split()) < 6:
        return None
    old, kind = draw.choice(known)
    more = draw.sample(list(others), min(60, len(others)))
    choice = [name for name, other in more if other == kind and not holds(claim.evidence, name)
              and not stems(name) & stems(f"{old} {claim.claim}")]  # fmt: skip
    return (makers.replaced(claim.claim, old, choice[0]), claim.evidence) if choice else None


def _other_evidence(claims: Sequence[Claim], wanted: int, draw: random.Random) -> Iterator[Claim]:
    """Supported claims over near evidence that lacks much of what they say: unknown."""
    sets = ("fever", "scifact", "factcheck", "begin", "snli")
    some = [claim for claim in claims if claim.source in sets]
    index = Index.of(claim.evidence for claim in some)
    count = 0
    for claim in draw.sample(some, len(some)):
        if count >= wanted:
            return
        said = stems(claim.claim)
        found = [text for text in index.search(claim.claim, 12) if text != claim.evidence]
        found = [text for text in found if len(said & stems(text)) < 0.5 * len(said)][:3]
        if found and len(said) > 2 and any(said & stems(text) for text in found):
            count += 1
            yield replace(
                claim, evidence=draw.choice(found), label="unknown", maker="other_document"
            )
