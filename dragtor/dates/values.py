"""What the reader of dates gives out: a mention in a text, and each way to read it.

Owns the two public types. Knows no grammar.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Value:
    """One way to read a mention; a date without a year has the next one first, then the last."""

    kind: str  # date|time|datetime|daterange|timerange|datetimerange|duration|set|timezone
    value: str  # ISO 8601 with a blank for the T; seconds of a duration; "" for a range
    start: str = ""  # of a range; "" where it is open
    end: str = ""  # the first moment after a range of days, "" where it is open


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of a text that names a time."""

    start: int
    end: int  # exclusive
    kind: str  # as in `Value`
    timex: str  # as in TIMEX3: "XXXX-WXX-5" is any Friday, "P3D" three days, "T14:30"
    values: tuple[Value, ...]
    ambiguous: bool  # 10/12, or "at 7" without am or pm: `values` are guesses in order
