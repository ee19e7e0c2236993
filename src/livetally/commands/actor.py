"""Who calls a command: the system's user. Whoever has the machine has the election, and leaves a trace at least."""

import os
import pwd

from livetally.adapters.acts import COMMAND_LINE, Actor


def actor() -> Actor:
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user without an entry, as in some containers
        name = f"uid {os.getuid()}"
    return Actor(name, COMMAND_LINE)
