"""What observers look at: alerts, rejected ballots, and the audit."""

import asyncio
import logging
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from livetally.adapters.alerts import Alerts, KnownAlert
from livetally.adapters.board import Board, RejectedBallot
from livetally.adapters.postgres import Connection
from livetally.adapters.roll import Roll
from livetally.core.access import Person, Role, role_in
from livetally.core.sight import Sight, may_see_sums, sight, tells_no_more
from livetally.web import models
from livetally.web.access import allow
from livetally.web.ground import Ground, OnGround
from livetally.web.limits import take_longer
from livetally.web.models import InPath
from livetally.web.organising import Audited
from livetally.web.problems import Problem, no_election
from livetally.web.seeing import known, told

LISTED_MAX = 200
AUDIT_S_MAX = 900.0  # it reads every ballot, row and message

log = logging.getLogger(__name__)
router = APIRouter(prefix="/elections/{election_id}", tags=["Observing"])
Observer = Annotated[Person, allow(Role.OBSERVER)]


@router.get("/alerts", response_model=list[models.Alert], summary="What looks unusual")
async def alerts(request: Request, ground: OnGround, election_id: InPath, person: Observer) -> Response:
    """The oldest first. docs/alerts.md says what each rule means. Those about a candidate are told to who may see the result."""

    def read(connection: Connection) -> list[KnownAlert]:
        seen = sight(known(connection, person, election_id), role_in(person, election_id), ground.now())
        return [one for one in Alerts(connection).known(election_id) if tells_no_more(one.alert.candidate_id, seen)]

    return told(request, [_alert(one) for one in await ground.pool.ask(read)])


@router.get("/rejections", response_model=models.Rejections, summary="Ballots that do not count")
async def rejections(
    request: Request,
    ground: OnGround,
    election_id: InPath,
    person: Observer,
    limit: Annotated[int, Query(ge=0, le=LISTED_MAX, description="so many of the newest")] = 20,
) -> Response:
    """How many for which reason, and the newest. Whose they are, officials see on the command line."""

    def read(connection: Connection) -> tuple[dict[str, int], list[RejectedBallot]]:
        known(connection, person, election_id)
        board = Board(connection)
        return board.rejection_counts(election_id), board.newest_rejections(election_id, limit)

    counts, newest = await ground.slow.ask(read)
    listed = [models.RejectedBallot.model_validate(one) for one in newest]
    return told(request, models.Rejections(election_id=election_id, total=sum(counts.values()), counts=counts, newest=listed))


@router.get("/audit", summary="Whether everything agrees", responses={409: {"description": "nothing has been tallied yet"}})
async def audit(request: Request, ground: OnGround, election_id: InPath, person: Observer) -> models.Audit:
    """Reads every ballot, row and message of all elections, which takes a while. One at a time: a second one is told to wait.

    What is told of it is about this election alone. Sums over all of them are told to who may see of each how many have voted.
    """
    await ground.pool.ask(lambda connection: known(connection, person, election_id))
    if ground.auditing.locked():
        raise Problem(503, "busy", "An audit is under way. Ask again when it is over.", retry_after_s=10)
    take_longer(request, AUDIT_S_MAX)
    log.info("an audit begins", extra={"who": person.user_name})
    # Whoever hangs up ends the waiting, not the audit: until it is over, nobody begins another.
    report = await asyncio.shield(asyncio.ensure_future(_audit(ground)))
    # As it is now: while the audit went on, one may have been opened, or closed.
    elections = await ground.pool.ask(lambda connection: Roll(connection).elections())
    now = ground.now()
    sights = [(one, sight(one, role_in(person, one.election_id), now)) for one in elections]
    seen = next((seen for one, seen in sights if one.election_id == election_id), None)
    if seen is None:  # a draft, and it has been deleted
        raise no_election()
    return _told_of(report, election_id, seen, is_all=may_see_sums(sights))


async def _audit(ground: Ground) -> Audited:
    async with ground.auditing:
        return await asyncio.to_thread(ground.organising.audit)


def _told_of(report: Audited, election_id: str, seen: Sight, *, is_all: bool) -> models.Audit:
    """Of places the name alone: the words behind it may say who voted for whom."""
    found = report.told_of(election_id)
    differences = found["shared_differences"] + (found["differences"] if seen is Sight.RESULT else [])
    counts = {} if seen >= Sight.TURNOUT else {"accepted": None, "tallied": None}
    sums = models.AuditSums.model_validate(report.as_json()) if is_all else None
    return models.Audit(**found | counts | {"differences": [one.partition(": ")[0] for one in differences], "all_elections": sums})


def _alert(one: KnownAlert) -> models.Alert:
    alert = one.alert
    return models.Alert(
        rule=alert.rule,
        subject=alert.subject,
        place=alert.place,
        candidate_id=alert.candidate_id,
        state=alert.state,
        severity=alert.severity,
        seen=alert.seen,
        expected=alert.expected,
        begins=one.begins,
        ends=one.ends,
        evidence=alert.evidence,
    )
