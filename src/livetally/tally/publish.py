"""Announcing totals, minutes and alerts: absolute, keyed, versioned, so that nobody has to have seen the message before."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import orjson

from livetally.adapters.alerts import KnownAlert
from livetally.adapters.cells import Group, MinuteTotal, Total
from livetally.adapters.publisher import Outgoing
from livetally.core.tally import UNKNOWN, VIEWS
from livetally.core.wire import ALERTS, PER_MINUTE, composite_key, utc_text

TRANSACTIONAL_ID = "livetally-tally"  # fixed: whoever comes second fences the first
TURNOUT_DIGITS = 6

_VIEW = {view.name: view for view in VIEWS}


@dataclass(frozen=True, slots=True)
class Texts:
    """The messages of one publication."""

    generation: int
    candidates: Mapping[str, tuple[str, str, str]]  # name, party, portrait
    registered: Mapping[Group, int]
    as_of: str

    def totals(self, totals: Iterable[Total]) -> Iterator[Outgoing]:
        for total in totals:
            view = _VIEW[total.view]
            value: dict[str, object] = dict(zip(view.group, total.group, strict=True))
            if view.name == "candidate":
                value |= self._candidate(total.group[0])
            value[view.total] = total.votes
            if voters := self.registered.get((view.name, total.election_id, total.group)):
                value |= {"registered": voters, "turnout": round(total.votes / voters, TURNOUT_DIGITS)}
            yield self._outgoing(
                view.topic, view.key(total.election_id, total.group), total.election_id, value, (self.generation, total.batch)
            )

    def minutes(self, minutes: Iterable[MinuteTotal]) -> Iterator[Outgoing]:
        for minute in minutes:
            begins = utc_text(minute.begins)
            value = {
                "window_start": begins,
                "window_end": utc_text(minute.begins + timedelta(minutes=1)),
                "candidate_id": minute.candidate_id,
                "total_votes": minute.votes,
            }
            key = composite_key(minute.election_id, minute.candidate_id, begins)
            yield self._outgoing(PER_MINUTE, key, minute.election_id, value, (self.generation, minute.batch))

    def alerts(self, alerts: Iterable[KnownAlert]) -> Iterator[Outgoing]:
        for known in alerts:
            value = {
                "rule": known.alert.rule,
                "severity": known.alert.severity,
                "subject": known.alert.subject,
                "place": known.alert.place,
                "candidate_id": known.alert.candidate_id,
                "seen": known.alert.seen,
                "expected": known.alert.expected,
                "from": utc_text(known.begins),
                "to": utc_text(known.ends),
                "state": known.alert.state,
                "evidence": known.alert.evidence,
            }
            key = composite_key(known.election_id, known.alert.rule, known.alert.subject)
            yield self._outgoing(ALERTS, key, known.election_id, value, known.version)

    def _candidate(self, candidate_id: str) -> dict[str, str]:
        name, party, photo = self.candidates.get(candidate_id, (UNKNOWN, UNKNOWN, ""))
        return {"candidate_name": name, "party_affiliation": party, "photo_url": photo}

    def _outgoing(self, topic: str, key: bytes, election_id: str, value: Mapping[str, object], version: tuple[int, int]) -> Outgoing:
        told = {**value, "election_id": election_id, "version": version, "as_of": self.as_of}
        return Outgoing(topic, key, orjson.dumps(told))
