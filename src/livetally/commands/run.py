"""`livetally run`: whole elections on this machine, every stage in a process of its own."""

import argparse
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from livetally.adapters.postgres import connect, explained
from livetally.adapters.pulse import Pulse, Pulses
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.audit.walk import audit
from livetally.commands.audit import print_report
from livetally.commands.backing import LIVETALLY, Backing, kafka_answers, prepare
from livetally.commands.display import Display
from livetally.commands.exposure import check_api, check_page
from livetally.commands.fresh import delete_all
from livetally.commands.output import say
from livetally.commands.plan import Plan, look_before, make_plan
from livetally.commands.results import print_board, read_board
from livetally.core.elections import DEFAULT_SEED, DEFAULT_VOTERS, Election
from livetally.core.errors import ElectionError, ServiceError
from livetally.embedded.services import Services
from livetally.settings import read_settings
from livetally.show.dashboard import HEALTH_PATH, answers

TICK_S = 0.1
PULSE_S = 0.5
ANSWERS_WITHIN_S = 60.0
API_PATH = "/openapi.json"  # anybody may read it, and nothing is asked for it
EXIT_INTERRUPTED = 130


def run(arguments: argparse.Namespace) -> int:
    settings = read_settings()
    if arguments.fresh:
        delete_all(settings)
    is_over = False
    try:
        with Services(settings, kafka_probe=kafka_answers, on_event=say, is_exclusive=True) as services:
            backing = Backing(settings, services)
            prepare(backing)
            _check_exposure(backing, arguments)
            before = look_before(backing.database_url)
            plan = make_plan(before, arguments.voters, arguments.seed, arguments.elections, DEFAULT_VOTERS, DEFAULT_SEED)
            for remark in plan.remarks:
                say(remark)
            with Display(plan.voters) as display, Pulses(backing.kafka_bootstrap_servers, backing.database_url) as pulses:
                elections = Run(backing, plan, arguments, display, pulses).hold()
            is_right = _report(backing, elections)
            is_over = True
            if arguments.exit_when_done:
                return 0 if is_right else 1
            say("Press Ctrl+C to stop everything." + ("" if arguments.no_dashboard else " Until then the page stays."))
            while True:
                services.tick()
                time.sleep(TICK_S)
    except KeyboardInterrupt:
        say("Everything has been stopped." + ("" if is_over else " `./livetally run` goes on where this was."))
        return 0 if is_over else EXIT_INTERRUPTED


@dataclass(frozen=True, slots=True)
class Served:
    """What people can look at while a run goes on."""

    name: str
    stage: str
    url: str
    path: str  # is answered as soon as the rest is
    deadline_s: float


class Run:
    """One run from the first voter to the last vote tallied."""

    def __init__(self, backing: Backing, plan: Plan, arguments: argparse.Namespace, display: Display, pulses: Pulses) -> None:
        self._backing = backing
        self._services = backing.services
        self._plan = plan
        self._rate: float | None = arguments.rate
        self._with_page = not arguments.no_dashboard
        self._with_api = not arguments.no_api
        self._display = display
        self._pulses = pulses
        self._unannounced: list[Served] = []

    def hold(self) -> list[Election]:
        """Hold the elections; they are closed when everything on its way has arrived."""
        settings = self._backing.settings
        self._spawn("tally")  # first: Spark takes longest to start, and people are registered meanwhile
        if self._with_page:
            self._open("The page", "dashboard", settings.dashboard_address, settings.dashboard_port, HEALTH_PATH)
        if self._with_api:
            self._open("The API", "api", settings.api_address, settings.api_port, API_PATH)
        plan = self._plan
        self._spawn("register", "--voters", str(plan.voters), "--seed", str(plan.seed), "--elections", str(plan.elections))
        self._watch(lambda _pulse: self._services.has_finished("register"))
        elections = _open_elections(self._backing.database_url)
        for number in range(self._backing.settings.recorders):
            self._spawn("record", name=f"record-{number + 1}" if number else "record")
        self._cast([one.election_id for one in elections])
        with closing(connect(self._backing.database_url, "run", Rights.ORGANISE)) as connection, explained(self._backing.database_url):
            closes_at = max(Roll(connection).close_election(one.election_id) for one in elections)
        self._watch(lambda pulse: pulse.settled and datetime.now(UTC) > closes_at)
        return elections

    def _cast(self, election_ids: Sequence[str]) -> None:
        """Until everybody has had the chance to vote, those too who were registered meanwhile, and every ballot is counted.

        The electorate votes in all elections at once, each at its share of the rate.
        """
        rate = "max" if self._rate is None else str(self._rate / len(election_ids))
        names = {election_id: f"simulate-{number + 1}" if number else "simulate" for number, election_id in enumerate(election_ids)}
        pulse = self._watch(lambda _pulse: True)
        registered = -1
        while pulse.registered != registered:
            registered = pulse.registered
            for election_id, name in names.items():
                self._spawn("simulate", "--election", election_id, "--rate", rate, name=name)
            pulse = self._watch(lambda pulse: all(self._services.has_finished(name) for name in names.values()) and pulse.settled)

    def _watch(self, is_done: Callable[[Pulse], bool]) -> Pulse:
        """Look after everything until a pulse says that it is done."""
        next_pulse_s = 0.0
        while True:
            self._services.tick()
            self._announce()
            if time.monotonic() >= next_pulse_s:
                next_pulse_s = time.monotonic() + PULSE_S
                pulse = self._pulse()
                if pulse is not None:
                    self._display.show(pulse)
                    if is_done(pulse):
                        return pulse
            time.sleep(TICK_S)

    def _pulse(self) -> Pulse | None:
        try:
            return self._pulses.take()
        except ServiceError:
            return None  # the supervisor says which service is away, and starts it again

    def _spawn(self, stage: str, *options: str, name: str | None = None) -> None:
        self._services.spawn(name or stage, [*LIVETALLY, stage, *options], self._backing.environment())

    def _open(self, name: str, stage: str, address: str, preferred_port: int, path: str) -> None:
        port = self._backing.choose_port(stage, preferred_port)  # remembered: the stage comes to the same one
        self._spawn(stage)
        self._unannounced.append(Served(name, stage, f"http://{address}:{port}", path, time.monotonic() + ANSWERS_WITHIN_S))

    def _announce(self) -> None:
        """Once for each, when it can be looked at."""
        for one in list(self._unannounced):
            if answers(one.url, one.path):
                self._display.say(f"{one.name}: {one.url}")
            elif time.monotonic() > one.deadline_s:
                self._display.say(f"{one.name} at {one.url} does not answer yet; its log is {one.stage}.log in the data directory.")
            else:
                continue
            self._unannounced.remove(one)


def _check_exposure(backing: Backing, arguments: argparse.Namespace) -> None:
    """Before anything is begun: page and API would say it too, in their logs. Raises UsageError."""
    if not arguments.no_dashboard:
        check_page(backing.settings, backing.database_url)
    if not arguments.no_api:
        check_api(backing.settings, backing.database_url)


def _open_elections(database_url: str) -> list[Election]:
    """The oldest first."""
    with closing(connect(database_url, "run", Rights.LOOK)) as connection, explained(database_url):
        roll = Roll(connection)
        now = roll.now()
        elections = [one for one in reversed(roll.elections()) if one.simulated and one.status_at(now) == "open"]
    if not elections:
        raise ElectionError("The registration ended without an open election; its log is register.log in the data directory.")
    return elections


def _report(backing: Backing, elections: Sequence[Election]) -> bool:
    """Print the results and the audit; whether the audit holds."""
    for election in elections:
        print_board(read_board(backing.database_url, election.election_id))
    report = audit(backing.kafka_bootstrap_servers, backing.database_url)
    print_report(report)
    return report.ok
