"""An election that is only played: the page's own server, drawing boards that a test chooses, with no Kafka, PostgreSQL or Spark behind it.

python played.py PORT FILE: FILE says which of the BOARDS is on, and may say another one at any moment.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, cast

from streamlit import file_util, runtime
from streamlit.web.server.starlette import App

from livetally.core.access import PUBLIC, Person
from livetally.core.elections import Election
from livetally.core.parties import INVENTED_PARTIES, REFERENCE_PARTIES, colour_of
from livetally.register.places import counties
from livetally.register.portraits import portrait
from livetally.show import changes
from livetally.show.dashboard import answers, options
from livetally.show.navigation import navigate
from livetally.show.page import ICON, SCRIPT, TITLE
from livetally.show.past import Ahead, Answer, Series, Then
from livetally.show.places import ahead_of, place_result
from livetally.show.result import Facts, Group, Result, Snapshot, Standing, Trouble, Unreadable, by_votes, lead_of, ranked
from livetally.show.server import looks
from livetally.show.serving import Serving
from livetally.show.sources import of_server
from livetally.show.trust import NO_TRUST, Agreement, AlertSeen, Badge, Difference, Health, Journey, Trust, Waiting
from servers import free_port
from waiting import wait_for

FILE, SINCE = "PLAYED_FILE", "PLAYED_SINCE"  # in the environment of the server
PLAYED_BEFORE_S = 300.0  # so long votes have been coming in when the first viewer looks
BEGAN = datetime(2026, 5, 4, 19, 0, tzinfo=UTC)
REGISTERED = 100_000
ELECTION = Election("e", "Council of the Borough of Wethersby", "simulated", "open", 1, None, None)
NAMES = ("Kennith Evans", "Laine Myers", "Julee Duncan", "Oswin Featherstonehaugh-Cholmondeley", "Ada Lin", "Bo Ek", "Cy Dee", "Dee Ess")
# Votes of each a second.
PACE = (13, 11, 8, 5, 3, 2, 1, 1)
SAID_OF_ALERT = "412 votes from there within a minute, where 38 to 97 were usual in the half hour before; candidate c3 had 371 of them."


def alert(rule: str, place: str, candidate_id: str, state: str, severity: str) -> AlertSeen:
    began = BEGAN + timedelta(minutes=20)
    return AlertSeen(rule, place, place, candidate_id, state, severity, 412.0, 61.5, began, began + timedelta(minutes=3), SAID_OF_ALERT)


ALARMS = (
    alert("burst", "East Riding of Yorkshire", "", "raised", "critical"),
    alert("share-jump", "Stirling and Falkirk", "c3", "raised", "warning"),
    alert("repeated-ballots", "", "", "raised", "notice"),
    alert("silence", "Dumfries and Galloway", "", "cleared", "warning"),
)
ALARMING = Trust(
    {"e": ALARMS},
    {"e": (("already_voted_other", 41), ("already_voted_same", 17), ("unknown_voter", 3)), "": (("malformed", 1),)},
    waiting=(Waiting("record", "ballots", 120), Waiting("tally", "votes", 45)),
    journey=Journey(BEGAN, 0.4, 2.1, 0.2),
    journey_p95_s=3.4,
    health=(Health("Kafka", False, BEGAN, "connection refused"), Health("PostgreSQL", True, BEGAN), Health("tally", False, BEGAN)),
    unreadable_votes=2,
)
DIFFER = tuple(
    Difference("topic", "tally", f"candidate c{place}: the votes topic has {650 + place:,} votes, the tally has 649", "e")
    for place in range(5)
)


@dataclass(frozen=True)
class Board:
    """`is_moving`: votes come in with every second, for as long as the server is looked at."""

    candidates: int = 3
    is_moving: bool = False
    is_tied: bool = False
    status: Literal["open", "closed"] = "open"
    away: tuple[str, ...] = ()
    badge: Badge = "green"
    is_poll: bool = False
    is_recounting: bool = False
    trust: Trust = NO_TRUST


BOARDS = {
    "still": Board(),
    "moving": Board(8, is_moving=True),
    "six": Board(8),
    "tie": Board(8, is_tied=True),
    "away": Board(8, away=("Kafka",), badge="red"),
    "all away": Board(8, is_tied=True, away=("Kafka", "PostgreSQL", "Spark"), badge="red"),
    "closed": Board(8, status="closed"),
    "poll": Board(30, is_poll=True),
    "amber": Board(8, badge="amber"),
    "unknown": Board(8, badge="unknown"),
    "alarm": Board(8, is_moving=True, away=("Kafka",), badge="red", is_recounting=True, trust=ALARMING),
}


def standings(board: Board, second: float) -> tuple[Standing, ...]:
    parties = (REFERENCE_PARTIES + INVENTED_PARTIES)[: board.candidates]
    colours = colour_of(parties)

    def one(place: int) -> Standing:
        name = NAMES[place] if place < len(NAMES) and not board.is_poll else f"Option {place + 1:02}"
        votes = 700 if board.is_tied and place < 2 else max(1, 50 * (14 - place)) + int(PACE[place % len(PACE)] * second)
        if board.is_poll:
            return Standing(f"c{place}", name, "", "", "", "", 900 // (place + 1))
        party = parties[place]
        return Standing(f"c{place}", name, party, portrait(name, "", colours[party]), "", "", votes)

    return ranked(one(place) for place in range(board.candidates))


def by_place(people: tuple[Standing, ...]) -> dict[str, dict[str, int]]:
    """Every vote somewhere: shared out among the counties, each candidate beginning in another one."""
    names = [county.name for county in counties()]
    votes: dict[str, dict[str, int]] = {name: {} for name in names}
    for number, one in enumerate(sorted(people, key=lambda each: each.candidate_id)):
        weights = [1 + (place * place + 31 * number) % 7 for place in range(len(names))]
        shares = [one.votes * weight // sum(weights) for weight in weights]
        for place, name in enumerate(names):
            votes[name][one.candidate_id] = shares[place] + (one.votes - sum(shares) if place == 0 else 0)
    return votes


def result(board: Board, now: datetime) -> Result:
    second = now.timestamp() - float(os.environ[SINCE]) if board.is_moving else 0.0
    people = standings(board, second)
    total = sum(one.votes for one in people)
    names = {county.name: county for county in counties()}
    places = by_votes(Group(name, sum(votes.values()), 1160) for name, votes in by_place(people).items())
    cities = by_votes(
        Group(town.name, one.votes // len(names[one.name].towns), 200, within=one.name) for one in places for town in names[one.name].towns
    )
    parties = by_votes(Group(one.party, one.votes) for one in people if one.party)
    ages = tuple(Group(name, total // 4, REGISTERED // 4) for name in ("18-24", "25-34", "35-44", "45-54"))
    genders = (Group("female", total - total // 2, REGISTERED // 2), Group("male", total // 2, REGISTERED // 2))
    as_of = now - timedelta(seconds=2)
    return Result("e", total, people, lead_of(people), places, cities, parties, genders, ages, as_of)


def snapshot(board: Board, now: datetime) -> Snapshot:
    shown = result(board, now)
    before_at = now - timedelta(minutes=1)
    before = result(board, before_at)
    total = shown.total_votes
    facts = Facts(
        (replace(ELECTION, status=board.status),),
        REGISTERED,
        {"e": board.candidates},
        recounting="views that this tally does not know" if board.is_recounting else None,
        recounted_percent=37 if board.is_recounting else 0,
        stages=frozenset({"record", "tally"}),
    )
    return Snapshot(
        {"e": shown},
        facts,
        tuple(Trouble(cast("Any", service), before_at, f"connection to {service} refused " * 8) for service in board.away),
        unreadable=Unreadable(3, "votes_topic, partition 0, offset 17: 'voted_at' is missing")
        if board.trust.unreadable_votes
        else Unreadable(),
        last_minute={"e": changes.since(changes.look(before, before_at), shown, now, before)} if board.is_moving else {},
        agreement=agreement(board, total, now),
        trust=board.trust,
    )


def agreement(board: Board, total: int, now: datetime) -> Agreement:
    if board.badge == "unknown":
        return Agreement(waiting_for="The votes topic is being read: offset 1,204 of 5,600.")
    behind = 45 if board.badge == "amber" else 0
    if board.badge != "red":
        return Agreement(board.badge, total, total, total - behind, behind, checked_at=now)
    return Agreement("red", total, total, total - len(DIFFER), differences=DIFFER, checked_at=now, since=BEGAN)


@dataclass
class Played:
    """What the page asks of PostgreSQL, answered from the board."""

    on: Callable[[], Board]

    def series(self, _election_id: str, _place: str = "") -> Answer[Series]:
        people = result(self.on(), _now()).candidates
        ends = tuple(BEGAN + timedelta(minutes=number) for number in range(1, 31))
        return Answer(Series(ends, {one.candidate_id: tuple(one.votes * step // 30 for step in range(1, 31)) for one in people}), _now())

    def at(self, _election_id: str, moment: datetime) -> Answer[Then]:
        shown = result(self.on(), _now())
        return Answer(Then(moment, shown, self.ahead("e").value or {}), _now())

    def ahead(self, _election_id: str) -> Answer[Mapping[str, Ahead]]:
        votes = by_place(result(self.on(), _now()).candidates)
        return Answer({name: ahead_of(there) for name, there in votes.items()}, _now())

    def place(self, _election_id: str, county: str, city: str = "") -> Answer[Result]:
        shown = result(self.on(), _now())
        cities = tuple(one for one in shown.cities if one.within == county)
        there = SimpleNamespace(votes=by_place(shown.candidates)[county], registered=1160, cities=cities)
        return Answer(place_result(shown, county, city, cast("Any", there)), _now())

    def person(self, _hashed: bytes) -> Answer[Person]:
        return Answer(PUBLIC, _now())


def serving(file: Path) -> Serving:
    def on() -> Board:
        return BOARDS[file.read_text("utf-8")]

    class Standin:
        asking = Played(on)

        @property
        def snapshot(self) -> Snapshot:
            return snapshot(on(), _now())

    return cast("Serving", Standin())


def draw() -> None:
    """What `page.main` does, on the board."""
    import streamlit as st

    st.set_page_config(TITLE, page_icon=ICON, layout="wide")
    st.html(SCRIPT.with_name("style.css"))
    navigate(of_server(serving(Path(os.environ[FILE])), {}, _now))


def serve(port: int) -> None:
    ours = serving(Path(os.environ[FILE]))
    App(Path(__file__), routes=looks(Path(file_util.get_static_dir()), lambda: ours)).run(config=options(port, "127.0.0.1"))


class Playhouse:
    """The server as a process of its own, which can be stopped as a machine can."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "board"
        self._log = directory / "log"
        self._port = free_port()
        self._since = str(_now().timestamp() - PLAYED_BEFORE_S)
        self.url = f"http://127.0.0.1:{self._port}"
        self.show("still")
        self.start()

    def show(self, name: str) -> None:
        assert name in BOARDS
        written = self._file.with_suffix(".new")
        written.write_text(name, "utf-8")
        written.replace(self._file)

    def start(self) -> None:
        here = Path(__file__).parent
        paths = os.pathsep.join([str(here.parent / "src"), str(here)])
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(self._port)],
                env=os.environ | {FILE: str(self._file), SINCE: self._since, "PYTHONPATH": paths},
                stdout=log,
                stderr=log,
            )
        wait_for(lambda: answers(self.url), f"the played page answers; see {self._log}")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    @contextmanager
    def killed(self) -> Iterator[None]:
        self.kill()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """As if the network were gone: nothing is closed, nothing answers."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    if runtime.exists():
        draw()
    else:
        serve(int(sys.argv[1]))
