"""The parties that livetally knows by name, and which colour a party has, the same wherever it is drawn."""

from collections.abc import Iterable

from livetally.core.tally import UNKNOWN

REFERENCE_PARTIES = ("Management Party", "Savior Party", "Tech Republic Party")

# Who stands beside the reference's parties in an election with more than three candidates. None of them exists.
INVENTED_PARTIES = (
    "Hedgerow Party",
    "Open Ledger Party",
    "Lantern League",
    "Tidewater Union",
    "Free Library Party",
    "Allotment Alliance",
    "Steady Hand Party",
    "Daylight Movement",
    "Clearwater Union",
)

# Okabe and Ito's palette, without its black, which a dark page would swallow. The reference's parties have
# the three that people of every colour vision tell apart best and that stand out on white by at least 3 : 1.
COLOURS = (
    "#0072B2",  # blue
    "#D55E00",  # vermillion
    "#CC79A7",  # reddish purple
    "#009E73",  # bluish green
    "#E69F00",  # orange
    "#56B4E9",  # sky blue
    "#F0E442",  # yellow
    # Okabe and Ito end here; the next are Paul Tol's, who chose them for the same readers.
    "#332288",  # indigo
    "#882255",  # wine
    "#999933",  # olive
    # His teal looks like Okabe and Ito's reddish purple to those who see no green; this one looks like none of the others.
    "#8844EE",  # violet
    "#117733",  # dark green
)
UNKNOWN_COLOUR = "#BBBBBB"


def colour_of(parties: Iterable[str]) -> dict[str, str]:
    """A colour `#RRGGBB` for each party.

    The parties named above always have the same one, in whatever company. Others share out the colours that are left, in the order of
    their names. Where there are more names than colours, the order in which they come says who has one: the first have a colour
    each, as far as it goes the one that they would have by their name alone; all the others are grey.
    """
    named = list(dict.fromkeys(parties))
    names = set(named)
    known = dict(zip(REFERENCE_PARTIES + INVENTED_PARTIES, COLOURS, strict=True)) | {UNKNOWN: UNKNOWN_COLOUR}
    colours = {name: colour for name, colour in known.items() if name in names}
    free = [colour for colour in COLOURS if colour not in colours.values()]
    others = sorted(names - colours.keys())
    if len(others) <= len(free):
        return colours | dict(zip(others, free, strict=False))
    by_name = {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(others)}
    return dict.fromkeys(names, UNKNOWN_COLOUR) | colours | _shared_out([name for name in named if name in by_name], by_name, free)


def _shared_out(others: list[str], by_name: dict[str, str], free: list[str]) -> dict[str, str]:
    """Each of the free colours once: to the first who has it by name, then what is left to those of the first who have none."""
    first, left = others[: len(free)], list(free)
    given: dict[str, str] = {}
    for name in first:
        if by_name[name] in left:
            left.remove(by_name[name])
            given[name] = by_name[name]
    return given | dict(zip([name for name in first if name not in given], left, strict=True))
