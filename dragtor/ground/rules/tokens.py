"""Tokens: a text as words, numbers and punctuation in one form, so that two can be compared.

2 for two, 50 percent for half, grade 2 for grade II, ord2 for second, b0 for a lone B, month6 for
June. English; pure; knows no rule.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

from dragtor.ground.rules.vocabulary import RuleVocabulary
from dragtor.ground.stems import STEM_LETTERS, STOP_WORDS
from dragtor.prompt import CITATION_MARKER

PUNCTUATION = frozenset(";:,.!?()")
_TOKEN = re.compile(r"\d+(?:st|nd|rd|th)\b|[^\W\d_]*\d+(?:\.\d+)?|[^\W\d_]+|[;:,.!?()]")
_ROMAN = re.compile(
    r"\b(?:[Gg]rades?|[Tt]ypes?|[Ss]tages?|[Pp]hases?)"
    r"\s+[IVX]+(?:(?:,| and| or| to|\s*[-–])\s*[IVX]+)*\b"
)
_ROMAN_NUMBERS = {"I": "1", "II": "2", "III": "3", "IV": "4", "V": "5", "VI": "6", "VII": "7"}
_MONTHS = """January February March April May June July August September October November
    December""".split()
_MONTH_OF = {name[:3]: n for n, name in enumerate(_MONTHS, 1)}
# May, March and August are other words too, Jan a man: months after these words or beside a number.
_SHORT = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
_MONTH = re.compile(
    r"\b()(January|February|April|June|July|September|October|November|December)\b"
    r"|\b((?i:in|of|by|to|and|mid|end|for|from|late|next|last|this|each|till|since|until|early"
    r"|every|before|after|during|through)[ -])(May|March|August)\b"
    rf"|\b(\d+(?:st|nd|rd|th)? )(May|March|August|{_SHORT})\b\.?"
    rf"|\b()(May|March|August|{_SHORT})\b\.?(?= ?\d)"
)
_SUM = r"(\d(?:[\d.,]*\d)?(?: (?:hundred|thousand|million|billion))?)"
_SPELLINGS = tuple(
    (re.compile(pattern), form)
    for pattern, form in (
        ("’", "'"), ("\u03bc", "\u00b5"), (r"\bmm hg\b", "mmhg"),
        (r"(?:°|º|\bdegrees?)\s*c(?:elsius)?\b", " celsius "),
        (r"(?:°|º|\bdegrees?)\s*f(?:ahrenheit)?\b", " fahrenheit "),
        ("°", " degrees "), ("%|per cent", " percent "),
        ("[≤⩽]|<=", " at most "), ("[≥⩾]|>=", " at least "),
        (r"<(?!-)", " less than "), (r"(?<![-=])>", " more than "),
        (rf"\$ ?{_SUM}", r" \1 dollars "), (rf"€ ?{_SUM}", r" \1 euros "),
        (rf"£ ?{_SUM}", r" \1 sterling "), (r"(?<![\w.])(?=\.\d)", "0"),
        (r"(?<=\d) ?½", ".5"), ("½", " 50 percent "), (r"(?<=\d) ?¼", ".25"),
        ("¼", " 25 percent "), (r"(?<=\d) ?¾", ".75"), ("¾", " 75 percent "),
        (r"(?<=\d),(?=\d{3}\b)", ""), (r"(?<=\d)\s*[-–]\s*(?=\d)", " to "),
        (r"(?<![\w.)])[-−–](?=\d)", " minus "),
        (r"(?<=[^\W_])-(?=[^\W\d_])", " "),
        (r"\bcan(?:not|'t)\b", "can not"), (r"n't\b", " not"), (r"\bwith no\b", "without"),
        (r"\b(?:a|one) third\b", "0.333"), (r"\btwo thirds\b", "0.667"),
        (r"\bhal(?:f|ve|ves|ved)\b", "50 percent"), (r"\btwice\b", "2 times"),
    )
)  # fmt: skip
_ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
    fifteen sixteen seventeen eighteen nineteen""".split()
_SMALL = {word: n for n, word in enumerate(_ONES)}
_TWENTIES = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_TENS = {word: 10 * n for n, word in enumerate(_TWENTIES, 2)}
_ROUND = frozenset(str(n) for n in _TENS.values())
_PLACES = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_ORDINALS = {word: f"ord{n}" for n, word in enumerate(_PLACES, 1)}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith("ss") else word


def _names(table: str) -> dict[str, str]:
    """Each name of a comma's stretch, in the singular, with the first of them."""
    rows = [names.split() for names in table.split(",")]
    return {_singular(name): names[0] for names in rows for name in names}


_UNITS = _names("""mm millimetre millimeter, cm centimetre centimeter, m metre meter, m², m³,
    cm², cm³ cc, km kilometre kilometer, mile mi, mg milligram, µg mcg ug microgram, ng nanogram,
    g gram, kg kilogram, lb pound, oz ounce, tonne, ml millilitre milliliter, l litre liter,
    µl microlitre microliter, dl decilitre deciliter, gallon, second sec s, minute min, hour h hr,
    day d, week wk, month, year yr, decade, century centuries, percent, degree, celsius c,
    fahrenheit f, kcal, kj kilojoule, joule, iu, mmhg, kpa, mmol, µmol, nmol, watt w, volt,
    hz hertz, bpm, kn kilonewton, newton n, mph, kph, dollar usd, euro eur, sterling gbp, time,
    beat""")
_BESIDE_NUMBERS = _UNITS | _names(
    "kcal calorie, foot feet ft, inch inches, yard yd, stone, bar, tons ton"
)
_NO_UNITS_ALONE = frozenset(["time", "degree", "beat"])  # only beside a number
_FUNCTION_WORDS = STOP_WORDS | frozenset(
    """a an is be it its of to in on at by as or so must do no if only while because since although
    though whereas both one least rather less against between during within until under over
    without never always sometimes otherwise where still found again own rather nearly
    roughly minus through""".split()
)
_BREAKS = frozenset("but and while whereas although though because since so".split()) | PUNCTUATION
_NEGATION = re.compile(
    r"\b(?:not|no|never|nobody|none|without|neither|nor|lack\w*|fail\w*|miss|misses|avoid\w*"
    r"|un(?!der|til|ion|less|it|usual|i)\w{4,}|rather than|instead of|free of)\b"
)
_NO_NEGATION = re.compile(
    r"\bnot only\b|\b(?:no|not) (?:more|less|fewer|higher|lower|later) than\b"
)


class Number(NamedTuple):
    """A number and what it counts: a measure (`unit`), something else (`thing`), or neither."""

    value: float
    unit: str
    at: int  # its place among the tokens
    thing: str = ""


class Text:
    """The tokens of a text or a clause, and what the rules ask of them."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    @cached_property
    def line(self) -> str:
        """The tokens in one line."""
        return " ".join(self.tokens)

    @cached_property
    def words(self) -> list[str]:
        """The tokens without punctuation."""
        return [token for token in self.tokens if token not in PUNCTUATION]

    @cached_property
    def known(self) -> frozenset[str]:
        """Every token, to look one up."""
        return frozenset(self.tokens)

    @cached_property
    def content(self) -> frozenset[str]:
        """Stems of the content words."""
        return frozenset(stem(token) for token in self.tokens if counts(token))

    @cached_property
    def numbers(self) -> list[Number]:
        """The numbers, each with its unit: 4 weeks and 6 weeks of "4 to 6 weeks"."""
        tokens, found = self.tokens, []
        for at, token in enumerate(tokens):
            if token[0].isdecimal():
                end = at + 1
                while tokens[end : end + 1] and tokens[end] in ("to", "and", "or"):
                    if end + 1 == len(tokens) or not tokens[end + 1][0].isdecimal():
                        break
                    end += 2
                unit, thing = _counted(tokens[end : end + 2])
                sign = -1 if tokens[at - 1 : at] == ["minus"] else 1
                found.append(Number(sign * float(token), unit, at, thing))
        return found

    @cached_property
    def units(self) -> frozenset[str]:
        """The measures it names, counted or not."""
        return frozenset(_UNITS[_singular(token)] for token in self.words if _is_unit(token))

    @cached_property
    def clauses(self) -> list[Text]:
        """The stretches between punctuation and conjunctions that hold a content word."""
        found: list[list[str]] = [[]]
        for token in self.tokens:
            if token in _BREAKS:
                found.append([])
            else:
                found[-1].append(token)
        return [clause for clause in map(Text, found) if clause.content]

    @cached_property
    def negations(self) -> int:
        """How often it says no."""
        return len(_NEGATION.findall(_NO_NEGATION.sub(" ", self.line)))


@lru_cache(maxsize=1024)  # an answer's sentences are all held against the same quotes
def tokenise(text: str, vocabulary: RuleVocabulary) -> Text:
    """The text in tokens, without its citation markers."""
    text = _ROMAN.sub(_arabic, CITATION_MARKER.sub(" ", text))
    text = _MONTH.sub(_month, text)
    text = vocabulary.lone_letter.sub(lambda found: f"{found[found.lastindex or 0]}0", text).lower()
    for pattern, form in _SPELLINGS:
        text = pattern.sub(form, text)
    return Text(_in_figures(_TOKEN.findall(text)))


def shared_words(claim: Text, quote: Text, section: Text | None = None) -> float:
    """Share of the claim's content words that the quote or its section path hold, by their stems.

    A bare measure ("4 to 6 weeks.") has none: all of it is left to the rules on numbers.
    """
    if not claim.content:
        return float(any(number.unit for number in claim.numbers))
    seen = quote.content | section.content if section else quote.content
    return len(claim.content & seen) / len(claim.content)


def counts(token: str) -> bool:
    """Whether it is a content word: no function word, number, name with a digit, or measure."""
    return (
        len(token) > 2
        and token not in _FUNCTION_WORDS
        and token.isalpha()
        and _singular(token) not in _UNITS
    )


def _counted(following: Sequence[str]) -> tuple[str, str]:
    """The measure and the thing that the words after a number name; "2 full weeks" are weeks."""
    if list(following) == ["out", "of"]:
        return "out of", ""
    word = following[0] if following else ""
    if unit := _BESIDE_NUMBERS.get(_singular(word), ""):
        return unit, ""
    if not word.isalpha() or word in _FUNCTION_WORDS:
        return "", ""
    if len(following) == 2 and len(following[1]) > 1 and counts(word):
        unit = _UNITS.get(_singular(following[1]), "")
    return unit, "" if unit else word


def _is_unit(token: str) -> bool:
    return len(token) > 2 and _UNITS.get(_singular(token), "time") not in _NO_UNITS_ALONE


def stem(word: str) -> str:
    """The first letters, without a plural's s."""
    return _singular(word)[:STEM_LETTERS]


def _in_figures(tokens: Sequence[str]) -> list[str]:
    """Number words as numbers, "one" but as a part; second is ord2 unless it is counted."""
    found: list[str] = []
    for token in tokens:
        before = found[-1] if found else ""
        counted = before[:1].isdecimal()
        if token in _TENS:
            found.append(str(_TENS[token]))
        elif token in _SMALL and before in _ROUND:
            found[-1] = str(int(before) + _SMALL[token])
        elif token in _SMALL and token != "one":
            found.append(str(_SMALL[token]))
        elif token in _SCALES and counted:
            found[-1] = f"{float(before) * _SCALES[token]:.15g}"
        elif token in _ORDINALS and not (token == "second" and counted):
            found.append(_ORDINALS[token])
        elif token[0].isdecimal() and token[-1].isalpha():
            found.append(f"ord{token[:-2]}")
        else:
            found.append(token)
    return found


def _month(found: re.Match[str]) -> str:
    before, name = (part for part in found.groups() if part is not None)
    return f"{before}month{_MONTH_OF[name[:3]]} "


def _arabic(found: re.Match[str]) -> str:
    return re.sub(r"\b[IVX]+\b", lambda r: _ROMAN_NUMBERS.get(r[0], r[0]), found[0])
