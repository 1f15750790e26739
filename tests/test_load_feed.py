"""Feeds against a real server on loopback: posts, episodes, what is asked, and all real feeds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from itertools import islice, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import shared
from fakes import Notes
from loader_contract import check_loader
from test_download import SOUND, Episode, chain
from test_http import Answer, Server, say

from dragtor.config import FeedConfig, WebConfig
from dragtor.errors import LoadError, Missing, UsageError
from dragtor.load.base import EVERYTHING, MOST_NEW, Choice, Item, mark, newer
from dragtor.load.entry import Show, read_feed, restored, stored, text_of
from dragtor.load.feed import FeedLoader
from dragtor.load.feedxml import is_feed
from dragtor.load.podcast import (
    chapters_of_json,
    chapters_of_notes,
    find_shows,
    the_show,
    title_number,
)
from dragtor.types import Chapter, Document, Recording, short_hash

WEB = WebConfig(allow_private=True, retries=0, timeout_s=5, requests_per_minute=1)
URL = "https://example.org/feed"
SPACES = (
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    ' xmlns:podcast="https://podcastindex.org/namespace/1.0"'
    ' xmlns:psc="http://podlove.org/simple-chapters"'
    ' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def load(server: Server, tmp_path: Path) -> Callable[..., FeedLoader]:
    """A new loader over the test's own cache; its `notes` are what it told."""

    def made(read_page: Callable[[str], Document] | None = None, **settings: Any) -> FeedLoader:
        reporter = Notes()
        config = FeedConfig(search_url=f"{server.url}/search", **settings)
        folders = tmp_path / "cache", tmp_path / "sound"
        loader = FeedLoader(config, WEB, *folders, reporter=reporter, read_page=read_page)
        loader.notes = reporter.notes  # type: ignore[attr-defined]
        return loader

    return made


def rss(*items: str, head: str = "<title>The Show</title><language>en-US</language>") -> bytes:
    body = "".join(f"<item>{item}</item>" for item in items)
    return f'<rss version="2.0" {SPACES}><channel>{head}{body}</channel></rss>'.encode()


def day(number: int) -> str:
    return f"<pubDate>{number:02d} Mar 2024 10:00:00 +0000</pubDate>"


def post(number: int, text: str = "word " * 300) -> str:
    return (
        f"<title>Post {number}</title><link>https://blog.example/{number}</link>"
        f"<description>{text}</description>{day(number)}"
    )


def episode(server: Server, number: int, extra: str = "") -> str:
    return (
        f"<title>EP {number}: Talk</title><link>https://show.example/{number}</link>{day(number)}"
        f'<enclosure url="{server.url}/ep{number}.mp3" type="audio/mpeg" length="10"/>{extra}'
    )


def only(body: bytes) -> Show:
    return read_feed(body, URL)


class Feed:
    """Serves a body with an ETag, and 304 to whoever has it."""

    def __init__(self, body: bytes, tag: str = '"f1"') -> None:
        self.body, self.tag = body, tag
        self.statuses: list[int] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        known = self.tag and handler.headers.get("If-None-Match") == self.tag
        self.statuses.append(304 if known else 200)
        say(b"" if known else self.body, self.statuses[-1], ETag=self.tag)(handler)


def test_contract(server: Server, load: Callable[..., FeedLoader], own_folders: Path) -> None:
    server.routes["/feed"] = Feed(rss(post(1), post(2)))
    server.routes["/page"] = say(b"<html><body>No feed.</body></html>", Content_Type="text/html")
    absent, others = f"{server.url}/absent/feed", ["notes.md", f"{server.url}/page"]
    check_loader(load(), f"{server.url}/feed", own_folders, absent=absent, others=others)


# What is asked


def test_a_sync_of_an_unchanged_feed_is_one_conditional_request(
    server: Server, load: Callable[..., FeedLoader]
) -> None:
    feed = server.routes["/feed"] = Feed(rss(post(1), post(2)))
    first = load().discover(f"{server.url}/feed")
    again = load().discover(f"{server.url}/feed", refresh=True)
    assert again == first
    assert len(first) == 2
    assert all(item.content_hash for item in first)
    assert feed.statuses == [200, 304]
    assert server.asked == ["/feed", "/feed"]
    feed.body, feed.tag = rss(post(1), post(2, "other " * 300), post(3)), '"f2"'
    items = load().discover(f"{server.url}/feed", refresh=True)
    assert [item.uri for item in items] == [f"https://blog.example/{n}" for n in (3, 2, 1)]
    assert items[2] == first[1]
    assert items[1].content_hash != first[0].content_hash


def test_fifty_unchanged_feeds_are_fifty_requests_without_a_wait(
    server: Server, load: Callable[..., FeedLoader]
) -> None:
    feeds = [Feed(rss(post(1), post(2)), f'"{n}"') for n in range(50)]
    server.routes |= {f"/{n}": feed for n, feed in enumerate(feeds)}
    for _ in range(2):
        loader = load()
        assert all(len(loader.discover(f"{server.url}/{n}")) == 2 for n in range(50))
    assert {tuple(feed.statuses) for feed in feeds} == {(200, 304)}


def test_a_server_without_marks_is_asked_in_full_and_changes_nothing(
    server: Server, load: Callable[..., FeedLoader]
) -> None:
    server.routes["/feed"] = Feed(rss(post(1)), tag="")
    assert load().discover(f"{server.url}/feed") == load().discover(f"{server.url}/feed")


def test_an_unreachable_feed_is_listed_as_last_seen_except_by_a_refresh(
    server: Server, load: Callable[..., FeedLoader]
) -> None:
    server.routes["/feed"] = Feed(rss(post(1)))
    items = load().discover(f"{server.url}/feed")
    server.routes["/feed"] = say(b"", 503)
    loader = load()
    assert loader.discover(f"{server.url}/feed") == items
    assert "listed as last seen" in loader.notes[0]  # type: ignore[attr-defined]
    with pytest.raises(LoadError, match="503"):
        loader.discover(f"{server.url}/feed", refresh=True)


def test_a_probe_tells_feeds_from_pages(server: Server, load: Callable[..., FeedLoader]) -> None:
    alternate = b'<html><head><link rel="alternate" type="application/rss+xml" href="/feed">'
    server.routes |= {"/feed": Feed(rss(post(1))), "/page": say(alternate)}
    loader = load()
    assert loader.probe(f"{server.url}/feed")
    assert not loader.probe(f"{server.url}/page")
    assert loader.discover(f"{server.url}/feed")


@pytest.mark.parametrize(
    ("status", "words"),
    [(404, "404 Not Found"), (410, "410 Gone"), (403, "403 Forbidden"),
     (503, "503 Service Unavailable")],
)  # fmt: skip
def test_a_probe_that_is_refused_says_so(
    server: Server, load: Callable[..., FeedLoader], status: int, words: str
) -> None:
    server.routes["/feed"] = say(b"", status)
    with pytest.raises(LoadError) as caught:
        load().probe(f"{server.url}/feed")
    assert str(caught.value) == f"{words}: {server.url}/feed"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (say(b"", 404), "404 Not Found"),
        (say(b"<html><body>rss"), "is no feed"),
        (say(b""), "is no feed"),
        (say(rss()), "lists no entries"),
        (say(b"\x89PNG\r\n\x1a\n" * 1000), "is no feed"),
        (say(b"<rss", Content_Length="3000"), "cut off"),
        (say(b"<rss>" + b" " * 30_000_000), "larger than 25 MB"),
        (say(b"", 302, Location="/feed"), "more than 10 redirects"),
    ],
)
def test_what_is_no_feed_is_one_line(
    server: Server, load: Callable[..., FeedLoader], answer: Answer, words: str
) -> None:
    server.routes["/feed"] = answer
    with pytest.raises(LoadError, match=words) as caught:
        load().discover(f"{server.url}/feed")
    assert "\n" not in str(caught.value)


# Which entries


def test_posts_are_all_taken_and_of_episodes_the_newest(
    server: Server, load: Callable[..., FeedLoader]
) -> None:
    items = [episode(server, n) for n in (2, 9, 4, 7, 1)] + [post(n) for n in (3, 8)]
    server.routes["/feed"] = Feed(rss(*items))
    url = f"{server.url}/feed"
    loader = load()

    def taken(*, refresh: bool = False, **wish: Any) -> list[str]:
        found = loader.discover(url, Choice(**wish), refresh=refresh)
        return [item.uri.rpartition("/")[2] for item in found]

    assert taken() == ["9", "8", "7", "4", "3"]
    assert loader.notes == [  # type: ignore[attr-defined]
        "The Show: 3 of 5 episodes are taken; more with --latest N, one with --episode"
    ]
    assert taken(latest=2) == ["9", "8"]
    assert taken(latest=99) == ["9", "8", "7", "4", "3", "2", "1"]
    assert taken(match="^Post|/1$") == ["8", "3", "1"]
    assert taken(episode="EP 4") == ["4"]
    assert taken(episode="2024-03-08") == ["8"]
    assert taken(episode="talk") == ["9", "7", "4"]
    with pytest.raises(LoadError, match="no episode is meant by 'EP 5'") as caught:
        taken(episode="EP 5")
    assert caught.value.hint.startswith(f"dragtor add {url} --episode 9 (the newest: EP 9: Talk; ")
    with pytest.raises(LoadError, match=r"none of the 7 entries of .* matches 'zebra'") as caught:
        taken(match="zebra")
    assert caught.value.hint.startswith(f"dragtor add {url} --match RE ")
    assert taken(episode="EP 5", refresh=True) == []  # it may have left the feed
    assert taken(match="zebra", refresh=True) == []
    assert taken(match="zebra", episode="EP 5", refresh=True) == []
    with pytest.raises(UsageError):
        taken(match="(")


def test_all_that_came_since_the_last_visit_is_taken(
    server: Server, load: Callable[..., FeedLoader]
) -> None:
    url = f"{server.url}/feed"
    server.routes["/feed"] = Feed(rss(*(episode(server, n) for n in range(1, 10)), post(3)))
    loader = load()

    def taken(since: str, *, refresh: bool = False, **wish: Any) -> list[str]:
        found = loader.discover(url, Choice(since=since, **wish), refresh=refresh)
        return [item.uri.rpartition("/")[2] for item in found]

    assert taken("2024-03-04 https://show.example/4") == ["9", "8", "7", "6", "5", "3"]
    assert taken("2024-03-04 https://show.example/gone", latest=2) == ["9", "8", "7", "6", "5"]
    assert taken("2024-03-08 https://show.example/8", latest=2) == ["9", "8"]
    assert taken(" https://show.example/gone", latest=2) == ["9", "8"]  # of no date
    assert taken("2024-03-01 https://show.example/1", episode="EP 4") == ["4"]
    assert loader.notes == []  # type: ignore[attr-defined]
    many = [
        f"<title>{n}</title><link>https://blog.example/{n}</link>{day(n % 28 + 1)}"
        for n in range(MOST_NEW + 11)
    ]
    server.routes["/feed"] = Feed(rss(*many), '"f2"')
    assert len(taken("2024-01-01 https://show.example/1", latest=2, refresh=True)) == MOST_NEW
    assert loader.notes == [  # type: ignore[attr-defined]
        f"The Show: {MOST_NEW} of {MOST_NEW + 11} new entries are taken;"
        f" all with --latest {MOST_NEW + 11}"
    ]


def test_a_list_ends_at_its_newest_that_is_out() -> None:
    def items(*days: str) -> list[Item]:
        return [Item(f"u{number}", published=day) for number, day in enumerate(days)]

    assert mark(items("9999-01-01", "2024-03-02", "2024-03-01")) == "2024-03-02 u1"
    assert mark(items("", "")) == " u0"
    assert mark([]) == ""
    undated = items("", "", "")
    assert [newer(undated, since) for since in ("", " u0", " u2", " gone")] == [0, 0, 2, 0]


def numbered(title: str, tags: str = "") -> str:
    return f'<title>{title}</title>{tags}<enclosure url="/{short_hash(title)}.mp3"/>'


NUMBERED = (
    numbered("EP 237: Yves Gravelle"),
    numbered("#012 - Élan vital"),
    numbered("Bonus", "<itunes:season>2</itunes:season><itunes:episode>4</itunes:episode>"),
    numbered("S3E04 The End"),
    numbered("18.03.2022 - the news"),
    numbered(
        "Namespaced", "<podcast:season>5</podcast:season><podcast:episode>6</podcast:episode>"
    ),
)


@pytest.mark.parametrize(
    ("wanted", "title"),
    [
        ("EP 237", "EP 237: Yves Gravelle"),
        ("237", "EP 237: Yves Gravelle"),
        ("ep. #237", "EP 237: Yves Gravelle"),
        ("episode 12", "#012 - Élan vital"),
        ("elan VITAL", "#012 - Élan vital"),
        ("S2E4", "Bonus"),
        ("season 2, episode 4", "Bonus"),
        ("s03e4", "S3E04 The End"),
        ("S5 E6", "Namespaced"),
        ("6", "Namespaced"),
        ("gravelle yves", "EP 237: Yves Gravelle"),
        ("18", None),
        ("S9E9", None),
        ("?", None),
    ],
)
def test_an_episode_by_number_season_or_words(
    server: Server, load: Callable[..., FeedLoader], wanted: str, title: str | None
) -> None:
    server.routes["/feed"] = Feed(rss(*NUMBERED))
    loader = load()
    titles = {e.uri: e.title for e in read_feed(rss(*NUMBERED), f"{server.url}/feed").entries}
    if title is None:
        with pytest.raises(LoadError, match="no episode is meant"):
            loader.discover(f"{server.url}/feed", Choice(episode=wanted))
    else:
        items = loader.discover(f"{server.url}/feed", Choice(episode=wanted))
        assert [titles[item.uri] for item in items] == [title]


def test_numbers_in_titles() -> None:
    titles = {
        "1393: Space Wake": 1393,
        "12. Twelve": 12,
        "Ep.7 x": 7,
        "The 39 steps": 0,
        "E5 - a": 5,
    }
    assert {title: title_number(title) for title in titles} == titles


def test_addresses_are_unique_where_links_and_guids_repeat() -> None:
    home = "<link>https://show.example/</link><title>S</title>"
    sound = '<enclosure url="https://cdn.example/{}.mp3?utm_source=rss" type="audio/mpeg"/>'
    items = [
        f"<title>a</title><link>https://show.example/</link><guid>1</guid>{sound.format('a')}",
        f"<title>b</title><link>https://show.example/same</link><guid>1</guid>{sound.format('b')}",
        "<title>c</title><link>https://show.example/same</link><guid>1</guid>",
        "<title>c</title><link>https://show.example/same</link><guid>1</guid>",
        "<title>d</title><link>javascript:alert(1)</link>",
        "<title>e</title><link>/own?utm_campaign=x</link>",
    ]
    found = [entry.uri for entry in only(rss(*items, head=home)).entries]
    assert found[:2] == ["https://cdn.example/a.mp3", "https://cdn.example/b.mp3"]
    assert found[5] == "https://example.org/own"
    assert all(uri.startswith(f"{URL}#") for uri in found[2:5])
    assert len(set(found)) == 6
    assert found == [entry.uri for entry in only(rss(*items, head=home)).entries]


def test_a_stamp_ignores_signed_queries_and_sees_every_change() -> None:
    def stamp(text: str = "t", url: str = "https://a.org/a.mp3?k=1", extra: str = "") -> str:
        item = f"<title>{text}</title><enclosure url='{url}' type='audio/mpeg'/>{extra}"
        return only(rss(item)).entries[0].stamp

    assert stamp() == stamp(url="https://a.org/a.mp3?k=2")
    transcript = "<podcast:transcript url='/t.vtt' type='text/vtt'/>"
    others = [stamp("u"), stamp(url="https://a.org/b.mp3"), stamp(extra=transcript), stamp()]
    assert len(set(others)) == 4


# Posts


def page(url: str) -> Document:
    return Document("p", url, "web", "Page", "the whole page " * 50, meta={"reader": "local"})


def test_a_whole_post_is_read_from_the_feed_and_a_teaser_from_its_page(
    server: Server, load: Callable[..., FeedLoader]
) -> None:
    whole = (
        "<content:encoded><![CDATA[<h2>Why</h2><p>Rest &amp; <b>sleep</b>.</p>]]></content:encoded>"
    )
    cut = "<content:encoded>Rest and sleep […]</content:encoded>"
    author = "<author>a@b.c (Ann)</author>"
    link = "<link>https://blog.example/{}</link>"
    server.routes["/feed"] = Feed(
        rss(
            post(4),
            f"<title>A &amp;amp; B</title>{link.format(3)}{whole}{day(3)}{author}",
            f"<title>Cut</title>{link.format(2)}{cut}{day(2)}",
            f"<title>Short</title>{link.format(1)}<description>Soon.</description>{day(1)}",
        )
    )
    asked: list[str] = []

    def read_page(url: str) -> Document:
        asked.append(url)
        return page(url)

    loader = load(read_page)
    items = loader.discover(f"{server.url}/feed")
    found = [loader.read(item.uri) for item in items]
    assert asked == ["https://blog.example/2", "https://blog.example/1"]
    assert all(isinstance(d, Document) and d.kind == "feed" for d in found)
    long, short, cut_post, teaser = (d for d in found if isinstance(d, Document))
    assert long.text.startswith("word word")
    assert short.text == "## Why\n\nRest & sleep."
    assert (short.title, short.author, short.published) == ("A & B", "Ann", "2024-03-03")
    assert short.uri == "https://blog.example/3"
    assert short.id == short_hash(short.uri)
    assert short.meta == {
        "show": "The Show",
        "feed": f"{server.url}/feed",
        "page": short.uri,
        "stamp": items[1].content_hash,
    }
    assert cut_post.text == teaser.text == page("").text
    assert (teaser.title, teaser.published, teaser.meta["reader"]) == (
        "Short",
        "2024-03-01",
        "local",
    )


def test_a_page_that_fails_leaves_the_feeds_own_text(
    server: Server, load: Callable[..., FeedLoader]
) -> None:
    bare = "<title>Bare</title><link>https://blog.example/9</link>"
    server.routes["/feed"] = Feed(rss(post(1, "Soon."), bare, "<title>Nothing at all</title>"))

    def fails(url: str) -> Document:
        raise LoadError(f"404 Not Found: {url}")

    loader = load(fails)
    first, second, third = loader.discover(f"{server.url}/feed")
    document = loader.read(first.uri)
    assert isinstance(document, Document)
    assert document.text == "Soon."
    with pytest.raises(LoadError, match="404"):
        loader.read(second.uri)
    with pytest.raises(LoadError, match="nothing to read in 'Nothing at all'"):
        loader.read(third.uri)
    with pytest.raises(LoadError, match="no entry of a feed that was listed"):
        loader.read("https://blog.example/unheard")


def test_atom() -> None:
    show = only(
        b'<feed xmlns="http://www.w3.org/2005/Atom"><title>Blog</title><author><name>Ann</name>'
        b'</author><entry><title type="html">A &lt;i&gt;b&lt;/i&gt;</title><link href="/a"/>'
        b"<updated>2024-02-01T00:00:00Z</updated><published>2024-01-05T23:00:00-05:00</published>"
        b'<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>One.</p><p>Two.</p>'
        b'</div></content></entry><entry><title>v</title><link rel="enclosure" type="video/mp4"'
        b' href="v.mp4" length="7"/></entry></feed>'
    )
    first, second = show.entries
    assert (show.title, show.author) == ("Blog", "Ann")
    assert (first.title, first.uri, first.published) == (
        "A b",
        "https://example.org/a",
        "2024-01-06",
    )
    assert (text_of(first), first.is_whole) == ("One.\n\nTwo.", True)
    assert (second.enclosure, second.media, second.size) == (
        "https://example.org/v.mp4",
        "video",
        7,
    )


# Episodes


VTT = b"WEBVTT\n\n00:01.000 --> 00:03.000\n<v Ann>Hello there\n"
SRT = b"1\n00:00:01,000 --> 00:00:03,000\nHello there\n"


def one(server: Server, loader: FeedLoader, extra: str = "") -> Recording:
    server.routes["/feed"] = Feed(rss(episode(server, 1, extra)))
    (item,) = loader.discover(f"{server.url}/feed")
    found = loader.read(item.uri)
    assert isinstance(found, Recording)
    return found


def test_an_episode_without_a_transcript_is_its_sound(
    server: Server, load: Callable[..., FeedLoader]
) -> None:
    server.routes["/ep1.mp3"] = Episode()
    extra = "<itunes:season>2</itunes:season><itunes:author>Ann</itunes:author>"
    notes = "<p>Rest.</p>(00:00) Intro<br/>(1:05) Rest &amp; sleep"
    described = f"<description><![CDATA[{notes}]]></description>"
    found = one(server, load(), extra + described)
    assert found.audio is not None
    assert found.audio.read_bytes() == SOUND
    assert found.words == ()
    assert found.language == "en"
    assert found.chapters == (Chapter("Intro", 0.0), Chapter("Rest & sleep", 65.0))
    document = found.document
    assert (document.kind, document.uri) == ("audio", f"{server.url}/ep1.mp3")
    assert (document.title, document.author, document.published) == (
        "EP 1: Talk", "Ann", "2024-03-01",
    )  # fmt: skip
    assert document.text == "Rest.\n\n(00:00) Intro\n(1:05) Rest & sleep"
    assert document.meta == {
        "show": "The Show",
        "feed": f"{server.url}/feed",
        "season": 2,
        "episode": 1,
        "enclosure": f"{server.url}/ep1.mp3",
        "bytes": 10,
        "page": "https://show.example/1",
        "stamp": document.meta["stamp"],
    }


def test_sound_that_was_heard_is_not_fetched_for_new_notes(
    server: Server, load: Callable[..., FeedLoader]
) -> None:
    sound = server.routes["/ep1.mp3"] = Episode()
    heard = one(server, load(), "<description>Old notes.</description>").document
    load().transcribed(heard.uri)

    def again(extra: str = "", size: int = 10, query: str = "") -> Recording:
        entry = episode(server, 1, f"<description>New notes.</description>{extra}")
        entry = entry.replace('length="10"', f'length="{size}"')
        body = rss(entry.replace(".mp3", f".mp3{query}"))
        server.routes["/feed"] = Feed(body, f'"{short_hash(body.decode())}"')
        loader = load()
        (item,) = loader.discover(f"{server.url}/feed", refresh=True)
        found = loader.read(item.uri, refresh=True, before=heard)
        assert isinstance(found, Recording)
        return found

    for query in ("", "?signed=2"):
        found = again(query=query)
        assert (found.audio, found.words, found.document.text) == (None, (), "New notes.")
    assert len(sound.asked) == 1
    server.routes["/t.vtt"] = say(b"WEBVTT\n\n00:00.000 --> 00:02.000\nHang on.\n")
    assert again(transcript("vtt")).words
    assert len(sound.asked) == 1
    assert again(size=11).audio is not None
    assert len(sound.asked) == 2


def test_an_enclosure_behind_six_redirects_resumes_after_a_cut(
    server: Server, load: Callable[..., FeedLoader]
) -> None:
    sound = server.routes["/real.mp3"] = Episode()
    sound.cut_at = [1_000_000]
    chain(server, 6, "/real.mp3")
    server.routes["/feed"] = Feed(
        rss(f"<title>t</title><enclosure url='{server.url}/hop0' type='audio/mpeg'/>")
    )
    loader = load()
    (item,) = loader.discover(f"{server.url}/feed")
    with pytest.raises(LoadError, match="cut off"):
        loader.read(item.uri)
    found = loader.read(item.uri)
    assert isinstance(found, Recording)
    assert found.audio is not None
    assert found.audio.read_bytes() == SOUND
    assert sound.asked[1]["range"] == "bytes=1000000-"
    loader.forget([f"{server.url}/feed"])
    assert not found.audio.exists()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (say(b"", 404), "404"),
        (say(b"<html>", Content_Type="text/html"), "not a recording"),
        (say(b"x" * 10, 302, Location="file:///etc/passwd"), "only http"),
        (say(b"x", Content_Length="3000000"), "larger than 2 MB"),
    ],
)
def test_sound_that_cannot_be_had_is_one_line(
    server: Server, load: Callable[..., FeedLoader], answer: Answer, words: str
) -> None:
    server.routes["/ep1.mp3"] = answer
    with pytest.raises(LoadError, match=words):
        one(server, load(max_episode_mb=2))


def transcript(kind: str, more: str = "") -> str:
    return f'<podcast:transcript url="/t.{kind}" type="{MIME[kind]}"{more}/>'


MIME = {"vtt": "text/vtt", "srt": "application/x-subrip", "txt": "text/plain", "html": "text/html"}


def test_a_transcript_with_speakers_comes_before_one_without_and_before_sound(
    server: Server, load: Callable[..., FeedLoader]
) -> None:
    server.routes |= {"/t.srt": say(SRT), "/t.vtt": say(VTT)}
    found = one(server, load(), transcript("txt") + transcript("srt") + transcript("vtt"))
    assert [(word.text, word.speaker) for word in found.words] == [
        ("Hello", "Ann"),
        ("there", "Ann"),
    ]
    assert found.audio is None
    assert server.asked == ["/feed", "/t.vtt"]


def test_a_foreign_transcript_comes_last_and_a_broken_one_is_named(
    server: Server, load: Callable[..., FeedLoader]
) -> None:
    server.routes |= {"/t.srt": say(SRT), "/t.vtt": say(VTT), "/t.html": say(b"", 404)}
    loader = load()
    extra = transcript("vtt", ' language="de"') + transcript("srt") + transcript("html")
    found = one(server, loader, extra)
    assert (found.language, found.words[0].speaker) == ("de", "Ann")
    assert server.asked == ["/feed", "/t.srt", "/t.html", "/t.vtt"]
    (note,) = loader.notes  # type: ignore[attr-defined]
    assert "a transcript of 'EP 1: Talk' is left out: 404" in note
    server.routes["/t.vtt"] = say(b"nothing")
    assert one(server, loader, extra).language == "en"


def test_without_a_transcript_that_can_be_read_the_sound_is_taken(
    server: Server, load: Callable[..., FeedLoader]
) -> None:
    server.routes |= {"/t.vtt": say(b"WEBVTT\n"), "/ep1.mp3": Episode()}
    found = one(server, load(), transcript("vtt") + transcript("txt"))
    assert (found.words, found.audio is None) == ((), False)


def test_chapters_of_a_file_come_before_those_of_the_feed(
    server: Server, load: Callable[..., FeedLoader]
) -> None:
    listed = {"chapters": [{"startTime": 9, "title": "Nine"}, {"startTime": 0, "title": "Zero"}]}
    server.routes |= {"/t.srt": say(SRT), "/c.json": say(json.dumps(listed).encode())}
    simple = (
        "<psc:chapters><psc:chapter start='00:00:00' title='Start'/>"
        "<psc:chapter start='00:10:00.500' title='Ten'/></psc:chapters>"
    )
    linked = '<podcast:chapters url="/c.json" type="application/json+chapters"/>'
    loader = load()
    found = one(server, loader, transcript("srt") + simple + linked)
    assert found.chapters == (Chapter("Zero", 0.0), Chapter("Nine", 9.0))
    server.routes["/c.json"] = say(b"[")
    found = one(server, loader, transcript("srt") + simple + linked)
    assert found.chapters == (Chapter("Start", 0.0), Chapter("Ten", 600.5))
    assert "chapters of 'EP 1: Talk' are left out" in loader.notes[0]  # type: ignore[attr-defined]


def test_chapters_in_files_and_notes() -> None:
    folder = shared("podcast_feeds") / "podcast-namespace"
    simple = chapters_of_json((folder / "example.json").read_bytes())
    assert (len(simple), simple[1]) == (9, Chapter("Hearing Aids", 168.0))
    rich = chapters_of_json((folder / "exampleComplex.json").read_bytes())
    assert len(rich) == 10  # one has no title
    notes = "Notes\n00:00 Intro\n[12:30] - Fingers\n• 1:02:03 — 1:09:00: Max hangs\nsee 10:30"
    assert chapters_of_notes(notes) == (
        Chapter("Intro", 0.0), Chapter("Fingers", 750.0), Chapter("Max hangs", 3723.0),
    )  # fmt: skip
    assert chapters_of_notes("We meet at\n10:30 in the gym") == ()
    assert chapters_of_notes("5:00 b\n1:00 a") == ()
    odd = {"chapters": [{"startTime": 3, "title": "Ma\ud800x\x1b hangs\n"}]}
    assert chapters_of_json(json.dumps(odd).encode()) == (Chapter("Ma x hangs", 3.0),)
    for data in (b"", b"[", b"3", b'{"chapters": 3}', b"[" * 100_000):
        try:
            assert chapters_of_json(data) == ()
        except LoadError as error:
            assert str(error) == "damaged chapters"  # noqa: PT017


# Shows by name


def search(*shows: tuple[str, str, str]) -> bytes:
    rows = [{"collectionName": t, "artistName": a, "feedUrl": u} for t, a, u in shows]
    return json.dumps(
        {"resultCount": len(rows), "results": [*rows, {"collectionName": "No feed"}]}
    ).encode()


def test_a_show_by_its_name(server: Server, load: Callable[..., FeedLoader]) -> None:
    shows = [
        ("The Nugget Climbing Podcast", "Steven Dimmitt", "https://feeds.example/nugget"),
        ("Climbing Nuggets", "X", "https://feeds.example/x"),
    ]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        query = parse_qs(urlsplit(handler.path).query)
        assert query == {
            "media": ["podcast"], "entity": ["podcast"], "limit": ["25"],
            "term": ["The Nugget Climbing & more"],
        }  # fmt: skip
        say(search(*shows))(handler)

    path = "/search?media=podcast&entity=podcast&limit=25&term=The+Nugget+Climbing+%26+more"
    server.routes[path] = answer
    loader = load()
    found = find_shows(loader._fetcher, f"{server.url}/search", "The Nugget Climbing & more")
    assert found == shows
    assert the_show(found, "the nugget climbing") == shows[0]
    assert the_show(found, "Climbing Nuggets") == shows[1]
    with pytest.raises(LoadError, match="no show is called 'Lattice'") as caught:
        the_show(found, "Lattice")
    assert "dragtor add https://feeds.example/nugget" in caught.value.hint
    with pytest.raises(LoadError, match="2 shows are called 'climbing'") as caught:
        the_show([*shows[:1], ("Climbing Gold", "Y", "https://feeds.example/y")], "climbing")
    assert "Climbing Gold (Y): dragtor add https://feeds.example/y" in caught.value.hint
    with pytest.raises(LoadError, match="no show is called"):
        the_show([], "x")


@pytest.mark.parametrize(
    "answer", [say(b"", 403), say(b"<html>"), say(b"{}"), say(b'{"results": 3}')]
)
def test_a_search_that_fails_is_one_line(
    server: Server, load: Callable[..., FeedLoader], answer: Answer
) -> None:
    server.routes["/search?media=podcast&entity=podcast&limit=25&term=x"] = answer
    with pytest.raises(LoadError, match="the search for shows"):
        load().source("podcast: x", EVERYTHING)


# Real feeds, and hostile ones


def real_feeds() -> list[Path]:
    return sorted(shared("podcast_feeds").rglob("*.xml"))


def test_all_real_feeds_give_entries_or_one_line() -> None:
    read, refused = 0, []
    for path in real_feeds():
        data = path.read_bytes()
        try:
            show = read_feed(data, URL)
        except LoadError as error:
            refused.append(str(error))
            continue
        read += 1
        assert is_feed("", data), path
        assert len({entry.uri for entry in show.entries}) == len(show.entries)
        assert all(entry.uri and entry.stamp for entry in show.entries)
        assert all(a.published >= b.published for a, b in pairwise(show.entries))
        assert restored(stored(show, "raw")) == (show, "raw")
        for entry in islice(show.entries, 5):
            assert "<p>" not in text_of(entry)
    assert all(line.startswith(f"{URL} ") and "\n" not in line for line in refused)
    assert (read, len(refused)) == (178, 216)  # most of feedparser's are heads without an entry


def test_real_podcasts_agree_with_an_independent_reading() -> None:
    from lxml import etree

    count = 0
    for path in sorted((shared("podcast_feeds") / "partytime").glob("*.xml")):
        tree = etree.fromstring(path.read_bytes(), etree.XMLParser(recover=True))
        items = tree.findall("channel/item")
        if not items:
            with pytest.raises(LoadError, match="lists no entries"):
                read_feed(path.read_bytes(), URL)
            continue
        show = read_feed(path.read_bytes(), URL)
        titles = [" ".join((item.findtext("title") or "").split()) for item in items]
        ours = [entry.title.replace('"', "") for entry in show.entries]
        # lxml leaves out the entities that one feed does not declare.
        assert sorted(ours) == sorted(title.replace('"', "") for title in titles), path
        enclosures = [item.find("enclosure").get("url") for item in items]
        assert sum(bool(entry.media) for entry in show.entries) == len(enclosures)
        assert {e.enclosure.rpartition("/")[2].partition("?")[0] for e in show.entries} == {
            url.rpartition("/")[2].partition("?")[0] for url in enclosures
        }
        taken = sum(len(entry.transcripts) for entry in show.entries)
        listed = [t.get("type") for item in items for t in item.findall("{*}transcript")]
        assert taken == sum(1 for kind in listed if kind != "text/plain")
        count += len(items)
    assert count == 506


BOMB = b'<!DOCTYPE rss [<!ENTITY a "lol">%s]>' % b"".join(
    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12)
)
ITEM = b"<item><title>%s</title></item>"


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (BOMB + b"<rss><channel>" + ITEM % b"x&m;" + b"</channel></rss>", "x&m;"),
        (
            b'<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss><channel>'
            + ITEM % b"x&a;" + b"</channel></rss>",
            "x&a;",
        ),
        (b"<rss><channel>" + ITEM % b"R&B &eacute;&nbsp;&bogus; <b>x</b" + b"</channel>", None),
        (b"<rss><channel><item><title>cut o", "cut o"),
        (b"<rss><channel><itunes:x/>" + ITEM % b"no space" + b"</channel></rss>", "no space"),
        (b"<rss><channel>" + ITEM % b"a\x00\x01b" + b"</channel></rss>", "ab"),
        (b"<rss><channel>" + ITEM % b"a&#xD800;&#55297;&#27;&#x110000;&#x41;", "aA"),
        (b'<?xml version="1.0" encoding="bogus"?><rss><channel>' + ITEM % "é".encode(), "é"),
        (b'<?xml version="1.0" encoding="utf-8"?><rss><channel>' + ITEM % b"caf\xe9", "café"),
        (("\ufeff<rss><channel>" + (ITEM % b"wide").decode()).encode("utf-16-le"), "wide"),
        (b"\n\n <!-- <rss> --><?x y?>\n<rss><channel>" + ITEM % b"late", "late"),
        (b"<rss><channel>" + ITEM % (b"<a>" * 100_000), ""),
        (b"<rss><channel><item><title>" + b"<" * 300_000, ""),
        (b"<rss><channel><item><title>" + b'<a "' * 50_000, None),
        (b"<rss><channel><item><pubDate>" + b"1" * 500_000 + b"</pubDate><title>t", "t"),
        (b"<rss><channel><item><author>" + b"(a@" * 200_000 + b"</author><title>t", "t"),
    ],
    ids=range(16),
)  # fmt: skip
def test_damaged_and_hostile_feeds_give_what_can_be_read(data: bytes, title: str | None) -> None:
    show = only(data)
    assert len(show.entries) == 1
    assert title is None or show.entries[0].title == title
    assert "root:" not in show.entries[0].title


def test_a_huge_feed_is_read_and_restored() -> None:
    item = "<title>T{}</title><link>https://a.org/{}</link><description>word</description>"
    show = only(rss(*(item.format(n, n) for n in range(3000))))
    assert len(show.entries) == 3000
    assert restored(stored(show, "x")) == (show, "x")
    assert restored(b"{}") is restored(b"[") is restored(b"3") is None


@pytest.mark.parametrize(
    ("kind", "head", "expected"),
    [
        ("text/html", b"<?xml version='1.0'?>\n<!-- c -->\n<rss version='2.0'>", True),
        ("text/plain", b"\xef\xbb\xbf<feed xmlns='http://www.w3.org/2005/Atom'>", True),
        ("application/xml", b"<rdf:RDF xmlns='http://purl.org/rss/1.0/'>", True),
        ("application/rdf+xml", b"<rdf:RDF xmlns:foaf='http://xmlns.com/foaf/0.1/'>", False),
        ("application/rss+xml", b"garbage", True),
        ("application/rss+xml; charset=utf-8", b"<!DOCTYPE html><html>", False),
        ("text/html", b"<html><link type='application/rss+xml'>", False),
        ("application/xml", b"<urlset>", False),
        ("text/html", b"<!---->" * 2000 + b"<html>", False),
        ("text/html", b"<!-- " * 3000, False),
        ("", b"", False),
    ],
)
def test_is_feed(kind: str, head: bytes, expected: bool) -> None:
    assert is_feed(kind, head) is expected


def test_settings_reach_the_loader(server: Server, load: Callable[..., FeedLoader]) -> None:
    server.routes["/feed"] = Feed(rss(*(episode(server, n) for n in range(1, 9))))
    assert len(load(latest=5).discover(f"{server.url}/feed")) == 5
    refused = FeedLoader(FeedConfig(), replace(WEB, allow_private=False), Path(), Path())
    with pytest.raises(LoadError, match="private address"):
        refused.discover(f"{server.url}/feed")


def test_the_sound_of_one_episode_is_forgotten_alone(
    server: Server, load: Callable[..., FeedLoader]
) -> None:
    loader = load()
    server.routes |= {f"/ep{n}.mp3": Episode() for n in (1, 2)}
    server.routes["/feed"] = Feed(rss(episode(server, 1), episode(server, 2)))
    found = [loader.read(item.uri) for item in loader.discover(f"{server.url}/feed")]
    second, first = (r.audio for r in found if isinstance(r, Recording) and r.audio)
    server.routes["/feed"] = Feed(rss(episode(server, 2)), '"f2"')
    loader.discover(f"{server.url}/feed", refresh=True)
    load().forget_sound([f"{server.url}/ep1.mp3"])  # which the feed lists no more
    assert (first.exists(), second.exists()) == (False, True)
    assert {path.stem.partition(".")[0] for path in second.parent.iterdir()} == {second.stem}


def test_nothing_is_downloaded_that_nothing_could_hear(server: Server, tmp_path: Path) -> None:
    def absent() -> None:
        raise Missing("no model", "dragtor models pull it")

    server.routes |= {"/feed": Feed(rss(episode(server, 1))), "/ep1.mp3": say(b"0123456789")}
    loader = FeedLoader(
        FeedConfig(),
        WebConfig(allow_private=True),
        tmp_path,
        tmp_path,
        ready=absent,
    )
    [item] = loader.discover(f"{server.url}/feed")
    with pytest.raises(Missing, match="no model"):
        loader.read(item.uri)
    assert server.asked == ["/feed"]
