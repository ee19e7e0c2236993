"""`bench record`, as small as it can be: every figure is there, and every contender recorded the same ballots."""

from typing import Any

import pytest

from benching import benched

BALLOTS, VOTES_RETAINED = 2_000, 2_400
GOOD, BAD_OF_A_KIND = 1_940, 12
STEADY, NOT_COUNTED = 50, 300  # of the steady ballots, those of the first three seconds
SIZES = (
    f"--ballots={BALLOTS} --votes-retained={VOTES_RETAINED} --peer-seconds=20 --latency-seconds=0.5 --latency-rate={STEADY / 0.5}".split()
)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return benched("record", SIZES, tmp_path_factory.mktemp("bench"), {"LIVETALLY_RECORD_BATCH_BALLOTS_MAX": "200"})


def test_every_promised_figure_is_a_number(result: Any) -> None:
    promised = (
        "votes_per_s",
        "ratio_to_loop",
        "ratio_to_rows",
        "retained_rate",
        "latency_p50_ms",
        "latency_p99_ms",
        "peak_memory_bytes",
        "peak_memory_ratio",
    )
    assert {name: result[name] for name in promised if not (isinstance(result[name], int | float) and result[name] >= 0)} == {}


def test_each_vote_has_its_cost(result: Any) -> None:
    assert result["per_vote"]["processor_us"].keys() >= {"python", "postgresql", "broker"}
    assert all(
        result["per_vote"]["bytes"][name] > 0 for name in ("postgresql_heap", "postgresql_indexes", "postgresql_wal", "kafka_votes_topic")
    )


def test_what_was_recorded_is_what_had_to_be(result: Any) -> None:
    assert (result["ok"], result["faults"]) == (True, [])
    (fill,) = result["fills"]
    assert (fill["ballots"], fill["votes"]) == (BALLOTS, GOOD)
    assert result["retained"]["votes"] == VOTES_RETAINED
    assert result["latency"]["ballots"] == STEADY


def test_both_peers_recorded_the_same_votes(result: Any) -> None:
    """Neither asks whether somebody is on the roll, so the unknown count there."""
    before, after = GOOD + BAD_OF_A_KIND, GOOD + BAD_OF_A_KIND + STEADY + NOT_COUNTED
    counted = {name: [run["votes"] for run in runs] for name, runs in result["peers"].items()}
    assert counted == {"per_vote_loop": [before, after], "rows_32": [before, after]}


def test_fsync_is_on(result: Any) -> None:
    assert result["machine"]["postgresql_settings"]["fsync"] == "on"
