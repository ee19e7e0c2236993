"""Pictures that organisers bring: small enough to travel with every vote, or refused with a reason."""

import io
from base64 import b64decode, b64encode
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from livetally.core.elections import PORTRAIT_BYTES_MAX
from livetally.register import pictures
from livetally.register.pictures import portrait_of


def photograph(path: Path, size: tuple[int, int] = (640, 480)) -> Path:
    """Noise, which hardly anything can compress."""
    Image.frombytes("RGB", size, Random(1).randbytes(3 * size[0] * size[1])).save(path)
    return path


def uri(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{b64encode(content).decode()}"


@pytest.mark.parametrize("name", ["ann.png", "ann.jpg", "ann.JPEG", "ann.webp", "ann.gif"])
def test_a_photograph_is_made_small_enough(tmp_path: Path, name: str) -> None:
    photograph(tmp_path / name)
    portrait = portrait_of(name, tmp_path)
    assert portrait.startswith("data:image/webp;base64,")
    assert len(portrait) <= PORTRAIT_BYTES_MAX
    with Image.open(io.BytesIO(b64decode(portrait.partition(",")[2]))) as image:
        assert image.width == image.height >= 24


def test_what_is_small_enough_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "x.svg").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert portrait_of("x.svg", tmp_path) == uri(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "svg+xml")
    assert portrait_of(uri(b"abc"), None) == uri(b"abc")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data:text/html;base64,AAAA", "no data URI of an image"),
        ("data:image/png,abc", "no data URI of an image"),
        ("data:image/png;base64,A", "base64 is damaged"),
        (uri(b"x" * 1000), "bytes as a data URI, and may have 1,000"),
        ("https://example.org/ann.png", "cannot be read"),
        ("missing.png", "cannot be read: No such file"),
        ("ann.tiff", "neither a data URI nor a file of the kinds"),
        ("large.svg", "a drawing cannot be shrunk"),
        ("broken.png", "no image that can be read"),
    ],
)
def test_what_cannot_be_taken_is_told(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "large.svg").write_bytes(b"<svg>" + b" " * 1000 + b"</svg>")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 2000)
    with pytest.raises(ValueError, match=words):
        portrait_of(text, tmp_path)


def test_a_path_is_of_no_use_to_whoever_sends_the_file(tmp_path: Path) -> None:
    photograph(tmp_path / "ann.png")
    with pytest.raises(ValueError, match="a path is of no use here"):
        portrait_of(str(tmp_path / "ann.png"), None)


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "PIXELS_MAX", 1000)
    photograph(tmp_path / "ann.png")
    with pytest.raises(ValueError, match="more than 1,000 pixels"):
        portrait_of("ann.png", tmp_path)
