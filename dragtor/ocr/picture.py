"""Opens the pictures that a file holds: upright, in plain RGB, and never larger than is bearable.

Owns formats, EXIF rotation, the pages of a TIFF, transparency and limits. Knows no words.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, cast

from dragtor.errors import LoadError, Missing
from dragtor.extras import require
from dragtor.pictures import is_heif

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_MEGAPIXELS = 40  # of one picture; a decoded pixel takes 3 bytes, and 3 more while it is read
MAX_PAGES = 500  # of a TIFF
PICTURE_FORMATS = (
    "PNG",
    "JPEG",
    "WEBP",
    "TIFF",
    "GIF",
    "BMP",
    "AVIF",
)  # as Pillow calls them
AS_PICTURE_OR_TEXT = "save it as PNG or JPEG; a text wants a name that ends in .txt"
_WARNINGS = Lock()  # what is done with warnings is one setting for all threads


def open_picture(source: bytes | Path, name: str = "") -> Image:
    """The picture, or the first page or frame of one; raises LoadError, one line that opens with
    `name`, and Missing where a package is absent.
    """
    return next(open_pictures(source, name))


def open_pictures(source: bytes | Path, name: str = "") -> Iterator[Image]:
    """Every page of a TIFF, the first frame of anything else; raises as `open_picture` does."""
    name = name or (str(source) if isinstance(source, Path) else "the picture")
    data = _bytes(source, name) if isinstance(source, Path) else source
    picture = _opened(data, name)
    with picture:
        pages = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
        if pages > MAX_PAGES:
            raise LoadError(f"{name} has more than {MAX_PAGES} pages", "split it")
        for page in range(pages):
            yield _frame(picture, page, name)


def upright(picture: Image) -> Image:
    """A picture as it is shown: turned as its EXIF says, on a plain ground, in RGB."""
    from PIL import ImageOps

    turned = ImageOps.exif_transpose(picture)
    if turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info:
        return _on_ground(turned.convert("RGBA"))
    if turned.mode.startswith(("I", "F")):  # 16 and 32 bits a pixel
        return _scaled(turned)
    return turned.convert("RGB")


def _bytes(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LoadError(f"{name} cannot be read: {error.strerror}") from error


def _opened(data: bytes, name: str) -> Image:
    """Pillow's picture, of which nothing but the header was read."""
    image = require("PIL.Image", extra="ocr")
    formats = list(PICTURE_FORMATS)
    if is_heif(data):
        try:
            require("pillow_heif", extra="heic").register_heif_opener()
        except Missing as error:
            raise LoadError(f"{name} is a HEIC picture, and {error}", error.hint) from error
        formats.append("HEIF")
    try:
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the size is looked at here, damage when it is read
            picture: Image = image.open(io.BytesIO(data), formats=formats)
    except image.DecompressionBombError as error:
        raise _too_large(name) from error
    except Exception as error:  # each format meets damage with errors of its own
        raise LoadError(f"{name} is not a readable picture", AS_PICTURE_OR_TEXT) from error
    return picture


def _frame(picture: Image, page: int, name: str) -> Image:
    image = require("PIL.Image", extra="ocr")
    try:
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture.seek(page)
            width, height = picture.size
            if width * height > MAX_MEGAPIXELS * 1_000_000:
                raise _too_large(name, f"{width:,} × {height:,}, ")
            return upright(picture)
    except LoadError:
        raise
    except image.DecompressionBombError as error:
        raise _too_large(name) from error
    except Exception as error:  # each format meets damage with errors of its own
        which = f"page {page + 1} of {name}" if page else name
        raise LoadError(f"{which} is damaged or cut off", "copy or download it again") from error


def _too_large(name: str, size: str = "") -> LoadError:
    told = f"{name} is too large a picture: {size}more than {MAX_MEGAPIXELS} million pixels"
    return LoadError(told, "make it smaller, or cut it in parts")


def _on_ground(picture: Image) -> Image:
    """White, or black where what is drawn is light."""
    from PIL import Image, ImageStat

    seen = picture.getchannel("A").point([255 * (alpha > 127) for alpha in range(256)])
    light = seen.getbbox() and ImageStat.Stat(picture.convert("L"), seen).mean[0] > 160
    ground = Image.new("RGBA", picture.size, "black" if light and _is_sparse(seen) else "white")
    return Image.alpha_composite(ground, picture).convert("RGB")


def _is_sparse(seen: Image) -> bool:
    """Whether most of a picture is transparent: then its ink is drawn, and no ground."""
    from PIL import ImageStat

    return bool(ImageStat.Stat(seen).mean[0] < 128)


def _scaled(picture: Image) -> Image:
    """More than 8 bits a pixel brought to 8, from the darkest to the lightest that it has."""
    wide = picture.convert("F")
    low, high = cast("tuple[float, float]", wide.getextrema())
    scale = 255 / ((high - low) or 1)
    return wide.point(lambda value: value * scale + -low * scale).convert("RGB")
