"""Results of one place, and of an earlier moment, put together from votes by candidate and what is known of the election now. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from livetally.adapters.places import ByCandidate, Place
from livetally.core.tally import UNKNOWN
from livetally.show.past import Ahead, Then
from livetally.show.result import Group, Result, Standing, by_votes, lead_of, ranked


def ahead_of(votes: ByCandidate) -> Ahead:
    """Of the candidates of one place, at least the two best and all who are level with them."""
    if not votes or not (most := max(votes.values())):
        return Ahead()
    first = tuple(sorted(candidate_id for candidate_id, count in votes.items() if count == most))
    next_votes = max((count for count in votes.values() if count < most), default=0)
    return Ahead(first, most, 0 if len(first) > 1 else most - next_votes)


def place_result(now: Result, county: str, city: str, place: Place) -> Result:
    """Everybody who stands in the election, with the votes of this place."""
    group = Group(city or county, sum(place.votes.values()), place.registered, within=county if city else "")
    cities = by_votes(Group(one.name, one.votes, one.registered, within=county) for one in place.cities)
    return replace(_with_votes(now, place.votes), places=(group,), cities=cities)


def then(now: Result, moment: datetime, everywhere: ByCandidate, places: Mapping[str, ByCandidate]) -> Then:
    """All places that there are now, those too where nobody had voted yet."""
    registered = {one.name: one.registered for one in now.places}
    groups = (Group(name, sum(places.get(name, {}).values()), registered.get(name)) for name in registered.keys() | places.keys())
    result = replace(_with_votes(now, everywhere), places=by_votes(groups), cities=())
    return Then(moment, result, {name: ahead_of(votes) for name, votes in places.items()})


def _with_votes(now: Result, votes: ByCandidate) -> Result:
    """Candidates of whom nobody knows the name yet are called by their id. The people are not known here."""
    known = {one.candidate_id: one for one in now.candidates}
    nameless = (Standing(candidate_id, candidate_id, "", "", "", "", 0) for candidate_id in votes.keys() - known.keys())
    standings = ranked(replace(one, votes=votes.get(one.candidate_id, 0)) for one in (*known.values(), *nameless))
    parties: dict[str, int] = {}
    for one in standings:
        if one.votes:
            parties[one.party or UNKNOWN] = parties.get(one.party or UNKNOWN, 0) + one.votes
    return replace(
        now,
        total_votes=sum(one.votes for one in standings),
        candidates=standings,
        lead=lead_of(standings),
        parties=by_votes(Group(name, count) for name, count in parties.items()),
        genders=(),
        ages=(),
    )
