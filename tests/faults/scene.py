"""Everything that a fault can lay its hands on. One thread drives it all: whoever waits, waits here, and the voting goes on meanwhile."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit

from faults.comparison import Books
from faults.crew import Address, Crew
from faults.ground import BROKER, POSTGRES, Ground
from faults.proxy import LOOPBACK, Kafka, Postgres, Proxy
from faults.voting import Voting
from faults.witness import Witness

LOOK_AGAIN_S = 0.01
WITHIN_S = 60.0  # twice what a recovery may take; after that it is stuck


class StuckError(AssertionError):
    """What was waited for did not come about."""


@dataclass
class Scene:
    ground: Ground
    crew: Crew
    voting: Voting
    witness: Witness
    books: Books
    broker_proxy: Proxy
    postgres_proxy: Proxy
    random: Random  # of the round

    def look_after(self) -> None:
        self.ground.look_after()
        self.crew.look_after()
        self.voting.go_on()
        self.witness.look()

    def wait_for(self, condition: Callable[[], object], what: str, within_s: float = WITHIN_S) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline:
                self.crew.ask_where()
                raise StuckError(f"not within {within_s:.0f} s: {what}; {self.witness.summary()}{self.crew.said()}")
            self.look_after()
            threading.Event().wait(LOOK_AGAIN_S)

    def go_on_for(self, seconds: float) -> None:
        """Let time pass: how long a fault lasts, or when it strikes, never a wait for something."""
        until = time.monotonic() + seconds
        self.wait_for(lambda: time.monotonic() >= until, "time passes", seconds + 1)

    def go_on_until(self, moment: float) -> None:
        self.go_on_for(max(0.0, moment - time.time()))

    def await_recovery(self, since: float) -> float:
        """Wait until ballots that were appended after `since` have outcomes, in every partition; how long it took."""
        self.wait_for(lambda: self.witness.recovered_at(since), "voting goes on")
        return (self.witness.recovered_at(since) or since) - since


@contextmanager
def opened(ground: Ground, seed: int) -> Iterator[Scene]:
    with ExitStack() as exits:
        broker_proxy = exits.enter_context(closing(Proxy(ground.port_of(BROKER), Kafka())))
        postgres_proxy = exits.enter_context(closing(Proxy(ground.port_of(POSTGRES), Postgres())))
        database = urlsplit(ground.database_url)
        through_proxies = database._replace(netloc=database.netloc.replace(f":{database.port}", f":{postgres_proxy.port}"))
        addresses = (Address(f"{LOOPBACK}:{broker_proxy.port}", through_proxies.geturl()), Address(ground.kafka, ground.database_url))
        crew = exits.enter_context(closing(Crew(addresses, ground.directory, Random(seed))))
        voting = Voting(ground.kafka)
        witness = exits.enter_context(closing(Witness(ground.kafka, voting)))
        books = Books(ground.database_url, voting)
        yield Scene(ground, crew, voting, witness, books, broker_proxy, postgres_proxy, Random(seed))
