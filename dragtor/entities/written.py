"""Names as they are written in lists and on lines of their own, without knowing whose they are.

Owns what a name may look like: "Leach, Doug", "Doug Leach/HOU/ECT@ECT", "Bram van der Heijde
<bram@...>". Knows no document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dragtor.dates.words import MONTHS, WEEKDAYS
from dragtor.entities.addresses import Address, addresses
from dragtor.entities.spelling import DEGREES, GENERATIONS, LEGAL_FORMS, PARTICLES, plain, trimmed
from dragtor.split import OPENERS

MOST_WORDS = 5  # of a name
_WORD = r"[^\W\d_a-zß-ÿ](?:[^\W\d_]|['’`.-](?=[^\W\d_]))*"
_WORD += r"(?:(?:(?<=\b\w)|(?<=\b[JS]r)|(?<=\b[DMS][rst]))\.)?"
_PARTICLE = "(?:" + "|".join(sorted(PARTICLES)) + ")"
NAME = rf"{_WORD}(?:[ \n]+(?:{_PARTICLE}[ \n]+){{0,2}}{_WORD}){{0,4}}"
_NAME = re.compile(rf"(?:{_PARTICLE} ){{0,2}}{NAME}(?:,? (?:Jr|Sr|II|III|IV)\.?)?")
_QUOTES = " \t\n\"“”„'‘’`*<>[]()|;,:•·"
_PORTRAIT = re.compile(r"([A-Z]{2,3}) (?=[A-Z])([^<\[(,;]+)")
_NOTES = re.compile(r"\s?(?:/|@)")  # what follows the name in Notes: Doug Leach/HOU/ECT@ECT
_PIECE = re.compile(r"""(?:"[^"]{0,80}"|<[^>\n]{0,120}>|\[[^\]]{0,120}\]|\([^)]{0,80}\)|[^;])+""")
_COMMA_PIECE = re.compile(
    r"""(?:"[^"]{0,80}"|<[^>\n]{0,120}>|\[[^\]]{0,120}\]|\([^)]{0,80}\)|[^,])+"""
)
_MISREAD_I = re.compile(r"\bl(?=[^\W\d_]{2})")  # loana
_AND = re.compile(r"\s(?:&|å|a|and|und|et|y)\s")  # å, a: as an ampersand is misread
NOT_NAMES = frozenset(
    """me all team everyone everybody folks guys undisclosed recipients hi hello dear hey thanks
    thank best regards cheers yes no ok okay sure sorry please fyi note ps re fw fwd both gentlemen
    ladies sir madam people today tomorrow inbox mail help fyl thx""".split()
)
BRANCHES = frozenset(
    """company service services bank pipeline pipelines energy gas electric power partners
    associates industries systems technologies solutions holdings logistics insurance university
    institute agency consulting capital airlines foundation studio studios labs brothers
    enterprises motors analytics media robotics foods""".split()
)  # last words of companies
CALENDAR = frozenset({*MONTHS, *WEEKDAYS})


class Written(NamedTuple):
    """One of a list: the span of a name, or an address, or both."""

    name: tuple[int, int] | None
    address: Address | None
    shared: bool = False  # the address is of two people: Amy and Alistair


def is_name(text: str, least: int = 1) -> bool:
    """Whether a text may be somebody's name, by its letters; `least` words of it."""
    flat = " ".join(text.split())
    words = [plain(word).replace(".", "") for word in re.findall(r"[\w'’.-]+", flat)]
    if not least <= len(words) <= MOST_WORDS or not _NAME.fullmatch(flat):
        return False
    if any(word in NOT_NAMES or word in OPENERS for word in words if len(word) > 1):
        return False
    if (
        words[-1] in LEGAL_FORMS
        or (len(words) > 1 and words[-1] in BRANCHES)
        or (len(words) == 1 and words[0] in CALENDAR)
    ):
        return False
    return any(len(word) > 1 for word in words)


def is_turned(text: str) -> bool:
    """Whether it is a name with the last one first: "Leach, Doug", "Cobb Jr., John"."""
    last, comma, first = text.partition(",")
    if not comma or plain(first).strip(" .") in {*GENERATIONS, *DEGREES}:
        return False
    last, first = last.strip(), first.strip()
    named = is_name(last) or (plain(last) in CALENDAR and last.istitle())  # January, Steven
    return named and is_name(first) and len(last.split()) <= 3 and len(first.split()) <= 3


def stripped(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without quotes, brackets, white space and the initials of a portrait around it."""
    while start < end and text[start] in _QUOTES:
        start += 1
    while end > start and text[end - 1] in _QUOTES:
        end -= 1
    if (match := _PORTRAIT.match(text, start, end)) and _abbreviated(match[1], match[2]):
        start = match.start(2)
    return start, end


def _abbreviated(initials: str, name: str) -> bool:
    """Whether letters are the first ones of a name: TV of Trevor Vasquez."""
    words = name.split()
    return len(words) > 1 and initials[0] == words[0][0] and initials[-1] == words[-1][0]


def listed_names(text: str, start: int, end: int, turned: bool | None = None) -> list[Written]:
    """Whom a list names, in its order.

    `turned` says whether commas stand inside names; None: where there are two, and no semicolon.
    """
    found: list[Written] = []
    if ";" in text[start:end]:
        for match in _PIECE.finditer(text, start, end):
            found += _of_piece(text, *match.span())
        return found
    pieces = [match.span() for match in _COMMA_PIECE.finditer(text, start, end)]
    for piece in _paired(text, pieces, turned):
        found += _of_piece(text, *piece)
    return found


def _paired(
    text: str, pieces: Sequence[tuple[int, int]], turned: bool | None
) -> Iterator[tuple[int, int]]:
    """Pieces between commas, the two of a turned name together."""
    at = 0
    guessed = turned is None and len(pieces) == 2
    turn = turned if turned is not None else guessed
    while at < len(pieces):
        pair = pieces[at : at + 2]
        if turn and len(pair) == 2 and _one_name(text, *pair, plainly=guessed):
            yield pair[0][0], pair[1][1]
            at += 2
        else:
            yield pieces[at]
            at += 1


def _one_name(text: str, one: tuple[int, int], other: tuple[int, int], *, plainly: bool) -> bool:
    """Whether two pieces are a turned name; `plainly`: no more than "Lee, Ann K."."""
    last = text[slice(*stripped(text, *one))]
    first = _MISREAD_I.sub("I", text[slice(*_bare(text, *other))])
    words = [word for word in last.split() if plain(word) not in PARTICLES]
    return (
        "@" not in last and "/" not in last
        and not (plainly and re.search(r"\s\w{2}", first))
        and 0 < len([w for w in words if plain(w).strip(".") not in GENERATIONS]) <= 1
        and is_turned(f"{last}, {first}")
    )  # fmt: skip


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """The span of the name of a piece, without what tells where somebody works."""
    address = next(addresses(text, start, end), None)
    end = address.start if address else end
    bracket = re.search(r"[<\[(]", text[start:end])
    end = start + bracket.start() if bracket and bracket.start() else end
    notes = None if address else _NOTES.search(text, start, end)
    return stripped(text, start, notes.start() if notes else end)


def _of_piece(text: str, start: int, end: int) -> Iterator[Written]:
    address = next(addresses(text, start, end), None)
    if address and address.start == start and re.match(r"['’\"]", text[end - 1 : end]):
        end -= 1
    first, last = _bare(text, start, end)
    name = _MISREAD_I.sub("I", text[first:last])
    if both := _AND.search(name):
        parts = ((first, first + both.start()), (first + both.end(), last))
        if all(is_name(text[a:b].strip()) for a, b in parts):
            for a, b in parts:
                yield Written(trimmed(text, a, b), None)
            yield from [Written(None, address, shared=True)] if address else []
            return
    known = (
        is_name(name) or is_turned(name) or bool(address and re.fullmatch(r"[\w .'’-]{2,40}", name))
    )
    span = (first, last) if known and last > first else None
    if span or address:
        yield Written(span, address)
