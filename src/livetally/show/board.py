"""The board: the newest number of every key of the compacted topics, folded from their messages in any order.

Messages carry absolute totals and a version [generation, batch], so neither order nor repetition
matters: per key the highest version stays, and of equal versions the later `as_of`. A reader may
therefore start again from the beginning at any time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from livetally.core import wire
from livetally.core.tally import AGE, CANDIDATE, GENDER, PARTY, REGION, STATE, VIEWS, View
from livetally.show.alert_messages import AlertKey, HeardAlert, in_order, read_alert
from livetally.show.result import Group, Result, Standing, Unreadable, by_age, by_name, by_votes, lead_of, ranked
from livetally.show.trust import AlertSeen

TOPICS = (wire.CANDIDATES, *(view.topic for view in VIEWS), wire.ALERTS)
UNREADABLE_MAX = 1_000  # remembered one by one, so that reading them again does not count them again; more are not worth memory
BEFORE_ANY_BATCH = -1  # of a recount that had nothing to count, and takes back what was announced before
_VIEW_OF = {view.topic: view for view in VIEWS}

Order = tuple[int, int]  # time and offset of a message: which of two that carry no version is the newer one
Group_ = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Number:
    """A total as it was published. Numbers with equal versions differ only in when they were published: the later one stays."""

    rank: tuple[int, int, str, int]  # generation, batch, as_of, total
    fields: Mapping[str, Any]
    group: Group  # what a page shows of it, made once: with thousands of places few change from one look to the next

    @property
    def total(self) -> int:
        return self.rank[3]


class Board:
    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, dict[Group_, _Number]]] = {}  # election -> view -> group -> number
        self._listed: dict[str, dict[str, tuple[Order, Mapping[str, Any]]]] = {}  # election -> candidate -> its announcement
        self._alerts: dict[str, dict[AlertKey, HeardAlert]] = {}
        self._unreadable: dict[tuple[str, Order], str] = {}
        self._results: dict[str, Result] = {}
        self._changed: set[str] = set()
        self.revision = 0  # grows with everything that a page would show differently

    def fold(self, topic: str, value: bytes | None, order: Order) -> None:
        """Take one message in. What is not a message of its topic changes nothing and is counted as unreadable."""
        try:
            fields = _object(value)
            if topic == wire.CANDIDATES:
                self._fold_candidate(fields, order)
            elif topic in _VIEW_OF:
                self._fold_number(_VIEW_OF[topic], fields)
            elif topic == wire.ALERTS:
                self._fold_alert(fields)
            else:
                raise ValueError("nobody expects messages from this topic")  # noqa: TRY301 (one place that counts them)
        except ValueError as error:
            if (topic, order) not in self._unreadable and len(self._unreadable) < UNREADABLE_MAX:
                self._unreadable[topic, order] = str(error)
                self.revision += 1

    def results(self) -> Mapping[str, Result]:
        """Every election's result by its id. The mapping is new, its values are frozen: it can be handed to other threads."""
        for election_id in self._changed:
            self._results[election_id] = self._result(election_id)
        self._changed.clear()
        return dict(self._results)

    def alerts(self) -> Mapping[str, tuple[AlertSeen, ...]]:
        """By election: those that are raised first, then the newest."""
        return {election_id: in_order(heard.values()) for election_id, heard in self._alerts.items()}

    def announced(self) -> Mapping[tuple[str, str, Group_], tuple[int, int, int]]:
        """Every total as it was announced: (view, election, group) -> (generation, batch, votes)."""
        return {
            (view, election_id, group): (number.rank[0], number.rank[1], number.total)
            for election_id, views in self._numbers.items()
            for view, numbers in views.items()
            for group, number in numbers.items()
        }

    @property
    def newest(self) -> tuple[tuple[int, int], datetime] | None:
        """The highest version that has been heard, and when it was announced."""
        ranks = (number.rank for views in self._numbers.values() for numbers in views.values() for number in numbers.values())
        newest = max(ranks, default=None)
        return None if newest is None else ((newest[0], newest[1]), _moment(newest[2]))

    @property
    def unreadable_votes(self) -> int:
        """Votes for nobody who stands: what the tally could not read is among them."""
        return sum(
            number.total
            for election_id, views in self._numbers.items()
            for (candidate_id, *_), number in views.get(CANDIDATE.name, {}).items()
            if candidate_id not in self._listed.get(election_id, {})
        )

    @property
    def unreadable(self) -> Unreadable:
        if not self._unreadable:
            return Unreadable()
        (topic, (_, offset)), fault = min(self._unreadable.items())
        return Unreadable(len(self._unreadable), f"{topic}, offset {offset}: {fault}")

    def _fold_candidate(self, fields: Mapping[str, Any], order: Order) -> None:
        election_id, candidate_id = _text(fields, "election_id"), _text(fields, "candidate_id")
        listed = self._listed.setdefault(election_id, {})
        if candidate_id not in listed or order > listed[candidate_id][0]:
            listed[candidate_id] = (order, fields)
            self._change(election_id)

    def _fold_number(self, view: View, fields: Mapping[str, Any]) -> None:
        election_id, group = _text(fields, "election_id"), tuple(_text(fields, name) for name in view.group)
        generation, batch = _version(fields)
        total = _count(fields, view.total)
        shown = Group(group[0], total, _registered(fields), within=group[1] if len(group) > 1 else "")
        number = _Number((generation, batch, _as_of(fields), total), fields, shown)
        numbers = self._numbers.setdefault(election_id, {}).setdefault(view.name, {})
        if group not in numbers or number.rank > numbers[group].rank:
            numbers[group] = number
            self._change(election_id)

    def _fold_alert(self, fields: Mapping[str, Any]) -> None:
        """An alert outlives a count: what was conspicuous once stays so when the votes are counted anew."""
        election_id = _text(fields, "election_id")
        heard = read_alert(fields, (*_version(fields), _as_of(fields)))
        alerts = self._alerts.setdefault(election_id, {})
        if heard.key not in alerts or heard.rank > alerts[heard.key].rank:
            alerts[heard.key] = heard
            self.revision += 1

    def _change(self, election_id: str) -> None:
        self._changed.add(election_id)
        self.revision += 1

    def _result(self, election_id: str) -> Result:
        views = self._numbers.get(election_id, {})
        standings = ranked(self._standings(election_id))
        ranks = [number.rank for numbers in views.values() for number in numbers.values()]
        return Result(
            election_id,
            total_votes=sum(standing.votes for standing in standings),
            candidates=standings,
            lead=lead_of(standings),
            places=by_votes(_groups(views, STATE)),
            cities=by_votes(_groups(views, REGION)),
            parties=by_votes(_groups(views, PARTY)),
            genders=by_name(_groups(views, GENDER)),
            ages=by_age(_groups(views, AGE)),
            as_of=_moment(max(as_of for _, _, as_of, _ in ranks)) if ranks else None,
            generation=max((generation for generation, *_ in ranks), default=0),
        )

    def _standings(self, election_id: str) -> list[Standing]:
        """Everybody on the list, and everybody with votes, should the list not name them (yet)."""
        numbers = self._numbers.get(election_id, {}).get(CANDIDATE.name, {})
        counted = {group[0]: number for group, number in numbers.items() if number.total}
        listed = {candidate_id: fields for candidate_id, (_, fields) in self._listed.get(election_id, {}).items()}
        return [
            _standing(candidate_id, listed.get(candidate_id) or counted[candidate_id].fields, counted.get(candidate_id))
            for candidate_id in listed.keys() | counted.keys()
        ]


def _standing(candidate_id: str, fields: Mapping[str, Any], number: _Number | None) -> Standing:
    return Standing(
        candidate_id,
        name=_said(fields, "candidate_name") or candidate_id,
        party=_said(fields, "party_affiliation"),
        photo=_said(fields, "photo_url"),
        biography=_said(fields, "biography"),
        platform=_said(fields, "campaign_platform"),
        votes=number.total if number else 0,
    )


def _groups(views: Mapping[str, Mapping[Group_, _Number]], view: View) -> list[Group]:
    """But those that a recount has taken back: no votes, and nobody registered."""
    return [number.group for number in views.get(view.name, {}).values() if number.total or number.group.registered]


def _object(value: bytes | None) -> Mapping[str, Any]:
    fields = wire.decode(value) if value is not None else None
    if not isinstance(fields, dict):
        raise ValueError("there is no JSON object")  # noqa: TRY004 (not our type error: a fault of the message)
    return fields


def _text(fields: Mapping[str, Any], name: str) -> str:
    text = fields.get(name)
    if not isinstance(text, str):
        raise ValueError(f"{name} is missing or is no text")  # noqa: TRY004 (likewise)
    return text


def _said(fields: Mapping[str, Any], name: str) -> str:
    text = fields.get(name)
    return text if isinstance(text, str) else ""


def _count(fields: Mapping[str, Any], name: str) -> int:
    count = fields.get(name)
    if not _is_count(count):
        raise ValueError(f"{name} is missing or is no count")
    return int(count or 0)


def _registered(fields: Mapping[str, Any]) -> int | None:
    count = fields.get("registered")
    return count if _is_count(count) else None


def _version(fields: Mapping[str, Any]) -> tuple[int, int]:
    match fields.get("version"):
        case [generation, batch] if _is_count(generation) and (_is_count(batch) or batch == BEFORE_ANY_BATCH):
            return generation, batch
        case _:
            raise ValueError("version is missing or is not [generation, batch]")


def _as_of(fields: Mapping[str, Any]) -> str:
    """The text as it came: in this format the order of texts is the order of times."""
    text = _text(fields, "as_of")
    if wire.utc_text(_moment(text)) != text:
        raise ValueError("as_of is not YYYY-MM-DD HH:MM:SS.mmm")
    return text


def _moment(as_of: str) -> datetime:
    return datetime.fromisoformat(as_of).replace(tzinfo=UTC)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
