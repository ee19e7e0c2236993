"""How often somebody may try to sign in. Nobody is to guess a password, and nobody to keep somebody else from signing in by guessing."""

import time
from collections.abc import Callable

from livetally.web.limits import Buckets

SHARE_OF_ONE_ADDRESS = 0.5  # of what a name takes: the other half is left to whoever the name belongs to


class Logins:
    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        shared = per_minute * SHARE_OF_ONE_ADDRESS
        self._of_address = Buckets(per_minute / 60.0, per_minute, clock)
        self._of_name_from_address = Buckets(shared / 60.0, shared, clock)
        self._of_name = Buckets(per_minute / 60.0, per_minute, clock)

    def wait_s(self, address: str, name: str) -> float:
        """Take one attempt; 0 if there was one, else how long until there is. Whoever is refused as an address takes nothing from the name."""
        user = name.casefold()
        return self._of_address.wait_s(address) or self._of_name_from_address.wait_s((address, user)) or self._of_name.wait_s(user)
