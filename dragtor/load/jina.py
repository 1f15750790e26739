"""What the Jina Reader API sends back: judged, reduced to the fields that are kept, read.

Knows nothing of how the reply was fetched.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import date
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from dragtor.errors import LoadError
from dragtor.load.address import shown
from dragtor.load.markdown import plain_text
from dragtor.types import Document

SHORT_CHARS = 600  # a page that asks for a captcha says little else
BLOCKED = re.compile(
    r"just a moment|attention required|access denied|verify(?:ing)? (?:that )?you are (?:a )?human"
    r"|enable javascript and cookies|checking your browser|captcha|unusual traffic|are you a robot"
    r"|please enable (?:js|javascript)|ddos protection by|pardon our interruption",
    re.I,
)


def jina_fields(body: bytes) -> dict[str, Any]:
    """The fields kept of a reply; raises LoadError on a cut-off or a blocked page."""
    try:
        data = json.loads(body)["data"]
        warning, metadata = str(data.get("warning") or ""), data.get("metadata") or {}
        canonical = next(iter((data.get("external") or {}).get("canonical") or {}), "")
        fields = {
            "title": data.get("title"),
            "content": data["content"],
            "url": canonical or data.get("url"),
            "description": data.get("description"),
            "published": data.get("publishedTime") or metadata.get("article:published_time"),
            "author": metadata.get("author") or metadata.get("article:author"),
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LoadError("the Jina Reader's reply is cut off or of an unknown form") from error
    if found := re.search(r"returned error \d+[^\n]*|captcha", warning, re.I):
        raise LoadError(f"the site did not show the page to Jina ({shown(found[0], 60)})")
    kept: dict[str, Any] = {
        name: value if isinstance(value, str) else "" for name, value in fields.items()
    }
    kept["partial"] = "not yet fully loaded" in warning
    return kept


def jina_document(url: str, body: bytes) -> Document:
    """The Document out of the JSON of `jina_fields`, its id left empty.

    Raises LoadError on an empty page and on one that shows a barrier.
    """
    fields = json.loads(body)
    text = plain_text(fields["content"])
    title = " ".join(fields["title"].split())
    if not text:
        raise LoadError("the Jina Reader gives an empty page")
    refuse_barrier(title, text)
    meta = {name: fields[name] for name in ("description", "partial") if fields[name]}
    return Document(
        "",
        fields["url"] or url,
        "web",
        title or title_of(text, url),
        text,
        fields["author"],
        _iso_date(fields["published"]),
        meta=meta,
    )


def title_of(text: str, url: str) -> str:
    """For a page that names none: its first heading, else the end of its address."""
    heading = re.search(r"^#{1,6} (.+)$", text, re.M)
    parts = urlsplit(url)
    return heading[1] if heading else parts.path.rstrip("/").rpartition("/")[2] or parts.netloc


def _iso_date(value: str) -> str:
    """An ISO date out of ISO 8601 or of the mail format; empty if it is neither."""
    with suppress(ValueError):
        return date.fromisoformat(value.strip()[:10]).isoformat()
    with suppress(ValueError, TypeError, IndexError):
        return parsedate_to_datetime(value).date().isoformat()
    return ""


def refuse_barrier(title: str, text: str) -> None:
    """Raise LoadError on a page that asks for a captcha or the like instead of showing itself."""
    if len(text) >= 10 * SHORT_CHARS:
        return
    if found := BLOCKED.search(title) or (len(text) < SHORT_CHARS and BLOCKED.search(text)):
        raise LoadError(f"the site shows a barrier instead of the page ({found[0].lower()})")
