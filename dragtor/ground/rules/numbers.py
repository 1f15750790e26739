"""Numbers: rules on the numbers, measures and numbered names of a claim and its quote.

Pure; each rule says whether the claim breaks it.
"""

from __future__ import annotations

import re
from itertools import accumulate

from dragtor.ground.rules.tokens import PUNCTUATION, Number, Text, counts, stem
from dragtor.ground.rules.vocabulary import RuleVocabulary

_BELOW = """less than|fewer than|at most|no more than|not more than|up to|under|below
|shorter than|smaller than|no higher than|nearly|almost|within""".replace("\n", "")
_ABOVE = """more than|at least|over|above|longer than|larger than|exceeds?|greater than
|no less than""".replace("\n", "")
_BOUND = re.compile(rf"\b(?:({_BELOW})|{_ABOVE}) (?:(?:about|every|the|minus) )*(\d[\d.]*)")
_OR_MORE = re.compile(r"\b(\d[\d.]*) (?:[^\W\d_]+ )?or more\b")
_PARTS = PUNCTUATION | frozenset("and but while whereas against or".split())


def other_number(claim: Text, quote: Text, section: Text, _: RuleVocabulary) -> bool:
    """A number, measure, ordinal, or name like A2 that is not there; or a number of another."""
    values = {number.value for number in (*quote.numbers, *section.numbers)}
    for number in claim.numbers:
        if number.value == 1 and "one" in quote.known:
            continue
        if number.unit and not any(_is_there(number, seen) for seen in quote.numbers):
            return True
        if not number.unit and number.value not in values:
            return True
        if number.thing and number.thing not in quote.known | section.known:
            units = {seen.unit for seen in quote.numbers if seen.value == number.value}
            if units and "" not in units:
                return True
    if claim.units - quote.units - section.units - {seen.unit for seen in quote.numbers}:
        return True
    return any(
        token[0].isalpha() and token[-1].isdecimal()
        for token in claim.known - quote.known - section.known
    )


def _is_there(said: Number, seen: Number) -> bool:
    """Whether a measure of the claim may be that number of the quote; a bare number counts any."""
    degrees = said.unit == "degree" and seen.unit in ("celsius", "fahrenheit")
    same = said.unit == seen.unit or degrees or not (seen.unit or seen.thing)
    return said.value == seen.value and same


def other_bound(claim: Text, quote: Text, _: Text, __: RuleVocabulary) -> bool:
    """At most 5 that was at least 5."""
    said, seen = _bounds(claim), _bounds(quote)
    return any(said[value].isdisjoint(seen[value]) for value in said if value in seen)


def other_thing(claim: Text, quote: Text, _: Text, __: RuleVocabulary) -> bool:
    """A measure in words that stand around another measure of that unit in the quote."""
    said, seen = _around(claim, 4), _around(quote, 6)
    for number, _part, words in said:
        if len(words) < 2 or not number.unit:
            continue
        own = [(part, len(words & around)) for n, part, around in seen if n.value == number.value]
        parts = {part for part, _ in own}
        other = [
            len(words & around)
            for n, part, around in seen
            if n.value != number.value and n.unit == number.unit and part not in parts
        ]
        most = max((likeness for _, likeness in own), default=0)
        if own and max(other, default=0) > most + bool(most):
            return True
    return False


def _bounds(text: Text) -> dict[float, set[str]]:
    found: dict[float, set[str]] = {}
    for below, number in _BOUND.findall(text.line):
        found.setdefault(float(number), set()).add("<" if below else ">")
    for number in _OR_MORE.findall(text.line):
        found.setdefault(float(number), set()).add(">")
    return found


def _around(text: Text, reach: int) -> list[tuple[Number, int, set[str]]]:
    """Each number, its part of the sentence, the stems of up to `reach` words either side there."""
    tokens = text.tokens
    numbers = {number.at for number in text.numbers}
    parts = list(
        accumulate(
            int(token in _PARTS and not {at - 1, at + 1} <= numbers)
            for at, token in enumerate(tokens)
        )
    )
    places = [(at, parts[at]) for at, token in enumerate(tokens) if counts(token)]
    found = []
    for number in text.numbers:
        part = parts[number.at]
        near = [at for at, its in places if its == part]
        left = [at for at in near if at < number.at][-reach:]
        right = [at for at in near if at > number.at][:reach]
        found.append((number, part, {stem(tokens[at]) for at in left + right}))
    return found
