"""Whose business a difference is: of the elections that a witness names, or of all of them."""

from livetally.audit.compare import compare
from livetally.audit.report import DIFFERENCES_MAX, SHARED, Refused, Report, Said
from livetally.audit.tables import _compare
from livetally.audit.totals import audit_cells
from livetally.core.ballots import Ballot
from livetally.core.tally import Cell

AT = "2026-05-07 08:00:00.000"


def said(election_id: str) -> Said:
    return Said(election_id, "v", "c", AT)


def cast(election_id: str) -> tuple[Ballot, str, bytes]:
    return Ballot(election_id, "v", "c"), AT, b"{}"


def elections_of(ballot: object, ledger: object, vote: object, refusal: object = None) -> set[str]:
    report = Report()
    compare(report, "ballots_topic[0] offset 7", ballot, ledger, vote, refusal)
    return set(report.differing)


def test_a_ballot_concerns_every_election_that_a_witness_names() -> None:
    assert elections_of(cast("a"), said("a"), said("a")) == set()
    assert elections_of(cast("a"), said("b"), said("b")) == {"a", "b"}
    assert elections_of(cast("a"), said("a"), said("b")) == {"a", "b"}
    assert elections_of(cast("a"), None, None) == {"a"}
    assert elections_of(None, said("a"), None) == {"a"}
    assert elections_of(cast("a"), Refused("not_open"), None) == {"a"}
    assert elections_of(cast("a"), Refused("not_open"), said("a"), Refused("not_open", b"{}")) == {"a"}
    assert elections_of((None, AT, b"?"), None, None) == {SHARED}
    assert elections_of((None, AT, b"?"), Refused("malformed"), None) == {SHARED}


def test_a_total_concerns_its_own_election() -> None:
    report = Report()
    cell = Cell("a", "c", "Kent", "Dover", "female", "65+")
    audit_cells(report, {cell: 1}, {})
    _compare(report, "history", {("by minute", "b", ("Kent",), "c"): 1}, {})
    assert {election_id: one.total for election_id, one in report.differing.items()} == {"a": 1, "b": 1}


def test_another_elections_differences_are_not_held_against_one() -> None:
    report = Report()
    report.differ("here", "a")
    report.differ("both", "a", "b", "a")
    assert (list(report.against("a")), list(report.against("b")), list(report.against("c"))) == (["here", "both"], ["both"], [])
    assert (report.told_of("c")["ok"], report.told_of("c")["chain_ok"], report.ok) == (True, True, False)
    report.differ("chain")
    assert [list(report.against(one)) for one in "abc"] == [["here", "both", "chain"], ["both", "chain"], ["chain"]]
    assert (report.told_of("c")["ok"], report.told_of("c")["chain_ok"]) == (False, False)
    assert report.as_json()["differing"] == {SHARED: 1, "a": 2, "b": 1}
    assert (report.differences, report.differences_total) == (["here", "both", "chain"], 3)


def test_many_differences_of_one_election_do_not_hide_those_of_another() -> None:
    report = Report()
    for _ in range(DIFFERENCES_MAX + 5):
        report.differ("there", "b")
    report.differ("here", "a")
    assert list(report.against("a")) == ["here"]
    assert (report.told_of("b")["differences_total"], len(report.told_of("b")["differences"])) == (DIFFERENCES_MAX + 5, DIFFERENCES_MAX)
    assert (len(report.differences), report.differences_total) == (DIFFERENCES_MAX, DIFFERENCES_MAX + 6)
