"""What somebody believes who has watched the aggregated topics all the time: of each key the highest version. Pure."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from outsider import Seen
from recovery.views import CANDIDATES, MINUTES, TOPICS, Group

Version = tuple[int, int]  # generation and batch
NEVER: Version = (0, 0)
Key = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Said:
    version: Version
    group: Group
    total: int


class Shown:
    def __init__(self) -> None:
        self._newest: dict[Key, Said] = {}
        self._versions: dict[str, Version] = {}  # the highest of each topic: whoever reads several does not get them in step

    def take(self, topic: str, message: Seen) -> tuple[Said, list[str]]:
        """Fold one message in, in the order of the topic; what it says, and what is wrong with it beside what was said before."""
        looks, fields = TOPICS[topic], message.fields
        generation, batch = fields["version"]
        said = Said((generation, batch), looks.group_in(fields), looks.total_in(fields))
        key = (topic, message.key or b"")
        faults = []
        if tuple(json.loads(key[1])) != said.group:
            faults.append(f"{topic}: {said} has the key {key[1]!r}")
        before = self._newest.get(key)
        if before is not None:
            faults += [f"{topic}: {said} {fault} after {before}" for fault in _faults(topic, before, said)]
        if before is None or said.version >= before.version:
            self._newest[key] = said
        highest = self._versions.get(topic, NEVER)
        if generation < highest[0]:
            faults.append(f"{topic}: {said} came when {highest} had been shown")
        self._versions[topic] = max(highest, said.version)
        return said, faults

    def totals(self, topic: str) -> Counter[Group]:
        """Key by key, whichever count a number is of."""
        return Counter({said.group: said.total for (of, _), said in self._newest.items() if of == topic})

    @property
    def version(self) -> Version:
        """That every topic has come to; a batch touches all of them."""
        return min((self._versions.get(topic, NEVER) for topic in TOPICS), default=NEVER)

    @property
    def votes(self) -> int:
        """Of all candidates."""
        return self.totals(CANDIDATES).total()


def _faults(topic: str, before: Said, now: Said) -> Iterator[str]:
    if now.version < before.version:
        yield "is older, and came"
    elif now.version == before.version and now.total != before.total:
        yield "says something else of the same version, and came"
    # Another count may have found other votes late for their minute; no other number has a reason to become smaller.
    elif now.total < before.total and (topic != MINUTES or now.version[0] == before.version[0]):
        yield "goes backwards, and came"


def beyond(topic: str, said: Said, ledger: Mapping[Group, int]) -> str | None:
    """Whether more is shown than the ledger has; it must have been asked after the message was read."""
    found = ledger.get(said.group, 0)
    return f"{topic}: {said} is above the {found} in the ledger" if said.total > found else None
