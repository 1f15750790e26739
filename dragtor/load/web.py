"""Web pages and sitemaps: through the Jina Reader, or fetched and extracted on this machine.

Owns the choice of reader, the judgement of what came back, and the cache of raw pages.
Knows nothing of files, of splitting or of the library.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Self
from urllib.parse import urlsplit

from dragtor.config import WebConfig
from dragtor.errors import LoadError
from dragtor.load.address import check_url, clean_url, parse_url, shown, web_address
from dragtor.load.base import EVERYTHING, Choice, Item, LoadContext, Loader, new_source
from dragtor.load.cache import Page, PageCache, bytes_hash
from dragtor.load.html import charset_of, decode_html, extract_html
from dragtor.load.http import Fetcher, Resolver, system_resolver
from dragtor.load.jina import jina_document, jina_fields, refuse_barrier, title_of
from dragtor.load.markdown import plain_text
from dragtor.load.picture import PICTURE_SUFFIXES, picture_kind
from dragtor.pictures import IMAGE
from dragtor.types import NEVER, SILENT, CancelToken, Document, Reporter, Source, short_hash

ReadBytes = Callable[[bytes, str, str], Document]  # bytes, address, content type

MAX_SITEMAPS = 500  # of one sitemap index
HANDED_OVER = PICTURE_SUFFIXES | {".pdf"}  # suffixes that are read as files are
SCANT_CHARS = 200  # a page this short is read again by the other reader
TURN_OFF = "load.web.reader: local"
READ_HERE = "DRAGTOR_LOAD_WEB_READER=auto dragtor add … (lasting: load.web.reader: auto, or local)"
MAGIC = (b"PK\3\4", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"ID3", b"OggS", b"7z\xbc")
SITEMAP_NS = re.compile(r"^\{[^}]*\}")
JINA_REFUSALS = (401, 402, 429)  # the account or its limits, not the page
JINA_FAILURES = 3  # pages in a row without an answer, then Jina is not asked any more


class WebLoader(Loader):
    """Reads pages; what was read once is read from the cache until a refresh."""

    kind = "web"
    takes = ("match",)

    def __init__(
        self,
        config: WebConfig,
        cache_dir: Path,
        *,
        resolve: Resolver = system_resolver,
        read_bytes: ReadBytes | None = None,
        reporter: Reporter = SILENT,
        cancel: CancelToken = NEVER,
        fetcher: Fetcher | None = None,
    ) -> None:
        self._config = config
        self._fetcher = fetcher or Fetcher(config, resolve=resolve, cancel=cancel)
        self._cache = PageCache(cache_dir, reporter)
        self._reporter = reporter
        self._read_bytes = read_bytes
        self._jina_told = False
        self._jina_failures = 0  # in a row

    @classmethod
    def open(cls, context: LoadContext) -> Self:
        """Pages are cached in the folder itself; a PDF is read as a file is."""
        from dragtor.load.file import FileLoader

        return cls(
            context.config.web,
            context.folder,
            reporter=context.reporter,
            cancel=context.cancel,
            read_bytes=context.loader(FileLoader).read_bytes,
        )

    def supports(self, argument: str, choice: Choice) -> bool:
        """Every address that no other kind took; raises LoadError where it is none of the web."""
        if "://" not in argument or argument.startswith("file://"):
            return False
        if not web_address(argument):
            raise LoadError(f"only http and https addresses are read: {shown(argument)}")
        return True

    def source(self, argument: str, choice: Choice) -> Source:
        """By its canonical address."""
        return new_source(self.kind, web_address(argument), choice)

    def discover(
        self, uri: str, choice: Choice = EVERYTHING, *, refresh: bool = False
    ) -> Iterator[Item]:
        """A page yields itself; a sitemap the pages whose address the choice finds.

        An Item's content hash is that of the cached page, empty with `refresh`. Raises LoadError
        on a sitemap that lists no page, or none that is chosen.
        """
        url = self._address(uri)
        name = urlsplit(url).path.lower().rstrip("/").rpartition("/")[2]
        if not name.endswith((".xml", ".xml.gz")) and "sitemap" not in name:
            yield self._item(url, refresh)
            return
        listed = count = 0
        page = ""
        for page in self._sitemap_pages(url, refresh):
            listed += 1
            if not choice.finds(page):
                continue
            if count == self._config.max_pages:
                self._reporter.note(
                    f"{shown(url)} lists more pages: the first {count} are taken"
                    " (load.web.max_pages)"
                )
                return
            count += 1
            yield self._item(page, refresh)
        if not listed:
            raise LoadError(f"{shown(url)} lists no pages")
        if not count:
            none = f"none of the {listed} pages of {shown(url)} matches '{shown(choice.match)}'"
            hint = f"dragtor add {shown(url)} --match RE (found in addresses such as {shown(page)})"
            raise LoadError(none, hint)

    def read(self, uri: str, *, refresh: bool = False, before: Document | None = None) -> Document:
        """The page as a Document; raises LoadError with one line for each reader that failed."""
        url = self._address(uri)
        cached = self._cached(url)
        if cached and not refresh:
            return self._document(url, cached)
        page, document = self._fetch(url, cached, refresh)
        self._cache.save(url, page)
        return document

    def content_hash(self, uri: str) -> str:
        """Hash of the cached raw page, empty where there is none; no network."""
        page = self._cached(self._address(uri))
        return page.stamp if page else ""

    def forget(self, uris: Iterable[str]) -> None:
        """Drop what the cache holds of these addresses."""
        for uri in uris:
            url = clean_url(uri)
            self._cache.drop(url)
            page = self._cache.load(f"sitemap {url}")
            self._cache.drop(f"sitemap {url}")  # before its parts: it may list itself
            if page:
                with suppress(LoadError):  # a damaged one names no parts
                    kind, parts = _parse_sitemap(self._unpacked(page.body, url))
                    self.forget(parts if kind == "sitemapindex" else ())

    def _address(self, uri: str, base: str = "") -> str:
        return clean_url(check_url(uri, base=base, allow_private=self._config.allow_private))

    def _item(self, url: str, refresh: bool) -> Item:
        page = None if refresh else self._cached(url)
        return Item(url, page.stamp if page else "")

    def _cached(self, url: str) -> Page | None:
        page = self._cache.load(url)
        return page if page and self._config.reader in ("auto", page.reader) else None

    # Readers

    def _fetch(self, url: str, cached: Page | None, refresh: bool) -> tuple[Page, Document]:
        private = self._fetcher.is_private(url)
        if self._config.reader == "jina":
            if private:
                refused = f"a private address does not go to the Jina Reader: {shown(url)}"
                raise LoadError(refused, READ_HERE)
            return self._jina(url, refresh)
        path = PurePosixPath(urlsplit(url).path.lower())  # these are read here: places stay known
        here = private or path.suffix in HANDED_OVER or self._jina_failures >= JINA_FAILURES
        if here or self._config.reader == "local":
            return self._local(url, cached)
        scant = None
        try:
            scant = self._jina(url, refresh)
            if len(scant[1].text) >= SCANT_CHARS and not scant[1].meta.get("partial"):
                return scant
            why = "it gave little or a part of the page"
        except LoadError as error:
            why = str(error)
            if self._jina_failures >= JINA_FAILURES:
                self._reporter.note(f"{why}: pages are read on this machine from here on")
        try:
            local = self._local(url, cached)
        except LoadError as error:
            if scant:
                return scant
            raise LoadError(f"cannot read {shown(url)}: Jina: {why}; local: {error}") from error
        return scant if scant and len(scant[1].text) > len(local[1].text) else local

    def _jina(self, url: str, refresh: bool) -> tuple[Page, Document]:
        if not self._jina_told:
            self._jina_told = True
            host = urlsplit(self._config.jina_url).hostname
            self._reporter.note(
                f"addresses of pages go to the Jina Reader ({host}); off with {TURN_OFF}"
            )
        headers = {"Accept": "application/json"}
        if key := os.environ.get(self._config.jina_key_env, "").strip():
            headers["Authorization"] = f"Bearer {key}"
        if refresh:
            headers["X-No-Cache"] = "true"
        asked = f"{self._config.jina_url.rstrip('/')}/{url}"
        try:
            reply = self._fetcher.get(asked, headers, trusted=True)
        except LoadError as error:
            self._jina_failures += 1
            raise LoadError(f"the Jina Reader does not answer ({error})") from error
        self._jina_failures = JINA_FAILURES if reply.status in JINA_REFUSALS else 0
        if reply.status != 200:
            raise LoadError(f"the Jina Reader answers {reply.told}")
        fields = jina_fields(reply.body)
        body = json.dumps(fields, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
        page = Page("jina", url, body, bytes_hash(body))
        return page, self._document(url, page)

    def _local(self, url: str, cached: Page | None) -> tuple[Page, Document]:
        page = self._download(url, cached)
        return page, self._document(url, page)

    def _download(self, url: str, cached: Page | None) -> Page:
        conditions = cached.conditions if cached and cached.reader == "local" else {}
        reply = self._fetcher.get(url, conditions)
        if reply.status == 304 and cached and conditions:
            return cached
        reply.accepted(url)
        tags = reply.headers.get("etag", ""), reply.headers.get("last-modified", "")
        return Page("local", reply.url, reply.body, bytes_hash(reply.body), reply.kind, *tags)

    # Documents

    def _document(self, url: str, page: Page) -> Document:
        if page.reader == "jina":
            document = jina_document(url, page.body)
        elif page.body.startswith(b"%PDF-") or picture_kind(page.body):
            document = self._handed_over(url, page)
        else:
            document = _local_document(url, page)
        canonical = url
        with suppress(LoadError):
            canonical = self._address(document.uri, page.url)
        if not _stands_for(canonical, url) and not _stands_for(canonical, page.url):
            canonical = url
        meta = {"stamp": page.stamp, "reader": page.reader}
        return replace(
            document,
            id=short_hash(canonical),
            uri=canonical,
            kind=document.kind if document.kind == IMAGE else "web",
            meta={**document.meta, **meta},
        )

    def _handed_over(self, url: str, page: Page) -> Document:
        """A PDF or a picture, read as a file of its kind."""
        if self._read_bytes is None:
            raise LoadError(f"is a PDF or a picture: {shown(url)}", "download it and add the file")
        kind = "" if picture_kind(page.body) else "application/pdf"
        return self._read_bytes(page.body, url, kind)

    # Sitemaps

    def _sitemap_pages(self, url: str, refresh: bool) -> Iterator[str]:
        """Addresses of pages, each once; a part that cannot be read costs one line."""
        waiting, seen, pages = deque([url]), {url}, set[str]()
        while waiting:
            part = waiting.popleft()
            try:
                kind, addresses = self._sitemap(part, refresh)
            except LoadError as error:
                if part == url:
                    raise
                self._reporter.note(f"left out of the sitemap: {error}")
                continue
            for address in addresses:
                if kind == "sitemapindex":
                    if address not in seen and len(seen) < MAX_SITEMAPS:
                        seen.add(address)
                        waiting.append(address)
                elif address not in pages:
                    pages.add(address)
                    yield address

    def _sitemap(self, url: str, refresh: bool) -> tuple[str, list[str]]:
        """The kind (urlset, sitemapindex, page) and the addresses it holds."""
        key = f"sitemap {url}"
        cached = self._cache.load(key)
        page = cached if cached and not refresh else self._download(url, cached)
        kind, found = _parse_sitemap(self._unpacked(page.body, url))
        if not kind:
            if "html" not in page.content_type:
                raise LoadError(f"not a sitemap: {shown(url)}")
            kind, found = "page", [url]
        self._cache.save(key, page)
        addresses, refused = [], 0
        for address in found:
            try:
                addresses.append(self._address(address, url))
            except LoadError:
                refused += 1
        if refused:
            self._reporter.note(f"{shown(url)}: {refused} addresses are refused")
        return kind, addresses

    def _unpacked(self, body: bytes, url: str) -> bytes:
        if not body.startswith(b"\x1f\x8b"):
            return body
        limit = self._config.max_mb * 1_000_000
        unpacker = zlib.decompressobj(wbits=31)
        try:
            data = unpacker.decompress(body, limit)
        except zlib.error as error:
            raise LoadError(f"damaged gzip: {shown(url)}") from error
        if unpacker.unconsumed_tail:
            raise LoadError(f"larger than {self._config.max_mb} MB: {shown(url)}")
        return data


def _parse_sitemap(body: bytes) -> tuple[str, list[str]]:
    """Root (urlset, sitemapindex, else empty) and the text of each loc."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return "", []
    kind = SITEMAP_NS.sub("", str(root.tag)) if root is not None else ""
    if kind not in ("urlset", "sitemapindex"):
        return "", []
    places = (entry.find("{*}loc") for entry in root)
    return kind, [place.text.strip() for place in places if place is not None and place.text]


def _stands_for(canonical: str, url: str) -> bool:
    """Whether `canonical` may name the page at `url`: same host, and not just the front page."""
    ours, theirs = parse_url(url), parse_url(canonical)
    if theirs.pathname == "/" and not theirs.search and ours.pathname != "/":
        return False
    bare = [re.sub(r"^(?:www|m|amp)\.", "", host.hostname) for host in (ours, theirs)]
    return bare[0] == bare[1] and bool(ours.port == theirs.port)


def _local_document(url: str, page: Page) -> Document:
    kind = page.content_type.partition(";")[0].strip().lower()
    html = kind in ("text/html", "application/xhtml+xml")
    untyped = kind in ("", "application/octet-stream", "binary/octet-stream")
    if page.body.startswith(MAGIC) or (untyped and b"\0" in page.body[:1000]):
        raise LoadError(f"not a page to read (binary data): {shown(url)}")
    text = decode_html(page.body, charset_of(page.content_type))
    if html or (untyped and re.search(r"<(?:!doctype|html|body)", text[:1000], re.I)):
        found = extract_html(text, page.url)
        refuse_barrier(found.title, found.text)
        meta = {"description": found.description} if found.description else {}
        return Document(
            "",
            found.canonical_url or url,
            "web",
            found.title or title_of(found.text, url),
            found.text,
            found.author,
            found.published,
            meta=meta,
        )
    if not untyped and kind not in ("text/plain", "text/markdown", "text/x-markdown"):
        raise LoadError(f"not a page to read ({shown(kind, 60)}): {shown(url)}")
    text = text.replace("\r\n", "\n").replace("\0", "")
    plain = plain_text(text) if "markdown" in kind or url.endswith((".md", ".markdown")) else text
    if not plain.strip():
        raise LoadError(f"no readable text: {shown(url)}")
    return Document("", url, "web", title_of(plain, url), plain)
