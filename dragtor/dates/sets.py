"""What comes again: daily, every other week, each monday at 9, mornings, weekdays.

Gives nodes of kind "set", whose `rule` holds the parts of an RFC 5545 rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time

from dragtor.dates import holidays
from dragtor.dates.clock import code
from dragtor.dates.lengths import duration, unit_at
from dragtor.dates.moments import in_part
from dragtor.dates.numbers import cardinal, ordinal
from dragtor.dates.reader import Found, Node, Reader, rule
from dragtor.dates.words import (
    ADVERBS,
    CODES,
    MONTHS,
    PARTS,
    PLURAL_WEEKDAYS,
    SEASONS,
    WEEKDAYS,
)

Pairs = tuple[tuple[str, str], ...]


EACH = {"every", "each", "any"}


ALTERNATE = {"other", "alternate", "second"}
ALTERNATING = ("alternate", "alternating")


FREQ = {"hour": "HOURLY", "day": "DAILY", "night": "DAILY", "week": "WEEKLY", "month": "MONTHLY",
        "year": "YEARLY", "minute": "MINUTELY", "second": "SECONDLY"}  # fmt: skip


MORE = {
    "fortnight": ("WEEKLY", 2),
    "quarter": ("MONTHLY", 3),
    "decade": ("YEARLY", 10),
    "century": ("YEARLY", 100),
}


SMALLER = {"hour": (60, "MINUTELY"), "year": (12, "MONTHLY")}  # half of one


WORKDAYS: Pairs = (("FREQ", "WEEKLY"), ("BYDAY", "MO,TU,WE,TH,FR"))


ANY_WEEKDAY = {**WEEKDAYS, **PLURAL_WEEKDAYS}


def repeat(timex: str, pairs: Pairs) -> Node:
    """The node of a recurrence."""
    return Node("set", timex, rule=pairs)


def of_units(number: float, unit: str) -> Node | None:
    """Every so many units."""
    timex = duration(((number, unit),)).timex
    if unit == "business day":
        return repeat(
            "P1WD" if number == 1 else timex,
            WORKDAYS if number == 1 else (),
        )
    if unit == "weekend":
        step = (("INTERVAL", str(int(number))),) if number > 1 else ()
        return repeat(f"P{int(number)}WE", (("FREQ", "WEEKLY"), *step, ("BYDAY", "SA,SU")))
    freq, size = (FREQ[unit], 1) if unit in FREQ else MORE[unit]
    if number < 1 and unit in SMALLER:
        size, freq = SMALLER[unit]
    steps = number * size
    if steps != int(steps) or steps < 1:
        return repeat(timex, ())
    pairs: Pairs = (("FREQ", freq),)
    if steps > 1:
        pairs += (("INTERVAL", str(int(steps))),)
    return repeat(timex, pairs)


@rule("set0")
def adverb(r: Reader, i: int) -> Found | None:
    """Daily, bi-weekly, annually."""
    prefix = {"bi": 2.0, "semi": 0.5, "half": 0.5, "tri": 3.0}.get(r.word(i))
    j = r.skip(i + 1, ("-",)) if prefix else i
    found = ADVERBS.get(r.word(j))
    if not found:
        return None
    unit, number = found
    if prefix:
        if r.word(j) in ("semiannual", "biannual", "biweekly"):
            return None
        return (node, j + 1) if (node := of_units(number * prefix, unit)) else None
    special = {
        "semiannual": "P0.5Y",
        "semiannually": "P0.5Y",
        "biannual": "P0.5Y",
        "biannually": "P0.5Y",
    }
    node = of_units(number, unit)
    if node and r.word(j) in special:
        node = repeat(special[r.word(j)], node.rule)
    return (node, j + 1) if node else None


@rule("set0")
def every_unit(r: Reader, i: int) -> Found | None:
    """Every day, each two days, every other week, every 3 months, every second month, any year."""
    once = r.word(i) == "once" and r.word(i + 1) in ("a", "an", "per", "every", "each")
    i = r.has(i, "each and") or i
    alternate = r.word(i) in ALTERNATING and r.word(i + 1) in ("days", "weeks", "months", "years")
    if r.word(i) not in EACH and not once and not alternate:
        return None
    j = i + 2 if once else i if alternate else i + 1
    if r.word(j) in ALTERNATE and (r.word(i) != "each" or r.word(j) != "second"):
        unit = unit_at(r, j + 1)
        if unit and unit[0] != "second":
            node = of_units(2, unit[0])
            return (node, unit[1]) if node else None
    if r.word(j) == "single":
        j += 1
    if r.word(j) in ("weekday", "workday", "weekdays"):
        return repeat("P1WD", WORKDAYS), j + 1
    unit = unit_at(r, j)
    if unit and unit[0] == "night":
        return None
    if (unit and r.word(i) != "any") or (
        unit and unit[0] in ("day", "week", "month", "year", "quarter")
    ):
        node = of_units(1, unit[0])
        return (node, unit[1]) if node else None
    if r.word(i) == "any" or (once and r.word(i + 1) != "every"):
        return None
    part = r.read("length", j) if r.word(j) == "half" else None
    if part and len(part[0].amounts) == 1 and part[0].amounts[0][1] in SMALLER:
        node = of_units(*part[0].amounts[0])
        return (node, part[1]) if node else None
    number = (
        ordinal(r, j)
        if ordinal(r, j) and unit_at(r, (ordinal(r, j) or (0, 0))[1])
        else cardinal(r, j)
    )
    counted = unit_at(r, number[1], True) if number else None
    if not number or not counted or counted[0] not in (*FREQ, *MORE, "business day"):
        return None
    node = of_units(float(number[0]), counted[0])
    return (node, counted[1]) if node else None


@rule("set0")
def weekdays(r: Reader, i: int) -> Found | None:
    """Mondays, on fridays, every Tue and Thu, each monday, every other tuesday, weekdays."""
    j = r.skip(i, ("on",))
    if r.word(j) in ("weekdays", "workdays") and r.word(j - 1) != "business":
        return repeat("P1WD", WORKDAYS), j + 1
    if r.word(j) == "weekends":
        return repeat("P1WE", (("FREQ", "WEEKLY"), ("BYDAY", "SA,SU"))), j + 1
    step = 1
    names = PLURAL_WEEKDAYS
    i = r.has(i, "each and") or i
    if r.word(i) == "all":
        j = i + 1
    elif r.word(i) in EACH:
        names = ANY_WEEKDAY
        j = i + 1
        count = ordinal(r, j)
        if r.word(j) in ALTERNATE:
            step, j = 2, j + 1
        elif count and 2 <= count[0] <= 9:
            step, j = count
    elif r.word(j) in ALTERNATING:
        names, step, j = ANY_WEEKDAY, 2, j + 1
    found = weekday_list(r, j, names)
    if not found:
        return None
    days, j = found
    timex = "XXXX-WXX-" + ",".join(str(d + 1) for d in days)
    pairs: Pairs = (("FREQ", "WEEKLY"),) + ((("INTERVAL", str(step)),) if step > 1 else ())
    pairs += (("BYDAY", ",".join(CODES[d] for d in sorted(set(days)))),)
    return repeat(timex, pairs), j


def weekday_list(
    r: Reader, i: int, names: Mapping[str, int] = ANY_WEEKDAY
) -> tuple[list[int], int] | None:
    """Tuesday / Tue and Thu / Mon, Wed, Fri / Monday to Friday: days counted from Monday as 0."""
    if r.word(i) not in names:
        return None
    days = [names[r.word(i)]]
    j = i + 1
    if r.word(j) in ("to", "through", "thru", "-", "–") and r.word(j + 1) in names:
        last = names[r.word(j + 1)]
        return [(days[0] + n) % 7 for n in range((last - days[0]) % 7 + 1)], j + 2
    while r.word(j) in (",", "and", "&", "or", "/"):
        k = j + 1
        while r.word(k) in ("and", "every", "each", "on"):
            k += 1
        if r.word(k) not in names:
            break
        days.append(names[r.word(k)])
        j = k + 1
    return days, j


@rule("set0")
def parts(r: Reader, i: int) -> Found | None:
    """Every morning, mornings, friday mornings, weekday evenings."""
    j = i
    day = ""
    pairs: Pairs = (("FREQ", "DAILY"),)
    if r.word(i) in ("every", "each"):
        j = i + 1
        if r.word(j) in ALTERNATE and r.word(j + 1) in PARTS:
            pairs, j = (("FREQ", "DAILY"), ("INTERVAL", "2")), j + 1
    if r.word(j) in WEEKDAYS:
        index = WEEKDAYS[r.word(j)]
        day = f"XXXX-WXX-{index + 1}"
        pairs = (("FREQ", "WEEKLY"), ("BYDAY", CODES[index]))
        j += 1
    elif r.word(j) == "weekday":
        day, pairs, j = "P1WD", WORKDAYS, j + 1
    elif r.word(j) == "weekend":
        day, pairs, j = "P1WE", (("FREQ", "WEEKLY"), ("BYDAY", "SA,SU")), j + 1
    elif j == i:
        j = r.skip(i, ("on", "in"))
    word = r.word(j)
    name = word.removesuffix("s")
    if name not in PARTS or (word == name and r.word(i) not in ("every", "each")):
        return None
    if name in ("lunch", "dinner", "breakfast", "supper", "brunch"):
        return None
    return repeat(f"{day}T{PARTS[name][0]}", pairs), j + 1


@rule("set0")
def every_date(r: Reader, i: int) -> Found | None:
    """Every 4/15, each 15th of the month, every christmas, first Monday of each month."""
    if r.word(i) in ("every", "each"):
        found = r.read("day0", r.skip(i + 1, ("the",)))
        if found and found[0].open == "year" and found[0].day[0]:
            month, day = found[0].day
            pairs: Pairs = (("FREQ", "YEARLY"), ("BYMONTH", str(month)), ("BYMONTHDAY", str(day)))
            return repeat(found[0].timex, pairs), found[1]
        feast = holidays.HOLIDAYS.at(r, i + 1)
        if found and feast and feast[0] in holidays.NTH:
            month, index, which = holidays.NTH[feast[0]]
            pairs = (
                ("FREQ", "YEARLY"),
                ("BYMONTH", str(month)),
                ("BYDAY", f"{which}{CODES[index]}"),
            )
            return repeat(found[0].timex, pairs), found[1]
        if found and feast and not found[0].day[0]:
            return repeat(found[0].timex, ()), found[1]  # every Easter
        if found and r.word(found[1]) == "of" and r.word(found[1] + 1) in MONTHS:
            return None  # every 31st of April
        if found and found[0].open == "month" and isinstance(found[0].first[0], date):
            number = found[0].first[0].day
            end = r.has(found[1], "of the month") or r.has(found[1], "of each month") or found[1]
            return repeat(
                f"XXXX-XX-{number:02}", (("FREQ", "MONTHLY"), ("BYMONTHDAY", str(number)))
            ), end
    return None


@rule("set0")
def every_stretch(r: Reader, i: int) -> Found | None:
    """Every May, each summer, every noon, every 5pm."""
    if r.word(i) not in ("every", "each"):
        return None
    clock = r.read("clock", i + 1)
    if clock and not clock[0].weak and clock[0].kind == "time":
        return repeat(clock[0].timex, (("FREQ", "DAILY"),)), clock[1]
    month = r.read("period0", i + 1)
    if month and month[0].open == "year" and month[0].day[0]:
        whole = month[0].timex[-2:].isdigit()  # no quarter
        pairs: Pairs = (("FREQ", "YEARLY"), ("BYMONTH", str(month[0].day[0])))
        return repeat(month[0].timex, pairs if whole else ()), month[1]
    if r.word(i + 1) in SEASONS:
        return repeat(SEASONS[r.word(i + 1)][0], ()), i + 2
    return None


@rule("set")
def with_clock(r: Reader, i: int) -> Found | None:
    """A recurrence, with the time said behind it or before it."""
    found = r.read("set0", i)
    if found:
        node, j = found
        k = r.skip(r.skip(j, (",",)), ("at", "@", "from"))
        part = r.read("part", j)
        clock = r.read("hour", k) if k > j and r.word(k - 1) in ("at", "@") else r.read("clock", k)
        hours = r.read("hours", j) or r.read("hours", r.skip(j, (",",)))
        if hours and (not clock or hours[1] > clock[1]):
            return repeat(timed(node, stretch_of(node, hours[0])), node.rule), hours[1]
        if clock and not (clock[0].weak and k == j):
            return repeat(timed(node, clock[0].timex), node.rule), clock[1]
        if part and not part[0].weak:
            return repeat(timed(node, part[0].timex), node.rule), part[1]
        return found
    for name in ("hours", "clock", "part"):
        clock = r.read(name, i)
        if clock and not (clock[0].weak and name == "part"):
            k = r.skip(clock[1], ("on", ","))
            after = r.read("set0", k)
            if after and after[0].rule is not None:
                return repeat(timed(after[0], clock[0].timex), after[0].rule), after[1]
    return None


def stretch_of(node: Node, hours: Node) -> str:
    """The code of a stretch of hours, in the part of the day that the recurrence names."""
    name = node.timex.rpartition("T")[2]
    start, end = in_part(hours, Node("timerange", f"T{name}")).first
    if not name.isalpha() or not isinstance(start, time) or not isinstance(end, time):
        return hours.timex
    return f"({code(start)},{code(end)},{hours.timex.rpartition(',')[2]}"


def timed(node: Node, clock: str) -> str:
    """The recurrence's code with a time: a daily one is the time alone."""
    base = node.timex.split("T")[0] if not node.timex.startswith("PT") else node.timex
    return clock if base in ("P1D", "") else base + clock
