"""Words that the model put under the wrong field: Mondays are no date, "until June" is no time.

Owns which words of an event belong to its repetition and which numbers to its date. Knows no
model; what words mean is read by dates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from dragtor import dates
from dragtor.events.phrases import A_WEEKDAY
from dragtor.events.spans import CharSpan, EventSpans
from dragtor.events.when import DAY_MINUTES, LONGEST_PHRASE

_CLOCK_SIGN = re.compile(r"[:.]|[ap]\.?m\b|o.?clock|noon|midnight", re.I)
_REPEATED_DAY = re.compile(  # and so is a row of weekdays
    rf"\bof (?:the|each|every) month$|^{A_WEEKDAY}(?:[ /]{A_WEEKDAY}|(?:, {A_WEEKDAY}){{2}})+$",
    re.I,
)
_END = r"\b(?:until|till?|through|thru|up to)\b"
_STATES_END = re.compile(_END, re.I)
_BEFORE_END = re.compile(rf"{_END}\s+(?:the\s+)?\Z", re.I)
_ENDS = re.compile(r"\s+(?:until|till?|through|thru)\s+", re.I)
_FOR = re.compile(r"\bfor\s+(?:the\s+next\s+)?\Z", re.I)


def repaired(text: str, event: EventSpans, now: datetime, *, day_first: bool) -> EventSpans:
    """The event with its words under the field that they are of.

    What repeats is a repetition, and so are its end and how long it goes on; numbers before a month
    that are a date together with it are no time.
    """
    one = _Repair(text, dict(event.spans), dict(event.confidence), now, day_first)
    one.numbers_of_a_date()
    one.repeated_day()
    one.end_in_the_date()
    one.end_in_the_time()
    one.long()
    return EventSpans(one.spans, one.sure)


@dataclass(slots=True)
class _Repair:
    text: str
    spans: dict[str, tuple[CharSpan, ...]]
    sure: dict[str, float]
    now: datetime
    day_first: bool

    def numbers_of_a_date(self) -> None:
        """The 3 to 5 of "3 to 5 May"."""
        if "date" not in self.spans or "time" not in self.spans:
            return
        clock, day = self.spans["time"][0], self.spans["date"][0]
        if clock[1] > day[0] or self.text[clock[1] : day[0]].strip():
            return
        whole = (clock[0], day[1])
        found = [m.kind for m in self._mentions(whole) if m.end - m.start == whole[1] - whole[0]]
        if found in (["date"], ["daterange"]) and not _CLOCK_SIGN.search(self.text[slice(*clock)]):
            self.spans["date"] = ()
            self._move("time", "date", whole)

    def repeated_day(self) -> None:
        """Mondays; the third Thursday of the month; mon wed fri."""
        if "date" in self.spans and "recurrence" not in self.spans:
            day = self.spans["date"][0]
            repeated = _REPEATED_DAY.search(self.text[slice(*day)])
            if repeated or self._kinds(day) == {"set"}:
                self._move("date", "recurrence", day)

    def end_in_the_date(self) -> None:
        """Every Tuesday "until June"."""
        if "date" not in self.spans or "recurrence" not in self.spans:
            return
        day = self.spans["date"][0]
        if before := _BEFORE_END.search(self.text, 0, day[0]):
            self._move("date", "recurrence", (before.start(), day[1]))
        elif _STATES_END.match(self.text, day[0]):
            self._move("date", "recurrence", day)

    def end_in_the_time(self) -> None:
        """Every Tuesday at "6pm until June", or "6pm until 19" and "December"."""
        if "time" not in self.spans or "recurrence" not in self.spans:
            return
        clock = self.spans["time"][0]
        if not (ends := _ENDS.search(self.text, *clock)):
            return
        day = next(iter(self.spans.get("date", ())), clock)
        last = day[1] if not self.text[clock[1] : day[0]].strip() else clock[1]
        if self._kinds((ends.end(), last)) in ({"date"}, {"daterange"}):
            self.spans["time"] = ((clock[0], ends.start()),)
            self.spans.setdefault("date", ())
            self.sure.setdefault("date", self.sure.get("time", 0.0))
            self._move("date", "recurrence", (ends.start() + 1, last))

    def long(self) -> None:
        """Every 8 hours "for 7 days"."""
        if "duration" not in self.spans or "recurrence" not in self.spans:
            return
        length = self.spans["duration"][0]
        before = _FOR.search(self.text, 0, length[0])
        if before and (dates.minutes(self.text[slice(*length)]) or 0) > DAY_MINUTES:
            self._move("duration", "recurrence", (before.start(), length[1]))

    def _move(self, name: str, other: str, span: CharSpan) -> None:
        del self.spans[name]
        self.spans[other] = (*self.spans.get(other, ()), span)
        self.sure[other] = min(self.sure.get(other, 1.0), self.sure.pop(name, 0.0))

    def _mentions(self, span: CharSpan) -> list[dates.Mention]:
        part = self.text[slice(*span)][:LONGEST_PHRASE]
        moment = self.now.replace(tzinfo=None)
        return list(dates.mentions(part, moment, day_first=self.day_first))

    def _kinds(self, span: CharSpan) -> set[str]:
        return {mention.kind for mention in self._mentions(span)}
