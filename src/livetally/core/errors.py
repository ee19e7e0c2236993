"""What can go wrong in a way that a person can mend.

Every message says what happened, with which value, and what to do next. The command line
prints it without a stack trace and exits with the code of the class: 1 where trying again may
help, 2 where it would be refused again until a person has changed something.
"""

REFUSED = 2


class LivetallyError(Exception):
    """A failure that a person can understand and mend."""

    exit_code = 1


class UsageError(LivetallyError):
    """The command line or a setting asks for something that cannot be done."""

    exit_code = REFUSED


class SetupError(LivetallyError):
    """Something that livetally brings along could not be downloaded, unpacked or checked."""


class DataDirError(LivetallyError):
    """The data directory is in use, damaged, or belongs to another version."""

    exit_code = REFUSED


class ServiceError(LivetallyError):
    """Kafka, PostgreSQL or Spark did not start, did not answer, or stopped for good."""


class ElectionError(LivetallyError):
    """The elections, candidates or voters in the database do not allow what was asked."""

    exit_code = REFUSED


class NotYetError(LivetallyError):
    """What was asked waits for something that is still under way; asking again later may help."""


class SourceError(LivetallyError):
    """A source of people (a file, an API) failed or answered with something else."""


class DeliveryError(LivetallyError):
    """Kafka did not acknowledge a message."""


class LedgerError(LivetallyError):
    """Ledger, ballots and topics do not belong together; going on would count wrongly."""

    exit_code = REFUSED


class TopicError(LivetallyError):
    """A topic that exists already cannot be used as it is."""

    exit_code = REFUSED


class AuditError(LivetallyError):
    """The audit could not be carried out (that it found differences is a result, not an error)."""
