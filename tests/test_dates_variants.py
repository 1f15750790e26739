"""Other ways to say the same time have the same value, whichever month, day or number is named."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import product

import pytest

from dragtor.dates import Mention, mentions

NOW = datetime(2026, 11, 20, 9)  # a Friday
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = (
    "January February March April May June July August September October November December".split()
)
WORDS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen twenty"
).split()
ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth"
    " fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first"
    " twenty-second twenty-third twenty-fourth twenty-fifth twenty-sixth twenty-seventh"
    " twenty-eighth twenty-ninth thirtieth thirty-first"
).split()


def only(phrase: str, text: str = "Let us say {} then.") -> Mention:
    """The mention that has exactly the phrase's characters."""
    whole = text.format(phrase)
    found = mentions(whole, NOW)
    assert [whole[m.start : m.end] for m in found] == [phrase]
    return found[0]


def first(phrase: str, text: str = "Let us say {} then.") -> str:
    """Its first value: "start/end" for a range, the TIMEX of a recurrence."""
    mention = only(phrase, text)
    value = mention.values[0]
    if value.kind == "set":
        return mention.timex
    return value.value or f"{value.start}/{value.end}"


@pytest.mark.parametrize(
    ("phrase", "value"),
    [
        ("Mon. 8-9am", "2026-11-23 08:00:00/2026-11-23 09:00:00"),
        ("wed 2-3pm", "2026-11-25 14:00:00/2026-11-25 15:00:00"),
        ("mon to wed next week", "2026-11-23/2026-11-25"),
        ("Fri. Jan. 5, 2018", "2018-01-05"),
        ("2020, January 22", "2020-01-22"),
        ("22. January 2020", "2020-01-22"),
        ("fifteen April of 87", "1987-04-15"),
        ("from nine to twelve of June 2027", "2027-06-09/2027-06-12"),
        ("November 5-7 of last year", "2025-11-05/2025-11-07"),
        ("May twenty nineteen", "2019-05-01/2019-06-01"),
        ("the first Friday of the year", "2026-01-02"),
        ("last Monday of 2018", "2018-12-31"),
        ("first Monday this month", "2026-11-02"),
        ("the first business day of May 2027", "2027-05-03"),
        ("two days after the first Monday of July 2027", "2027-07-07"),
        ("the day before next Friday", "2026-11-26"),
        ("Tuesday this coming week", "2026-11-24"),
        ("Monday of week 23", "2026-06-01"),
        ("week #12", "2026-03-16/2026-03-23"),
        ("Christmas week", "2026-12-21/2026-12-28"),
        ("noon in two days", "2026-11-22 12:00:00"),
        ("3pm the 25th", "2026-11-25 15:00:00"),
        ("today 0730", "2026-11-20 07:30:00"),
        ("May 5, 1500 hours", "2027-05-05 15:00:00"),
        ("8pm in the evening, Sunday", "2026-11-22 20:00:00"),
        ("end of the 25th", "2026-11-25 23:59:59"),
        ("today p.m.", "2026-11-20 12:00:00/2026-11-20 16:00:00"),
        ("early this Sunday", "2026-11-22 00:00:00/2026-11-22 12:00:00"),
        ("five minutes after three", "15:05:00"),
        ("15 past eight in the morning", "08:15:00"),
        ("from Friday at 3pm to 5pm on December 5", "2026-11-20 15:00:00/2026-12-05 17:00:00"),
        ("from noon today until midnight", "2026-11-20 12:00:00/2026-11-21 00:00:00"),
        ("from now until 5pm", "2026-11-20 09:00:00/2026-11-20 17:00:00"),
        ("from last Friday to Friday", "2026-11-13/2026-11-20"),
        ("Christmas to the 27th", "2026-12-25/2026-12-27"),
        ("from the 1st of May until the 10th", "2027-05-01/2027-05-10"),
        ("the penultimate Friday of June 2027", "2027-06-18"),
        ("not earlier than next week", "2026-11-23/"),
        ("an hour starting at 3pm", "15:00:00/16:00:00"),
        ("next half hour", "2026-11-20 09:00:00/2026-11-20 09:30:00"),
        ("next 2 days and 3 hours", "2026-11-20 09:00:00/2026-11-22 12:00:00"),
        ("another two days", "172800"),
        ("1,000 days", "86400000"),
        ("two dozen days", "2073600"),
        ("two-and-a-half years", "78840000"),
        ("from '95 to '98", "1995-01-01/1998-01-01"),
        ("nineteen oh five", "1905-01-01/1906-01-01"),
        ("late 2017 to early 2018", "2017-09-01/2018-01-01"),
        ("from May onwards", "2027-05-01/"),
        ("May or later", "2027-05-01/"),
        ("starting at 5pm", "17:00:00/"),
        ("at the latest by Friday", "/2026-11-20"),
        ("qtd", "2026-10-01/2026-11-20"),
        ("each and every Friday", "XXXX-WXX-5"),
        ("any Monday", "XXXX-WXX-1"),
        ("every other weekend", "P2WE"),
        ("weekend mornings", "P1WETMO"),
        ("every evening from 7 to 8", "(T19,T20,PT1H)"),
    ],
)
def test_values(phrase: str, value: str) -> None:
    assert first(phrase) == value


@pytest.mark.parametrize("month", range(1, 13))
def test_months_are_read_alike(month: int) -> None:
    name, short = MONTHS[month - 1], MONTHS[month - 1][:3]
    days = {
        *(f"{m} 5, 2027" for m in (name, short, name.lower(), name.upper())),
        *(f"{m} the 5th, 2027" for m in (name, short)),
        *(f"5 {m} 2027" for m in (name, short)),
        *(f"the fifth of {m} 2027" for m in (name, short)),
        f"5th {name} of 2027",
        f"2027 {name} 5",
        f"{short}/5/2027",
        f"{short + '.' if name != 'May' else short} 5, 2027",
        f"2027-{month:02}-05",
    }
    assert {first(day) for day in days} == {f"2027-{month:02}-05"}
    spans = {first(f"from {m} 5 to {m} 7, 2027") for m in (name, short)}
    spans |= {first(f"{name} 5-7, 2027"), first(f"the 5th to the 7th of {name} 2027")}
    assert spans == {f"2027-{month:02}-05/2027-{month:02}-07"}
    assert first(f"since {name} 2027") == f"2027-{month:02}-01/"


@pytest.mark.parametrize("index", range(7))
def test_weekdays_are_read_alike(index: int) -> None:
    day = date(2026, 11, 23) + timedelta(days=index)  # of next week
    name, short = DAYS[index], DAYS[index][:3]
    said = {
        *(f"next {d}" for d in (name, short, name.upper())),
        *(f"{name} {j}next week" for j in ("", "of ")),
        f"next week on {name}",
        f"next week's {name}",
        f"{name} of the following week",
    }
    assert {first(phrase) for phrase in said} == {str(day)}
    timed = {f"next {name} at 3pm", f"3pm next {short}"}
    assert {first(phrase) for phrase in timed} == {f"{day} 15:00:00"}
    assert first(f"every {short}") == first(f"{name}s") == f"XXXX-WXX-{index + 1}"


@pytest.mark.parametrize("number", range(1, 32))
def test_days_in_digits_and_words_agree(number: int) -> None:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number // 10 != 1 else "th"
    word = ORDINALS[number - 1]
    said = {
        f"May {number}, 2027",
        f"May {number}{ending}, 2027",
        f"May {word}, 2027",
        f"May {word.replace('-', ' ')} 2027",
        f"the {number}{ending} of May 2027",
        f"the {word} of May, 2027",
    }
    assert {first(phrase) for phrase in said} == {f"2027-05-{number:02}"}


@pytest.mark.parametrize("number", range(1, 21))
def test_counts_in_digits_and_words_agree(number: int) -> None:
    word, unit = WORDS[number - 1], "day" if number == 1 else "days"
    day = str(NOW.date() + timedelta(days=number))
    said = {f"in {n} {unit}" for n in (number, word)} | {f"{n} {unit} from now" for n in (word,)}
    assert {first(phrase) for phrase in said} == {day}
    assert first(f"{word} {unit}") == first(f"{number} {unit}") == str(86400 * number)
    assert first(f"every {word} weeks") == first(f"every {number} weeks") == f"P{number}W"


@pytest.mark.parametrize("hour", range(1, 12))
def test_hours_are_read_alike(hour: int) -> None:
    word = WORDS[hour - 1]
    late = {f"{h}{pm}" for h in (hour, word) for pm in (" pm", " p.m.", " PM", " p m")}
    late |= {f"{hour}pm", f"{hour}:00pm", f"{hour} o'clock pm", f"{hour + 12}:00"}
    assert {first(phrase, "We meet at {} then.") for phrase in late} == {f"{hour + 12}:00:00"}


@pytest.mark.parametrize("minute", [5, 10, 15, 21, 30, 45, 59])
def test_minutes_in_digits_and_words_agree(minute: int) -> None:
    tens, ones = divmod(minute, 10)
    names = ["", "", "twenty", "thirty", "forty", "fifty"]
    word = WORDS[minute - 1] if minute < 20 else names[tens] + ("-" + WORDS[ones - 1]) * bool(ones)
    said = {f"three {word if minute > 9 else 'oh ' + word} pm", f"3:{minute:02} p.m."}
    said |= {f"{minute} minutes past three pm", f"{word} minutes past 3 pm", f"15h{minute:02}"}
    assert {first(phrase, "We meet at {} then.") for phrase in said} == {f"15:{minute:02}:00"}


@pytest.mark.parametrize(
    "text",
    ["{}", "{}.", "{} is fine.", "How about {}?", "call Bob ({})", '"{}"', "{}\nRegards", "{} ok"],
)
@pytest.mark.parametrize(
    "phrase",
    ["Friday 15", "tomorrow at three", "today from 3 to 4", "by May", "the 25th", "week #12",
     "Friday 3-4", "2015-2018", "the weekend", "3 days after May 5", "every Friday at 3"],
)  # fmt: skip
def test_words_around_change_nothing(phrase: str, text: str) -> None:
    assert only(phrase, text).values == only(phrase).values


@pytest.mark.parametrize(
    ("day", "clock"),
    list(
        product(
            ["tomorrow", "May 5", "the 25th", "next Friday", "5/5/2027", "the day after tomorrow"],
            [
                "3pm",
                "15:30",
                "noon",
                "half past three",
                "eight in the morning",
                "3 o'clock",
                "0730",
            ],
        )
    ),
)
def test_day_and_time_go_in_either_order(day: str, clock: str) -> None:
    orders = [f"{day} at {clock}", f"{clock} {day}", f"{day}, {clock}"]
    values = [only(order).values for order in orders]
    assert values[0] == values[1] == values[2]
    assert {value.kind for value in values[0]} == {"datetime"}
    assert values[0][0].value[:10] == only(day).values[0].value


@pytest.mark.parametrize(
    "text",
    [
        "this may or may not change, and she may be late",
        "based on 5.6 million, on 27 of them and on page 12",
        "a 1990s-style look of 1,000 people and 9,300 votes",
        "he came in after three attempts, then after four more",
        "a scale of one to five, half seven of nine, 3-0 at half time",
    ],
)
def test_no_variant_invents_a_time(text: str) -> None:
    assert [text[m.start : m.end] for m in mentions(text, NOW)] == []
