"""What stands on every page: what it says when it cannot start, when there is no election, and at its end."""

from livetally.core.elections import Election
from livetally.show.words import said

NO_ADDRESSES = (
    "This page has not been told where Kafka and PostgreSQL are. `./livetally run` and `./livetally dashboard` tell it. "
    "To start it yourself, set LIVETALLY_KAFKA_BOOTSTRAP_SERVERS and LIVETALLY_DATABASE_URL."
)
NO_ELECTION = '<header class="lt-masthead"><div class="lt-kicker">Election results, counted live</div><h1>No election yet</h1></header>'


def cannot_start(why: str) -> str:
    return f'<section class="lt-waiting" data-testid="cannot-start"><h2>This page cannot start</h2><p class="lt-lines">{said(why)}</p></section>'


def footer(election: Election | None) -> str:
    simulated = "<b>This election is a simulation: its voters and their votes are made up.</b> " if election and election.simulated else ""
    return (
        f'<footer class="lt-footer">{simulated}Every ballot is decided once, in the order in which the broker received it; '
        "these are the votes that have been accepted and tallied so far.</footer>"
    )
