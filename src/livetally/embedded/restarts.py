"""When a process that died may start again. Pure: the time comes in as an argument."""

from dataclasses import dataclass

FIRST_DELAY_S = 1.0  # doubled after each failure
DELAY_MAX_S = 30.0
FAILURES_MAX = 5  # one more ends the run: what five restarts did not mend, a sixth will not
FORGIVEN_AFTER_S = 60.0  # of life: what failed before then has nothing to do with what fails now


@dataclass
class Restarts:
    failures: int = 0

    def after_failure(self, lived_s: float) -> float | None:
        """Seconds to wait before the next start, or None when it has failed too often."""
        if lived_s >= FORGIVEN_AFTER_S:
            self.failures = 0
        self.failures += 1
        if self.failures > FAILURES_MAX:
            return None
        return min(FIRST_DELAY_S * 2.0 ** (self.failures - 1), DELAY_MAX_S)
