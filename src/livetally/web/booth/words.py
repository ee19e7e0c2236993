"""What the booth says when something is not as expected: always first what happened to the vote, then what to do."""

from dataclasses import dataclass

from livetally.core.ballots import Reason
from livetally.core.following import ALREADY_VOTED
from livetally.web.ballots.answers import NotNow, Refusal, Refused


@dataclass(frozen=True, slots=True)
class Told:
    status: int
    title: str
    vote: str  # what happened to it
    do: str


NOTHING_NOW = "Nothing was cast by what you just did. If you had cast your ballot before, it stands."
CODE_GOOD = "Nothing was cast, and your code is still good."  # said only where it is known of all that came before, too

REFUSALS: dict[Refusal, Told] = {
    Refusal.UNKNOWN_ELECTION: Told(404, "There is no such election", NOTHING_NOW, "Check the address in your letter."),
    Refusal.UNKNOWN_CODE: Told(
        403,
        "This code is not known",
        NOTHING_NOW,
        "Compare it with your letter, letter by letter. Whoever runs the election can issue a new one.",
    ),
    Refusal.VOIDED_CODE: Told(
        403,
        "This code is void",
        NOTHING_NOW,
        "A newer code was issued to you and this one no longer works. Use the one in the newer letter.",
    ),
    Refusal.WRONG_ELECTION: Told(
        403, "This code is for another election", NOTHING_NOW, "Use the address in the letter that the code came with."
    ),
    Refusal.NOT_OPEN: Told(409, "The election is not open yet", CODE_GOOD, "Come back when it has opened."),
    Refusal.CLOSED: Told(409, "The election is closed", "Nothing was cast.", "Ballots are not taken any more."),
    Refusal.UNKNOWN_CANDIDATE: Told(422, "That cannot be chosen here", CODE_GOOD, "Go back to the ballot and choose again."),
}
MISTYPED = "This is no voting code. A code has 26 letters and digits; look for one too many, too few, or mistyped."
EMPTY = "Enter the code from your letter."
NOTHING_CHOSEN = "Choose one, then go on."

EXPIRED = Told(
    403,
    "This page has expired",
    NOTHING_NOW,
    "Enter your code again; if a ballot has been cast with it, you will be shown its receipt. If this page comes back, your browser keeps no "
    "cookies: allow them here until you have voted.",
)
AWAY = Told(
    503,
    "Ballots cannot be taken at present",
    NOTHING_NOW,
    "Wait a minute, then try again. Trying again is safe.",
)
NOT_LOOKED_UP = Told(
    503, "This cannot be looked up at present", "A ballot that has been cast stays cast.", "Wait a minute, then look again."
)
UNSETTLED = Told(
    503,
    "It is not known whether your ballot was taken",
    "It may have been taken, and it may not. It cannot be counted twice.",
    "Wait a minute, then enter your code again and cast it again: that settles it. If the first one did arrive, the first one counts.",
)
SIMULATED = Told(
    404,
    "Nobody can vote here",
    "This election is a simulation. Its voters are made up, and so are their votes.",
    "Codes exist for real elections only.",
)
NOT_SHOWN = Told(
    404,
    "There is no such election, or it has not been opened yet",
    NOTHING_NOW,
    "Compare the address with your letter; it may be too early.",
)
NO_RECEIPT = Told(
    404, "There is no such receipt", "This says nothing about any ballot.", "Compare it with what you kept, letter by letter."
)
UNREADABLE_RECEIPT = "Look for a letter too many, too few, or mistyped."
UNKNOWN_RECEIPT = "No ballot has it. Compare it with what you kept, letter by letter; a voting code is no receipt."

REASONS: dict[str, str] = {
    Reason.NOT_OPEN: "it arrived when the election was not open: before it had opened, or after it had closed",
    Reason.UNKNOWN_VOTER: "you were not on the roll when it arrived",
    Reason.UNKNOWN_CANDIDATE: "what it was for was not on the list when it arrived",
    Reason.UNKNOWN_ELECTION: "there was no such election when it arrived",
    ALREADY_VOTED: "a vote of yours had been counted before it arrived, by another way than this page",
    Reason.MALFORMED: "it could not be read",
}


def told(answer: Refused | NotNow) -> Told:
    if isinstance(answer, Refused):
        said = REFUSALS[answer.refusal]
        if answer.receipt is not None:
            return Told(said.status, said.title, UNSETTLED.vote, f"An earlier try may have arrived. Look up the receipt {answer.receipt}.")
        return said
    return UNSETTLED if answer.may_be_cast else AWAY
