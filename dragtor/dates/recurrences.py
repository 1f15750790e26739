"""What comes again: daily, every other week, first Monday of each month; as an RFC 5545 rule too.

Gives nodes of kind "set", whose `rrule` holds the parts of the rule. `recurrence` adds what stands
beside them in a phrase: days, end, exceptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time

from dragtor.dates.clock import time_code
from dragtor.dates.holidays import HOLIDAYS, NTH_WEEKDAYS
from dragtor.dates.moments import part_interval, times_in_part
from dragtor.dates.parser import Interval, Node, Parse, Parser, date_of, rule, shift
from dragtor.dates.quantities import (
    cardinal,
    duration_node,
    integer,
    ordinal_number,
    time_unit,
)
from dragtor.dates.relative import moved_by
from dragtor.dates.words import (
    ADVERBS,
    ANY_WEEKDAY,
    CODES,
    DAY_PARTS,
    MONTHS,
    PLURAL_WEEKDAYS,
    SECONDS_OF,
    WEEKDAYS,
)

RulePairs = tuple[tuple[str, str], ...]
EACH = {"every", "each", "any"}
ALTERNATE = {"other", "alternate", "second"}
ALTERNATING = ("alternate", "alternating")
FREQUENCIES = {
    "hour": "HOURLY", "day": "DAILY", "night": "DAILY", "week": "WEEKLY", "month": "MONTHLY",
    "year": "YEARLY", "minute": "MINUTELY", "second": "SECONDLY",
}  # fmt: skip
MULTIPLES = {
    "fortnight": ("WEEKLY", 2),
    "quarter": ("MONTHLY", 3),
    "decade": ("YEARLY", 10),
    "century": ("YEARLY", 100),
}
HALVABLE = {"hour": (60, "MINUTELY"), "year": (12, "MONTHLY")}  # half of one
WORKDAYS: RulePairs = (("FREQ", "WEEKLY"), ("BYDAY", "MO,TU,WE,TH,FR"))


def set_node(timex: str, pairs: RulePairs, times: tuple[Interval, ...] = ()) -> Node:
    """The node of a recurrence, at the times of the day."""
    return Node("set", timex, times, rrule=pairs)


def every_units(number: float, unit: str) -> Node | None:
    """Every so many units."""
    timex = duration_node(((number, unit),)).timex
    if unit == "business day":
        return set_node("P1WD", WORKDAYS) if number == 1 else set_node(timex, ())
    if unit == "weekend":
        step = (("INTERVAL", str(int(number))),) if number > 1 else ()
        return set_node(f"P{int(number)}WE", (("FREQ", "WEEKLY"), *step, ("BYDAY", "SA,SU")))
    freq, size = (FREQUENCIES[unit], 1) if unit in FREQUENCIES else MULTIPLES[unit]
    if number < 1 and unit in HALVABLE:
        size, freq = HALVABLE[unit]
    steps = number * size
    if steps != int(steps) or steps < 1:
        return set_node(timex, ())
    pairs: RulePairs = (("FREQ", freq),)
    if steps > 1:
        pairs += (("INTERVAL", str(int(steps))),)
    return set_node(timex, pairs)


@rule("recurrence")
def frequency_adverb(p: Parser, i: int) -> Parse | None:
    """Daily, bi-weekly, annually."""
    prefix = {"bi": 2.0, "semi": 0.5, "half": 0.5, "tri": 3.0}.get(p.word(i))
    j = p.optional(i + 1, ("-",)) if prefix else i
    found = ADVERBS.get(p.word(j))
    if not found:
        return None
    unit, number = found
    if prefix:
        if p.word(j) in ("semiannual", "biannual", "biweekly"):
            return None
        return (node, j + 1) if (node := every_units(number * prefix, unit)) else None
    if p.word(j) == "nightly":
        return set_node("P1DTNI", (("FREQ", "DAILY"),), (part_interval("night", "")[1],)), j + 1
    node = every_units(number, unit)
    if node and number == 6:
        node = set_node("P0.5Y", node.rrule)
    return (node, j + 1) if node else None


@rule("recurrence")
def every_unit(p: Parser, i: int) -> Parse | None:
    """Every day, each two days, every other week, every 3 months, every second month, any year."""
    once = p.word(i) == "once" and p.word(i + 1) in ("a", "an", "per", "every", "each")
    i = p.match(i, "each and") or i
    alternate = p.word(i) in ALTERNATING and p.word(i + 1) in ("days", "weeks", "months", "years")
    if p.word(i) not in EACH and not once and not alternate:
        return None
    j = i + 2 if once else i if alternate else i + 1
    if p.word(j) in ALTERNATE and (p.word(i) != "each" or p.word(j) != "second"):
        unit = time_unit(p, j + 1)
        if unit and unit[0] != "second":
            node = every_units(2, unit[0])
            return (node, unit[1]) if node else None
    if p.word(j) == "single":
        j += 1
    if p.word(j) in ("weekday", "workday", "weekdays"):
        return set_node("P1WD", WORKDAYS), j + 1
    unit = time_unit(p, j)
    if unit and unit[0] == "night":
        return None
    if (unit and p.word(i) != "any") or (
        unit and unit[0] in ("day", "week", "month", "year", "quarter")
    ):
        node = every_units(1, unit[0])
        return (node, unit[1]) if node else None
    if p.word(i) == "any" or (once and p.word(i + 1) != "every"):
        return None
    part = p.parse("duration", j) if p.word(j) == "half" else None
    if part and len(part[0].amounts) == 1 and part[0].amounts[0][1] in HALVABLE:
        node = every_units(*part[0].amounts[0])
        return (node, part[1]) if node else None
    number = (
        ordinal_number(p, j)
        if ordinal_number(p, j) and time_unit(p, (ordinal_number(p, j) or (0, 0))[1])
        else cardinal(p, j)
    )
    counted = time_unit(p, number[1], True) if number else None
    if not number or not counted or counted[0] not in (*FREQUENCIES, *MULTIPLES, "business day"):
        return None
    node = every_units(float(number[0]), counted[0])
    return (node, counted[1]) if node else None


@rule("recurrence")
def every_weekday(p: Parser, i: int) -> Parse | None:
    """Mondays, on fridays, every Tue and Thu, each monday, every other tuesday, weekdays."""
    j = p.optional(i, ("on",))
    if p.word(j) in ("weekdays", "workdays") and p.word(j - 1) != "business":
        return set_node("P1WD", WORKDAYS), j + 1
    if p.word(j) == "weekends":
        return set_node("P1WE", (("FREQ", "WEEKLY"), ("BYDAY", "SA,SU"))), j + 1
    step = 1
    names = PLURAL_WEEKDAYS
    i = p.match(i, "each and") or i
    if p.word(i) == "all":
        j = i + 1
    elif p.word(i) in EACH:
        names = ANY_WEEKDAY
        j = p.optional(i + 1, ("single",))
        count = ordinal_number(p, j)
        if p.word(j) in ALTERNATE:
            step, j = 2, j + 1
        elif count and 2 <= count[0] <= 9:
            step, j = count
    elif p.word(j) in ALTERNATING:
        names, step, j = ANY_WEEKDAY, 2, j + 1
    found = weekday_list(p, j, names)
    if not found:
        return None
    days, j = found
    timex = "XXXX-WXX-" + ",".join(str(d + 1) for d in days)
    pairs: RulePairs = (("FREQ", "WEEKLY"),) + ((("INTERVAL", str(step)),) if step > 1 else ())
    pairs += (("BYDAY", ",".join(CODES[d] for d in sorted(set(days)))),)
    return set_node(timex, pairs), j


def weekday_list(
    p: Parser, i: int, names: Mapping[str, int] = ANY_WEEKDAY
) -> tuple[list[int], int] | None:
    """Tuesday / Tue and Thu / Mon, Wed, Fri / Monday to Friday: days counted from Monday as 0."""
    if p.word(i) not in names:
        return None
    days = [names[p.word(i)]]
    j = i + 1
    if p.word(j) in ("to", "through", "thru", "-", "–") and p.word(j + 1) in names:
        last = names[p.word(j + 1)]
        return [(days[0] + n) % 7 for n in range((last - days[0]) % 7 + 1)], j + 2
    while p.word(j) in (",", "and", "&", "or", "/"):
        k = j + 1
        while p.word(k) in ("and", "every", "each", "on"):
            k += 1
        if p.word(k) not in names:
            break
        days.append(names[p.word(k)])
        j = k + 1
    return days, j


@rule("recurrence")
def every_part(p: Parser, i: int) -> Parse | None:
    """Every morning, mornings, friday mornings, weekday evenings."""
    j = i
    day = ""
    pairs: RulePairs = (("FREQ", "DAILY"),)
    if p.word(i) in ("every", "each"):
        j = p.optional(i + 1, ("single",))
        if p.word(j) in ALTERNATE and p.word(j + 1) in DAY_PARTS:
            pairs, j = (("FREQ", "DAILY"), ("INTERVAL", "2")), j + 1
    if p.word(j) in WEEKDAYS:
        index = WEEKDAYS[p.word(j)]
        day = f"XXXX-WXX-{index + 1}"
        pairs = (("FREQ", "WEEKLY"), ("BYDAY", CODES[index]))
        j += 1
    elif p.word(j) in ("weeknight", "weeknights"):
        return set_node("P1WDTNI", WORKDAYS, (part_interval("night", "")[1],)), j + 1
    elif p.word(j) == "weekday":
        day, pairs, j = "P1WD", WORKDAYS, j + 1
    elif p.word(j) == "weekend":
        day, pairs, j = "P1WE", (("FREQ", "WEEKLY"), ("BYDAY", "SA,SU")), j + 1
    elif j == i:
        j = p.optional(i, ("on", "in"))
    word = p.word(j)
    name = word.removesuffix("s")
    if name not in DAY_PARTS or (word == name and p.word(i) not in ("every", "each")):
        return None
    if name in ("lunch", "dinner", "breakfast", "supper", "brunch"):
        return None
    code, interval = part_interval(name, "")
    return set_node(f"{day}{code}", pairs, (interval,)), j + 1


@rule("recurrence")
def every_date(p: Parser, i: int) -> Parse | None:
    """Every 4/15, each 15th of the month, every Christmas, every Thanksgiving."""
    found = p.parse("calendar_day", p.optional(i + 1, ("the",)))
    if p.word(i) not in ("every", "each") or not found:
        return None
    node, j = found
    month, number = node.day
    feast = HOLIDAYS.match(p, i + 1)
    if node.missing == "year" and number:
        return yearly(node.timex, month, ("BYMONTHDAY", str(number))), j
    if feast and feast[0] in NTH_WEEKDAYS:
        month, index, which = NTH_WEEKDAYS[feast[0]]
        return yearly(node.timex, month, ("BYDAY", f"{which}{CODES[index]}")), j
    day = node.likeliest[0] if node.missing == "month" else None
    if not isinstance(day, date) or (p.word(j) == "of" and p.word(j + 1) in MONTHS):
        return None  # every Easter, every 31st of April
    end = p.match(j, "of the month") or p.match(j, "of each month") or j
    pairs = (("FREQ", "MONTHLY"), ("BYMONTHDAY", str(day.day)))
    return set_node(f"XXXX-XX-{day.day:02}", pairs), end


def yearly(timex: str, month: int, *by: tuple[str, str]) -> Node:
    """Once a year, in that month."""
    return set_node(timex, (("FREQ", "YEARLY"), ("BYMONTH", str(month)), *by))


@rule("recurrence")
def every_period(p: Parser, i: int) -> Parse | None:
    """Every May, every noon, every 5pm."""
    if p.word(i) not in ("every", "each"):
        return None
    clock = p.parse("time", i + 1)
    if clock and not clock[0].weak and clock[0].kind == "time":
        return set_node(clock[0].timex, (("FREQ", "DAILY"),), clock[0].readings), clock[1]
    month = p.parse("whole_period", i + 1)
    if month and month[0].missing == "year" and month[0].day[0]:
        whole = month[0].timex[-2:].isdigit()  # no quarter
        node = yearly(month[0].timex, month[0].day[0])
        return node if whole else set_node(node.timex, ()), month[1]
    return None


@rule("set")
def set_with_time(p: Parser, i: int) -> Parse | None:
    """A recurrence, with the time said behind it or before it."""
    found = p.parse("recurrence", i)
    if found:
        node, j = found
        k = p.optional(p.optional(j, (",",)), ("at", "@", "from"))
        part = p.parse("day_part", j)
        clock = (
            p.parse("bare_time", k)
            if k > j and p.word(k - 1) in ("at", "@")
            else p.parse("time", k)
        )
        hours = p.parse("time_range", j) or p.parse("time_range", p.optional(j, (",",)))
        if hours and (not clock or hours[1] > clock[1]):
            return timed_set(node, hours[0]), hours[1]
        if clock and not (clock[0].weak and k == j):
            return timed_set(node, clock[0]), clock[1]
        if part and not part[0].weak:
            return set_node(timed_code(node, part[0].timex), node.rrule), part[1]
        return found
    for name in ("time_range", "time", "day_part"):
        clock = p.parse(name, i)
        if clock and not (clock[0].weak and name == "day_part"):
            k = p.optional(clock[1], ("on", ","))
            after = p.parse("recurrence", k)
            if after and after[0].rrule is not None:
                return timed_set(after[0], clock[0]), after[1]
    return None


def timed_set(node: Node, clock: Node) -> Node:
    """The recurrence at that time, in the part of the day that it names."""
    name, code = node.timex.rpartition("T")[2], clock.timex
    if name.isalpha():
        clock = times_in_part(clock, Node("timerange", f"T{name}"))
        start, end = clock.likeliest
        if isinstance(start, time) and isinstance(end, time):
            code = f"({time_code(start)},{time_code(end)},{code.rpartition(',')[2]}"
    return set_node(timed_code(node, code), node.rrule, clock.readings)


def timed_code(node: Node, clock: str) -> str:
    """The recurrence's code with a time: a daily one is the time alone."""
    base = node.timex.split("T")[0] if not node.timex.startswith("PT") else node.timex
    return clock if base in ("P1D", "") else base + clock


@rule("recurrence")
def nth_of_each(p: Parser, i: int) -> Parse | None:
    """First Monday of each month, 1st and 15th of every month, every first Monday."""
    each = p.word(i) in ("every", "each")
    return nth_of_month(p, i + 1 if each else i, each)


def nth_of_the_month(p: Parser, i: int) -> Parse | None:
    """The last Friday of the month, where it is known to come again."""
    found = nth_of_month(p, i, True)
    return found if found and p.word(found[1] - 1) == "month" else None


def nth_of_month(p: Parser, i: int, each: bool) -> Parse | None:
    """The days of a month by number; `each`: something said that every month is meant."""
    numbers, k = ordinal_list(p, p.optional(i, ("the",)))
    if not numbers:
        return None
    index = ANY_WEEKDAY.get(p.word(k))
    long = p.word(k) in ("working", "business") and p.word(k + 1) == "day"
    working = long or p.word(k) in ("weekday", "workday")
    k = k + 1 + long if index is not None or working or p.word(k) == "day" else k
    ahead = month_frequency(p, p.optional(k, ("of", "in")), each)
    if index is not None or working:
        ahead = ahead or year_frequency(p, p.optional(k, ("of", "in")), each)
    if not ahead and each and index is not None and (1 in map(abs, numbers) or len(numbers) > 1):
        ahead = (("FREQ", "MONTHLY"),), k  # every first Monday, every 2nd and 4th Tuesday
    most = 31 if index is None else 5
    if not ahead or any(not (n == -1 or 1 <= n <= most) for n in numbers):
        return None
    pairs, end = ahead
    if index is not None:
        listed = ",".join(f"{n}{CODES[index]}" for n in numbers)
        month = dict(pairs).get("BYMONTH", "XX")
        return set_node(
            f"XXXX-{month:0>2}-WXX-{index + 1}-#{numbers[0]}", (*pairs, ("BYDAY", listed))
        ), end
    listed = ",".join(map(str, numbers))
    timex = f"XXXX-XX-{numbers[0]:02}"
    if working:
        return set_node(timex, (*pairs, WORKDAYS[1], ("BYSETPOS", listed))), end
    return set_node(timex, (*pairs, ("BYMONTHDAY", listed))), end


def ordinal_list(p: Parser, i: int) -> tuple[list[int], int]:
    """First / last / 1st and 15th / 1st, 10th and 20th."""
    numbers: list[int] = []
    j = k = i
    while found := ((-1, k + 1) if p.word(k) == "last" else ordinal_number(p, k)):
        numbers.append(found[0])
        j = found[1]
        k = p.optional(p.optional(p.optional(j, (",",)), ("and", "&")), ("the",))
        if k == j:
            break
    return numbers, j


def month_frequency(p: Parser, k: int, each: bool) -> tuple[RulePairs, int] | None:
    """Each month, every other month, the month (behind "every second Tuesday of")."""
    freq = ("FREQ", "MONTHLY")
    if p.word(k) in ("every", "each") and p.word(k + 1) == "month":
        return (freq,), k + 2
    if p.word(k) == "monthly":
        return (freq,), k + 1
    if p.word(k) in ("every", "each") and p.word(k + 1) in ALTERNATE and p.word(k + 2) == "month":
        return (freq, ("INTERVAL", "2")), k + 3
    if each and p.word(k) in ("the", "a") and p.word(k + 1) == "month":
        return (freq,), k + 2
    return None


def year_frequency(p: Parser, k: int, each: bool) -> tuple[RulePairs, int] | None:
    """March every year; March (behind "every first Sunday of")."""
    month = MONTHS.get(p.word(k)) if p.word(k - 1) in ("of", "in") else None
    if not month:
        return None
    pairs = (("FREQ", "YEARLY"), ("BYMONTH", str(month)))
    if p.word(k + 1) in ("every", "each") and p.word(k + 2) == "year":
        return pairs, k + 3
    if p.word(k + 1) in ("yearly", "annually"):
        return pairs, k + 2
    return (pairs, k + 1) if each else None


UNIT_OF_FREQUENCY = {
    "DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year", "HOURLY": "hour",
}  # fmt: skip
PART_ORDER = ("FREQ", "INTERVAL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS", "COUNT", "UNTIL")
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
    parts = dict(node.rrule)
    if parts["FREQ"] == "SECONDLY" or only_how_often(p, start, end):
        return None
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
    return ";".join(f"{name}={parts[name]}" for name in PART_ORDER if name in parts)


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
    for i in range(len(p.tokens)):
        days = weekday_list(p, i)
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


def until_end_of(p: Parser, i: int) -> dict[str, str]:
    """UNTIL of "this week", "next month", "in December": its last day."""
    j = i + 1 if p.word(i) in ("in", "during", "throughout") else i
    opened = p.word(i - 1) in ("starting", "beginning", "from", "after", "until", "till", "of")
    if (j == i and p.word(i) not in ("this", "next")) or opened:
        return {}
    found = p.parse("period", j)
    end = (
        found[0].likeliest[1]
        if found and found[0].readings and found[0].kind == "daterange"
        else None
    )
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
    if number and p.word(number[1]) in ("times", "occurrences", "sessions", "repeats"):
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
    after = moved_by(p.today, ((amount, unit),), 1)
    end = shift(after, -1, "day") if after else None
    return {"UNTIL": end.isoformat().replace("-", "")} if end else {}


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
