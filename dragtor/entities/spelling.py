"""How names are compared: case, accents, possessives, titles, initials, hyphens, slips.

Knows one name or two at a time; who is who over a library is people.py's and merge.py's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from dragtor.transcript import edits, fold

PERSON_KIND = "person"  # kind of a name that has a first and a last
# Before a name; Lady Gaga, King Charles and Pope Francis keep theirs.
SURNAME_TITLES = {"mr": "m", "mister": "m", "mrs": "f", "ms": "f", "miss": "f"}
TITLES = frozenset(
    """dr doctor prof professor sir madam dame president senator sen governor gov congressman
    congresswoman mayor judge justice captain capt colonel col lieutenant lt sergeant sgt rev
    reverend coach mx""".split()
) | set(SURNAME_TITLES)
DEGREES = frozenset("phd md esq obe mbe cbe mba msc bsc dds rn cpa".split())
GENERATIONS = {"junior": "jr", "senior": "sr", **{g: g for g in ("jr", "sr", "ii", "iii", "iv")}}
PARTICLES = frozenset(
    """van von der den de da di del della dos du la le bin ibn ter ten zu st mc mac""".split()
)
SHORT_FORMS = {  # of first names, where they are no other's in a document
    short: tuple(full.split())
    for short, full in (
        line.split(": ")
        for line in """abby: abigail|al: albert alan alfred|
alex: alexander alexandra|andy: andrew andreas|
ben: benjamin|bill: william|bob: robert|bobby: robert|
chris: christopher christian christina christine|chuck: charles|charlie: charles|
dan: daniel|danny: daniel|dave: david|don: donald|doug: douglas|ed: edward edwin|
fred: frederick|greg: gregory|jake: jacob|jeff: jeffrey geoffrey|jen: jennifer|
jenny: jennifer|jerry: gerald|jess: jessica|jim: james|jimmy: james|joe: joseph|
jon: jonathan|josh: joshua|kate: katherine katharine kathryn|katie: katherine katharine|
ken: kenneth|liz: elizabeth|matt: matthew mathew|max: maximilian maxwell|
meg: megan margaret|mike: michael|mick: michael|nate: nathan nathaniel|
nick: nicholas nicolas|pat: patrick patricia|pete: peter|phil: philip phillip|
rick: richard|rob: robert|ron: ronald|sam: samuel samantha|sandy: alexandra|
steve: steven stephen|stu: stuart|sue: susan|ted: theodore edward|tim: timothy|tom: thomas|
tony: anthony|tori: victoria|vicky: victoria|will: william|zach: zachary""".replace("\n", "").split(
            "|"
        )
    )
}
LEGAL_FORMS = frozenset(
    """inc incorporated llc llp ltd limited corp corporation co company plc gmbh ag sa nv bv srl spa
    oy ab kg kk pty""".split()
)
SMALL_WORDS = frozenset("the of and for a an in on at to de la et und der".split())
_OTHER_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"}
)
_POSSESSIVE = re.compile(r"(?i)(?<=\w)['’`´]s$")
_OUTER = "\"“”„«»‘’'`,;:!?()[]{}*_#<>|"
_TOKEN = re.compile(r"[^\W_]+")
_DEGREE_DOTS = re.compile(r"(?i)\b(ph|m)\.\s?d\b\.?")
_INVERTED = re.compile(r"([^,]+),\s*([^,]+)")
MISREAD_FROM = 6  # letters of a spelling in which one slip of the OCR is forgiven
LONG_NAME, LONG_WORD, LONGER_WORD = 11, 6, 10  # letters: of a name with a slip, its word; with two


def clean_name(text: str) -> str:
    """A mention as a name: on one line, without quotes around it and its possessive 's."""
    start, end = trimmed(text, 0, len(text))
    return " ".join(text[start:end].split())


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span of `clean_name` in `text[start:end]`; empty where nothing is left."""
    while start < end and (text[start].isspace() or text[start] in _OUTER):
        start += 1
    if text[start : start + 2] == ". ":  # the end of the sentence before it; .NET is a name
        return trimmed(text, start + 2, end)
    for _ in range(2):
        while start < end and (text[end - 1].isspace() or text[end - 1] in _OUTER):
            end -= 1
        if _POSSESSIVE.search(text[start:end]):
            end -= 2
    return start, end


@lru_cache(maxsize=1 << 16)  # a text has few words that no text before it had
def plain(text: str) -> str:
    """Lower case in plain letters: Ørsted, Łukasz, Zoë -> orsted, lukasz, zoe."""
    return fold(text).translate(_OTHER_LETTERS)


def bare_letters(text: str) -> str:
    """What a picture's text and a name are compared by: plain letters, digits and @ alone."""
    return re.sub(r"[^\w@]+", "", fold(text).translate(_OTHER_LETTERS))  # too long to be kept


def is_misread(one: str, other: str) -> bool:
    """Whether two `bare_letters` are one as a picture is read: but for one slip in long ones."""
    short = min(len(one), len(other))
    return bool(short) and (one == other or (short >= MISREAD_FROM and edits(one, other, 1) <= 1))


@dataclass(frozen=True, slots=True)
class PersonName:
    """A person's name taken apart, in plain letters.

    `last` alone is a name of one word, a first name or a last name; with a `title` such as Mrs it
    is a last name. `first` alone is a name that only initials make out: "J. Smith", "John S.".
    """

    first: str = ""
    middles: tuple[str, ...] = ()
    last: str = ""
    ending: str = ""  # last word of `last`: Gogh of van Gogh
    generation: str = ""
    title: str = ""  # m or f, of one that stands before last names

    @property
    def is_full(self) -> bool:
        """Whether it has a first and a last name."""
        return bool(self.first and self.last)

    @property
    def is_alone(self) -> bool:
        """Whether it is one name, which somebody in the document may bear."""
        return not self.first

    @property
    def letters(self) -> str:
        """All of it without spaces."""
        return "".join((self.first, *self.middles, self.last))

    @property
    def gaps(self) -> frozenset[int]:
        """Where words end among the letters."""
        ends, at = set(), 0
        for word in (self.first, *self.middles):
            at += len(word)
            ends.add(at)
        return frozenset(ends)


@lru_cache(maxsize=200_000)
def person_name(name: str) -> PersonName:
    """Take a person's name apart."""
    tokens = _tokens(name)
    title = ""
    while len(tokens) > 1 and tokens[0] in TITLES:
        title = SURNAME_TITLES.get(tokens.pop(0), "")
    while len(tokens) > 1 and tokens[-1] in DEGREES:
        tokens.pop()
    generation = GENERATIONS.get(tokens[-1], "") if len(tokens) > 1 else ""
    if generation:
        tokens.pop()
    first = 0
    while first < len(tokens) - 1 and len(tokens[first]) == 1:
        first += 1
    if len(tokens[-1]) == 1 and len(tokens) > 1:  # John S.
        return PersonName(" ".join(tokens), generation=generation, title=title)
    if first == len(tokens) - 1 and first == 1:  # J. Smith
        return PersonName(" ".join(tokens), generation=generation, title=title)
    if first == len(tokens) - 1 and first > 1:  # J. K. Rowling
        tokens = ["".join(tokens[:-1]), tokens[-1]]
    if len(tokens) == 2 and tokens[0] in PARTICLES and _opens_low(name):  # van Gogh
        tokens = ["".join(tokens)]
    if len(tokens) == 1:
        return PersonName(last=tokens[0], ending=tokens[0], generation=generation, title=title)
    at = next((n for n in range(1, len(tokens) - 1) if tokens[n] in PARTICLES), len(tokens) - 1)
    if at == 1 and len(tokens[0]) == 1:  # J. van Gogh
        return PersonName(" ".join(tokens), generation=generation, title=title)
    last = "".join(tokens[at:])
    return PersonName(tokens[0], tuple(tokens[1:at]), last, tokens[-1], generation, title)


def _tokens(name: str) -> list[str]:
    """Words in plain letters, hyphens and apostrophes gone: O'Neil, Jean-Luc are one each."""
    flat = _DEGREE_DOTS.sub(lambda m: f"{m[1]}d", clean_name(name))
    turned = _INVERTED.fullmatch(flat)
    if turned and plain(turned[2]).strip(".") not in {*GENERATIONS, *DEGREES}:
        flat = f"{turned[2]} {turned[1]}"  # Gravelle, Yves
    joined = re.sub(r"(?<=\w)[-‐–'’`´](?=\w)", "", flat)
    words = _TOKEN.findall(joined)
    shouted = all(word.isupper() for word in words)
    found: list[str] = []
    for word in words:
        if (
            not shouted
            and len(word) == 2
            and word.isupper()
            and plain(word) not in (TITLES | DEGREES | GENERATIONS.keys())
        ):
            found += plain(word)  # JK Rowling
        else:
            found.append(plain(word))
    return found or [plain(name).strip() or name]


def _opens_low(name: str) -> bool:
    return clean_name(name)[:1].islower()


def untitled(name: str) -> str:
    """A full name as it is written, without the titles before it."""
    words = name.split()
    while len(words) > 2 and plain(words[0]).strip(".") in TITLES:
        words.pop(0)
    return " ".join(words)


@lru_cache(maxsize=200_000)
def thing_words(name: str) -> tuple[str, ...]:
    """Words of an organisation, a place or a work: without "the", Inc., Ltd. and the like."""
    flat = clean_name(name).replace("&", " and ")
    undotted = re.sub(r"(?<=\b\w)\.(?=\w\b)", "", flat)  # U.S. is US
    words = _TOKEN.findall(plain(re.sub(r"(?<=\w)['’`´](?=\w)", "", undotted)))
    whole = tuple(words)
    if len(words) > 1 and words[0] == "the":
        words.pop(0)
    while len(words) > 1 and words[-1] in LEGAL_FORMS:
        words.pop()
    if len(words) > 1 and words[-1] == "and":  # Tiffany & Co.
        words.pop()
    return tuple(words) or whole or (plain(name).strip(),)


def is_slip(one: str, other: str, name_letters: int, *, inner: bool = False) -> bool:
    """Whether two words of names so long are one, with a slip or two in one of them.

    Short words and short names have too many neighbours (Jon and Joan, Smith and Smyth). The first
    letter must stand, and with `inner` the last one too: Daniel is not Daniela.
    """
    longer = max(len(one), len(other))
    if name_letters < LONG_NAME or longer < LONG_WORD or one[0] != other[0]:
        return False
    if any(c.isdigit() for c in one + other) or (inner and one[-1] != other[-1]):
        return False
    if inner and one[:-1] == other[: len(one) - 1] and abs(len(one) - len(other)) == 1:
        return False
    most = 2 if longer >= LONGER_WORD else 1
    return one != other and edits(one, other, most) <= most


def is_variant(one: str, other: str) -> bool:
    """Whether two last names differ as those of different people do: Hansen and Hanson."""
    return _core(one) == _core(other)


def _core(last: str) -> str:
    return re.sub(r"[sz]$|(?<=s)[eo](?=n$)|[dt]+$", "", last)


def abbreviates(short: str, full: str) -> bool:
    """Whether the letters of WHO open the words of World Health Organization, in their order."""
    letters = [c for c in plain(short) if c.isalpha()]
    words = _TOKEN.findall(plain(full))
    if len(letters) < 2 or len(words) < 2 or words[0][0] != letters[0]:
        return False
    at = 0
    for word in words:
        if at < len(letters) and word[0] == letters[at]:
            at += 1
        elif word not in SMALL_WORDS and at < len(letters):
            return False
    return at == len(letters)
