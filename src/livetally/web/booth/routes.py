"""The pages of the booth. Codes and choices travel in the bodies of forms alone: no address, and so no log and no history, ever holds one."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response

from livetally.core.ballots import FIELD_CHARS_MAX
from livetally.web.access import allow_code, anybody
from livetally.web.ballots.routes import letters_of
from livetally.web.ballots.stand import GetStand
from livetally.web.booth import choosing, entering
from livetally.web.booth import receipt as receipts
from livetally.web.booth.booth import Booth
from livetally.web.booth.drawing import draw, style

Text = Annotated[str, Form(max_length=FIELD_CHARS_MAX)]


def booth_routes(stand_of: GetStand) -> APIRouter:  # noqa: C901 (one function for each page; none is long)
    router = APIRouter(include_in_schema=False, default_response_class=Response)

    def booth(request: Request) -> Booth:
        return Booth(stand_of(), request)

    @router.get("/vote/booth.css", dependencies=[anybody])
    async def booth_style() -> Response:
        return style()

    @router.get("/vote", dependencies=[anybody])
    async def enter(request: Request) -> Response:
        here = booth(request)
        return await here.shown(lambda: entering.enter(here, None))

    @router.get("/vote/{election_id}", dependencies=[anybody])
    async def enter_election(request: Request, election_id: str) -> Response:
        here = booth(request)
        return await here.shown(lambda: entering.enter(here, election_id))

    @router.post("/vote/code", dependencies=[allow_code()])
    async def code(request: Request, code: Text = "", form_token: Text = "", election_id: Text = "") -> Response:
        here = booth(request)
        return await here.shown(lambda: entering.take_code(here, code, form_token, election_id or None))

    @router.post("/vote/leave", dependencies=[anybody])
    async def leave(request: Request, form_token: Text = "") -> Response:
        here = booth(request)
        return await here.shown(lambda: entering.leave(here, form_token))

    @router.get("/vote/{election_id}/ballot", dependencies=[allow_code()])
    async def ballot(request: Request, election_id: str) -> Response:
        here = booth(request)
        return await here.shown(lambda: choosing.choose(here, election_id, ""))

    @router.post("/vote/{election_id}/ballot", dependencies=[allow_code()])
    async def ballot_again(request: Request, election_id: str, candidate_id: Text = "", form_token: Text = "") -> Response:
        here = booth(request)
        return await here.shown(lambda: choosing.choose_again(here, election_id, candidate_id, form_token))

    @router.post("/vote/{election_id}/review", dependencies=[allow_code()])
    async def review(request: Request, election_id: str, candidate_id: Text = "", form_token: Text = "") -> Response:
        here = booth(request)
        return await here.shown(lambda: choosing.review(here, election_id, candidate_id, form_token))

    @router.post("/vote/{election_id}/cast", dependencies=[allow_code()])
    async def cast(request: Request, election_id: str, candidate_id: Text = "", form_token: Text = "") -> Response:
        here = booth(request)
        return await here.shown(lambda: choosing.cast(here, election_id, candidate_id, form_token))

    @router.get("/vote/{election_id}/receipt", dependencies=[allow_code()])
    async def own_receipt(request: Request, election_id: str, was: Annotated[str, Query(max_length=20)] = "") -> Response:
        here = booth(request)
        return await here.shown(lambda: receipts.own_receipt(here, election_id, was), look_again_at=choosing.receipt_address(election_id))

    @router.get("/receipts", dependencies=[anybody])
    async def look_up() -> Response:
        return draw("follow", fault="")

    @router.post("/receipts", dependencies=[anybody])
    async def looked_up(request: Request, receipt: Text = "") -> Response:
        here = booth(request)
        return await here.shown(lambda: receipts.look_up(here, receipt), look_again_at="/receipts")

    @router.get("/receipts/{receipt}", dependencies=[anybody])
    async def receipt(request: Request, receipt: str) -> Response:
        here = booth(request)
        return await here.shown(
            lambda: receipts.show_receipt(here, letters_of(receipt), "", "", None), look_again_at=f"/receipts/{quote(receipt, safe='')}"
        )

    return router
