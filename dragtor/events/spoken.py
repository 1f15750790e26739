"""Clock times as they are spoken: ten to nine is 8:50, and from ten to nine is a stretch.

Owns which of the two is meant. Knows no date and no event; what a time comes to is read by dates.
"""

from __future__ import annotations

import re

from dragtor.dates.words import HOURS, ONES

_OF_HOUR = rf"(?:{'|'.join(HOURS)}|1[0-2]|[1-9])\b"
# Minutes in words: a pattern of whole hours would lose them.
MINUTES_SAID = re.compile(
    r"\b(?:half|quarter|past|minutes?|fifteen|(?:twenty|thirty|forty|fifty)(?:[ -][a-z]+)?)\b", re.I
)
_FEW = r"(five|ten|twenty(?:[ -]five)?)"
REWORDED = (  # American ways and deadlines, as dates reads times
    (re.compile(rf"\b{_FEW} after (?={_OF_HOUR})", re.I), r"\1 past "),
    (re.compile(rf"\b{_FEW} (?:of|before) (?={_OF_HOUR})", re.I), r"\1 minutes to "),
    (re.compile(r"^(?:just )?(?:by|before) (?=.*\w)", re.I), ""),
)
_MINUTES_TO = re.compile(
    r"(?:\b(?P<lead>[a-z]+)\s+)?(?:(?:about|around|roughly)\s+)?(?<![:.h\d])(?<!\d\s)"
    rf"\b(?P<minutes>five|ten|5|10|15|20|25)\s+(?P<sign>to|till?)\s+(?P<hour>{_OF_HOUR})"
    r"(?![:.h]\d|\s*[-–]\s*\d)(?P<whole>\s*(?:o.?clock|noon|midday))?"
    r"(?P<more>[ -](?:ten|fifteen|twenty|thirty|forty|fifty|oh)\b)?",
    re.I,
)
_STRETCH_FROM = ("from", "between", "during")
_MOMENT_AT = ("at", "by", "before", "after", "until", "till", "to", "since")
_ENDS_AT = {*HOURS, "half", "past"}  # half ten to nine: the number is of the time before


def exact_clock(clock: str, lead: str, *, lasts: bool) -> tuple[str, bool]:
    """A time with "ten to nine" as "ten minutes to nine", and whether it may be a stretch too.

    `lead` is the word before it, `lasts` says that its length is told elsewhere. It is a stretch
    behind from and between, before o'clock or "thirty", and in figures: 10 to 9 is a time only
    behind "at". Where the hours go up and nothing tells, as in "five to seven", it may be either.
    """
    found = _MINUTES_TO.search(clock)
    if not found:
        return clock, False
    lead = (found["lead"] or lead).lower()
    of_another = lead == "to" and MINUTES_SAID.search(clock, 0, found.start())
    if lead in _ENDS_AT or of_another:
        return clock, False
    if lead in _STRETCH_FROM or found["more"]:
        return clock if found["lead"] else f"from {clock}", bool(found["more"])
    minutes, hour = _number(found["minutes"]), _number(found["hour"])
    figures, upwards = found["minutes"].isdigit(), minutes < hour
    if upwards and (found["whole"] or found["sign"].lower() != "to"):
        return clock, False
    if figures and minutes <= 12 and lead not in ("at", "by"):
        return clock, False
    told = (lead in _MOMENT_AT and not figures) or lasts
    exact = f"{clock[: found.end('minutes')]} minutes to {clock[found.start('hour') :]}"
    return exact, upwards and not told


def _number(said: str) -> int:
    return int(said) if said.isdigit() else ONES[said.lower()]
