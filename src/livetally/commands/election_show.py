"""`livetally election show`: everything about one election on one screen."""

from typing import Any

from livetally.adapters.acts import Acts
from livetally.adapters.electors import Electors
from livetally.adapters.postgres import Connection
from livetally.adapters.roll import Roll
from livetally.commands.election import document
from livetally.commands.output import print_table
from livetally.core.wire import utc_text

ACTS_MAX = 20

VISIBLE = {
    "live": "everybody sees the result as it grows",
    "turnout": "until it is closed, everybody but officials sees only how many have voted",
    "officials": "until officials publish it, nobody else sees a result",
}
DETAIL = {"full": "a vote's message holds all of the voter's fields", "group": "a vote's message holds only what is counted by"}
ROLL = {"all": "everybody registered", "states": "everybody registered in", "list": "a list of its own"}


def overview(connection: Connection, election_id: str) -> dict[str, Any]:
    """As one document."""
    roll, electors = Roll(connection), Electors(connection)
    return document(roll.election(election_id), roll.now()) | {
        "on_roll": roll.on_roll(election_id),
        "codes": electors.codes_in(election_id),
        "voted": electors.votes_in(election_id),
        "rejected": electors.rejections_in(election_id),
        "candidates": [
            {"candidate_id": one.candidate_id, "candidate_name": one.candidate_name, "party_affiliation": one.party_affiliation}
            for one in roll.candidates(election_id)
        ],
        "acts": [
            {
                "at": one.at.isoformat(),
                "who": one.who,
                "what": one.what,
                "detail": one.detail,
                "came_from": one.came_from,
                "time": utc_text(one.at),
            }
            for one in Acts(connection).newest(ACTS_MAX, election_id)
        ],
    }


def print_overview(found: dict[str, Any]) -> None:
    rejected = ", ".join(f"{reason} {count:,}" for reason, count in found["rejected"].items())
    print_table(
        (found["election_id"], found["name"]),
        [
            ("kind", found["kind"]),
            ("status", found["status"]),
            ("opens", found["opens_at"] or _planned(found["opens_planned"])),
            ("closes", found["closes_at"] or _planned(found["closes_planned"])),
            ("visible", f"{found['visible']}: {VISIBLE[found['visible']]}"),
            ("detail", f"{found['detail']}: {DETAIL[found['detail']]}"),
            ("roll", f"{found['roll']}: {ROLL[found['roll']]} {', '.join(found['roll_states'])}".rstrip()),
            ("on the roll", found["on_roll"]),
            ("codes issued", found["codes"]),
            ("voted", found["voted"]),
            ("rejected", rejected or "no ballot"),
            ("certified", found["certified_at"] or "not yet"),
        ],
    )
    print()
    print_table(
        ("candidate", "party", "id"),
        [(one["candidate_name"], one["party_affiliation"], one["candidate_id"]) for one in found["candidates"]],
    )
    print()
    print_table(("UTC", "what was done", "by", "from"), [(one["time"], one["what"], one["who"], one["came_from"]) for one in found["acts"]])


def _planned(moment: str | None) -> str:
    return f"planned for {moment}" if moment else "not planned"
