"""Events out of plain language: what a model points at, joined with what the dates room reads.

Owns the event's eight fields as they are written, and its zone. Knows no model, no calendar file
and no terminal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, time, tzinfo
from pathlib import Path

from dragtor import dates
from dragtor.config import Config, LLMConfig
from dragtor.errors import UsageError
from dragtor.events.fields import Reading, Span, SpanExtractor
from dragtor.events.phrases import is_vague
from dragtor.events.repair import mended
from dragtor.events.when import When, settle
from dragtor.types import EVENT_FIELDS, CalendarEvent

# Who writes the month first in 10/12; everybody else the day.
MONTH_FIRST_COUNTRIES = ("PH", "US")
MONTH_FIRST_LANGUAGES = ("hu", "ja", "ko", "zh")
# What asks for an entry: at the head of a sentence, or anywhere.
_ASKS = re.compile(
    r"(?:^|[.!?\n]\s*)(?:(?:please|can|could|would|you|hey|ok(?:ay)?|and|i|want|need|to)\b[ ,]*)*"
    r"(?:schedule|remind|add|set|put|create|make|book|plan|arrange|organi[sz]e|pencil|block|enter)\b"
    r"|\b(?:calendar|reminder|appointment|schedule|agenda|diary)\b",
    re.I,
)
_ASKED_WITHIN = 200  # characters around an event in which it is asked for
_DATED = {"date", "time", "recurrence"}
_PARAGRAPH = re.compile(r"\n\s*\n")


class Extractor:
    """Finds the events of a text; `zone` is theirs, `day_first` how 10/12 is read."""

    def __init__(self, pointer: SpanExtractor, zone: tzinfo, *, day_first: bool = True) -> None:
        self._pointer = pointer
        self.zone = zone
        self.day_first = day_first

    def events(
        self, text: str, now: datetime | None = None, *, undated: bool = False
    ) -> list[CalendarEvent]:
        """Every event, in the order of the text; dates are told from `now`, else from this moment.

        A `now` without a zone is in the extractor's own. What has no date, time nor repetition is
        an event only where the words ask for one ("remind me to", "my calendar"), or `undated`. A
        time without a date ("lunch tomorrow at noon, then a talk at 3") is on the day of the event
        before it in the same paragraph; its own date stays None, and is flagged.
        """
        now = datetime.now(self.zone) if now is None else now
        now = now.astimezone(self.zone) if now.tzinfo else now.replace(tzinfo=self.zone)
        found: list[CalendarEvent] = []
        for pointed in self._pointer.read(text):
            reading = mended(text, pointed, now, day_first=self.day_first)
            if not (undated or _DATED & reading.spans.keys() or _is_asked_for(text, reading)):
                continue
            event = self._event(text, reading, now)
            if event.time and not (event.date or event.recurrence):
                dated = next((e for e in reversed(found) if "date" in e.evidence), CalendarEvent())
                event = self._same_day(text, reading, dated, now) or event
            found.append(event)
        return found

    def close(self) -> None:
        """Let go of the model."""
        if close := getattr(self._pointer, "close", None):
            close()

    def _same_day(
        self, text: str, reading: Reading, before: CalendarEvent, now: datetime
    ) -> CalendarEvent | None:
        """The event on the day of the one before it; None where nothing says that they belong."""
        day = before.evidence.get("date")
        end = min(start for spans in reading.spans.values() for start, _ in spans)
        if day is None or day[1] > end or _PARAGRAPH.search(text, day[1], end):
            return None
        event = self._event(
            text, Reading({**reading.spans, "date": (day,)}, reading.confidence), now
        )
        flagged = {"date", *event.ambiguous}
        return replace(
            event,
            date=None,
            evidence={name: span for name, span in event.evidence.items() if name != "date"},
            confidence={name: sure for name, sure in event.confidence.items() if name != "date"},
            ambiguous=tuple(name for name in EVENT_FIELDS if name in flagged),
        )

    def _event(self, text: str, reading: Reading, now: datetime) -> CalendarEvent:
        said = {
            name: [words for span in spans if (words := _flat(text[slice(*span)]))]
            for name, spans in reading.spans.items()
        }
        phrases = {name: each[0] for name, each in said.items() if each}
        if "recurrence" in phrases:
            phrases["recurrence"] = " ".join(said["recurrence"])
        when = settle(phrases, now, day_first=self.day_first)
        evidence = {n: _cover(reading.spans[n]) for n in EVENT_FIELDS if n in phrases}
        confidence = {n: min(1.0, max(0.0, reading.confidence.get(n, 0.0))) for n in evidence}
        if when.date and "date" not in evidence:  # "tonight at 8" is a time that tells a date
            source = "time" if "time" in evidence else "recurrence"
            evidence["date"], confidence["date"] = evidence[source], confidence[source]
        return CalendarEvent(
            action=phrases.get("action"),
            date=f"{when.date:%d/%m}/{when.date.year:04}" if when.date else None,
            time=_clock_text(when, phrases),
            attendees=tuple(said.get("attendees", ())) or None,
            location=phrases.get("location"),
            duration=_length(phrases["duration"]) if "duration" in phrases else None,
            recurrence=phrases.get("recurrence"),
            notes=phrases.get("notes"),
            start=when.start,
            end=when.end,
            rrule=when.rrule,
            confidence={n: confidence[n] for n in EVENT_FIELDS if n in confidence},
            evidence={n: evidence[n] for n in EVENT_FIELDS if n in evidence},
            ambiguous=when.ambiguous,
        )


def open_extractor(
    config: Config,
    zone: tzinfo,
    *,
    day_first: bool = True,
    adapter: Path | str | None = "",
    progress: Callable[[int, int], None] | None = None,
) -> Extractor:
    """The extractor over the model on disk and the shipped adapter, or another one.

    None is the model without any training; `progress` takes the characters of a long text that
    are read, and all of them. It runs in this process, whatever answers questions.
    Raises Missing, with the command that pulls it, where the model is not here.
    """
    from dragtor.events.model import open_span_extractor

    llm = config.llm if config.llm.engine != "server" else LLMConfig()
    pointer = open_span_extractor(config.models, llm, adapter=adapter, progress=progress)
    return Extractor(pointer, zone, day_first=day_first)


def open_zone(name: str = "") -> tzinfo:
    """A time zone by its name, such as Europe/Berlin; empty: the machine's.

    Raises UsageError on a name that nobody knows.
    """
    from zoneinfo import ZoneInfo, available_timezones

    if not name:
        return _zone_here()
    known = {zone.casefold(): zone for zone in available_timezones()}
    if name.casefold() in known:
        return ZoneInfo(known[name.casefold()])
    from difflib import get_close_matches

    near = get_close_matches(name.casefold(), known, 1, 0.75)
    raise UsageError(f"unknown time zone {name!r}", f"--tz {known[near[0]] if near else 'UTC'}")


def _zone_here() -> tzinfo:
    import tzlocal

    try:
        zone: tzinfo = tzlocal.get_localzone()
    except (LookupError, ValueError, OSError) as error:
        raise UsageError(f"this machine's time zone cannot be told: {error}", "--tz UTC") from error
    return zone


def read_now(stamp: str, zone: tzinfo) -> datetime:
    """An ISO 8601 date or time, in `zone` unless it says its own; raises UsageError."""
    try:
        now = datetime.fromisoformat(stamp.strip())
        return now.astimezone(zone) if now.tzinfo else now.replace(tzinfo=zone)
    except (ValueError, OverflowError) as error:
        hint = "--now 2026-11-20T09:00"
        raise UsageError(f"--now {stamp!r} is no date or time of ISO 8601", hint) from error


def reads_day_first(locale: str) -> bool:
    """Whether people of a locale such as en_US or de put the day first in 10/12.

    One without a country is its language's; C, POSIX and nothing are day first, as the model's
    own training data is. Raises UsageError on what is no locale.
    """
    plain = re.split(r"[.@]", locale.strip())[0].replace("-", "_")
    if plain in ("", "C", "POSIX"):
        return True
    found = re.fullmatch(r"([a-zA-Z]{2,3})(?:_[a-zA-Z]{4})?(?:_([a-zA-Z]{2}|\d{3}))?", plain)
    if not found:
        raise UsageError(f"{locale!r} is no locale", "--locale en_GB")
    language, country = found[1].lower(), (found[2] or "").upper()
    if language in MONTH_FIRST_LANGUAGES:
        return False
    return country not in MONTH_FIRST_COUNTRIES


def _is_asked_for(text: str, reading: Reading) -> bool:
    start = min(span[0] for spans in reading.spans.values() for span in spans)
    end = max(span[1] for spans in reading.spans.values() for span in spans)
    return bool(_ASKS.search(text[max(0, start - _ASKED_WITHIN) : end + _ASKED_WITHIN]))


def _flat(text: str) -> str:
    return " ".join(text.split())


def _cover(spans: tuple[Span, ...]) -> Span:
    """From the first character to the last."""
    return min(start for start, _ in spans), max(end for _, end in spans)


def _clock_text(when: When, phrases: Mapping[str, str]) -> str | None:
    """1:15 PM; with the leading zero that the phrase has."""
    if when.time is None:
        return None
    moment: time = when.time
    zero = (
        "0" if phrases.get("time", "").startswith("0") and moment.hour % 12 in range(1, 10) else ""
    )
    return f"{zero}{moment.hour % 12 or 12}:{moment.minute:02} {'PM' if moment.hour > 11 else 'AM'}"


def _length(phrase: str) -> str:
    """A duration as it stands, but one in words as a number: half an hour is 30 minutes.

    "90-minute" is 90 minutes; "a few hours" says no number and stays.
    """
    if spelled := re.fullmatch(r"(\d+(?:\.\d+)?)-(minute|hour)s?", phrase, re.I):
        return f"{spelled[1]} {spelled[2].lower()}{'' if spelled[1] == '1' else 's'}"
    if re.search(r"\d", phrase) or is_vague(phrase):
        return phrase
    if (minutes := dates.minutes(phrase)) is None:
        return phrase
    for unit, size in (("day", 24 * 60), ("hour", 60)):
        if minutes >= size and minutes % (size // 2) == 0:
            number = f"{minutes / size:g}"
            return f"{number} {unit}{'' if number == '1' else 's'}"
    return f"{minutes} minute{'' if minutes == 1 else 's'}"
