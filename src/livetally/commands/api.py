"""`livetally api`: the application, and what it is made of."""

import argparse
import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from livetally.adapters.acts import Actor
from livetally.adapters.postgres import Connection
from livetally.commands.backing import Backing, services_of
from livetally.commands.exposure import check_api
from livetally.commands.output import start_stage_log
from livetally.commands.stage import run_watched
from livetally.core.elections import Election
from livetally.core.errors import LivetallyError, ServiceError
from livetally.settings import read_settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from livetally.web.meter import Meter
    from livetally.web.organising import Listed, Organising

TICK_S = 0.2

log = logging.getLogger(__name__)


def api(_arguments: argparse.Namespace) -> int:
    """One process: listeners of results share its reader, and requests that come together share a question to PostgreSQL."""
    start_stage_log("api")
    from livetally.web.meter import Meter

    settings = read_settings()
    meter = Meter()
    with services_of(settings) as backing:
        check_api(settings, backing.database_url)
        app = application(backing, meter)
        port = backing.choose_port("api", settings.api_port)
        log.info("the API is served", extra={"api": f"http://{settings.api_address}:{port}"})
        return run_watched(meter, backing, lambda stop: _serve(app, settings.api_address, port, meter, stop))


def application(backing: Backing, meter: "Meter | None" = None) -> "FastAPI":
    from livetally.web.app import make_app
    from livetally.web.parts import every_part

    kafka, database = backing.kafka_bootstrap_servers, backing.database_url
    return make_app(backing.settings, kafka, database, organising(kafka, database), every_part(), meter=meter)


def organising(bootstrap_servers: str, database_url: str) -> "Organising":
    """The acts of officials, as the command line does them."""
    from livetally.adapters.kafka import Announcer
    from livetally.audit.walk import audit
    from livetally.register import organise
    from livetally.register.certify import certify
    from livetally.register.draft import faults_of
    from livetally.web.organising import Organising

    def open_election(connection: Connection, actor: Actor, election_id: str) -> Election:
        return organise.open_election(connection, Announcer(bootstrap_servers), actor, election_id)

    def certify_election(connection: Connection, actor: Actor, election_id: str, within_s: float) -> Election:
        return certify(connection, bootstrap_servers, actor, election_id, lambda: audit(bootstrap_servers, database_url), within_s)

    def faults(election: Election, now: datetime) -> Mapping[str, str]:
        return faults_of(election, now)

    return Organising(
        faults_of=faults,
        create=organise.create,
        listed=listed,
        list_candidates=organise.list_candidates,
        open=open_election,
        close=organise.close_election,
        publish=organise.publish,
        certify=certify_election,
        audit=lambda: audit(bootstrap_servers, database_url),
    )


def listed(election_id: str, rows: Sequence[Mapping[str, str]]) -> "Listed":
    """As the same rows in a file would be: written as one, and read as that is read, so that there is one place which decides."""
    import csv
    import io

    from livetally.register.candidate_file import COLUMNS, read_candidates
    from livetally.register.pictures import portrait_of
    from livetally.web.organising import Listed

    text = io.StringIO()
    writer = csv.DictWriter(text, [*COLUMNS], quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    place_of_line = {1: "candidates"}
    for number, row in enumerate(rows):
        place_of_line[text.getvalue().count("\n") + 1] = f"candidates.{number}"
        writer.writerow(row)
    candidates, faults = read_candidates(text.getvalue().encode(errors="replace"), election_id, lambda uri: portrait_of(uri, None))
    return Listed(candidates, {place_of_line.get(one.line, "candidates"): one.what for one in faults})


def _serve(app: "FastAPI", address: str, port: int, meter: "Meter", stop: threading.Event) -> str:
    from livetally.web.connections import allow_files
    from livetally.web.server import Server, config_of

    allow_files()
    server = Server(app, config_of(app, address, port))
    serving = threading.Thread(target=server.run, name="uvicorn", daemon=True)
    serving.start()
    while serving.is_alive() and not stop.wait(TICK_S):
        if server.started:
            meter.ready()
            meter.alive()
    server.should_exit = True
    serving.join()
    if not stop.is_set():
        fault: LivetallyError | None = getattr(app.state, "fault", None)
        raise fault or ServiceError(f"The API has ended by itself; is something else listening on {address}:{port}? Its log says more.")
    return "stopped; what was acknowledged is kept"
