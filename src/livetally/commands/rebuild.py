"""`livetally rebuild`: make the ledger, the votes topic or the tally again from what stands before it."""

import argparse
import logging
import threading
from contextlib import closing
from functools import partial

from livetally.adapters.cells import Cells
from livetally.adapters.kafka import reader
from livetally.adapters.postgres import connect, explained
from livetally.adapters.reading import ends
from livetally.adapters.rights import Rights
from livetally.commands.actor import note_act
from livetally.commands.backing import Backing, services_of
from livetally.commands.output import say
from livetally.commands.stage import run_stage
from livetally.core.errors import ServiceError
from livetally.core.wire import VOTES, topics
from livetally.observe.log import start_logging
from livetally.settings import read_settings

LOOK_S = 0.5

log = logging.getLogger(__name__)


def rebuild(arguments: argparse.Namespace) -> int:
    """A votes topic that was made again has other offsets, so the tally is counted again behind it."""
    from livetally.record.rebuild import rebuild_ledger, rebuild_votes_topic

    start_logging("rebuild")
    settings = read_settings()
    with services_of(settings, spark=arguments.what != "ledger") as backing:
        bootstrap_servers, database_url = backing.kafka_bootstrap_servers, backing.database_url
        if arguments.what == "ledger":
            say(rebuild_ledger(bootstrap_servers, database_url, partial(note_act, database_url, "rebuild ledger")))
            return 0
        if arguments.what == "votes-topic":
            topic = next(topic for topic in topics(settings.ballot_partitions) if topic.name == VOTES)
            noting = partial(note_act, database_url, "rebuild votes-topic")
            say(rebuild_votes_topic(bootstrap_servers, database_url, topic, settings.replication_factor, noting))
        return _recount(backing, arguments.what)


def _recount(backing: Backing, asked: str) -> int:
    from livetally.tally.tally import tally

    with closing(connect(backing.database_url, "rebuild", Rights.TALLY)) as connection, explained(backing.database_url):
        cells = Cells(connection)
        cells.take_lock()  # nobody is counting
        before = cells.newest()
        if asked == "tally":  # else the act that leads to it has been written down
            note_act(backing.database_url, "rebuild tally")
        cells.request_recount()

    def work(stop: threading.Event) -> str:
        finished = threading.Event()
        watcher = threading.Thread(target=_stop_when_shown, args=(backing, before.number if before else 0, stop, finished), daemon=True)
        watcher.start()
        try:
            tally(backing.settings, backing.kafka_bootstrap_servers, backing.database_url, backing.java_home, backing.spark_jars, stop)
        finally:
            finished.set()
            watcher.join()
        with closing(connect(backing.database_url, "rebuild", Rights.TALLY)) as connection:
            shown = Cells(connection).shown()
        if shown is None or (before is not None and shown.number <= before.number):
            return "stopped before the recount had caught up; the next tally goes on with it"
        return f"the tally has been counted again (generation {shown.number})"

    return run_stage("rebuild", work)


def _stop_when_shown(backing: Backing, before: int, stop: threading.Event, finished: threading.Event) -> None:
    """Stop the tally as soon as a new generation is shown and has passed every vote. Services that go away are waited for, as the tally does."""
    while not stop.is_set() and not finished.wait(LOOK_S):
        try:
            _stop_when_shown_while_services_answer(backing, before, stop, finished)
        except ServiceError as error:
            log.warning("looking again whether the recount is done", extra={"in_s": LOOK_S, "why": error})


def _stop_when_shown_while_services_answer(backing: Backing, before: int, stop: threading.Event, finished: threading.Event) -> None:
    with (
        closing(connect(backing.database_url, "rebuild", Rights.TALLY)) as connection,
        explained(backing.database_url),
        closing(reader(backing.kafka_bootstrap_servers)) as client,
    ):
        cells = Cells(connection)
        while not finished.wait(LOOK_S):
            shown = cells.shown()
            if shown is not None and shown.number > before:
                positions = cells.positions(shown.number)
                if all(positions.get(partition, 0) >= end for partition, end in ends(client, VOTES).items()):
                    stop.set()
                    return
