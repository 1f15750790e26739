"""Searching the web for a research: providers by name, one Protocol, and the pages they lead to.

Owns what goes out and what of a reply is believed: addresses, nothing else decides what is fetched.
Knows no step of a research and nobody's consent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import urlencode, urlsplit

from dragtor.config import ResearchConfig, WebConfig
from dragtor.errors import LoadError, UsageError
from dragtor.extras import require
from dragtor.load.address import check_url, clean_url, shown, web_address
from dragtor.load.cache import Page
from dragtor.load.connect import Dial, dial
from dragtor.load.http import Fetcher, Resolver, system_resolver
from dragtor.load.web import WebLoader
from dragtor.sockets import unless_cancelled
from dragtor.types import NEVER, SILENT, CancelToken, Document, Reporter

PROVIDERS = ("wikipedia", "searxng", "sites", "ddgs")  # that a setting may choose
RETRIES = 1  # of a page or a reply; the next one is tried instead
AT_ONCE = 4  # pages that are read at a time
MAX_SNIPPET = 400  # characters
MAX_LISTED = 2000  # pages of a site's sitemaps, that are looked through
MAX_REPLY_MB = 2  # megabytes
_TAG = re.compile(r"<[^>]*>")
_WORD = re.compile(r"[^\W_]{3,}")


@dataclass(frozen=True, slots=True)
class WebResult:
    """A page that a provider names; title and snippet are its word for it, and may be empty."""

    url: str
    title: str = ""
    snippet: str = ""


class WebSearch(Protocol):
    """Somebody who knows pages."""

    name: str

    def find(self, query: str, n: int) -> Sequence[WebResult]:
        """At most `n` pages, best first; raises LoadError, with one line, where it fails."""
        ...


class WikipediaSearch:
    """The API of a Wikipedia; asked one query at a time, with a name, as its rules want it."""

    name = "wikipedia"

    def __init__(self, fetcher: Fetcher, url: str) -> None:
        self._fetcher, self._url = fetcher, url

    def find(self, query: str, n: int) -> Sequence[WebResult]:
        """Full-text search, each page with its canonical address and its first words."""
        asked = {
            "action": "query",
            "generator": "search",
            "gsrsearch": query,
            "gsrlimit": n,
            "prop": "info|description",
            "inprop": "url",
            "format": "json",
            "formatversion": 2,
        }
        reply = _json(self._fetcher, f"{self._url}?{urlencode(asked)}", self.name)
        pages = _mappings(_at(reply, "query", "pages"))
        pages.sort(key=lambda page: _number(page.get("index")))
        return _believed((p.get("fullurl"), p.get("title"), p.get("description")) for p in pages)[
            :n
        ]


class SearxngSearch:
    """A SearXNG of the user's choice; it is an address of the settings, so it may be private."""

    name = "searxng"

    def __init__(self, fetcher: Fetcher, url: str) -> None:
        self._fetcher, self._url = fetcher, url.rstrip("/").removesuffix("/search")

    def find(self, query: str, n: int) -> Sequence[WebResult]:
        """Its first page of results."""
        asked = urlencode({"q": query, "format": "json"})
        reply = _json(self._fetcher, f"{self._url}/search?{asked}", self.name, trusted=True)
        rows = _mappings(_at(reply, "results"))
        return _believed((r.get("url"), r.get("title"), r.get("content")) for r in rows)[:n]


class SiteSearch:
    """Sites of the user's own choice: of their sitemaps the pages whose address fits the query."""

    name = "sites"

    def __init__(self, loader: WebLoader, sites: Sequence[str]) -> None:
        self._loader = loader
        self._sites = sites
        self._listed: list[str] | None = None

    def find(self, query: str, n: int) -> Sequence[WebResult]:
        """Pages whose path holds words of the query, most of them first."""
        if self._listed is None:
            self._listed = list(self._addresses())
        wanted = {word.casefold() for word in _WORD.findall(query)}
        scored = [(len(wanted & _path_words(url)), url) for url in self._listed]
        best = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])
        return [WebResult(url) for _, url in best[:n]]

    def _addresses(self) -> Iterator[str]:
        failed: list[LoadError] = []
        listed = 0
        for site in self._sites:
            try:
                for item in self._loader.discover(_sitemap_of(site)):
                    listed += 1
                    if listed > MAX_LISTED:
                        return
                    yield item.uri
            except LoadError as error:
                failed.append(error)
        if failed and not listed:
            raise failed[0]


class DdgsSearch:
    """Search engines through the package ddgs, which asks them by itself (extra `web`)."""

    name = "ddgs"

    def __init__(self, seconds: float, cancel: CancelToken = NEVER) -> None:
        """Raises Missing with the command that installs it."""
        self._module = require("ddgs", extra="web")
        self._seconds, self._cancel = seconds, cancel

    def find(self, query: str, n: int) -> Sequence[WebResult]:
        """As its `text` gives them."""
        search = self._module.DDGS(timeout=max(1, int(self._seconds)))
        try:
            rows = unless_cancelled(lambda: search.text(query, max_results=n), self._cancel)
        except Exception as error:
            raise LoadError(f"ddgs does not answer: {shown(str(error))}") from error
        rows = _mappings(rows)
        return _believed((r.get("href"), r.get("title"), r.get("body")) for r in rows)[:n]


class _PageLoader(WebLoader):
    """Pages under the address that they were found at in the end: a short link names nobody."""

    def _document(self, url: str, page: Page) -> Document:
        return super()._document(page.url or url, page)


class ResearchWeb:
    """The web as a research may use it: it asks providers, and reads pages that they named."""

    def __init__(
        self,
        searches: Sequence[WebSearch],
        loader: WebLoader,
        reporter: Reporter = SILENT,
        cancel: CancelToken = NEVER,
    ) -> None:
        self._searches, self._loader = searches, loader
        self._reporter, self._cancel = reporter, cancel

    @classmethod
    def open(
        cls,
        config: ResearchConfig,
        web: WebConfig,
        folder: Path,
        reporter: Reporter = SILENT,
        cancel: CancelToken = NEVER,
        *,
        resolve: Resolver = system_resolver,
        dial: Dial = dial,
    ) -> Self:
        """Pages are read on this machine, whatever `load.web.reader` says; cached in `folder`.

        Raises UsageError on a provider that nobody knows, and where none has an address.
        """
        own = replace(
            web,
            reader="local",
            retries=RETRIES,
            timeout_s=min(web.timeout_s, config.page_timeout_s),
            total_timeout_s=config.page_timeout_s,
            max_mb=config.page_mb,
        )
        fetcher = Fetcher(own, resolve=resolve, cancel=cancel, dial=dial)
        loader = _PageLoader(own, folder, reporter=reporter, cancel=cancel, fetcher=fetcher)
        return cls(_searches(config, fetcher, loader, cancel), loader, reporter, cancel)

    @property
    def providers(self) -> tuple[str, ...]:
        """Who would be asked, by name."""
        return tuple(search.name for search in self._searches)

    def find(self, query: str, n: int) -> list[WebResult]:
        """What each provider names, in turn, each page once; one that fails costs a note."""
        found = []
        for search in self._searches:
            self._cancel.check()
            try:
                found.append(search.find(query, n))
            except LoadError as error:
                self._reporter.note(f"{search.name}: {error}")
        once: dict[str, WebResult] = {}
        for row in zip_longest(*found):
            for result in filter(None, row):
                once.setdefault(result.url, result)
        return list(once.values())

    def read(self, urls: Sequence[str]) -> Iterator[Document | LoadError]:
        """The pages in their order, AT_ONCE of them under way; or why one cannot be read.

        Raises Cancelled at once: what is under way is left to end.
        """
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="research")
        try:
            for page in [pool.submit(self._page, url) for url in urls]:
                yield unless_cancelled(page.result, self._cancel)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _page(self, url: str) -> Document | LoadError:
        try:
            self._cancel.check()
            return self._loader.read(url)
        except LoadError as error:
            return error


def _searches(
    config: ResearchConfig, fetcher: Fetcher, loader: WebLoader, cancel: CancelToken
) -> list[WebSearch]:
    made: dict[str, Callable[[], WebSearch] | None] = {
        "wikipedia": (lambda: WikipediaSearch(fetcher, config.wikipedia_url))
        if config.wikipedia_url
        else None,
        "searxng": (lambda: SearxngSearch(fetcher, config.searxng_url))
        if config.searxng_url
        else None,
        "sites": (lambda: SiteSearch(loader, config.sites)) if config.sites else None,
        "ddgs": lambda: DdgsSearch(config.page_timeout_s, cancel),
    }
    if wrong := [name for name in config.providers if name not in made]:
        raise UsageError(
            f"unknown search provider {wrong[0]!r}", f"research.providers: {', '.join(PROVIDERS)}"
        )
    found = [make() for name in dict.fromkeys(config.providers) if (make := made[name])]
    if not found:
        raise UsageError(
            "no search provider has an address",
            "set research.searxng_url or research.sites in params.yml",
        )
    return found


# Replies are the web's word: nothing of them is taken for what it does not look like


def _json(fetcher: Fetcher, url: str, who: str, *, trusted: bool = False) -> Any:
    reply = fetcher.get(url, {"Accept": "application/json"}, trusted=trusted)
    if reply.status != 200:
        hint = "its settings must permit json (search.formats)" if reply.status == 403 else ""
        raise LoadError(f"answers {reply.told}", hint)
    if len(reply.body) > MAX_REPLY_MB * 1_000_000:
        raise LoadError(f"its reply is larger than {MAX_REPLY_MB} MB")
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise LoadError(f"what {who} replies is no JSON") from error


def _at(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _mappings(rows: Any) -> list[Mapping[str, Any]]:
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) else 1e9


def _believed(rows: Iterable[tuple[Any, Any, Any]]) -> list[WebResult]:
    """Results whose address is one of the web, each once, their words without markup."""
    found: dict[str, WebResult] = {}
    for url, title, snippet in rows:
        with suppress(LoadError, ValueError):
            address = clean_url(check_url(url)) if isinstance(url, str) else ""
            if address:
                words = _plain(title), _plain(snippet)[:MAX_SNIPPET]
                found.setdefault(address, WebResult(address, *words))
    return list(found.values())


def _plain(text: Any) -> str:
    return " ".join(_TAG.sub(" ", text).split()) if isinstance(text, str) else ""


def _sitemap_of(site: str) -> str:
    """The sitemap that a setting names, or the one that a site with this front page would have."""
    address = web_address(site)
    if not address:
        raise LoadError(f"no address of the web: {shown(site)}", "research.sites")
    name = urlsplit(address).path.rpartition("/")[2].lower()
    is_list = name.endswith((".xml", ".xml.gz")) or "sitemap" in name
    return address if is_list else f"{address.rstrip('/')}/sitemap.xml"


def _path_words(url: str) -> set[str]:
    parts = urlsplit(url)
    return {word.casefold() for word in _WORD.findall(f"{parts.hostname} {parts.path}")}
