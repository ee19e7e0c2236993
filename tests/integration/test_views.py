"""Every table and the past, as somebody with nothing but SQL reads them, against the ledger."""

from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from livetally.adapters.cells import Batch, Cells, Changes
from livetally.adapters.history import History
from livetally.adapters.postgres import connect
from livetally.adapters.rights import Rights
from livetally.commands.results import read_board
from livetally.core.wire import VOTES, utc_text
from pipeline import ELECTION, Pipeline, Spark, await_tallied, tally_all, tallying, wait_for

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
        far = {"turnout_by_state": ("Far State",), "turnout_by_city": ("Far State", "Far City"), "turnout_by_gender": ("diverse",)}.get(
            table
        )
        if far:
            expected.append((*far, 0, 7, 0))
        assert Counter(pipeline.sql(f"SELECT {columns}, votes, registered, turnout FROM {table}")) == Counter(expected), table
    for table, (columns, groups) in BY_CANDIDATE.items():
        expected = pipeline.sql(
            f"SELECT {groups}, candidate_id, count(*) FROM ({PEOPLE}) AS p WHERE has_voted GROUP BY {groups}, candidate_id"
        )
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
    with closing(connect(pipeline.database_url, "tests", Rights.LOOK)) as connection:
        past = History(connection)
        whole, part = past.series(ELECTION), past.series(ELECTION, state="State 1")
        assert past.late(ELECTION) == 0
    ledger = "SELECT candidate_id, count(*) FROM votes JOIN voters USING (voter_id) WHERE voting_time < %s"
    for number, end in enumerate(whole.ends):
        said = {candidate_id: votes[number] for candidate_id, votes in whole.votes.items() if votes[number]}
        assert said == dict(pipeline.sql(f"{ledger} GROUP BY candidate_id", (end.replace(tzinfo=None),)))
    for number, end in enumerate(part.ends):
        said = {candidate_id: votes[number] for candidate_id, votes in part.votes.items() if votes[number]}
        assert said == dict(pipeline.sql(f"{ledger} AND address_state = 'State 1' GROUP BY candidate_id", (end.replace(tzinfo=None),)))


def test_a_vote_that_cannot_be_read_is_counted_and_shown(pipeline: Pipeline, spark: Spark) -> None:
    pipeline.hold_election(3)
    pipeline.cast_votes(range(3))
    pipeline.record_all()
    pipeline.cast(b"{no vote", None, b'{"election_id": "\\u0000", "candidate_id": "c0"}', topic=VOTES)
    tally_all(pipeline, spark)
    board = read_board(pipeline.database_url)
    assert (board["total_votes"], board["unreadable_votes"], board["late_votes"]) == (3, 2, 0)
    assert pipeline.sql("SELECT sum(votes) FROM cells") == [(6,)]
    assert pipeline.sql("SELECT election_id FROM cells WHERE election_id NOT IN ('e', 'unknown')") == [("\ufffd",)]


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
    assert past.late("e") == 1
    assert pipeline.sql("SELECT total_votes FROM votes_per_candidate WHERE candidate_id = 'c0'") == [(5,)]
    assert past.series("e").votes == {"c0": [3, 5, 5], "c1": [0, 0, 1]}


@pytest.mark.parametrize("points_max", [7, 500])
def test_the_past_stays_exact_when_its_minutes_become_hours(pipeline: Pipeline, points_max: int) -> None:
    pipeline.hold_election(1)
    kept, past = Kept(pipeline), History(pipeline.connection)
    for step in range(90):
        moment = NOON + timedelta(minutes=47 * step + step % 7)
        kept.store((moment, ("Kent", "Devon")[step % 2], f"c{step % 3}"), (moment, "Kent", "c1"))
    kept.store((NOON + timedelta(minutes=95), "Kent", "c2"))  # late by days, for an hour that has been made one already
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
