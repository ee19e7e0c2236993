"""The badge that says whether one may believe the numbers, and its long form."""

from livetally.show.scene import Moment
from livetally.show.trust import DIFFERENCES_MAX, Agreement, Badge
from livetally.show.words import number, plural, said

# A mark and words beside the colour: nobody has to tell green from red.
_MARKS: dict[Badge, str] = {"green": "✓", "amber": "…", "red": "✕", "unknown": "?"}
# Where the numbers are of elections, some of which this viewer may not see.
_UNCOUNTED: dict[Badge, str] = {
    "green": "Of the ballots that all three have passed they hold the same votes.",
    "amber": "Of the ballots that all three have passed they hold the same votes. More are on the way to the tally, some for longer than usual.",
    "red": "Ledger, topic and tally do not hold the same votes of the ballots that all three have passed. Observers see where.",
}
WITNESSES = {"ledger": "ledger", "topic": "votes topic", "tally": "tally", "announced": "announced totals"}


def badge(agreement: Agreement) -> str:
    return (
        f'<span class="lt-badge lt-badge-{agreement.state}"><span aria-hidden="true">{_MARKS[agreement.state]}</span> '
        f'<span data-testid="agreement" data-state="{agreement.state}" data-behind="{agreement.behind}">{headline(agreement)}</span></span>'
    )


def headline(agreement: Agreement) -> str:
    match agreement.state:
        case "green" if agreement.behind:
            return f"Agree; {plural(agreement.behind, 'vote')} on {'its' if agreement.behind == 1 else 'their'} way"
        case "green":
            return "Ledger, topic and tally agree"
        case "amber":
            return "Agree; some votes behind" if agreement.hides_counts else f"Agree; {plural(agreement.behind, 'vote')} behind"
        case "red":
            return "Ledger, topic and tally do not agree"
        case "unknown":
            return "Agreement not checked yet"


def explained(agreement: Agreement, moment: Moment) -> str:
    """One sentence more, for those who ask."""
    if agreement.hides_counts and agreement.state in _UNCOUNTED:
        return _UNCOUNTED[agreement.state]
    match agreement.state:
        case "green" if not agreement.behind:
            return f"All three hold the same {plural(agreement.ledger, 'vote')}, and none is on its way."
        case "green":
            return (
                f"Of the ballots that all three have passed they hold the same {plural(agreement.ledger, 'vote')}. "
                f"{plural(agreement.behind, 'vote is', 'votes are')} recorded and on the way to the tally, none for longer than usual."
            )
        case "amber":
            return (
                f"Of the ballots that all three have passed they hold the same {plural(agreement.ledger, 'vote')}. "
                f"{plural(agreement.behind, 'vote is', 'votes are')} recorded and on the way to the tally, some for longer than usual."
            )
        case "red":
            since = f" since {moment.clock(agreement.since)}" if agreement.since else ""
            return (
                f"Of the ballots that all three have passed, the ledger holds {number(agreement.ledger)} votes, the topic "
                f"{number(agreement.topic)}, the tally {number(agreement.tally)}{since}. "
                f"{'Observers see where.' if agreement.hides_places else '<code>./livetally audit</code> names every difference.'}"
            )
        case "unknown":
            return said(agreement.waiting_for) if agreement.waiting_for else "Nobody has compared them yet."


def differences(agreement: Agreement, most: int = DIFFERENCES_MAX) -> str:
    """Where they differ, one line each."""
    lines = "".join(
        f'<li data-testid="difference"><b>{WITNESSES[one.first]} and {WITNESSES[one.second]}</b>: {said(one.place)}</li>'
        for one in agreement.differences[:most]
    )
    return f'<ul class="lt-differences">{lines}</ul>' if lines else ""
