"""`livetally election …`: what an organiser does. The acts themselves are in `register`, where the API finds them too."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

from livetally.adapters.acts import Actor
from livetally.adapters.postgres import Connection, connect, explained
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.commands.actor import actor
from livetally.commands.backing import database_of, services_of
from livetally.commands.output import print_json, print_table, say
from livetally.commands.plain import safe
from livetally.core.elections import Election
from livetally.core.errors import ElectionError, UsageError
from livetally.core.wire import utc_text
from livetally.settings import read_settings


def create(arguments: argparse.Namespace) -> int:
    from livetally.register import organise

    states = tuple(dict.fromkeys(arguments.state))
    wanted = Election(
        election_id=arguments.id,
        name=arguments.name or arguments.id,
        kind=arguments.kind,
        status="draft",
        seed=arguments.seed,
        opens_at=None,
        closes_at=None,
        visible=arguments.visible,
        detail=arguments.detail,
        roll=arguments.roll or ("states" if states else "all"),
        roll_states=states,
        opens_planned=arguments.opens_at,
        closes_planned=arguments.closes_at,
    )
    with _organising(looks_only=False) as connection:
        election = organise.create(connection, actor(), wanted)
        _tell(
            arguments, election, Roll(connection).now(), f"{election.election_id} is a draft: give it candidates and a roll, then open it."
        )
    return 0


def list_all(arguments: argparse.Namespace) -> int:
    with _organising() as connection:
        roll = Roll(connection)
        elections, now = roll.elections(), roll.now()
    if arguments.json:
        print_json([document(one, now) for one in elections])
        return 0
    columns = ("election", "name", "kind", "status", "opens", "closes", "visible", "roll")
    print_table(
        columns,
        [
            (one.election_id, one.name, one.kind, one.status_at(now), *_hours(one), one.visible, ", ".join(one.roll_states) or one.roll)
            for one in elections
        ],
    )
    return 0


def show(arguments: argparse.Namespace) -> int:
    from livetally.commands.election_show import overview, print_overview

    with _organising() as connection:
        found = overview(connection, arguments.id)
    if arguments.json:
        print_json(found)
    else:
        print_overview(found)
    return 0


def open_(arguments: argparse.Namespace) -> int:
    from livetally.adapters.kafka import Announcer
    from livetally.register.organise import open_election

    with services_of(read_settings(), looks_only=True) as backing, _connected(backing.database_url) as connection:
        election = open_election(connection, Announcer(backing.kafka_bootstrap_servers), actor(), arguments.id)
        _tell(arguments, election, Roll(connection).now(), f"{election.election_id} takes ballots from {_text(election.opens_at)} UTC on.")
    return 0


def close(arguments: argparse.Namespace) -> int:
    from livetally.register.organise import close_election

    return _act(arguments, close_election, lambda one: f"{one.election_id} takes no more ballots from {_text(one.closes_at)} UTC on.")


def publish(arguments: argparse.Namespace) -> int:
    from livetally.register import organise

    return _act(arguments, organise.publish, lambda one: f"The result of {one.election_id} is public since {_text(one.published_at)} UTC.")


def delete(arguments: argparse.Namespace) -> int:
    from livetally.register import organise

    with database_of(read_settings(), looks_only=True) as url, _connected(url, bounded=False) as connection:
        deleted = organise.delete(connection, actor(), arguments.id)
    if arguments.json:
        print_json({"election_id": arguments.id, **deleted._asdict()})
    else:
        codes = f" and {deleted.codes:,} codes, which are worth nothing now" if deleted.codes else ""
        say(f"{arguments.id} is deleted, with {deleted.candidates} candidates, {deleted.listed:,} people on its list{codes}.")
    return 0


def certify(arguments: argparse.Namespace) -> int:
    from livetally.audit.walk import audit
    from livetally.register.certify import certify as make_final

    with services_of(read_settings(), looks_only=True) as backing, _connected(backing.database_url) as connection:
        kafka, database = backing.kafka_bootstrap_servers, backing.database_url
        election = make_final(connection, kafka, actor(), arguments.id, lambda: audit(kafka, database), arguments.within)
        _tell(arguments, election, Roll(connection).now(), f"{election.election_id} is certified: its result is final. Print the sheet.")
    return 0


def import_candidates(arguments: argparse.Namespace) -> int:
    from livetally.register.candidate_file import is_utf_8, read_candidates
    from livetally.register.organise import list_candidates
    from livetally.register.pictures import portrait_of

    if None not in {arguments.draft, arguments.election} and arguments.draft != arguments.election:
        raise UsageError(f"Two elections are named, {arguments.draft!r} and {arguments.election!r}; candidates stand in one.")
    path = Path(arguments.file)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    with _organising() as connection:
        election_id = draft_of(Roll(connection), arguments.draft or arguments.election)
        candidates, faults = read_candidates(content, election_id, lambda text: portrait_of(text, path.resolve().parent))
        if faults:
            told = "".join(f"\n  {fault}" for fault in faults)
            raise UsageError(f"{path} cannot be imported, and nothing was changed:{told}")
        list_candidates(connection, actor(), election_id, candidates)
    if arguments.json:
        print_json({"election_id": election_id, "candidates": [_candidate(one) for one in candidates]})
    else:
        if not is_utf_8(content):
            say(f"{path} is not in UTF-8 and was read as Windows-1252: look at names with accents.")
        say(f"{len(candidates)} candidates stand in {election_id}: {', '.join(safe(one.candidate_name) for one in candidates)}.")
    return 0


def sheet(arguments: argparse.Namespace) -> int:
    from livetally.register.sheet import draw, read_sheet

    with _organising() as connection:
        html = draw(read_sheet(connection, arguments.id))
    if arguments.output is None:
        sys.stdout.write(html)
        return 0
    path = Path(arguments.output)
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    say(f"{path} is ready to print.")
    return 0


def draft_of(roll: Roll, election_id: str | None) -> str:
    """The election that is named, or the only draft that there is."""
    if election_id is not None:
        return roll.election(election_id).election_id
    drafts = [one.election_id for one in roll.elections() if one.status == "draft"]
    if len(drafts) != 1:
        there_is = (
            f"There are {len(drafts)} drafts ({', '.join(drafts)})"
            if drafts
            else "There is no draft (`./livetally election create` makes one)"
        )
        raise ElectionError(f"{there_is}; say which election with --election ID.")
    return drafts[0]


def document(election: Election, now: datetime) -> dict[str, Any]:
    """An election as JSON; its status as it is for people who look now."""
    found: dict[str, Any] = {field.name: getattr(election, field.name) for field in fields(election)}
    times = {name: value.isoformat() for name, value in found.items() if isinstance(value, datetime)}
    return found | times | {"status": election.status_at(now), "simulated": election.simulated, "roll_states": [*election.roll_states]}


@contextmanager
def _organising(*, looks_only: bool = True) -> Iterator[Connection]:
    with database_of(read_settings(), looks_only=looks_only) as url, _connected(url) as connection:
        yield connection


@contextmanager
def _connected(url: str, *, bounded: bool = True) -> Iterator[Connection]:
    with closing(connect(url, "election", Rights.ORGANISE, bounded=bounded)) as connection, explained(url):
        yield connection


def _act(arguments: argparse.Namespace, act: Callable[[Connection, Actor, str], Election], words: Callable[[Election], str]) -> int:
    with _organising() as connection:
        election = act(connection, actor(), arguments.id)
        _tell(arguments, election, Roll(connection).now(), words(election))
    return 0


def _tell(arguments: argparse.Namespace, election: Election, now: datetime, words: str) -> None:
    if arguments.json:
        print_json(document(election, now))
    else:
        say(words)


def _candidate(candidate: Any) -> dict[str, str]:
    return {
        "candidate_id": candidate.candidate_id,
        "candidate_name": candidate.candidate_name,
        "party_affiliation": candidate.party_affiliation,
    }


def _hours(election: Election) -> tuple[str, str]:
    """As they are, or in brackets as they are planned."""
    opens = _text(election.opens_at) or (election.opens_planned and f"({_text(election.opens_planned)})")
    closes = _text(election.closes_at) or (election.status == "draft" and election.closes_planned and f"({_text(election.closes_planned)})")
    return opens or "", closes or ""


def _text(moment: datetime | None) -> str:
    return "" if moment is None else utc_text(moment)[:19]
