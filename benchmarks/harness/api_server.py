"""The API as a process of its own; with `--bare` its Kafka part is taken out, and nothing else: every ballot is acknowledged at once.

    python -m harness.api_server PORT [--bare]

It says a line on standard output when it answers.
"""

import argparse
import itertools
import time

from livetally.adapters.ballot_sender import Sender, Sent, Tell
from livetally.commands.api import organising
from livetally.settings import read_settings
from livetally.web.app import make_app
from livetally.web.connections import allow_files
from livetally.web.parts import every_part
from livetally.web.server import Server, config_of

BARE_PARTITION = 1_000_000  # where no ballot lies


class NoKafka:
    """In place of `adapters.ballot_sender.Sender`: nothing is sent, and all of it has arrived."""

    def __init__(self, _bootstrap_servers: str, _wait_ms: int, tell: Tell) -> None:
        self._tell = tell
        self._offsets = itertools.count(time.time_ns())  # no ballot has the place of another, in a later run either
        self.is_away = False

    def send(self, receipt: str, _key: bytes, _value: bytes) -> bool:
        self._tell([Sent(receipt, (BARE_PARTITION, next(self._offsets)))])
        return True

    def close(self) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--bare", action="store_true")
    options = parser.parse_args()
    settings = read_settings()
    assert settings.kafka_bootstrap_servers is not None
    assert settings.database_url is not None
    kafka, database = settings.kafka_bootstrap_servers, settings.database_url.get_secret_value()
    app = make_app(settings, kafka, database, organising(kafka, database), every_part(NoKafka if options.bare else Sender))
    allow_files()
    Server(app, config_of(app, "127.0.0.1", options.port)).run()


if __name__ == "__main__":
    main()
