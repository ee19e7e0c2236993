"""The stage that counts: one Spark query reads the votes, and every view is a sum of its cells.

A batch is stored before it is published. Spark's checkpoint knows what each batch has read, and is
set back to what is stored before it is used again: a crash anywhere repeats what was not stored, and
what is stored already is not added again.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from livetally.adapters.access import spark_options
from livetally.adapters.cells import Cells, Generation
from livetally.adapters.custody import Custody
from livetally.adapters.kafka import reader
from livetally.adapters.postgres import connect, explained
from livetally.adapters.publisher import AllOrNothing
from livetally.adapters.reading import ends
from livetally.adapters.rights import Rights
from livetally.adapters.topics import Topics
from livetally.core.errors import LivetallyError, ServiceError
from livetally.core.wire import BALLOTS, VOTES
from livetally.settings import Settings
from livetally.tally import frames, warm
from livetally.tally.checkpoint import Checkpoint, fingerprint
from livetally.tally.count import Count
from livetally.tally.electorate import Electorate, Refresh
from livetally.tally.heartbeat import Heartbeat
from livetally.tally.meter import Meter
from livetally.tally.points import Point, Reached, unwatched
from livetally.tally.presence import Presence
from livetally.tally.progress import Progress
from livetally.tally.publish import TRANSACTIONAL_ID
from livetally.tally.session import checkpoint_root, open_session

BACK_OFF_S = (0.5, 1.0, 2.0, 5.0)
LOOK_S = 0.1
AS_THE_SYSTEM_SEES_FIT = "-1"  # of Kafka's 64 kB a votes' portion is thirty times as much: Spark waited for the broker half of the time
POLL_VOTES_MAX = 2_000  # at once to a task; with Kafka's 500 it asks four times as often
STOP_TIMEOUT_S = 10  # a batch that has begun is finished, unless a service hangs

log = logging.getLogger(__name__)


def tally(
    settings: Settings,
    bootstrap_servers: str,
    database_url: str,
    java_home: Path,
    jars: Sequence[Path],
    stop: threading.Event,
    meter: Meter | None = None,
    reached: Reached = unwatched,
) -> None:
    """Count until told to stop. Services that go away are waited for; what a person must mend is raised."""
    meter = meter or Meter()
    spark = open_session(settings, java_home, jars)
    failures = 0
    try:
        warm.generate_code(spark)
        while True:
            began = datetime.now(UTC)
            try:
                _tally_while_services_answer(spark, settings, bootstrap_servers, database_url, stop, meter, reached)
            except ServiceError as error:
                failures = 1 if (datetime.now(UTC) - began).total_seconds() > 60 else failures + 1  # noqa: PLR2004 (a minute of work forgives)
                pause_s = BACK_OFF_S[min(failures, len(BACK_OFF_S)) - 1]
                log.warning("trying again; nothing is lost", extra={"in_s": pause_s, "why": error})
                meter.not_ready(str(error))
                meter.restarted()
                meter.alive()
                if stop.wait(pause_s):
                    return
            else:
                return
    finally:
        spark.stop()


def _tally_while_services_answer(
    spark: SparkSession,
    settings: Settings,
    bootstrap_servers: str,
    database_url: str,
    stop: threading.Event,
    meter: Meter | None = None,
    reached: Reached = unwatched,
) -> None:
    meter = meter or Meter()
    topics = Topics(bootstrap_servers)
    ballots, votes = topics.identity(BALLOTS), topics.identity(VOTES)
    with (
        closing(connect(database_url, "tally", Rights.TALLY, must_beat=True)) as connection,
        explained(database_url),
        closing(reader(bootstrap_servers)) as client,
    ):
        custody, cells = Custody(connection), Cells(connection)
        custody.check_whole()
        cells.take_lock()
        with closing(Heartbeat(cells.beat)) as heart:
            ours = fingerprint(votes.cluster_id, votes.topic_id, custody.claim(ballots.cluster_id, ballots.topic_id))
            generation, checkpoint = _take_up(spark, settings, cells, ours, meter, reached)
            reached(Point.BEFORE_PUBLISHER)
            cells.beat()  # whoever was stopped finds out here that another has taken over
            publisher = AllOrNothing(bootstrap_servers, TRANSACTIONAL_ID)
            count = Count(
                generation, ends(client, VOTES), connection, publisher, checkpoint, lambda: datetime.now(UTC), reached, heart.at_work
            )
            with closing(count), closing(connect(database_url, "tally's electorate", Rights.TALLY)) as other:
                count.begin()
                warm.compile_code(spark, lambda: stop.is_set() or heart.fault is not None or any(ends(client, VOTES).values()))
                reached(Point.BEFORE_QUERY)
                cells.beat()
                with _running(_start(spark, settings, bootstrap_servers, checkpoint, count), count) as query:
                    log.info("counting", extra={"generation": generation.number})
                    meter.follows(bootstrap_servers, lambda: count.positions)
                    meter.ready()
                    electorate = Electorate(spark, database_url)
                    rounds = (
                        Progress(query, meter),
                        Refresh(Cells(other).registered_mark, electorate.groups, count.note_registered, time.monotonic),
                        Presence(topics.answer, meter, time.monotonic),
                    )
                    _watch(query, count, heart, stop, rounds)


def _take_up(
    spark: SparkSession, settings: Settings, cells: Cells, ours: str, meter: Meter, reached: Reached
) -> tuple[Generation, Checkpoint]:
    """The generation to go on with, or a new one and why."""
    newest = cells.newest()
    if newest is None:
        reason = "first count"
    else:
        checkpoint = Checkpoint(spark, _checkpoint_url(settings, newest.number), be_sure=cells.beat)
        reached(Point.NEWEST_KNOWN)
        checkpoint.set_back(newest.batch)
        if newest.fingerprint == ours:
            fault = checkpoint.fault(ours, newest.batch, cells.positions(newest.number))
        else:
            fault = "it was asked for, or what is counted has changed"
        if fault is None:
            return newest, checkpoint
        reason = f"recount: {fault}"
        log.warning("counting from the beginning", extra={"why": fault})
        checkpoint.remove()
    meter.recounting()
    reached(Point.BEFORE_GENERATION)
    generation = cells.begin(ours, reason)
    reached(Point.GENERATION_BEGUN)
    checkpoint = Checkpoint(spark, _checkpoint_url(settings, generation.number), be_sure=cells.beat)
    checkpoint.begin(ours)
    reached(Point.CHECKPOINT_BEGUN)
    return generation, checkpoint


def _checkpoint_url(settings: Settings, generation: int) -> str:
    return f"{checkpoint_root(settings)}/cells-{generation}"


def _start(spark: SparkSession, settings: Settings, bootstrap_servers: str, checkpoint: Checkpoint, count: Count) -> StreamingQuery:
    messages = (
        spark.readStream.format("kafka")
        .options(**spark_options(bootstrap_servers))
        .option("subscribe", VOTES)
        .option("startingOffsets", "earliest")
        .option("failOnDataLoss", "true")
        .option("kafka.isolation.level", "read_committed")
        .option("kafka.fetch.max.wait.ms", "50")
        .option("kafka.receive.buffer.bytes", AS_THE_SYSTEM_SEES_FIT)
        .option("kafka.max.poll.records", str(POLL_VOTES_MAX))
        .option("maxOffsetsPerTrigger", str(settings.tally_batch_votes_max))
        .load()
    )
    return (
        frames.votes(messages)  # once: put together for every batch anew, these columns took a third of a second of Python and Java talking
        .writeStream.queryName("votes")
        .option("checkpointLocation", checkpoint.url)
        .trigger(processingTime=f"{settings.tally_interval_ms} milliseconds")
        .foreachBatch(count.count_batch)
        .start()
    )


@contextmanager
def _running(query: StreamingQuery, count: Count) -> Iterator[StreamingQuery]:
    """Whatever ends the watching ends the query, too, and entirely: Spark lets no other one begin before."""
    try:
        yield query
    finally:
        if query.isActive:
            _stop(query, count)
        with suppress(StreamingQueryException):  # `_watch` says what a query died of
            query.awaitTermination(STOP_TIMEOUT_S)  # inactive it is a while before it has ended


def _watch(
    query: StreamingQuery, count: Count, heart: Heartbeat, stop: threading.Event, rounds: tuple[Progress, Refresh, Presence]
) -> None:
    """Until told to stop, or until the query fails: then its own fault is raised, or a ServiceError with Spark's words."""
    progress, refresh, presence = rounds
    while query.isActive and count.fault is None and heart.fault is None and not stop.wait(LOOK_S):
        progress.note_when_due()
        refresh.when_due()
        count.look_when_nobody_votes()
        presence.look_when_due()
    if was_counting := query.isActive:
        _stop(query, count)
    count.close()
    fault = count.fault or heart.fault
    if isinstance(fault, LivetallyError):
        raise fault
    if fault is not None:
        raise ServiceError(f"Counting stopped: {fault}") from fault
    if was_counting:
        progress.note()
    elif (error := query.exception()) is not None:
        raise ServiceError(f"Spark stopped counting: {_first_line(error)}") from error
    else:
        raise ServiceError("Spark stopped counting without saying why; its log may.")


def _stop(query: StreamingQuery, count: Count) -> None:
    """The batch that is being counted is finished; one that begins now is interrupted, and counted by the next start."""
    waited_s = 0.0
    while query.status["isTriggerActive"] and waited_s < STOP_TIMEOUT_S:
        threading.Event().wait(LOOK_S)
        waited_s += LOOK_S
    count.is_interrupted = True
    query.stop()


def _first_line(error: StreamingQueryException) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), "no reason given")[:500]
