"""Looking along `voters_topic` beside the electorate's own reading: where people live, and who comes later."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing

from livetally.adapters.kafka import Fault, TopicPartition, fault_of, reader
from livetally.adapters.reading import bounds, gather, partitions_of, read_range
from livetally.cast.person import Person, is_simulated, person_of
from livetally.core.elections import Election
from livetally.core.errors import ServiceError
from livetally.core.wire import VOTERS

SAMPLE_VOTERS = 5_000  # people are announced in no order of places: so many say which are large
BATCH_VOTERS = 2_000
WAIT_S = 0.2


def places_by_size(bootstrap_servers: str, election: Election) -> list[str]:
    """Places of those who vote in it, the largest first, by the first people of each partition."""
    found: Counter[str] = Counter()
    with closing(reader(bootstrap_servers)) as client:
        partitions = partitions_of(client, VOTERS)
        for partition in partitions:
            first, _ = bounds(client, VOTERS, partition)
            for message in read_range(client, VOTERS, partition, first, first + SAMPLE_VOTERS // len(partitions)):
                person = person_of(partition, message.offset() or 0, message.value())
                if person is not None and is_simulated(person, election):
                    found[person.state] += 1
    return [place for place, _ in found.most_common()]


def people_ahead(bootstrap_servers: str, election: Election, place: str, positions: Mapping[int, int]) -> Iterator[Person]:
    """The people of one place from these positions on, until the end as it is when it is reached."""
    ended: set[int] = set()
    with closing(reader(bootstrap_servers)) as client:
        client.assign([TopicPartition(VOTERS, partition, offset) for partition, offset in positions.items()])
        while len(ended) < len(positions):
            for message in gather(client, BATCH_VOTERS, WAIT_S):
                partition = message.partition() or 0
                if (fault := message.error()) is None:
                    person = person_of(partition, message.offset() or 0, message.value())
                    if person is not None and person.state == place and is_simulated(person, election):
                        yield person
                elif fault_of(fault) is Fault.END_OF_PARTITION:
                    ended.add(partition)
                elif fault_of(fault) is not Fault.RETRIABLE:
                    raise ServiceError(f"The voters cannot be read: {fault.str()}")
