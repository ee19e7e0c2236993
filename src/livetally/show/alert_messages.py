"""Reading messages of `alerts_topic`: which alert one is about, and which of two about the same alert is the newer."""

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from livetally.show.trust import AlertSeen

AlertKey = tuple[str, str, datetime]  # rule, subject, beginning

_TEXTS = ("rule", "subject", "place", "candidate_id", "state", "severity", "evidence")


@dataclass(frozen=True, slots=True)
class HeardAlert:
    alert: AlertSeen
    rank: tuple[Any, ...]

    @property
    def key(self) -> AlertKey:
        return self.alert.rule, self.alert.subject, self.alert.begins


def read_alert(fields: Mapping[str, Any], version: tuple[int, int, str]) -> HeardAlert:
    """`version`: generation, batch, as_of. Raises ValueError if a field is missing or is not what it should be."""
    texts = {name: _text(fields, name) for name in _TEXTS}
    alert = AlertSeen(
        **texts, seen=_number(fields, "seen"), expected=_number(fields, "expected"), begins=_time(fields, "from"), ends=_time(fields, "to")
    )
    # Of equal versions the later one stays; of equal times too, the one that lasts longer, and one that is over; at last any order will do.
    return HeardAlert(alert, (*version, alert.ends, alert.state == "cleared", astuple(alert)))


def in_order(heard: Iterable[HeardAlert]) -> tuple[AlertSeen, ...]:
    """Those that are raised first, then the newest."""
    by_name = sorted((one.alert for one in heard), key=lambda one: (one.rule, one.subject))
    return tuple(sorted(by_name, key=lambda one: (one.state == "raised", one.ends, one.begins), reverse=True))


def _text(fields: Mapping[str, Any], name: str) -> str:
    text = fields.get(name)
    if not isinstance(text, str):
        raise ValueError(f"{name} is missing or is no text")  # noqa: TRY004 (not our type error: a fault of the message)
    return text


def _number(fields: Mapping[str, Any], name: str) -> float:
    number = fields.get(name)
    if isinstance(number, bool) or not isinstance(number, int | float) or not isfinite(number):
        raise ValueError(f"{name} is missing or is no number")
    return float(number)


def _time(fields: Mapping[str, Any], name: str) -> datetime:
    moment = datetime.fromisoformat(_text(fields, name))
    if moment.tzinfo is not None:
        raise ValueError(f"{name} is not YYYY-MM-DD HH:MM:SS.mmm")
    return moment.replace(tzinfo=UTC)
