"""`livetally up`, `down`, `status`: the services without the stages."""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from livetally.adapters.access import secured
from livetally.adapters.postgres import database_answers
from livetally.adapters.pulse import Pulses
from livetally.commands.backing import LIVETALLY, Backing, kafka_answers, prepare, services_of, using_what_runs
from livetally.commands.endpoints import Endpoint, ask, living
from livetally.commands.output import print_json, say
from livetally.core.errors import ServiceError
from livetally.embedded import state
from livetally.embedded.datadir import prepare as prepare_data_dir
from livetally.embedded.services import DATABASE, KAFKA, SPARK, Services
from livetally.settings import Settings, read_settings

TICK_S = 0.2
DOWN_WITHIN_S = 90.0


def up(arguments: argparse.Namespace) -> int:
    settings = read_settings()
    if arguments.foreground:
        return _serve(settings, arguments.spark_workers)
    if state.running(settings.data_dir.resolve()) is not None:
        say("The services are running already.")
    else:
        _start_in_background(settings, arguments.spark_workers)
        with services_of(settings):
            pass  # the child answers before it has made schema and topics; whoever comes first makes them
    _print_status(_status(settings))
    return 0


def down(_arguments: argparse.Namespace) -> int:
    settings = read_settings()
    running = state.running(settings.data_dir.resolve())
    if running is None:
        say(f"Nothing is running in {settings.data_dir.resolve()}.")
        return 0
    os.kill(running.supervisor.pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_WITHIN_S
    while running.supervisor.is_alive():
        if time.monotonic() > deadline:
            raise ServiceError(
                f"Process {running.supervisor.pid} has not ended within {DOWN_WITHIN_S:.0f} s; look at it with `ps {running.supervisor.pid}`."
            )
        time.sleep(TICK_S)
    say("Everything has been stopped.")
    return 0


def status(arguments: argparse.Namespace) -> int:
    """Exit 1 if something that should answer does not."""
    found = _status(read_settings())
    if arguments.json:
        print_json(found)
    else:
        _print_status(found)
    return 0 if all(one["answers"] for one in found["services"]) else 1


def _serve(settings: Settings, spark_workers: int) -> int:
    try:
        with Services(settings, kafka_probe=kafka_answers, on_event=say, spark_workers=spark_workers, is_exclusive=True) as services:
            prepare(Backing(settings, services))
            say("The services are up; Ctrl+C stops them.")
            while True:
                services.tick()
                time.sleep(TICK_S)
    except KeyboardInterrupt:
        say("Everything has been stopped.")
        return 0


def _start_in_background(settings: Settings, spark_workers: int) -> None:
    data_dir = prepare_data_dir(settings.data_dir)
    log = data_dir / "logs" / "supervisor.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as output:
        child = subprocess.Popen(
            [*LIVETALLY, "up", "--foreground", "--spark-workers", str(spark_workers)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    shown = 0
    while True:
        code = child.poll()
        shown = _show_more(log, shown)
        if code is not None:
            raise ServiceError(f"The services did not start (exit code {code}); what was said stands above and in {log}.")
        running = state.running(data_dir)
        if running is not None and running.supervisor.pid == child.pid and running.connections:
            return
        time.sleep(TICK_S)


def _show_more(log: Path, shown: int) -> int:
    """Pass on what the child has said since; a download takes a while, and silence would worry."""
    with log.open("rb") as lines:
        lines.seek(shown)
        said = lines.read()
    sys.stderr.write(said.decode(errors="replace"))
    sys.stderr.flush()
    return shown + len(said)


def _status(settings: Settings) -> dict[str, Any]:
    data_dir = settings.data_dir.resolve()
    running = state.running(data_dir)
    used = using_what_runs(settings)
    url = used.database_url.get_secret_value() if used.database_url else None
    kafka = secured(used.kafka_bootstrap_servers or "", used)
    answers = {
        KAFKA: bool(kafka) and kafka_answers(kafka),
        DATABASE: url is not None and database_answers(url),
    }
    services = [
        {
            "service": KAFKA,
            "address": used.kafka_bootstrap_servers,
            "ours": settings.kafka_bootstrap_servers is None,
            "answers": answers[KAFKA],
        },
        {"service": DATABASE, "address": url, "ours": settings.database_url is None, "answers": answers[DATABASE]},
    ]
    if not used.spark_master.startswith("local"):
        alive = running is not None and any(one.name == "spark-master" and one.is_alive() for one in running.processes)
        services.append(
            {"service": SPARK, "address": used.spark_master, "ours": settings.spark_master != used.spark_master, "answers": alive}
        )
    found: dict[str, Any] = {"data_dir": str(data_dir), "supervisor": running.supervisor.pid if running else None, "services": services}
    found["processes"] = {one.name: one.pid for one in running.processes if one.is_alive()} if running else {}
    found["stages"] = [_stage(endpoint) for endpoint in living(data_dir)]
    if kafka and url and all(answers.values()):
        with Pulses(kafka, url) as pulses:
            pulse = pulses.take()
        found["counts"] = {name: getattr(pulse, name) for name in ("registered", "cast", "recorded", "accepted", "tallied")}
        found["settled"] = pulse.settled
    return found


def _stage(endpoint: Endpoint) -> dict[str, Any]:
    is_well, health = ask(f"{endpoint.url}/healthz")
    is_ready, readiness = ask(f"{endpoint.url}/readyz")
    said = readiness if is_well else health
    return {
        "stage": endpoint.stage,
        "pid": endpoint.pid,
        "metrics": f"{endpoint.url}/metrics",
        "healthy": is_well,
        "ready": is_ready,
        "said": said,
    }


def _print_status(found: dict[str, Any]) -> None:
    """Lines, not a table: a connection string is to be copied whole, however narrow the terminal."""
    for one in found["services"]:
        state_text = "answers" if one["answers"] else ("is not running" if one["address"] is None else "does NOT answer")
        whose = "livetally's own" if one["ours"] else "yours, by the settings"
        print(f"{one['service']:9} {state_text} ({whose}){'  ' + one['address'] if one['address'] else ''}")
    for name, pid in found["processes"].items():
        print(f"{'process':9} {name} ({pid})")
    for one in found["stages"]:
        print(f"{'stage':9} {one['stage']} ({one['pid']}): {one['said']}  {one['metrics']}")
    if "counts" in found:
        print("counts    " + " · ".join(f"{name} {count:,}" for name, count in found["counts"].items()))
    print(f"data      {found['data_dir']}")
