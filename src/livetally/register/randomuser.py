"""People from the randomuser.me API, format 1.4: `register --source randomuser`."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import orjson
import requests

from livetally.core.elections import Voter
from livetally.core.errors import SourceError, UsageError
from livetally.register.randomuser_record import Fault, voter_of

PAGE_PEOPLE = 5_000  # as many as the API gives at once; part of who a person is, since pages are cut by it
PAGES_MAX = 10_000  # the API answers higher page numbers with page 1
RESPONSE_BYTES_MAX = 32 * 1024 * 1024  # a full page has some 6 MB
TIMEOUT_S = 30.0  # between two bytes: a full page takes the API some seconds
ATTEMPTS_MAX = 5
BACK_OFF_FIRST_S = 1.0  # doubled each time: whoever has no network at all knows after 15 s
# The API gives an address 20,000 people in five minutes, then answers 429 without saying how long.
RATE_LIMIT_WAIT_S = 60.0
RATE_LIMIT_ATTEMPTS_MAX = 8
RETRY_AFTER_MAX_S = 600.0  # who is told to come back later than that should do so by hand
NO_NETWORK_NEEDED = "People made up on this machine need no network: `--source synthetic`."

RATE_LIMITED = 429
CLIENT_ERROR, SERVER_ERROR = 400, 500

Progress = Callable[[int, str], None]


@dataclass(frozen=True, slots=True)
class _Failure:
    """One attempt that failed. `wait_s` is how long the API asks to wait; None means that asking again is of no use."""

    what: str
    wait_s: float | None = 0.0
    attempts_max: int = ATTEMPTS_MAX


def fetch_people(
    url: str,
    seed: int,
    first: int,
    count: int,
    progress: Progress = lambda _done, _note: None,
    *,
    session: requests.Session | None = None,
    timeout_s: float = TIMEOUT_S,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Voter]:
    """The people with the numbers first to first + count - 1 of this seed, page by page.

    The API makes up the people of a page one after the other from seed and page number, so a shorter page is the
    beginning of a longer one, and person i is the same whatever is asked for. `progress` is told after each page
    how many have come, and before each wait why. Raises SourceError when the API fails for good or answers with
    something else, UsageError when it does not have that many.
    """
    if first + count > PAGE_PEOPLE * PAGES_MAX:
        raise UsageError(
            f"The API has {PAGE_PEOPLE * PAGES_MAX:,} people per seed; number {first + count:,} is beyond that. Ask for fewer. {NO_NETWORK_NEEDED}"
        )
    if session is None:
        with requests.Session() as own:
            yield from fetch_people(url, seed, first, count, progress, session=own, timeout_s=timeout_s, sleep=sleep, now=now)
        return
    number, end = first, first + count
    while number < end:
        page, skipped = divmod(number, PAGE_PEOPLE)
        wanted = min(PAGE_PEOPLE, end - page * PAGE_PEOPLE)
        parameters: dict[str, str | int] = {"results": wanted, "page": page + 1, "nat": "gb", "seed": _seed_text(seed), "format": "json"}
        api = _Api(url, session, timeout_s, sleep, now, partial(progress, number - first))
        records = api.page(parameters)
        yield from (_voter(record, page + 1, place) for place, record in enumerate(records) if place >= skipped)
        number = page * PAGE_PEOPLE + wanted
        progress(number - first, "")


def _seed_text(seed: int) -> str:
    """The API hashes seed and page number written together: the dot keeps seed 1, page 23 apart from seed 12, page 3.

    A seed of exactly 18 characters would choose the nationality; this one is always longer.
    """
    return f"livetally-{seed:020d}."


def _voter(record: object, page: int, place: int) -> Voter:
    voter = voter_of(record)
    if isinstance(voter, Fault):
        raise SourceError(
            f"The people of page {page} are not in the format 1.4 of the randomuser.me API: record {place + 1}, {voter.field} {voter.what}. "
            f"Check LIVETALLY_RANDOMUSER_URL. {NO_NETWORK_NEEDED}"
        )
    return voter


@dataclass(frozen=True, slots=True)
class _Api:
    url: str
    session: requests.Session
    timeout_s: float
    sleep: Callable[[float], None]
    now: Callable[[], datetime]
    notice: Callable[[str], None]

    def page(self, parameters: Mapping[str, str | int]) -> list[object]:
        """The records of one page, as many as were asked for."""
        attempt = 1
        while isinstance(answer := self._ask(parameters), _Failure):
            if answer.wait_s is None or attempt >= answer.attempts_max:
                raise SourceError(
                    f"Page {parameters['page']} of the people at {self.url} could not be fetched, in {attempt} attempt(s): {answer.what}. "
                    f"Run the command again later: it goes on where it stopped. {NO_NETWORK_NEEDED}"
                )
            wait_s = max(answer.wait_s, BACK_OFF_FIRST_S * 2 ** (attempt - 1))
            self.notice(f"page {parameters['page']}: {answer.what}; trying again in {wait_s:.0f} s")
            self.sleep(wait_s)
            attempt += 1
        return answer

    def _ask(self, parameters: Mapping[str, str | int]) -> list[object] | _Failure:
        try:
            with self.session.get(self.url, params=dict(parameters), timeout=self.timeout_s, stream=True) as response:
                body = _body(response)
                if response.status_code >= CLIENT_ERROR:
                    return self._refusal(response, body)
        except requests.Timeout:
            return _Failure(f"no answer within {self.timeout_s:g} s")
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
            return _Failure(f"the connection failed ({_root_of(error)})")
        except requests.RequestException as error:  # the address itself, or where it redirects to
            return _Failure(f"the request cannot be made ({error})", None)
        if body is None:
            return _Failure(f"the answer is longer than {RESPONSE_BYTES_MAX} bytes", None)
        return _records(body, int(parameters["results"]))

    def _refusal(self, response: requests.Response, body: bytes | None) -> _Failure:
        status = response.status_code
        said = _error_of(_decoded(body or b""))
        what = f"it answered {status} {response.reason}" + (f", {said!r}" if said else "")
        if status == RATE_LIMITED or status >= SERVER_ERROR:
            asked_s = _retry_after_s(response.headers.get("Retry-After"), self.now())
            if asked_s is not None and asked_s > RETRY_AFTER_MAX_S:
                return _Failure(f"{what}, and asks to come back in {asked_s:.0f} s", None)
            if status == RATE_LIMITED:
                return _Failure(what, RATE_LIMIT_WAIT_S if asked_s is None else asked_s, RATE_LIMIT_ATTEMPTS_MAX)
            return _Failure(what, asked_s or 0.0)
        return _Failure(what, None)


def _body(response: requests.Response) -> bytes | None:
    """The whole answer; None if it is too long."""
    body = bytearray()
    for piece in response.iter_content(64 * 1024):
        body += piece
        if len(body) > RESPONSE_BYTES_MAX:
            return None
    return bytes(body)


def _records(body: bytes, wanted: int) -> list[object] | _Failure:
    answer = _decoded(body)
    if said := _error_of(answer):
        return _Failure(f"it answered with the error {said!r}")
    records = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(records, list):
        return _Failure("the answer is not JSON with a list of results")
    if len(records) != wanted:
        return _Failure(f"{wanted} people were asked for, {len(records)} came")
    return records


def _decoded(body: bytes) -> Any:
    """The JSON value, None if it is none: garbage and lone surrogates included."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _error_of(answer: object) -> str:
    """What the API says that went wrong: it says so with status 200, too."""
    error = answer.get("error") if isinstance(answer, dict) else None
    return str(error)[:200] if error else ""


def _retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds, or a date; None if there is neither."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max((moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds(), 0.0)


def _root_of(error: BaseException) -> str:
    """The innermost reason: requests wraps it three times."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error) or type(error).__name__
