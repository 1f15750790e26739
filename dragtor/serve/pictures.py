"""Pictures as they are shown: upright, turned as they were read, and no larger than is of use.

Knows files of pictures by what opens them; not where one comes from.
"""

from __future__ import annotations

from dragtor.errors import UsageError

MAX_SHOWN_PIXELS = 8_000_000  # larger ones are drawn smaller
_PNG_COMPRESSION = 3  # quick; a screenshot is nearly as small as with 9


def picture_png(data: bytes, page: int, turned: int = 0) -> bytes:
    """A picture, or a page of one, counted from 1, as PNG; `turned` so many degrees clockwise.

    Raises UsageError where there is no such page, and LoadError.
    """
    import io

    from dragtor.ocr.picture import open_pictures

    for number, image in enumerate(open_pictures(data), 1):
        if number == page:
            scale = min(1.0, (MAX_SHOWN_PIXELS / max(1, image.width * image.height)) ** 0.5)
            small = image.resize((round(image.width * scale), round(image.height * scale)))
            file = io.BytesIO()
            small.rotate(-turned, expand=True).save(file, "PNG", compress_level=_PNG_COMPRESSION)
            return file.getvalue()
    raise UsageError(f"there is no page {page}")
