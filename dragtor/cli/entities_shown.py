"""People and companies of one text as lines on a terminal, and as boxes on its picture.

Knows no rule and no model; a picture is opened as loading opens one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dragtor.cli.output import out, plural, settings, style, warn

if TYPE_CHECKING:
    from PIL.Image import Image

    from dragtor.types import Document, FoundEntity

ENTITY_WIDTH = 28  # characters
SPELLINGS_SHOWN = 4  # shown of one entity
MARK_COLOURS = {"person": (0, 110, 230), "company": (215, 90, 0)}
PICTURE_HEAD_BYTES = 16  # of a file, which tell a picture
DRAWN_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")  # of pictures that are written


class EntityLines:
    """Prints entities as they come, each once, and again under another name."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._shown: dict[tuple[int, int], str] = {}  # mention -> the name that was printed

    def show(self, entity: FoundEntity) -> FoundEntity:
        """Print it, unless it was shown under this name already."""
        places = [(mention.start, mention.end) for mention in entity.mentions]
        before = {self._shown[place] for place in places if place in self._shown}
        self._shown |= dict.fromkeys(places, entity.name)
        if not self._quiet and before != {entity.name}:
            out(_line(entity, before - {entity.name}))
        return entity


def _line(entity: FoundEntity, before: set[str]) -> str:
    names = [name for name in entity.aliases if name not in before][:SPELLINGS_SHOWN]
    notes = [plural(len(entity.mentions), "mention")]
    notes += [f"also {', '.join(names)}"] if names else []
    notes += [f"shown above as {', '.join(sorted(before))}"] if before else []
    if entity.known:
        notes.append(f"in the library: {plural(entity.known.mentions, 'mention')}")
    name = style(f"{entity.name:<{ENTITY_WIDTH}}", bold=True)
    return f"{entity.category:<8} {name} {style('; '.join(notes), dim=True)}"


def drawable(given: Path | bytes | Document, target: Path) -> Image:
    """The picture that names will be drawn on; raises before anything takes time."""
    from dragtor.errors import UsageError
    from dragtor.ocr.picture import open_picture

    again = "dragtor extract entities inbox.png --draw out.png"
    if not isinstance(given, Path | bytes):
        raise UsageError("--draw wants the picture itself, not a document's id", again)
    if target.suffix.lower() not in DRAWN_SUFFIXES:
        raise UsageError(f"--draw writes {', '.join(DRAWN_SUFFIXES)}, not {target.name}", again)
    if not target.expanduser().absolute().parent.is_dir():
        raise UsageError(f"there is no folder {target.parent}", f"mkdir -p {target.parent}")
    if not _is_picture(given):
        told = "what stdin holds" if isinstance(given, bytes) else str(given)
        raise UsageError(f"--draw marks names on a picture, and {told} is none", again)
    return open_picture(given)


def _is_picture(given: Path | bytes) -> bool:
    """Whether it is meant as one, by its name or how it begins; it may be damaged."""
    from dragtor.load.picture import PICTURE_SUFFIXES, picture_kind

    if isinstance(given, bytes):
        return bool(picture_kind(given))
    with given.open("rb") as file:
        head = file.read(PICTURE_HEAD_BYTES)
    return given.suffix.lower() in PICTURE_SUFFIXES or bool(picture_kind(head))


def draw_entities(picture: Image, entities: Sequence[FoundEntity], target: Path) -> None:
    """Write the upright picture, a box around each mention: blue for people, orange for companies.

    Of a file with pages it is the first; what stands on others is told.
    """
    from PIL import ImageDraw

    from dragtor.errors import UsageError

    pen = ImageDraw.Draw(picture)
    width = max(2, round(max(picture.size) / 700))
    elsewhere = 0
    for entity in entities:
        for mention in entity.mentions:
            if mention.page not in (None, 1):
                elsewhere += 1
            elif mention.box:
                pen.rectangle(mention.box, outline=MARK_COLOURS[entity.category], width=width)
    try:
        picture.save(target.expanduser())
    except OSError as error:
        raise UsageError(
            f"cannot write {target}: {error}", "dragtor extract entities --help"
        ) from error
    if not settings.quiet:
        warn(f"written: {target}")
    if elsewhere:
        warn(f"only the first page is drawn; on others: {plural(elsewhere, 'mention')}")
