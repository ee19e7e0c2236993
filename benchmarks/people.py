"""How fast people are made up, and how fast their announcements are encoded.

    python benchmarks/people.py [--people N] [--rounds N] [--json]

The ratio is against mimesis asked for eight fields of each person, in the same run.
"""

import argparse
import json
import platform
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable

from mimesis import Address, Locale, Person

from livetally.core.wire import voter_message
from livetally.register.people import people


def per_second(make: Callable[[], Iterable[object]], count: int) -> float:
    started = time.perf_counter()
    deque(make(), maxlen=0)
    return count / (time.perf_counter() - started)


def field_by_field(count: int) -> Iterable[tuple[str, ...]]:
    """The peer: what a straightforward program does."""
    person, address = Person(Locale.EN_GB, seed=1), Address(Locale.EN_GB, seed=1)
    for _ in range(count):
        yield (
            person.full_name(),
            str(person.birthdate()),
            person.email(),
            person.phone_number(),
            address.address(),
            address.city(),
            address.state(),
            address.postal_code(),
        )


def measure(count: int, rounds: int) -> dict[str, object]:
    deque(people(0, 0, 1), maxlen=0)  # the pools are made once, and are not what is measured
    subjects: dict[str, Callable[[], Iterable[object]]] = {
        "people": lambda: people(1, 0, count),
        "people_and_messages": lambda: map(voter_message, people(1, 0, count)),
        "mimesis_8_fields": lambda: field_by_field(count),
    }
    seen: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):  # in turns, so that a slow moment of the machine hits all of them
        for name, make in subjects.items():
            seen[name].append(per_second(make, count))
    results: dict[str, object] = {
        name: {"median": round(statistics.median(values)), "min": round(min(values)), "max": round(max(values))}
        for name, values in seen.items()
    }
    ratio = statistics.median(ours / peer for ours, peer in zip(seen["people"], seen["mimesis_8_fields"], strict=True))
    return {
        "count": count,
        "rounds": rounds,
        "python": platform.python_version(),
        "per_second": results,
        "people_to_mimesis": round(ratio, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200_000, metavar="N", help="people per round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    arguments = parser.parse_args()
    found = measure(arguments.people, arguments.rounds)
    if arguments.json:
        json.dump(found, sys.stdout)
        print()
        return
    for name, value in found.items():
        print(f"{name:18} {value}")


if __name__ == "__main__":
    main()
