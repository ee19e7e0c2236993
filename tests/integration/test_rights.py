"""All stages need no more than the role's rights: here they log in as somebody who has no others to fall back to."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import psycopg
import pytest

from ledger_rows import assert_chained
from livetally.adapters.database import Database
from livetally.adapters.kafka import Announcer
from livetally.adapters.postgres import connect
from livetally.adapters.pulse import Pulses
from livetally.adapters.roll import Roll
from livetally.audit.walk import audit
from livetally.commands.results import read_board
from livetally.core.wire import VOTES, topics
from livetally.record.rebuild import rebuild_votes_topic
from livetally.register.people import people
from livetally.register.register import open_simulated_elections, register_voters
from pipeline import PARTITIONS, Pipeline, Spark, await_tallied, ballot, recording, tallying

VOTERS = 40


@pytest.fixture
def guest(pipeline: Pipeline) -> Iterator[Pipeline]:
    """The same pipeline for somebody who may become the role that the stages work under, and has no right of their own."""
    pipeline.sql("CREATE ROLE guest LOGIN NOINHERIT PASSWORD 'guest' IN ROLE livetally_app")
    url = urlsplit(pipeline.database_url)
    yield replace(pipeline, database_url=url._replace(netloc=f"guest:guest@{url.netloc.split('@')[1]}").geturl())
    pipeline.sql("DROP OWNED BY guest")
    pipeline.sql("DROP ROLE guest")


def test_a_whole_election_by_somebody_who_owns_nothing(pipeline: Pipeline, guest: Pipeline, spark: Spark) -> None:
    with closing(psycopg.connect(guest.database_url)) as bare, pytest.raises(psycopg.errors.InsufficientPrivilege):
        bare.execute("SELECT FROM votes")
    register(guest)
    election_id, candidates = offered(guest)
    pipeline.cast(b"no ballot", ballot("nobody", candidates[0], election_id))
    for (voter_id,) in pipeline.sql("SELECT voter_id FROM voters ORDER BY voter_id"):
        pipeline.cast(ballot(voter_id, candidates[0], election_id), key=voter_id.encode())
    with recording(guest), tallying(guest, spark) as tally:
        pipeline.await_decided()
        await_tallied(pipeline, tally)
    report = audit(guest.kafka, guest.database_url)
    assert (report.differences, report.tallied, sum(report.rejected.values())) == ([], VOTERS, 2)
    assert look(guest) == [VOTERS] * 4
    votes_topic = next(topic for topic in topics(PARTITIONS) if topic.name == VOTES)
    assert rebuild_votes_topic(guest.kafka, guest.database_url, votes_topic, 1) == f"{VOTERS} votes have been published again."
    assert_chained(pipeline.connection)


def register(guest: Pipeline) -> None:
    with closing(connect(guest.database_url, "register")) as connection:
        roll, announcer = Roll(connection), Announcer(guest.kafka)
        open_simulated_elections(roll, announcer, 42, VOTERS, datetime.now(UTC))
        register_voters(roll, announcer, people, "made up", 42, VOTERS, lambda _: None, threading.Event())


def offered(guest: Pipeline) -> tuple[str, list[str]]:
    with closing(connect(guest.database_url, "simulate")) as connection:
        roll = Roll(connection)
        (election,) = roll.elections()
        return election.election_id, [one.candidate_id for one in roll.candidates(election.election_id)]


def look(guest: Pipeline) -> list[int]:
    """How many votes or voters everybody sees who only looks."""
    with Pulses(guest.kafka, guest.database_url) as pulses, closing(Database(guest.database_url)) as database:
        pulse = pulses.take()
        return [pulse.accepted, pulse.tallied, read_board(guest.database_url)["total_votes"], database.registered()]
