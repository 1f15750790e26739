"""Whom the lines of a message greet, and who signs it.

Knows lines and where messages begin; merges nobody and knows no model.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from dragtor.entities.lines import TextLine
from dragtor.entities.mail import Mail
from dragtor.entities.spelling import plain
from dragtor.entities.written import CALENDAR, NAME, is_name, is_turned

_GREET = (
    r"(?:hi|hello|hey|dear|hallo|good (?:morning|afternoon|evening)|morning|greetings|liebe[rs]?"
    r"|bonjour|hola|ciao)"
)
_GREETED = re.compile(
    rf"(?i:{_GREET})\b[ ,]+(?P<names>{NAME}(?:(?:,| and| &|/)\s*{NAME})*)(?=\s*(?:[,!:.;)–—-]|$))"
)
_CALLED = re.compile(rf"(?P<names>{NAME}(?:(?:,? and|,? &|,|/)\s{NAME})*)\s?[,:–—-]+(?:\s|$)")
_EACH = re.compile(r",? and |,? & |, |/")
_CLOSING = re.compile(
    r"(?i)(?:(?:many|best|kind|kindest|warm|with|all the|my|sincere|much)\s)*"
    r"(?:thanks|thank you|thanx|thx|regards|wishes|best|cheers|sincerely|yours|love|cordially"
    r"|respectfully|take care|saludos|gruß|grüße|greetings|talk soon|later|ciao)\b"
    r"(?:\s(?:again|so much|a lot|regards|truly|sincerely|and regards|in advance|wishes))*"
    r"(?P<stop>\s?[,.!–—-]*)\s?"
)
_SIGNED = re.compile(rf"[-–—~ ]*(?P<name>{NAME})(?:,.*|[\s.!–—-]*)")
AFTER = 3  # lines behind a closing in which it is signed
TAIL = 8  # lines before the next message in which a name alone signs


class AddressedName(NamedTuple):
    """A name at `start:end` that greets or signs in the message of this number."""

    start: int
    end: int
    message: int
    signs: bool
    closes: bool = False  # it stands under a closing, as signatures do


def greeted_and_signed(
    lines: Sequence[TextLine], mail: Mail, known: Collection[str]
) -> Iterator[AddressedName]:
    """Names in greetings and signatures; `known` are words of names that the headers show."""
    ends = [m.first for m in mail.messages[1:]] + [len(lines)]
    for number, (message, end) in enumerate(zip(mail.messages, ends, strict=True)):
        body = [n for n in range(message.first, end) if n not in mail.taken]
        for n in body:
            yield from _greeting(lines[n], number, known)
        yield from _signature(lines, body, number, known, mail)


def _greeting(line: TextLine, number: int, known: Collection[str]) -> Iterator[AddressedName]:
    greeted = _GREETED.match(line.text)
    match = greeted or _CALLED.match(line.text)
    if not match:
        return
    at = line.start + match.start("names")
    for start, end in _each(match["names"]):
        name = match["names"][start:end]
        if is_name(name) and (greeted or plain(name.split()[0]) in known):
            yield AddressedName(at + start, at + end, number, signs=False)


def _each(names: str) -> Iterator[tuple[int, int]]:
    at = 0
    for match in _EACH.finditer(names):
        yield at, match.start()
        at = match.end()
    yield at, len(names)


def _signature(
    lines: Sequence[TextLine], body: Sequence[int], number: int, known: Collection[str], mail: Mail
) -> Iterator[AddressedName]:
    for at, n in enumerate(body):
        closing = _CLOSING.match(lines[n].text)
        if not closing:
            continue
        rest = lines[n].text[closing.end() :]
        if rest and (match := _SIGNED.fullmatch(rest)) and _signs(match["name"]):
            start = lines[n].start + closing.end() + match.start("name")
            yield AddressedName(start, start + len(match["name"]), number, signs=True, closes=True)
        elif not rest:
            yield from _behind(lines, body[at + 1 : at + 1 + AFTER], n, number)
    for n in body[-TAIL:] if body else ():
        match = _SIGNED.fullmatch(lines[n].text)
        if is_turned(lines[n].text):
            continue
        if match and _signs(match["name"]) and _knows(match["name"], known):
            start = lines[n].start + match.start("name")
            yield AddressedName(start, start + len(match["name"]), number, signs=True)


def _behind(
    lines: Sequence[TextLine], following: Sequence[int], closing: int, number: int
) -> Iterator[AddressedName]:
    """The name on the line after a closing, and once more in full on the next one."""
    for step, n in enumerate(following):
        if n != closing + 1 + step:
            return
        match = _SIGNED.fullmatch(lines[n].text)
        if not match or not _signs(match["name"]):
            return
        if step and len(match["name"].split()) < 2:
            return
        start = lines[n].start + match.start("name")
        yield AddressedName(start, start + len(match["name"]), number, signs=True, closes=True)
        if len(match["name"].split()) > 1:
            return


def _knows(name: str, known: Collection[str]) -> bool:
    words = [re.sub(r"['’.-]", "", plain(word)) for word in name.split()]
    return words[0] in known or (len(words[0]) == 1 and words[-1] in known)


def _signs(name: str) -> bool:
    words = name.split()
    return is_name(name) and len(words) <= 4 and plain(words[0]) not in CALENDAR
