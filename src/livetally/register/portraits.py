"""Portraits of invented candidates: small drawings, made without a network, that wear their party's rosette.

They travel with every vote, as data URIs. Base64 rather than percent-encoding: it has no quotation mark, space or
bracket that HTML, Markdown, CSS or a shell would read as its own, and both fit.
"""

from base64 import b64encode
from random import Random

# Colours of three digits: three bytes saved in each of eight places are what makes it fit.
_CLOTHES = ("#235", "#334", "#534", "#244", "#654", "#446")
_BACKGROUNDS = ("#def", "#fed", "#efe", "#ede", "#eee")
_GREYS = ("#999", "#ddd")
_LOOKS = (  # face, the shade below the chin, hair that goes with them
    ("#fdc", "#eba", ("#211", "#432", "#742", "#b73", "#db6", "#831", *_GREYS)),
    ("#fca", "#da8", ("#211", "#432", "#742", "#b73", "#db6", *_GREYS)),
    ("#da7", "#b85", ("#211", "#321", "#432", *_GREYS)),
    ("#b74", "#963", ("#111", "#211", "#321", *_GREYS)),
    ("#853", "#642", ("#111", "#211", "#310", *_GREYS)),
    ("#643", "#432", ("#111", "#210", *_GREYS)),
)

# A filled shape closes by itself, so none of these says so.
# Hair over the forehead, and hair behind the head, which long styles have.
_HAIR_OF_MEN = (
    ("M30 44q-3-24 18-24t18 24q-2-11-8-14-10 4-20 0-6 3-8 14", ""),  # short, parted
    ("M30 42q-2-22 18-22t18 22q-3-9-9-11l-18 0q-6 2-9 11", ""),  # cropped
    ("M29 46q-6-20 6-24 14-10 26 0 11 5 6 24-1-12-7-16-9 5-24-1-6 5-7 17", ""),  # full
    ("M30 46q-1-10 2-14-2 8 1 10zM66 46q1-10-2-14 2 8-1 10", ""),  # bald, with what is left at the sides
    ("M31 40q-2-12 6-16-2-6 12-5 13-2 12 6 6 4 4 15-3-9-9-10-12 3-16-1-7 3-9 11", ""),  # tousled
)
_HAIR_OF_WOMEN = (
    ("M30 48q-4-28 18-28t18 28q-3-14-12-19-8 9-24 19", "M28 46q-2-30 20-30t20 30l3 28H25"),  # long
    ("M30 46q-2-26 18-26t18 26q-4-12-10-14-14 0-18 3-5 3-8 11", "M27 46q-1-30 21-30t21 30v14q-3 5-8 2H35q-5 3-8-2"),  # bob
    ("M30 46q-2-26 18-26t18 26q-2-15-18-17-16 2-18 17", "M38 22a10 9 0 1 1 20 0"),  # bun
    ("M30 44q-3-24 18-24t18 24q-2-9-9-13-10 6-19 3-6 3-8 10", ""),  # short
    ("M66 46q2-26-18-26t-18 26q3-12 11-17 9 8 25 17", "M48 14c26-6 32 18 24 30 4 14-6 22-12 20H36q-20 0-12-20c-8-12-2-36 24-30"),  # curly
)
_RARE = 0.3  # how often somebody wears a beard, or glasses
_MOUTHS = ("M41 56q7 6 14 0", "M42 57q6 4 12 0", "M43 57q5 3 10-1")
_GLASSES = "M34 45a6 5 0 1 0 12 0 6 5 0 1 0-12 0m16 0a6 5 0 1 0 12 0 6 5 0 1 0-12 0m-4 0h4"
_BEARD = "M31 47q1 22 17 22t17-22q-2 7-7 6h-20q-5 1-7-6"


def portrait(identity: str, gender: str, colour: str) -> str:
    """A data URI of at most PORTRAIT_BYTES_MAX bytes, always the same one for the same arguments.

    `colour` is the party's, `#RRGGBB`. A gender other than male and female gets a face of either kind.
    """
    random = Random(f"livetally portrait {identity}")
    styles = {"male": _HAIR_OF_MEN, "female": _HAIR_OF_WOMEN}.get(gender, _HAIR_OF_MEN + _HAIR_OF_WOMEN)
    front, back = random.choice(styles)
    skin, shade, hairs = random.choice(_LOOKS)
    hair = random.choice(hairs)
    beard = _path(_BEARD, hair) if gender == "male" and random.random() < _RARE else ""
    lines = random.choice(_MOUTHS) + (_GLASSES if random.random() < _RARE else "")
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" width="96" height="96">'
        + _path("M0 0h96v96H0", random.choice(_BACKGROUNDS))
        + (_path(back, hair) if back else "")
        + _path("M8 96q2-22 28-26h24q26 4 28 26", random.choice(_CLOTHES))
        + _path("M40 58h16v12q-8 10-16 0", shade)
        + _path("M31 42q0-20 17-20t17 20q0 24-17 24t-17-24", skin)
        + beard
        + _path(front, hair)
        + f'<path d="{lines}" fill="none" stroke="#222"/>'
        + _path("M39 45a2 2 0 1 1 2 2M53 45a2 2 0 1 1 2 2", "#222")
        + f'<circle cx="72" cy="83" r="5" fill="#fff" stroke="{colour}" stroke-width="5"/></svg>'
    )
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"


def _path(shape: str, colour: str) -> str:
    return f'<path d="{shape}" fill="{colour}"/>'
