"""Where a page has everything from, for one viewer: what that viewer may see of what the server knows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from livetally.core.access import PUBLIC, Person, cookie_name, credential_hash
from livetally.core.sight import Sight
from livetally.show.past import Asking
from livetally.show.result import Snapshot
from livetally.show.seen_by import AskingFor, seen_by, sight_of
from livetally.show.serving import Serving

PERSON_HOLDS = timedelta(seconds=60)  # PostgreSQL away: so long somebody is believed to be who they were


@dataclass(frozen=True, slots=True)
class Sources:
    """None of them waits for a service."""

    look: Callable[[], Snapshot]
    asking: Asking
    clock: Callable[[], datetime]
    person: Callable[[], Person]


def sources_for(look: Callable[[], Snapshot], asking: Asking, clock: Callable[[], datetime], person: Callable[[], Person]) -> Sources:
    """`look` and `asking` know everything; what comes of this only what the person may see."""

    def may_see(election_id: str) -> bool:
        facts = look().facts
        found = next((one for one in facts.elections if one.election_id == election_id), None) if facts else None
        return found is not None and sight_of(person(), found, clock()) is Sight.RESULT

    return Sources(lambda: seen_by(person(), look(), clock()), AskingFor(asking, may_see), clock, person)


def of_server(serving: Serving, cookies: Mapping[str, str], clock: Callable[[], datetime]) -> Sources:
    """For whoever has these cookies."""
    return sources_for(lambda: serving.snapshot, serving.asking, clock, lambda: person_with(serving, cookies, clock()))


def person_with(serving: Serving, cookies: Mapping[str, str], now: datetime) -> Person:
    """Whom the session of the application with the ballots stands for; without one, nobody in particular."""
    session = cookies.get(cookie_name(behind_tls=True)) or cookies.get(cookie_name(behind_tls=False))
    if not session:
        return PUBLIC
    answer = serving.asking.person(credential_hash(session))
    if answer.value is None or answer.asked_at is None or now - answer.asked_at > PERSON_HOLDS:
        return PUBLIC
    return answer.value
