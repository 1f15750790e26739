"""Events out of plain language: the spans that a model finds, joined with what their words mean.

Owns the event's eight fields as they are written, and its zone. Knows no model, no calendar file
and no terminal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, tzinfo
from pathlib import Path

from dragtor import dates
from dragtor.config import Config, LLMConfig
from dragtor.events.invitation import invitation
from dragtor.events.phrases import is_vague
from dragtor.events.repair import repaired
from dragtor.events.spans import CharSpan, EventSpans, SpanExtractor
from dragtor.events.when import When, resolve_when
from dragtor.types import EVENT_FIELDS, NEVER, SILENT, CalendarEvent, CancelToken, Reporter

# What asks for an entry: at the head of a sentence, or anywhere.
_ASKS = re.compile(
    r"(?:^|[.!?\n]\s*)(?:(?:please|can|could|would|you|hey|ok(?:ay)?|and|i|want|need|to)\b[ ,]*)*"
    r"(?:schedule|remind|add|set|put|create|make|book|plan|arrange|organi[sz]e|pencil|block|enter)\b"
    r"|\b(?:calendar|reminder|appointment|schedule|agenda|diary)\b",
    re.I,
)
_ASKED_WITHIN = 200  # characters around an event in which it is asked for
_DATED = {"date", "time", "recurrence"}
_LAST_WORD = re.compile(r"([A-Za-z]+)\s+\Z")
_PARAGRAPH = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class EventExtractor:
    """Finds the events of a text."""

    span_extractor: SpanExtractor
    zone: tzinfo  # of the events
    day_first: bool = True  # how 10/12 is read

    def under(self, reporter: Reporter, cancel: CancelToken) -> EventExtractor:
        """The same, that tells `reporter` and looks at `cancel`; one thread uses it at a time."""
        return replace(self, span_extractor=self.span_extractor.under(reporter, cancel))

    def events(
        self, text: str, now: datetime | None = None, *, undated: bool = False
    ) -> list[CalendarEvent]:
        """Every event, in the order of the text; dates are told from `now`, else from this moment.

        A `now` without a zone is in the extractor's own. What has no date, time nor repetition is
        an event only where the words ask for one ("remind me to", "my calendar"), or `undated`. A
        time without a date ("lunch tomorrow at noon, then a talk at 3") is on the day of the event
        before it in the same paragraph; its own date stays None, and is flagged. An invitation is
        read by its form, and is one event.
        """
        now = datetime.now(self.zone) if now is None else now
        now = now.astimezone(self.zone) if now.tzinfo else now.replace(tzinfo=self.zone)
        if form := invitation(text, now, day_first=self.day_first):
            return [self._event(text, form, now)]
        found: list[CalendarEvent] = []
        for pointed in self.span_extractor.extract(text):
            fields = repaired(text, pointed, now, day_first=self.day_first)
            if not (undated or _DATED & fields.spans.keys() or _is_asked_for(text, fields)):
                continue
            event = self._event(text, fields, now)
            if event.time and not (event.date or event.recurrence):
                dated = next((e for e in reversed(found) if "date" in e.evidence), CalendarEvent())
                event = self._same_day(text, fields, dated, now) or event
            found.append(event)
        return found

    def close(self) -> None:
        """Let go of the model."""
        if close := getattr(self.span_extractor, "close", None):
            close()

    def _same_day(
        self, text: str, fields: EventSpans, before: CalendarEvent, now: datetime
    ) -> CalendarEvent | None:
        """The event on the day of the one before it; None where nothing says that they belong."""
        day = before.evidence.get("date")
        end = min(start for spans in fields.spans.values() for start, _ in spans)
        if day is None or day[1] > end or _PARAGRAPH.search(text, day[1], end):
            return None
        event = self._event(
            text, EventSpans({**fields.spans, "date": (day,)}, fields.confidence), now
        )
        flagged = {"date", *event.ambiguous}
        return replace(
            event,
            date=None,
            evidence={name: span for name, span in event.evidence.items() if name != "date"},
            confidence={name: sure for name, sure in event.confidence.items() if name != "date"},
            ambiguous=tuple(name for name in EVENT_FIELDS if name in flagged),
        )

    def _event(self, text: str, fields: EventSpans, now: datetime) -> CalendarEvent:
        said = {
            name: [words for span in spans if (words := _flat(text[slice(*span)]))]
            for name, spans in fields.spans.items()
        }
        phrases = {name: each[0] for name, each in said.items() if each}
        if "recurrence" in phrases:
            phrases["recurrence"] = " ".join(said["recurrence"])
        if "time" in phrases:
            lead = _LAST_WORD.search(text, 0, fields.spans["time"][0][0])
            phrases["lead"] = lead[1] if lead else ""
        when = resolve_when(phrases, now, day_first=self.day_first)
        evidence = {n: _cover(fields.spans[n]) for n in EVENT_FIELDS if n in phrases}
        confidence = {n: min(1.0, max(0.0, fields.confidence.get(n, 0.0))) for n in evidence}
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
    reporter: Reporter = SILENT,
    cancel: CancelToken = NEVER,
) -> EventExtractor:
    """The extractor over the model on disk and the shipped adapter, or another one.

    None is the model without any training. It runs in this process, whatever answers questions;
    the reporter is told how far it is in a long text. Raises Missing, with the command that pulls
    it, where the model is not here.
    """
    from dragtor.events.model import open_span_extractor

    llm = config.llm if config.llm.engine != "server" else LLMConfig()
    made = open_span_extractor(
        config.models, llm, adapter=adapter, reporter=reporter, cancel=cancel
    )
    return EventExtractor(made, zone, day_first)


def _is_asked_for(text: str, fields: EventSpans) -> bool:
    start = min(span[0] for spans in fields.spans.values() for span in spans)
    end = max(span[1] for spans in fields.spans.values() for span in spans)
    return bool(_ASKS.search(text[max(0, start - _ASKED_WITHIN) : end + _ASKED_WITHIN]))


def _flat(text: str) -> str:
    return " ".join(text.split())


def _cover(spans: tuple[CharSpan, ...]) -> CharSpan:
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
