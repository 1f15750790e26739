"""Unanswerable questions out of answerable ones, and contradicted claims out of supported ones.

Each maker is a small pure function that gives None where it cannot be sure of its work by looking
at strings. Knows words and sentences; does not know data sets, files or shares.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

from reader_text import holds, sentences, stem, stems

Table = Mapping[str, Sequence[str]]


def _both(text: str) -> dict[str, list[str]]:
    """ "a:b a:c" as a table that goes both ways."""
    table: dict[str, list[str]] = {}
    for pair in text.split():
        one, other = pair.replace("_", " ").split(":")
        table.setdefault(one, []).append(other)
        table.setdefault(other, []).append(one)
    return table


POPULATION = _both(
    """children:adults child:adult kids:adults men:women man:woman boys:girls boy:girl male:female
    males:females mice:humans rats:humans infants:adolescents students:teachers student:teacher
    patients:athletes doctors:nurses father:mother son:daughter sons:daughters husband:wife
    brother:sister brothers:sisters king:queen kings:queens workers:employers soldiers:civilians
    tourists:residents farmers:merchants protestants:catholics professors:students players:coaches
    citizens:foreigners immigrants:natives veterans:beginners dogs:cats dog:cat
    parents:grandparents teenagers:pensioners runners:swimmers climbers:cyclists elderly:young
    actors:directors buyers:sellers teachers:principals humans:animals
    undergraduates:graduates lawyers:judges pharmacists:surgeons"""
)
CONDITION = _both(
    """before:after summer:winter spring:autumn morning:evening day:night
    northern:southern north:south east:west eastern:western upper:lower left:right indoor:outdoor
    acute:chronic inside:outside above:below early:late earliest:latest first:second second:third
    third:fourth internal:external public:private urban:rural primary:secondary hot:cold wet:dry
    maximum:minimum annual:monthly daily:weekly pre-war:post-war military:civilian central:outer
    domestic:foreign oral:intravenous formal:informal voluntary:compulsory peacetime:wartime
    dry:humid onshore:offshore"""
)
UNIT = _both(
    """kilometres:kilograms kilometers:kilograms miles:tons feet:pounds metres:litres meters:gallons
    dollars:euros euros:pounds pounds:dollars percent:dollars tons:litres tonnes:litres
    acres:gallons hectares:litres yards:pounds inches:ounces hours:kilometres minutes:kilograms
    gallons:miles watts:metres volts:kilograms km:kg mg:km mph:mg"""
)
ANTONYM_NOISE = frozenset(
    """first only us uk two three some all ps3 ps2 new old british french water rain men women one
    main lesser high low known use open second 8 9 us un start begin end last with without black
    white
    recent past""".split()
)
NUMBERS = "two three four five six seven eight nine ten eleven twelve twenty thirty fifty".split()
MONTHS = (
    "January February March April May June July August September October November December".split()
)
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_NAME = re.compile(
    r"\b[A-Z][\w’'-]*[\w](?:\s+(?:(?:of|de|von|van|der)\s+(?:the\s+)?)?[A-Z][\w’'-]*\w)*"
)
_NOT_NAMES = frozenset(
    """what which who whom whose when where why how in on at the a an is are was were did do does
    can and or but for from to by with of it he she they i we you if as his her its their this that
    these those after before during since until although however while not no yes many some most
    all also
    there one two three four five six seven eight nine ten both each other another such name give
    january february march april may june july august september october november december monday
    tuesday wednesday thursday friday saturday sunday mr mrs ms dr st""".split()
)
_AUX = re.compile(r"\b(is|are|was|were|did|does|do|can|could|would|should|has|have|had)\b", re.I)
_NEGATIVE = re.compile(r"\b(?:not|no|never|none|without|nor|neither|cannot|\w+n['’]t)\b", re.I)
_MAY = re.compile(
    r"\b(may|might|could|can|seems? to|tends? to|appears? to|sometimes|often)\b", re.I
)


def _as(word: str, like: str) -> str:
    """A word with the capitals of another."""
    return (
        word.upper()
        if like.isupper() and len(like) > 1
        else (word[:1].upper() + word[1:] if like[:1].isupper() else word)
    )


def replaced(text: str, old: str, new: str) -> str:
    """The text with every whole-word `old`, in any case, exchanged."""
    pattern = rf"(?<![\w-]){re.escape(old)}(?![\w-])"
    return re.sub(pattern, lambda match: _as(new, match[0]), text, flags=re.I)


def exchanged(
    text: str, other: str, table: Table, draw: random.Random, strict: bool = True
) -> tuple[str, str] | None:
    """A word of `text` that stands in `other` too, and one of the table for it that does not.

    Not words within names, nor ("strict") words in `other` whose stem also stands for the new one.
    """
    inside = stems(other) if strict else set()
    pairs = []
    for word in re.findall(r"(?<![\w-])[a-z][a-z-]+(?![\w-])", text):
        if word in table and holds(other, word) and not _in_name(text, word):
            pairs += [(word, new) for new in table[word]
                      if stem(new) not in inside and not holds(other, new)
                      and not holds(text, new)]  # fmt: skip
    return draw.choice(pairs) if pairs else None


def unit_exchanged(text: str, other: str, draw: random.Random) -> tuple[str, str] | None:
    """A unit that counts something ("how many miles", "in dollars", "30 minutes"), for one of
    another dimension."""
    counted = rf"(?:\d|many|of|in|per|{'|'.join(NUMBERS)}|hundred|thousand|million)\s+$"
    table = {}
    for word, new in UNIT.items():
        place = re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)
        if place and re.search(counted, text[: place.start()], re.I):
            table[word] = new
    return exchanged(text, other, table, draw)


def _in_name(text: str, word: str) -> bool:
    """Whether a small word belongs to a fixed phrase ("first name", "right to", "day of")."""
    after = re.search(
        rf"\b{re.escape(word)}\b\s+(name|of|to|hand|floor|school|lady|time|person|the)", text
    )
    return bool(after) and word not in {"before", "after", "during", "most", "least"}


def names(text: str) -> list[tuple[str, str]]:
    """Names and the kind of each: acronym, people, place ("in X"), thing ("the X"), name."""
    found = []
    for start, end in sentences(text):
        sentence = text[start:end]
        for match in _NAME.finditer(sentence):
            name, at = match[0], match.start()
            name = re.split(r"['’]s\b", name)[0]
            first, _, rest = name.partition(" ")
            if first.casefold() in _NOT_NAMES or (at == 0 and not rest):
                if not rest or first.casefold() not in _NOT_NAMES:
                    continue
                name, at = rest, at + len(first) + 1
                if name.split()[0].casefold() in _NOT_NAMES or name.split()[0] in {"of", "de"}:
                    continue
            initial = re.search(r"(?:\b[A-Z]\.|-) ?$", sentence[:at])
            if len(name) > 2 and not name.isdigit() and not initial:
                found.append((name, _kind(name, sentence[:at])))
    return found


def _kind(name: str, before: str) -> str:
    word = re.findall(r"\w+", before.casefold())[-2:]
    last = word[-1] if word else ""
    if name.isupper():
        return "acronym"
    if re.search(r"(?:ish|ese|ians?|cans?|eans?|ists?|ism|ic|ics|ans)$", name):
        return "people"
    if last in {"in", "near", "at", "from", "to"} or word == ["in", "the"]:
        return "place" if last != "the" else "thing"
    return ("thing" if last == "the" else "name") + ("s" if " " in name else "")


def exchanged_name(
    question: str, context: str, sentence: str, answers: Sequence[str],
    others: Sequence[tuple[str, str]], draw: random.Random,
) -> tuple[str, str] | None:  # fmt: skip
    """A name of the question that the context knows, and one of `others` (name, kind) for it.

    The new name is of the old one's kind, no part of it, not in the answer's sentence, no answer,
    and no sentence of the context says of it half of what the question asks.
    """
    known = [(name, kind) for name, kind in dict.fromkeys(names(context)) if holds(question, name)]
    known = [pair for pair in known if holds(question, pair[0]) and stems(pair[0])]
    if not known:
        return None
    old, kind = max(known, key=lambda pair: len(pair[0]))
    wanted = stems(question) - stems(old)
    choice = [name for name, other in dict.fromkeys(others) if other == kind and len(wanted) > 1
              and not stems(name) & (stems(question) | stems(old)) and not holds(sentence, name)
              and not any(holds(answer, name) or holds(name, answer) for answer in answers)
              and not _said_of(name, wanted, context)]  # fmt: skip
    if not choice:
        return None
    new = draw.choice(choice)
    return old, new if question != question.lower() else new.lower()


def _said_of(name: str, wanted: set[str], context: str) -> bool:
    """Whether a sentence (or it and the one after it) with the name says half of what is wanted."""
    spans = sentences(context)
    for i, (start, end) in enumerate(spans):
        if holds(context[start:end], name):
            near = stems(context[start : spans[min(i + 1, len(spans) - 1)][1]])
            if 2 * len(wanted & near) >= len(wanted):
                return True
    return False


def exchanged_number(text: str, other: str, draw: random.Random) -> tuple[str, str] | None:
    """A number of the text (no year) that stands in `other` too, and another that does not."""
    found = re.findall(r"(?<![\w.,/-])\d[\d,]*(?:\.\d+)?(?![\w/-])", text)
    found = [n.rstrip(",") for n in found]
    found = [n for n in found if not re.fullmatch(r"1\d{3}|20\d\d", n) and holds(other, n)]
    small = [w for w in NUMBERS if holds(text, w) and holds(other, w)]
    if not found and not small:
        return None
    old = draw.choice([*found, *small])
    if old in small:
        new = draw.choice([w for w in NUMBERS if w != old])
        return None if holds(other, new) else (old, new)
    value = float(old.replace(",", ""))
    new_value = value * draw.choice((0.5, 1.5, 2, 3, 10, 1.1)) + draw.choice((-1, 1, 2))
    if "." in old:
        new = f"{abs(new_value):.{len(old.split('.')[1])}f}"
    else:
        new = f"{max(2, round(new_value)):,}" if "," in old else str(max(2, round(new_value)))
    return None if holds(other, new) or new == old else (old, new)


def exchanged_time(text: str, other: str, draw: random.Random) -> tuple[str, str] | None:
    """A year, decade, century, month or day of the text that `other` knows, and another."""
    pairs: list[tuple[str, str]] = []
    for year in re.findall(r"(?<![\w,.-])(?:1[0-9]|20)\d\d(?![\w-])", text):
        if holds(other, year):
            pairs += [(year, str(int(year) + draw.choice((-30, -12, -10, -5, -2, -1, 1, 2, 3, 7))))]
    for decade in re.findall(r"(?<!\w)(?:1[0-9]|20)\d0s\b", text):
        if holds(other, decade):
            pairs += [(decade, f"{int(decade[:4]) + draw.choice((-30, -20, -10, 10, 20))}s")]
    for number in re.findall(r"\b(\d\d?)th[ -]century", text, re.I):
        if holds(other, f"{number}th century"):
            pairs += [(f"{number}th", f"{int(number) + draw.choice((-3, -2, -1, 1, 2))}th")]
    for list_ in (MONTHS, DAYS):
        for word in list_:
            if word != "May" and re.search(rf"\b{word}\b", text) and holds(other, word):
                pairs += [(word, draw.choice([w for w in list_ if w != word]))]
    pairs = [(old, new) for old, new in pairs if not holds(other, new) and "th" not in new[:2]
             and new not in {"1th", "2th", "3th", "21th", "22th"}]  # fmt: skip
    return draw.choice(pairs) if pairs else None


def negated(text: str) -> str | None:
    """The text with its first auxiliary denied: "did" becomes "didn't"; None where none or two."""
    found = list(_AUX.finditer(text))
    if not found or _NEGATIVE.search(text):
        return None
    verb = found[0][0]
    if re.match(r"which|how (?:many|much|long|old|far)", text, re.I):
        return None  # "which is not" and "how many do not" can often be told
    word = "can't" if verb.casefold() == "can" else f"{verb}n't"
    return text[: found[0].start()] + _as(word, verb) + text[found[0].end() :]


def statement_negated(text: str) -> str | None:
    """A statement with one auxiliary and no negation, denied with "not", or without its "not"."""
    if re.search(
        r"\b(?:is|are|was|were|can|could|would|should|has|have|had|does|do|did) not \b", text
    ):
        plain = re.sub(r"\b(does|do|did) not (?=\w)", "", text)
        plain = re.sub(
            r"\b(is|are|was|were|can|could|would|should|has|have|had) not ", r"\1 ", plain
        )
        return plain if not _NEGATIVE.search(plain) and " do " not in text + plain else None
    found = list(re.finditer(r"\b(is|are|was|were|can|could|would|should|will)\b", text))
    if len(found) != 1 or _NEGATIVE.search(text) or found[0].start() == 0:
        return None
    end = found[0].end()
    return f"{text[:end]} not{text[end:]}"


def without_answer(context: str, answers: Sequence[tuple[str, int]]) -> str | None:
    """The context without the sentence of the answer; None where another holds an answer, or where
    fewer than two sentences and thirty words are left."""
    spans = sentences(context)
    gone = {i for i, (a, b) in enumerate(spans)
            if any(a < at + len(text) and b > at for text, at in answers)}  # fmt: skip
    left = " ".join(context[a:b] for i, (a, b) in enumerate(spans) if i not in gone)
    if any(holds(left, text) for text, _ in answers) or len(left.split()) < 30:
        return None
    return left if len(spans) - len(gone) > 1 else None


def strengthened(claim: str) -> str | None:
    """ "may help" as "will always help": what is possible said as if it were certain; else None."""
    found = _MAY.search(claim)
    if not found:
        return None
    before, after = claim[: found.start()], claim[found.end() :]
    if after.split()[:1] in (["not"], ["have"], ["also"], ["only"], []):
        return None
    sure = ("will always", "always will", "will certainly", "will in every case")[len(claim) % 4]
    word = found[0].casefold()
    sure = "always" if word in {"sometimes", "often"} else sure
    return before + _as(sure, found[0]) + after


_DIRECTED = re.compile(
    r"^(?P<a>[A-Z0-9][^,;()]{2,60}?) (?P<verb>(?:was|is|were|are) (?:directed|written|produced"
    r"|created|founded|defeated|killed|influenced|replaced|succeeded|preceded|owned|acquired|caused"
    r"|followed|inspired|published|developed|composed|discovered|taught|appointed|born after"
    r"|larger than|older than|smaller than|higher than|lower than|part of|north of|south of"
    r"|used to treat) ?(?:by)?|directed|wrote|produced|created|founded|defeated|killed|influenced"
    r"|replaced|succeeded|preceded|owns|owned|acquired|causes?|caused|inspired|published|developed"
    r"|composed|discovered|taught|helps?|helped|chases?|follows?|carries|pushes|pulls|hits|holds up"
    r"|teaches|feeds|kisses|beats?|increases?|reduces?|inhibits?|activates?|induces?|promotes?"
    r"|suppresses?|regulates?|blocks?|leads to|results in|binds|phosphorylates|affects?|protects?"
    r"|supported|attacked|invaded|hired|thanks|told|tells|asks|asked|invites|invited|calls|called"
    r"|visits|visited|gives|gave|sold) (?P<b>[^,;()]{3,60}?)(?P<end>[.]?)$"
)  # fmt: skip
_CLAUSE = re.compile(
    r"\b(?:that|which|who|because|when|where|and|in|on|for|at|from|with|to|than|by|it|they|he|she"
    r"|there)\b", re.I,
)  # fmt: skip


def roles_exchanged(claim: str) -> str | None:
    """ "X helps Y." as "Y helps X."; None where a side is a pronoun or holds another clause."""
    match = _DIRECTED.match(claim)
    if not match:
        return None
    a, b = match["a"], match["b"]
    if _CLAUSE.search(f"{a} {b}") or stems(a) & stems(b) or _NEGATIVE.search(claim):
        return None
    first = a.split()[0]
    small = first.casefold() in {"the", "a", "an", "some", "two", "three", "several"}
    a = a[0].lower() + a[1:] if small else a
    return f"{b[0].upper()}{b[1:]} {match['verb']} {a}{match['end']}"
