"""Colours against what lies behind them. A party's colour is fixed and may be pale on white or dark on black: then an edge makes it stand out."""

from functools import cache

# The page and the track that a bar lies in, as style.css has them.
PAPERS = {"light": ("#FFFFFF", "#F1F0EC"), "dark": ("#14171A", "#22272C")}
ENOUGH = 3.0  # what WCAG asks of shapes that one has to see
STEPS = 50
WHITE, BLACK = "#FFFFFF", "#000000"


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _parts(colour)]  # noqa: PLR2004 (WCAG's)
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(first: str, second: str) -> float:
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def ink_on(colour: str) -> str:
    """Black or white, whichever is easier to read on `#RRGGBB`: one of them always has a contrast of 4.5 : 1 at least."""
    return BLACK if contrast(colour, BLACK) >= contrast(colour, WHITE) else WHITE


@cache  # every bar of every viewer asks at every refresh; names choose among a dozen colours
def edges_of(colour: str) -> tuple[str, str]:
    """The same colour, on light and on dark paper only as much darker or lighter as it takes to stand out there."""
    return _towards(BLACK, colour, PAPERS["light"]), _towards(WHITE, colour, PAPERS["dark"])


def edge(colour: str) -> str:
    """For the style sheet. Colours that it names itself have its own edge."""
    if not colour.startswith("#"):
        return "var(--lt-outline)"
    light, dark = edges_of(colour)
    return f"light-dark({light},{dark})"


def painted(colour: str) -> str:
    """A shape in this colour, and its edge."""
    return f"background:{colour};--lt-edge:{edge(colour)}"


def _towards(end: str, colour: str, papers: tuple[str, ...]) -> str:
    mixed = (_mixed(colour, end, step / STEPS) for step in range(STEPS + 1))
    return next(one for one in mixed if all(contrast(one, paper) >= ENOUGH for paper in papers))


def _mixed(colour: str, end: str, part: float) -> str:
    mixed = (round(255 * (1 - part) * first + 255 * part * second) for first, second in zip(_parts(colour), _parts(end), strict=True))
    return "#" + "".join(f"{one:02X}" for one in mixed)


def _parts(colour: str) -> list[float]:
    return [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
