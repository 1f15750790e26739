"""What yt-dlp says of a video, made use of: which captions, which sound, where it is watched.

Pure: info dicts in (their fields are described in yt-dlp's extractor/common.py), choices out.
Knows no network, no folder and no error.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from dragtor.load.text import clean_text, one_line
from dragtor.types import Chapter, Document, short_hash

Info = Mapping[str, Any]

SITES = {  # host -> how the names of its extractors in yt-dlp begin
    "youtube.com": "youtube",
    "youtu.be": "youtube",
    "vimeo.com": "vimeo",
    "dailymotion.com": "dailymotion",
    "dai.ly": "dailymotion",
    "twitch.tv": "twitch",
    "ted.com": "ted",
    "soundcloud.com": "soundcloud",
}
MEDIA = re.compile(
    r"/[^/:]+\.(?:mp3|m4a|m4b|mp4|m4v|aac|og[gav]|opus|wav|flac|wma|mka|mkv|webm|mov|avi|mpe?g|3gp)",
    re.I,
)
WATCH = "https://www.youtube.com/watch?v="
YOUTUBE_ID = re.compile(r"[\w-]{11}")

CAPTION_KINDS = {  # ending -> kind, best first; a page's <track> need not have one
    "json3": "json3",
    "vtt": "vtt",
    "srt": "srt",
    "unknown_video": "vtt",
}
NO_CAPTIONS = ("live_chat", "rechat", "comments", "danmaku")
# Some sites list what a machine heard among the human ones.
AUTOMATIC = re.compile(r"-orig$|(?:-x)?[-_.]?auto.*$", re.I)
ENOUGH_KBPS = 40  # of sound; speech needs no more
UNTITLED = re.compile(r"<Untitled Chapter \d+>")  # what yt-dlp writes where there is no title

UNREADABLE = ("[Private video]", "[Deleted video]")
CLOSED = ("private", "premium_only", "subscriber_only", "needs_auth")
NOT_OVER = {"is_live": "is live now", "is_upcoming": "has not begun", "post_live": "has just ended"}


@dataclass(frozen=True, slots=True)
class Track:
    """Captions that may be had; `automatic` where a machine heard them."""

    language: str
    kind: str  # as read_captions takes it
    automatic: bool
    source: Info = field(default_factory=dict)  # yt-dlp's own entry: url or data, and headers


@dataclass(frozen=True, slots=True)
class Video:
    """What is kept of a video; `file` holds its captions or its sound."""

    uri: str  # canonical: where it is watched
    id: str
    title: str
    sound_only: bool = False
    author: str = ""
    published: str = ""
    description: str = ""
    show: str = ""  # channel, else playlist
    duration_s: float = 0.0
    language: str = ""
    chapters: tuple[tuple[str, float], ...] = ()
    captions: str = "none"  # human, automatic or none
    kind: str = ""  # of the captions
    file: str = ""
    content: str = ""  # hash of the file
    stamp: str = ""

    def document(self) -> Document:
        """Show notes, and who published what when; what is said is not in it."""
        facts = {
            "show": self.show,
            "id": self.id,
            "duration_s": self.duration_s,
            "captions": self.captions,
            "stamp": self.stamp,
        }
        return Document(
            short_hash(self.uri),
            self.uri,
            "audio" if self.sound_only else "video",
            self.title,
            self.description,
            self.author,
            self.published,
            meta={name: value for name, value in facts.items() if value},
        )

    def parts(self) -> tuple[Chapter, ...]:
        """The chapters that have a title."""
        return tuple(Chapter(title, start_s) for title, start_s in self.chapters)


def describe(info: Info, asked: str, playlist: str = "") -> Video:
    """What is known of one video; `asked` is the address that it was found at."""
    channel = _line(info, "channel") or _line(info, "uploader") or _line(info, "creator")
    direct = bool(info.get("direct"))
    chapters = tuple(
        (_line(chapter, "title"), float(chapter.get("start_time") or 0))
        for chapter in info.get("chapters") or ()
        if _line(chapter, "title") and not UNTITLED.fullmatch(_line(chapter, "title"))
    )
    uri = address(info, asked)
    title = _line(info, "title") or uri
    if info.get("extractor_key") in ("Generic", "HTML5MediaEmbed"):
        title = title.removesuffix(" (1)")  # the first player of a page
    return Video(
        uri,
        _line(info, "id"),
        title,
        sound_only=direct and info.get("vcodec") == "none",
        author=channel,
        published="" if direct else upload_day(info),
        description=clean_text("\n".join(str(info.get("description") or "").splitlines())).strip(),
        show=channel or one_line(playlist),
        duration_s=float(info.get("duration") or 0),
        language=_primary(spoken_language(info)),
        chapters=chapters,
    )


def upload_day(info: Info) -> str:
    """When a video was published, as an ISO 8601 date; empty where that is not told."""
    day = str(info.get("upload_date") or info.get("release_date") or "")
    if re.fullmatch(r"\d{8}", day):
        return f"{day[:4]}-{day[4:6]}-{day[6:]}"
    try:  # a list has but the second, often estimated
        return datetime.fromtimestamp(info.get("timestamp") or math.nan, UTC).date().isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


def _line(info: Info, key: str) -> str:
    return one_line(str(info.get(key) or ""))


# Addresses


def site_of(url: str) -> str:
    """How the extractors of a known video site are called; empty: no such site."""
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    return next((name for end, name in SITES.items() if f".{host}".endswith(f".{end}")), "")


def is_media(url: str) -> bool:
    """Whether the address ends like that of a recording."""
    return bool(MEDIA.fullmatch(urlsplit(url).path[urlsplit(url).path.rfind("/") :]))


def canonical(url: str) -> str:
    """One address for one video: YouTube's many forms as one, the fragment dropped."""
    url = url.partition("#")[0]
    parts = urlsplit(url)
    if site_of(url) == "youtube":
        first, _, second = parts.path.strip("/").partition("/")
        found = parse_qs(parts.query).get("v", [""])[0] if first == "watch" else ""
        if first in ("shorts", "live"):
            found = second
        elif parts.hostname == "youtu.be":
            found = first
        if YOUTUBE_ID.fullmatch(found):
            return WATCH + found
    return url


def address(info: Info, asked: str, *, listed: bool = False) -> str:
    """Where a video is watched; one that is `listed` at `asked` has another address than that.

    Of a page's several players, each is addressed by its media file.
    """
    key = info.get("ie_key") or info.get("extractor_key")
    if key == "Youtube" and info.get("id"):
        return WATCH + str(info["id"])
    if key == "Generic" and not listed:
        return asked
    places = (str(info.get(name) or "").partition("#")[0] for name in ("webpage_url", "url"))
    taken = (
        place
        for place in places
        if place.startswith("http") and place.isprintable() and (place != asked or not listed)
    )
    return canonical(next(taken, asked))


# Lists


def videos(info: Info) -> Iterator[dict[str, Any]]:
    """The videos of a list and of the lists in it; a channel's shorts and playlists are left."""
    for entry in info.get("entries") or ():
        if not entry or entry.get("ie_key") == "YoutubeTab":
            continue
        if "entries" not in entry:
            yield entry
        elif not str(entry.get("webpage_url") or "").endswith("/shorts"):
            yield from videos(entry)


def newest_first(info: Info) -> list[dict[str, Any]]:
    """The videos of a list by date; as listed, if not every date is known."""
    found = list(videos(info))
    if all(entry.get("timestamp") for entry in found):
        found.sort(key=lambda entry: -entry["timestamp"])
    return found


def oldest_first(info: Info) -> bool:
    """Whether a list plainly begins with its oldest video."""
    times = [entry.get("timestamp") for entry in videos(info)]
    return bool(times and times[0] and times[-1] and times[0] < times[-1])


def is_readable(entry: Info, cookies: bool) -> bool:
    """Whether a listed video is over, still there, and open to those without an account."""
    closed = entry.get("availability") in CLOSED and not cookies
    return not (closed or not_over(entry) or entry.get("title") in UNREADABLE)


def not_over(info: Info) -> str:
    """What keeps a broadcast from being read yet; empty: nothing."""
    status = info.get("live_status") or ("is_live" if info.get("is_live") else "")
    return NOT_OVER.get(str(status), "")


# Choices


def spoken_language(info: Info) -> str:
    """The language that is spoken, as far as the site tells; empty: it does not."""
    originals = (key for key in info.get("automatic_captions") or () if key.endswith("-orig"))
    return one_line(str(info.get("language") or next(originals, "").removesuffix("-orig")))


def choose_captions(info: Info, languages: Sequence[str] = ()) -> list[Track]:
    """What to take, best first: human captions in a wanted language, then what a machine heard.

    `languages` are the wanted ones, best first; none: the spoken one, then English. Automatic
    translations are never taken: nobody said that. Where the spoken language is not known, human
    captions in any language do.
    """
    own = spoken_language(info)
    wanted = list(languages) or [language for language in (own, "en") if language]
    human: list[Track] = []
    heard: list[Track] = []
    for key, entries in (info.get("subtitles") or {}).items():
        track = _track(str(key or ""), entries)
        if track and track.language not in NO_CAPTIONS:
            (heard if track.automatic else human).append(track)
    for key, entries in (info.get("automatic_captions") or {}).items():
        original = [e for e in entries if "tlang=" not in str(e.get("url"))]
        if track := _track(str(key or ""), original, automatic=True):
            heard.append(track)
    chosen = [t for language in wanted for t in _in_language(human, language)]
    if not own and not languages:
        chosen += human
    chosen += _in_language(heard, own) if own else heard[:1]
    found: dict[tuple[str, bool], Track] = {}
    for track in chosen:
        found.setdefault((track.language, track.automatic), track)
    return list(found.values())


def _track(key: str, entries: Sequence[Info], *, automatic: bool = False) -> Track | None:
    """The best of the forms that one language's captions come in; None: none is read."""
    forms = [e for e in entries if e.get("ext") in CAPTION_KINDS and (e.get("url") or "data" in e)]
    if not forms:
        return None
    order = list(CAPTION_KINDS)
    best = min(forms, key=lambda form: order.index(form["ext"]))
    machine = automatic or bool(AUTOMATIC.search(key))
    return Track(AUTOMATIC.sub("", one_line(key)), CAPTION_KINDS[best["ext"]], machine, best)


def _in_language(tracks: Sequence[Track], language: str) -> list[Track]:
    """Exactly that language first, then its kin: en-GB serves en."""
    wanted = language.lower()
    kin = [track for track in tracks if _primary(track.language) == _primary(language)]
    return sorted(kin, key=lambda track: track.language.lower() != wanted)


def _primary(language: str) -> str:
    return re.split(r"[-_]", language.lower())[0]


def choose_sound(formats: Sequence[Info]) -> Info | None:
    """The smallest sound that is good enough for speech, in the language it was recorded in.

    Without video where the site parts the two; None if nothing has sound.
    """
    heard = [form for form in formats if form.get("acodec") != "none"]
    originals = max((form.get("language_preference") or -1 for form in heard), default=-1)
    heard = [form for form in heard if (form.get("language_preference") or -1) == originals]
    alone = [form for form in heard if form.get("vcodec") == "none"]
    enough = [form for form in alone if _kbps(form) >= ENOUGH_KBPS]
    if enough:
        return min(enough, key=lambda form: (_kbps(form), _in_parts(form)))
    if alone:
        return max(alone, key=lambda form: (_kbps(form), not _in_parts(form)))
    return min(heard, key=lambda form: (_size(form), _in_parts(form)), default=None)


def _kbps(form: Info) -> float:
    return float(form.get("abr") or form.get("tbr") or 0)


def _size(form: Info) -> tuple[float, float]:
    """Of a video with sound, in pixels and bits; what is not told counts as large."""
    return float(form.get("height") or 1e9), float(form.get("tbr") or 1e9)


def _in_parts(form: Info) -> bool:
    """Whether a download is many small files, and so harder to resume."""
    return not str(form.get("protocol") or "https").startswith("http") or bool(
        form.get("fragments")
    )
