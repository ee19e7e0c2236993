"""What a run is to do beside what there is already, and where the simulated electorate votes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from livetally.commands.plan import Before, make_plan
from livetally.commands.simulations import chosen_simulation
from livetally.core.elections import Election, Kind, Status
from livetally.core.errors import ElectionError
from livetally.register.register import SEEDS, new_simulated_elections

NOW = datetime(2026, 5, 7, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def election(name: str, status: Status = "open", kind: Kind = "simulated", seed: int = 7, closes_at: datetime | None = None) -> Election:
    return Election(name, f"Election {name}", kind, status, seed, NOW - HOUR, closes_at)


def before(*newest_first: Election, planned: int | None = 500) -> Before:
    return Before([*newest_first], planned, 600, NOW)


def test_where_nothing_is_a_run_does_what_it_is_told() -> None:
    plan = make_plan(before(planned=None), None, None, None, 1000, 42)
    assert (plan.voters, plan.seed, plan.elections, plan.remarks) == (1000, 42, 1, ())
    plan = make_plan(before(planned=None), 5, 6, 3, 1000, 42)
    assert (plan.voters, plan.seed, plan.elections) == (5, 6, 3)


def test_interrupted_elections_are_gone_on_with_all_of_them() -> None:
    were = before(election("b", seed=8), election("a", seed=7), election("old", "closed"), election("draft", "draft"))
    plan = make_plan(were, None, None, None, 1000, 42)
    assert (plan.voters, plan.seed, plan.elections) == (500, 7, 2)
    assert plan.remarks == ("Election a, Election b were interrupted; they go on where they were.",)
    changed = make_plan(were, 400, 9, 3, 1000, 42)
    assert (changed.voters, changed.seed, changed.elections) == (500, 7, 2)
    assert [remark.split(" and keeps")[0] for remark in changed.remarks[1:]] == [
        "It was begun with --seed 7",
        "It was begun with --voters 500",
        "It was begun with --elections 2",
    ]


def test_what_is_over_is_left_alone() -> None:
    plan = make_plan(before(election("a", closes_at=NOW)), 700, None, 2, 1000, 42)
    assert (plan.voters, plan.elections) == (700, 2)
    assert plan.remarks == ("Election a is over; 2 new ones begin beside it (--fresh would delete the old one).",)


@pytest.mark.parametrize("status", ["draft", "open"])
def test_beside_a_real_election_nothing_is_run(status: Status) -> None:
    with pytest.raises(ElectionError, match=r"'board' .* is a real election and not over"):
        make_plan(before(election("a"), election("board", status, "real")), None, None, None, 1000, 42)


def test_new_elections_have_ids_and_seeds_of_their_own() -> None:
    made = new_simulated_elections([election("simulation-3"), election("mine"), election("board", kind="real")], 3, SEEDS - 1, NOW)
    assert [one.election_id for one in made] == ["simulation-4", "simulation-5", "simulation-6"]
    assert [one.seed for one in made] == [SEEDS - 1, 0, 1]
    assert {one.status for one in made} == {"open"}


def test_the_electorate_votes_in_the_newest_that_is_open() -> None:
    assert chosen_simulation([election("c", closes_at=NOW), election("b"), election("a")], None, NOW).election_id == "b"


def test_the_electorate_votes_beside_a_real_election_only_where_it_is_told_to() -> None:
    both = [election("rehearsal"), election("board", kind="real")]
    with pytest.raises(ElectionError, match=r"'board' is a real election.*has to be named: --election ID"):
        chosen_simulation(both, None, NOW)
    assert chosen_simulation(both, "rehearsal", NOW).election_id == "rehearsal"


@pytest.mark.parametrize("status", ["draft", "open", "closed", "certified"])
def test_nobody_is_simulated_in_a_real_election(status: Status) -> None:
    with pytest.raises(ElectionError, match="'board' is a real election; nobody votes there but real people"):
        chosen_simulation([election("rehearsal"), election("board", status, "real")], "board", NOW)


def test_people_who_are_made_up_are_on_no_list() -> None:
    with pytest.raises(ElectionError, match="The roll of 'a' is a list"):
        chosen_simulation([replace(election("a"), roll="list")], None, NOW)


@pytest.mark.parametrize("one", [election("a", "draft"), election("a", "closed"), election("a", closes_at=NOW)])
def test_nobody_votes_where_nothing_is_open(one: Election) -> None:
    with pytest.raises(ElectionError, match="No election is open"):
        chosen_simulation([one], None, NOW)
    with pytest.raises(ElectionError, match="'a' is not open"):
        chosen_simulation([one], "a", NOW)
