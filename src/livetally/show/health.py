"""Who is there: the two services as the reader finds them, the two stages as PostgreSQL sees them. Pure: what is known comes in."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from livetally.show.result import Facts, Trouble
from livetally.show.trust import Health, Waiting

SPARK_STARTS = timedelta(seconds=20)  # a tally that votes wait for so long is missing; starting takes less
NOT_CONNECTED = "It is not connected to PostgreSQL."


def health(known: Sequence[Health], troubles: Sequence[Trouble], facts: Facts | None, now: datetime) -> tuple[Health, ...]:
    """Each with the moment since which it has been as it is; a stage that cannot be seen now stays as it was."""
    faults = {one.service: one.detail for one in troubles}
    seen: dict[str, str | None] = {service: faults.get(service) for service in ("Kafka", "PostgreSQL")}
    if facts is not None and facts.stages is not None and "PostgreSQL" not in faults:
        seen |= {stage: None if stage in facts.stages else NOT_CONNECTED for stage in ("record", "tally")}
    before: Mapping[str, Health] = {one.name: one for one in known}
    after = dict(before)
    for name, fault in seen.items():
        was = before.get(name)
        since = was.since if was is not None and was.is_up == (fault is None) else now
        after[name] = Health(name, fault is None, since, fault or "")
    return tuple(after.values())


def spark_is_away(known: Sequence[Health], waiting: Sequence[Waiting], now: datetime) -> bool:
    """Spark has no address that could be asked: it is missing when votes wait and the tally has not been connected for a while."""
    votes_wait = any(one.stage == "tally" and one.count for one in waiting)
    return votes_wait and any(one.name == "tally" and not one.is_up and now - one.since >= SPARK_STARTS for one in known)
