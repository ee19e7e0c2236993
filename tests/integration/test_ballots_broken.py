"""Kafka and the API are killed while ballots are on their way: what was acknowledged is there, and asking again settles the rest."""

import signal
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psutil
import pytest
import requests

from booths import REAL, SOFT_FILES, ApiProcess, api_process, await_state, cast, hold_real_election, issue_codes
from faults.ground import BROKER, Ground, prepared
from faults.proxy import Kafka, Proxy
from livetally.adapters.postgres import connect
from livetally.record.record import record
from livetally.web.connections import FILES_MAX
from pipeline import Pipeline, Worker, recording
from waiting import wait_for

PRODUCE = 0  # the number of Kafka's request
WAIT_MS = 1_500
AT_ONCE_S = 1.0


class Producing(Kafka):
    """Ballots are sent without a transaction: what is held back is the answer to the ballots themselves."""

    def is_commit(self, request: bytes) -> bool:
        return int(struct.unpack_from(">h", request, 4)[0]) == PRODUCE


def test_killed_between_receipt_and_acknowledgement(pipeline: Pipeline) -> None:
    """Kafka has the ballot, and nobody was told. The voter asks again, with another choice: one vote, the first one, and the receipt says so."""
    hold_real_election(pipeline.connection)
    codes = issue_codes(pipeline.connection, pipeline.data_dir)
    with closing(Proxy(int(pipeline.kafka.rsplit(":", 1)[1]), Producing())) as proxy:
        kafka = f"127.0.0.1:{proxy.port}"
        with api_process(kafka, pipeline.database_url, pipeline.data_dir, api_ballot_wait_ms=str(WAIT_MS)) as api:
            proxy.hold()
            asking = threading.Thread(target=_ignored, args=(api, codes["v1"]), daemon=True)
            asking.start()
            assert proxy.caught.wait(30)
            api.kill()
            asking.join(30)
            ((receipt, place),) = pipeline.sql("SELECT receipt, ballot_offset FROM receipts")
            assert place is None
            proxy.release()
            api.start()
            answer = _until_taken(api, codes["v1"], "cleo")
            assert (answer["receipt"], answer["repeated"]) == (receipt, True)
            with recording(pipeline):
                await_state(api.url, [receipt], "accepted")
    assert pipeline.sql("SELECT voter_id, candidate_id FROM votes") == [("v1", f"ada-{REAL}")]


def test_an_answer_that_is_lost(pipeline: Pipeline) -> None:
    """The client of Kafka sends the ballot again by itself; the broker knows it, and there is one."""
    hold_real_election(pipeline.connection)
    codes = issue_codes(pipeline.connection, pipeline.data_dir)
    with closing(Proxy(int(pipeline.kafka.rsplit(":", 1)[1]), Producing())) as proxy:
        kafka = f"127.0.0.1:{proxy.port}"
        with api_process(kafka, pipeline.database_url, pipeline.data_dir, api_ballot_wait_ms="20000") as api:
            proxy.cut()
            answer = cast(api.url, codes["v1"])
            assert proxy.caught.is_set()
            assert (answer.status_code, answer.json()["repeated"]) == (202, False)
            with recording(pipeline):
                await_state(api.url, [answer.json()["receipt"]], "accepted")


def test_kafka_is_killed_and_comes_back() -> None:
    with prepared() as ground, closing(ground.connection()) as connection:
        hold_real_election(connection, 40)
        codes = list(issue_codes(connection, ground.directory).values())
        with api_process(ground.kafka, ground.database_url, ground.directory, api_ballot_wait_ms=str(WAIT_MS)) as api:
            receipts = [_until_taken(api, code)["receipt"] for code in codes[:5]]
            with ThreadPoolExecutor(8) as people:
                on_their_way = [people.submit(cast, api.url, code) for code in codes[5:25]]
                ground.send(BROKER, signal.SIGKILL)
                answers = [one.result() for one in on_their_way]
            assert {answer.status_code for answer in answers} <= {202, 503}
            receipts += [answer.json()["receipt"] for answer in answers if answer.status_code == 202]
            _says_so_at_once(api, codes[25])
            (cast_before,) = connection.execute("SELECT count(*) FROM receipts").fetchone() or (0,)
            refused = cast(api.url, codes[26])
            assert (refused.status_code, "Nothing was cast" in refused.json()["detail"]) == (503, True)
            assert connection.execute("SELECT count(*) FROM receipts").fetchone() == (cast_before,)
            _bring_back(ground)
            receipts += [_until_taken(api, code)["receipt"] for code in codes]
            recorder = Worker(lambda stop: record(ground.kafka, ground.database_url, 1000, stop))
            try:
                await_state(api.url, sorted(set(receipts)), "accepted")
            finally:
                recorder.stop()
            assert len(set(receipts)) == len(codes)
            assert connection.execute("SELECT count(*) FROM votes").fetchone() == (len(codes),)


def test_the_key_of_the_codes_is_lost(pipeline: Pipeline) -> None:
    """It is said, and nothing is served: with a new key every code would be called unknown."""
    hold_real_election(pipeline.connection)
    issue_codes(pipeline.connection, pipeline.data_dir)
    (pipeline.data_dir / "secrets" / "codes.key").unlink()
    with pytest.raises(AssertionError, match="the API has ended"), api_process(pipeline.kafka, pipeline.database_url, pipeline.data_dir):
        pass
    (log,) = pipeline.data_dir.glob("api-*.log")
    assert "key of the voting codes" in log.read_text("utf-8")


def _ignored(api: ApiProcess, code: str) -> None:
    with pytest.raises(requests.ConnectionError):
        cast(api.url, code)


def _until_taken(api: ApiProcess, code: str, chosen: str = "ada") -> Any:
    """What a patient voter does: ask again."""
    answers: list[requests.Response] = []

    def taken() -> bool:
        answers.append(cast(api.url, code, chosen))
        assert answers[-1].status_code in (202, 503), answers[-1].text
        assert answers[-1].status_code == 202 or int(answers[-1].headers["retry-after"]) > 0
        return answers[-1].status_code == 202

    wait_for(taken, "the ballot is taken")
    return answers[-1].json()


def _says_so_at_once(api: ApiProcess, code: str) -> None:
    def at_once() -> bool:
        began_s = time.monotonic()
        answer = cast(api.url, code)
        assert answer.status_code == 503, answer.text
        return time.monotonic() - began_s < AT_ONCE_S

    wait_for(at_once, "that Kafka is away is known, and said at once")


def _bring_back(ground: Ground) -> None:
    def is_back() -> bool:
        ground.look_after()
        return ground.answers(BROKER) and ground.has_leaders()

    wait_for(is_back, "the broker is back")


def test_the_owner_is_not_needed(pipeline: Pipeline) -> None:
    """The API's own rights are enough for all of it: it connects as nobody else."""
    hold_real_election(pipeline.connection)
    codes = issue_codes(pipeline.connection, pipeline.data_dir)
    with api_process(pipeline.kafka, pipeline.database_url, pipeline.data_dir) as api:
        assert cast(api.url, codes["v1"]).status_code == 202
        assert api.process is not None
        soft, hard = psutil.Process(api.process.pid).rlimit(psutil.RLIMIT_NOFILE)
        assert soft == min(hard, FILES_MAX) > SOFT_FILES  # a thousand streams would not fit into what is usual
    with closing(connect(pipeline.database_url, "tests", as_owner=True)) as connection:
        assert connection.execute("SELECT count(*) FROM receipts WHERE ballot_offset IS NOT NULL").fetchone() == (1,)
