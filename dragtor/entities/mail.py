"""Mail and chat in a text: header lines with the people in them, who wrote each message.

Reads lines by their form only: "From:", "On ... X wrote:", "Forwarded by X", a name beside a time.
Knows no model and merges nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dragtor.entities.addresses import addresses
from dragtor.entities.lines import TextLine, beside
from dragtor.entities.written import (
    NAME,
    Written,
    is_name,
    is_turned,
    listed_names,
    stripped,
)

SENDERS = ("from", "sender", "on behalf of", "organizer", "organiser", "host", "von")
_PEOPLE = (
    *SENDERS, "to", "cc", "bcc", "reply-to", "attendees", "guests", "invitees", "participants",
    "required", "optional", "with", "who", "an", "invited",
)  # fmt: skip
_OTHERS = (
    "sent",
    "date",
    "subject",
    "when",
    "where",
    "importance",
    "attachments",
    "re",
    "location",
)
_KEY = re.compile(
    rf"(?i:(?P<key>{'|'.join(sorted(_PEOPLE, key=len, reverse=True))}))"
    r"(?:\s?[:.](?!\w{2,3}\b)\s*|\s+)"
)
_OTHER = re.compile(rf"(?i:{'|'.join(_OTHERS)})\s?:|(?:Subject|Date|Sent)\s")
_INNER = re.compile(r"(?i)[,;]?\s+(?:cc|bcc)\s?:?\s+")
_FORWARDED = re.compile(rf"Forwarded by:?\s+(?P<name>{NAME})")
_WROTE = re.compile(r"(?:On .{6,60}, )?(?P<who>.+?)\s*(?:wrote|schrieb|writes)\s?:")
_MARKER = re.compile(r"(?i)[-_ ]*(?:original (?:message|appointment)|forwarded|begin forwarded)\b")
TIME = r"(?:\d{1,2}[:.]\d{2}(?:\s?[AaPp]\.?[Mm]\.?)?|\d{1,2}\s?[ap]m|yesterday|today)"
_TIME = re.compile(
    rf"(?i)(?:(?:mon|tue|wed|thu|fri|sat|sun)\w*\.?,?\s?)?[\w./, ]{{0,14}}?{TIME}"
    rf"|(?:mon|tue|wed|thu|fri|sat|sun|yesterday|today)\w*\.?|\d{{1,2}}\s?[a-z]{{3}}"
)
_STAMP = re.compile(r"\d{1,2}/\d{1,2}/\d{2,4}\s?\d{1,2}:\d{2}")
_NAME_TIME = re.compile(rf"(?P<name>{NAME})(?:\s+[(·|•-]?\s?|(?=\d))(?i:{TIME})\)?.*")
_TO = re.compile(r"(?:[Tt]o|An)\b(?:\s?:|\s+[^\W\d_a-z])|to me\b")  # under a sender
_PRESENT = re.compile(r"(?i)(?:online|active|last seen|typing|away|available|busy)\b")
_NAME_PLACE = re.compile(rf"(?P<name>{NAME})(?:\s?[@/][\w@/ ]*)?")  # Tushar Dhruv@ENRON
_LISTED = re.compile(r"[;@/]")
_OPEN = re.compile(r"(?:[,;/<]|@\w*)$")
LONG_LINE = 60  # characters: such a line of a list may go on without a comma


class Header(NamedTuple):
    """A list of people: the lines `first:last`, its key in lower case, and whom it names."""

    first: int
    last: int
    key: str
    people: tuple[Written, ...]


@dataclass(slots=True)
class MailMessage:
    """What stands between two senders: lines from `first` on, and who wrote it."""

    first: int
    body: int  # the line after its headers
    senders: list[Written] = field(default_factory=list)


class Mail(NamedTuple):
    """Messages in the order of the text, and the lines that are headers and no prose."""

    headers: list[Header]
    messages: list[MailMessage]
    taken: frozenset[int]  # lines that hold no prose


def read_mail(text: str, lines: Sequence[TextLine]) -> Mail:
    """The headers of all messages in a text."""
    turned = _turned_style(text)
    headers: list[Header] = []
    taken: set[int] = set()
    at = 0
    while at < len(lines):
        header = _header(text, lines, at, turned) or _mark(text, lines, at)
        if header:
            headers.append(header)
        if header or _OTHER.match(lines[at].text) or _MARKER.match(lines[at].text):
            taken.update(range(at, header.last if header else at + 1))
        at = header.last if header else at + 1
    return Mail(headers, _messages(headers), frozenset(taken))


def _turned_style(text: str) -> bool:
    """Whether names in headers have the last one first, as far as the text shows."""
    from_ = re.compile(r"(?m)^From\s?:?\s+[\"“]?([^<\[\n@;]+)")
    said = [is_turned(m[1].strip(' "”')) for m in from_.finditer(text)]
    return any(said) or bool(re.search(r"(?m)^(?:To|Cc|CC|cc)\s?:[^\n@<]*,[^\n@<]*;", text))


# Headers


def _header(text: str, lines: Sequence[TextLine], at: int, turned: bool) -> Header | None:
    line = lines[at]
    match = _KEY.match(line.text)
    if not match:
        return None
    key, start = match["key"].lower(), line.start + match.end()
    colon = ":" in match[0]
    last = at + 1
    while last < len(lines) and _continues(lines, last, at):
        last += 1
    people = list(_people(text, start, lines[last - 1].end, key, turned if turned else None, colon))
    if not colon and not (people and _only_names(text, start, lines[last - 1].end, people)):
        return None
    return Header(at, last, key, tuple(people))


def _people(
    text: str, start: int, end: int, key: str, turned: bool | None, colon: bool
) -> Iterator[Written]:
    if key in SENDERS:
        turned = True
    elif turned is None and not colon:
        turned = False
    at = start
    for inner in (*_INNER.finditer(text, start, end), None):
        stop = inner.start() if inner else end
        yield from listed_names(text, at, stop, turned)
        at = inner.end() if inner else end


def _continues(lines: Sequence[TextLine], at: int, first: int) -> bool:
    """Whether a list of people goes on in a line."""
    line, before = lines[at], lines[at - 1]
    if line.block != before.block or _is_header_line(line.text) or _STAMP.match(line.text):
        return False
    if _OPEN.search(before.text):
        return True
    return len(before.text) >= LONG_LINE and bool(_LISTED.search(line.text))


def _is_header_line(line: str) -> bool:
    match = _KEY.match(line)
    return bool(match and ":" in match[0]) or bool(_OTHER.match(line) or _MARKER.match(line))


def _only_names(text: str, start: int, end: int, people: Sequence[Written]) -> bool:
    """Whether a line without a colon holds nothing but names: "to Bram, Owen", "From Ann Lee"."""
    said = [p.name for p in people if p.name] + [
        (p.address.start, p.address.end) for p in people if p.address
    ]
    rest = text[start:end]
    for first, last in sorted(said, reverse=True):
        rest = rest[: first - start] + rest[last - start :]
    return not re.search(r"\w", re.sub(r"(?i)\bb?cc\b|\band\b", "", rest))


# Other marks of a sender


def _mark(text: str, lines: Sequence[TextLine], at: int) -> Header | None:
    """A line that names a sender in another way than by a header."""
    line = lines[at]
    if match := _FORWARDED.search(line.text):
        start, end = match.span("name")
        return _sender(text, line, start, end, at, "forwarded")
    if len(line.text) < 2 * LONG_LINE and (match := _WROTE.match(line.text)):
        people = listed_names(
            text, line.start + match.start("who"), line.start + match.end("who"), True
        )
        return Header(at, at + 1, "wrote", tuple(people)) if people else None
    after = lines[at + 1] if at + 1 < len(lines) else None
    if after and _STAMP.match(after.text) and (match := _NAME_PLACE.fullmatch(line.text)):
        return _sender(text, line, *match.span("name"), at, "from")
    if after and after.block == line.block and _TO.match(after.text):
        people = listed_names(text, line.start, line.end, is_turned(line.text))
        whole = is_turned(line.text) or _only_names(text, line.start, line.end, people)
        if people and whole:
            return Header(at, at + 1, "from", tuple(people))
    if after and _PRESENT.match(after.text) and is_name(line.text, 2):
        return _sender(text, line, 0, len(line.text), at, "chat")
    if _STAMP.search(line.text) and (found := list(addresses(text, line.start, line.end))):
        return Header(at, at + 1, "from", (Written(None, found[0]),))
    return _beside_time(text, lines, at)


def _beside_time(text: str, lines: Sequence[TextLine], at: int) -> Header | None:
    """A name with a time in the same row, as chats and lists of mails show it."""
    line = lines[at]
    if (match := _NAME_TIME.fullmatch(line.text)) and is_name(match["name"], 2):
        return _sender(text, line, *match.span("name"), at, "from")
    if line.box is None:
        return None
    name = line.text[slice(*stripped(line.text, 0, len(re.split(r"\s*[<\[]", line.text)[0])))]
    if not (is_name(name, 2) or is_turned(name)):
        return None
    right = [each for each in beside(lines, line) if each.box and each.box[0] >= line.box[2]]
    if right and _TIME.fullmatch(min(right, key=lambda each: each.box or ()).text):
        people = listed_names(text, line.start, line.end, is_turned(name))
        return Header(at, at + 1, "from", tuple(people)) if people else None
    return None


def _sender(text: str, line: TextLine, start: int, end: int, at: int, key: str) -> Header | None:
    first, last = stripped(text, line.start + start, line.start + end)
    if not is_name(text[first:last]):
        return None
    return Header(at, at + 1, key, (Written((first, last), None),))


def _messages(headers: Sequence[Header]) -> list[MailMessage]:
    messages = [MailMessage(0, 0)]
    for header in headers:
        if header.key in (*SENDERS, "wrote"):
            if messages[-1].senders or header.first > messages[-1].body + 1:
                messages.append(MailMessage(header.first, header.last))
            messages[-1].senders += header.people
        if header.first - messages[-1].body <= 3:
            messages[-1].body = header.last
    return messages
