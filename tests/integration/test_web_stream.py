"""The stream of results: everybody hears of it, in time, and only what they may see."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from confluent_kafka import Producer
from fastapi import Request

from electorate import overrule
from livetally.adapters.people import People
from livetally.adapters.postgres import Connection
from livetally.core.access import Person, Role
from livetally.core.errors import ServiceError
from livetally.core.wire import PER_CANDIDATE, topics
from livetally.web import live, stream
from servers import Servers, recreate
from waiting import wait_for
from website import Credential, Hall, Site, add_person, served

LISTENERS = 200
LATEST_S = 2.0  # to the last of them

Event = tuple[str, dict[str, Any]]


class Ear:
    """Somebody who listens, in a thread; what was heard, and when."""

    def __init__(self, site: Site, election_id: str, who: Credential | None = None) -> None:
        self.heard: list[tuple[float, Event]] = []
        self.has_ended = False  # as an answer does that is whole
        headers = (who.headers() if who else {}) | {"Last-Event-ID": "17"}
        self._response = requests.get(f"{site.url}/elections/{election_id}/results/stream", headers=headers, stream=True, timeout=60)
        assert self._response.status_code == 200, self._response.text
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def events(self) -> list[Event]:
        return [event for _, event in self.heard]

    def close(self) -> None:
        """Without waiting for the thread that reads: it holds the response until it hears something."""
        threading.Thread(target=self._response.close, daemon=True).start()

    def _listen(self) -> None:
        name = ""
        try:
            for line in self._response.iter_lines(chunk_size=1):
                if line.startswith(b"event: "):
                    name = line[7:].decode()
                elif line.startswith(b"data: "):
                    self.heard.append((time.monotonic(), (name, json.loads(line[6:]))))
        except (requests.RequestException, AttributeError, ValueError):  # it was closed meanwhile
            return
        self.has_ended = True


@pytest.fixture
def hall(connection: Connection) -> Hall:
    hall = Hall(connection)
    hall.add("live")
    hall.add("turnout", visible="turnout", closes_at=datetime.now(UTC) + timedelta(hours=1))
    hall.add("secret", visible="officials")
    hall.count("live", 1, 0)
    hall.count("turnout", 1, 0)
    return hall


@pytest.fixture
def site(servers: Servers, database_url: str, hall: Hall) -> Iterator[Site]:  # noqa: ARG001 (it fills the database)
    recreate(servers.admin, [one for one in topics(1) if one.name == PER_CANDIDATE])
    with served(servers.kafka, database_url) as site:
        yield site


def announce(servers: Servers) -> None:
    """What a tally does after it has stored a batch."""
    producer = Producer({"bootstrap.servers": servers.kafka, "log_level": 0})
    producer.produce(PER_CANDIDATE, b"{}", b"key")
    assert producer.flush(60) == 0


def totals(ear: Ear) -> list[int]:
    return [data["total_votes"] for name, data in ear.events if name != "hidden"]


def listeners(site: Site) -> int:
    return int(site.meter.registry.get_sample_value("livetally_api_listeners") or 0)


def test_a_change_is_heard_and_the_whole_is_told(site: Site, servers: Servers, hall: Hall) -> None:
    ear = Ear(site, "live")
    wait_for(lambda: totals(ear) == [1], "the state at the beginning")
    hall.count("live", 0, 5)
    announce(servers)
    wait_for(lambda: totals(ear) == [1, 6], "the change")
    name, data = ear.events[-1]
    assert name == "result"
    assert data == site.get("/elections/live/results").json()
    hall.count("turnout", 1, 0)  # somebody else's
    announce(servers)
    hall.count("live", 1, 0)
    announce(servers)
    wait_for(lambda: totals(ear) == [1, 6, 7], "the next change, and nothing between")
    ear.close()
    wait_for(lambda: listeners(site) == 0, "who has gone is forgotten")


def test_two_hundred_hear_of_it_in_time(site: Site, servers: Servers, hall: Hall) -> None:
    ears = [Ear(site, "live") for _ in range(LISTENERS)]
    wait_for(lambda: all(totals(ear) == [1] for ear in ears), "all of them listen")
    assert listeners(site) == LISTENERS
    deaf = requests.get(f"{site.url}/elections/live/results/stream", stream=True, timeout=60)  # it never reads: nobody waits for it
    hall.count("live", 0, 5)
    announced_s = time.monotonic()
    announce(servers)
    wait_for(lambda: all(totals(ear)[-1] == 6 for ear in ears), "all of them have heard")
    delays_s = sorted(ear.heard[-1][0] - announced_s for ear in ears)
    assert delays_s[-1] <= LATEST_S
    deaf.close()
    for ear in ears:
        ear.close()
    wait_for(lambda: listeners(site) == 0, "who has gone is forgotten")


def test_policy_changes_while_somebody_listens(site: Site, hall: Hall, connection: Connection) -> None:
    public, voters = Ear(site, "secret"), Ear(site, "turnout")
    wait_for(lambda: public.events == [("hidden", {})], "nothing is shown")
    wait_for(lambda: [name for name, _ in voters.events] == ["turnout"], "how many, and not for whom")
    assert "candidates" not in voters.events[0][1]
    hall.count("secret", 2, 3)
    overrule(connection, "UPDATE elections SET status = 'closed', closes_at = now() - interval '1 s' WHERE election_id = 'turnout'")
    wait_for(lambda: voters.events[-1][0] == "result", "it is closed, and shown")
    overrule(connection, "UPDATE elections SET status = 'closed', closes_at = now() - interval '1 s' WHERE election_id = 'secret'")
    overrule(connection, "UPDATE elections SET published_at = now() WHERE election_id = 'secret'")
    wait_for(lambda: public.events[-1][0] == "result", "it is published, and shown")
    assert totals(public) == [5]


def test_who_is_disabled_sees_no_more_than_the_public(site: Site, connection: Connection, hall: Hall) -> None:
    official = add_person(connection, "o", Role.OFFICIAL)
    ear = Ear(site, "secret", official)
    wait_for(lambda: [name for name, _ in ear.events] == ["result"], "an official sees it")
    People(connection).set_disabled("o", is_disabled=True, now=datetime.now(UTC))
    wait_for(lambda: ear.events[-1] == ("hidden", {}), "and nobody else")
    hall.count("secret", 1, 0)
    wait_for(lambda: site.get("/elections/live/results").status_code == 200, "it goes on")
    assert totals(ear) == [0]


def test_who_has_signed_in_stays_who_they_are_while_postgresql_is_away(
    site: Site, servers: Servers, connection: Connection, hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "ASKED_AGAIN_S", 0.1)
    asked: list[Request] = []

    async def away(request: Request) -> Person:
        asked.append(request)
        raise ServiceError("PostgreSQL does not answer.")

    ear = Ear(site, "secret", add_person(connection, "o", Role.OFFICIAL))
    wait_for(lambda: totals(ear) == [0], "an official sees it")
    with monkeypatch.context() as gone:
        gone.setattr(stream, "who_asks", away)
        wait_for(lambda: len(asked) > 1, "it was asked again, and again")
    hall.count("secret", 2, 3)
    announce(servers)
    wait_for(lambda: totals(ear) == [0, 5], "the change, when it is back")
    assert not ear.has_ended
    ear.close()


@pytest.mark.usefixtures("hall")
def test_a_stream_ends_when_the_server_does(servers: Servers, database_url: str) -> None:
    with served(servers.kafka, database_url) as site:
        ear = Ear(site, "live")
        wait_for(lambda: totals(ear) == [1], "the state at the beginning")
    wait_for(lambda: ear.has_ended, "the stream has ended, and was not cut off")


def test_without_kafka_it_is_slower_and_goes_on(database_url: str, hall: Hall) -> None:
    with served("127.0.0.1:1", database_url) as site:
        ear = Ear(site, "live")
        wait_for(lambda: totals(ear) == [1], "the state at the beginning")
        hall.count("live", 0, 5)
        wait_for(lambda: totals(ear) == [1, 6], "the change")
        ear.close()


@pytest.mark.usefixtures("hall")
def test_one_address_does_not_take_every_place(servers: Servers, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LISTENERS_OF_ADDRESS_MAX", 2)
    with served(servers.kafka, database_url, api_proxy_address="127.0.0.1") as site, ExitStack() as listening:

        def listen(address: str) -> requests.Response:
            stream = site.get("/elections/live/results/stream", headers={"X-Forwarded-For": address}, stream=True)
            return listening.enter_context(closing(stream))

        heard = [listen("10.0.0.1") for _ in range(3)]
        assert [one.status_code for one in heard] == [200, 200, 429]
        assert heard[-1].json()["type"] == "urn:livetally:problem:too-many-listen"
        assert listen("10.0.0.2").status_code == 200
        heard[0].close()
        wait_for(lambda: listen("10.0.0.1").status_code == 200, "who has gone leaves a place")
