"""One request to the booth: whose visit it is, whether the form is its own, and how it ends when something is not as it should be."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace

from fastapi import Request, Response

from livetally.adapters.receipts import Hours
from livetally.core.elections import ELECTION_ID
from livetally.core.errors import ServiceError
from livetally.web.ballots.answers import Refusal
from livetally.web.ballots.stand import Stand
from livetally.web.booth import words
from livetally.web.booth.drawing import message
from livetally.web.booth.visit import COOKIE, LASTS_S, Seals, Visit


class LeaveWith(Exception):  # noqa: N818 (no error of the program: a page that says what happened)
    """Show this instead."""

    def __init__(self, told: words.Told, address: str = "/vote", link: str = "Enter a code") -> None:
        super().__init__(told.title)
        self.told = told
        self.address = address
        self.link = link


class Booth:
    def __init__(self, stand: Stand, request: Request) -> None:
        self.stand = stand
        self.seals = Seals(stand.key)
        self.now = stand.ground.now()
        self._election_id = request.path_params.get("election_id")
        settings = stand.ground.settings
        self._is_behind_tls = settings.api_behind_tls
        self._cookie = f"__Host-{COOKIE}" if settings.api_behind_tls else COOKIE
        here = request.url.replace(scheme="https") if settings.api_behind_tls else request.url
        self.public_url = (settings.api_public_url or f"{here.scheme}://{here.netloc}").rstrip("/")
        sealed = request.cookies.get(self._cookie)
        self.visit = self.seals.open(sealed, self.now.timestamp()) if sealed else None

    async def shown(self, work: Callable[[], Awaitable[Response]], *, look_again_at: str | None = None) -> Response:
        """The page, or the one that says why not. One that only looks something up says at which address to do so again."""
        if self._election_id is not None and not ELECTION_ID.fullmatch(self._election_id):
            return message(words.REFUSALS[Refusal.UNKNOWN_ELECTION])
        if self.visit is not None and self.visit.code_hash is not None:
            self.stand.admit(self.visit.code_hash)
        try:
            return await work()
        except LeaveWith as instead:
            return message(instead.told, address=instead.address, link=instead.link)
        except ServiceError:
            if look_again_at is None:
                return message(words.AWAY)
            return message(words.NOT_LOOKED_UP, address=look_again_at, link="Look again")

    @property
    def code_hash(self) -> bytes:
        """Of the code that this visit has entered. Raises LeaveWith."""
        if self.visit is None or self.visit.code_hash is None:
            raise LeaveWith(words.EXPIRED)
        return self.visit.code_hash

    def check_form(self, form_token: str) -> None:
        """Raises LeaveWith unless the form was given to this visit."""
        if self.visit is None or not self.seals.is_form_of(self.visit, form_token):
            raise LeaveWith(words.EXPIRED)

    def form_token(self) -> str:
        return self.seals.form_token(self.visit) if self.visit else ""

    def begun(self) -> Visit:
        """The visit that goes on here, or a new one."""
        return self.visit or self._new(None)

    def entered(self, code_hash: bytes) -> Visit:
        """Another visit: what was known of the one before the code is worth nothing."""
        return self._new(code_hash)

    def keep(self, page: Response, visit: Visit) -> None:
        """It lasts from now on."""
        fresh = replace(visit, at_s=int(self.now.timestamp()))
        page.set_cookie(
            self._cookie, self.seals.seal(fresh), max_age=LASTS_S, path="/", secure=self._is_behind_tls, httponly=True, samesite="strict"
        )

    def keep_on(self, page: Response) -> None:
        if self.visit is not None:
            self.keep(page, self.visit)

    def forget(self, page: Response) -> None:
        page.delete_cookie(self._cookie, path="/", secure=self._is_behind_tls, httponly=True, samesite="strict")

    def _new(self, code_hash: bytes | None) -> Visit:
        return Visit(secrets.token_urlsafe(16), int(self.now.timestamp()), code_hash)


def is_shown(election: Hours) -> bool:
    """Whether everybody may know that there is this election to vote in."""
    return election.kind == "real" and election.status != "draft"
