"""Whether something of ours may be reached from other machines. Pure; what is missing is named together."""

import ipaddress

from livetally.core.errors import UsageError

DEFAULT_PASSWORD = "postgres"  # noqa: S105 (the reference's, which everybody knows)


def check_exposure(what: str, address: str, *, is_behind_tls: bool, database_password: str | None, has_admin: bool | None) -> None:
    """Raises UsageError if it would listen beyond loopback while that is not safe. `has_admin` is None where nobody signs in."""
    if is_loopback(address):
        return
    missing = []
    if not is_behind_tls:
        missing.append(
            "passwords, sessions and voting codes would cross the network in the clear: put a proxy with TLS in front of it, "
            "and say so with LIVETALLY_API_BEHIND_TLS=true; so too in a container whose port is published on loopback alone"
        )
    if database_password == DEFAULT_PASSWORD:
        missing.append(
            "PostgreSQL has the password that everybody knows: change it (ALTER USER), and give it to livetally "
            "(LIVETALLY_POSTGRES_PASSWORD before the first start, or LIVETALLY_DATABASE_URL)"
        )
    if has_admin is False:
        missing.append("nobody could disable anybody: `./livetally user add NAME --role admin` adds the first admin")
    if missing:
        raise UsageError(
            "\n  ".join([f"{what} does not listen on {address}, which others can reach, as long as:", *missing])
            + "\nOn 127.0.0.1, its default, nothing of this is needed."
        )


def is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
