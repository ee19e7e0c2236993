"""Why ballots do not count, in words for people. `core/ballots.py` has the list of reasons; a test says that each has words."""

from collections.abc import Mapping

from livetally.core.ballots import Reason

WORDS: Mapping[str, str] = {
    Reason.MALFORMED: "Nobody can read it as a ballot",
    Reason.UNKNOWN_ELECTION: "It names an election that does not exist",
    Reason.NOT_OPEN: "It was cast before the election opened, or after it had closed",
    Reason.UNKNOWN_CANDIDATE: "It names nobody who stands in this election",
    Reason.UNKNOWN_VOTER: "Whose ballot it says it is was not on the roll",
    Reason.ALREADY_VOTED_SAME: "This person had voted already, for the same candidate",
    Reason.ALREADY_VOTED_OTHER: "This person had voted already, for another candidate; the first vote counts",
}


def words(reason: str) -> str:
    """A reason that a newer *record* has written is said as it is."""
    return WORDS.get(reason, reason)
