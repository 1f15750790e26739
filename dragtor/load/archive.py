"""Books and office documents, which are zip archives of XML, to plain text.

Owns size limits, copy protection and reading order. Knows nothing of files.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from html.entities import html5
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from dragtor.load.text import MB, Content, Refused, clean_text, decoded, iso_date, one_line

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_DOCX_XML_MB = 40  # megabytes of XML in a docx; its parser needs twenty times that in memory
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")


def zip_names(data: bytes) -> set[str]:
    """Names of the members; empty if `data` is no zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return set()


def _archive(data: bytes, kind: str, limit: int) -> zipfile.ZipFile:
    """Open a zip that unpacks to at most `limit` bytes."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Refused(f"is not a readable {kind} file: {error}") from error
    if sum(member.file_size for member in archive.infolist()) > limit:
        raise Refused(f"unpacks to more than {limit // MB} MB", "raise load.max_file_mb")
    return archive


def read_docx(data: bytes, limit: int) -> Content:
    """Text and fields of a Word document that unpacks to `limit` bytes at most. Raises Refused."""
    import mammoth

    with _archive(data, "docx", limit) as archive:
        xml = sum(m.file_size for m in archive.infolist() if m.filename.endswith(".xml"))
        if xml > MAX_DOCX_XML_MB * MB:
            raise Refused(f"holds more than {MAX_DOCX_XML_MB} MB of XML", "split it in two")
        try:
            no_image = mammoth.images.img_element(lambda image: {})
            html = mammoth.convert_to_html(io.BytesIO(data), convert_image=no_image).value
        except Exception as error:  # mammoth meets damage with errors of any kind
            raise Refused(f"is not a readable docx file: {one_line(str(error))[:100]}") from error
        core = _xml(_member(archive, "docProps/core.xml"))
    return Content(
        _visible_text(html),
        title=_field(core, "title"),
        author=_field(core, "creator"),
        published=iso_date(_field(core, "created")),
    )


def read_epub(data: bytes, limit: int) -> Content:
    """Text and fields of a book that unpacks to `limit` bytes at most. Raises Refused."""
    with _archive(data, "epub", limit) as archive:
        _refuse_protected(archive)
        container = _xml(_member(archive, "META-INF/container.xml"))
        package_path = next((e.get("full-path", "") for e in _elements(container, "rootfile")), "")
        package = _xml(_member(archive, package_path))
        chapters = [
            _visible_text(_xhtml(_member(archive, path)))
            for path in _spine(package, PurePosixPath(package_path).parent)
        ]
    if package is None or not chapters:
        raise Refused("is not a readable epub file: it lists no chapters")
    return Content(
        "\n\n".join(filter(None, chapters)),
        title=_field(package, "title"),
        author=", ".join(one_line(e.text or "") for e in _elements(package, "creator")),
        published=iso_date(_field(package, "date")),
    )


def _refuse_protected(archive: zipfile.ZipFile) -> None:
    """Raises on encrypted chapters; scrambled fonts do no harm."""
    rights = {"META-INF/rights.xml", "META-INF/license.lcpl"} & set(archive.namelist())
    locks = _xml(_member(archive, "META-INF/encryption.xml"))
    hidden = [
        e.get("URI", "")
        for e in _elements(locks, "CipherReference")
        if not e.get("URI", "").lower().endswith((".ttf", ".otf", ".woff", ".woff2"))
    ]
    if hidden or (rights and locks is not None):
        raise Refused("is protected against copying (DRM)", "use a copy without DRM")


def _spine(package: _Element | None, folder: PurePosixPath) -> Iterator[str]:
    """Names of the chapters in the archive, in reading order."""
    names = {e.get("id"): e.get("href", "") for e in _elements(package, "item")}
    for reference in _elements(package, "itemref"):
        if name := names.get(reference.get("idref")):
            yield os.path.normpath(folder / unquote(urlsplit(name).path))


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Bytes of one member, never more than its header says; empty if absent or damaged."""
    try:
        return archive.read(name)
    except Exception:  # noqa: BLE001  each decompressor has errors of its own
        return b""


def _xml(data: bytes) -> _Element | None:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(data, parser) if data else None
    except (etree.XMLSyntaxError, ValueError):
        return None


def _elements(root: _Element | None, name: str) -> Iterable[_Element]:
    return root.iter(f"{{*}}{name}") if root is not None else ()


def _field(root: _Element | None, name: str) -> str:
    return next((one_line(e.text or "") for e in _elements(root, name)), "")


def _xhtml(data: bytes) -> str:
    """A chapter as HTML: empty elements such as `<title/>` swallow the page otherwise."""
    from lxml import etree

    page = decoded(data) if data else ""
    named = _ENTITY.sub(_entity, page)
    root = _xml(re.sub(r"\A\s*<\?xml[^>]*\?>", "", named).encode("utf-8", "replace"))
    if root is None:
        return page
    return etree.tostring(root, method="html", encoding="unicode")


def _entity(match: re.Match[str]) -> str:
    plain = match[1] in ("amp", "lt", "gt", "quot", "apos")
    return match[0] if plain else html5.get(match[1] + ";", match[0])


def _visible_text(html: str) -> str:
    from dragtor.load.html import visible_text

    return clean_text(visible_text(html))
