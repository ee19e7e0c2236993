"""What of a snapshot somebody may see. Pure. Everything that is drawn for a viewer, shown or taken home, comes from what this lets through.

Cut at the source, not where it is drawn: a page cannot show by mistake what it was never given. The policy itself is `core/sight.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from livetally.core.access import Person, Role
from livetally.core.elections import Election
from livetally.core.sight import Sight, may_know_of, may_see_sums, sight, tells_no_more
from livetally.show.past import Ahead, Answer, Asking, Series, Then
from livetally.show.result import Facts, Nobody, Result, Snapshot, ranked
from livetally.show.trust import Agreement, Trust

HIDDEN = "The result is not shown yet."


def role_in(person: Person, election_id: str) -> Role:
    """What somebody is for this election: a role that is for others counts as none."""
    return person.role if person.elections is None or election_id in person.elections else Role.VIEWER


def sight_of(person: Person, election: Election, now: datetime) -> Sight:
    return sight(election, role_in(person, election.election_id), now)


def sees_trust(person: Person, election: Election) -> bool:
    """Alerts, rejected ballots and what exactly differs: of a simulation everybody's, of a real election the observers'."""
    return election.simulated or role_in(person, election.election_id) >= Role.OBSERVER


def seen_by(person: Person, snapshot: Snapshot, now: datetime) -> Snapshot:
    """Of elections of which PostgreSQL has not said what is to be seen of them, nothing is."""
    known = snapshot.facts.elections if snapshot.facts else ()
    sights = {one.election_id: sight_of(person, one, now) for one in known}
    trusted = frozenset(one.election_id for one in known if sees_trust(person, one))
    whole = frozenset(election_id for election_id, seen in sights.items() if seen is Sight.RESULT)
    some = frozenset(election_id for election_id, seen in sights.items() if seen is not Sight.NOTHING)
    results = snapshot.results and {
        election_id: result if election_id in whole else sealed(result)
        for election_id, result in snapshot.results.items()
        if election_id in some
    }
    last_minute = {
        election_id: changes if election_id in whole else replace(changes, candidates=())
        for election_id, changes in snapshot.last_minute.items()
        if election_id in some
    }
    hides_counts = not may_see_sums((one, sights[one.election_id]) for one in known) or (not known and bool(snapshot.results))
    return replace(
        snapshot,
        results=results,
        facts=snapshot.facts and _facts(snapshot.facts, person, trusted),
        last_minute=last_minute,
        agreement=_agreement(snapshot.agreement, trusted & whole, is_all=len(trusted & whole) == len(known), hides_counts=hides_counts),
        trust=_trust(snapshot.trust, trusted, sights, hides_counts=hides_counts),
    )


def sealed(result: Result) -> Result:
    """How many have voted, where and who; not for whom. Candidates by name: their order must not tell."""
    candidates = ranked(replace(one, votes=0) for one in result.candidates)
    return replace(result, candidates=candidates, lead=Nobody(), parties=())


def _facts(facts: Facts, person: Person, trusted: frozenset[str]) -> Facts:
    elections = tuple(one for one in facts.elections if may_know_of(one, role_in(person, one.election_id)))
    known = {one.election_id for one in elections}
    candidates = {election_id: count for election_id, count in facts.candidates.items() if election_id in known}
    rolls = {election_id: count for election_id, count in facts.rolls.items() if election_id in known}
    return replace(facts, elections=elections, candidates=candidates, rolls=rolls, rejected=_of(facts.rejected, trusted))


def _agreement(agreement: Agreement, open_to: frozenset[str], *, is_all: bool, hides_counts: bool) -> Agreement:
    """Where they differ names candidates and numbers. What is of no single election is shown to who may see all of them."""
    differences = tuple(one for one in agreement.differences if one.election_id in open_to or (not one.election_id and is_all))
    shown = replace(agreement, differences=differences, hides_places=len(differences) < len(agreement.differences))
    return replace(shown, ledger=0, topic=0, tally=0, behind=0, hides_counts=True) if hides_counts else shown


def _trust(trust: Trust, trusted: frozenset[str], sights: Mapping[str, Sight], *, hides_counts: bool) -> Trust:
    alerts = {
        election_id: tuple(one for one in found if tells_no_more(one.candidate_id, sights[election_id]))
        for election_id, found in trust.alerts.items()
        if election_id in trusted
    }
    shown = replace(trust, alerts=alerts, rejected=_of(trust.rejected, trusted))
    return replace(shown, waiting=(), unreadable_votes=0) if hides_counts else shown


def _of(rejected: Mapping[str, tuple[tuple[str, int], ...]], trusted: frozenset[str]) -> Mapping[str, tuple[tuple[str, int], ...]]:
    """Ballots that name no election are shown to whoever may see those of any."""
    return {election_id: found for election_id, found in rejected.items() if election_id in trusted or (not election_id and trusted)}


@dataclass(frozen=True, slots=True)
class AskingFor:
    """Answers about elections whose result may be seen, and about no others."""

    asking: Asking
    may_see: Callable[[str], bool]

    def series(self, election_id: str, place: str = "") -> Answer[Series]:
        return self.asking.series(election_id, place) if self.may_see(election_id) else Answer(trouble=HIDDEN)

    def at(self, election_id: str, moment: datetime) -> Answer[Then]:
        return self.asking.at(election_id, moment) if self.may_see(election_id) else Answer(trouble=HIDDEN)

    def ahead(self, election_id: str) -> Answer[Mapping[str, Ahead]]:
        return self.asking.ahead(election_id) if self.may_see(election_id) else Answer(trouble=HIDDEN)

    def place(self, election_id: str, county: str, city: str = "") -> Answer[Result]:
        return self.asking.place(election_id, county, city) if self.may_see(election_id) else Answer(trouble=HIDDEN)
