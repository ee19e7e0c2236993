"""Answers that are not there yet, or that could not be asked for anew: the page says so, and never calls them those of now."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from livetally.show.past import Answer
from pages import NOW, Told, marked, markup, page, snapshot, text, whole

ELECTION = whole({"Ada": 300, "Bo": 200})
EARLIER = NOW - timedelta(minutes=10)
AWAY = "PostgreSQL is away"


class Asked(Told):
    """Everything that it knows it knows from ten minutes ago, because PostgreSQL is away since."""

    def place(self, election_id: str, county: str, city: str = "") -> Answer[Any]:
        return replace(super().place(election_id, county, city), asked_at=EARLIER, trouble=AWAY)

    def ahead(self, election_id: str) -> Answer[Any]:
        return replace(super().ahead(election_id), asked_at=EARLIER, trouble=AWAY)


@pytest.mark.parametrize(("asked", "lines"), [(Asked, 2), (Told, 0)], ids=["PostgreSQL away", "PostgreSQL there"])
def test_a_place_of_ten_minutes_ago_says_so(asked: type[Told], lines: int) -> None:
    """The map's leaders, and the place itself."""
    test = page(snapshot(ELECTION), "Places", asked(own={("Kent", ""): ELECTION}), county="Kent")
    said = marked(test, "last-known")
    assert len(said) == lines
    assert all("The last known, of 20:50:10: it cannot be asked anew now." in one for one in said)


def test_a_past_that_is_being_asked_for_is_no_past_without_a_minute() -> None:
    assert "It is being asked" in text(markup(page(snapshot(ELECTION), "Over time", Told())))
