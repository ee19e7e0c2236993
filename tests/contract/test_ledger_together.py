"""Several at once: recorders who decide the same ballots, registrations that are not finished, an election that is being closed."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta

from electorate import add_election, add_voters, candidate, cast_of, casting
from ledger_rows import Outcomes, assert_chained, stored
from livetally.adapters.ledger import Ledger
from livetally.adapters.postgres import Connection, connect
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.core.ballots import Ballot
from livetally.core.verdicts import Cast, Verdict
from rules import (
    outcome_of,
    outcomes_of,
)
from waiting import WITHIN_S, wait_for


def test_two_recorders_that_decide_the_same_and_overlapping_batches_never_disagree(database_url: str, connection: Connection) -> None:
    people = 60
    add_election(connection)
    add_voters(connection, range(people))
    # Both partitions hold everybody, in opposite orders: the worst that two recorders can do to each other.
    forth = [cast_of(0, number, f"v{number}", "c0") for number in range(people)]
    back = [cast_of(1, number, f"v{people - 1 - number}", "c1") for number in range(people)]
    nobody = [cast_of(2, number, f"nobody {number}") for number in range(people)]
    everything = [*forth, *back, *nobody]

    def decide(size: int, first: int) -> Outcomes:
        with closing(connect(database_url, "tests", Rights.RECORD)) as own:
            ledger, found = Ledger(own), []
            barrier.wait()
            for start in range(first, len(everything), size):
                found += ledger.decide(everything[start : start + size])
            return outcomes_of(everything[first:], found)

    barrier = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        tasks = [pool.submit(decide, size, first) for size, first in ((180, 0), (180, 0), (60, 60), (45, 0))]
        said = [task.result() for task in tasks]
    ledger = stored(connection)
    assert len(ledger) == 3 * people
    for outcomes in said:
        assert outcomes == {place: ledger[place] for place in outcomes}
    assert connection.execute("SELECT count(*), count(DISTINCT voter_id) FROM votes").fetchall() == [(people, people)]
    assert_chained(connection)


def deciding(database_url: str, batch: Sequence[Cast]) -> tuple[threading.Thread, list[Verdict]]:
    found: list[Verdict] = []

    def work() -> None:
        with closing(connect(database_url, "a recorder", Rights.RECORD)) as own:
            found.extend(Ledger(own).decide(batch))

    thread = threading.Thread(target=work)
    thread.start()
    return thread, found


def is_waiting(connection: Connection, who: str = "a recorder") -> bool:
    row = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE %s AND wait_event_type = 'Lock' AND wait_event = 'advisory'",
        (f"livetally {who}%",),
    ).fetchone()
    return row == (1,)


def test_a_registration_that_is_not_committed_yet_is_waited_for(database_url: str, connection: Connection) -> None:
    add_election(connection)
    with closing(connect(database_url, "tests", as_owner=True)) as registrar:
        with Roll(registrar).changing():
            add_voters(registrar, [0])
            thread, found = deciding(database_url, [cast_of(0, 0, "v0"), cast_of(0, 1, "v1")])
            wait_for(lambda: is_waiting(connection), "the ledger waits for the registration")
            assert thread.is_alive()
        thread.join()
    assert [outcome_of(one) for one in found] == ["accepted", "unknown_voter"]


def test_while_it_waits_for_a_registration_a_later_ballot_does_not_overtake(database_url: str, connection: Connection) -> None:
    """The voter's first ballot is for somebody whose listing is not committed yet, the second for somebody known."""
    add_election(connection)
    add_voters(connection, [0])
    with closing(connect(database_url, "tests", as_owner=True)) as registrar:
        with Roll(registrar).changing():
            Roll(registrar).add_candidates([candidate("listed")])
            registrar.execute("UPDATE candidates SET listed_at = listed_at - interval '1 hour' WHERE candidate_id = 'listed'")
            thread, found = deciding(database_url, [cast_of(0, 0, "v0", "listed"), cast_of(0, 1, "v0", "c0")])
            wait_for(lambda: is_waiting(connection), "the ledger waits for the registration")
        thread.join()
    assert [outcome_of(one) for one in found] == ["accepted", "already_voted_other"]
    assert_chained(connection)


def test_closing_an_election_waits_for_the_batches_that_are_being_decided(database_url: str, connection: Connection) -> None:
    """By the old hours. So nobody is told a moment of closing before which a ballot was judged otherwise."""
    add_election(connection)
    add_voters(connection, [0, 1])
    closing_times: list[datetime] = []

    def close() -> None:
        with closing(connect(database_url, "a closer", Rights.ORGANISE)) as own:
            closing_times.append(Roll(own).close_election("e"))

    closer = threading.Thread(target=close)

    def in_the_middle() -> None:
        closer.start()
        wait_for(lambda: is_waiting(connection, "a closer"), "closing waits for the batch")

    with closing(connect(database_url, "a recorder", Rights.RECORD)) as own:
        (verdict,) = Ledger(own).decide([cast_of(0, 0, "v0")], before_commit=in_the_middle)
        assert outcome_of(verdict) == "accepted"
        closer.join(WITHIN_S)
        assert len(closing_times) == 1
        late = casting(0, 1, Ballot("e", "v1", "c0"), closing_times[0] + timedelta(milliseconds=1))
        assert [outcome_of(one) for one in Ledger(own).decide([late])] == ["not_open"], "the next batch reads the new hours"


def test_a_batch_waits_for_an_election_that_is_being_closed(database_url: str, connection: Connection) -> None:
    add_election(connection)
    add_voters(connection, [0, 1])
    with closing(connect(database_url, "a closer", Rights.ORGANISE)) as own:
        with own.transaction():
            closes_at = Roll(own).close_election("e")
            step = timedelta(milliseconds=1)
            batch = [casting(0, 0, Ballot("e", "v0", "c0"), closes_at - step), casting(0, 1, Ballot("e", "v1", "c0"), closes_at + step)]
            thread, found = deciding(database_url, batch)
            wait_for(lambda: is_waiting(connection), "the batch waits until the election is closed")
        thread.join(WITHIN_S)
    assert [outcome_of(one) for one in found] == ["accepted", "not_open"]
