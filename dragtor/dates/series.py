"""A phrase that says how something repeats as an RFC 5545 rule: days, times, end, exceptions.

`recurrence` joins a node of kind "set" with what stands beside it, `opening` tells when the series
begins. Registers no rule.
"""

from __future__ import annotations

from datetime import date, datetime, time

from dragtor.dates.clock import may_be_hour
from dragtor.dates.parser import Node, Parse, Parser, date_of, shift
from dragtor.dates.periods import shifted_week
from dragtor.dates.quantities import cardinal, integer, ordinal_number
from dragtor.dates.ranges import as_datetime, range_edge
from dragtor.dates.recurrences import (
    WORKDAYS,
    nth_of_the_month,
    ordinal_list,
    set_node,
    weekday_list,
)
from dragtor.dates.relative import moved_by
from dragtor.dates.words import CODES, LAST, SECONDS_OF, SHIFTS, WEEKDAYS

WEEKDAY_JOINTS = (",", "and", "&", "or", "/")
UNIT_OF_FREQUENCY = {
    "DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year", "HOURLY": "hour",
}  # fmt: skip
PART_ORDER = (
    "FREQ", "INTERVAL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYHOUR", "BYMINUTE", "BYSETPOS", "COUNT",
    "UNTIL",
)  # fmt: skip
OPENING = ("starting", "beginning", "commencing", "from", "as of", "effective", "start")
DAY_LETTERS = {"mwf": "MO,WE,FR", "tth": "TU,TH", "tuth": "TU,TH", "mtwthf": "MO,TU,WE,TH,FR"}
UNTIL_WORDS = ("until", "till", "til", "through", "thru", "ending", "before", "to")


def recurrence(phrase: str, now: datetime, *, day_first: bool = False) -> str | None:
    """Such as FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;UNTIL=20270601; None for what has no exact rule.

    "Until June" ends on 1 June, the first day that is no more wholly inside.
    """
    p = Parser(phrase, now, day_first)
    found = longest_set(p) or implied_set(p)
    if not found or not found[0].rrule:
        return None
    node, start, end = found
    parts = dict(node.rrule) | counted_days(p, start, end, dict(node.rrule))
    hours = max((times_of_day(p, i) for i in range(len(p.tokens))), key=len)
    if parts["FREQ"] == "SECONDLY" or (only_how_often(p, start, end) and len(hours) < 2):
        return None
    if len(hours) > 1 and len({at.minute for at in hours}) == 1:  # at 8 and at 20
        listed = ",".join(str(at.hour) for at in sorted(hours))
        parts |= {"BYHOUR": listed, "BYMINUTE": str(hours[0].minute)}
    for i in [*range(start), *range(end, len(p.tokens))]:
        if names_no_day(p, i, parts):
            return None
        if p.word(i) in UNTIL_WORDS and "UNTIL" not in parts and (day := until_day(p, i)):
            parts["UNTIL"] = day.isoformat().replace("-", "")
        elif "COUNT" not in parts and "UNTIL" not in parts:
            parts |= count_or_until(p, i, parts) or until_end_of(p, i)
        other = p.parse("recurrence", i)
        if other and other[0].rrule and "INTERVAL" not in parts:
            parts |= added_interval(dict(other[0].rrule), parts["FREQ"])
        if p.word(i) in ("except", "but", "not") and (
            dropped := excluded_weekdays(p, after_except(p, i))
        ):
            left = parts.get("BYDAY", ",".join(CODES)).split(",")
            keep = [code for code in left if code not in {CODES[d] for d in dropped}]
            parts |= {"FREQ": "WEEKLY", "BYDAY": ",".join(keep)} if keep else {}
        elif "BYDAY" not in parts and "BYMONTHDAY" not in parts:
            parts |= added_days(p, i, parts)
    if "COUNT" in parts and "BYHOUR" in parts:
        parts["COUNT"] = str(int(parts["COUNT"]) * len(hours))
    return ";".join(f"{name}={parts[name]}" for name in PART_ORDER if name in parts)


def opening(phrase: str, now: datetime, *, day_first: bool = False) -> date | None:
    """When a series begins that is not on yet: starting 9 am tomorrow, from May, next week."""
    found = series_opening(Parser(phrase, now, day_first))
    return found if found and as_datetime(found) > now.replace(tzinfo=None) else None


def series_opening(p: Parser) -> date | None:
    """The first day of a series, or the moment, where the phrase says it."""
    for i in range(len(p.tokens)):
        led = next((j for word in OPENING if (j := p.match(i, word))), 0)
        stretch = p.parse("range", i) if p.word(i) == "from" else None
        found = stretch or (
            range_edge(p, p.optional(led, ("on", "from", "with", "in"))) if led else None
        )
        counted = "for" in (p.word(i - 1), p.word(i - 2))  # for the next month
        found = found or (None if counted else period_said(p, i))
        start = found[0].likeliest[0] if found and found[0].readings else None
        if found and isinstance(start, date):
            return start if found[0].kind == "datetime" else date_of(start)
    return None


def times_of_day(p: Parser, i: int) -> tuple[time, ...]:
    """The times of "at 8, 12 and 6" and of "7am and again at 7pm", in the part of day said."""
    if p.word(i - 1) in ("between", "from"):
        return ()
    led = i == 0 or p.word(i - 1) in ("at", "@")
    late = {"evening", "evenings", "night", "nights", "afternoon", "afternoons"}
    late &= {token.text for token in p.tokens}
    times: list[time] = []
    while found := p.parse("bare_time" if led and may_be_hour(p, i) else "time", i):
        ends = [at for at, _ in found[0].readings if isinstance(at, time)]
        fit = [at for at in ends if late and at.hour >= 12] or ends
        times.append(fit[0])
        i = p.optional(p.optional(p.optional(found[1], (",",)), ("and", "&", "then")), ("again",))
        if i == found[1]:
            break
        led, i = True, p.optional(i, ("at", "@"))
    counted = times and p.parse("duration", i)
    return tuple(dict.fromkeys(times)) if not counted else ()


def counted_days(p: Parser, i: int, end: int, parts: dict[str, str]) -> dict[str, str]:
    """COUNT of "the next four Wednesdays" and "this Friday and the two Fridays after that"."""
    k = i - 1 if p.word(i - 1) in ("consecutive", "straight", "more") else i
    number = cardinal(p, k - 1) if parts.get("BYDAY") and k else None
    if not number or number[1] != k or p.word(k - 2) in LAST or p.word(end) in ("a", "per", "of"):
        return {}
    first = p.word(k - 3) == "and" and p.word(k - 4) in WEEKDAYS
    return {"COUNT": str(int(number[0] + first) * len(parts["BYDAY"].split(",")))}


def names_no_day(p: Parser, i: int, parts: dict[str, str]) -> bool:
    """Until 31/02/2026, monthly on the 32nd: a day is named that there is not."""
    if p.word(i) in ("until", "till", "til"):
        return integer(p, i + 1, 4) is not None and not until_day(p, i)
    number = ordinal_number(p, p.optional(i + 1, ("the",))) if p.word(i) == "on" else None
    return bool(number and parts["FREQ"] == "MONTHLY" and not 1 <= number[0] <= 31)


def longest_set(p: Parser) -> tuple[Node, int, int] | None:
    """The longest recurrence of the phrase and its tokens."""
    best: tuple[Node, int, int] | None = None
    for i in range(len(p.tokens)):
        found = p.parse("recurrence", i)
        if found and (best is None or found[1] - i > best[2] - best[1]):
            best = found[0], i, found[1]
    return best


def implied_set(p: Parser) -> tuple[Node, int, int] | None:
    """What comes again though no word says so: Mon-Fri, Mon/Wed/Fri, last Friday of the month."""
    words = {token.text for token in p.tokens}
    for i in range(len(p.tokens)):
        if len(times_of_day(p, i)) > 1 and "for" in words and words & {"days", "weeks", "week"}:
            return set_node("", (("FREQ", "DAILY"),)), i, i + 1
        numbers, end = ordinal_list(p, p.optional(i, ("the",)))
        if len(numbers) > 1 and "month" in words and end == len(p.tokens):
            listed = ",".join(map(str, numbers))
            return set_node("", (("FREQ", "MONTHLY"), ("BYMONTHDAY", listed))), i, end
        days = weekday_list(p, i)
        of_one_week = days and (shifted_week(p, days[1]) or p.word(i - 1) in SHIFTS)
        if of_one_week and p.word(i + 1) not in WEEKDAY_JOINTS:
            return None  # Monday to Wednesday next week
        if days and len(days[0]) > 1:
            codes = ",".join(CODES[d] for d in sorted(set(days[0])))
            return set_node("", (("FREQ", "WEEKLY"), ("BYDAY", codes))), i, days[1]
        if p.word(i) in DAY_LETTERS:
            return set_node("", (("FREQ", "WEEKLY"), ("BYDAY", DAY_LETTERS[p.word(i)]))), i, i + 1
        if end := p.match(i, "m - f"):
            return set_node("", WORKDAYS), i, end
        found = nth_of_the_month(p, i)
        if found:
            return found[0], i, found[1]
    return None


def added_interval(rule: dict[str, str], freq: str) -> dict[str, str]:
    """The INTERVAL of a second recurrence in the phrase: the 2 of "fortnightly on Fridays"."""
    fits = "INTERVAL" in rule and rule["FREQ"] == freq
    return {"INTERVAL": rule["INTERVAL"]} if fits else {}


def excluded_weekdays(p: Parser, i: int) -> list[int]:
    """The weekdays named here, counted from Monday as 0: Friday; Mon and Tue; weekends."""
    if p.word(p.optional(i, ("the",))) in ("weekend", "weekends"):
        return [5, 6]
    found = weekday_list(p, i)
    return found[0] if found else []


def period_said(p: Parser, i: int) -> Parse | None:
    """This week, next month, in December: the period that holds a series."""
    j = i + 1 if p.word(i) in ("in", "during", "throughout", "over") else i
    opened = p.word(i - 1) in ("starting", "beginning", "from", "after", "until", "till", "of")
    if (j == i and p.word(i) not in ("this", "next")) or opened or cardinal(p, i + 1):
        return None
    found = p.parse("period", j) or (p.parse("period", p.optional(j, ("the",))) if j > i else None)
    return found if found and found[0].readings and found[0].kind == "daterange" else None


def until_end_of(p: Parser, i: int) -> dict[str, str]:
    """UNTIL of "this week", "next month", "in December": its last day."""
    found = p.parse("period", i) if p.word(i) in ("rest", "remainder") else period_said(p, i)
    end = found[0].likeliest[1] if found else None
    last = shift(end, -1, "day") if isinstance(end, date) else None
    return {"UNTIL": last.isoformat().replace("-", "")} if last else {}


def only_how_often(p: Parser, start: int, end: int) -> bool:
    """Twice a week, three times every month: how often is said, not when."""
    return p.word(start - 1) in ("twice", "thrice", "times") or p.word(end) in ("twice", "thrice")


def after_except(p: Parser, i: int) -> int:
    """The place behind "except", "except on", "but not"."""
    j = i + 1
    while p.word(j) in ("not", "on", "for"):
        j += 1
    return j


def until_day(p: Parser, i: int) -> date | None:
    """The day named behind "until"."""
    j = p.optional(p.optional(i + 1, ("on", "with")), ("the",))
    found = [
        f for name in ("datetime", "day", "period") if (f := p.parse(name, j)) and f[0].readings
    ]
    best = max(found, key=lambda f: f[1], default=None)
    if not best:
        return None
    start, at = best[0].likeliest
    if isinstance(at, date) and (best[0].mod == "end" or p.word(i) in ("through", "thru")):
        return shift(date_of(at), -1, "day")
    at = start
    if not isinstance(at, date):
        return None
    day = date_of(at)
    unit = best[0].missing if best[0].missing in ("year", "month", "week") else ""
    return shift(day, 1, unit) if unit and day <= p.today else day


def count_or_until(p: Parser, i: int, parts: dict[str, str]) -> dict[str, str]:
    """COUNT of "10 times" and "for 4 weeks", UNTIL where the unit is another."""
    number = cardinal(p, i)
    often = number and p.word(number[1] + 1) in ("a", "per", "every", "each")  # 3 times a week
    if (
        number
        and not often
        and p.word(number[1]) in ("times", "occurrences", "sessions", "repeats")
    ):
        return {"COUNT": str(int(number[0]))} if 1 <= number[0] <= 100_000 else {}
    j = p.optional(i + 1, ("the", "a", "next", "another"))
    j = p.optional(j, ("next", "total")) if p.word(i) == "for" else j
    found = p.parse("duration", j) if p.word(i) in ("for", "over") else None
    if not found and p.word(i) == "for" and p.word(i + 1) in ("a", "an"):
        found = p.parse("duration", i + 1)
    if not found or len(found[0].amounts) > 1:
        return {}
    amount, unit = found[0].amounts[0]
    steps = int(parts.get("INTERVAL", "1"))
    own = UNIT_OF_FREQUENCY.get(parts["FREQ"], "")
    if SECONDS_OF[unit] < 86400 and own != "hour":
        return {}  # for an hour: how long each lasts
    listed = "," in parts.get("BYDAY", "") or "," in parts.get("BYMONTHDAY", "")
    whole = round(amount * SECONDS_OF[unit] / SECONDS_OF["week"], 6) if own == "week" else 0
    if unit == own and amount == int(amount) and not listed:
        return {"COUNT": str(max(1, -(-int(amount) // steps)))}
    if own == "week" and whole == int(whole) and not listed and unit != "month":
        return {"COUNT": str(max(1, -(-int(whole) // steps)))}
    if own == "day" and unit in ("week", "fortnight") and whole_days(amount, unit):
        return {"COUNT": str(max(1, -(-whole_days(amount, unit) // steps)))}
    opens = series_opening(p)
    after = moved_by(date_of(opens) if opens else p.today, ((amount, unit),), 1)
    end = shift(after, -1, "day") if after else None
    return {"UNTIL": end.isoformat().replace("-", "")} if end else {}


def whole_days(amount: float, unit: str) -> int:
    """The days of so many weeks."""
    return round(amount * SECONDS_OF[unit] / SECONDS_OF["day"])


def added_days(p: Parser, i: int, parts: dict[str, str]) -> dict[str, str]:
    """The days of "weekly on Tue and Thu", "monthly on the 15th", "yearly on May 5"."""
    freq = parts["FREQ"]
    if p.word(i - 1) in ("until", "till", "from", "starting", "by", "before", "through"):
        return {}
    if freq == "WEEKLY" and (found := weekday_list(p, i)):
        return {"BYDAY": ",".join(CODES[d] for d in sorted(set(found[0])))}
    if p.word(i) not in ("on", "the"):
        return {}
    j = p.optional(p.optional(i, ("on",)), ("the",))
    if freq == "MONTHLY":
        number = (-1, j + 1) if p.word(j) == "last" else ordinal_number(p, j)
        if not number:
            return {}
        if listed := weekday_list(p, number[1]):
            valid = number[0] == -1 or 1 <= number[0] <= 5
            return {"BYDAY": f"{number[0]}{CODES[listed[0][0]]}"} if valid else {}
        return {"BYMONTHDAY": str(number[0])} if number[0] == -1 or 1 <= number[0] <= 31 else {}
    day = p.parse("calendar_day", j)
    if freq == "YEARLY" and day and day[0].day[0]:
        month, number_ = day[0].day
        return {"BYMONTH": str(month), "BYMONTHDAY": str(number_)}
    return {}
