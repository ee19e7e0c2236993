"""No stage needs more than its role's rights: here each logs in as a user of its own, who has no others to fall back to."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import LiteralString
from urllib.parse import urlsplit

import psycopg
import pytest

from ledger_rows import assert_chained
from livetally.adapters.agreement import Witnesses
from livetally.adapters.database import Database
from livetally.adapters.kafka import Announcer
from livetally.adapters.looking import Looking
from livetally.adapters.postgres import connect, migrate
from livetally.adapters.pulse import Pulses
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.audit.walk import audit
from livetally.commands.results import read_board
from livetally.core.ballots import Reason
from livetally.core.errors import LedgerError
from livetally.core.wire import VOTES, topics
from livetally.record.cast_again import CastAgain, cast_again
from livetally.record.rebuild import rebuild_votes_topic
from livetally.register.people import people
from livetally.register.register import open_simulated_elections, register_voters
from pipeline import PARTITIONS, Pipeline, Spark, await_tallied, ballot, recording, tallying

VOTERS = 40

Users = dict[Rights, Pipeline]


@pytest.fixture
def users(pipeline: Pipeline) -> Iterator[Users]:
    """The same pipeline for each stage's own user, who may become the role of that stage, and has no right of their own."""
    url = urlsplit(pipeline.database_url)
    for rights in Rights:
        pipeline.sql(f"CREATE ROLE {user_of(rights)} LOGIN NOINHERIT PASSWORD 'guest' IN ROLE {rights}")
    yield {
        rights: replace(pipeline, database_url=url._replace(netloc=f"{user_of(rights)}:guest@{url.netloc.split('@')[1]}").geturl())
        for rights in Rights
    }
    for rights in Rights:
        pipeline.sql(f"DROP OWNED BY {user_of(rights)}")
        pipeline.sql(f"DROP ROLE {user_of(rights)}")


def user_of(rights: Rights) -> LiteralString:
    return f"user_of_{rights}"


def test_a_whole_election_by_users_who_own_nothing(pipeline: Pipeline, users: Users, spark: Spark) -> None:
    for rights, user in users.items():
        with closing(psycopg.connect(user.database_url)) as bare, pytest.raises(psycopg.errors.InsufficientPrivilege):
            bare.execute("SELECT FROM elections")
        with closing(connect(user.database_url, "schema", as_owner=True)) as owner:
            assert migrate(owner) == [], f"{rights}: where there is nothing to migrate, nobody has to be the owner"
    register(users[Rights.REGISTER])
    election_id, candidates = offered(users[Rights.CAST])
    pipeline.cast(b"no ballot", ballot("nobody", candidates[0], election_id), ballot("later", "later", election_id))
    for (voter_id,) in pipeline.sql("SELECT voter_id FROM voters ORDER BY voter_id"):
        pipeline.cast(ballot(voter_id, candidates[0], election_id), key=voter_id.encode())
    with recording(users[Rights.RECORD]), tallying(users[Rights.TALLY], spark) as tally:
        pipeline.await_decided()
        await_tallied(pipeline, tally)
    looking = users[Rights.LOOK]
    report = audit(looking.kafka, looking.database_url)
    assert (report.differences, report.tallied, sum(report.rejected.values())) == ([], VOTERS, 3)
    assert look(looking) == [VOTERS] * 3
    assert show(users[Rights.SHOW], election_id) == [VOTERS] * 4
    again = CastAgain()
    cast_again(pipeline.kafka, users[Rights.CAST].database_url, Reason.UNKNOWN_CANDIDATE, again, threading.Event())
    assert again.refused == {Reason.UNKNOWN_CANDIDATE: 1}
    recorder = users[Rights.RECORD]
    votes_topic = next(topic for topic in topics(PARTITIONS) if topic.name == VOTES)
    assert rebuild_votes_topic(recorder.kafka, recorder.database_url, votes_topic, 1) == f"{VOTERS} votes have been published again."
    assert_chained(pipeline.connection)
    with closing(connect(users[Rights.ORGANISE].database_url, "run", Rights.ORGANISE)) as connection:
        Roll(connection).close_election(election_id)


def test_who_comes_with_the_user_of_another_stage_is_told_what_is_missing(users: Users) -> None:
    for user, needed in ((Rights.CAST, Rights.RECORD), (Rights.SHOW, Rights.LOOK)):
        with pytest.raises(LedgerError, match=f'run: GRANT {needed} TO "{user_of(user)}";'):
            connect(users[user].database_url, "tests", needed)


def register(guest: Pipeline) -> None:
    with closing(connect(guest.database_url, "register", Rights.REGISTER)) as connection:
        roll, announcer = Roll(connection), Announcer(guest.kafka)
        open_simulated_elections(roll, announcer, 42, VOTERS, datetime.now(UTC))
        register_voters(roll, announcer, people, "made up", 42, VOTERS, lambda _: None, threading.Event())


def offered(guest: Pipeline) -> tuple[str, list[str]]:
    with closing(connect(guest.database_url, "simulate", Rights.CAST)) as connection:
        roll = Roll(connection)
        (election,) = roll.elections()
        return election.election_id, [one.candidate_id for one in roll.candidates(election.election_id)]


def look(guest: Pipeline) -> list[int]:
    """How many votes those see who only look."""
    with Pulses(guest.kafka, guest.database_url) as pulses:
        pulse = pulses.take()
        return [pulse.accepted, pulse.tallied, read_board(guest.database_url)["total_votes"]]


def show(guest: Pipeline, election_id: str) -> list[int]:
    """How many votes or voters the page finds, wherever it asks; by all that it asks."""
    url = guest.database_url
    with closing(Database(url)) as database, closing(Looking(url)) as looking, closing(Witnesses(url)) as witnesses:
        assert [one.election_id for one in database.elections()] == [election_id]
        assert database.candidate_count(election_id) == 3
        assert looking.best(election_id)
        assert looking.before(election_id, datetime.now(UTC) + timedelta(hours=1))
        assert database.recounting() is None
        assert dict(database.rejected()[election_id]).keys() == {Reason.UNKNOWN_VOTER, Reason.UNKNOWN_CANDIDATE}
        assert "show" in database.stages()
        tallied = witnesses.tallied(None, whole=True)
        assert tallied is not None
        assert not tallied.unlike
        recorded = witnesses.recorded(tallied.positions)
        assert witnesses.rewritten().ledger[0] == 0
        ends = looking.series(election_id, "", 10).votes.values()
        return [database.registered(), sum(tallied.sums.values()), recorded.rows, sum(votes[-1] for votes in ends if votes)]
