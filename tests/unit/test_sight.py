"""What may be seen of a result: every policy, role and state of an election."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from livetally.core.access import Role
from livetally.core.elections import VISIBILITIES, Election, Visible
from livetally.core.sight import Sight, may_know_of, may_see_sums, sight, tells_no_more

NOW = datetime(2026, 5, 7, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STATES: dict[str, dict[str, Any]] = {
    "draft": {"status": "draft", "opens_at": None},
    "open": {"status": "open"},
    "closing": {"status": "closed", "closes_at": NOW + timedelta(seconds=1)},  # said so, and takes ballots for another second
    "over": {"status": "open", "closes_at": NOW},  # nobody has said so
    "closed": {"status": "closed", "closes_at": NOW - HOUR},
    "certified": {"status": "certified", "closes_at": NOW - HOUR},
}


def election(state: str, visible: Visible = "live", **fields: Any) -> Election:
    given: dict[str, Any] = {"kind": "real", "opens_at": NOW - 2 * HOUR, "closes_at": None, "visible": visible}
    return Election(election_id="e", name="E", seed=1, **given | STATES[state] | fields)


PUBLIC = {
    "live": {"draft": 0, "open": 2, "closing": 2, "over": 2, "closed": 2, "certified": 2},
    "turnout": {"draft": 0, "open": 1, "closing": 1, "over": 2, "closed": 2, "certified": 2},
    "officials": {"draft": 0, "open": 0, "closing": 0, "over": 0, "closed": 0, "certified": 0},
}


@pytest.mark.parametrize(("visible", "state"), [*product(VISIBILITIES, STATES)])
def test_the_public_sees_what_the_policy_says(visible: Visible, state: str) -> None:
    for role in (Role.VIEWER, Role.OBSERVER):
        assert sight(election(state, visible), role, NOW) == PUBLIC[visible][state]


@pytest.mark.parametrize(("visible", "state"), [*product(VISIBILITIES, STATES)])
def test_officials_see_everything_and_a_simulation_hides_nothing(visible: Visible, state: str) -> None:
    for role in (Role.OFFICIAL, Role.ADMIN):
        assert sight(election(state, visible), role, NOW) is Sight.RESULT
    assert all(sight(election(state, visible, kind="simulated"), role, NOW) is Sight.RESULT for role in Role)


def test_what_is_published_is_everybodys() -> None:
    assert sight(election("closed", "officials", published_at=NOW), Role.VIEWER, NOW) is Sight.RESULT


def test_nobody_but_officials_knows_of_a_draft_unless_it_is_a_rehearsal() -> None:
    assert [may_know_of(election("draft"), role) for role in Role] == [False, False, True, True]
    assert all(may_know_of(election("draft", kind="simulated"), role) for role in Role)
    assert all(may_know_of(election(state), Role.VIEWER) for state in STATES if state != "draft")


def test_an_election_whose_end_has_come_is_closed_whoever_looks() -> None:
    assert [election(state).status_at(NOW) for state in STATES] == ["draft", "open", "closed", "closed", "closed", "certified"]
    assert [election(state).takes_ballots(NOW) for state in STATES] == [False, True, True, False, False, False]
    later = election("open", opens_at=NOW + HOUR)
    assert (later.status_at(NOW), later.takes_ballots(NOW), later.takes_ballots(NOW + HOUR)) == ("open", False, True)


@pytest.mark.parametrize("seen", Sight)
def test_an_alert_about_a_candidate_is_a_part_of_the_result(seen: Sight) -> None:
    assert tells_no_more("c0", seen) == (seen is Sight.RESULT)
    assert tells_no_more("", seen)


def test_sums_over_all_elections_are_hidden_by_one_that_hides_its_turnout() -> None:
    def may(*elections: Election) -> bool:
        return may_see_sums([(one, sight(one, Role.OBSERVER, NOW)) for one in elections])

    assert may()
    assert may(election("open"), election("open", "turnout"), election("draft"), election("open", "officials", kind="simulated"))
    assert not may(election("open"), election("open", "officials"))
