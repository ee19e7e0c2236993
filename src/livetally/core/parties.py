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
    "#44AA99",  # teal
    "#117733",  # dark green
)
UNKNOWN_COLOUR = "#BBBBBB"


def colour_of(parties: Iterable[str]) -> dict[str, str]:
    """A colour `#RRGGBB` for each party, whatever order they come in.

    The parties named above always have the same one, in whatever company. Others share out the colours that
    are left, in the order of their names; only when none is left do two parties have the same.
    """
    names = set(parties)
    known = dict(zip(REFERENCE_PARTIES + INVENTED_PARTIES, COLOURS, strict=True)) | {UNKNOWN: UNKNOWN_COLOUR}
    colours = {name: colour for name, colour in known.items() if name in names}
    free = [colour for colour in COLOURS if colour not in colours.values()] or list(COLOURS)
    others = sorted(names - colours.keys())
    return colours | {name: free[number % len(free)] for number, name in enumerate(others)}
