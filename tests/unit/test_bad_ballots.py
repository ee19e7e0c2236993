"""The whole corpus of bad ballots, read by the part that does no I/O."""

import pytest

from bad_ballots import COUNTS, MALFORMED, BadBallot, bad_ballots
from livetally.core.ballots import Ballot, Reason, Rejected, parse

CORPUS = bad_ballots("e1", "c1", lambda number: f"v{number}")


@pytest.mark.parametrize("bad", CORPUS, ids=[bad.name for bad in CORPUS])
def test_each_gets_its_verdict(bad: BadBallot) -> None:
    verdict = parse(bad.key, bad.value)
    if bad.verdict == MALFORMED:
        assert isinstance(verdict, Rejected)
        assert verdict.reason is Reason.MALFORMED
        assert verdict.detail
    else:  # it can be read; whether election, candidate and voter are known is for the ledger to say
        assert isinstance(verdict, Ballot)
        is_known = (verdict.election_id == "e1", verdict.candidate_id == "c1", verdict.voter_id == f"v{CORPUS.index(bad)}")
        assert is_known == (bad.verdict != "unknown_election", bad.verdict != "unknown_candidate", bad.verdict != "unknown_voter")


def test_the_corpus_is_what_it_says() -> None:
    names = [bad.name for bad in CORPUS]
    assert len(set(names)) == len(names), "each name stands for one ballot"
    values = [(bad.key, bad.value) for bad in CORPUS]
    assert len(set(values)) > 0.8 * len(values), "most differ in their bytes: each has a voter of its own"
    reasons = {str(reason) for reason in Reason} - {"not_open", "already_voted_same", "already_voted_other"}
    assert {bad.verdict for bad in CORPUS} == reasons | {COUNTS}
