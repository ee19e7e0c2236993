"""Every part of the application, in the order in which routes are tried."""

from livetally.adapters.ballot_sender import Sender
from livetally.web import account, acts, elections, officials, results, session, tokens, users, watching
from livetally.web.ballots.part import MakeSender, ballots_parts
from livetally.web.ground import Part
from livetally.web.stream import stream_part


def every_part(make_sender: MakeSender = Sender) -> list[Part]:
    return [
        *ballots_parts(make_sender),  # first: on the day itself nearly every request is theirs
        Part(session.router),
        Part(account.router),
        Part(tokens.router),
        Part(users.router),
        Part(acts.router),
        Part(elections.router),
        Part(results.router),
        stream_part(),
        Part(watching.router),
        Part(officials.router),
    ]
