"""*record*, as `livetally run` runs it: as many processes of `livetally record` as the settings say, watched from outside at little cost."""

import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.cost import Cost, Meter, Reading, cost, peak_memory_bytes
from harness.database import owner, row
from harness.saying import progress
from harness.stand import Stand
from livetally.adapters.kafka import Consumer, TopicPartition, consumer
from livetally.adapters.reading import ends, partitions_of, patiently
from livetally.commands.backing import LIVETALLY
from livetally.core.errors import ServiceError
from livetally.core.wire import BALLOTS
from livetally.record.intake import GROUP

DECIDED = "SELECT coalesce(sum(next_offset), 0)::bigint, coalesce(sum(accepted), 0)::bigint FROM recorded"
LOOK_S = 0.02  # a look costs PostgreSQL some 0.1 ms
READ_EVERY_S = 1.0  # reading all accounts costs us a few ms
STUCK_AFTER_S = 120.0
STOPS_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What the ledger had decided at a moment."""

    at_s: float
    ballots: int
    accepted: int


@dataclass(frozen=True, slots=True)
class Fill:
    """A backlog, recorded. The clock runs from the first batch in the ledger to the last outcome that a consumer can read."""

    samples: Sequence[Sample]  # one per change that was seen
    spawned_at_s: float
    published_at_s: float
    cost: Cost  # of that time
    readings: Sequence[tuple[int, Reading]]  # the accounts at some of the samples, by votes
    peak_memory_bytes: int

    @property
    def began(self) -> Sample:
        """The first batch, seen in the ledger. Where that was all, the clock runs from the start of the process."""
        return self.samples[0] if len(self.samples) > 1 else Sample(self.spawned_at_s, 0, 0)

    @property
    def seconds(self) -> float:
        return self.published_at_s - self.began.at_s

    @property
    def votes_in_time(self) -> int:
        """Without those that were there when the clock began to run."""
        return self.samples[-1].accepted - self.began.accepted

    @property
    def votes_per_s(self) -> float:
        return self.votes_in_time / self.seconds

    @property
    def ballots_per_s(self) -> float:
        return (self.samples[-1].ballots - self.began.ballots) / self.seconds

    def rate_between(self, first: int, last: int) -> float:
        """Votes a second in the ledger while it grew from `first` to `last` votes, widened to the commits around them."""
        begin = next((sample for sample in reversed(self.samples) if sample.accepted <= first), self.began)
        end = next((sample for sample in self.samples if sample.accepted >= last), self.samples[-1])
        return (end.accepted - begin.accepted) / (end.at_s - begin.at_s) if end.at_s > begin.at_s else self.votes_per_s

    def cost_between(self, first: int, last: int) -> tuple[int, Cost]:
        """What that growth cost, and how many votes it was, widened to the readings around it."""
        begin = next((one for one in reversed(self.readings) if one[0] <= first), self.readings[0])
        end = next((one for one in self.readings if one[0] >= last), self.readings[-1])
        return end[0] - begin[0], cost(begin[1], end[1])


class Recorders:
    """Running processes of `livetally record`."""

    def __init__(self, stand: Stand, database_url: str, processes: Sequence["subprocess.Popen[bytes]"], log: Path) -> None:
        self._stand = stand
        self._database_url = database_url
        self._processes = processes
        self._log = log
        self._spawned_at_s = time.monotonic()

    @property
    def pids(self) -> list[int]:
        return [one.pid for one in self._processes]

    def fill(self, ballots: int) -> Fill:
        """Wait until so many ballots, all that there are, have been decided and every outcome can be read."""
        tell = progress("recorded", ballots)
        samples: list[Sample] = []
        meter = Meter(python=self.pids)
        readings = [(0, meter.read())]
        # Asks for the group's position without being a member of it.
        observer = consumer(self._stand.kafka, GROUP, {"isolation.level": "read_uncommitted"})
        with closing(observer), owner(self._database_url) as connection:
            wanted = ends(observer, BALLOTS)
            while not samples or samples[-1].ballots < ballots:
                time.sleep(LOOK_S)
                decided, accepted = row(connection, DECIDED)
                if decided > (samples[-1].ballots if samples else 0):
                    samples.append(Sample(time.monotonic(), decided, accepted))
                    if len(samples) == 1 or samples[-1].at_s > readings[-1][1].at_s + READ_EVERY_S:
                        readings.append((accepted, meter.read()))
                    tell(decided)
                self._check(samples[-1].at_s if samples else self._spawned_at_s)
            while self._published(observer) != wanted:
                time.sleep(LOOK_S)
                self._check(samples[-1].at_s)
        last = meter.read()
        readings.append((samples[-1].accepted, last))
        readings = readings[len(samples) > 1 :]  # as `Fill.began`
        peak_bytes = sum(map(peak_memory_bytes, self.pids))
        return Fill(samples, self._spawned_at_s, last.at_s, cost(readings[0][1], last), readings, peak_bytes)

    @staticmethod
    def _published(observer: Consumer) -> dict[int, int]:
        """Behind the last ballot of each partition whose outcome was published: the position is part of that transaction."""
        partitions = [TopicPartition(BALLOTS, partition) for partition in partitions_of(observer, BALLOTS)]
        return {one.partition: one.offset for one in patiently("how far is published", lambda: observer.committed(partitions))}

    def _check(self, last_progress_s: float) -> None:
        for process in self._processes:
            if process.poll() is not None:
                raise ServiceError(f"`livetally record` ended with {process.returncode}:\n{_tail(self._log)}")
        if time.monotonic() > last_progress_s + STUCK_AFTER_S:
            raise ServiceError(f"`livetally record` has recorded nothing for {STUCK_AFTER_S:.0f} s:\n{_tail(self._log)}")


@contextmanager
def recorders(stand: Stand, database_url: str) -> Iterator[Recorders]:
    log = stand.data_dir / "logs" / "record.log"
    with ExitStack() as until_the_end:
        output = until_the_end.enter_context(log.open("ab"))
        processes = []
        for _ in range(stand.settings.recorders):
            process = subprocess.Popen(
                [*LIVETALLY, "record"],
                env=stand.environment(database_url),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            until_the_end.callback(end, process)
            processes.append(process)
        yield Recorders(stand, database_url, processes, log)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Let it finish its batch; not for ever."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOPS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise ServiceError(f"a process of the benchmark did not stop within {STOPS_WITHIN_S:.0f} s and was killed") from None


def _tail(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-15:])
