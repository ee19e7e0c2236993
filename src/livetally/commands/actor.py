"""Who calls a command: the system's user. Whoever has the machine has the election, and leaves a trace at least."""

import os
import pwd
from contextlib import closing

from livetally.adapters.acts import COMMAND_LINE, Actor, Acts
from livetally.adapters.postgres import connect, explained
from livetally.adapters.rights import Rights


def actor() -> Actor:
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user without an entry, as in some containers
        name = f"uid {os.getuid()}"
    return Actor(name, COMMAND_LINE)


def note_act(database_url: str, what: str, subject: str = "", **detail: object) -> None:
    """Write down what is about to be done under the rights of a stage: stages themselves write no acts, organisers do."""
    who = actor()
    with closing(connect(database_url, "act", Rights.ORGANISE)) as connection, explained(database_url):
        Acts(connection).note(who.who, what, subject, None, detail, who.came_from)
