"""Into the booth and out of it."""

from urllib.parse import quote

from fastapi import Response
from fastapi.responses import RedirectResponse

from livetally.adapters.receipts import Hours
from livetally.web.ballots.answers import Refusal
from livetally.web.ballots.lists import AGE_S_OF_A_REFUSAL
from livetally.web.booth import words
from livetally.web.booth.booth import Booth, LeaveWith, is_shown
from livetally.web.booth.drawing import draw, moment


async def enter(here: Booth, election_id: str | None, fault: str = "", status: int = 200) -> Response:
    listed = await here.stand.ballots.lists.listed(AGE_S_OF_A_REFUSAL)
    now = here.now
    election = None
    if election_id is not None:
        election = listed.hours.get(election_id)
        if election is None or election.status == "draft":  # whoever has no code learns nothing of a draft
            raise LeaveWith(words.NOT_SHOWN)
        if election.kind == "simulated":
            raise LeaveWith(words.SIMULATED)
    opened = [one for one in listed.hours.values() if is_shown(one) and listed.judge(one.election_id, None, now) is None]
    visit = here.begun()
    page = draw(
        "code",
        status,
        election=election,
        elections=() if election else opened,
        hours=_hours(election, listed.judge(election.election_id, None, now)) if election else "",
        detail=election.detail if election else "full",
        fault=fault,
        notice="",
        form_token=here.seals.form_token(visit),
    )
    here.keep(page, visit)
    return page


async def take_code(here: Booth, typed: str, form_token: str, election_id: str | None) -> Response:
    here.check_form(form_token)
    code_hash = here.stand.code_hash(typed)
    if code_hash is None:
        return await enter(here, election_id, words.MISTYPED if typed.strip() else words.EMPTY, 422)
    here.stand.admit(code_hash)
    holder = await here.stand.ballots.holder(code_hash)
    if holder is None or (election_id is not None and holder.election_id != election_id):
        said = words.REFUSALS[Refusal.UNKNOWN_CODE if holder is None else Refusal.WRONG_ELECTION]
        return await enter(here, election_id, f"{said.title}. {said.vote} {said.do}", said.status)
    if holder.is_voided:
        raise LeaveWith(words.REFUSALS[Refusal.VOIDED_CODE])
    page = RedirectResponse(f"/vote/{quote(holder.election_id, safe='')}/ballot", 303)
    here.keep(page, here.entered(code_hash))
    return page


async def leave(here: Booth, form_token: str) -> Response:
    here.check_form(form_token)
    page = RedirectResponse("/vote", 303)
    here.forget(page)
    return page


def _hours(election: Hours, refusal: Refusal | None) -> str:
    opens, closes = election.opens_at or election.opens_planned, election.closes_at or election.closes_planned
    if refusal is Refusal.CLOSED:
        return (
            f"It closed on {moment(closes)}. Ballots are not taken any more; with your code you can still see your receipt."
            if closes
            else ""
        )
    if refusal is Refusal.NOT_OPEN:
        return f"It is not open yet. It opens on {moment(opens)}." if opens else "It is not open yet."
    return f"Open until {moment(closes)}." if closes else "Open now."
