"""Whether the ledger, the votes topic, the tally and its announcements say the same. Pure: what each says comes in, where they differ comes out."""

from collections.abc import Iterator, Mapping
from itertools import islice

from livetally.core.tally import VIEWS, Cell
from livetally.show.trust import DIFFERENCES_MAX, Difference

Candidate = tuple[str, str]  # election, candidate
Key = tuple[str, str, tuple[str, ...]]  # view, election, group
Said = tuple[int, int, int]  # generation, batch, votes
Missing = frozenset[tuple[Key, int]]  # a total and the batch that changed it, of which nothing has been heard

FIRST_BATCH = 0

_TOPIC_OF = {view.name: view.topic for view in VIEWS}


def topic_and_tally(topic: Mapping[Candidate, int], tally: Mapping[Candidate, int]) -> Iterator[Difference]:
    """Votes of each candidate on the topic, up to where the tally has read, and in its cells."""
    for candidate in sorted(topic.keys() | tally.keys()):
        ours, theirs = topic.get(candidate, 0), tally.get(candidate, 0)
        if ours != theirs:
            place = f"candidate {candidate[1]}: the votes topic has {ours:,} votes, the tally has {theirs:,}"
            yield Difference("topic", "tally", place, candidate[0])


def topic_and_cells(topic: Mapping[Cell, int], cells: Mapping[Cell, int]) -> Iterator[Difference]:
    """The same, cell by cell."""
    if dict(topic) == dict(cells):  # nearly always, and there may be tens of thousands
        return
    for cell in sorted(cell for cell in topic.keys() | cells.keys() if topic.get(cell, 0) != cells.get(cell, 0)):
        place = f"cell {' · '.join(cell[1:])}: the votes topic has {topic.get(cell, 0):,} votes, the tally has {cells.get(cell, 0):,}"
        yield Difference("topic", "tally", place, cell.election_id)


def ledger_and_topic(ledger: Mapping[Candidate, tuple[int, int]], topic: Mapping[Candidate, tuple[int, int]]) -> Iterator[Difference]:
    """How many votes each candidate has before the cut, and the sum of their ballots' places: that tells two that were exchanged."""
    for candidate in sorted(ledger.keys() | topic.keys()):
        (ours, places), (theirs, their_places) = ledger.get(candidate, (0, 0)), topic.get(candidate, (0, 0))
        if ours != theirs:
            place = f"candidate {candidate[1]}: the ledger has {ours:,} votes, the votes topic has {theirs:,}"
            yield Difference("ledger", "topic", place, candidate[0])
        elif places != their_places:
            place = f"candidate {candidate[1]}: {ours:,} votes in the ledger and on the votes topic, but not of the same ballots"
            yield Difference("ledger", "topic", place, candidate[0])


def announced_and_tally(
    announced: Mapping[Key, Said], tally: Mapping[Key, tuple[int, int]], version: tuple[int, int], missing_before: Missing
) -> tuple[list[Difference], Missing]:
    """Announcements that were heard before the tally was asked, held against its totals (votes, batch) at `version`.

    A total of which an announcement is missing may be on its way: only one that was missing before, while later ones have been heard,
    is a difference. What is missing now is the second answer.
    """
    generation, newest = version
    heard = max((said[1] for said in announced.values() if said[0] == generation), default=-1)
    wrong: list[Difference] = []
    missing: set[tuple[Key, int]] = set()
    for key, (votes, batch) in tally.items():
        said = announced.get(key, (-1, -1, 0))
        if said[:2] == (generation, batch) and said[2] != votes:
            wrong.append(_announced(key, f"announced are {said[2]:,} votes, the tally has {votes:,}"))
        elif said[:2] < (generation, batch):
            missing.add((key, batch))
            if (key, batch) in missing_before and heard >= batch:
                wrong.append(_announced(key, f"the tally has {votes:,} votes, and they were never announced"))
    for key, said in announced.items():
        if said[:2] > (generation, newest):
            wrong.append(_announced(key, f"announced are {said[2]:,} votes of a batch that the tally never stored"))
        elif key not in tally and said[2]:
            is_left = said[0] < generation  # by an older count; a recount takes it back with its first announcements
            if is_left:
                missing.add((key, FIRST_BATCH))
            if not is_left or ((key, FIRST_BATCH) in missing_before and heard >= FIRST_BATCH):
                wrong.append(_announced(key, f"announced are {said[2]:,} votes, the tally has none"))
    return sorted(wrong, key=lambda one: (one.election_id, one.place)), frozenset(missing)


def some(differences: Iterator[Difference]) -> tuple[Difference, ...]:
    return tuple(islice(differences, DIFFERENCES_MAX))


def _announced(key: Key, what: str) -> Difference:
    view, election_id, group = key
    return Difference("announced", "tally", f"{_TOPIC_OF[view]}, {' · '.join(group)}: {what}", election_id)
