"""Which colour a party has, the same wherever it is drawn."""

from collections.abc import Iterable

from livetally.core.tally import UNKNOWN

REFERENCE_PARTIES = ("Management Party", "Savior Party", "Tech Republic Party")

# Okabe and Ito's palette, without its black, which a dark page would swallow. The reference's parties have
# the three that people of every colour vision tell apart best and that stand out on white by at least 3 : 1.
_FIXED_COLOURS = ("#0072B2", "#D55E00", "#CC79A7")  # blue, vermillion, reddish purple
_OTHER_COLOURS = (
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

    The reference's parties always have the same one. The others share out the rest in the order of their names;
    only when there are more of them than colours do two have the same.
    """
    fixed = dict(zip(REFERENCE_PARTIES, _FIXED_COLOURS, strict=True)) | {UNKNOWN: UNKNOWN_COLOUR}
    names = set(parties)
    others = sorted(names - fixed.keys())
    shared = {name: _OTHER_COLOURS[number % len(_OTHER_COLOURS)] for number, name in enumerate(others)}
    return {name: colour for name, colour in (fixed | shared).items() if name in names}
