"""A ledger that was filled before there was a chain gets the one that it would have had."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from electorate import CANDIDATES, cast_of, voter
from ledger_rows import Link, assert_chained, head_after, links, stored
from livetally.adapters import past
from livetally.adapters.ledger import Ledger
from livetally.adapters.postgres import Connection, connect, migrate
from livetally.adapters.queries import migrations, queries
from livetally.adapters.rights import Rights
from livetally.core.ballots import Reason
from livetally.core.chain import beginning, rejection_entry, vote_entry
from livetally.core.wire import voter_message
from rules import outcome_of
from servers import Servers

FOUNDATION, CHAINED = (text for _, _, text in migrations()[:2])
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Vote(NamedTuple):
    ms: int
    election_id: str
    voter_id: str
    candidate_id: str

    def entry(self, offset: int) -> bytes:
        return vote_entry(offset, *self)


class Refusal(NamedTuple):
    ms: int
    reason: str
    detail: str
    election_id: str | None
    voter_id: str | None

    def entry(self, offset: int) -> bytes:
        return rejection_entry(offset, *self)


class Partition(NamedTuple):
    """As it was stored without a chain."""

    number: int
    next_offset: int
    rows: dict[int, Vote | Refusal]  # by offset

    @property
    def accepted(self) -> int:
        return sum(isinstance(row, Vote) for row in self.rows.values())

    @property
    def head(self) -> bytes:
        return head_after(beginning(self.number), [self.rows[offset].entry(offset) for offset in sorted(self.rows)])


@pytest.fixture(scope="module")
def unmigrated(servers: Servers) -> Iterator[Connection]:
    """A database without a schema. What is tried in it is undone."""
    with closing(psycopg.connect(servers.url_of("postgres"), autocommit=True)) as administrator:
        administrator.execute("CREATE DATABASE unmigrated")
        with closing(connect(servers.url_of("unmigrated"), "tests", bounded=False, as_owner=True)) as connection:
            yield connection
        administrator.execute("DROP DATABASE unmigrated WITH (FORCE)")


def fill(connection: Connection, partitions: Sequence[Partition]) -> None:
    """The rows, by the schema's first form."""
    for partition in partitions:
        for offset, row in partition.rows.items():
            moment = EPOCH + timedelta(milliseconds=row.ms)
            if isinstance(row, Vote):
                connection.execute(
                    "INSERT INTO votes VALUES (%s, %s, %s, 1, %s, %s, %s)",
                    (row.voter_id, row.candidate_id, moment.replace(tzinfo=None), row.election_id, partition.number, offset),
                )
            else:
                connection.execute(
                    "INSERT INTO rejections VALUES (%s, %s, %s, %s, %s, %s, %s)",
                    (partition.number, offset, row.election_id, row.voter_id, row.reason, row.detail, moment),
                )
        refused = len(partition.rows) - partition.accepted
        connection.execute(
            "INSERT INTO recorded VALUES (%s, %s, %s, %s)", (partition.number, partition.next_offset, partition.accepted, refused)
        )


def rows(connection: Connection) -> object:
    return [
        connection.execute(f"SELECT * FROM {table} ORDER BY ballot_partition, ballot_offset").fetchall()
        for table in ("votes", "rejections")
    ]


STRANGE = [
    "'; DROP TABLE votes; --",
    '"',
    "\\",
    "\\N",
    "\t\r\n",
    "élection",
    "e\u0301",
    "日本",
    "\U0010ffff",
    " ",
    "%s",
    "{}",
    "\x01\x7f\u2028",
    "\ufeff",
]
texts = st.sampled_from(STRANGE) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
ids = texts.filter(bool)
moments = st.integers(0, 4102444800000) | st.sampled_from([0, 1, 999, 1000, 1778140800000, 1778140800001, 1778140800999])
refusals = st.builds(Refusal, moments, st.sampled_from([one.value for one in Reason]), texts, st.none() | ids, st.none() | ids)


@st.composite
def ledgers(draw: st.DrawFn) -> list[Partition]:
    voters = iter(draw(st.lists(st.tuples(ids, ids), unique=True, max_size=12)))  # nobody votes twice
    partitions = []
    for number in draw(st.lists(st.integers(0, 300), unique=True, max_size=4)):
        offset, found = 0, {}
        for _ in range(draw(st.integers(0, 8))):
            offset += draw(st.integers(0, 3))  # marks of transactions lie between ballots
            who = next(voters, None) if draw(st.booleans()) else None
            found[offset] = draw(refusals) if who is None else Vote(draw(moments), *who, draw(ids))
            offset += 1
        partitions.append(Partition(number, offset, found))
    return partitions


@settings(max_examples=40)
@given(ledgers())
@example([])
@example([Partition(7, 0, {})])
@example([Partition(7, 0, {}), Partition(3, 5, {4: Refusal(1, "malformed", "", None, None)}), Partition(12, 3, {})])
@example([Partition(0, len(STRANGE), {offset: Refusal(offset, "malformed", text, text, text) for offset, text in enumerate(STRANGE)})])
@example([Partition(0, len(STRANGE), {offset: Vote(offset, text, text, text) for offset, text in enumerate(STRANGE)})])
@example([Partition(10, 12, {offset: Vote(1778140800000 - offset, "e", f"v{offset}", "c") for offset in reversed(range(12))})])
def test_the_chain_of_an_older_ledger_is_the_one_that_python_makes(unmigrated: Connection, partitions: list[Partition]) -> None:
    with unmigrated.transaction(force_rollback=True):
        unmigrated.execute(FOUNDATION)
        fill(unmigrated, partitions)
        before = rows(unmigrated)
        unmigrated.execute(CHAINED)
        assert rows(unmigrated) == before
        begun = sorted(one for one in partitions if one.next_offset)
        assert past.heads(unmigrated) == [(one.number, one.next_offset, one.head) for one in begun]
        assert links(unmigrated) == [
            Link(one.number, 0, one.next_offset, one.accepted, len(one.rows) - one.accepted, beginning(one.number), one.head)
            for one in begun
        ]
        assert past.positions(unmigrated) == {one.number: one.next_offset for one in begun}
        assert_chained(unmigrated)


def test_a_recorder_goes_on_behind_what_was_decided_before(servers: Servers, unmigrated: Connection) -> None:
    """As `livetally` migrates it: by `migrate`, for good, and under the stage's own rights from then on."""
    sql = queries("schema")
    unmigrated.execute(sql["make_migrations_table"])
    unmigrated.execute(FOUNDATION)
    unmigrated.execute(sql["remember_migration"], migrations()[0][:2])
    unmigrated.execute(  # as it was added then, when an election had fewer columns
        "INSERT INTO elections (election_id, name, kind, status, seed, opens_at)"
        " VALUES ('e', 'Election e', 'simulated', 'open', 42, now() - interval '1 hour')"
    )
    for candidate_id in CANDIDATES:
        unmigrated.execute(
            "INSERT INTO candidates VALUES (%s, %s, 'Party', '', '', '', 'e', now() - interval '2 hours')", (candidate_id, candidate_id)
        )
    registered_at = datetime.now(UTC) - timedelta(hours=3)
    with unmigrated.cursor() as cursor:
        for person in map(voter, range(4)):
            row = (*person, registered_at, voter_message(person).decode())
            cursor.execute(f"INSERT INTO voters VALUES ({', '.join(['%s'] * len(row))})", row)
    moment = 1778140800123
    fill(
        unmigrated,
        [
            Partition(0, 2, {0: Vote(moment, "e", "v0", "c1"), 1: Refusal(moment, "unknown_voter", "", "e", "wähler\n'1'")}),
            Partition(1, 0, {}),
            Partition(2, 4, {3: Refusal(moment, "malformed", 'not "JSON"\tin UTF-8', None, None)}),
        ],
    )
    assert migrate(unmigrated) == [name for _, name, _ in migrations()[1:]]
    assert migrate(unmigrated) == []
    assert unmigrated.execute("SELECT count(*), sum(voters) FROM electorate_births").fetchone() == (4, 4)
    before = stored(unmigrated)
    with closing(connect(servers.url_of("unmigrated"), "tests", Rights.RECORD)) as stage:
        ledger = Ledger(stage)
        again = [cast_of(0, 0, "v0", "c1"), cast_of(0, 1, "wähler\n'1'")]
        assert [outcome_of(one) for one in ledger.decide([*again, cast_of(0, 2, "v0"), cast_of(1, 0, "v1"), cast_of(2, 4, "v2")])] == [
            *("accepted", "unknown_voter", "already_voted_other", "accepted", "accepted")
        ]
        assert stored(unmigrated) == before | {(0, 2): "already_voted_other", (1, 0): "accepted", (2, 4): "accepted"}
        assert_chained(unmigrated)
        assert [one[:3] for one in links(unmigrated)] == [(0, 0, 2), (2, 0, 4), (0, 2, 3), (1, 0, 1), (2, 4, 5)]
