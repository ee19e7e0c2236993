"""What a person does at the worst moment, and what must come of it."""

import os
import signal
from functools import partial

import psutil
import psycopg

from commandline import Livetally, wait_until

SLOWLY = "80"  # ballots a second: however slow the machine is, nobody has come to the end when something is killed


def _recorded(livetally: Livetally) -> int:
    counts = livetally.json("status").get("counts")
    return int(counts["recorded"]) if counts else 0


def test_killed_in_the_middle_a_run_goes_on_and_loses_nothing(other_livetally: Livetally) -> None:
    """kill -9 of the supervisor, which leaves everything else running; then Ctrl+C; then to the end."""
    livetally = other_livetally
    livetally.begin("run", "--voters", "12000", "--rate", SLOWLY, "--no-dashboard")
    wait_until(partial(_has_recorded_more, livetally, 100), "ballots are recorded")
    _kill_supervisor(livetally)
    assert livetally.processes(), "the services outlive a supervisor that was killed"

    second = livetally.begin("run", "--rate", SLOWLY, "--voters", "10", "--seed", "7", "--no-dashboard")
    second.wait_for("ended what it had left running")
    second.wait_for("was interrupted; it goes on where it was")
    second.wait_for("It was begun with --seed 42 and keeps it")
    second.wait_for("It was begun with --voters 12000 and keeps them")
    recorded = _recorded(livetally)
    wait_until(partial(_has_recorded_more, livetally, recorded), "the count goes on")
    assert second.end(signal.SIGINT) == 130
    assert "goes on where this was" in second.said()
    assert livetally.processes() == []

    livetally("run", "--rate", "max", "--exit-when-done", "--no-dashboard")
    audit, results = livetally.json("audit"), livetally.json("results")
    assert audit["ok"]
    assert results["registered"] == 12000
    assert results["total_votes"] == audit["accepted"]
    assert set(audit["rejected"]) <= {"already_voted_same"}, "casting again after a crash repeats ballots, and nothing else"


def test_stages_and_services_that_die_are_started_again_and_the_count_goes_on(other_livetally: Livetally) -> None:
    livetally = other_livetally
    run = livetally.begin("run", "--voters", "48000", "--rate", SLOWLY, "--no-dashboard")
    wait_until(partial(_has_recorded_more, livetally, 100), "ballots are recorded")
    for name in ("simulate", "record", "record-2", "kafka", "postgres", "tally"):
        recorded = _recorded(livetally)
        pid = livetally.json("status")["processes"][name]
        os.kill(pid, signal.SIGKILL)
        run.wait_for(f"{name} was ended by SIGKILL; starting it again")
        wait_until(partial(_has_gone_on, livetally, recorded), f"the count goes on after {name} was killed\n{run.said()}")
    assert run.end(signal.SIGINT) == 130
    rest = livetally.begin("run", "--rate", "max", "--no-dashboard")
    rest.wait_for("Press Ctrl+C to stop everything.")
    assert "Ballots, ledger, votes topic and tallies agree." in rest.said()
    assert livetally.json("audit")["ok"]
    assert rest.end(signal.SIGTERM) == 0


def test_a_stage_by_itself_stops_cleanly_and_says_so(other_livetally: Livetally) -> None:
    livetally = other_livetally
    livetally("up")
    assert "No election is open" in livetally("record", expect=2).stderr
    assert "No election is open" in livetally("simulate", expect=2).stderr
    livetally("register", "--voters", "500")
    assert "0 people newly registered" in livetally("register", "--voters", "500").stderr
    record, tally = livetally.begin("record"), livetally.begin("tally")
    record.wait_for('event="recording"')
    livetally("simulate")
    wait_until(lambda: int(livetally.json("status")["counts"]["tallied"]) > 300, f"votes are tallied\n{tally.said()}")
    assert record.end() == 0
    assert "record: left the group after" in record.said()
    assert tally.end() == 0
    assert "tally: stopped after the last batch" in tally.said()
    assert livetally.json("audit")["ok"]
    livetally("down")


def test_one_data_directory_has_one_owner(other_livetally: Livetally) -> None:
    livetally = other_livetally
    livetally("up")
    refused = livetally("run", "--no-dashboard", expect=2).stderr
    assert "in use by process" in refused
    assert "down" in refused
    assert "running already" in livetally("up").stderr
    assert "Everything has been stopped" in livetally("down").stderr
    assert "Nothing is running" in livetally("down").stderr


def test_a_real_election_is_never_deleted_nor_simulated(other_livetally: Livetally) -> None:
    livetally = other_livetally
    livetally("up")
    url = next(one["address"] for one in livetally.json("status")["services"] if one["service"] == "database")
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO elections (election_id, name, kind, status, seed, opens_at) VALUES ('board', 'Our board', 'real', 'open', 0, now())"
        )
    assert "is a real election" in livetally("simulate", expect=2).stderr
    assert "The real election 'board' is open" in livetally("register", "--voters", "1", expect=2).stderr
    livetally("down")
    assert "is a real election and not over" in livetally("run", "--no-dashboard", expect=2).stderr
    assert "is a real election; --fresh does not delete it" in livetally("run", "--fresh", expect=2).stderr
    assert livetally.json("sql", "SELECT name FROM elections") == [{"name": "Our board"}]


def test_errors_say_what_to_do(other_livetally: Livetally) -> None:
    livetally = other_livetally
    assert "nothing to look at" in livetally("results", expect=2).stderr
    assert "nothing to look at" in livetally("audit", expect=2).stderr
    assert not livetally.data_dir.exists(), "looking makes nothing"
    livetally.environment |= {"LIVETALLY_KAFKA_PROT": "9092", "LIVETALLY_KAFKA_PORT": "none"}
    wrong = livetally("status", expect=2).stderr
    assert "LIVETALLY_KAFKA_PROT: there is no such setting" in wrong
    assert "LIVETALLY_KAFKA_PORT" in wrong
    assert "not between" in livetally("run", "--voters", "-1", expect=2).stderr
    assert "neither a number nor `max`" in livetally("run", "--rate", "fast", expect=2).stderr


def _kill_supervisor(livetally: Livetally) -> None:
    supervisor = psutil.Process(int(livetally.json("status")["supervisor"]))
    supervisor.kill()
    wait_until(lambda: not supervisor.is_running() or supervisor.status() == psutil.STATUS_ZOMBIE, "the supervisor is dead")


def _has_gone_on(livetally: Livetally, before: int) -> bool:
    """More is recorded, or nothing is left to be counted (a ballot that was cast again is recorded and never tallied)."""
    if livetally.begin("status").wait() != 0:
        return False
    status = livetally.json("status")
    return bool(status["counts"]["recorded"] > before or status["settled"])


def _has_recorded_more(livetally: Livetally, before: int) -> bool:
    """While a service is away, `status` exits with 1, and nothing is known."""
    return livetally.begin("status").wait() == 0 and _recorded(livetally) > before
