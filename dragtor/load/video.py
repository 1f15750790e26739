"""Videos and recordings of the web: their captions, or else their sound, through yt-dlp.

Owns what is listed, what is fetched and what is kept of it. What yt-dlp says is judged in
video_info, how it is called in ytdlp; knows nothing of feeds and of transcribing.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from dragtor.config import VideoConfig, WebConfig
from dragtor.errors import LoadError
from dragtor.load.address import check_url, shown, web_address
from dragtor.load.base import (
    EVERYTHING,
    MOST_NEW,
    Choice,
    Item,
    LoadContext,
    Loader,
    new_source,
    newer,
)
from dragtor.load.captions import read_captions
from dragtor.load.download import RESUMES
from dragtor.load.http import Fetcher, Resolver, system_resolver
from dragtor.load.video_info import (
    WATCH,
    Info,
    Track,
    Video,
    address,
    canonical,
    choose_captions,
    describe,
    is_media,
    is_readable,
    newest_first,
    not_over,
    oldest_first,
    site_of,
    upload_day,
    videos,
)
from dragtor.load.ytdlp import LATER, NO_FORMATS, extractor_of, failures, open_ytdlp
from dragtor.types import (
    NEVER,
    SILENT,
    CancelToken,
    Document,
    Recording,
    Reporter,
    Source,
    short_hash,
)

SPARE = 20  # entries listed beyond those wanted: some are private, some live


def is_video(url: str) -> bool:
    """Whether an address is for VideoLoader: on a known video site, or ending like a recording.

    No network; loads yt-dlp for an address of a video site only. Pages elsewhere are pages, even
    with a player on them.
    """
    path = urlsplit(url).path
    if not url.lower().startswith(("http://", "https://")) or path.endswith((".xml", ".rss")):
        return False
    if not site_of(url):
        return is_media(url)
    return path.strip("/") != "" and extractor_of(url) is not None


class VideoLoader(Loader):
    """Reads videos; what was fetched once is read from `folder` until a refresh.

    The address is checked before yt-dlp sees it, and so is each that yt-dlp asks or is sent to.
    `folder` holds captions, sound, the parts of cut downloads and yt-dlp's cache.
    """

    kind = "video"
    takes = ("match", "latest")
    lists = True

    def __init__(
        self,
        config: VideoConfig,
        web: WebConfig,
        folder: Path,
        *,
        resolve: Resolver = system_resolver,
        reporter: Reporter = SILENT,
        cancel: CancelToken = NEVER,
    ) -> None:
        self._config = config
        self._web = web
        self._folder = folder
        self._reporter = reporter
        self._cancel = cancel
        self._fetcher = Fetcher(web, resolve=resolve, cancel=cancel)
        self._lists: dict[str, str] = {}  # title of the list that a video was found in

    @classmethod
    def open(cls, context: LoadContext) -> Self:
        """What is fetched is kept in the folder `video`."""
        return cls(
            context.config.video,
            context.config.web,
            context.folder / "video",
            reporter=context.reporter,
            cancel=context.cancel,
        )

    def supports(self, argument: str, choice: Choice) -> bool:
        """See `is_video`; no network."""
        return is_video(web_address(argument))

    def source(self, argument: str, choice: Choice) -> Source:
        """By its address as it was given, but for what only tracks."""
        return new_source(self.kind, web_address(argument), choice)

    def discover(
        self, uri: str, choice: Choice = EVERYTHING, *, refresh: bool = False
    ) -> list[Item]:
        """A video yields itself; a list or channel its `latest` (0: as configured), newest first.

        All that came after the mark `since` are taken too, MOST_NEW at most.
        `match` is looked for in title and address of a list's videos; those that are private or
        not over are passed by. Content hashes are of what is here: an Item without one is to be
        read. With
        `refresh` that is a single video too, but not a list's that is here. Raises LoadError on
        a list without videos.
        """
        url = self._address(uri)
        if _is_single(url):
            return [Item(url, "" if refresh else self.content_hash(url))]
        wish = choice.latest or self._config.latest
        reach = max(wish, MOST_NEW if choice.since else 0) + SPARE
        listed = self._list(url, f"1:{reach}")
        if "entries" not in listed:
            return [Item(url, "" if refresh else self.content_hash(url))]
        if (listed.get("playlist_count") or 0) > reach and oldest_first(listed):
            listed = self._list(url, f"-{reach}:")
        cookies = bool(self._config.cookies_from_browser)
        found: dict[str, Item] = {}
        for entry in newest_first(listed):
            place = address(entry, url, listed=True)
            if is_readable(entry, cookies) and choice.finds(f"{entry.get('title')}\n{place}"):
                found.setdefault(place, Item(place, self.content_hash(place), upload_day(entry)))
        if not found:
            raise LoadError(f"no video is listed that can be read: {shown(url)}")
        title = str(listed.get("title") or "")
        fresh = newer(list(found.values()), choice.since)
        taken = max(wish, min(fresh, MOST_NEW))
        if len(found) > taken and (fresh > taken or not choice.since):
            self._reporter.note(
                f"{shown(title or url)}: the newest {taken} are taken; more with --latest N"
            )
        items = list(found.values())[:taken]
        self._lists |= {item.uri: title for item in items}
        return items

    def read(self, uri: str, *, refresh: bool = False, before: Document | None = None) -> Recording:
        """The video with its words where it has captions, else with its sound.

        A refresh asks for the facts and the captions again: one request, and one for captions.
        Sound that is here is not fetched again; captions are taken in its place once there are
        any, and stay where new ones cannot be had. Where the sound was dropped, what was made of it
        `before` stands for it, and the Recording has neither words nor sound.
        """
        url = self._address(uri)
        known = self._saved(url)
        if known and not (before or (self._folder / known.file).is_file()):
            known = None
        video = self._fetch(url, known) if refresh or not known else known
        path = self._folder / video.file
        if video.captions == "none":
            audio = path if path.is_file() else None
            return Recording(video.document(), audio, (), video.parts(), video.language)
        words = read_captions(path.read_bytes(), video.kind)
        return Recording(video.document(), None, words, video.parts(), video.language)

    def content_hash(self, uri: str) -> str:
        """Hash of what was fetched of this video, empty where nothing was; no network."""
        video = self._saved(canonical(uri))
        return video.stamp if video else ""

    def transcribed(self, uri: str) -> None:
        """Drop the sound of this video, not its captions: its words are kept elsewhere."""
        video = self._saved(canonical(uri))
        if video and video.captions == "none":
            with suppress(OSError):
                (self._folder / video.file).unlink()

    def forget(self, uris: Iterable[str]) -> None:
        """Remove what is kept of these videos."""
        for uri in uris:
            for path in self._folder.glob(f"{short_hash(canonical(uri))}.*"):
                with suppress(OSError):
                    path.unlink()

    # What is kept

    def _address(self, uri: str) -> str:
        url = check_url(uri, allow_private=self._web.allow_private)
        self._fetcher.is_private(url)
        return canonical(url)

    def _saved(self, url: str) -> Video | None:
        try:
            found = json.loads((self._folder / f"{short_hash(url)}.json").read_text("utf-8"))
            found["chapters"] = tuple((title, start_s) for title, start_s in found["chapters"])
            video = Video(**found)
        except (OSError, ValueError, TypeError, KeyError):
            return None
        dropped = video.captions == "none" and video.content
        return video if dropped or (self._folder / video.file).is_file() else None

    def _save(self, url: str, video: Video) -> Video:
        """Written whole or not at all; a damaged or absent one counts as nothing fetched."""
        import hashlib

        if (self._folder / video.file).is_file():  # else it was dropped, and known
            with (self._folder / video.file).open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            video = replace(video, content=content)
        video = replace(video, stamp=short_hash(json.dumps(asdict(video))))
        path = self._folder / f"{short_hash(url)}.json"
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        part.write_text(json.dumps(asdict(video)), "utf-8")
        part.replace(path)
        return video

    # Fetching

    def _list(self, url: str, items: str) -> dict[str, Any]:
        with self._open(url, items) as ydl:
            return self._extract(ydl, url)

    def _fetch(self, url: str, known: Video | None) -> Video:
        with self._open(url) as ydl, failures(url, self._cancel):
            self._folder.mkdir(parents=True, exist_ok=True)
            info, mute = self._info(ydl, url)
            video = describe(info, url, self._lists.get(url, ""))
            for track in choose_captions(info, self._config.languages):
                try:
                    file = self._captions(ydl, info, track, url)
                except LoadError as error:
                    language = track.language or "of an unknown language"
                    self._reporter.note(f"captions ({language}) are left out: {error}")
                    continue
                how = "automatic" if track.automatic else "human"
                language = track.language.partition("-")[0] or video.language
                video = replace(video, captions=how, kind=track.kind, language=language)
                return self._save(url, replace(video, file=file))
            if mute:
                raise mute
            if known:
                names = ("captions", "kind", "file", "content")
                kept = {name: getattr(known, name) for name in names}
                language = known.language if known.kind else video.language
                return self._save(url, replace(video, **kept, language=language))
            return self._save(url, replace(video, file=self._sound(ydl, info, url)))

    def _info(self, ydl: Any, url: str) -> tuple[Info, LoadError | None]:
        """What is known of one video, and the error that says so where it has no sound."""
        mute = None
        try:
            info = self._extract(ydl, url)
        except LoadError as error:
            if not NO_FORMATS.search(str(error)):
                raise
            mute = error  # there may be captions all the same
            ydl.params["ignore_no_formats_error"] = True
            info = self._extract(ydl, url)
        if "entries" in info:
            entries = list(videos(info))
            if len(entries) != 1:
                raise LoadError(f"a list of {len(entries)} videos, not one: {shown(url)}")
            info = entries[0]
        if words := not_over(info):
            raise LoadError(f"{words}: {shown(url)}", LATER)
        return info, mute

    def _extract(self, ydl: Any, url: str) -> dict[str, Any]:
        with failures(url, self._cancel):
            info = ydl.extract_info(url, download=False)
        if not isinstance(info, dict):
            raise LoadError(f"yt-dlp finds nothing: {shown(url)}")
        return info

    def _download(self, ydl: Any, info: Info, path: Path, url: str) -> None:
        part = path.with_name(f"{path.name}.part")
        try:
            with failures(url, self._cancel):
                ydl.dl(str(path), dict(info))
        except LoadError as error:
            if not error.hint and part.exists():
                error.hint = RESUMES
            raise
        if not path.is_file():
            raise LoadError(f"nothing came: {shown(url)}")

    def _captions(self, ydl: Any, info: Info, track: Track, url: str) -> str:
        """The file name of captions that hold words."""
        path = self._folder / f"{short_hash(url)}.captions.{track.kind}"
        new = path.with_name(f"{short_hash(url)}.new.{track.kind}")
        new.unlink(missing_ok=True)
        if (data := track.source.get("data")) is not None:
            new.write_bytes(str(data).encode("utf-8", "replace"))
        else:
            self._download(
                ydl, {"http_headers": info.get("http_headers"), **track.source}, new, url
            )
        read_captions(new.read_bytes(), track.kind)
        new.replace(path)
        return path.name

    def _sound(self, ydl: Any, info: Info, url: str) -> str:
        """The sound's file name; a part of it that is there is completed."""
        form, end = (re.sub(r"\W+", "", str(info.get(key) or "")) for key in ("format_id", "ext"))
        path = self._folder / f"{short_hash(url)}.{form[:40] or 'sound'}.{end[:10] or 'media'}"
        if not path.is_file():
            self._download(ydl, info, path, url)
        return path.name

    def _open(self, url: str, items: str = "") -> Any:
        limit = self._config.max_mb * 1_000_000

        def watch(state: Info) -> None:
            self._cancel.check()
            done, total = state.get("downloaded_bytes") or 0, state.get("total_bytes") or 0
            if max(done, total) > limit:
                if part := state.get("tmpfilename"):
                    Path(part).unlink(missing_ok=True)
                hint = "load.video.max_mb sets the limit"
                raise LoadError(f"larger than {self._config.max_mb} MB: {shown(url)}", hint)
            title = str(state.get("info_dict", {}).get("title") or url)
            total = total or int(state.get("total_bytes_estimate") or 0)
            self._reporter.progress(f"downloading {shown(title, 60)}", done, max(done, total))

        checks = self._fetcher.is_private, watch, items, self._fetcher.connect, self._cancel
        return open_ytdlp(url, self._config, self._web, self._folder, *checks)


def _is_single(url: str) -> bool:
    """Whether this is plainly one video; no network. A list or what may be one is not."""
    if url.startswith(WATCH) or not site_of(url):
        return url.startswith(WATCH) or is_media(url)
    extractor = extractor_of(url)
    return bool(extractor and extractor.is_single_video(url))
