"""Certifying an election: its result is final, because nothing that could change it is on its way, and all witnesses agree."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from livetally.adapters.acts import Actor, Acts
from livetally.adapters.cells import Cells
from livetally.adapters.passage import Passage
from livetally.adapters.postgres import Connection
from livetally.adapters.roll import Roll
from livetally.core.elections import Election
from livetally.core.errors import ElectionError, LedgerError, NotYetError
from livetally.register.organise import close_election

WITHIN_S = 120.0  # what is on its way after the end of an election is counted in seconds; a recorder that was killed needs some more
ASK_AGAIN_S = 0.2
SETTLES_S = 1.0  # the broker may have given a ballot its time just before the end, and append it just after
NAMED_MAX = 3  # differences in an error; `audit` names all


class Audited(Protocol):
    """What certifying needs to know of an audit."""

    @property
    def heads(self) -> Sequence[dict[str, Any]]: ...

    def against(self, election_id: str) -> Sequence[str]: ...


def certify(
    connection: Connection,
    bootstrap_servers: str,
    actor: Actor,
    election_id: str,
    audit: Callable[[], Audited],
    within_s: float = WITHIN_S,
) -> Election:
    """Wait until every ballot of before the end is decided, published and counted, hold the audit, and make the result final.

    Raises NotYetError if that takes longer than `within_s`, LedgerError if the audit finds a difference in this election, or in what all
    of them stand on; neither changes anything. What differs in another election alone is that one's business.
    """
    roll = Roll(connection)
    waiting = Waiting(election_id, within_s)
    election = roll.election(election_id)
    closes_at = _end_of(roll, election)
    if election.status == "open":  # its end has come by itself, and nobody has said so
        close_election(connection, actor, election_id)
    waiting.until(lambda: _seconds_left(closes_at + timedelta(seconds=SETTLES_S), roll.now()), "{} s are left until it is over")
    _await_counted(connection, bootstrap_servers, closes_at, waiting)
    report = audit()
    if found := report.against(election_id):
        raise LedgerError(
            f"{election_id!r} cannot be certified: the audit finds differences. {' · '.join(found[:NAMED_MAX])} · "
            f"`./livetally audit --election {election_id}` names them, and docs/break-it-yourself.md says what makes them right. "
            "Nothing was changed."
        )
    with connection.transaction():
        _end_of(roll, roll.lock_election(election_id))
        roll.certify_election(election_id)
        totals = {one.candidate_id: one.total_votes for one in Cells(connection).results(election_id)}
        detail = {"total_votes": sum(totals.values()), "votes": totals, "heads": report.heads}
        Acts(connection).note(actor.who, "election certify", election_id, election_id, detail, actor.came_from)
    return roll.election(election_id)


class Waiting:
    """One time limit for everything that has to happen first."""

    def __init__(self, election_id: str, within_s: float) -> None:
        self._election_id = election_id
        self._within_s = within_s
        self._deadline_s = time.monotonic() + within_s

    def until(self, missing: Callable[[], int], words: str) -> None:
        """Until nothing is missing. `words` says what is, around the number."""
        while count := missing():
            if time.monotonic() > self._deadline_s:
                raise NotYetError(
                    f"{self._election_id!r} cannot be certified yet: after {self._within_s:.0f} s {words.format(f'{count:,}')}. "
                    "Nothing was changed; try again."
                )
            time.sleep(ASK_AGAIN_S)


def _await_counted(connection: Connection, bootstrap_servers: str, closes_at: datetime, waiting: Waiting) -> None:
    with Passage(bootstrap_servers, connection) as passage:
        cuts = passage.cuts(closes_at)
        waiting.until(
            lambda: passage.undecided(cuts),
            "{} ballots that were cast before its end have not been decided (is `./livetally record` running?)",
        )
        waiting.until(lambda: passage.unpublished(cuts), "{} outcomes have not been published (is `./livetally record` running?)")
        votes_end = passage.votes_end()  # a fixed one: votes of other elections keep coming
        waiting.until(lambda: passage.uncounted(votes_end), "the tally is {} messages behind (is `./livetally tally` running?)")


def _end_of(roll: Roll, election: Election) -> datetime:
    """When it closes, or has closed. Raises ElectionError if it is not the time to certify it."""
    if election.status in ("draft", "certified"):
        raise ElectionError(f"{election.election_id!r} is {election.status}, and only an election that is closed can be certified.")
    if election.closes_at is None or (election.status == "open" and not election.is_over(roll.now())):
        raise ElectionError(f"{election.election_id!r} is open. Close it first: `./livetally election close {election.election_id}`.")
    return election.closes_at


def _seconds_left(moment: datetime, now: datetime) -> int:
    return max(0, -(-(moment - now) // timedelta(seconds=1)))
