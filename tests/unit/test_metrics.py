"""What a stage shows of itself: health by a clock of the test's own, the server by real requests."""

import json
import re
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from urllib.error import HTTPError

import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from livetally.cast.meter import Meter as CastMeter
from livetally.commands.backing import Backing
from livetally.commands.endpoints import STAGES, living, observed
from livetally.core.ballots import Reason
from livetally.observe.health import Health
from livetally.observe.lately import FRESH_S
from livetally.observe.meter import StageMeter
from livetally.observe.server import PORT_STEP, MetricsServer, serve
from livetally.record.meter import Meter, Retry, Step
from livetally.register.meter import Meter as RegisterMeter
from livetally.settings import Settings
from livetally.show.meter import Meter as PageMeter
from livetally.tally.meter import Meter as TallyMeter
from livetally.web.meter import Meter as ApiMeter

DOCUMENT = (Path(__file__).parents[2] / "docs/metrics.md").read_text("utf-8")
METERS: dict[str, Callable[[], StageMeter]] = {
    "register": RegisterMeter,
    "simulate": CastMeter,
    "record": Meter,
    "tally": TallyMeter,
    "dashboard": PageMeter,
    "api": ApiMeter,
}
NOON = datetime(2026, 5, 7, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def get(url: str) -> tuple[int, str, str]:
    """Status, content type, body."""
    try:
        with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 (our own address)
            return response.status, response.headers["Content-Type"], response.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


def families(text: str) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(meter: StageMeter, name: str, **labels: str) -> float | None:
    return meter.registry.get_sample_value(name, labels)


@contextmanager
def served(meter: StageMeter, port: int = 0) -> Iterator[MetricsServer]:
    with closing(serve(meter, "127.0.0.1", port)) as server:
        yield server


# Health


def test_a_loop_that_does_not_go_round_in_time_is_not_well() -> None:
    clock = Clock()
    health = Health(60, clock, lambda: NOON)
    clock.now_s += 60
    assert health.healthz().is_good, "the start counts as a round"
    clock.now_s += 15
    answer = health.healthz()
    assert not answer.is_good
    assert answer.text == "the loop has not gone round since 2026-05-07T11:58:45Z, 75 s ago; it should every 60 s"
    health.alive()
    assert health.healthz().is_good


def test_a_stage_is_ready_when_it_and_its_services_are() -> None:
    clock = Clock()
    away: list[str | None] = [None]
    asked: list[float] = []

    def probe() -> str | None:
        asked.append(clock.now_s)
        return away[0]

    health = Health(60, clock)
    assert health.readyz().text == "not ready: it is starting"
    health.probe_with(probe)
    health.ready()
    assert health.readyz().is_good
    away[0] = "Kafka at k:9092 does not answer"
    assert health.readyz().is_good, "whoever asks at once is given the answer of a moment ago"
    clock.now_s += FRESH_S
    assert health.readyz().text == "not ready: Kafka at k:9092 does not answer"
    assert len(asked) == 2
    away[0] = None
    health.not_ready("PostgreSQL does\nnot answer")
    clock.now_s += FRESH_S
    assert health.readyz().text == "not ready: PostgreSQL does not answer"
    health.ready()
    assert health.readyz().is_good


# Meters


def test_everything_that_can_be_counted_is_there_from_the_start() -> None:
    meter = Meter()
    assert [value(meter, "livetally_record_rejected_total", reason=reason) for reason in Reason] == [0.0] * len(Reason)
    assert [value(meter, "livetally_record_retries_total", why=why) for why in Retry] == [0.0] * len(Retry)
    assert [value(meter, "livetally_record_step_seconds_count", step=step) for step in Step] == [0.0] * len(Step)


def test_record_counts_what_it_is_told() -> None:
    meter = Meter()
    meter.decided(100, 97, {Reason.MALFORMED: 2, Reason.UNKNOWN_VOTER: 1})
    meter.decided(50, 50, {})
    meter.took(Step.DECIDE, 0.03)
    meter.lag(1, 12)
    meter.lag(2, 7)
    meter.retried(Retry.DEADLOCK)
    meter.producer_renewed()
    assert value(meter, "livetally_record_ballots_total") == 150
    assert value(meter, "livetally_record_accepted_total") == 147
    assert value(meter, "livetally_record_rejected_total", reason="malformed") == 2
    assert value(meter, "livetally_record_batch_ballots_bucket", le="50.0") == 1
    assert value(meter, "livetally_record_batch_ballots_bucket", le="100.0") == 2
    assert value(meter, "livetally_record_step_seconds_bucket", step="decide", le="0.02") == 0
    assert value(meter, "livetally_record_step_seconds_bucket", step="decide", le="0.05") == 1
    assert value(meter, "livetally_record_lag_ballots", partition="1") == 12
    assert value(meter, "livetally_record_retries_total", why="deadlock") == 1
    assert value(meter, "livetally_record_producer_renewals_total") == 1
    meter.rebalanced()
    assert value(meter, "livetally_record_lag_ballots", partition="1") is None, "somebody else may have that partition now"
    assert value(meter, "livetally_record_rebalances_total") == 1


def test_several_threads_may_count() -> None:
    meter = Meter()

    def count() -> None:
        for _ in range(1000):
            meter.decided(3, 2, {Reason.NOT_OPEN: 1})
            meter.lag(0, 5)
            meter.rebalanced()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value(meter, "livetally_record_ballots_total") == 12_000
    assert value(meter, "livetally_record_rejected_total", reason="not_open") == 4_000


def test_the_other_stages_count_what_they_are_told() -> None:
    register, cast_, tally, page = RegisterMeter(), CastMeter(), TallyMeter(), PageMeter()
    register.stored(10)
    register.announced(9)
    register.took(0.5)
    assert value(register, "livetally_register_stored_total") == 10
    assert value(register, "livetally_register_announced_total") == 9
    assert value(register, "livetally_register_batch_seconds_sum") == 0.5
    cast_.cast(voters=10, ballots=7)
    assert value(cast_, "livetally_simulate_voters_total") == 10
    assert value(cast_, "livetally_simulate_ballots_total") == 7
    tally.counted(1000, 0.4)
    tally.restarted()
    tally.recounting()
    assert value(tally, "livetally_tally_batches_total") == 1
    assert value(tally, "livetally_tally_votes_total") == 1000
    assert value(tally, "livetally_tally_restarts_total") == value(tally, "livetally_tally_recounts_total") == 1
    page.watches(lambda: True, lambda: False)
    assert value(page, "livetally_dashboard_page_running") == 1
    assert value(page, "livetally_dashboard_page_answers") == 0
    api = ApiMeter()
    api.answered(202, 0.25)
    api.watches(lambda: 7)
    assert value(api, "livetally_api_requests_total", status="202") == 1
    assert value(api, "livetally_api_request_seconds_sum") == 0.25
    assert value(api, "livetally_api_listeners") == 7


def test_a_meter_says_whether_its_stage_is_ready_and_how_long_ago_it_went_round() -> None:
    clock = Clock()
    meter = Meter(60, clock)
    clock.now_s += 5
    assert value(meter, "livetally_ready", stage="record") == 0
    assert value(meter, "livetally_since_round_seconds", stage="record") == 5
    meter.ready()
    meter.alive()
    assert value(meter, "livetally_ready", stage="record") == 1
    assert value(meter, "livetally_since_round_seconds", stage="record") == 0
    meter.not_ready("Kafka is away")
    assert value(meter, "livetally_ready", stage="record") == 0


def test_every_stage_has_a_meter_and_names_follow_the_conventions() -> None:
    assert tuple(METERS) == STAGES
    for stage, make in METERS.items():
        meter = make()
        assert meter.stage == stage
        for family in meter.registry.collect():
            assert re.fullmatch(rf"livetally_({stage}_)?[a-z_]+|process_[a-z_]+", family.name)
            assert family.documentation
            assert not family.name.endswith(("_total", "_count", "_sum", "_bucket", "_created"))


def described(name: str, metric: Metric) -> tuple[str, str, str, str]:
    labels = sorted({label for sample in metric.samples for label in sample.labels} - {"le"})
    return name, metric.type, " ".join(f"`{label}`" for label in labels), metric.documentation


def existing() -> set[tuple[str, str, str, str]]:
    """Name, type, labels and meaning of all metrics that are our own."""
    found = set()
    for make in METERS.values():
        meter = make()
        if isinstance(meter, Meter):
            meter.lag(0, 0)  # a partition's number is known only when there is one
        for family in meter.registry.collect():
            found.add(described(family.name + ("_total" if family.type == "counter" else ""), family))
    return {one for one in found if one[0].startswith("livetally_")}


def test_every_metric_is_documented_as_it_is() -> None:
    documented = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.+?) \|$", DOCUMENT, re.MULTILINE)
    assert len(documented) == len(existing())
    assert set(documented) == existing()
    assert re.findall(r"^\| `(\w+)` \| [^|]+ \|$", DOCUMENT.split("| why | ")[1].split("\n\n")[0], re.MULTILINE) == list(Retry)


def test_examples_name_metrics_that_exist() -> None:
    names = {name for name, *_ in existing()}
    named = set(re.findall(r"\blivetally_\w+", DOCUMENT))
    assert {re.sub("_bucket$", "", name) for name in named} <= names
    examples = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)]
    assert [set(example) for example in examples] == [{"scrape_configs"}, {"groups"}]
    ports = [9400 + number for number in range(len(STAGES))]
    second_recorder = 9412
    targets = [f"127.0.0.1:{port}" for port in [*ports, second_recorder]]
    assert examples[0]["scrape_configs"][0]["static_configs"][0]["targets"] == targets
    assert re.findall(r"^\| \*(\w+)\* \| (\d+) \|$", DOCUMENT, re.MULTILINE) == [
        (stage, str(port)) for stage, port in zip(STAGES, ports, strict=True)
    ]


# The server


def test_metrics_are_in_prometheus_format() -> None:
    meter = Meter()
    meter.decided(3, 2, {Reason.MALFORMED: 1})
    with served(meter) as server:
        status, content_type, body = get(f"{server.url}/metrics")
    assert status == 200
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    found = families(body)
    assert found["livetally_record_ballots"].samples[0].value == 3
    assert {sample.labels["reason"] for sample in found["livetally_record_rejected"].samples} == set(Reason)
    assert found["livetally_record_step_seconds"].type == "histogram"
    assert found["process_resident_memory_bytes"].samples[0].value > 1e6
    assert "process_cpu_seconds" in found
    assert "_created" not in body


def test_health_and_readiness_are_answered_and_nothing_else() -> None:
    clock = Clock()
    meter = Meter(60, clock)
    with served(meter) as server:
        assert get(f"{server.url}/healthz")[::2] == (200, "ok\n")
        assert get(f"{server.url}/readyz")[::2] == (503, "not ready: it is starting\n")
        meter.ready()
        assert get(f"{server.url}/readyz?verbose")[::2] == (200, "ready\n")
        clock.now_s += 61
        status, content_type, body = get(f"{server.url}/healthz")
        assert (status, content_type) == (503, "text/plain; charset=utf-8")
        assert "the loop has not gone round since" in body
        for path in ("/", "/metrics/", "/debug", "/healthz/x"):
            assert get(server.url + path)[0] == 404


def test_a_port_that_is_taken_is_replaced_by_one_with_the_same_last_digit() -> None:
    with served(Meter()) as first, served(Meter(), first.server_port) as second, served(Meter(), first.server_port) as third:
        ports = [one.server_port for one in (first, second, third)]
        assert all((port - ports[0]) % PORT_STEP == 0 for port in ports)
        assert len(set(ports)) == 3
        assert [get(f"http://127.0.0.1:{port}/healthz")[0] for port in ports] == [200, 200, 200]


def test_somebody_who_connects_and_says_nothing_keeps_nobody_else_waiting() -> None:
    with served(Meter()) as server, socket.create_connection(("127.0.0.1", server.server_port)):
        assert get(f"{server.url}/healthz")[0] == 200


def test_a_number_that_cannot_be_read_is_an_error_of_the_request_alone(caplog: pytest.LogCaptureFixture) -> None:
    meter = PageMeter()

    def broken() -> bool:
        raise LookupError("no such page")

    with served(meter) as server:
        meter.watches(broken, broken)
        with pytest.raises(ConnectionError):
            get(f"{server.url}/metrics")
        assert get(f"{server.url}/healthz")[0] == 200
    assert "a request for metrics failed" in caplog.text


def backing(settings: Settings) -> Backing:
    """Of services that are not there."""
    return cast(
        "Backing",
        SimpleNamespace(settings=settings, kafka_bootstrap_servers="127.0.0.1:1", database_url="postgresql://u:secret@127.0.0.1:1/v"),
    )


def test_a_stage_writes_down_where_it_is_watched_and_takes_it_back(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, metrics_port=free_port())
    stale = tmp_path / "endpoints/record-1.json"
    stale.parent.mkdir()
    stale.write_text(json.dumps({"stage": "record", "pid": 1, "birth": "another boot:1", "url": "http://127.0.0.1:1"}), "utf-8")
    meter = Meter()
    with observed(meter, backing(settings), lambda: None):
        (endpoint,) = living(tmp_path)
        assert endpoint.stage == "record"
        assert get(f"{endpoint.url}/healthz")[0] == 200
        meter.ready()
        assert get(f"{endpoint.url}/readyz")[::2] == (503, "not ready: Kafka at 127.0.0.1:1 does not answer\n")
    assert living(tmp_path) == []
    assert list(stale.parent.iterdir()) == []


def test_an_address_that_cannot_be_used_does_not_concern_the_stage(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with observed(Meter(), backing(Settings(data_dir=tmp_path, metrics_address="192.0.2.1")), lambda: None):
        assert living(tmp_path) == []
    assert "nobody can watch this stage" in caplog.text


def test_a_stage_that_others_can_watch_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for address, warns in (("127.0.0.1", False), ("0.0.0.0", True)):  # noqa: S104 (what is warned about)
        caplog.clear()
        with observed(Meter(), backing(Settings(data_dir=tmp_path, metrics_address=address, metrics_port=free_port())), lambda: None):
            assert ("everybody who reaches this machine" in caplog.text) is warns


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return min(int(listener.getsockname()[1]), 60_000)
