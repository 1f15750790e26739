"""Feeds: blogs give posts, podcasts give episodes with what is known of them and their sound.

Owns the conditional request, the choice of entries, and where an episode's words come from.
What a feed's bytes mean belongs to entry and podcast; knows nothing of transcribing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from dragtor.config import FeedConfig, WebConfig
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
from dragtor.load.cache import Page, PageCache, bytes_hash
from dragtor.load.captions import KINDS, read_captions
from dragtor.load.download import download, forget_download
from dragtor.load.entry import Entry, Show, TranscriptLink, read_feed, restored, stored, text_of
from dragtor.load.feedxml import is_feed
from dragtor.load.http import Fetcher, Reply, Resolver, system_resolver
from dragtor.load.podcast import (
    FoundShow,
    chapters_of_json,
    chapters_of_notes,
    chosen,
    find_shows,
    no_episode,
    numbers,
    the_show,
)
from dragtor.types import (
    NEVER,
    SILENT,
    CancelToken,
    Chapter,
    Document,
    Recording,
    Reporter,
    Source,
    Word,
    short_hash,
)

SHOW_PREFIX = "podcast:"  # before the name of a show
FEED_ADDRESS = re.compile(
    r"^https?://(?:feeds?|rss)\.|[/.=_-](?:rss|atom|feeds?|podcast)\b|\.xml\b", re.I
)
ACCEPT = "application/rss+xml,application/atom+xml,application/xml;q=0.9,text/xml;q=0.8,*/*;q=0.5"
RECORDINGS = ("audio/", "video/", "application/ogg", "application/mp4")
LONG_POST_CHARS = 1_000  # a shorter summary is read from its page
CUT_OFF = re.compile(r"(?:…|\.\.\.|\[[^\]]*\]|read more|continue reading|weiterlesen)\W*$", re.I)


class FeedLoader(Loader):
    """Reads feeds; entries are listed by `discover` before they are read.

    `ready` is called before sound is downloaded, and raises where nothing could transcribe it.
    `read_page` reads the page of a post, `forget_pages` drops what is kept of such pages.
    """

    kind = "feed"
    takes = ("match", "latest", "episode")
    lists = True

    def __init__(
        self,
        config: FeedConfig,
        web: WebConfig,
        cache_dir: Path,
        audio_dir: Path,
        *,
        resolve: Resolver = system_resolver,
        read_page: Callable[[str], Document] | None = None,
        forget_pages: Callable[[Iterable[str]], None] = lambda uris: None,
        ready: Callable[[], None] = lambda: None,
        reporter: Reporter = SILENT,
        cancel: CancelToken = NEVER,
    ) -> None:
        pace = config.requests_per_minute
        self._config = config
        self._private = web.allow_private
        paced = replace(web, requests_per_minute=pace)
        self._fetcher = Fetcher(paced, resolve=resolve, cancel=cancel)
        self._cache = PageCache(cache_dir, reporter)
        self._audio_dir = audio_dir
        self._reporter = reporter
        self._read_page = read_page
        self._forget_pages = forget_pages
        self._ready = ready
        self._listed: dict[str, tuple[Entry, Show, str]] = {}  # by the item's address

    @classmethod
    def open(cls, context: LoadContext) -> Self:
        """Posts are read from their pages where the feed has little of them."""
        from dragtor.load.web import WebLoader

        pages = context.loader(WebLoader)
        return cls(
            context.config.feed,
            context.config.web,
            context.folder,
            context.folder / "sound",
            reporter=context.reporter,
            cancel=context.cancel,
            read_page=partial(pages.read, refresh=True),  # asked for what is new or changed only
            forget_pages=pages.forget,
            ready=context.ready,
        )

    def supports(self, argument: str, choice: Choice) -> bool:
        """A show by its name, or an address that may be a feed's, and is one; asks the network."""
        if argument.startswith(SHOW_PREFIX):
            return True
        address = web_address(argument)
        likely = choice.latest or choice.episode or FEED_ADDRESS.search(address)
        return bool(address and likely and self.probe(address))

    def source(self, argument: str, choice: Choice) -> Source:
        """By the address of the feed; that of a show by its name is asked of the search."""
        address = web_address(argument)
        if not address:
            address = self.show_address(argument.removeprefix(SHOW_PREFIX).strip())
        return new_source(self.kind, address, choice)

    def probe(self, uri: str) -> bool:
        """Whether a feed is at this address; what the request brought is kept for `discover`.

        Raises LoadError if the server refuses.
        """
        url = check_url(uri, allow_private=self._private)
        reply = _accepted(self._fetcher.get(url, {"Accept": f"{ACCEPT},text/html"}), url)
        if not is_feed(_type(reply), reply.body):
            return False
        self._keep(url, reply)
        return True

    def discover(
        self, uri: str, choice: Choice = EVERYTHING, *, refresh: bool = False
    ) -> list[Item]:
        """The entries, newest first, in whose title or address `match` is found.

        `latest` takes the newest so many; 0: all posts, and of episodes what the settings say.
        All that came after the mark `since` are taken too, MOST_NEW at most. `episode` picks by
        number, title words or date. Asks once, and only for what changed;
        an unreachable feed is listed as it was last seen, unless `refresh`. Every Item has its
        content hash, with `refresh` too: what stands in the feed as before need not be read again.
        Raises LoadError where nothing is found; with `refresh` the list is empty then, since
        what a feed listed once may have left it.
        """
        url = check_url(uri, allow_private=self._private)
        show = self._show(url, refresh)
        entries = [e for e in show.entries if choice.finds(f"{e.title}\n{e.uri}")]
        if not entries and not refresh:
            hint = f"dragtor add {shown(url, 400)} --match RE (found in titles and addresses)"
            none = f"none of the {len(show.entries)} entries of {shown(url)} matches"
            raise LoadError(f"{none} '{shown(choice.match, 60)}'", hint)
        if episode := choice.episode:
            listed, entries = entries, chosen(entries, episode)
            if not entries and not refresh:
                raise no_episode(listed, episode, url)
        since = "" if episode else choice.since
        entries = self._newest(entries, choice.latest, since, show.title or shown(url))
        self._listed |= {entry.uri: (entry, show, url) for entry in entries}
        return [Item(entry.uri, entry.stamp, entry.published) for entry in entries]

    def read(
        self, uri: str, *, refresh: bool = False, before: Document | None = None
    ) -> Document | Recording:
        """A post as a Document, an episode as a Recording with words, or else with its sound.

        A refresh asks whether sound that is here has changed; all else is asked for anyhow.
        `before` is what was made of its sound: where the feed names the same sound as then, the
        Recording has neither words nor sound.
        """
        entry, show, feed = self._entry(uri)
        text = text_of(entry)
        if entry.media:
            same = before is not None and _sound_of(before.meta) == _sound_of(_told(entry))
            return self._recording(entry, show, feed, text, refresh, same)
        return self._post(entry, show, feed, text)

    def content_hash(self, uri: str) -> str:
        """Hash of an entry that was listed; no network."""
        return self._entry(uri)[0].stamp

    def forget(self, uris: Iterable[str]) -> None:
        """Drop what is kept of these feeds, posts and episodes.

        Of a feed that is the sound of all that it last listed, too.
        """
        gone = list(uris)
        self._forget_pages(gone)
        self.forget_sound(gone)
        for url in gone:
            page = self._cache.load(_key(url))
            known = restored(page.body) if page else None
            self.forget_sound(entry.enclosure for entry in (known[0].entries if known else ()))
            self._cache.drop(_key(url))

    def transcribed(self, uri: str) -> None:
        """Drop the sound of this enclosure: its words are kept elsewhere."""
        self.forget_sound([uri])

    def forget_sound(self, urls: Iterable[str]) -> None:
        """Drop the sound that was fetched from these enclosures, listed still or not."""
        for url in urls:
            forget_download(url, self._audio_dir)

    def find_show(self, name: str) -> list[FoundShow]:
        """Title, author and feed address of the shows that are found for a name."""
        return find_shows(self._fetcher, self._config.search_url, name)

    def show_address(self, name: str) -> str:
        """The feed of the show that is called so; raises LoadError if that is not one show."""
        return the_show(self.find_show(name), name)[2]

    # Feeds

    def _show(self, url: str, refresh: bool) -> Show:
        page = self._cache.load(_key(url))
        known = restored(page.body) if page else None
        headers = {"Accept": ACCEPT}
        if page and known:
            headers |= {"If-None-Match": page.etag} if page.etag else {}
            headers |= {"If-Modified-Since": page.modified} if page.modified else {}
        try:
            reply = self._fetcher.get(url, headers)
            if reply.status != 304:
                _accepted(reply, url)
        except LoadError as error:
            if not known or refresh:
                raise
            self._reporter.note(f"{error}; its entries are listed as last seen")
            return known[0]
        if known and (reply.status == 304 or known[1] == bytes_hash(reply.body)):
            return known[0]
        return self._keep(url, reply)

    def _keep(self, url: str, reply: Reply) -> Show:
        show = read_feed(reply.body, reply.url, _type(reply))
        body = stored(show, bytes_hash(reply.body))
        tags = reply.headers.get("etag", ""), reply.headers.get("last-modified", "")
        page = Page("feed", reply.url, body, bytes_hash(body), _type(reply), *tags)
        self._cache.save(_key(url), page)
        return show

    def _newest(self, entries: list[Entry], latest: int, since: str, name: str) -> list[Entry]:
        """The newest `latest` of all; without it all posts, and the newest of the episodes.

        More where more are new.
        """
        fresh = entries[: newer(entries, since)]
        if not latest:
            fresh = [entry for entry in fresh if entry.media]
        if len(fresh) > max(latest, MOST_NEW):
            self._reporter.note(
                f"{shown(name)}: {MOST_NEW} of {len(fresh)} new entries are taken;"
                f" all with --latest {len(fresh)}"
            )
        taken = max(latest or self._config.latest, min(len(fresh), MOST_NEW))
        if latest:
            return entries[:taken]
        episodes = [entry for entry in entries if entry.media]
        left = episodes[taken:]
        if left and not since:
            self._reporter.note(
                f"{shown(name)}: {taken} of {len(episodes)} episodes are taken;"
                " more with --latest N, one with --episode"
            )
        later = {entry.uri for entry in left}
        return [entry for entry in entries if entry.uri not in later]

    def _entry(self, uri: str) -> tuple[Entry, Show, str]:
        if uri not in self._listed:
            raise LoadError(f"no entry of a feed that was listed: {shown(uri)}", "dragtor sync")
        return self._listed[uri]

    # Posts

    def _post(self, entry: Entry, show: Show, feed: str, text: str) -> Document:
        page = None
        long = entry.is_whole or len(text) >= LONG_POST_CHARS
        whole = text and long and not CUT_OFF.search(text[-40:])
        if self._read_page and entry.page and not whole:
            try:
                page = self._read_page(entry.page)
            except LoadError as error:
                if not text:
                    raise
                self._reporter.note(f"the feed's own text is taken: {error}")
        meta = self._meta(entry, show, feed)
        if page and len(page.text) > len(text):
            return replace(
                page,
                kind="feed",
                title=entry.title or page.title,
                author=entry.author or page.author,
                published=entry.published or page.published,
                meta={**page.meta, **meta},
            )
        if not text:
            raise LoadError(f"nothing to read in '{shown(entry.title or entry.uri)}'")
        title = entry.title or shown(text.partition("\n")[0], 80)
        author = entry.author or show.author
        return Document(
            short_hash(entry.uri), entry.uri, "feed", title, text, author, entry.published, (), meta
        )

    def _meta(self, entry: Entry, show: Show, feed: str) -> dict[str, Any]:
        season, episode = numbers(entry) if entry.media else (0, 0)
        told = {
            "show": show.title,
            "feed": feed,
            "season": season,
            "episode": episode,
            "page": entry.page,
            **_told(entry),
        }
        return {name: value for name, value in told.items() if value} | {"stamp": entry.stamp}

    # Episodes

    def _recording(
        self, entry: Entry, show: Show, feed: str, notes: str, refresh: bool, same: bool
    ) -> Recording:
        words, language = self._words(entry, show)
        audio = None if words or same else self._sound(entry, refresh)
        document = Document(
            short_hash(entry.enclosure),
            entry.enclosure,
            "video" if entry.media == "video" else "audio",
            entry.title or show.title or shown(entry.enclosure),
            notes,
            entry.author or show.author,
            entry.published,
            (),
            self._meta(entry, show, feed),
        )
        return Recording(document, audio, words, self._chapters(entry, notes), language)

    def _sound(self, entry: Entry, refresh: bool) -> Path:
        self._ready()
        label = f"downloading {shown(entry.title or entry.enclosure, 60)}"
        return download(
            self._fetcher,
            entry.enclosure,
            self._audio_dir,
            bytes_expected=entry.size,
            types=RECORDINGS,
            max_mb=self._config.max_episode_mb,
            refresh=refresh,
            label=label,
            reporter=self._reporter,
        )

    def _words(self, entry: Entry, show: Show) -> tuple[tuple[Word, ...], str]:
        """The published transcript: the first with speakers, else the first; and its language."""
        best: tuple[tuple[Word, ...], str] = ((), show.language)

        def rank(transcript: TranscriptLink) -> tuple[bool, int]:
            language = transcript.language[:2]
            foreign = bool(language and show.language and language != show.language)
            return foreign, KINDS.index(transcript.kind)

        for transcript in sorted(entry.transcripts, key=rank):
            try:
                words = read_captions(self._get(transcript.url), transcript.kind)
            except LoadError as error:
                self._reporter.note(
                    f"a transcript of '{shown(entry.title, 60)}' is left out: {error}"
                )
                continue
            found = (words, transcript.language[:2] or show.language)
            if any(word.speaker for word in words):
                return found
            best = best if best[0] else found
        return best

    def _chapters(self, entry: Entry, notes: str) -> tuple[Chapter, ...]:
        if entry.chapters_url:
            try:
                if found := chapters_of_json(self._get(entry.chapters_url)):
                    return found
            except LoadError as error:
                self._reporter.note(
                    f"the chapters of '{shown(entry.title, 60)}' are left out: {error}"
                )
        return tuple(Chapter(t, s) for s, t in entry.chapters) or chapters_of_notes(notes)

    def _get(self, url: str) -> bytes:
        return _accepted(self._fetcher.get(url, {"Accept": "*/*"}), url).body


def _told(entry: Entry) -> dict[str, Any]:
    """What the feed says of an entry's sound."""
    return {"enclosure": entry.enclosure, "bytes": entry.size}


def _sound_of(told: Mapping[str, Any]) -> tuple[str, int]:
    """What tells one sound from another; where its size is told, a signed query does not count."""
    url, size = str(told.get("enclosure", "")), int(told.get("bytes", 0))
    return url.partition("?")[0] if size else url, size


def _key(url: str) -> str:
    return f"feed {url}"


def _accepted(reply: Reply, url: str) -> Reply:
    """The reply, if it is what was asked for; raises LoadError with the status if not."""
    if not 200 <= reply.status < 300:
        raise LoadError(f"{reply.status} {reply.reason}".strip() + f": {shown(url)}")
    return reply


def _type(reply: Reply) -> str:
    return reply.headers.get("content-type", "")
