"""What an organiser may ask for when an election is made. Pure; all faults are told together, by the field that they are in."""

import unicodedata
from datetime import datetime

from livetally.core.elections import ELECTION_ID, Election
from livetally.core.errors import ElectionError

NAME_CHARS_MAX = 200  # it stands at the head of a page and of a ballot
STATES_MAX = 1_000

INVISIBLE = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # would reorder what stands beside it


def faults_of(election: Election, now: datetime) -> dict[str, str]:
    """What speaks against making this election, by field of `Election`; empty if nothing does."""
    faults: dict[str, str] = {}
    if not ELECTION_ID.fullmatch(election.election_id):
        faults["election_id"] = (
            f"{election.election_id!r} cannot be an id, which takes 1 to 63 small letters a to z, digits and hyphens, with no hyphen at an end"
        )
    if not election.name.strip() or len(election.name) > NAME_CHARS_MAX or not is_printable(election.name):
        faults["name"] = f"the name takes 1 to {NAME_CHARS_MAX} characters in one line, none of them a control character"
    if election.roll == "states" and not election.roll_states:
        faults["roll_states"] = "a roll of states needs at least one state"
    if election.roll != "states" and election.roll_states:
        faults["roll_states"] = f"states are for a roll of states; this one is of the kind {election.roll!r}"
    if len(election.roll_states) > STATES_MAX or not all(state.strip() and is_printable(state) for state in election.roll_states):
        faults["roll_states"] = f"there may be up to {STATES_MAX} states, and each needs a name"
    opens, closes = election.opens_planned, election.closes_planned
    if closes is not None and closes <= max(now, opens or now):
        faults["closes_planned"] = f"it cannot close at {closes.isoformat()}: that is over, or not after its opening"
    return faults


def check(election: Election, now: datetime) -> None:
    """Raises ElectionError, with all that is wrong."""
    if faults := faults_of(election, now):
        raise ElectionError(f"This election cannot be made: {'; '.join(faults.values())}. Nothing was changed.")


def is_printable(text: str) -> bool:
    """Whether it shows as what it is, in one line: no control character, no half of a character, no mark that turns what is around it."""
    return not any(unicodedata.category(one) in INVISIBLE or one in TURNING for one in text)
