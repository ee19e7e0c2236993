"""The peer that everybody writes first: poll one ballot, parse it, insert, commit, produce. Again.

This is the loop of the reference pipeline, without its sleep and with the rollback that it lacks. It produces as the reference
does: after the commit, `poll(0)`, no flush per vote. It does less than *record*: it asks nobody whether the voter and the
candidate exist, its messages lack the voter's fields, and a crash between commit and produce loses a message.
"""

import json
import sys
import time
from contextlib import closing

import psycopg
from confluent_kafka import Consumer, Producer

from livetally.adapters.reading import ends
from livetally.core.wire import BALLOTS, VOTES, ms_text
from peers.terms import Terms, begun, candidates_of, done, read_terms

INSERT = """
INSERT INTO votes (voter_id, candidate_id, voting_time, election_id, ballot_partition, ballot_offset) VALUES (%s, %s, %s, %s, %s, %s)
"""


def main() -> None:
    terms = read_terms()
    consumer = Consumer(
        {"bootstrap.servers": terms.kafka, "group.id": "bench-per-vote-loop", "auto.offset.reset": "earliest", "enable.auto.commit": False}
    )
    consumer.subscribe([BALLOTS])
    with closing(consumer), psycopg.connect(terms.database_url) as connection:
        run(terms, consumer, connection)


def run(terms: Terms, consumer: Consumer, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    producer = Producer({"bootstrap.servers": terms.kafka})
    candidates = candidates_of(connection)
    connection.commit()
    ballots = accepted = 0
    there_are = sum(ends(consumer, BALLOTS).values())
    message = consumer.poll(terms.first_within_s)
    begun()
    began_s = time.monotonic()
    while ballots < there_are and time.monotonic() < began_s + terms.seconds:
        if message is None or message.error():
            sys.exit(f"no ballot: {message and message.error()}")
        ballots += 1
        try:
            ballot = json.loads((message.value() or b"").decode("utf-8"))
            voting_time = ms_text(message.timestamp()[1])
            connection.execute(
                INSERT,
                (
                    ballot["voter_id"],
                    ballot["candidate_id"],
                    voting_time,
                    ballot["election_id"],
                    message.partition(),
                    message.offset(),
                ),
            )
            connection.commit()
        except (ValueError, KeyError, psycopg.IntegrityError, psycopg.DataError):  # malformed, or a second ballot
            connection.rollback()
        else:
            vote = ballot | candidates.get(ballot["candidate_id"], {}) | {"voting_time": voting_time, "vote": 1}
            producer.produce(VOTES, key=ballot["voter_id"], value=json.dumps(vote))
            producer.poll(0)
            accepted += 1
        message = consumer.poll(1.0) if ballots < there_are else None
    producer.flush()
    done(ballots, accepted, time.monotonic() - began_s)


if __name__ == "__main__":
    main()
