"""Force: rules on what a claim says more, or the other way, with nearly the quote's words.

All for most, must for should, not for nothing, more for less, an "if" left out. English; pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, product

from dragtor.ground.tokens import Text, counts, stem

_Row = tuple[re.Pattern[str], re.Pattern[str]]


def _table(lines: str) -> tuple[_Row, ...]:
    """One row a line: words, and after the colon what else holds them up; * is any ending."""
    found = []
    for line in lines.strip().splitlines():
        first, _, more = line.partition(":")
        one, any_of = (
            re.compile(rf"\b(?:{'|'.join(words.split())})\b".replace("*", r"\w*"))
            for words in (first, f"{first} {more}")
        )
        found.append((one, any_of))
    return tuple(found)


# A claim with a word on the left must have a quote with that word or one on the right.
_STRONG = _table("""
all: every each any no none
every: all each
always
never nobody none: not no
must requir* compuls* necessar* essential: need*
will guarant*
prove*: proof
only: alone
certain* definite*
most: usually mostly majority mainly commonly
usually often: most mostly many common* frequen* general* typical* normal*
cause causes caused
leads: lead led
""")
# A clause of the quote with a word on the left: a claim that repeats the clause has one of these.
_HEDGES = _table("""
may might: can could possib* perhaps likely able allow*
suggest* seem* appear*: point* indicat* sign* mean* count* likely
probabl* likely: may might
sometimes: may occasional* can
often usually mostly: common* frequen* most many general* typical* normal* mainly tend*
estimat*: about approx*
believe* think* thought: suspect*
associat* correlat* link*: relat* risk*
whether: unclear unsettled if not unknown unproven
evidence
should recommend* advise*: better must
weak: thin poor little limited
proven shown: known unproven proof evidence proved show* demonstr* effective
""")
_OPPOSITES: dict[str, set[str]] = {}
for _pair in """raise/reduce raised/reduced raises/lowers raise/lower increase/decrease
    increased/decreased more/less more/fewer larger/smaller better/worse above/below before/after
    inside/outside inwards/outwards inward/outward inner/outer faster/slower stronger/weaker
    strong/weak with/without longer/shorter halve/double positive/negative positively/negatively
    front/behind start/stop improve/worsen up/down left/right lengthened/shortened
    lengthen/shorten men/women boys/girls adults/children adult/child easy/hard day/night
    morning/evening high/low higher/lower deep/shallow wide/narrow bent/straight early/late
    upper/lower medial/lateral flexors/extensors most/few most/some
    some/all most/all many/all all/none complete/partial acute/chronic heal/injure heals/injures
    moist/dry common/rare advanced/beginners childhood/adulthood always/sometimes may/must can/must
    radial/ulnar median/ulnar long/short slow/fast first/last""".split():
    _one, _other = _pair.split("/")
    _OPPOSITES.setdefault(_one, set()).add(_other)
    _OPPOSITES.setdefault(_other, set()).add(_one)
_COMPARATIVES = frozenset(
    "more less fewer larger smaller better worse faster slower stronger weaker higher lower".split()
)
_CONDITION = re.compile(
    r"(?<!\beven )\b(?=((?:if|when|unless|until|as long as|provided that|without|except|among|who"
    r"|in (?:an?|one) (?:small |large |laboratory )?(?:study|trial|series)"
    r"|in (?:[^\W\d_]+ )?(?:sports|players|athletes|climbers|women|men|children|adults))\b"
    r"(?:(?! (?:[,;:.]|but)(?: |$)).)*))"
)
_SAME = 0.75  # of the words of two clauses that are one clause said twice
_SENTENCE_END = re.compile(r" [.;](?: |$)")


def stronger(claim: Text, quote: Text, _: Text) -> bool:
    """All, must, always, proves, causes: without one of its family in the quote."""
    return any(one.search(claim.line) and not any_of.search(quote.line) for one, any_of in _STRONG)


def unhedged(claim: Text, quote: Text, _: Text) -> bool:
    """A clause repeated without its may, often, evidence."""
    for clause in quote.clauses:
        if len(clause.content & claim.content) / len(clause.content) >= 0.5:
            for one, any_of in _HEDGES:
                if one.search(clause.line) and not any_of.search(claim.line):
                    return True
    return False


def opposite(claim: Text, quote: Text, _: Text) -> bool:
    """More for less; "B less than A" for "A more than B" is the same."""
    if not any(_opposites(claim, quote)):
        return False
    said, seen = _compared(claim), _compared(quote)
    return not (turned_comparison(claim, quote) and said and seen and said != seen)


def _compared(text: Text) -> str:
    """The first content word after "than", as its stem."""
    after = text.tokens[text.tokens.index("than") :] if "than" in text.known else []
    return next((stem(token) for token in after if counts(token)), "")


def _opposites(claim: Text, quote: Text) -> Iterator[str]:
    """The words of the claim in whose place the quote has the opposite."""
    for word in claim.known - quote.known:
        if _OPPOSITES.get(word, set()) & (quote.known - claim.known):
            yield word


def turned_comparison(claim: Text, quote: Text) -> bool:
    """Whether a comparative stands for its opposite: its two sides have then changed places."""
    return not _COMPARATIVES.isdisjoint(_opposites(claim, quote))


def unconditional(claim: Text, quote: Text, _: Text) -> bool:
    """A sentence repeated without its if, when, in one study."""
    for sentence in _SENTENCE_END.split(quote.line):
        whole = Text(sentence.split()).content
        for condition in _CONDITION.findall(sentence):
            body = Text(condition.split()).content
            main = whole - body
            if not body or not main:
                continue
            said = len(main & claim.content) / len(main)
            if said >= 0.5 and len(body & claim.content) / len(body) < 0.4:
                return True
    return False


def negated(claim: Text, quote: Text, _: Text) -> bool:
    """A not where the quote has none, or one more or less in nearly the same words."""
    if claim.negations and not quote.negations:
        return True
    return any(
        said.negations != seen.negations
        and len(said.content) > 1
        and len(said.content & seen.content) >= _SAME * len(said.content | seen.content)
        for said, seen in chain([(claim, quote)], product(claim.clauses, quote.clauses))
    )
