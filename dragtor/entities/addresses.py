"""E-mail addresses in a text, also as a reader of pictures spells them, and whose they may be.

Knows no document and no person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# As long as addresses are (RFC 5321): of a text of any length, each place is read once.
_LABEL = r"\w{1,63}(?:(?:-| - )\w{1,63}){0,9}"
_PART = r"[\w&+-]{1,64}"
_LOCAL = rf"(?:[A-Z][\w'’+-]{{0,64}}\.\s(?=[A-Z]))?{_PART}(?:[.'’\"]{{1,3}}{_PART}){{0,9}}"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL}){{0,7}}\.[^\W\d_]{{2,12}}|{_LABEL}\. [a-z]{{2,12}})"
_ADDRESS = re.compile(rf"(?<![\w.])(?P<local>{_LOCAL})[ ]?@[ ]?(?P<domain>{_DOMAIN})(?!\w)")
_ENCODED = re.compile(r"\+[\dA-F]{2}")  # an address inside an address
_PARTS = re.compile(r"[._\s\"]+")
_ROLES = frozenset(
    """noreply donotreply reply info support sales team help hello contact admin billing news
    newsletter notifications notification marketing jobs careers office service services
    mailerdaemon postmaster webmaster press invoices accounts orders events updates
    alerts calendar feedback security""".split()
)
_SECOND_LEVEL = frozenset("co com org net ac gov edu".split())
OPEN_DOMAINS = frozenset(
    """gmail googlemail yahoo hotmail outlook aol icloud gmx web msn protonmail yahoogroups live
    mail prodigy""".split()
)  # domains that name nobody's company


class Address(NamedTuple):
    """An address at `start:end` of a text."""

    start: int
    end: int
    local: str
    domain: str

    @property
    def is_role(self) -> bool:
        """Whether it is an office's and not somebody's: no-reply, support."""
        return re.sub(r"[\W_]+", "", self.local).casefold() in _ROLES

    @property
    def stem(self) -> str:
        """The word that a domain is named by; empty for one where anybody has an address."""
        parts = self.domain.casefold().split(".")[:-1]
        if len(parts) > 1 and parts[-1] in _SECOND_LEVEL:
            parts.pop()
        stem = parts[-1].replace("-", "") if parts else ""
        return "" if stem in OPEN_DOMAINS else stem

    @property
    def implied(self) -> tuple[str, ...]:
        """The words of its local part, without digits: doug, leach."""
        words = (re.sub(r"\d+", "", part) for part in _PARTS.split(self.local))
        return tuple(word for word in words if any(c.isalpha() for c in word))


def addresses(text: str, start: int = 0, end: int | None = None) -> Iterator[Address]:
    """The addresses in `text[start:end]`, in its order."""
    for match in _ADDRESS.finditer(text, start, len(text) if end is None else end):
        domain = re.sub(r"\s", "", match["domain"])
        if _ENCODED.search(match["local"]):
            continue
        yield Address(match.start(), match.end(), match["local"], domain)
