"""Companies by how they are written: a legal form, a domain's stem, the line under a signature.

Knows lines and addresses; merges nothing and knows no model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from dragtor.entities.addresses import Address
from dragtor.entities.lines import TextLine
from dragtor.entities.spelling import plain
from dragtor.entities.written import BRANCHES, CALENDAR
from dragtor.split import OPENERS

FirmSpan = tuple[int, int]
SIGNATURE = 4  # lines under a name in which its company may stand
MOST_STEM_WORDS = 4  # that a domain's stem is made of
_CAPITAL = r"[^\W\d_a-zß-ÿ][\w'’.-]*"
_LEGAL = (
    r"(?:Inc|Incorporated|LLC|L\.L\.C|LLP|L\.P|LP|Ltd|Limited|Corp|Corporation|GmbH|AG|S\.?A|N\.?V"
    r"|B\.?V|PLC|plc|SE|KG|Oy|AB|AS|ASA|A/S|ApS|S\.?r\.?l|S\.?p\.?A|Pty|K\.?K|SAS|SARL|Co)"
)
_WITH_FORM = re.compile(
    rf"(?<![\w@])(?P<name>{_CAPITAL}(?:[ \n](?:{_CAPITAL}|&|of|and|de)){{0,4}}?"
    rf",?[ \n](?:& )?{_LEGAL})(?![\w@])\.?"
)
_BRANCH = f"(?:{'|'.join(word.capitalize() for word in sorted(BRANCHES))})"
_WORD = r"[^\W\d_a-zß-ÿ][^\W_]*"
_OF_BRANCH = re.compile(
    rf"(?<![\w@.’'-]){_WORD}(?: {_WORD}){{0,3}} {_BRANCH}(?![\w@]| [^\W\d_a-z])"
    rf"|Law Offices of {_WORD}(?: {_WORD}\.?){{1,3}}"
)
_CAMEL = re.compile(r"\b(?!(?:Mc|Mac|De|La|Le|Van|Di|Du|Fitz)[A-Z])[A-Z][a-z]{2,}[A-Z][a-z]+\b")
_AUXILIARY = frozenset(
    """could would should can will may might must shall did does do is are has have was were let
    please call ask tell see""".split()
)
_ROLE = re.compile(
    r"(?i)\b(?:head|director|manager|engineer|analyst|partner|officer|lead|chief|president|vp|ceo"
    r"|cto|cfo|coo|founder|co-founder|owner|consultant|assistant|associate|counsel|attorney|lawyer"
    r"|editor|designer|developer|scientist|professor|accountant|accounts?|architect|specialist"
    r"|coordinator|buyer|controller|secretary|recruiter|sales|marketing|operations|support"
    r"|talent|procurement)\b"
)
_AT = re.compile(
    rf"(?:,| at| @| bei| chez| [|·•–—-])\s+(?P<firm>{_CAPITAL}(?: (?:{_CAPITAL}|&|of)){{0,4}})$"
)
_AT_INNER = re.compile(
    rf" (?:at|ex|@|bei) (?P<firm>{_CAPITAL}(?: (?:{_CAPITAL}|&))*?)(?= (?:ex|at|[|·•])\b|$|,)"
)
_PLAIN_FIRM = re.compile(rf"{_CAPITAL}(?: (?:{_CAPITAL}|&|of|and)){{0,4}}")


def with_legal_form(text: str, start: int, end: int) -> Iterator[FirmSpan]:
    """Companies with Inc., GmbH and the like behind their name, in one sentence."""
    for match in _WITH_FORM.finditer(text, start, end):
        first, last = match.span("name")
        words = match["name"].split()
        while len(words) > 2 and _opens(words[0]):
            first += len(words.pop(0)) + 1
        yield first, last


def of_branch(text: str, start: int, end: int) -> Iterator[FirmSpan]:
    """Companies of several words whose last one tells a branch: Brooklyn Union Gas."""
    for match in _OF_BRANCH.finditer(text, start, end):
        first, words = match.start(), match[0].split()
        while len(words) > 1 and _opens(words[0]):
            first += len(words.pop(0)) + 1
        if len(words) > 1:
            yield first, match.end()


def of_camels(text: str, start: int, end: int) -> Iterator[FirmSpan]:
    """Names with a capital inside, as no person has one: KeySpan."""
    for match in _CAMEL.finditer(text, start, end):
        yield match.span()


def _opens(word: str) -> bool:
    """Whether a word has its capital only because a sentence opens with it."""
    return plain(word) in OPENERS | _AUXILIARY | CALENDAR


def of_domains(text: str, known: Iterable[Address], skip: Sequence[FirmSpan]) -> Iterator[FirmSpan]:
    """Where the stem of an address's domain is written as a name, outside `skip`.

    Capitalised words behind it are a part of it: Enron Compression Services.
    """
    stems = {address.stem for address in known if len(address.stem) > 2}
    for line in re.finditer(r"[^\n]+", text):
        words = list(re.finditer(r"[^\W_]+", line[0]))
        for n in range(len(words)):
            if last := _spelt(line[0], words, n, stems):
                a, b = line.start() + words[n].start(), line.start() + last
                if not any(first < b and a < end for first, end in skip):
                    yield a, b


def _spelt(line: str, words: Sequence[re.Match[str]], at: int, stems: set[str]) -> int:
    """Where the words from `at` on end, if they spell a stem; 0 if not."""
    if not words[at][0][0].isupper():
        return 0
    before = words[at - 1] if at else None
    if before and line[before.end() : words[at].start()] == " " and _names(before[0]):
        return 0
    whole = ""
    for n in range(at, min(at + MOST_STEM_WORDS, len(words))):
        whole += plain(words[n][0])
        if whole in stems:
            return _longer(line, words, n)
        if not re.match(r" (?:& )?|-|'", line[words[n].end() :]):
            return 0
    return 0


def _names(word: str) -> bool:
    """Whether a word is a part of what is named behind it: Southwestern of Southwestern Bell."""
    return word.istitle() and not _opens(word)


def _longer(line: str, words: Sequence[re.Match[str]], at: int) -> int:
    last = words[at].end()
    for word in words[at + 1 : at + 4]:
        calendar = plain(word[0]) in CALENDAR
        if line[last : word.start()] != " " or not word[0].istitle() or calendar:
            break
        last = word.end()
    return last


def under_names(
    lines: Sequence[TextLine], signed: Mapping[int, bool], taken: frozenset[int]
) -> Iterator[FirmSpan]:
    """Companies in the lines under a signature; `signed` are where lines with names begin.

    Where no closing stands before the name it may be another list: then a line counts only if it
    tells a role, too.
    """
    at = {line.start: n for n, line in enumerate(lines)}
    for start, closes in signed.items():
        first, role = at[start], False
        for n in range(first + 1, min(first + 1 + SIGNATURE, len(lines))):
            line = lines[n]
            if n in taken or line.block != lines[first].block or _is_prose(line.text):
                break
            here = bool(_ROLE.search(line.text))
            if here and (match := _AT.search(line.text)):
                yield line.start + match.start("firm"), line.start + match.end("firm")
            elif not here and (closes or role) and _PLAIN_FIRM.fullmatch(line.text):
                yield line.start, line.end
            role = role or here


def in_headlines(lines: Sequence[TextLine]) -> Iterator[FirmSpan]:
    """Companies in a line that tells what somebody does: "Partner at Tern, ex Quillbank"."""
    for line in lines:
        role = _ROLE.search(line.text)
        if role and role.start() < 30 and len(line.text) < 80 and not line.text.endswith("."):
            for match in _AT_INNER.finditer(line.text, role.end()):
                yield line.start + match.start("firm"), line.start + match.end("firm")


def is_role(name: str) -> bool:
    """Whether it tells what somebody does: Legal Counsel."""
    *_, last = name.split()
    return bool(_ROLE.fullmatch(last))


def _is_prose(line: str) -> bool:
    """Whether a line is a sentence and no part of a signature."""
    return len(line) > 60 or (line.endswith((".", "?", "!", ",")) and len(line.split()) > 3)
