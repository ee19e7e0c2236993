"""Does a vote's message tell of its voter what its election allows, no more and no less?"""

from collections.abc import Mapping
from typing import Any

from livetally.core.elections import Candidate
from livetally.core.wire import GROUP_ADDRESS_FIELDS, GROUP_FIELDS, VOTE_FIELDS

ALLOWED = {*GROUP_FIELDS, *Candidate.__slots__, *VOTE_FIELDS} - {"address"} | {f"address.{name}" for name in GROUP_ADDRESS_FIELDS}


def fault_of_detail(vote: Mapping[str, Any]) -> str | None:
    """What is wrong with a vote in an election whose votes tell groups alone. Values are not repeated: they may be what nobody is to see."""
    address = vote.get("address")
    told = vote.keys() - {"address"} | ({f"address.{name}" for name in address} if isinstance(address, Mapping) else set())
    if too_much := sorted(told - ALLOWED):
        return f"tells {', '.join(too_much)}, which no vote in this election may"
    if missing := sorted(ALLOWED - told):
        return f"does not tell {', '.join(missing)}"
    return None
