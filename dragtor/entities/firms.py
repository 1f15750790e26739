"""Companies by how they are written: a legal form, a domain's stem, the line under a signature.

Knows lines and addresses; merges nothing and knows no model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from dragtor.entities.addresses import Address
from dragtor.entities.lines import TextLine
from dragtor.entities.spelling import plain
from dragtor.entities.written import is_name

_CAPITAL = r"[^\W\d_a-zß-ÿ][\w'’.-]*"
_LEGAL = (
    r"(?:Inc|Incorporated|LLC|L\.L\.C|LLP|L\.P|LP|Ltd|Limited|Corp|Corporation|GmbH|AG|S\.?A|N\.?V"
    r"|B\.?V|PLC|plc|SE|KG|Oy|AB|AS|ASA|A/S|ApS|S\.?r\.?l|S\.?p\.?A|Pty|K\.?K|SAS|SARL|Co)"
)
_WITH_FORM = re.compile(
    rf"(?<![\w@])(?P<name>{_CAPITAL}(?:[ \n](?:{_CAPITAL}|&|of|and|de)){{0,4}}?,?[ \n](?:& )?{_LEGAL})"
    rf"(?![\w@])\.?"
)
_ROLE = re.compile(
    r"(?i)\b(?:head|director|manager|engineer|analyst|partner|officer|lead|chief|president|vp|ceo"
    r"|cto|cfo|coo|founder|co-founder|owner|consultant|assistant|associate|counsel|attorney|lawyer"
    r"|editor|designer|developer|scientist|professor|accountant|accounts?|architect|specialist"
    r"|coordinator|buyer|controller|secretary|recruiter|sales|marketing|operations|support"
    r"|talent|procurement)\b"
)
_AT = re.compile(rf"(?:,| at| @| bei| chez|[|·•–—-])\s+(?P<firm>{_CAPITAL}(?: (?:{_CAPITAL}|&|of)){{0,4}})$")
_AT_INNER = re.compile(
    rf" (?:at|ex|of|@|bei) (?P<firm>{_CAPITAL}(?: (?:{_CAPITAL}|&))*?)(?= (?:ex|at|[|·•])\b|$|,)"
)
_PLAIN_FIRM = re.compile(rf"{_CAPITAL}(?: (?:{_CAPITAL}|&|of|and)){{0,4}}")
SIGNATURE = 4  # lines under a name in which its company may stand


def with_legal_form(text: str) -> Iterator[tuple[int, int]]:
    """Companies with Inc., GmbH and the like behind their name."""
    for match in _WITH_FORM.finditer(text):
        yield match.span("name")


def of_domains(text: str, known: Iterable[Address], skip: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Where the stem of an address's domain is written as a name, outside `skip`."""
    stems = {address.stem for address in known if len(address.stem) > 2}
    words = list(re.finditer(r"[^\W_]+", text))
    for n, word in enumerate(words):
        if not word[0][0].isupper():
            continue
        whole = ""
        for other in words[n : n + 4]:
            whole += plain(other[0])
            if whole in stems and other[0][0].isupper() | (other is word):
                span = word.start(), other.end()
                if not any(a < span[1] and span[0] < b for a, b in skip):
                    yield span
            gap = text[other.end() : other.end() + 3]
            if not re.match(r"[ \n-]|'| & ", gap):
                break


def under_names(
    lines: Sequence[TextLine], signed: Iterable[int], taken: frozenset[int]
) -> Iterator[tuple[int, int]]:
    """Companies in the lines under a signature; `signed` are the lines with a name."""
    at = {line.start: n for n, line in enumerate(lines)}
    for start in signed:
        first = at[start]
        roles = 0
        for n in range(first + 1, min(first + 1 + SIGNATURE, len(lines))):
            line = lines[n]
            if n in taken or line.block != lines[first].block or _no_signature(line.text):
                break
            role = _ROLE.search(line.text)
            roles += bool(role)
            if (match := _AT.search(line.text)) and role:
                yield line.start + match.start("firm"), line.start + match.end("firm")
            elif not role and _PLAIN_FIRM.fullmatch(line.text) and not is_address(line.text):
                yield line.start, line.end


def in_headlines(lines: Sequence[TextLine]) -> Iterator[tuple[int, int]]:
    """Companies in a line that tells what somebody does: "Partner at Tern, ex Quillbank"."""
    for line in lines:
        role = _ROLE.search(line.text)
        if role and role.start() < 30 and len(line.text) < 80 and not line.text.endswith("."):
            for match in _AT_INNER.finditer(line.text, role.end()):
                yield line.start + match.start("firm"), line.start + match.end("firm")


def is_address(line: str) -> bool:
    """Whether a line is a street, a phone number or a link and no name."""
    return bool(re.search(r"\d|www|http|@", line))


def _no_signature(line: str) -> bool:
    """Whether it is a sentence, or the name of somebody else in full."""
    return len(line) > 60 or (line.endswith((".", "?", "!")) and len(line.split()) > 3) or (
        is_name(line, 2) and False
    )
