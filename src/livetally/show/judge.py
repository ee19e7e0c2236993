"""The check behind the badge: ledger, votes topic, tally and its announcements, compared at their common cut.

The cut is the tally's: it says up to which offsets of the votes topic it has counted. The topic is counted up to exactly there, once
and then onwards; the ledger is asked for the ballots whose votes lie before it. What is behind the cut is on its way, no difference.

Every check compares the candidates' totals on the topic with the tally's, and the announcements with the totals that changed. A whole
check also reads every row of the ledger and every cell; it comes with every check as long as it is cheap, and otherwise as often as
its share of a processor allows, and at once when PostgreSQL says that somebody else has rewritten a row of the ledger or of the tally.
docs/decisions/0015 says what this sees, how soon, and what only `livetally audit` does.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Protocol

from livetally.adapters.agreement import Recorded, Rewritten, Tallied
from livetally.adapters.votes_read import Fault, Passed
from livetally.core.tally import Cell
from livetally.show import agreement
from livetally.show.agreement import Candidate, Key, Missing, Said
from livetally.show.trust import DIFFERENCES_MAX, UNCHECKED, Agreement, Difference, Waiting

MESSAGES_AT_ONCE = 5_000  # some 0.1 s of work; between two steps the pages get the processor
VERDICT_HOLDS = timedelta(seconds=15)  # some checks; a badge that says green of what it has not seen for longer would be a lie
# Two of the shortest refresh intervals of a page: at a viewer's second look at the latest what had been recorded by the first is counted.
# A tally at work always has something on its way; it lags if the same votes go on waiting.
ON_THEIR_WAY = timedelta(seconds=10)
WHOLE_SHARE_MAX = 0.05  # of one processor for whole checks


class Topic(Protocol):
    """What `adapters.votes_read.VotesRead` offers."""

    positions: dict[int, int]
    ballots: dict[int, int]
    faults: dict[str, Fault]
    newest: Passed | None

    @property
    def cells(self) -> Mapping[Cell, int]: ...

    @property
    def counts(self) -> Mapping[Candidate, int]: ...

    @property
    def places(self) -> Mapping[Candidate, int]: ...

    def read_up_to(self, ends: Mapping[int, int], messages_max: int) -> bool: ...

    def forget(self) -> None: ...

    def ballots_end(self) -> int: ...

    def close(self) -> None: ...


class Database(Protocol):
    """What `adapters.agreement.Witnesses` offers."""

    def tallied(self, since: tuple[int, int] | None, *, whole: bool) -> Tallied | None: ...

    def recorded(self, cuts: Mapping[int, int]) -> Recorded: ...

    def rewritten(self) -> Rewritten: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Checked:
    """`is_whole_way`: the comparison came to its end; if not, the topic is still being read. `passed`: the newest vote that was counted."""

    agreement: Agreement
    is_whole_way: bool = True
    waiting: tuple[Waiting, ...] = ()
    passed: Passed | None = None
    version: tuple[int, int] = (0, 0)  # generation and batch with which it was counted


class Judge:
    """`check` raises ServiceError while a service is away; the next one goes on where it was."""

    def __init__(
        self,
        database: Database,
        topic: Topic,
        announced: Callable[[], Mapping[Key, Said] | None],
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        """`announced`: what has been heard from the aggregated topics; None while they have not been read to their end."""
        self._database = database
        self._topic = topic
        self._announced = announced
        self._clock = clock
        self._monotonic = monotonic
        self._totals: dict[Key, tuple[int, int]] = {}
        self._version: tuple[int, int] | None = None
        self._missing: Missing = frozenset()
        self._rewritten: Rewritten | None = None
        self._whole_due_s = 0.0
        self._whole_differences: tuple[Difference, ...] = ()
        self._ledger: tuple[int, datetime] | None = None  # votes of the last whole check, and when that was
        self._recorded: deque[tuple[datetime, int]] = deque()  # checks at which more votes had been accepted than are counted now
        self._is_at_cut = False  # whether the topic had been read to the tally's place the last time
        self._last = UNCHECKED

    def check(self) -> Checked:
        announced = self._announced()  # before the tally is asked: what was announced has been stored
        began_s = self._monotonic()
        is_due = self._is_whole_due()
        is_whole = is_due and self._is_at_cut
        tallied = self._database.tallied(self._version, whole=is_whole)
        if tallied is None:
            nothing = self._say(replace(UNCHECKED, waiting_for="Nothing has been tallied yet."))
            return replace(nothing, waiting=self._before_any_tally(began_s)) if is_due else nothing
        self._note(tallied)
        self._is_at_cut = self._topic.read_up_to(tallied.positions, MESSAGES_AT_ONCE)
        if not self._is_at_cut:
            return replace(self._say(self._until_read(tallied), is_whole_way=False), waiting=self._waiting(tallied))
        found = [*self._faults(), *agreement.topic_and_tally(self._topic.counts, tallied.sums)]
        if announced is not None:
            wrong, self._missing = agreement.announced_and_tally(
                announced, self._totals, (tallied.generation, tallied.batch), self._missing
            )
            found += wrong
        if is_whole:
            self._whole_differences = self._compare_all(tallied)
            self._put_off_whole(began_s)
        return replace(
            self._say(self._verdict(tallied, found), is_whole_way=is_whole or self._ledger is not None),
            waiting=self._waiting(tallied),
            passed=self._topic.newest,
            version=(tallied.generation, tallied.batch),
        )

    def close(self) -> None:
        self._database.close()
        self._topic.close()

    def _is_whole_due(self) -> bool:
        before, self._rewritten = self._rewritten, self._database.rewritten()
        if before is not None and (self._rewritten.ledger != before.ledger or self._rewritten.tally not in {None, before.tally}):
            self._whole_due_s = 0.0
        return self._monotonic() >= self._whole_due_s

    def _put_off_whole(self, began_s: float) -> None:
        self._whole_due_s = self._monotonic() + (self._monotonic() - began_s) / WHOLE_SHARE_MAX

    def _waiting(self, tallied: Tallied) -> tuple[Waiting, ...]:
        return (
            Waiting("record", "ballots", max(0, self._topic.ballots_end() - tallied.decided)),
            Waiting("tally", "votes", max(0, tallied.accepted - sum(tallied.sums.values()))),
        )

    def _before_any_tally(self, began_s: float) -> tuple[Waiting, ...]:
        """Votes that wait while no tally has stored anything. All of the ledger is read for it, as often as for whole checks."""
        accepted = self._database.recorded({}).accepted
        self._put_off_whole(began_s)
        return (Waiting("tally", "votes", accepted),) if accepted else ()

    def _note(self, tallied: Tallied) -> None:
        """Keep the totals that have changed; another generation begins with none."""
        if self._version is None or self._version[0] != tallied.generation:
            self._topic.forget()
            self._recorded.clear()
            self._totals.clear()
            self._whole_differences, self._ledger, self._whole_due_s = (), None, 0.0
        self._version = (tallied.generation, tallied.batch)
        self._totals |= {(one.view, one.election_id, one.group): (one.votes, one.batch) for one in tallied.totals}

    def _compare_all(self, tallied: Tallied) -> tuple[Difference, ...]:
        recorded = self._database.recorded(self._topic.ballots)
        self._ledger = (sum(count for count, _ in recorded.before.values()), self._clock())
        counts, places = self._topic.counts, self._topic.places
        topic = {candidate: (votes, places.get(candidate, 0)) for candidate, votes in counts.items()}
        of_ledger = agreement.some(agreement.ledger_and_topic(recorded.before, topic))
        if recorded.rows != recorded.accepted:
            place = f"the ledger has {recorded.rows:,} rows, and *record* has accepted {recorded.accepted:,} ballots"
            of_ledger = (Difference("ledger", "ledger", place), *of_ledger)
        of_cells = agreement.some(agreement.topic_and_cells(self._topic.cells, tallied.cells or {}))
        of_totals = tuple(
            Difference("tally", "tally", f"{one.where}: the total is {one.stored:,}, its cells add up to {one.cells:,}", one.election_id)
            for one in tallied.unlike
        )
        return (*of_ledger, *of_cells, *of_totals)

    def _faults(self) -> list[Difference]:
        return [Difference("topic", "ledger", f"{fault.where}: {fault.what}") for fault in self._topic.faults.values()]

    def _verdict(self, tallied: Tallied, found: list[Difference]) -> Agreement:
        now, tally = self._clock(), sum(tallied.sums.values())
        behind = max(0, tallied.accepted - tally)
        is_late = self._is_late(now, tallied.accepted, tally)
        differences = tuple(dict.fromkeys(chain(found, self._whole_differences)))[:DIFFERENCES_MAX]
        ledger, ledger_checked_at = self._ledger or (0, None)
        if not differences and ledger_checked_at is None:
            return replace(UNCHECKED, waiting_for="The ledger is being read.")
        return Agreement(
            "red" if differences else "amber" if is_late else "green",
            ledger,
            topic=sum(self._topic.counts.values()),
            tally=tally,
            behind=behind,
            differences=differences,
            checked_at=now,
            ledger_checked_at=ledger_checked_at,
            since=(self._last.since or now) if differences else None,
        )

    def _is_late(self, now: datetime, accepted: int, counted: int) -> bool:
        """Whether votes are waiting that had been accepted a while ago."""
        self._recorded.append((now, accepted))
        while self._recorded and self._recorded[0][1] <= counted:
            self._recorded.popleft()
        return bool(self._recorded) and now - self._recorded[0][0] >= ON_THEIR_WAY

    def _until_read(self, tallied: Tallied) -> Agreement:
        """While many votes come at once it takes some steps to read them: a verdict holds meanwhile, unless that takes long."""
        last = self._last
        if last.checked_at is not None and last.state != "unknown" and self._clock() - last.checked_at < VERDICT_HOLDS:
            return last
        return replace(last, state="unknown", waiting_for=self._progress(tallied))

    def _progress(self, tallied: Tallied) -> str:
        read, of = sum(self._topic.positions.values()), sum(tallied.positions.values())
        return f"The votes topic is being read: offset {read:,} of {of:,}."

    def _say(self, verdict: Agreement, *, is_whole_way: bool = True) -> Checked:
        self._last = verdict
        return Checked(verdict, is_whole_way)
