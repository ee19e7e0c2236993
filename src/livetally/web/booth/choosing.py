"""In the booth: choose, check, cast."""

from urllib.parse import quote

from fastapi import Response
from fastapi.responses import RedirectResponse

from livetally.adapters.receipts import Holder, Hours
from livetally.web.ballots.answers import Before, Refusal, Refused, Taken
from livetally.web.ballots.lists import AGE_S_OF_A_REFUSAL
from livetally.web.ballots.service import Request as Casting
from livetally.web.booth import words
from livetally.web.booth.booth import Booth, LeaveWith
from livetally.web.booth.drawing import draw


async def choose(here: Booth, election_id: str, chosen: str, fault: str = "") -> Response:
    """What there is to choose, or where whoever has voted already is shown that they have."""
    holder, election = await in_booth(here, election_id)
    if holder.has_place:
        return RedirectResponse(receipt_address(election_id, "used"), 303)
    listed = await here.stand.ballots.lists.listed()
    candidates = sorted(
        listed.candidates.get(election_id, ()),
        key=lambda one: here.seals.place_of(election_id, holder.voter_id, one.candidate_id),
    )
    page = draw(
        "ballot",
        422 if fault else 200,
        election=election,
        candidates=candidates,
        chosen=chosen,
        fault=fault,
        unsettled=holder.receipt is not None,
        form_token=here.form_token(),
    )
    here.keep_on(page)
    return page


async def choose_again(here: Booth, election_id: str, chosen: str, form_token: str) -> Response:
    here.check_form(form_token)
    return await choose(here, election_id, chosen)


async def review(here: Booth, election_id: str, candidate_id: str, form_token: str) -> Response:
    here.check_form(form_token)
    if not candidate_id:
        return await choose(here, election_id, "", words.NOTHING_CHOSEN)
    holder, election = await in_booth(here, election_id)
    if holder.has_place:
        return RedirectResponse(receipt_address(election_id, "used"), 303)
    listed = await here.stand.ballots.lists.listed()
    candidate = next((one for one in listed.candidates.get(election_id, ()) if one.candidate_id == candidate_id), None)
    if candidate is None:
        said = words.told(Refused(Refusal.UNKNOWN_CANDIDATE, holder.receipt))
        raise LeaveWith(said, f"/vote/{quote(election_id, safe='')}/ballot", "Back to the ballot")
    page = draw("review", election=election, candidate=candidate, form_token=here.form_token())
    here.keep_on(page)
    return page


async def cast(here: Booth, election_id: str, candidate_id: str, form_token: str) -> Response:
    here.check_form(form_token)
    answer = await here.stand.ballots.cast(Casting(here.code_hash, election_id, candidate_id))
    if not isinstance(answer, Taken):
        if isinstance(answer, Refused) and answer.refusal is Refusal.UNKNOWN_CANDIDATE:
            raise LeaveWith(words.told(answer), f"/vote/{quote(election_id, safe='')}/ballot", "Back to the ballot")
        raise LeaveWith(words.told(answer))
    was = {Before.NOTHING: "", Before.CAST: "cast", Before.UNKNOWN: "unknown"}[answer.before]
    return RedirectResponse(receipt_address(election_id, was), 303)


async def in_booth(here: Booth, election_id: str, *, may_be_over: bool = False) -> tuple[Holder, Hours]:
    """Whose code this visit has entered. Raises LeaveWith if there is none, or nothing can be cast with it and nothing was."""
    holder = await here.stand.ballots.holder(here.code_hash)
    if holder is None:
        raise LeaveWith(words.EXPIRED)
    if holder.is_voided:
        raise LeaveWith(words.REFUSALS[Refusal.VOIDED_CODE])
    listed = await here.stand.ballots.lists.listed(AGE_S_OF_A_REFUSAL)
    election = listed.hours.get(election_id)
    if election is None:
        raise LeaveWith(words.REFUSALS[Refusal.UNKNOWN_ELECTION])
    if holder.election_id != election_id:
        raise LeaveWith(words.REFUSALS[Refusal.WRONG_ELECTION])
    refusal = listed.judge(election_id, None, here.now)
    if refusal is not None and not may_be_over and not holder.has_place:
        raise LeaveWith(words.told(Refused(refusal, holder.receipt)), f"/vote/{quote(election_id, safe='')}", "Back")
    return holder, election


def receipt_address(election_id: str, was: str = "") -> str:
    """Of the receipt of whoever is in the booth."""
    return f"/vote/{quote(election_id, safe='')}/receipt" + (f"?was={was}" if was else "")
