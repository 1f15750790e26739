"""A phrase of recurrence as the value of an RFC 5545 RRULE.

Owns what stands beside the recurrence itself: its days, its end, its exceptions.
"""

from __future__ import annotations

from datetime import date, datetime

from dragtor.dates.nths import of_the_month
from dragtor.dates.numbers import cardinal, digits, ordinal
from dragtor.dates.offsets import moved
from dragtor.dates.reader import Node, Reader, shift
from dragtor.dates.resolve import GRAMMAR
from dragtor.dates.sets import WORKDAYS, repeat, weekday_list
from dragtor.dates.words import CODES, SECONDS

UNIT_OF = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year", "HOURLY": "hour"}


ORDER = ("FREQ", "INTERVAL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS", "COUNT", "UNTIL")


LETTERS = {"mwf": "MO,WE,FR", "tth": "TU,TH", "tuth": "TU,TH", "mtwthf": "MO,TU,WE,TH,FR"}


ENDS = ("until", "till", "til", "through", "thru", "ending", "before", "to")


_ = GRAMMAR  # the rules are registered


def recurrence(phrase: str, now: datetime, *, day_first: bool = False) -> str | None:
    """Such as FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;UNTIL=20270601; None for what has no exact rule.

    "Until June" ends on 1 June, the first day that is no more wholly inside.
    """
    r = Reader(phrase, now, day_first)
    found = longest(r) or unsaid(r)
    if not found or not found[0].rule:
        return None
    node, start, end = found
    parts = dict(node.rule)
    if parts["FREQ"] == "SECONDLY" or often(r, start, end):
        return None
    for i in [*range(start), *range(end, len(r.tokens))]:
        if impossible(r, i, parts):
            return None
        if r.word(i) in ENDS and "UNTIL" not in parts and (day := until(r, i)):
            parts["UNTIL"] = day.isoformat().replace("-", "")
        elif "COUNT" not in parts and "UNTIL" not in parts:
            parts |= counted(r, i, parts) or throughout(r, i)
        other = r.read("set0", i)
        if other and other[0].rule and "INTERVAL" not in parts:
            parts |= step_of(dict(other[0].rule), parts["FREQ"])
        if r.word(i) in ("except", "but", "not") and (dropped := left_out(r, except_at(r, i))):
            left = parts.get("BYDAY", ",".join(CODES)).split(",")
            keep = [code for code in left if code not in {CODES[d] for d in dropped}]
            parts |= {"FREQ": "WEEKLY", "BYDAY": ",".join(keep)} if keep else {}
        elif "BYDAY" not in parts and "BYMONTHDAY" not in parts:
            parts |= days(r, i, parts)
    return ";".join(f"{name}={parts[name]}" for name in ORDER if name in parts)


def impossible(r: Reader, i: int, parts: dict[str, str]) -> bool:
    """Until 31/02/2026, monthly on the 32nd: a day is named that there is not."""
    if r.word(i) in ("until", "till", "til"):
        return digits(r, i + 1, 4) is not None and not until(r, i)
    number = ordinal(r, r.skip(i + 1, ("the",))) if r.word(i) == "on" else None
    return bool(number and parts["FREQ"] == "MONTHLY" and not 1 <= number[0] <= 31)


def longest(r: Reader) -> tuple[Node, int, int] | None:
    """The longest recurrence of the phrase and its tokens."""
    best: tuple[Node, int, int] | None = None
    for i in range(len(r.tokens)):
        found = r.read("set0", i)
        if found and (best is None or found[1] - i > best[2] - best[1]):
            best = found[0], i, found[1]
    return best


def unsaid(r: Reader) -> tuple[Node, int, int] | None:
    """What comes again though no word says so: Mon-Fri, Mon/Wed/Fri, last Friday of the month."""
    for i in range(len(r.tokens)):
        days = weekday_list(r, i)
        if days and len(days[0]) > 1:
            codes = ",".join(CODES[d] for d in sorted(set(days[0])))
            return repeat("", (("FREQ", "WEEKLY"), ("BYDAY", codes))), i, days[1]
        if r.word(i) in LETTERS:
            return repeat("", (("FREQ", "WEEKLY"), ("BYDAY", LETTERS[r.word(i)]))), i, i + 1
        if end := r.has(i, "m - f"):
            return repeat("", WORKDAYS), i, end
        found = of_the_month(r, i)
        if found:
            return found[0], i, found[1]
    return None


def step_of(rule: dict[str, str], freq: str) -> dict[str, str]:
    """The INTERVAL of a second recurrence in the phrase: the 2 of "fortnightly on Fridays"."""
    fits = "INTERVAL" in rule and rule["FREQ"] == freq
    return {"INTERVAL": rule["INTERVAL"]} if fits else {}


def left_out(r: Reader, i: int) -> list[int]:
    """The weekdays named here, counted from Monday as 0: Friday; Mon and Tue; weekends."""
    if r.word(r.skip(i, ("the",))) in ("weekend", "weekends"):
        return [5, 6]
    found = weekday_list(r, i)
    return found[0] if found else []


def throughout(r: Reader, i: int) -> dict[str, str]:
    """UNTIL of "this week", "next month", "in December": its last day."""
    j = i + 1 if r.word(i) in ("in", "during", "throughout") else i
    opened = r.word(i - 1) in ("starting", "beginning", "from", "after", "until", "till", "of")
    if (j == i and r.word(i) not in ("this", "next")) or opened:
        return {}
    found = r.read("period", j)
    end = found[0].first[1] if found and found[0].reads and found[0].kind == "daterange" else None
    last = shift(end, -1, "day") if isinstance(end, date) else None
    return {"UNTIL": last.isoformat().replace("-", "")} if last else {}


def often(r: Reader, start: int, end: int) -> bool:
    """Twice a week, three times every month: how often is said, not when."""
    return r.word(start - 1) in ("twice", "thrice", "times") or r.word(end) in ("twice", "thrice")


def except_at(r: Reader, i: int) -> int:
    """The place behind "except", "except on", "but not"."""
    j = i + 1
    while r.word(j) in ("not", "on", "for"):
        j += 1
    return j


def until(r: Reader, i: int) -> date | None:
    """The day named behind "until"."""
    j = r.skip(r.skip(i + 1, ("on", "with")), ("the",))
    found = [f for name in ("moment", "day", "period") if (f := r.read(name, j)) and f[0].reads]
    best = max(found, key=lambda f: f[1], default=None)
    if not best:
        return None
    start, end = best[0].first
    at = end if best[0].mod == "end" and isinstance(end, date) else start
    if not isinstance(at, date):
        return None
    day = at.date() if isinstance(at, datetime) else at
    unit = best[0].open if best[0].open in ("year", "month", "week") else ""
    return shift(day, 1, unit) if unit and day <= r.today else day


def counted(r: Reader, i: int, parts: dict[str, str]) -> dict[str, str]:
    """COUNT of "10 times" and "for 4 weeks", UNTIL where the unit is another."""
    number = cardinal(r, i)
    if number and r.word(number[1]) in ("times", "occurrences", "sessions", "repeats"):
        return {"COUNT": str(int(number[0]))} if 1 <= number[0] <= 100_000 else {}
    j = r.skip(i + 1, ("the", "a", "next", "another"))
    j = r.skip(j, ("next", "total")) if r.word(i) == "for" else j
    found = r.read("length", j) if r.word(i) in ("for", "over") else None
    if not found and r.word(i) == "for" and r.word(i + 1) in ("a", "an"):
        found = r.read("length", i + 1)
    if not found or len(found[0].amounts) > 1:
        return {}
    amount, unit = found[0].amounts[0]
    steps = int(parts.get("INTERVAL", "1"))
    own = UNIT_OF.get(parts["FREQ"], "")
    if SECONDS[unit] < 86400 and own != "hour":
        return {}  # for an hour: how long each lasts
    listed = "," in parts.get("BYDAY", "") or "," in parts.get("BYMONTHDAY", "")
    whole = round(amount * SECONDS[unit] / SECONDS["week"], 6) if own == "week" else 0
    if unit == own and amount == int(amount) and not listed:
        return {"COUNT": str(max(1, -(-int(amount) // steps)))}
    if own == "week" and whole == int(whole) and not listed and unit != "month":
        return {"COUNT": str(max(1, -(-int(whole) // steps)))}
    after = moved(r.today, ((amount, unit),), 1)
    end = shift(after, -1, "day") if after else None
    return {"UNTIL": end.isoformat().replace("-", "")} if end else {}


def days(r: Reader, i: int, parts: dict[str, str]) -> dict[str, str]:
    """The days of "weekly on Tue and Thu", "monthly on the 15th", "yearly on May 5"."""
    freq = parts["FREQ"]
    if r.word(i - 1) in ("until", "till", "from", "starting", "by", "before", "through"):
        return {}
    if freq == "WEEKLY" and (found := weekday_list(r, i)):
        return {"BYDAY": ",".join(CODES[d] for d in sorted(set(found[0])))}
    if r.word(i) not in ("on", "the"):
        return {}
    j = r.skip(r.skip(i, ("on",)), ("the",))
    if freq == "MONTHLY":
        number = (-1, j + 1) if r.word(j) == "last" else ordinal(r, j)
        if not number:
            return {}
        if listed := weekday_list(r, number[1]):
            valid = number[0] == -1 or 1 <= number[0] <= 5
            return {"BYDAY": f"{number[0]}{CODES[listed[0][0]]}"} if valid else {}
        return {"BYMONTHDAY": str(number[0])} if number[0] == -1 or 1 <= number[0] <= 31 else {}
    day = r.read("day0", j)
    if freq == "YEARLY" and day and day[0].day[0]:
        month, number_ = day[0].day
        return {"BYMONTH": str(month), "BYMONTHDAY": str(number_)}
    return {}
