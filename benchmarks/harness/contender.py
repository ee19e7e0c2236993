"""Running a peer: a process of its own for a fixed time, on a fresh copy and empty outputs."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.cost import Cost, Meter, cost
from harness.database import owner, row
from harness.recorder import end
from harness.stand import Stand
from livetally.core.errors import ServiceError

BENCHMARKS = Path(__file__).resolve().parents[1]
BUSY_SHARE = 0.85  # of all cores: above it, processor time is what there is too little of


@dataclass(frozen=True, slots=True)
class Peer:
    """What a peer reached. Its rows are counted by us; what it says of itself must agree."""

    votes: int
    seconds: float
    cost: Cost

    @property
    def votes_per_s(self) -> float:
        return self.votes / self.seconds

    @property
    def bottleneck(self) -> str:
        """What kept it from being faster, by the accounts of the processors."""
        cores = self.cost.cores()
        most = max(cores, key=lambda name: cores[name])
        busy = sum(cores.values()) / (os.cpu_count() or 1) + self.cost.others_share
        if busy >= BUSY_SHARE:
            return f"processor time, most of it in {most} ({cores[most]:.2f} cores)"
        if cores["python"] >= BUSY_SHARE:
            return f"Python ({cores['python']:.2f} cores), which has one thread"
        return f"waiting, for the disk at each commit and for answers: {busy:.0%} of the processors were busy"


def run_peer(stand: Stand, database_url: str, module: str, seconds: float) -> Peer:
    environment = stand.environment(database_url)
    environment["PYTHONPATH"] = os.pathsep.join(part for part in (str(BENCHMARKS), environment.get("PYTHONPATH")) if part)
    argv = [sys.executable, "-m", f"peers.{module}", "--seconds", str(seconds)]
    process = subprocess.Popen(
        argv, env=environment, cwd=stand.data_dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert process.stdout is not None
        meter = Meter(python=[process.pid])
        _answer(module, process.stdout.readline())
        first = meter.read()
        said = _answer(module, process.stdout.readline())
        spent = cost(first, meter.read())
    finally:
        end(process)
    with owner(database_url) as connection:
        (votes,) = row(connection, "SELECT count(*) FROM votes")
    if votes != said["accepted"]:
        raise ServiceError(f"{module} says that it inserted {said['accepted']} votes, and there are {votes}")
    return Peer(said["accepted"], said["seconds"], spent)


def _answer(module: str, line: bytes) -> Mapping[str, Any]:
    if not line:
        raise ServiceError(f"the peer {module} ended without an answer; what it said stands above")
    answer: Mapping[str, Any] = json.loads(line)
    return answer
