"""`/elections/{election_id}/results` and what belongs to it: as far as the election's policy lets somebody see it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime

from livetally.adapters.board import Board, GroupVotes, Result, one_moment
from livetally.adapters.history import EVERYWHERE, POINTS_MAX, History, OffPace, Series
from livetally.adapters.postgres import Connection
from livetally.adapters.roll import Roll
from livetally.core.access import Person, Role
from livetally.core.elections import Candidate, Election
from livetally.core.export import csv_of, file_name, origin
from livetally.core.sight import Sight
from livetally.web import models
from livetally.web.access import allow
from livetally.web.ground import OnGround
from livetally.web.models import InPath
from livetally.web.problems import Problem
from livetally.web.seeing import sighted, told, unless_known

router = APIRouter(prefix="/elections/{election_id}", tags=["Results"])
Viewer = Annotated[Person, allow(Role.VIEWER)]


@router.get("/results", response_model=models.Result, summary="The result")
async def results(
    request: Request,
    ground: OnGround,
    election_id: InPath,
    person: Viewer,
    at: Annotated[
        AwareDatetime | None,
        Query(
            description="as it was at a moment, in whole minutes; with a zone: `2026-05-07T21:30:00Z`", examples=["2026-05-07T21:30:00Z"]
        ),
    ] = None,
) -> Response:
    """Now, or at a moment. 403 while the election's policy hides it from you; its `sight` says so."""
    now = ground.now()

    def read(connection: Connection) -> tuple[Election, Result]:
        with one_moment(connection):
            election = sighted(connection, person, election_id, now, Sight.RESULT)
            return election, Board(connection).result(election_id, at)

    election, found = await (ground.pool if at is None else ground.slow).ask(read)
    return told(request, result_of(election, found, now))


@router.get("/turnout", response_model=models.TurnoutByGroup, summary="How many have voted")
async def turnout(request: Request, ground: OnGround, election_id: InPath, person: Viewer) -> Response:
    """In all and by state, gender and age group, and not for whom."""
    now = ground.now()

    def read(connection: Connection) -> models.TurnoutByGroup:
        with one_moment(connection):
            election = sighted(connection, person, election_id, now, Sight.TURNOUT)
            board = Board(connection)
            found, groups = board.result(election_id), board.turnout(election_id)
        by_view = {
            f"by_{view}": [models.Group.model_validate(one) for one in groups if one.view == view] for view in ("state", "gender", "age")
        }
        return models.TurnoutByGroup(**turnout_of(election, found, now).model_dump() | by_view)

    return told(request, await ground.pool.ask(read))


@router.get("/history", response_model=models.History, summary="How the result came about")
async def history(
    request: Request,
    ground: OnGround,
    election_id: InPath,
    person: Viewer,
    state: Annotated[str | None, Query(min_length=1, max_length=255, pattern=models.NO_NUL, description="one place alone")] = None,
    points: Annotated[int, Query(ge=1, le=POINTS_MAX, description="at most so many moments")] = 100,
) -> Response:
    """Each candidate's votes over time."""
    now = ground.now()

    def read(connection: Connection) -> tuple[Series, OffPace, list[Candidate]]:
        with one_moment(connection):
            sighted(connection, person, election_id, now, Sight.RESULT)
            past = History(connection)
            return (
                past.series(election_id, state or EVERYWHERE, points),
                past.off_pace(election_id),
                Roll(connection).candidates(election_id),
            )

    series, off_pace, candidates = await ground.slow.ask(read)
    if state is not None and not series.ends:
        raise Problem(404, "not-found", "Nobody has voted in this place yet, or there is no such place.", field="state")
    lines = [
        models.Past(
            candidate_id=one.candidate_id,
            candidate_name=one.candidate_name,
            total_votes=series.votes.get(one.candidate_id) or [0] * len(series.ends),
        )
        for one in candidates
    ]
    past = models.History(
        election_id=election_id, state=state, ends=series.ends, late=off_pace.late, untimed=off_pace.untimed, candidates=lines
    )
    return told(request, past)


@router.get("/export.json", response_model=models.Export, summary="The whole result as a JSON file")
async def export_json(request: Request, ground: OnGround, election_id: InPath, person: Viewer) -> Response:
    """By candidate, and by candidate in each state, city, gender and age group."""
    now = ground.now()
    election, found, groups = await ground.slow.ask(lambda connection: _whole(connection, person, election_id, now))
    document = models.Export(
        **result_of(election, found, now).model_dump() | {"groups": [models.GroupVotes.model_validate(one) for one in groups]}
    )
    name = file_name(origin(election_id, election, found.reached), f"{election_id} result").removesuffix(".csv") + ".json"
    return _as_file(told(request, document), name)


@router.get(
    "/export.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "UTF-8, with a head line"}},
    summary="The whole result as a CSV file",
)
async def export_csv(request: Request, ground: OnGround, election_id: InPath, person: Viewer) -> Response:
    """The same, one line for each candidate and group; the line without a view is the candidate's total."""
    now = ground.now()
    election, found, groups = await ground.slow.ask(lambda connection: _whole(connection, person, election_id, now))
    said = origin(election_id, election, found.reached)
    named = {one.candidate_id: (one.candidate_name, one.party_affiliation) for one in found.standings}
    rows = [("", "", "", one.candidate_id, one.candidate_name, one.party_affiliation, one.total_votes) for one in found.standings]
    rows += [
        (one.view, one.group, one.within, one.candidate_id, *named.get(one.candidate_id, ("unknown", "unknown")), one.votes)
        for one in groups
    ]
    columns = ("view", "group", "within", "candidate_id", "candidate_name", "party_affiliation", "total_votes")
    body = csv_of(said, columns, rows)
    return _as_file(unless_known(request, Response(body, media_type="text/csv; charset=utf-8")), file_name(said, f"{election_id} result"))


def result_of(election: Election, found: Result, now: datetime) -> models.Result:
    standings = [models.Standing.model_validate(one) for one in found.standings]
    return models.Result(**turnout_of(election, found, now).model_dump() | {"unreadable_votes": found.unreadable, "candidates": standings})


def turnout_of(election: Election, found: Result, now: datetime) -> models.Turnout:
    return models.Turnout(
        election_id=election.election_id,
        name=election.name,
        simulated=election.simulated,
        status=election.status_at(now),
        as_of=found.reached,
        recounting=found.recounting is not None,
        recounted_percent=found.recounting and found.recounting.percent,
        registered=found.on_roll,
        total_votes=found.total_votes,
    )


def _whole(connection: Connection, person: Person, election_id: str, now: datetime) -> tuple[Election, Result, list[GroupVotes]]:
    with one_moment(connection):
        election = sighted(connection, person, election_id, now, Sight.RESULT)
        board = Board(connection)
        return election, board.result(election_id), board.votes_by_group(election_id)


def _as_file(response: Response, name: str) -> Response:
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
