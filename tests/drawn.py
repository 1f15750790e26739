"""Pictures made for tests: lines of text at known places, drawn with Pillow's own font."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

Line = tuple[float, float, str]  # left, top, text

MAIL = (
    (40, 30, "Invoice 20417 overdue"),
    (40, 90, "From: Rafael Quintanilha <rafael@quillbank.example>"),
    (40, 120, "To: Hamish Drummond-Lyle"),
    (40, 190, "Dear Hamish, please wire the amount to our account"),
    (40, 220, "at Nordlys Energi by Friday."),
    (40, 290, "Kind regards"),
    (40, 320, "Rafael Quintanilha"),
)


def drawn(
    lines: Sequence[Line] = MAIL,
    size: tuple[int, int] = (700, 380),
    *,
    letters: float = 20,
    mode: str = "RGB",
    ground: Any = "white",
    ink: Any = "black",
) -> Image.Image:
    picture = Image.new(mode, size, ground)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size=letters)
    for left, top, text in lines:
        pen.text((left, top), text, font=font, fill=ink)
    return picture


def encoded(picture: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()
