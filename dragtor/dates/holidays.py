"""Days that have a name: fixed dates, n-th weekdays of a month, days around Easter.

Islamic and Chinese feasts follow the moon; theirs are reckoned by rules good to a day or two.
"""

from __future__ import annotations

from datetime import date, timedelta

from dateutil.easter import easter

from dragtor.dates.days import day_node, nearest_days
from dragtor.dates.parser import Node, Parse, Parser, PhraseTable, make_date, rule, shift
from dragtor.dates.quantities import following_year, full_year, integer
from dragtor.dates.words import LAST, NEXT, SHIFTS, THIS

FIXED_DAYS = {
    "new year's day": (1, 1), "new years day": (1, 1), "new year day": (1, 1), "new year": (1, 1),
    "new years": (1, 1), "new year's": (1, 1), "yuandan": (1, 1), "epiphany": (1, 6),
    "groundhog day": (2, 2), "lovers' day": (2, 14), "girls' day": (3, 7),
    "tree planting day": (3, 12), "flag day": (6, 14), "groundhogs day": (2, 2),
    "australia day": (1, 26), "burns night": (1, 25), "inauguration day": (1, 20),
    "valentine's day": (2, 14), "valentines day": (2, 14), "valentine day": (2, 14),
    "white day": (3, 14), "pi day": (3, 14), "international women's day": (3, 8),
    "women's day": (3, 8), "female day": (3, 8), "st patrick's day": (3, 17),
    "st. patrick's day": (3, 17), "st patricks day": (3, 17), "saint patrick's day": (3, 17),
    "st. patrick day": (3, 17), "april fools": (4, 1), "april fool's day": (4, 1),
    "april fools' day": (4, 1), "april fools day": (4, 1), "all fools' day": (4, 1),
    "leap day": (2, 29), "waitangi day": (2, 6), "human rights day": (3, 21), "king's day": (4, 27),
    "liberation day": (5, 5), "swiss national day": (8, 1), "heritage day": (9, 24),
    "twelfth night": (1, 5), "day of reconciliation": (12, 16), "day of goodwill": (12, 26),
    "st stephen's day": (12, 26), "st. stephen's day": (12, 26), "hogmanay": (12, 31),
    "earth day": (4, 22), "st george's day": (4, 23), "anzac day": (4, 25),
    "walpurgis night": (4, 30), "may day": (5, 1), "mayday": (5, 1), "labour day": (5, 1),
    "workers' day": (5, 1), "international workers' day": (5, 1),
    "international workers day": (5, 1), "star wars day": (5, 4), "youth day": (5, 4),
    "cinco de mayo": (5, 5), "juneteenth": (6, 19), "freedom day": (4, 27),
    "saint jean baptiste day": (6, 24), "st. jean baptiste day": (6, 24), "baker day": (6, 1),
    "children's day": (6, 1), "children day": (6, 1), "canada day": (7, 1),
    "independence day": (7, 4), "usindependence day": (7, 4), "us independence day": (7, 4),
    "bastille day": (7, 14), "teacher's day": (9, 10), "teachers' day": (9, 10),
    "teacher day": (9, 10), "german unity day": (10, 3), "halloween": (10, 31),
    "hallowe'en": (10, 31), "halloween day": (10, 31), "all hallows' eve": (10, 31),
    "all saints' day": (11, 1), "all saints day": (11, 1), "all hallows' day": (11, 1),
    "all souls' day": (11, 2), "all souls day": (11, 2), "day of the dead": (11, 2),
    "guy fawkes day": (11, 5), "guy fawkes night": (11, 5), "bonfire night": (11, 5),
    "veterans day": (11, 11), "veteran's day": (11, 11), "veterans' day": (11, 11),
    "remembrance day": (11, 11), "armistice day": (11, 11), "singles day": (11, 11),
    "singles' day": (11, 11), "single's day": (11, 11), "st andrew's day": (11, 30),
    "st nicholas day": (12, 6), "christmas eve": (12, 24), "xmas eve": (12, 24),
    "christmas": (12, 25), "christmas day": (12, 25), "xmas": (12, 25), "xmas day": (12, 25),
    "boxing day": (12, 26), "kwanzaa": (12, 26), "new year's eve": (12, 31),
    "new years eve": (12, 31), "new year eve": (12, 31),
}  # fmt: skip
NTH_WEEKDAYS = {  # month, weekday, which (-1: the last)
    "martin luther king day": (1, 0, 3), "martin luther king jr day": (1, 0, 3),
    "mlk day": (1, 0, 3), "martin luther king jr. day": (1, 0, 3),
    "martin luther king, jr. day": (1, 0, 3), "presidents day": (2, 0, 3),
    "presidents' day": (2, 0, 3), "president's day": (2, 0, 3), "washington's birthday": (2, 0, 3),
    "mother's day": (5, 6, 2), "mothers day": (5, 6, 2), "mothers' day": (5, 6, 2),
    "mother day": (5, 6, 2), "family day": (2, 0, 3), "patriots' day": (4, 0, 3),
    "patriots day": (4, 0, 3), "memorial day": (5, 0, -1), "spring bank holiday": (5, 0, -1),
    "early may bank holiday": (5, 0, 1), "may bank holiday": (5, 0, 1),
    "summer bank holiday": (8, 0, -1), "august bank holiday": (8, 0, -1),
    "civic holiday": (8, 0, 1), "melbourne cup": (11, 1, 1), "melbourne cup day": (11, 1, 1),
    "super bowl sunday": (2, 6, 2), "father's day": (6, 6, 3), "fathers day": (6, 6, 3),
    "fathers' day": (6, 6, 3), "father day": (6, 6, 3), "labor day": (9, 0, 1),
    "columbus day": (10, 0, 2), "indigenous peoples' day": (10, 0, 2), "arbor day": (4, 4, -1),
    "canberra day": (3, 0, 2), "national grandparents day": (9, 6, 2),
    "canadian thanksgiving": (10, 0, 2), "thanksgiving": (11, 3, 4), "thanksgiving day": (11, 3, 4),
}  # fmt: skip
EASTER_OFFSETS = {
    "mardi gras": -47, "shrove tuesday": -47, "fat tuesday": -47, "ash wednesday": -46,
    "palm sunday": -7, "maundy thursday": -3, "holy thursday": -3, "mothering sunday": -21,
    "pancake day": -47, "carnival monday": -48, "good friday": -2, "easter saturday": -1,
    "easter eve": -1, "easter": 0, "easter sunday": 0, "easter day": 0, "easter monday": 1,
    "ascension day": 39, "pentecost": 49, "whit sunday": 49, "whit monday": 50,
    "pentecost monday": 50, "trinity sunday": 56, "corpus christi": 60,
}  # fmt: skip
AFTER_THANKSGIVING = {"black friday": 1, "cyber monday": 4, "giving tuesday": 5}
ISLAMIC = {  # month and day of the tabular Islamic calendar
    "ramadan": (9, 1), "ramadhan": (9, 1), "eid al fitr": (10, 1), "eid al-fitr": (10, 1),
    "eid ul fitr": (10, 1), "eid": (10, 1), "eid al adha": (12, 10), "eid al-adha": (12, 10),
    "islamic new year": (1, 1), "mawlid": (3, 12), "ashura": (1, 10), "sacrifice": (12, 10),
    "arafat day": (12, 9), "day of arafah": (12, 9),
}  # fmt: skip
CHINESE = {
    "chinese new year": 0, "lunar new year": 0, "chinese new year's day": 0,
    "chinese new year day": 0, "spring festival": 0, "chinese new year eve": -1,
    "chinese new year's eve": -1, "lantern festival": 14,
}  # fmt: skip
HOLIDAY_NAMES = [
    *FIXED_DAYS,
    *NTH_WEEKDAYS,
    *EASTER_OFFSETS,
    *AFTER_THANKSGIVING,
    *ISLAMIC,
    *CHINESE,
]
HOLIDAYS = PhraseTable(
    {name: name for name in HOLIDAY_NAMES if name not in ("sacrifice", "ashura", "eid")}
)
NEW_MOON = date(2000, 1, 6)
MONTH_DAYS = 29.530588853


def nth_weekday(year: int, month: int, weekday: int, which: int) -> date | None:
    """The first, second... or last (-1) such weekday of a month."""
    first = make_date(year, month, 1)
    if not first:
        return None
    if which < 0:
        following = shift(first, 1, "month")
        last = shift(following, -1, "day") if following else None
        return shift(last, -((last.weekday() - weekday) % 7), "day") if last else None
    found = shift(first, (weekday - first.weekday()) % 7 + 7 * (which - 1), "day")
    return found if found and found.month == month else None


def islamic_day(year: int, month: int, day: int) -> date | None:
    """The first such day of the tabular calendar within a Gregorian year."""
    about = int((year - 622) * 33 / 32)
    for hijri in range(about - 1, about + 3):
        days = day + -(-59 * (month - 1) // 2) + (hijri - 1) * 354 + (3 + 11 * hijri) // 30 + 227013
        if days > 0 and (found := shift(date(1, 1, 1), days - 1, "day")) and found.year == year:
            return found
    return None


def chinese_new_year(year: int) -> date | None:
    """The first new moon from 21 January on, by the mean month, seen in China."""
    start = make_date(year, 1, 21)
    if not start:
        return None
    age = ((start - NEW_MOON).days - 0.76 - 1 / 3) % MONTH_DAYS
    return start + timedelta(days=round(MONTH_DAYS - age))


def holiday_on(name: str, year: int) -> date | None:
    """The day of that name in a year."""
    if not 1583 <= year <= 4099:
        return None
    if name in FIXED_DAYS:
        return make_date(year, *FIXED_DAYS[name])
    if name in NTH_WEEKDAYS:
        return nth_weekday(year, *NTH_WEEKDAYS[name])
    if name in EASTER_OFFSETS:
        sunday: date = easter(year)
        return sunday + timedelta(days=EASTER_OFFSETS[name])
    if name in AFTER_THANKSGIVING:
        day = nth_weekday(year, 11, 3, 4)
        return day + timedelta(days=AFTER_THANKSGIVING[name]) if day else None
    if name in ISLAMIC:
        return islamic_day(year, *ISLAMIC[name])
    day = chinese_new_year(year)
    return day + timedelta(days=CHINESE[name]) if day else None


def preceding_year(p: Parser, i: int) -> tuple[int, int] | None:
    """The year of "last year's Christmas", "the 2017 Christmas"."""
    if p.word(i) in SHIFTS and (j := p.match(i + 1, "year ' s")):
        return p.today.year + SHIFTS[p.word(i)], j
    j = p.optional(i, ("the",))
    return full_year(p, j) if integer(p, j, 4) else None


@rule("calendar_day")
@rule("holiday")
def holiday(p: Parser, i: int) -> Parse | None:
    """Christmas, black friday 2010, next new year's day, the previous easter."""
    if year := preceding_year(p, i):
        named = HOLIDAYS.match(p, year[1])
        day = holiday_on(named[0], year[0]) if named else None
        return (day_node(day), named[1]) if named and day else None
    j = i
    word = p.word(j)
    moved = j + 1 if word in SHIFTS else j
    found = HOLIDAYS.match(p, moved)
    if not found:
        return None
    name, end = found
    if moved == j and (year := following_year(p, end)):
        day = holiday_on(name, year[0])
        return (day_node(day), year[1]) if day else None
    days = nearest_days(p.today, lambda year: holiday_on(name, year))
    if not days:
        return None
    if moved > j:
        pick = holiday_on(name, p.today.year) if word in THIS else days[0]
        if word in LAST:
            pick = days[-1]
        elif word in NEXT and days[0] == p.today:
            pick = holiday_on(name, p.today.year + 1)
        return (day_node(pick), end) if pick else None
    month, number = FIXED_DAYS.get(name, (0, 0))
    timex = f"XXXX-{month:02}-{number:02}" if month else f"XXXX-{days[0]:%m-%d}"
    reads = tuple((day, None) for day in days)
    return Node("date", timex, reads, missing="year", day=(month, number)), end
