"""Answers about ballots, in JSON."""

from typing import Any

import orjson
from fastapi import Response

from livetally.core.following import Accepted, Followed, Pending, Place
from livetally.core.following import Refused as Rejected
from livetally.web.ballots.answers import Answer, Before, NotNow, Refusal, Refused, Taken
from livetally.web.problems import Problem

RETRY_AFTER_S = 2  # a broker that was killed is back within some seconds
NOT_KEPT = {"Cache-Control": "no-store"}

NOTHING_NOW = "Nothing was cast by this request; a ballot that had been cast before stands."

# Status, field at fault, and what to do about it.
REFUSALS: dict[Refusal, tuple[int, str, str]] = {
    Refusal.UNKNOWN_ELECTION: (404, "election_id", "There is no such election."),
    Refusal.UNKNOWN_CODE: (403, "code", "There is no such voting code. Nothing was cast by this request. Look for a mistyped letter."),
    Refusal.VOIDED_CODE: (
        403,
        "code",
        f"This voting code is void, because another one was issued to the same voter. {NOTHING_NOW} Use the newer one.",
    ),
    Refusal.WRONG_ELECTION: (403, "election_id", f"This voting code is for another election. {NOTHING_NOW}"),
    Refusal.NOT_OPEN: (409, "election_id", "The election is not open yet. Nothing was cast, and the code stays good."),
    Refusal.CLOSED: (409, "election_id", "The election is closed. Nothing was cast."),
    Refusal.UNKNOWN_CANDIDATE: (
        422,
        "candidate_id",
        "There is no such candidate in this election. Nothing was cast, and the code stays good.",
    ),
}
NOTHING_CAST = f"Ballots cannot be taken at present. {NOTHING_NOW} Send the same request again."
MAY_BE_CAST = "It is not known whether the ballot was taken. Send the same request again: that settles it, and one vote counts, however often it is sent."


def said(answer: Answer) -> Response:
    """202 if Kafka has it. Raises Problem."""
    match answer:
        case Taken():
            return _taken(answer)
        case Refused():
            status, field, detail = REFUSALS[answer.refusal]
            if answer.receipt is not None:
                detail += f" An earlier request may have been taken: GET /ballots/{answer.receipt} says what became of it."
            raise Problem(status, answer.refusal, detail, field=field)
        case NotNow():
            raise Problem(503, "service-away", MAY_BE_CAST if answer.may_be_cast else NOTHING_CAST, retry_after_s=RETRY_AFTER_S)


def followed(receipt: str, election_id: str, issued_at: str, state: Followed) -> dict[str, Any]:
    """Never the choice: a receipt that told it could be sold."""
    said: dict[str, Any] = {"receipt": receipt, "election_id": election_id, "issued_at": issued_at}
    match state:
        case Pending():
            return said | {"state": "pending", "ballot": _place(state.place)}
        case Accepted():
            return said | {"state": "accepted", "ballot": _place(state.place), "chain": state.link._asdict()}
        case Rejected():
            return said | {"state": "rejected", "reason": state.reason, "ballot": _place(state.place), "chain": state.link._asdict()}


def _taken(answer: Taken) -> Response:
    self_link = f"/ballots/{answer.receipt}"
    document: dict[str, Any] = {
        "receipt": answer.receipt,
        "repeated": answer.before is not Before.NOTHING,
        "links": {"self": self_link, "page": f"/receipts/{answer.receipt}"},
    }
    if answer.same_request is not None:
        document["same_request"] = answer.same_request
    return Response(orjson.dumps(document), 202, {"Location": self_link, **NOT_KEPT}, "application/json")


def _place(place: Place | None) -> dict[str, int] | None:
    return None if place is None else place._asdict()
