"""One reader for all who look, whatever they look at, and a page that is drawn again as often as somebody chose, and at once when they ask."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest
import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import RerunData
from streamlit.testing.v1 import AppTest, local_script_runner

from livetally.adapters import history
from livetally.adapters.places import Place
from livetally.core.access import Person
from livetally.show import server, sharing
from livetally.show.asking import ANSWER_FRESH_S, Asker
from livetally.show.live import REFRESH_S_MIN
from livetally.show.page import SCRIPT
from livetally.show.serving import Serving
from livetally.show.sharing import shared
from pages import NOW, Told, marked, page, result, snapshot, valued, whole

KAFKA, DATABASE = "kafka.example.org:9092", "postgresql://voting@db.example.org/voting"
WITH_PASSWORD = {
    "LIVETALLY_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
    "LIVETALLY_KAFKA_SASL_MECHANISM": "PLAIN",
    "LIVETALLY_KAFKA_SASL_USERNAME": "page",
    "LIVETALLY_KAFKA_SASL_PASSWORD": "secret",
}
REFRESHES = 5


class Served:
    """What stands for Kafka, PostgreSQL and the threads that read them."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []
        self.at_exit: list[Any] = []
        self.snapshot = snapshot(result({"Ada": 300}))

    def serve(self, bootstrap_servers: str, database_url: str) -> Serving:
        self.made.append((bootstrap_servers, database_url))
        return cast("Serving", self)

    @property
    def asking(self) -> Told:
        return Told()

    def close(self) -> None:
        pass


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    one = Served()
    monkeypatch.setattr(sharing, "serve", one.serve)
    monkeypatch.setattr(sharing, "atexit", SimpleNamespace(register=one.at_exit.append))
    monkeypatch.setattr(type(st.context), "cookies", {})  # AppTest has a browser without any that can be read
    monkeypatch.setenv("LIVETALLY_KAFKA_BOOTSTRAP_SERVERS", KAFKA)
    monkeypatch.setenv("LIVETALLY_DATABASE_URL", DATABASE)
    shared.clear()
    yield one
    shared.clear()


def session() -> AppTest:
    """Somebody opens the page: the file that Streamlit runs, from its first line to its last."""
    test = AppTest.from_file(SCRIPT, default_timeout=20).run()
    assert not test.exception, test.exception
    return test


@pytest.mark.parametrize("more", [{}, WITH_PASSWORD], ids=["plain", "with a password"])
def test_the_server_and_all_sessions_share_one_reader(served: Served, monkeypatch: pytest.MonkeyPatch, more: Mapping[str, str]) -> None:
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    connected = server.connected()
    assert connected is not None
    first = connected()
    sessions = [session(), session()]
    served.snapshot = snapshot(result({"Ada": 301}))
    assert [valued(one.run(), "total-votes") for one in sessions] == [["301"], ["301"]]
    assert connected() is first
    assert served.made == [(KAFKA, DATABASE)]
    assert served.at_exit == [served.close]


def test_other_addresses_are_read_by_another_reader(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    session()
    monkeypatch.setenv("LIVETALLY_DATABASE_URL", f"{DATABASE}2")
    session()
    assert served.made == [(KAFKA, DATABASE), (KAFKA, f"{DATABASE}2")]


@dataclass
class Source:
    """PostgreSQL, which counts what it is asked."""

    asked: Counter[str] = field(default_factory=Counter)

    def series(self, _election_id: str, _place: str, _points_max: int) -> history.Series:
        self.asked["series"] += 1
        return history.Series([NOW - timedelta(minutes=1), NOW], {"c0": [100, 300]})

    def best(self, _election_id: str) -> Mapping[str, Mapping[str, int]]:
        self.asked["best"] += 1
        return {"Kent": {"c0": 2}}

    def place(self, _election_id: str, _county: str, _city: str) -> Place:
        self.asked["place"] += 1
        return Place({"c0": 2}, 20)

    def before(self, _election_id: str, _moment: datetime) -> tuple[Mapping[str, int], Mapping[str, Mapping[str, int]]]:
        self.asked["before"] += 1
        return {"c0": 2}, {"Kent": {"c0": 2}}

    def person(self, _hashed: bytes, _now: datetime) -> Person | None:
        self.asked["person"] += 1
        return None

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("title", "once"),
    [
        ("Results", set()),
        ("People", set()),
        ("Trust", set()),
        ("Places", {"best"}),
        ("Over time", {"series", "best"}),
    ],
)
def test_a_refresh_reads_memory(title: str, once: set[str]) -> None:
    """No place and no moment is chosen. What a page asks all the same is asked once in a while for all viewers, not by each refresh."""
    shown, now_s, source = whole({"Ada": 300, "Bo": 200}), [0.0], Source()
    box: dict[str, Any] = {"snapshot": snapshot(shown)}
    asker = Asker(source, lambda: box["snapshot"], lambda: NOW, lambda: now_s[0])
    asker.start()
    viewers = [page(box, title, asking=cast("Told", asker)) for _ in range(2)]
    for number in range(REFRESHES):
        box |= {"now": NOW + timedelta(seconds=5 * number), "snapshot": snapshot(whole({"Ada": 301 + number, "Bo": 200}))}
        assert [valued(one.run(), "total-votes") for one in viewers] == [[str(501 + number)]] * 2
    assert source.asked == dict.fromkeys(once, 1)
    now_s[0] = ANSWER_FRESH_S
    for one in viewers:
        one.run()
    assert source.asked == dict.fromkeys(once, 2)
    asker.close()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, str]]:
    """After how many seconds a browser is told to ask again, and for which part of the page."""
    heard: list[tuple[float, str]] = []
    enqueue = ForwardMsgQueue.enqueue

    def listen(queue: ForwardMsgQueue, message: ForwardMsg) -> None:
        if message.WhichOneof("type") == "auto_rerun":
            heard.append((message.auto_rerun.interval, message.auto_rerun.fragment_id))
        enqueue(queue, message)

    monkeypatch.setattr(ForwardMsgQueue, "enqueue", listen)
    return heard


def test_a_browser_asks_again_as_often_as_somebody_chose(told: list[tuple[float, str]]) -> None:
    test = page(snapshot(result({"Ada": 300})))
    assert [interval_s for interval_s, _ in told] == [REFRESH_S_MIN]
    test.sidebar.slider(key="every").set_value(35).run()
    assert [interval_s for interval_s, _ in told] == [REFRESH_S_MIN, 35]
    assert valued(test, "refreshed", "every-s") == ["35"]


@pytest.mark.parametrize(("asked", "interval_s"), [({"every": "20"}, 20), ({"every": "20", "view": "wall"}, REFRESH_S_MIN)])
def test_an_address_says_how_often_too_but_not_for_a_wall(told: list[tuple[float, str]], asked: dict[str, str], interval_s: int) -> None:
    page(snapshot(result({"Ada": 300})), address=asked)
    assert [found for found, _ in told] == [interval_s]


@pytest.mark.parametrize("asked", [{}, {"view": "wall"}], ids=["page", "wall"])
def test_the_part_that_a_browser_asks_for_again_has_the_new_numbers(
    told: list[tuple[float, str]], monkeypatch: pytest.MonkeyPatch, asked: dict[str, str]
) -> None:
    box: dict[str, Any] = {"snapshot": snapshot(result({"Ada": 300}))}
    test = page(box, address=asked)
    box["snapshot"] = snapshot(result({"Ada": 400, "Bo": 450}))
    # AppTest itself runs whole pages only.
    part = partial(RerunData, fragment_id_queue=[told[-1][1]])
    monkeypatch.setattr(local_script_runner, "RerunData", part)
    test.run()
    assert not test.exception, test.exception
    assert not test.sidebar.slider  # only this part has been drawn
    assert (valued(test, "total-votes"), marked(test, "leader-name")) == (["850"], ["Bo"])


def test_refresh_now_draws_new_numbers_at_once() -> None:
    box: dict[str, Any] = {"snapshot": snapshot(result({"Ada": 300}))}
    test = page(box, every="60")
    box |= {"snapshot": snapshot(result({"Ada": 400, "Bo": 450})), "now": NOW + timedelta(seconds=1)}
    test.sidebar.button(key="refresh").click().run()
    assert not test.exception, test.exception
    assert (valued(test, "total-votes"), marked(test, "leader-name")) == (["850"], ["Bo"])
    assert marked(test, "refreshed") == ["21:00:11"]
