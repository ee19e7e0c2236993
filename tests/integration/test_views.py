"""Every table and the past, as somebody with nothing but SQL reads them, against the ledger."""

from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from random import Random
from typing import Any

import orjson
import pytest

from livetally.adapters import postgres
from livetally.adapters.board import Board
from livetally.adapters.cells import Batch, Cells, Changes
from livetally.adapters.history import History
from livetally.adapters.postgres import connect
from livetally.adapters.rights import Rights
from livetally.commands.results import parse_time, read_board
from livetally.core.wire import VOTES, utc_text
from pipeline import CANDIDATES, ELECTION, Pipeline, Spark, Worker, await_tallied, tally_all, tallying, wait_for

# Each table, and the same asked of roll and ledger. Ages in the electorate are those of the day on which the election opened.
AGE_GROUP = """
CASE WHEN age < 18 THEN 'under 18' WHEN age < 25 THEN '18-24' WHEN age < 35 THEN '25-34' WHEN age < 45 THEN '35-44'
     WHEN age < 55 THEN '45-54' WHEN age < 65 THEN '55-64' ELSE '65+' END
"""
PEOPLE = f"""
    SELECT v.*, x.candidate_id, x.voter_id IS NOT NULL AS has_voted,
           (SELECT {AGE_GROUP} FROM (SELECT extract(year FROM age(e.opens_at::date, v.date_of_birth::date)) AS age) AS a) AS age_group
    FROM voters v CROSS JOIN elections e LEFT JOIN votes x USING (voter_id)
"""
TURNOUT = {
    "turnout_by_state": ("state", "address_state"),
    "turnout_by_city": ("state, city", "address_state, address_city"),
    "turnout_by_gender": ("gender", "gender"),
    "turnout_by_age": ("age_group", "age_group"),
}
FAR = {"turnout_by_state": ("Far State",), "turnout_by_city": ("Far State", "Far City"), "turnout_by_gender": ("diverse",)}
BY_CANDIDATE = {
    "votes_by_state": ("state", "address_state"),
    "votes_by_city": ("state, city", "address_state, address_city"),
    "votes_by_gender": ("gender", "gender"),
    "votes_by_age": ("age_group", "age_group"),
}


def test_every_table_is_what_roll_and_ledger_say_also_where_nobody_has_voted(pipeline: Pipeline, spark: Spark) -> None:
    pipeline.hold_election(40)
    pipeline.sql("INSERT INTO electorate VALUES ('Far State', 'Far City', 'diverse', 7)")
    pipeline.cast_votes(range(20))
    pipeline.record_all()
    with tallying(pipeline, spark) as worker:
        await_tallied(pipeline, worker)
        wait_for(lambda: pipeline.sql("SELECT sum(registered) FROM turnout_by_state") == [(47,)], "the registered are known")
    for table, (columns, groups) in TURNOUT.items():
        expected = pipeline.sql(
            f"SELECT {groups}, count(*) FILTER (WHERE has_voted), count(*), round(avg(has_voted::int), 6) FROM ({PEOPLE}) AS p GROUP BY {groups}"
        )
        if far := FAR.get(table):
            expected.append((*far, 0, 7, 0))
        assert Counter(pipeline.sql(f"SELECT {columns}, votes, registered, turnout FROM {table}")) == Counter(expected), table
    for table, (columns, groups) in BY_CANDIDATE.items():
        expected = pipeline.sql(
            f"SELECT {groups}, c.candidate_id, count(*) FILTER (WHERE p.candidate_id = c.candidate_id) "
            f"FROM ({PEOPLE}) AS p CROSS JOIN candidates c GROUP BY {groups}, c.candidate_id"
        )
        if far := FAR.get(table.replace("votes", "turnout")):
            expected += [(*far, candidate_id, 0) for candidate_id in CANDIDATES]
        assert Counter(pipeline.sql(f"SELECT {columns}, candidate_id, votes FROM {table}")) == Counter(expected), table
    candidates = (
        "SELECT candidate_id, candidate_name, party_affiliation, count(voter_id) FROM candidates LEFT JOIN votes USING (candidate_id)"
    )
    assert Counter(pipeline.sql("SELECT candidate_id, candidate_name, party_affiliation, total_votes FROM votes_per_candidate")) == Counter(
        pipeline.sql(f"{candidates} GROUP BY candidate_id")
    )
    assert Counter(pipeline.sql("SELECT party_affiliation, total_votes FROM votes_per_party")) == Counter(
        pipeline.sql(
            "SELECT party_affiliation, count(voter_id) FROM candidates LEFT JOIN votes USING (candidate_id) GROUP BY party_affiliation"
        )
    )
    told = {fields["state"]: fields for fields in (message.fields for message in pipeline.read("aggregated_turnout_by_location"))}
    assert {state: fields["registered"] for state, fields in told.items()} == dict(
        pipeline.sql("SELECT address_state, count(*) FROM voters GROUP BY address_state")
    )
    assert all(fields["turnout"] == round(fields["count"] / fields["registered"], 6) for fields in told.values())


def test_votes_per_minute_are_what_the_ledger_says(pipeline: Pipeline, spark: Spark) -> None:
    pipeline.hold_election(30)
    pipeline.cast_votes(range(30))
    pipeline.record_all()
    tally_all(pipeline, spark)
    expected = {
        (utc_text(begins.replace(tzinfo=UTC)), utc_text(begins.replace(tzinfo=UTC) + timedelta(minutes=1)), candidate_id, votes)
        for begins, candidate_id, votes in pipeline.sql(
            "SELECT date_trunc('minute', voting_time), candidate_id, count(*) FROM votes GROUP BY 1, 2"
        )
    }
    messages = {message.key: message.fields for message in pipeline.read("aggregated_votes_per_minute")}
    names = ("window_start", "window_end", "candidate_id", "total_votes")
    assert {tuple(fields[name] for name in names) for fields in messages.values()} == expected
    assert {fields["election_id"] for fields in messages.values()} == {ELECTION}
    by_minute = "SELECT date_trunc('minute', voting_time) AT TIME ZONE 'UTC' AS minute, address_state, candidate_id FROM votes JOIN voters USING (voter_id)"
    for table, group in (
        ("votes_per_minute", "minute, candidate_id"),
        ("votes_per_minute_by_state", "address_state, minute, candidate_id"),
    ):
        columns = group.replace("minute", "from_time").replace("address_state", "state")
        rows = pipeline.sql(f"SELECT election_id, {columns}, span_minutes, votes, late FROM {table}")
        assert Counter(rows) == Counter(pipeline.sql(f"SELECT 'e', {group}, 1, count(*), 0 FROM ({by_minute}) AS v GROUP BY {group}")), (
            table
        )
    with closing(connect(pipeline.database_url, "tests", Rights.LOOK)) as connection:
        past = History(connection)
        whole, part = past.series(ELECTION), past.series(ELECTION, state="State 1")
        assert past.off_pace(ELECTION) == (0, 0)
    ledger = "SELECT candidate_id, count(*) FROM votes JOIN voters USING (voter_id) WHERE voting_time < %s"
    for number, end in enumerate(whole.ends):
        said = {candidate_id: votes[number] for candidate_id, votes in whole.votes.items() if votes[number]}
        assert said == dict(pipeline.sql(f"{ledger} GROUP BY candidate_id", (end.replace(tzinfo=None),)))
    for number, end in enumerate(part.ends):
        said = {candidate_id: votes[number] for candidate_id, votes in part.votes.items() if votes[number]}
        assert said == dict(pipeline.sql(f"{ledger} AND address_state = 'State 1' GROUP BY candidate_id", (end.replace(tzinfo=None),)))


def test_the_result_at_a_moment_is_exact_to_the_millisecond_wherever_somebody_asks(pipeline: Pipeline) -> None:
    pipeline.hold_election(12)
    for number in (3, 1, 4, 1, 5, 9, 2, 6):
        pipeline.cast_votes([number])
    pipeline.record_all()
    votes: list[tuple[datetime, str]] = [(row[0], row[1]) for row in pipeline.sql("SELECT voting_time, candidate_id FROM votes")]
    cells = Cells(pipeline.connection)
    zones = (None, UTC, timezone(timedelta(hours=-9.5)), timezone(timedelta(hours=5.75)))
    for (cast_at, _), difference, zone in product(votes, (-MS, 0 * MS, MS), zones):
        moment = cast_at + difference
        asked = (moment if zone is None else moment.replace(tzinfo=UTC).astimezone(zone)).isoformat()
        said = {one.candidate_id: one.total_votes for one in cells.results(ELECTION, parse_time(asked))}
        counted = Counter(candidate_id for voting_time, candidate_id in votes if voting_time <= moment)
        assert said == dict.fromkeys(CANDIDATES, 0) | counted, asked


def test_the_result_at_a_moment_may_take_longer_than_a_stage_s_transaction(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts the ledger, however large that is."""
    pipeline.hold_election(1)
    monkeypatch.setattr(postgres, "TRANSACTION_TIMEOUT_MS", 300)
    at_work = """
        SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'livetally results%' AND clock_timestamp() - query_start > interval '0.6 s'
    """

    def is_at_work() -> bool:
        assert asking.is_alive, asking.fault
        return pipeline.connection.execute(at_work).rowcount == 1

    with closing(connect(pipeline.database_url, "tests", bounded=False, as_owner=True)) as other, other.transaction():
        other.execute("LOCK TABLE votes")
        asking = Worker(lambda _: read_board(pipeline.database_url, at=NOON.replace(tzinfo=None)))
        wait_for(is_at_work, "it waits for the ledger")
    asking.stop()


def test_an_election_whose_time_is_over_is_told_as_closed(pipeline: Pipeline) -> None:
    pipeline.hold_election(1)
    assert read_board(pipeline.database_url)["status"] == "open"
    pipeline.sql("UPDATE elections SET closes_at = clock_timestamp()")
    assert pipeline.sql("SELECT status FROM elections") == [("open",)]  # nobody has said so yet
    assert read_board(pipeline.database_url)["status"] == "closed"


def endless_vote() -> bytes:
    """Its names together are longer than the key of a table may be, and nothing in them comes twice."""
    random = Random(7)
    election_id, candidate_id, gender, state, city = ("".join(chr(random.randrange(0x4E00, 0x9FFF)) for _ in range(250)) for _ in range(5))
    vote = {"election_id": election_id, "candidate_id": candidate_id, "gender": gender, "address": {"state": state, "city": city}}
    return orjson.dumps(vote)


def test_a_vote_that_cannot_be_read_is_counted_and_shown(pipeline: Pipeline, spark: Spark) -> None:
    pipeline.hold_election(3)
    pipeline.cast_votes(range(3))
    pipeline.record_all()
    nobodys = (b"{no vote", None, b'{"election_id": "\\u0000", "candidate_id": "c0"}', b'{"election_id": "e"}', endless_vote())
    closed = utc_text(datetime.now(UTC) - timedelta(minutes=5))
    late = orjson.dumps({"election_id": "e", "candidate_id": "nobody", "voting_time": closed})
    untimed = b'{"election_id": "e", "candidate_id": "c0"}'
    behind_all_times = b'{"election_id": "e", "candidate_id": "c0", "voting_time": "9999-12-31 23:59:59.999"}'
    with tallying(pipeline, spark) as worker:
        await_tallied(pipeline, worker)
        pipeline.cast(*nobodys, late, untimed, behind_all_times, topic=VOTES)
        await_tallied(pipeline, worker)
    assert pipeline.sql("SELECT candidate_id, votes, late FROM votes_per_minute WHERE late > 0") == [("nobody", 0, 1)]
    board = read_board(pipeline.database_url)
    assert {name: board[name] for name in board if name.endswith("_votes")} == {
        "total_votes": 5,
        "unreadable_votes": 6,
        "late_votes": 0,
        "untimed_votes": 2,
    }
    result = Board(pipeline.connection).result(ELECTION)
    assert (result.total_votes, result.unreadable) == (5, 6)
    assert pipeline.sql("SELECT sum(votes) FROM cells") == [(11,)]
    assert pipeline.sql("SELECT election_id FROM cells WHERE election_id NOT IN ('e', 'unknown')") == [("\ufffd",)]


MS = timedelta(milliseconds=1)
NOON = datetime(2026, 5, 7, 12, 0, tzinfo=UTC)


class Kept:
    """A count that is given batches by hand: what it keeps of the past depends on nothing but them."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._connection = pipeline.connection
        self._cells = Cells(pipeline.connection)
        self._generation = self._cells.begin("fingerprint", "first count").number
        self._batch = 0
        self.cast: list[tuple[datetime, str, str]] = []

    def store(self, *votes: tuple[datetime, str, str]) -> Changes:
        """Each vote: when, in which state, for whom."""
        self.cast += votes
        counts = Counter((state, candidate_id, int(moment.timestamp()) // 60) for moment, state, candidate_id in votes)
        rows = "".join(
            f"e,{candidate_id},{state},A City,female,65+,{minute},{number}\n" for (state, candidate_id, minute), number in counts.items()
        )
        starts, ends = ({0: self._batch} if self._batch else {}), {0: self._batch + 1}
        batch = Batch(self._batch, rows.encode(), starts, ends, max(int(moment.timestamp()) for moment, *_ in votes))
        with self._connection.transaction():
            changes = self._cells.store(self._generation, batch)
        assert changes is not None
        self._batch += 1
        return changes

    def before(self, end: datetime, state: str = "") -> Counter[str]:
        return Counter(candidate_id for moment, place, candidate_id in self.cast if moment < end and (not state or place == state))


def test_a_vote_that_comes_when_its_minute_is_closed_is_missing_in_the_pace_alone(pipeline: Pipeline) -> None:
    pipeline.hold_election(1)
    kept, past = Kept(pipeline), History(pipeline.connection)
    kept.store((NOON, "Kent", "c0"), (NOON + timedelta(seconds=119), "Kent", "c0"))
    on_time = kept.store((NOON + timedelta(seconds=59), "Kent", "c0"), (NOON + timedelta(seconds=120), "Kent", "c1"))
    assert {(one.begins, one.candidate_id): one.votes for one in on_time.minutes} == {
        (NOON, "c0"): 2,
        (NOON + timedelta(minutes=2), "c1"): 1,
    }
    late = kept.store((NOON + timedelta(seconds=1), "Kent", "c0"), (NOON + timedelta(seconds=61), "Devon", "c0"))
    assert {(one.begins, one.candidate_id): one.votes for one in late.minutes} == {(NOON, "c0"): 2, (NOON + timedelta(minutes=1), "c0"): 2}
    assert past.off_pace("e") == (1, 0)
    first, second, third = (NOON + timedelta(minutes=number) for number in range(3))
    assert pipeline.sql("SELECT from_time, span_minutes, candidate_id, votes, late FROM votes_per_minute ORDER BY 1, 3") == [
        (first, 1, "c0", 2, 1),
        (second, 1, "c0", 2, 0),
        (third, 1, "c1", 1, 0),
    ]
    assert pipeline.sql("SELECT state, from_time, candidate_id, votes, late FROM votes_per_minute_by_state ORDER BY 1, 2, 3") == [
        ("Devon", second, "c0", 1, 0),
        ("Kent", first, "c0", 2, 1),
        ("Kent", second, "c0", 1, 0),
        ("Kent", third, "c1", 1, 0),
    ]
    assert pipeline.sql("SELECT total_votes FROM votes_per_candidate WHERE candidate_id = 'c0'") == [(5,)]
    assert past.series("e").votes == {"c0": [3, 5, 5], "c1": [0, 0, 1]}


@pytest.mark.parametrize("points_max", [7, 500])
def test_the_past_stays_exact_when_its_minutes_become_hours(pipeline: Pipeline, points_max: int) -> None:
    pipeline.hold_election(1)
    kept, past = Kept(pipeline), History(pipeline.connection)
    for step in range(90):
        moment = NOON + timedelta(minutes=47 * step + step % 7)
        kept.store((moment, ("Kent", "Devon")[step % 2], f"c{step % 3}"), (moment, "Kent", "c1"))
    late = kept.store((NOON + timedelta(minutes=95), "Kent", "c2"))  # by days, for an hour that has been made one already
    assert late.minutes == [], "nobody knows what was in its minute"
    announced_anew = Cells(pipeline.connection).changes(1, since_batch=0).minutes
    assert all(minute.votes for minute in announced_anew)
    assert announced_anew
    kept.store((NOON + timedelta(minutes=47 * 92), "Kent", "c0"))
    spans: list[tuple[Any, ...]] = pipeline.sql("SELECT span_minutes, min(from_time), max(from_time) FROM history GROUP BY 1 ORDER BY 1")
    assert [span for span, *_ in spans] == [1, 60]
    assert spans[1][2] < spans[0][2] - timedelta(hours=46)
    for state in ("", "Kent", "Devon"):
        series = past.series("e", state, points_max)
        assert 0 < len(series.ends) <= points_max
        for number, end in enumerate(series.ends):
            said = {candidate_id: votes[number] for candidate_id, votes in series.votes.items() if votes[number]}
            assert said == kept.before(end, state), (state, end)
        assert series.ends[-1] > max(moment for moment, place, _ in kept.cast if state in {"", place})
