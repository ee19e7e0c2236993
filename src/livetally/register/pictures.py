"""Portraits that organisers bring: a data URI, or an image in a file, made so small that it can travel with every vote."""

import io
import re
from base64 import b64decode, b64encode
from binascii import Error
from pathlib import Path

from livetally.core.elections import PORTRAIT_BYTES_MAX

FILE_BYTES_MAX = 20 * 1024 * 1024
PIXELS_MAX = 50_000_000  # a file of a few kB can unpack to gigabytes
SIDES_PX = (96, 80, 64, 56, 48, 40, 32, 24)  # tried one after the other, the largest first
QUALITIES = (70, 50, 35, 20, 10)

DATA_URI = re.compile(r"data:image/(svg\+xml|png|jpeg|webp|gif);base64,([A-Za-z0-9+/]+=*)")
TYPES = {".svg": "svg+xml", ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp", ".gif": "gif"}


def portrait_of(text: str, folder: Path | None) -> str:
    """A data URI of at most PORTRAIT_BYTES_MAX bytes. `folder`: where paths begin; None where only data URIs are taken.

    Raises ValueError, with words for whoever wrote the file.
    """
    if text.startswith("data:"):
        return _checked(text)
    if folder is None:
        raise ValueError("the picture is no data URI (data:image/…;base64,…); a path is of no use here")
    path = folder / text
    kind = TYPES.get(path.suffix.lower())
    if kind is None:
        raise ValueError(f"the picture {text!r} is neither a data URI nor a file of the kinds {', '.join(TYPES)}")
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise ValueError(f"the picture {text!r} is larger than {FILE_BYTES_MAX:,} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"the picture {text!r} cannot be read: {error.strerror}. Paths begin where the CSV file lies") from None
    uri = _uri(kind, content)
    if len(uri) <= PORTRAIT_BYTES_MAX:
        return uri
    if kind == "svg+xml":
        raise ValueError(
            f"the picture {text!r} makes {len(uri):,} bytes as a data URI, and may make {PORTRAIT_BYTES_MAX:,}; a drawing cannot be shrunk"
        )
    return _shrunk(content, text)


def _checked(uri: str) -> str:
    found = DATA_URI.fullmatch(uri)
    if found is None:
        raise ValueError("the picture is no data URI of an image in base64 (data:image/png;base64,…; also jpeg, gif, webp, svg+xml)")
    if len(uri) > PORTRAIT_BYTES_MAX:
        raise ValueError(
            f"the picture has {len(uri):,} bytes as a data URI, and may have {PORTRAIT_BYTES_MAX:,}; give the file's path, and it is shrunk"
        )
    try:
        b64decode(found[2], validate=True)
    except Error:
        raise ValueError("the picture's base64 is damaged") from None
    return uri


def _shrunk(content: bytes, name: str) -> str:
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise ValueError(
            f"the picture {name!r} is too large ({PORTRAIT_BYTES_MAX:,} bytes as a data URI at most), and Pillow, which could shrink it, is not installed"
        ) from None
    try:
        with Image.open(io.BytesIO(content)) as opened:
            if opened.width * opened.height > PIXELS_MAX:
                raise ValueError(f"the picture {name!r} has more than {PIXELS_MAX:,} pixels")
            whole = ImageOps.exif_transpose(opened).convert("RGBA")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:  # Pillow's words for a file that is no image, or a broken one
        raise ValueError(f"the picture {name!r} is no image that can be read: {error}") from None
    square = ImageOps.fit(whole, (SIDES_PX[0], SIDES_PX[0]))
    for side in SIDES_PX:
        small = square.resize((side, side))
        for quality in QUALITIES:
            packed = io.BytesIO()
            small.save(packed, "WEBP", quality=quality, method=6)
            uri = _uri("webp", packed.getvalue())
            if len(uri) <= PORTRAIT_BYTES_MAX:
                return uri
    raise ValueError(f"the picture {name!r} does not become small enough; choose one with less detail")


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{b64encode(content).decode()}"
