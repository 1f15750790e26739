"""Argument order: rules on words that have changed places, or were exchanged or added.

Who does what to whom. Pure; each rule says whether the claim breaks it.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import pairwise

from dragtor.ground.rules.modality import turned_comparison
from dragtor.ground.rules.tokens import PUNCTUATION, Text, counts, stem
from dragtor.ground.rules.vocabulary import RuleVocabulary

_PIVOTS = ("than", "before", "after", "against", "not", "under", "from")
_PIVOT_ENDS = PUNCTUATION | frozenset(
    """than before after against not without under below above between while when if behind but
    and""".split()
)
_PIVOT_REACH = 4  # content words
_LONGEST_PHRASE = 3  # words that change places with others
_MIN_GAIN = 2  # neighbours that changing them back puts together


def other_side(claim: Text, quote: Text, _: Text, vocabulary: RuleVocabulary) -> bool:
    """What stood before a pivot (than, before, not, from) stands after it."""
    turned = turned_comparison(claim, quote, vocabulary)
    return any(
        _moved(claim, quote, pivot)
        for pivot in _PIVOTS
        if pivot in claim.known and pivot in quote.known and not (turned and pivot == "than")
    )


def _moved(claim: Text, quote: Text, pivot: str) -> bool:
    """Whether more of the words after the pivot stand elsewhere in the other text than there."""
    said, seen = _after(claim, pivot), _after(quote, pivot)
    away = len((said & quote.content) - seen) + len((seen & claim.content) - said)
    return bool(said and seen) and away > len(said & seen)


def _after(text: Text, pivot: str) -> set[str]:
    found: set[str] = set()
    for at, token in enumerate(text.tokens):
        if token == pivot:
            words: list[str] = []
            for word in text.tokens[at + 1 :]:
                if word in _PIVOT_ENDS or len(words) == _PIVOT_REACH:
                    break
                if counts(word):
                    words.append(stem(word))
            found.update(words)
    return found


def other_word(claim: Text, quote: Text, section: Text, _: RuleVocabulary) -> bool:
    """A new word in the place of another, or one run of new words put in.

    What the section path says may be put in, not take the place of another.
    """
    new = claim.content - quote.content
    if not new:
        return False
    said, seen = ([stem(word) for word in text.words] for text in (claim, quote))
    changes, runs = 0, []
    for kind, a1, a2, b1, b2 in SequenceMatcher(None, said, seen, autojunk=False).get_opcodes():
        changes += kind in ("replace", "delete")
        brought = new.intersection(said[a1:a2])
        gone = (quote.content - claim.content).intersection(seen[b1:b2])
        if brought and gone and a2 - a1 <= 2 and b2 - b1 <= 2:
            return True
        if brought - section.content:
            runs.append(a2 - a1 > b2 - b1)
    return changes <= 2 and runs == [True]


def exchanged_phrases(claim: Text, quote: Text, section: Text, vocabulary: RuleVocabulary) -> bool:
    """Two phrases that the quote has the other way round; nothing is new."""
    if claim.content - quote.content - section.content or turned_comparison(
        claim, quote, vocabulary
    ):
        return False
    if ("by" in claim.known) != ("by" in quote.known):
        return False
    said = ["^", *map(stem, claim.tokens), "$"]
    there = set(pairwise(["^", *map(stem, quote.tokens), "$"]))
    apart = [False, *(pair not in there for pair in pairwise(said))]  # from the word before
    weighs = [False, *(word[0].isdecimal() or counts(word) for word in claim.tokens), False]
    phrases = [
        (start, end)
        for start in range(1, len(said) - 1)
        for end in range(start + 1, min(start + _LONGEST_PHRASE, len(said) - 1) + 1)
        if any(weighs[start:end])
    ]
    return any(
        _gain(said, there, one, other) >= _MIN_GAIN
        for one in phrases
        for other in phrases
        if one[1] < other[0]
        and sum(apart[at] for at in one + other) >= _MIN_GAIN  # or there is too little to gain
        and not set(said[one[1] : other[0]]) <= {",", "and", "or"}
    )


def _gain(
    said: list[str], there: set[tuple[str, str]], one: tuple[int, int], other: tuple[int, int]
) -> int:
    """How many more neighbours the quote has too when the two phrases change places."""
    (a, b), (c, d) = one, other
    before, after = said[a - 1], said[d]
    now = ((before, said[a]), (said[b - 1], said[b]), (said[c - 1], said[c]), (said[d - 1], after))
    then = ((before, said[c]), (said[d - 1], said[b]), (said[c - 1], said[a]), (said[b - 1], after))
    return sum(pair in there for pair in then) - sum(pair in there for pair in now)
