"""The ledger: which ballots are votes. One transaction decides one batch, and answers the same when it is asked again.

PostgreSQL says who is on the roll and who has voted; `core.verdicts` decides; the rows are brought back by COPY, which costs
PostgreSQL less than half of what the same INSERT would. If two recorders let one voter vote at once, the primary key tells them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby

import orjson
import psycopg
from psycopg.types.string import ByteaBinaryLoader

from livetally.adapters.postgres import HOURS_LOCK, ROLL_LOCK, Connection
from livetally.adapters.queries import queries
from livetally.core.ballots import Ballot, Reason, Rejected
from livetally.core.chain import beginning, link, rejection_entry, vote_entry
from livetally.core.elections import RollKind
from livetally.core.errors import LedgerError
from livetally.core.verdicts import MAY_BECOME_KNOWN, Cast, Counted, Electors, Hours, Known, Lists, Verdict, decide, screen

TRIES_MAX = 10  # each try waits for the other recorder to finish; more than a few would mean something else
ASK: Mapping[RollKind, str] = {"all": "ask", "states": "ask_states", "list": "ask_list"}  # who is on a roll of which kind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Link:
    """What is added to the chain of a partition at once."""

    partition: int
    first_offset: int
    next_offset: int
    head_before: bytes
    head: bytes
    accepted: int = 0
    rejected: int = 0

    def following(self) -> "Link":
        """An empty one behind this one."""
        return Link(self.partition, self.next_offset, self.next_offset, self.head, self.head)


Links = dict[int, Link]


@dataclass(frozen=True, slots=True)
class Judged:
    """Verdicts on the way to being stored."""

    lists: Lists
    verdicts: list[Verdict]
    by_voter: list[int]  # the ballots that were asked about, in the order of their voters

    def told(self, cast: Cast) -> tuple[str | None, str | None]:
        """Election (if there is such a one) and voter that a ballot names."""
        ballot = cast.content
        if isinstance(ballot, Rejected):
            return None, None
        return (ballot.election_id if ballot.election_id in self.lists.hours else None), ballot.voter_id


class Ledger:
    """The ledger as *record* uses it, over one connection."""

    def __init__(self, connection: Connection) -> None:
        self.tries = 0  # transactions begun, those too that had to be repeated
        self._connection = connection
        self._sql = queries("ledger")
        for name in ("make_repeated", "plan_by_index"):
            connection.execute(self._sql[name])
        self._raw = connection.cursor(binary=True)
        # Text comes as the bytes that it is: an announcement goes on to Kafka as it lies in the table.
        self._raw.adapters.register_loader("text", ByteaBinaryLoader)

    def decide(
        self, batch: Sequence[Cast], begins: Mapping[int, int] | None = None, before_commit: Callable[[], None] = lambda: None
    ) -> list[Verdict]:
        """The verdict on every ballot of the batch, stored before it is returned. A partition's ballots come in their order.

        `begins`: up to which offset each partition was read before this batch. A gap between that and the ledger is refused.
        """
        for _ in range(TRIES_MAX):
            self.tries += 1
            try:
                with self._connection.transaction():
                    verdicts = self._decide(batch, begins or {})
                    before_commit()
            except (psycopg.errors.DeadlockDetected, psycopg.errors.UniqueViolation):
                continue  # one of our voters has just voted at another recorder: seen from there, it is known now
            return verdicts
        raise LedgerError(f"{TRIES_MAX} times in a row another recorder and this one were in each other's way. Start it again.")

    def replay(self, batches: Iterable[Sequence[Cast]]) -> dict[int, int]:
        """Decide all ballots anew, from the first, in one transaction: whoever looks sees the old ledger or the new one.

        Returns how many verdicts have changed, per partition; one that was missing, or too many, has changed too.
        """
        execute, sql = self._connection.execute, self._sql
        with self._connection.transaction():
            execute(sql["allow_changes"])
            execute(sql["keep_for_comparison"])
            execute(sql["empty"])
            for batch in batches:
                self._decide(batch, {})
            execute(sql["refuse_changes"])
            return dict(execute(sql["changed"]).fetchall())

    def _decide(self, batch: Sequence[Cast], begins: Mapping[int, int]) -> list[Verdict]:
        links = self._begin_links({cast.partition for cast in batch})
        for partition, begin in begins.items():
            if begin > links[partition].first_offset:
                raise LedgerError(
                    f"The ballots {links[partition].first_offset} to {begin - 1} of partition {partition} were passed over. "
                    "Nothing was stored; start `./livetally record` again."
                )
        is_new = [cast.offset >= links[cast.partition].first_offset for cast in batch]
        if all(is_new):
            return self._decide_new(batch, links)
        stored = iter(self._stored([cast for cast, new in zip(batch, is_new, strict=True) if not new]))
        fresh = [cast for cast, new in zip(batch, is_new, strict=True) if new]
        decided = iter(self._decide_new(fresh, links) if fresh else ())
        return [next(decided if new else stored) for new in is_new]

    def _begin_links(self, partitions: Iterable[int]) -> Links:
        """Where each partition stands. From now on nobody else decides there until the transaction ends."""
        wanted = sorted(partitions)
        while True:
            rows = self._connection.execute(self._sql["take_positions"], (wanted,)).fetchall()
            if len(rows) == len(wanted):
                return {partition: Link(partition, end, end, head, head) for partition, end, head in rows}
            for partition in wanted:
                self._connection.execute(self._sql["begin_partition"], (partition, beginning(partition)))

    def _decide_new(self, casts: Sequence[Cast], links: Links) -> list[Verdict]:
        execute, sql = self._connection.execute, self._sql
        execute(sql["hold_hours"], (HOURS_LOCK,))
        judged = self._judge(casts)
        if any(isinstance(verdict, Rejected) and verdict.reason in MAY_BECOME_KNOWN for verdict in judged.verdicts):
            execute(sql["wait_for_registrations"], (ROLL_LOCK,))
            judged = self._judge(casts)
        self._store_votes(casts, judged)
        self._store_rejections(casts, judged)
        self._store_links(casts, judged, links)
        return judged.verdicts

    def _judge(self, casts: Sequence[Cast]) -> Judged:
        lists = self._lists()
        screened = [screen(cast, lists) for cast in casts]
        asked = sorted(
            (ballot.voter_id, ballot.election_id, number) for number, ballot in enumerate(screened) if isinstance(ballot, Ballot)
        )
        voters: dict[str, list[tuple[int, str]]] = {}
        for voter_id, election_id, number in asked:
            voters.setdefault(election_id, []).append((number, voter_id))
        known: dict[int, Known] = {}
        for election_id, named in voters.items():
            known |= self._known(casts, election_id, lists.electors[election_id], named)
        return Judged(lists, decide(screened, known), [number for _, _, number in asked])

    def _known(self, casts: Sequence[Cast], election_id: str, electors: Electors, voters: Sequence[tuple[int, str]]) -> dict[int, Known]:
        """Those of the voters, each with the number of a ballot, who were on the election's roll when it was appended."""
        question = {
            "election_id": election_id,
            "states": list(electors.states),
            "voters": orjson.dumps([voter_id for _, voter_id in voters]).decode(),
            "first": _moment(min(casts[number].appended_ms for number, _ in voters)),
        }
        known: dict[int, Known] = {}
        for place, announcement, voted_for, since_us in self._raw.execute(self._sql[ASK[electors.roll]], question).fetchall():
            number = voters[place - 1][0]
            if since_us is None or since_us <= casts[number].appended_ms * 1000:
                known[number] = announcement, voted_for
        return known

    def _lists(self) -> Lists:
        """Asked for each batch, and after it was read: an election may have been closed before that."""
        elections = self._connection.execute(self._sql["elections"]).fetchall()
        listed = self._connection.execute(self._sql["listed"]).fetchall()
        return Lists(
            {election_id: Hours(opens_us, closes_us) for election_id, opens_us, closes_us, _, _ in elections},
            {(election_id, candidate_id): since_us for election_id, candidate_id, since_us in listed},
            {election_id: Electors(roll, tuple(states)) for election_id, _, _, roll, states in elections},
        )

    def _store_votes(self, casts: Sequence[Cast], judged: Judged) -> None:
        """In the order of voters: two recorders with the same voters wait for each other in one direction only."""
        with self._connection.cursor().copy(self._sql["store_votes"]) as copy:
            copy.set_types(["varchar", "varchar", "timestamp", "text", "int4", "int8"])
            for number in judged.by_voter:
                verdict = judged.verdicts[number]
                if isinstance(verdict, Counted):
                    partition, offset, appended_ms, _ = casts[number]
                    election_id, voter_id, candidate_id = verdict.ballot
                    copy.write_row((voter_id, candidate_id, _voting_time(appended_ms), election_id, partition, offset))

    def _store_rejections(self, casts: Sequence[Cast], judged: Judged) -> None:
        rows = [
            (cast.partition, cast.offset, *judged.told(cast), verdict.reason.value, verdict.detail, _moment(cast.appended_ms))
            for cast, verdict in zip(casts, judged.verdicts, strict=True)
            if isinstance(verdict, Rejected)
        ]
        if rows:
            with self._connection.cursor().copy(self._sql["store_rejections"]) as copy:
                copy.set_types(["int4", "int8", "text", "text", "text", "text", "timestamptz"])
                for row in rows:
                    copy.write_row(row)

    def _store_links(self, casts: Sequence[Cast], judged: Judged, links: Links) -> None:
        """A link for each turn that a partition has: who replays the links in their order decides in the same order again."""
        made: list[Link] = []
        for partition, turn in groupby(zip(casts, judged.verdicts, strict=True), key=lambda one: one[0].partition):
            links[partition] = added = links[partition].following()
            head = added.head
            for cast, verdict in turn:
                _, offset, appended_ms, _ = cast
                if isinstance(verdict, Counted):
                    added.accepted += 1
                    head = link(head, vote_entry(offset, appended_ms, *verdict.ballot))
                else:
                    added.rejected += 1
                    head = link(head, rejection_entry(offset, appended_ms, verdict.reason, verdict.detail, *judged.told(cast)))
            added.head, added.next_offset = head, offset + 1
            made.append(added)
        rows = [asdict(one) for one in made]
        with self._connection.cursor() as cursor:
            cursor.executemany(self._sql["add_link"], rows)
            cursor.executemany(self._sql["advance"], rows)

    def _stored(self, casts: Sequence[Cast]) -> list[Verdict]:
        """What was decided about ballots that come again."""
        with self._connection.cursor().copy(self._sql["ask_again"]) as copy:
            copy.set_types(["int4", "int4", "int8", "varchar", "text"])
            for number, cast in enumerate(casts):
                voter_id, election_id = (
                    (cast.content.voter_id, cast.content.election_id) if isinstance(cast.content, Ballot) else (None, None)
                )
                copy.write_row((number, cast.partition, cast.offset, voter_id, election_id))
        rows = {number: rest for number, *rest in self._raw.execute(self._sql["stored"])}
        return [_stored_verdict(cast, *rows[number]) for number, cast in enumerate(casts)]


def _stored_verdict(cast: Cast, announcement: bytes | None, reason: bytes | None, detail: bytes | None) -> Verdict:
    if announcement is not None and isinstance(cast.content, Ballot):
        return Counted(cast.content, announcement)
    if reason is not None:
        return Rejected(Reason(reason.decode()), (detail or b"").decode())
    raise LedgerError(
        f"Ballot {cast.offset} of partition {cast.partition} was decided, but the ledger holds no verdict on it any more: a row was removed. "
        "`./livetally audit` says what else is missing, `./livetally rebuild ledger` makes the ledger again from the ballots."
    )


@lru_cache(maxsize=4096)  # the ballots of a batch were appended within a few of these
def _moment(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)


@lru_cache(maxsize=4096)
def _voting_time(ms: int) -> datetime:
    """In UTC without saying so, as the reference's column has it."""
    return _moment(ms).replace(tzinfo=None)
