"""Search providers against a real server: what they are asked, and what of a reply is believed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fakes import Notes
from test_http import Server, say

from dragtor.config import ResearchConfig, WebConfig
from dragtor.errors import LoadError, Missing, UsageError
from dragtor.evaluate.loopback import LoopbackWeb, SitePage
from dragtor.load.researched import ResearchedLoader
from dragtor.load.websearch import ResearchWeb
from dragtor.types import Document

WEB = WebConfig(allow_private=True, retries=0, requests_per_minute=0)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def opened(folder: Path, notes: Notes | None = None, **settings: Any) -> ResearchWeb:
    config = ResearchConfig(**{"wikipedia_url": "", **settings})
    return ResearchWeb.open(config, WEB, folder / "pages", notes or Notes())


def answering(server: Server, path: str, body: object) -> None:
    """Every query of this path is answered so."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()

    class Routes(dict[str, Any]):
        def __getitem__(self, asked: str) -> Any:
            assert asked.startswith(path), asked
            return say(text, Content_Type="application/json")

    server.routes = Routes()


def test_wikipedia_is_asked_by_its_api(server: Server, tmp_path: Path) -> None:
    pages = [
        {"index": 2, "title": "Second", "fullurl": "https://en.example.org/wiki/Second"},
        {"index": 1, "title": "First", "fullurl": "https://en.example.org/wiki/First"},
    ]
    answering(server, "/w/api.php", {"query": {"pages": pages}})
    web = opened(tmp_path, wikipedia_url=f"{server.url}/w/api.php")
    found = web.find("tidal turbine", 5)
    assert [result.title for result in found] == ["First", "Second"]
    asked = parse_qs(urlsplit(server.asked[0]).query)
    assert asked["gsrsearch"] == ["tidal turbine"]
    assert web.providers == ("wikipedia",)


def test_searxng_is_asked_for_json(server: Server, tmp_path: Path) -> None:
    rows = [
        {"url": "https://a.example/x?utm_source=y#top", "title": "<b>A</b>", "content": "one\ntwo"},
        {"url": "https://a.example/x", "title": "again"},
    ]
    answering(server, "/search", {"results": rows})
    (found,) = opened(tmp_path, searxng_url=f"{server.url}/").find("q&x=1", 5)
    assert (found.url, found.title, found.snippet) == ("https://a.example/x", "A", "one two")
    asked = parse_qs(urlsplit(server.asked[0]).query)
    assert (asked["q"], asked["format"]) == (["q&x=1"], ["json"])


@pytest.mark.parametrize(
    "reply",
    [
        b"<html>captcha</html>",
        b"\xff\xfe",
        b"[" * 5000,
        {"results": "none"},
        {"results": [1, None, {"url": 5}, {"url": "javascript:alert(1)"}, {"url": "ftp://x/y"}]},
        {"results": [{"url": "http://u:p@h/"}, {"url": "file:///etc/passwd"}, {"title": "no url"}]},
        [],
    ],
)
def test_a_reply_that_is_none_brings_nothing(server: Server, tmp_path: Path, reply: Any) -> None:
    answering(server, "/search", reply)
    assert opened(tmp_path, searxng_url=server.url).find("x", 5) == []


def test_a_provider_that_fails_costs_a_note_and_the_others_go_on(
    server: Server, tmp_path: Path
) -> None:
    answering(server, "/search", {"results": [{"url": "https://a.example/"}]})
    notes = Notes()
    web = opened(
        tmp_path, notes, searxng_url=server.url, wikipedia_url="http://127.0.0.1:1/w/api.php"
    )
    assert [result.url for result in web.find("x", 5)] == ["https://a.example/"]
    (note,) = notes.notes
    assert note.startswith("wikipedia: ")
    assert "\n" not in note


def test_sites_are_searched_by_their_sitemaps(tmp_path: Path) -> None:
    sites = [
        SitePage(f"http://own.test/{name}", "page", title=name, html=f"<p>{name}</p>")
        for name in ("tidal-turbines", "tidal-power-prices", "imprint")
    ]
    config = ResearchConfig(wikipedia_url="", sites=("http://own.test", "http://none.test"))
    with LoopbackWeb(sites) as loopback:
        web = ResearchWeb.open(
            config, WebConfig(requests_per_minute=0), tmp_path, resolve=loopback.resolve,
            dial=loopback.dial,
        )  # fmt: skip
        found = web.find("tidal turbines at work", 2)
    assert [result.url for result in found] == [
        "http://own.test/tidal-turbines", "http://own.test/tidal-power-prices",
    ]  # fmt: skip


def test_ddgs_is_an_extra_and_never_a_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "ddgs" not in ResearchConfig().providers
    monkeypatch.setitem(sys.modules, "ddgs", None)
    with pytest.raises(Missing) as refused:
        opened(tmp_path, providers=("ddgs",))
    assert "dragtor[web]" in refused.value.hint

    class DDGS:
        def __init__(self, timeout: int) -> None:
            assert timeout >= 1

        def text(self, query: str, max_results: int) -> list[dict[str, str]]:
            if query == "broken":
                raise RuntimeError("No results found.")
            return [{"title": "T", "href": "https://a.example/", "body": "b"}][:max_results]

    module = ModuleType("ddgs")
    module.DDGS = DDGS  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ddgs", module)
    notes = Notes()
    web = opened(tmp_path, notes, providers=("ddgs",))
    assert [result.url for result in web.find("x", 3)] == ["https://a.example/"]
    assert web.find("broken", 3) == []
    assert notes.notes == ["ddgs: ddgs does not answer: No results found."]


def test_unknown_providers_and_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'bing'") as refused:
        opened(tmp_path, providers=("bing",))
    assert "wikipedia, searxng, sites, ddgs" in refused.value.hint
    with pytest.raises(UsageError, match="no search provider has an address"):
        opened(tmp_path)


def test_pages_come_in_their_order_each_or_why_it_cannot_be_read(tmp_path: Path) -> None:
    words = "The turbine turned through the winter without a stop. " * 8
    html = f"<html><title>Good</title><body><article><p>{words}</p></article></body></html>"
    sites = [
        SitePage("http://a.test/good", "page", title="Good", html=html),
        SitePage("http://a.test/moved", "redirect", to="http://a.test/good"),
        SitePage("http://a.test/inside", "redirect", to="http://10.0.0.1/"),
        SitePage("http://a.test/loop", "redirect", to="http://a.test/loop"),
        SitePage("http://a.test/dead", "dead"),
        SitePage("http://a.test/large", "large", html=html),
        SitePage("http://a.test/slow", "slow", html=html),
    ]
    config = ResearchConfig(searxng_url="http://searxng.test", page_timeout_s=1.0)
    with LoopbackWeb(sites, slow_s=5) as loopback:
        web = ResearchWeb.open(
            config, WebConfig(requests_per_minute=0), tmp_path, resolve=loopback.resolve,
            dial=loopback.dial,
        )  # fmt: skip
        urls = [site.url for site in sites] + ["http://unknown.test/"]
        found = list(web.read(urls))
    good, moved, *failed = found
    assert isinstance(good, Document)
    assert isinstance(moved, Document)
    assert moved.id == good.id  # under where it was found in the end
    told = [str(error) for error in failed]
    assert all(isinstance(error, LoadError) for error in failed)
    for says, error in zip(
        ("private address", "more than 10 redirects", "404", "larger than 3 MB", "longer than 1 s",
         "the name is not known"),
        told, strict=True,
    ):  # fmt: skip
        assert says in error


def test_what_was_researched_is_not_visited_again() -> None:
    loader = ResearchedLoader()
    assert loader.discover("research:x") == []
    assert not loader.revisits
    with pytest.raises(LoadError):
        loader.read("research:x")
