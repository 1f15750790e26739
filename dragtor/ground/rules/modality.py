"""Modality: rules on what a claim says more, or the other way, with nearly the quote's words.

All for most, must for should, not for nothing, more for less, an "if" left out. Pure; the words
are the vocabulary's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, product

from dragtor.ground.rules.tokens import Text, counts, stem
from dragtor.ground.rules.vocabulary import RuleVocabulary

_SAME = 0.75  # of the words of two clauses that are one clause said twice
_SENTENCE_END = re.compile(r" [.;](?: |$)")


def stronger(claim: Text, quote: Text, _: Text, vocabulary: RuleVocabulary) -> bool:
    """All, must, always, proves, causes: without one of its family in the quote."""
    return any(
        one.search(claim.line) and not any_of.search(quote.line)
        for one, any_of in vocabulary.strong
    )


def unhedged(claim: Text, quote: Text, _: Text, vocabulary: RuleVocabulary) -> bool:
    """A clause repeated without its may, often, evidence."""
    for clause in quote.clauses:
        if len(clause.content & claim.content) / len(clause.content) >= 0.5:
            for one, any_of in vocabulary.hedges:
                if one.search(clause.line) and not any_of.search(claim.line):
                    return True
    return False


def opposite(claim: Text, quote: Text, _: Text, vocabulary: RuleVocabulary) -> bool:
    """More for less; "B less than A" for "A more than B" is the same."""
    if not any(_opposites(claim, quote, vocabulary)):
        return False
    said, seen = _compared(claim), _compared(quote)
    return not (turned_comparison(claim, quote, vocabulary) and said and seen and said != seen)


def _compared(text: Text) -> str:
    """The first content word after "than", as its stem."""
    after = text.tokens[text.tokens.index("than") :] if "than" in text.known else []
    return next((stem(token) for token in after if counts(token)), "")


def _opposites(claim: Text, quote: Text, vocabulary: RuleVocabulary) -> Iterator[str]:
    """The words of the claim in whose place the quote has the opposite."""
    for word in claim.known - quote.known:
        if vocabulary.opposites.get(word, set()) & (quote.known - claim.known):
            yield word


def turned_comparison(claim: Text, quote: Text, vocabulary: RuleVocabulary) -> bool:
    """Whether a comparative stands for its opposite: its two sides have then changed places."""
    return not vocabulary.comparatives.isdisjoint(_opposites(claim, quote, vocabulary))


def unconditional(claim: Text, quote: Text, _: Text, vocabulary: RuleVocabulary) -> bool:
    """A sentence repeated without its if, when, in one study."""
    for sentence in _SENTENCE_END.split(quote.line):
        whole = Text(sentence.split()).content
        for condition in vocabulary.condition.findall(sentence):
            body = Text(condition.split()).content
            main = whole - body
            if not body or not main:
                continue
            said = len(main & claim.content) / len(main)
            if said >= 0.5 and len(body & claim.content) / len(body) < 0.4:
                return True
    return False


def negated(claim: Text, quote: Text, _: Text, __: RuleVocabulary) -> bool:
    """A not where the quote has none, or one more or less in nearly the same words."""
    if claim.negations and not quote.negations:
        return True
    return any(
        said.negations != seen.negations
        and len(said.content) > 1
        and len(said.content & seen.content) >= _SAME * len(said.content | seen.content)
        for said, seen in chain([(claim, quote)], product(claim.clauses, quote.clauses))
    )
