"""How places, times and days are written for a person, and the HTML that a notebook shows.

Plain values in, text out; knows no type of dragtor and no terminal. The HTML sets no colour, so
that it reads well on light and dark pages; every text is escaped, and only addresses that a browser
opens are links.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from html import escape

OPENED = ("http://", "https://", "file://")  # what a link may go to
SUMMARY_CHARACTERS = 240  # of a long text, shown before it is unfolded
BLOCK_STYLE = "<div style='max-width:50em;line-height:1.5'>"
INDENT = "margin:.2em 0 .4em;padding-left:.8em;border-left:1px solid;font-size:inherit"
FRAME = "border:1px solid;border-radius:.3em;padding:0 .25em"
CELL = "text-align:left;vertical-align:top"


def clock(seconds: float) -> str:
    """1:02:03, or 2:03 in the first hour."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def where(
    title: str,
    page: int | None,
    start_s: float | None,
    speaker: str | None,
    box: tuple[float, float, float, float] | None = None,
) -> str:
    """Title, page or time, speaker, and the corner of a box, in one line."""
    parts = [title or "untitled"]
    if page is not None:
        parts.append(f"p. {page}")
    if start_s is not None:
        parts.append(clock(start_s))
    if speaker:
        parts.append(speaker)
    if box is not None:
        parts.append(f"at ({box[0]:.0f}, {box[1]:.0f})")
    return ", ".join(parts)


def day(moment: date, known_years: set[int] | None = None, *, weekday: bool = True) -> str:
    """Fri 27 November 2026; without the year where that is known."""
    known = known_years if known_years is not None else set()
    year = "" if moment.year in known else f" {moment.year:04}"
    known.add(moment.year)
    return f"{moment:%a} " * weekday + f"{moment.day} {moment:%B}{year}"


def span_text(start: date | None, end: date | None) -> str:
    """From when to when: days, or times with their zone; empty without a start."""
    if start is None:
        return ""
    if not isinstance(start, datetime):
        return day(start) + (f" to {day(end)}" if end else "")
    until = ""
    if isinstance(end, datetime):
        same = end.date() == start.date()
        until = f" to {end:%H:%M}" if same else f" to {day(end, {start.year})}, {end:%H:%M}"
    return f"{day(start)}, {start:%H:%M}{until} ({start.tzinfo})"


# HTML


def framed(*parts: str) -> str:
    """What one object shows."""
    return f"{BLOCK_STYLE}{''.join(parts)}</div>"


def link(text: str, url: str) -> str:
    """The text, as a link where the address is one to open."""
    if not url.lower().startswith(OPENED):
        return escape(text or url)
    return f"<a href='{escape(url)}' target='_blank' rel='noopener'>{escape(text or url)}</a>"


def dim(html: str) -> str:
    """What matters less."""
    return f"<small style='opacity:.75'>{html}</small>"


def quoted(text: str, place: str, bold: tuple[int, int] = (0, 0)) -> str:
    """A text in its own words, and under it where it stands; a long one is folded.

    Its characters `bold` are, unless it is folded.
    """
    head, tail = text, ""
    if len(text) > SUMMARY_CHARACTERS:
        flat = " ".join(text.split())
        head = textwrap.shorten(flat, SUMMARY_CHARACTERS, placeholder="")
        tail = flat[len(head) :].strip()
    shown, (start, end) = escape(head), bold
    if tail:
        shown = f"<details><summary>{shown} …</summary>… {escape(tail)}</details>"
    elif start < end:
        parts = (text[:start], text[start:end], text[end:])
        shown = "{}<strong>{}</strong>{}".format(*map(escape, parts))
    return f"<div style='{INDENT}'>{shown}</div>{place}"


def marked(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    """A text whose (start, end, label) are framed, in its order; none may overlap."""
    parts, at = [], 0
    for start, end, label in spans:
        inner = f"{escape(text[start:end])} {dim(escape(label))}"
        parts += [escape(text[at:start]), f"<span style='{FRAME}'>{inner}</span>"]
        at = end
    return "".join([*parts, escape(text[at:])])


def ordered_list(items: Iterable[tuple[int, str]]) -> str:
    """A list with numbers of its own."""
    rows = "".join(f"<li value='{n}' style='margin-bottom:.6em'>{html}</li>" for n, html in items)
    return f"<ol style='padding-left:1.8em;margin:.4em 0'>{rows}</ol>"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of HTML under their heads; a column in which nothing stands is left out."""
    kept = [n for n in range(len(heads)) if any(row[n] for row in rows)]

    def line(cells: Sequence[str], tag: str) -> str:
        return "".join(f"<{tag} style='{CELL}'>{cells[n]}</{tag}>" for n in kept)

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    return f"<table><thead><tr>{line(heads, 'th')}</tr></thead><tbody>{body}</tbody></table>"
