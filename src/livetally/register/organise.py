"""Organising an election: each act changes it and is written down, in one transaction, or does neither.

The command line and the API call the same functions. Who asks has been asked who they are before.
"""

from collections.abc import Sequence

from livetally.adapters.acts import Actor, Acts
from livetally.adapters.drafts import Deleted, delete_draft
from livetally.adapters.kafka import Announcer
from livetally.adapters.postgres import Connection
from livetally.adapters.roll import Roll
from livetally.core.elections import LISTED_MAX, LISTED_MIN, Candidate, Election
from livetally.core.errors import ElectionError
from livetally.register.draft import check
from livetally.register.register import announce_candidates


def create(connection: Connection, actor: Actor, election: Election) -> Election:
    """Make a draft. Raises ElectionError if it cannot be made, with all faults together."""
    roll = Roll(connection)
    check(election, roll.now())
    with roll.changing():
        roll.add_election(election)
        Acts(connection).note(actor.who, "election create", election.election_id, election.election_id, _policy(election), actor.came_from)
    return roll.election(election.election_id)


def list_candidates(connection: Connection, actor: Actor, election_id: str, candidates: Sequence[Candidate]) -> Election:
    """From now on these stand in a draft, in this order, and nobody else. They are announced when it is opened."""
    roll = Roll(connection)
    with connection.transaction():
        election = _in_draft(roll, election_id, "its candidates stand since it was opened")
        if len(candidates) > LISTED_MAX:
            raise ElectionError(f"{len(candidates):,} candidates are too many: an election has at most {LISTED_MAX}. Nothing was changed.")
        if taken := roll.taken_candidates([one.candidate_id for one in candidates], election_id):
            named = "; ".join(f"{candidate_id!r} stands in {other!r}" for candidate_id, other in taken.items())
            raise ElectionError(f"An id stands for one candidate of one election: {named}. Give other ids. Nothing was changed.")
        detail = {"candidates": [one.candidate_name for one in candidates]}
        with roll.changing():
            roll.replace_candidates(election_id, candidates)
            Acts(connection).note(actor.who, "election import-candidates", election_id, election_id, detail, actor.came_from)
    return election


def open_election(connection: Connection, announcer: Announcer, actor: Actor, election_id: str) -> Election:
    """Announce the candidates, then take ballots, from the planned time or from now on."""
    roll = Roll(connection)
    candidates = roll.candidates(election_id)
    _check_may_open(roll, roll.election(election_id), candidates)
    announce_candidates(announcer, candidates)  # first: whoever counts votes by the topics knows whom they are for
    with connection.transaction():
        _check_may_open(roll, roll.lock_election(election_id), candidates)
        if roll.candidates(election_id) != candidates:
            raise ElectionError(
                f"The candidates of {election_id!r} have been changed at this very moment. Look at them, and open it again."
            )
        with roll.changing():
            opens_at = roll.open_election(election_id)
            detail = {"opens_at": opens_at, "candidates": len(candidates), "on_roll": roll.on_roll(election_id)}
            Acts(connection).note(actor.who, "election open", election_id, election_id, detail, actor.came_from)
    return roll.election(election_id)


def close_election(connection: Connection, actor: Actor, election_id: str) -> Election:
    """Set the end, a few seconds ahead; earlier if it was to end earlier."""
    roll = Roll(connection)
    with connection.transaction():
        closes_at = roll.close_election(election_id)
        Acts(connection).note(actor.who, "election close", election_id, election_id, {"closes_at": closes_at}, actor.came_from)
    return roll.election(election_id)


def delete(connection: Connection, actor: Actor, election_id: str) -> Deleted:
    """Delete a draft, with its candidates, its list and its codes. May take a while, if the list is long."""
    with connection.transaction():
        election, deleted = delete_draft(connection, election_id)
        Acts(connection).note(
            actor.who, "election delete", election_id, election_id, _policy(election) | deleted._asdict(), actor.came_from
        )
    return deleted


def publish(connection: Connection, actor: Actor, election_id: str) -> Election:
    """Show everybody a result that was for officials. Doing it again changes nothing."""
    roll = Roll(connection)
    with connection.transaction():
        election = roll.lock_election(election_id)
        if election.visible != "officials":
            raise ElectionError(
                f"There is nothing to publish: the result of {election_id!r} is visible to everybody, {_said_when(election)}. "
                "Only `--visible officials`, given when it is made, keeps it back."
            )
        if not election.is_over(roll.now()):
            raise ElectionError(f"{election_id!r} is not over yet; a result is published when it is. `./livetally election close` ends it.")
        if election.published_at is None:
            roll.publish_election(election_id)
            Acts(connection).note(actor.who, "election publish", election_id, election_id, {}, actor.came_from)
    return roll.election(election_id)


def _in_draft(roll: Roll, election_id: str, otherwise: str) -> Election:
    election = roll.lock_election(election_id)
    if election.status != "draft":
        raise ElectionError(f"{election_id!r} is {election.status}; {otherwise}. Nothing was changed.")
    return election


def _check_may_open(roll: Roll, election: Election, candidates: Sequence[Candidate]) -> None:
    who, now = election.election_id, roll.now()
    if election.status != "draft":
        raise ElectionError(f"{who!r} is {election.status}, and only a draft can be opened.")
    faults = []
    if len(candidates) < LISTED_MIN:
        faults.append(f"it has {len(candidates)} of at least {LISTED_MIN} candidates (`./livetally election import-candidates FILE`)")
    if not roll.on_roll(who):
        how = "`./livetally election import-roll FILE`" if election.roll == "list" else "`./livetally register`"
        faults.append(f"nobody is on its roll ({how})")
    if missing := sorted(set(election.roll_states) - set(roll.states())):
        faults.append(f"nobody is registered in {', '.join(missing)}")
    if election.closes_planned is not None and election.closes_planned <= max(now, election.opens_planned or now):
        faults.append(f"it was to close at {election.closes_planned.isoformat()}, and that is over")
    if faults:
        raise ElectionError(f"{who!r} cannot be opened: {'; '.join(faults)}. Nothing was changed.")


def _said_when(election: Election) -> str:
    return "at any time" if election.visible == "live" else "as soon as it is closed"


def _policy(election: Election) -> dict[str, object]:
    return {
        "name": election.name,
        "kind": election.kind,
        "visible": election.visible,
        "detail": election.detail,
        "roll": election.roll,
        "states": election.roll_states,
        "opens_planned": election.opens_planned,
        "closes_planned": election.closes_planned,
    }
