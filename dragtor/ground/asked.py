"""What a question names, and whether a sentence that is to answer it speaks of that.

Names, and what is told apart by a letter, a number or a date: A2, hepatitis B, grade 2, June, 2019.
A sentence about another of its kind is no answer. Quantities are no names: premise.py. English;
pure.
"""

from __future__ import annotations

import re
from calendar import month_name
from collections.abc import Sequence
from functools import lru_cache

from dragtor.ground.names import missing_names, names_in
from dragtor.ground.rules.tokens import Text, counts, tokenise
from dragtor.ground.rules.vocabulary import RuleVocabulary
from dragtor.ground.spans import TextSpan

ANSWERING_HITS = 3  # of the best: one of them speaks of what is asked, or nothing answers
MOST_NAMED = 3  # of what is not named, where that is told
LOOKED_AT = 40  # of the best sentences; those after them are not quoted
_LETTERED = re.compile(r"(?!ord\d)([^\W\d_]+)(\d[\d.]*)")  # a2, month6, and b0 of hepatitis B
_YEAR = re.compile(r"(?:19|20)\d\d")
_BOUNDS = frozenset("since after before between until till by to through".split())  # of a stretch
_LISTS = frozenset(["to", "and", "or", ","])
_PLURAL = re.compile(r"(?<![isu])s$")  # of vitamins, not of hepatitis
_MONTHS = frozenset(map(str, range(1, 13)))
_RANGED = re.compile(r"\d{1,2} \d{1,2}")
LABELS = frozenset(  # with a number after them they are one of several
    """grade type stage phase level class group step part chapter version figure table
    episode""".split()
)
_KINDS = {label.removesuffix("s"): label for label in LABELS}


def about_asked(
    question: str, ranked: Sequence[TextSpan], vocabulary: RuleVocabulary
) -> tuple[list[TextSpan], str]:
    """The best sentences that speak of what the question names, and why not where none does.

    None does where it is none of the best sentences of the first ANSWERING_HITS.
    """
    first = ranked[:LOOKED_AT]
    why = {span.key: other_subject(question, span, vocabulary) for span in first}
    best: dict[str, TextSpan] = {}
    for span in first:
        best.setdefault(span.hit.passage.id, span)
    answering = list(best.values())[:ANSWERING_HITS]
    if answering and all(why[span.key] for span in answering):
        return [], why[answering[0].key]
    return [span for span in first if not why[span.key]], ""


def other_subject(question: str, span: TextSpan, vocabulary: RuleVocabulary) -> str:
    """Why the sentence is no answer: it speaks of another, or names not what is asked; else empty.

    Its title and headings count as said. A name may also stand elsewhere in its passage, or be
    its author's or speaker's; where the sentence names nobody else, anywhere in its document.
    """
    asked, said = (designations(tokenise(text, vocabulary)) for text in (question, span.text))
    head = designations(tokenise(span.section_path, vocabulary))
    for kind, wanted in asked.items():
        there = said.get(kind, set())
        if there and not wanted & (there | head.get(kind, set())):
            return f"says this of {_listed(kind, there)}, not {_listed(kind, wanted)}"
    document = span.document
    speakers = [speaker.name for speaker in document.speakers]
    seen = (span.section_path, span.hit.passage.text, document.author, *speakers)
    missing = missing_names(question, filter(None, seen))
    others = [n for n in names_in(span.text) if n.isalpha() and n not in names_in(question)]
    if len(missing) == len(others) == 1:
        return f"names {others[0]}, not {missing[0]}"
    unnamed = _unnamed(question, document.title, document.text, document.author, *speakers)
    missing = [name for name in missing if name in unnamed][:MOST_NAMED]
    return f"does not name {' or '.join(missing)}" if missing else ""


@lru_cache(maxsize=32)  # the best sentences are of few documents, and some are long
def _unnamed(question: str, *about: str) -> list[str]:
    return missing_names(question, filter(None, about))


def designations(text: Text) -> dict[str, set[str]]:
    """By kind what the text tells apart: {"a": {"2"}} of A2, {"grade": {"2"}}, {"year": {"2019"}}.

    The kind of a letter that stands alone is the word before it: {"hepatitis": {"b"}}. A year or
    a month that bounds a stretch (since 2015, June to August) tells nothing apart.
    """
    found: dict[str, set[str]] = {}
    measured = {number.at for number in text.numbers if number.unit}
    for at, token in enumerate(text.tokens):
        before = text.tokens[at - 1] if at else ""
        if lettered := _LETTERED.fullmatch(token):
            kind, value = lettered[1], lettered[2]
            if value == "0" and len(kind) == 1:
                kind, value = _word_of_letter(text.tokens, at), kind
            values = {value} if kind else set()
        elif before.removesuffix("s") in _KINDS and token[0].isdecimal():
            kind, values = _KINDS[before.removesuffix("s")], _listed_numbers(text, at, measured)
        elif _YEAR.fullmatch(token) and at not in measured:
            kind, values = "year", {token}
        else:
            continue
        if values and not (kind in ("year", "month") and _is_bound(text.tokens, at)):
            found.setdefault(kind, set()).update(values)
    return found


def _word_of_letter(tokens: Sequence[str], at: int) -> str:
    """The word that a letter is of, or the list that it stands in: hepatitis of "hepatitis A or B".

    Empty where that is no word with a meaning of its own.
    """
    at -= 1
    while at >= 0 and (tokens[at] in _LISTS or _LETTERED.fullmatch(tokens[at])):
        at -= 1
    return _PLURAL.sub("", tokens[at]) if at >= 0 and counts(tokens[at]) else ""


def _is_bound(tokens: Sequence[str], at: int) -> bool:
    """Whether the token begins or ends a stretch: 2010 and 2020 of "between 2010 and 2020"."""
    before = tokens[max(at - 3, 0) : at]
    if before[-1:] == ["and"]:
        return "between" in before
    return tokens[at + 1 : at + 2] == ["to"] or bool(_BOUNDS.intersection(before[-1:]))


def _listed_numbers(text: Text, at: int, measured: set[int]) -> set[str]:
    """The numbers that begin at a token: 2 and 3 of "grade 2 and 3", 1, 2 and 3 of "1 to 3"."""
    tokens, found = text.tokens, [text.tokens[at]]
    while tokens[at + 1 : at + 2] and tokens[at + 1] in _LISTS:
        following = "".join(tokens[at + 2 : at + 3])
        if not following.isdecimal() or at + 2 in measured:
            break
        if tokens[at + 1] == "to" and _RANGED.fullmatch(f"{found[-1]} {following}"):
            found += map(str, range(int(found[-1]) + 1, int(following)))
        found.append(following)
        at += 2
    return {*found}


def _listed(kind: str, values: set[str]) -> str:
    """For a person: the A4, grade 1, hepatitis A, 2019, June."""
    if kind == "year":
        return " and ".join(sorted(values))
    if kind == "month" and values <= _MONTHS:
        return " and ".join(month_name[int(value)] for value in sorted(values, key=int))
    if kind in LABELS:
        return f"{kind} {' and '.join(sorted(values))}"
    if all(value.isalpha() for value in values):
        return f"{kind} {' and '.join(value.upper() for value in sorted(values))}"
    return "the " + " and ".join(f"{kind.upper()}{value}" for value in sorted(values))
