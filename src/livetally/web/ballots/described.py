"""What OpenAPI says of the routes whose bodies are read by hand: shapes, and examples that a test sends."""

from typing import Any

from livetally.web.problems import MEDIA_TYPE

CODE, RECEIPT = "E6T7J-SGAQ5-13B8T-3MXGT-WE1GD5", "E6T7JSGAQ513B8T3MXGTWE1GD5"
TEXT = {"type": "string", "minLength": 1, "maxLength": 255}
PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "field": {"type": "string", "description": "what has to be changed"},
    },
}
PLACE = {
    "type": ["object", "null"],
    "required": ["partition", "offset"],
    "properties": {"partition": {"type": "integer"}, "offset": {"type": "integer"}},
}


def _problem(about: str) -> dict[str, Any]:
    return {"description": about, "content": {MEDIA_TYPE: {"schema": PROBLEM}}}


TOO_OFTEN: dict[int | str, dict[str, Any]] = {429: _problem("asked too often"), 431: _problem("too much in the headers")}
AWAY: dict[int | str, dict[str, Any]] = {503: _problem("a service is away; `Retry-After` says when to ask again")}

CAST: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
            "description": "any text of yours; it is kept with the receipt, and belongs to the voter whose code it came with",
        }
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["candidate_id", "code"],
                    "properties": {
                        "candidate_id": TEXT,
                        "code": TEXT | {"description": "the voting code, with or without separators, in any case"},
                    },
                },
                "example": {"candidate_id": "c1", "code": CODE},
            }
        },
    },
}
CAST_ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "Kafka has acknowledged a ballot of this voter",
        "headers": {"Location": {"description": "where to follow it", "schema": {"type": "string"}}},
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["receipt", "repeated", "links"],
                    "properties": {
                        "receipt": {"type": "string"},
                        "repeated": {"type": "boolean", "description": "this voter had asked before; the ballot that arrived first counts"},
                        "same_request": {"type": "boolean", "description": "whether it came with this Idempotency-Key then"},
                        "links": {"type": "object", "additionalProperties": {"type": "string"}},
                    },
                },
                "example": {
                    "receipt": RECEIPT,
                    "repeated": False,
                    "links": {"self": f"/ballots/{RECEIPT}", "page": f"/receipts/{RECEIPT}"},
                },
            }
        },
    },
    400: _problem("the body is not JSON"),
    403: _problem("no such code, a void one, or one of another election"),
    404: _problem("no such election"),
    409: _problem("not open yet, or closed"),
    413: _problem("too large"),
    415: _problem("not sent as JSON"),
    422: _problem("a field is wrong, or no such candidate"),
    **TOO_OFTEN,
    **AWAY,
}
FOLLOW_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "what became of it; never whom it is for",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["receipt", "election_id", "issued_at", "state", "ballot"],
                    "properties": {
                        "receipt": {"type": "string"},
                        "election_id": {"type": "string"},
                        "issued_at": {"type": "string", "format": "date-time"},
                        "state": {"enum": ["pending", "accepted", "rejected"]},
                        "reason": {"type": "string"},
                        "ballot": PLACE,
                        "chain": {
                            "type": "object",
                            "required": ["number", "head"],
                            "properties": {"number": {"type": "integer"}, "head": {"type": "string"}},
                        },
                    },
                },
                "example": {
                    "receipt": RECEIPT,
                    "election_id": "e",
                    "issued_at": "2026-05-07T08:00:00+00:00",
                    "state": "accepted",
                    "ballot": {"partition": 0, "offset": 17},
                    "chain": {"number": 4, "head": "5d41402abc4b2a76b9719d911017c592" * 2},
                },
            }
        },
    },
    404: _problem("no such receipt"),
    422: _problem("this is no receipt"),
    **TOO_OFTEN,
    **AWAY,
}
REISSUE_ANSWERS: dict[int | str, dict[str, Any]] = {
    401: _problem("nobody has signed in"),
    403: _problem("the role is not enough, or the form is not ours"),
    409: _problem("no such voter or election, or the election takes no codes"),
    **TOO_OFTEN,
    **AWAY,
}
