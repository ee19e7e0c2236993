"""How much anybody may ask for: size, time, and how often. Plain ASGI, so that a request costs some microseconds more."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request, cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from livetally.core.access import cookie_name
from livetally.settings import Settings
from livetally.web.meter import Meter
from livetally.web.problems import Problem, problem_of

BUCKETS_MAX = 50_000  # some 10 MB; who is forgotten may ask as if for the first time
BURST_S = 10.0  # a credential that has been quiet may ask for so many seconds' worth at once
ANSWER = "livetally.answer"  # where a request keeps it
HEAD_BYTES_MAX = 16 * 1024  # of headers in all


class Buckets:
    """Who has asked how often lately: a token bucket for each name, and memory for so many of them."""

    def __init__(self, per_s: float, burst: float, clock: Callable[[], float] = time.monotonic, names_max: int = BUCKETS_MAX) -> None:
        self._per_s = per_s
        self._burst = max(burst, 1.0)
        self._clock = clock
        self._names_max = names_max
        self._left: OrderedDict[object, tuple[float, float]] = OrderedDict()

    def wait_s(self, name: object) -> float:
        """Take one; 0 if there was one, else how long until there is."""
        now = self._clock()
        left, since = self._left.pop(name, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_s)
        has_one = left >= 1.0
        self._left[name] = (left - 1.0 if has_one else left, now)
        if len(self._left) > self._names_max:
            self._left.popitem(last=False)
        return 0.0 if has_one else (1.0 - left) / self._per_s


class Limits:
    """The outermost of the application's own: what it lets through is of a size, comes in time, and not too often.

    Whatever goes wrong inside, it answers with a problem.
    """

    def __init__(self, app: ASGIApp, settings: Settings, meter: Meter | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._meter = meter
        self._clock = clock
        self._bytes_max = settings.api_body_bytes_max
        self._request_s_max = settings.api_request_s_max
        self._proxy = settings.api_proxy_address
        self._cookie = cookie_name(behind_tls=settings.api_behind_tls)
        self._buckets = Buckets(settings.api_requests_per_s, settings.api_requests_per_s * BURST_S, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = Answer(send, self._clock)
        scope[ANSWER] = answer
        began_s, headers = self._clock(), dict(scope["headers"])
        scope["client"] = (address_of(scope, headers, self._proxy), 0)
        try:
            self._check(scope, headers)
            async with asyncio.timeout(self._request_s_max) as limit:
                answer.limit = limit
                await self._app(scope, self._bounded(receive), answer.send)
        except TimeoutError:
            await answer.instead(Problem(503, "too-slow", "This took longer than it may. Try again.", retry_after_s=2), scope, receive)
        except ClientDisconnect:
            pass  # nobody is left to be answered
        except Exception as fault:  # noqa: BLE001 (whoever asks is to be answered, whatever happened)
            await answer.instead(problem_of(fault, scope), scope, receive)
        finally:
            if self._meter is not None:
                self._meter.answered(answer.status, answer.begun_s - began_s)

    def _check(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        """Raises Problem."""
        wait_s = self._buckets.wait_s(scope["client"][0])
        if not wait_s and (credential := credential_in(scope, self._cookie)) is not None:  # who is refused takes nothing from anybody else
            wait_s = self._buckets.wait_s(hash(credential))
        if wait_s:
            raise too_often(wait_s)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEAD_BYTES_MAX:
            raise Problem(431, "head-too-large", f"The headers are larger than {HEAD_BYTES_MAX} bytes.")
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length[:20]) > self._bytes_max:
            raise self._too_large()

    def _bounded(self, receive: Receive) -> Receive:
        """A body that does not say how long it is, is counted as it comes."""
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._bytes_max:
                raise self._too_large()
            return message

        return counted

    def _too_large(self) -> Problem:
        return Problem(413, "too-large", f"The body is larger than {self._bytes_max} bytes.", field="body", headers={"Connection": "close"})


class Answer:
    """What is sent. The time limit is for its beginning: a stream of events goes on."""

    def __init__(self, send: Send, clock: Callable[[], float]) -> None:
        self._send = send
        self._clock = clock
        self.status = 0  # not begun yet
        self.begun_s = clock()
        self.limit: asyncio.Timeout | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.begun_s = message["status"], self._clock()
            if self.limit is not None:
                self.limit.reschedule(None)
        await self._send(message)

    async def instead(self, problem: Problem, scope: Scope, receive: Receive) -> None:
        """A problem, unless something has been sent already: then there is nothing left to say but to break off."""
        if self.status:
            raise problem
        self.limit = None
        await problem.response(scope)(scope, receive, self.send)


def take_longer(request: Request, seconds: float) -> None:
    """This request may take so much longer: somebody with a role has asked for much."""
    answer: Answer | None = request.scope.get(ANSWER)
    if answer is not None and answer.limit is not None:
        answer.limit.reschedule(asyncio.get_running_loop().time() + seconds)


def address_of(scope: Scope, headers: dict[bytes, bytes], proxy: str | None) -> str:
    """Who asks: the last that the proxy has seen, if it is the proxy that asks. Whatever stands before that, anybody could have written."""
    peer = scope["client"][0] if scope.get("client") else ""
    if proxy is None or peer != proxy:
        return str(peer)
    return headers.get(b"x-forwarded-for", b"").decode("latin-1").rpartition(",")[2].strip()[:64] or str(peer)


def credential_in(scope: Scope, cookie: str) -> str | None:
    """The token or the session that is shown, read as `access.py` reads it: whatever is written around it makes no other one of it."""
    shown = session = None
    for name, value in scope["headers"]:
        if name == b"authorization" and shown is None:
            shown = value.decode("latin-1")
        elif name == b"cookie":
            session = cookie_parser(value.decode("latin-1")).get(cookie, session)
    return (session or None) if shown is None else bearer(shown)


def bearer(shown: str) -> str | None:
    """The token in an `Authorization`; None if it holds none."""
    scheme, _, token = shown.partition(" ")
    return (token.strip() or None) if scheme.lower() == "bearer" else None


def too_often(wait_s: float) -> Problem:
    return Problem(429, "too-often", "That is more often than this takes. Wait, then try again.", retry_after_s=int(wait_s) + 1)
