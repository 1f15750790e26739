"""What comes again: daily, every other week, first Monday of each month.

Gives nodes of kind "set", whose `rrule` holds the parts of an RFC 5545 rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time

from dragtor.dates.clock import time_code
from dragtor.dates.holidays import HOLIDAYS, NTH_WEEKDAYS
from dragtor.dates.moments import part_interval, times_in_part
from dragtor.dates.parser import Interval, Node, Parse, Parser, rule
from dragtor.dates.quantities import cardinal, duration_node, ordinal_number, time_unit
from dragtor.dates.words import (
    ADVERBS,
    ANY_WEEKDAY,
    CODES,
    DAY_PARTS,
    MONTHS,
    PLURAL_WEEKDAYS,
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
    several = ("days", "weeks", "weekends", "months", "years")
    alternate = p.word(i) in ALTERNATING and p.word(i + 1) in several
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
    while p.word(j) in (",", "and", "&", "or", "/") and len(days) < 7:
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
    if named := weekday_list(p, j, WEEKDAYS):
        day = "XXXX-WXX-" + ",".join(str(d + 1) for d in named[0])
        pairs = (("FREQ", "WEEKLY"), ("BYDAY", ",".join(CODES[d] for d in sorted(named[0]))))
        j = named[1]
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
    timed = set_node(timed_code(node, code), node.rrule, clock.readings)
    return replace(timed, ambiguous=clock.ambiguous)


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
    each = each or p.word(k) in PLURAL_WEEKDAYS
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
    """March every year; March (behind "every first Sunday of"); Jan, Apr and Jul."""
    months: list[int] = []
    at = k if p.word(k - 1) in ("of", "in") else len(p.tokens)
    while p.word(at) in MONTHS:
        months.append(MONTHS[p.word(at)])
        k, at = at, p.optional(p.optional(at + 1, (",", "/")), ("and", "&"))
    if not months:
        return None
    each = each or len(months) > 1
    pairs = (("FREQ", "YEARLY"), ("BYMONTH", ",".join(map(str, months))))
    if p.word(k + 1) in ("every", "each") and p.word(k + 2) == "year":
        return pairs, k + 3
    if p.word(k + 1) in ("yearly", "annually"):
        return pairs, k + 2
    return (pairs, k + 1) if each else None
