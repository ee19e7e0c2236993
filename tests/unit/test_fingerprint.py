"""What a count depends on: whoever counts by something else does not go on from its checkpoint."""

from unittest.mock import patch

import pytest

from livetally.core.tally import AGE_GROUPS, Cell
from livetally.tally import checkpoint
from livetally.tally.checkpoint import fingerprint

SWAPPED = (*Cell._fields[:2], Cell._fields[3], Cell._fields[2], *Cell._fields[4:])
REDEFINED = tuple((lowest + 1 if lowest else 0, name) for lowest, name in AGE_GROUPS)
OURS = ("cluster", "topic", "ledger")


def test_the_same_count_has_the_same_fingerprint() -> None:
    assert fingerprint(*OURS) == fingerprint(*OURS)


def test_groups_that_are_swapped_or_ages_redefined_make_another_one() -> None:
    ours = fingerprint(*OURS)
    with patch.object(Cell, "_fields", SWAPPED):
        assert fingerprint(*OURS) != ours
    with patch.object(checkpoint, "AGE_GROUPS", REDEFINED):
        assert fingerprint(*OURS) != ours


@pytest.mark.parametrize("place", range(len(OURS)))
def test_other_votes_or_another_ledger_make_another_one(place: int) -> None:
    others = [*OURS]
    others[place] = "another"
    assert fingerprint(*others) != fingerprint(*OURS)
