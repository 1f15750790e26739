"""What is particular to podcasts: episodes by number, chapters, and shows by their name.

Knows entries as `entry` reads them; fetches nothing but the answer of the search for shows.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from urllib.parse import urlencode

from dragtor.errors import LoadError
from dragtor.load.address import shown
from dragtor.load.captions import seconds_of
from dragtor.load.entry import Entry
from dragtor.load.http import Fetcher
from dragtor.load.text import one_line
from dragtor.types import Chapter

SHOWS = 25  # asked of the search
MAX_LINE_CHARS = 400  # of notes, in which a chapter is looked for
NAMED_MOST = 3  # shows or episodes that a message names
EPISODE_NUMBER = re.compile(r"(?:e|ep|episode|folge|no|nr)?[.:]?\s*#?\s*0*(\d{1,6})", re.I)
SEASON = re.compile(r"s(?:eason)?\s*0*(\d{1,4})[\s,.:x-]*e(?:p(?:isode)?)?\.?\s*0*(\d{1,6})", re.I)
IN_TITLE = (  # a number in a title, the surest form first
    re.compile(r"(?:\bep(?:isode)?\b\.?|\bfolge\b|#)\s*#?0*(\d{1,6})\b", re.I),
    re.compile(r"(?:^|\bE)0*(\d{1,6})(?=\s*[:|)–—-]+\s|\.\s|\s*$)"),
)
DATE = re.compile(r"\d{4}-\d\d-\d\d")
CHAPTER_LINE = re.compile(
    r"\W{0,8}((?:\d{1,2}:)?\d{1,3}:\d\d)(?:\.\d+)?(?:\s*[-–—]\s*(?:\d{1,2}:)?\d{1,3}:\d\d)?"
    r"[\s)\]}:|.–—-]*(\S.{0,200})"
)

FoundShow = tuple[str, str, str]  # a show: title, author, address of its feed


def chosen(entries: Sequence[Entry], episode: str) -> list[Entry]:
    """The entries that `episode` means: a date, `S2E4`, a number (`EP 237`), or title words."""
    wanted = " ".join(episode.split())
    found: Iterable[Entry] = ()
    if DATE.fullmatch(wanted):
        found = [entry for entry in entries if entry.published == wanted]
    elif match := SEASON.fullmatch(wanted):
        both = (int(match[1]), int(match[2]))
        found = [entry for entry in entries if both == numbers(entry)]
    elif match := EPISODE_NUMBER.fullmatch(wanted):
        number = int(match[1])  # by title, as people read it; tags may count anew each season
        titled = [entry for entry in entries if title_number(entry.title) == number]
        found = titled or [entry for entry in entries if numbers(entry)[1] == number]
    else:
        words = set(_words(wanted))
        found = [entry for entry in entries if words and words <= set(_words(entry.title))]
    return list(found)


def no_episode(entries: Sequence[Entry], episode: str, feed: str) -> LoadError:
    """The error that says so, with the command for one of the `entries` of the `feed`."""
    newest = "; ".join(shown(entry.title, 60) for entry in entries[:NAMED_MOST])
    known = (numbers(entry)[1] or entry.published for entry in entries)
    command = f"dragtor add {shown(feed, 400)} --episode {next(filter(None, known), 'N')}"
    return LoadError(
        f"no episode is meant by '{shown(episode, 60)}'", f"{command} (the newest: {newest})"
    )


def numbers(entry: Entry) -> tuple[int, int]:
    """Season and episode, 0 where they are not told; tags win over the title."""
    if not entry.episode and (match := SEASON.search(entry.title)):
        return int(match[1]), int(match[2])
    return entry.season, entry.episode or title_number(entry.title)


def title_number(title: str) -> int:
    """The episode's number as its title has it; 0 if it has none."""
    found = (pattern.search(title) for pattern in IN_TITLE)
    return next((int(match[1]) for match in found if match), 0)


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"\w+", "".join(c for c in plain if not unicodedata.combining(c)))


# Chapters


def chapters_of_json(data: bytes) -> tuple[Chapter, ...]:
    """Chapters of a `podcast:chapters` file; raises LoadError on what is none."""
    try:
        found = json.loads(data)
        listed = found["chapters"] if isinstance(found, Mapping) else ()
        rows = [row for row in listed if isinstance(row, Mapping)]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise LoadError("damaged chapters") from error
    chapters = []
    for row in rows:
        start, title = row.get("startTime"), row.get("title")
        if isinstance(start, str):
            start = seconds_of(start)
        if isinstance(start, bool) or not isinstance(start, int | float) or not 0 <= start < 1e6:
            continue
        title = one_line(title) if isinstance(title, str) else ""
        if title and row.get("toc") is not False:
            chapters.append(Chapter(title, float(start)))
    return tuple(sorted(chapters, key=lambda chapter: chapter.start_s))


def chapters_of_notes(notes: str) -> tuple[Chapter, ...]:
    """Chapters from lines like `00:12:30 Title`: two at least, in order of time."""
    found = []
    for line in notes.splitlines():
        line = line.strip()[:MAX_LINE_CHARS]
        if (match := CHAPTER_LINE.fullmatch(line)) and re.search(r"\w", match[2]):
            found.append(Chapter(match[2].strip(), seconds_of(match[1]) or 0.0))
    rising = all(before.start_s < after.start_s for before, after in pairwise(found))
    return tuple(found) if len(found) > 1 and rising else ()


# Shows


def find_shows(fetcher: Fetcher, search_url: str, name: str) -> list[FoundShow]:
    """Shows that the iTunes search API finds for `name`, best first; raises LoadError."""
    query = urlencode({"media": "podcast", "entity": "podcast", "limit": SHOWS, "term": name})
    reply = fetcher.get(f"{search_url}?{query}", {"Accept": "application/json"}, trusted=True)
    if reply.status != 200:
        raise LoadError(f"the search for shows answers {reply.told}")
    try:
        results = json.loads(reply.body)["results"]
        rows = [row for row in results if isinstance(row, Mapping)]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise LoadError("the search for shows gives no answer that can be read") from error
    found: list[FoundShow] = []
    for row in rows:
        told = (row.get("collectionName"), row.get("artistName"), row.get("feedUrl"))
        title, author, feed = (each if isinstance(each, str) else "" for each in told)
        if feed and feed not in (known[2] for known in found):
            found.append((" ".join(title.split()), " ".join(author.split()), feed))
    return found


def the_show(found: Sequence[FoundShow], name: str) -> FoundShow:
    """The one that `name` means; raises LoadError if that is none, or more than one."""
    words = _words(name)
    same = [show for show in found if _words(show[0]) == words]
    near = [show for show in found if words and set(words) <= set(_words(f"{show[0]} {show[1]}"))]
    for shows in (same, near):
        if len(shows) == 1:
            return shows[0]
        if shows:
            listed = "; ".join(f"{t} ({a}): dragtor add {u}" for t, a, u in shows[:NAMED_MOST])
            raise LoadError(f"{len(shows)} shows are called '{shown(name, 60)}'", listed)
    others = "; ".join(f"{title}: dragtor add {feed}" for title, _, feed in found[:NAMED_MOST])
    raise LoadError(f"no show is called '{shown(name, 60)}'", others or "dragtor add FEED_ADDRESS")
