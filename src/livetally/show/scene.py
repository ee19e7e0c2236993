"""What one viewer sees at one moment: the reader's snapshot, the election chosen, and what has changed since the same viewer looked before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from livetally.core.elections import Election
from livetally.core.export import Origin, origin
from livetally.core.sight import Sight
from livetally.show import changes
from livetally.show.charts import candidate_colours
from livetally.show.past import TOO_FEW, Ahead, Asking
from livetally.show.result import Changes, Facts, Group, Leads, Look, Result, Snapshot
from livetally.show.words import time_of_day

# While so few votes are counted, and fewer than half of those who may vote, the next ones can turn everything round:
# to name a leader would be wrong half of the time.
LEAD_VOTES_MIN = 20
LEAD_TURNOUT_MIN = 0.5


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where somebody is looking."""

    now: datetime
    zone: tzinfo
    zone_name: str = ""  # said with each time where it may be another one than the viewer's

    def clock(self, moment: datetime) -> str:
        return f"{time_of_day(moment, self.zone, self.now)}{self.zone_name}"


@dataclass(frozen=True, slots=True)
class Scene:
    """`election` is None while PostgreSQL has not said which there are; its numbers may be known all the same."""

    snapshot: Snapshot
    asking: Asking
    moment: Moment
    election: Election | None
    result: Result
    changes: Changes | None = None  # since the last look; None at the first one
    sight: Sight = Sight.RESULT  # what this viewer may see of it; snapshot and result hold no more
    sees_trust: bool = True
    every_s: int = 5  # when the next refresh is due

    @property
    def facts(self) -> Facts | None:
        return self.snapshot.facts

    @property
    def hides_everything(self) -> bool:
        return self.sight is Sight.NOTHING

    @property
    def hides_choices(self) -> bool:
        """How many have voted is shown, for whom is not."""
        return self.sight is Sight.TURNOUT

    @property
    def last_minute(self) -> Changes | None:
        found = self.snapshot.last_minute.get(self.result.election_id)
        return None if found is None or found.is_recount else found

    @property
    def is_closed(self) -> bool:
        return self.election is not None and has_closed(self.election, self.moment.now)

    @property
    def too_early(self) -> bool:
        return is_too_early(self.result, self.facts, is_closed=self.is_closed)

    def too_early_in(self, own: Result) -> bool:
        """The same for one place by itself: few votes are all there are only when the election has closed."""
        registered = own.places[0].registered if own.places else None
        return isinstance(own.lead, Leads) and len(own.candidates) > 1 and self._are_too_few(own.total_votes, registered)

    def ahead_in(self, places: Sequence[Group], ahead: Mapping[str, Ahead]) -> Mapping[str, Ahead]:
        """Who is said to be ahead in which place: with too few votes nobody, and a tie is a tie."""
        if len(self.result.candidates) == 1:
            return ahead
        few = {place.name for place in places if self._are_too_few(place.votes, place.registered)}
        return {name: TOO_FEW if name in few and len(here.candidate_ids) == 1 else here for name, here in ahead.items()}

    def _are_too_few(self, votes: int, registered: int | None) -> bool:
        return not self.is_closed and are_too_few(votes, registered)

    @property
    def colours(self) -> dict[str, str]:
        return candidate_colours(self.result)

    @property
    def origin(self) -> Origin:
        return origin(self.result.election_id, self.election, self.result.as_of)

    def name_of(self, candidate_id: str) -> str:
        return next((one.name for one in self.result.candidates if one.candidate_id == candidate_id), candidate_id)


def has_closed(election: Election, now: datetime) -> bool:
    return election.status_at(now) in {"closed", "certified"}


def is_too_early(result: Result, facts: Facts | None, *, is_closed: bool) -> bool:
    """Whether somebody is ahead by so few votes that nobody leads yet."""
    if is_closed or not isinstance(result.lead, Leads) or len(result.candidates) == 1:
        return False
    return are_too_few(result.total_votes, facts.on_roll(result.election_id) if facts else None)


def are_too_few(votes: int, registered: int | None) -> bool:
    """The rule for a whole election and for each of its places. `registered`: those who may vote there, as far as anybody knows."""
    return votes < LEAD_VOTES_MIN and (not registered or votes / registered < LEAD_TURNOUT_MIN)


@dataclass(frozen=True, slots=True)
class Looks:
    """What a viewer saw: the look before, to compare with, and the newest."""

    before: Look
    newest: Look

    def next(self, result: Result, now: datetime, interval: timedelta) -> "Looks":
        """A click redraws the page at once: it is no new look, or what has changed would be gone before anybody has read it."""
        if now - self.newest.seen_at < interval * 0.9:  # a fragment may come a little early
            return self
        return Looks(self.newest, changes.look(result, now))
