"""One ballot, and what each witness says of it."""

from collections.abc import Sequence
from typing import Any

from livetally.audit.report import Refused, Report, Said
from livetally.core.ballots import Ballot
from livetally.core.wire import REJECTED, VOTES

NAMING = (Ballot, Said)  # these say which election they are about


def compare(report: Report, where: str, ballot: Any, ledger: Any, vote: Any, refusal: Any) -> None:
    """One ballot, and what the ledger and the two topics of outcomes say of it; None for a witness that is silent.

    A difference concerns every election that one of them names.
    """
    report.ballots += ballot is not None
    report.ledger += isinstance(ledger, Said)
    report.published += vote is not None
    if isinstance(ledger, Said):
        report.accepted += 1
        report.count(ledger.election_id, "accepted")
    elif isinstance(ledger, Refused):
        report.rejected[ledger.reason] = report.rejected.get(ledger.reason, 0) + 1
    about = [one.election_id for one in (ballot and ballot[0], ledger, vote) if isinstance(one, NAMING)]
    if ballot is None:
        report.differ(f"{where}: there is no such ballot, but an outcome of it ({_name(ledger or vote or refusal)})", *about)
        return
    if ledger is None:
        report.differ(f"{where}: the ledger has no verdict on this ballot", *about)
    content, time_text, raw = ballot
    if isinstance(ledger, Said):
        _compare_vote(report, where, about, content, time_text, ledger, vote, refusal)
    elif isinstance(ledger, Refused):
        _compare_refusal(report, where, about, raw, ledger, vote, refusal)


def _compare_vote(
    report: Report, where: str, about: Sequence[str], content: Any, time_text: str, ledger: Said, vote: Any, refusal: Any
) -> None:
    if not isinstance(content, Ballot) or ledger != Said(content.election_id, content.voter_id, content.candidate_id, time_text):
        report.differ(f"{where}: the ledger says {_name(ledger)}, the ballot says {_name(content)} at {time_text}", *about)
    if vote != ledger:
        report.differ(f"{where}: the ledger says {_name(ledger)}, {VOTES} says {_name(vote)}", *about)
    if refusal is not None:
        report.differ(f"{where}: a vote in the ledger, yet in {REJECTED} ({refusal.reason})", *about)


def _compare_refusal(report: Report, where: str, about: Sequence[str], raw: bytes | None, ledger: Refused, vote: Any, refusal: Any) -> None:
    if vote is not None:
        report.differ(f"{where}: rejected in the ledger ({ledger.reason}), yet {VOTES} says {_name(vote)}", *about)
    if refusal is None or refusal.reason != ledger.reason:
        report.differ(f"{where}: rejected in the ledger ({ledger.reason}), {REJECTED} says {_name(refusal)}", *about)
    elif refusal.value != raw:
        report.differ(f"{where}: {REJECTED} does not hold the ballot as it was cast", *about)


def _name(said: object) -> str:
    match said:
        case None:
            return "nothing"
        case Said(election_id, voter_id, candidate_id, voting_time):
            return f"{voter_id} for {candidate_id} in {election_id} at {voting_time}"
        case Ballot(election_id, voter_id, candidate_id):
            return f"{voter_id} for {candidate_id} in {election_id}"
        case Refused(reason, _):
            return f"rejected: {reason}"
        case _:
            return str(said)
