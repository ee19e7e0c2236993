"""Portraits: short enough to travel with a vote, well-formed, and not all the same."""

from base64 import b64decode
from xml.etree import ElementTree as ET

import pytest

from livetally.core.elections import PORTRAIT_BYTES_MAX
from livetally.register.portraits import portrait

PREFIX = "data:image/svg+xml;base64,"
BLUE = "#0072B2"


def drawing(uri: str) -> ET.Element:
    assert uri.startswith(PREFIX)
    return ET.fromstring(b64decode(uri.removeprefix(PREFIX), validate=True))  # noqa: S314 - our own drawing


@pytest.mark.parametrize("gender", ["female", "male", "other"])
def test_every_portrait_is_small_and_well_formed(gender: str) -> None:
    for identity in range(1000):
        uri = portrait(str(identity), gender, BLUE)
        assert len(uri.encode()) <= PORTRAIT_BYTES_MAX
        svg = drawing(uri)
        assert svg.tag == "{http://www.w3.org/2000/svg}svg"
        assert {"viewBox", "width", "height"} <= svg.attrib.keys()


@pytest.mark.parametrize("gender", ["female", "male"])
def test_portraits_differ(gender: str) -> None:
    assert len({portrait(str(identity), gender, BLUE) for identity in range(200)}) > 180


def test_a_face_stays_the_same_and_its_rosette_is_the_partys() -> None:
    assert portrait("a", "female", BLUE) == portrait("a", "female", BLUE)
    faces = [portrait("a", "female", colour) for colour in (BLUE, "#D55E00")]
    (first, second) = ([element.attrib for element in drawing(face)] for face in faces)
    assert first[:-1] == second[:-1]
    assert (first[-1]["stroke"], second[-1]["stroke"]) == (BLUE, "#D55E00")


def test_nothing_is_fetched() -> None:
    """A page that shows a portrait talks to nobody: no link, no script, no style, only shapes."""
    for identity in range(100):
        assert {element.tag.rpartition("}")[2] for element in drawing(portrait(str(identity), "male", BLUE))} == {"path", "circle"}
