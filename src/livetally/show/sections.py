"""What stands on every page: what it says when it cannot start, when there is no election, and at its end."""

from livetally.core.elections import Election
from livetally.show import header
from livetally.show.scene import Moment, Scene
from livetally.show.words import said

NO_ADDRESSES = (
    "This page has not been told where Kafka and PostgreSQL are. `./livetally run` and `./livetally dashboard` tell it. "
    "To start it yourself, set LIVETALLY_KAFKA_BOOTSTRAP_SERVERS and LIVETALLY_DATABASE_URL."
)


def no_election(moment: Moment, every_s: int) -> str:
    """The head of a page while there is no election. The browser notices here, too, when no refresh comes any more."""
    return (
        f'<header class="lt-masthead" {header.refreshed(moment, every_s)}><div class="lt-kicker">Election results, counted live</div>'
        f"<h1>No election yet</h1>{header.LOST}</header>"
    )


def cannot_start(why: str) -> str:
    return f'<section class="lt-waiting" data-testid="cannot-start"><h2>This page cannot start</h2><p class="lt-lines">{said(why)}</p></section>'


def sealed(scene: Scene) -> str:
    """Why there are no candidates' numbers, or none at all, and when there will be."""
    election = scene.election
    if election is None or election.status == "draft":
        title, why = "This election is not public yet", "Its officials are still preparing it."
    elif election.visible == "officials":
        title, why = "The result is not public yet", "It is shown here when the officials of this election publish it."
    else:
        title = "For whom is not shown yet"
        why = "While this election is open, this page says how many have voted, and not for whom. The result is shown when it has closed."
    return f'<section class="lt-waiting lt-sealed" data-testid="sealed"><h2>{title}</h2><p>{why}</p></section>'


def footer(election: Election | None) -> str:
    simulated = "<b>This election is a simulation: its voters and their votes are made up.</b> " if election and election.simulated else ""
    return (
        f'<footer class="lt-footer">{simulated}Every ballot is decided once, in the order in which the broker received it; '
        "these are the votes that have been accepted and tallied so far.</footer>"
    )
