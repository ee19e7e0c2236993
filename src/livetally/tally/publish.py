"""Announcing totals: absolute, keyed, versioned, so that nobody has to have seen the message before."""

from collections.abc import Iterable, Mapping

import orjson

from livetally.adapters.cells import Total
from livetally.adapters.publisher import Outgoing
from livetally.core.tally import UNKNOWN, VIEWS

TRANSACTIONAL_ID = "livetally-tally"  # fixed: whoever comes second fences the first

_VIEW = {view.name: view for view in VIEWS}


def messages(
    totals: Iterable[Total],
    generation: int,
    candidates: Mapping[str, tuple[str, str, str]],
    registered: Mapping[tuple[str, tuple[str, ...]], int],
    as_of: str,
) -> list[Outgoing]:
    """The message of each total."""
    found = []
    for total in totals:
        view = _VIEW[total.view]
        value: dict[str, object] = dict(zip(view.group, total.group, strict=True))
        if view.name == "candidate":
            name, party, photo = candidates.get(total.group[0], (UNKNOWN, UNKNOWN, ""))
            value |= {"candidate_name": name, "party_affiliation": party, "photo_url": photo}
        value[view.total] = total.votes
        if (voters := registered.get((view.name, total.group))) is not None:
            value["registered"] = voters
        value |= {"election_id": total.election_id, "version": [generation, total.batch], "as_of": as_of}
        found.append(Outgoing(view.topic, view.key(total.election_id, total.group), orjson.dumps(value)))
    return found
