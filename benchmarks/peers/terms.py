"""What the peers are told, and how they answer: JSON lines on standard output."""

import argparse
import json
from dataclasses import dataclass
from typing import Any

import psycopg

from livetally.settings import read_settings

FIRST_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Terms:
    kafka: str
    database_url: str
    seconds: float
    first_within_s: float = FIRST_WITHIN_S


def read_terms() -> Terms:
    """Addresses come from the settings, as for every stage; how long to go on from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, required=True)
    settings = read_settings()
    assert settings.kafka_bootstrap_servers is not None
    assert settings.database_url is not None
    return Terms(settings.kafka_bootstrap_servers, settings.database_url.get_secret_value(), parser.parse_args().seconds)


def candidates_of(connection: "psycopg.Connection[Any]") -> dict[str, dict[str, Any]]:
    """What a vote says about its candidate, read once."""
    rows = connection.execute(
        "SELECT candidate_id, candidate_name, party_affiliation, biography, campaign_platform, photo_url FROM candidates"
    )
    names = [column.name for column in rows.description or ()]
    return {row[0]: dict(zip(names, row, strict=True)) for row in rows}


def begun() -> None:
    """The clock runs."""
    print(json.dumps({"begun": True}), flush=True)


def done(ballots: int, accepted: int, seconds: float) -> None:
    print(json.dumps({"ballots": ballots, "accepted": accepted, "seconds": seconds}), flush=True)
