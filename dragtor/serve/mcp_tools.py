"""The tools of MCP as plain functions over a library and its jobs; JSON of schema.py comes out.

What a tool takes is text, numbers and ids: never a path. Knows nothing of MCP's SDK.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dragtor import schema
from dragtor.errors import DragtorError, UsageError
from dragtor.serve.asking import passing_job

if TYPE_CHECKING:
    from dragtor.library import Library
    from dragtor.serve.jobs import Jobs

EXCERPT_CHARACTERS = 20_000  # of a document, that are read at once
MAX_HITS = 50
IDENTITY = re.compile(r"[0-9a-f]{4,16}")  # of a document or source, or the start of one
CLIENT = "mcp"


class JobFailed(DragtorError):
    """A job ended with an error, which was told as JSON."""


class LibraryTools:
    """What a model may do with a library; `library` opens one for a call.

    Each method is a tool, and its docstring is what the model reads of it.
    """

    def __init__(self, library: Callable[[], Library], jobs: Jobs) -> None:
        self._library, self._jobs = library, jobs

    def search(
        self,
        query: str,
        k: int = 8,
        source: str = "",
        after: str = "",
        before: str = "",
    ) -> dict[str, Any]:
        """Find the passages of the user's own sources that fit a query best.

        Gives each passage's text, its document and the link that opens at it. For sentences that
        answer a question use `quotes`.
        """
        from dragtor.store import Filters

        if not 1 <= k <= MAX_HITS:
            raise UsageError(f"k must be 1 to {MAX_HITS}")
        with self._library() as library:
            filters = Filters(**_filters(source, after, before))
            return schema.hits_json(query, library.search(query, k=k, filters=filters))

    async def quotes(
        self,
        question: str,
        source: str = "",
        after: str = "",
        before: str = "",
        context: Any = None,
    ) -> dict[str, Any]:
        """Answer a question with verbatim quotes from the user's own sources, in a second or so.

        Each quote has its document, its place and the link that opens there; `grounded` is false
        where nothing in the sources answers. No language model is used.
        """
        return await self._asked(question, True, _filters(source, after, before), context)

    async def ask(
        self,
        question: str,
        source: str = "",
        after: str = "",
        before: str = "",
        context: Any = None,
    ) -> dict[str, Any]:
        """Answer a question from the user's own sources, in sentences that cite their quotes.

        A local language model writes, which may take a minute; what no quote supports is left out.
        `grounded` is false where nothing in the sources answers. `quotes` is quicker.
        """
        return await self._asked(question, False, _filters(source, after, before), context)

    def read_document(
        self, document_id: str, start: int = 0, characters: int = EXCERPT_CHARACTERS
    ) -> dict[str, Any]:
        """Read the text of a document, by the `document_id` that a hit or a citation names.

        Long documents come in parts: `next` is the `start` of the next one, null at the end.
        """
        if start < 0 or not 1 <= characters <= EXCERPT_CHARACTERS:
            raise UsageError(f"start must be 0 or more, characters 1 to {EXCERPT_CHARACTERS}")
        with self._library() as library:
            document = library.recording(checked_id(document_id))
        return schema.excerpt_json(document, start, start + characters)

    def list_sources(self) -> dict[str, Any]:
        """List what the user has added: pages, feeds, files, videos, each with its id."""
        with self._library() as library:
            return schema.sources_json(library.holdings())

    async def add_source(self, url: str, context: Any = None) -> dict[str, Any]:
        """Add a page, feed, sitemap or video to the user's sources, by its http or https address.

        Only when the user asked for it.
        """
        if urlsplit(url).scheme.lower() not in ("http", "https"):
            raise UsageError("a source is added by its http or https address")
        return await self._job("add", {"what": [url]}, context)

    def remove_source(self, source_id: str) -> dict[str, Any]:
        """Remove a source, by its id, and all that only it held.

        Only when the user asked for it.
        """
        with self._library() as library:
            source = library.source(checked_id(source_id))
            held = [pair for pair in library.holdings() if pair[0].id == source.id]
            library.remove(source.id)
        return schema.sources_json(held)

    def document_text(self, document_id: str) -> str:
        """The whole text of a document; of a recording as Markdown with speakers and times."""
        with self._library() as library:
            return library.export(checked_id(document_id))

    async def _asked(
        self, question: str, quotes: bool, filters: dict[str, str], context: Any
    ) -> dict[str, Any]:
        args = {"question": question, "quotes": quotes, "filters": filters, "keep": False}
        return await self._job("ask", args, context)

    async def _job(self, task: str, args: dict[str, Any], context: Any) -> dict[str, Any]:
        """The result of a job, of which the client hears as far as it wants to."""
        async with passing_job(self._jobs, task, args, CLIENT) as events:
            async for event in events:
                if event.type == "done":
                    found: dict[str, Any] = event.data["result"]
                    return found
                if event.type == "error":
                    raise JobFailed(event.data["message"], event.data["hint"])
                if context is not None and (told := _told(event.type, event.data)):
                    await context.report_progress(event.seq, None, told)
        raise JobFailed("the job was cancelled")


def checked_id(given: str) -> str:
    """The id of a document or source, or the start of one; raises UsageError: no address is one."""
    if not IDENTITY.fullmatch(given):
        raise UsageError(f"{given[:80]!r} is no id", "list_sources, search and quotes tell ids")
    return given


def _filters(source: str, after: str, before: str) -> dict[str, str]:
    given = {"source": source and checked_id(source), "after": after, "before": before}
    return {name: value for name, value in given.items() if value}


def _told(kind: str, data: dict[str, Any]) -> str:
    """What a person would like to hear of an event."""
    if kind == "sentence":
        return str(data["claim"]["text"])
    if kind == "quotes":
        return "\n".join(f"“{citation['quote']}”" for citation in data["citations"])
    return str(data.get("label", "")) if kind == "step" else ""
