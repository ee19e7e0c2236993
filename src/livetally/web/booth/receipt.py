"""What somebody takes home, and what became of it."""

from urllib.parse import quote

from fastapi import Response
from fastapi.responses import RedirectResponse

from livetally.core.following import Accepted, Followed, Pending, follow
from livetally.core.following import Refused as Rejected
from livetally.web.ballots.routes import letters_of
from livetally.web.booth import words
from livetally.web.booth.booth import Booth, LeaveWith
from livetally.web.booth.choosing import in_booth, receipt_address
from livetally.web.booth.drawing import draw, qr


async def own_receipt(here: Booth, election_id: str, was: str) -> Response:
    holder, _ = await in_booth(here, election_id, may_be_over=True)
    if holder.receipt is None:
        return RedirectResponse(f"/vote/{quote(election_id, safe='')}/ballot", 303)
    page = await show_receipt(here, holder.receipt, receipt_address(election_id), here.form_token(), was)
    here.keep_on(page)
    return page


async def look_up(here: Booth, typed: str) -> Response:
    """To the page of that receipt, if there is one. Whatever else was typed comes into no address: it may be a voting code."""
    letters = letters_of(typed)
    if letters is None:
        return draw("follow", 422, fault=words.UNREADABLE_RECEIPT)
    if await here.stand.ballots.follow(letters) is None:
        return draw("follow", 404, fault=words.UNKNOWN_RECEIPT)
    return RedirectResponse(f"/receipts/{letters}", 303)


async def show_receipt(here: Booth, letters: str | None, own_address: str, form_token: str, was: str | None) -> Response:
    found = await here.stand.ballots.follow(letters) if letters is not None else None
    if letters is None or found is None:
        raise LeaveWith(words.NO_RECEIPT, "/receipts", "Look up another")
    listed = await here.stand.ballots.lists.listed()
    election = listed.hours.get(found.election_id)
    address = f"{here.public_url}/receipts/{letters}"
    state = follow(found)
    name, standing = _standing(state)
    return draw(
        "receipt",
        heading=_heading(was, name),
        notice=_NOTICES.get(was or "", ""),
        state=name,
        standing=standing,
        election_name=election.name if election else found.election_id,
        receipt=letters,
        issued_at=found.issued_at,
        place=state.place,
        link=None if isinstance(state, Pending) else state.link,
        qr=qr(address),
        address=address,
        again=own_address or f"/receipts/{letters}",
        form_token=form_token,
    )


_NOTICES = {
    "cast": "A ballot had been cast with this code before: in another window, by another click, or earlier. It stands. Nothing was cast just now, and "
    "what you have just chosen was not taken.",
    "used": "This code has been used. The ballot that was cast with it stands. Nothing was cast just now.",
    "unknown": "An earlier try with this code had got no answer. Your ballot has been cast again. If the first one did arrive, the first one counts.",
}


def _heading(was: str | None, state: str) -> str:
    if was is None:
        return "What became of a ballot"
    if state == "rejected":
        return "Your ballot does not count"
    return "Your ballot had been cast already" if was in ("cast", "used") else "Your ballot is cast"


def _standing(state: Followed) -> tuple[str, str]:
    """The state for programs, and in words."""
    match state:
        case Pending() if state.place is None:
            return (
                "pending",
                "It is not known whether it was taken. Cast it again with the same code: that settles it, and it cannot be counted twice.",
            )
        case Pending():
            return "pending", "It has been taken, and waits to be counted. That takes some seconds."
        case Accepted():
            return "accepted", "It has been counted."
        case Rejected():
            return "rejected", f"It does not count, because {words.REASONS.get(state.reason, state.reason)}."
