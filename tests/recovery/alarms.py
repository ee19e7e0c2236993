"""What somebody believes of the alerts who reads their topic, and what PostgreSQL keeps of them: each raised once, both the same."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from livetally.adapters.postgres import Connection
from outsider import Seen

# The newest of each rule and subject: of that one, the topic's key has the last word.
KEPT = """
    SELECT DISTINCT ON (election_id, rule, subject) election_id, rule, subject, state, to_char(from_time, 'YYYY-MM-DD HH24:MI'),
           to_char(to_time, 'YYYY-MM-DD HH24:MI'), seen, generation, batch
    FROM alerts ORDER BY election_id, rule, subject, from_time DESC
"""
# Of each rule and subject there is one at a time: a minute that two of them claim has been raised twice.
TWICE = """
    SELECT one.election_id, one.rule, one.subject, one.from_time::text, two.from_time::text
    FROM alerts one JOIN alerts two USING (election_id, rule, subject)
    WHERE one.from_time < two.from_time AND (two.from_time < one.to_time OR one.state = 'raised')
"""
MINUTE = len("2026-05-07 12:00")

Key = tuple[str, str, str]  # election, rule, subject


class Said(NamedTuple):
    state: str
    begins: str
    ends: str
    seen: float
    version: tuple[int, int]


class Alarms:
    def __init__(self) -> None:
        self.newest: dict[Key, Said] = {}

    def take(self, message: Seen) -> list[str]:
        """Fold one message in, in the order of the topic; what is wrong with it."""
        fields = message.fields
        key: Key = (fields["election_id"], fields["rule"], fields["subject"])
        said = _said(fields)
        before, self.newest[key] = self.newest.get(key), said
        faults = [f"alerts: {said} has the key {message.key!r}"] if json.loads(message.key or b"[]") != [*key] else []
        if before is not None:
            faults += [f"alerts: {key} {said} {fault} {before}" for fault in _faults(before, said)]
        return faults

    def differ(self, connection: Connection) -> list[str]:
        """Every difference from the table, in words."""
        rows = connection.execute(KEPT).fetchall()
        kept = {(row[0], row[1], row[2]): Said(row[3], row[4], row[5], row[6], (row[7], row[8])) for row in rows}
        return [
            *(f"alerts: {one} and {two} of {name} are one, raised twice" for *name, one, two in connection.execute(TWICE)),
            *(
                f"alerts: {key} is {self.newest.get(key)} on the topic, {kept.get(key)} in the table"
                for key in sorted(kept.keys() | self.newest.keys())
                if self.newest.get(key) != kept.get(key)
            ),
        ]


def _said(fields: dict[str, Any]) -> Said:
    generation, batch = fields["version"]
    return Said(fields["state"], fields["from"][:MINUTE], fields["to"][:MINUTE], fields["seen"], (generation, batch))


def _faults(before: Said, now: Said) -> Iterator[str]:
    if now == before:
        return  # told again, as it stands
    if now.begins == before.begins and now.version < before.version:
        yield "is older, and came after"
    if now.begins == before.begins and before.state == "cleared":
        yield "is raised again, although it was over:"
    if now.begins > before.begins and before.state == "raised" and now.begins < before.ends:
        yield "is another alert of the same thing as"
