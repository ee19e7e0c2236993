"""What is asked before something is served that other machines may reach. On loopback nothing is."""

from contextlib import closing

from livetally.adapters.people import People
from livetally.adapters.postgres import connect, explained
from livetally.adapters.rights import Rights
from livetally.settings import Settings
from livetally.web.exposure import check_exposure


def check_api(settings: Settings, database_url: str) -> None:
    """Raises UsageError, with all that is missing."""
    with closing(connect(database_url, "api", Rights.API)) as connection, explained(database_url):
        check_exposure(
            "The API",
            settings.api_address,
            is_behind_tls=settings.api_behind_tls,
            database_password=connection.info.password,  # the one that was used, wherever it stands
            has_admin=People(connection).has_admin(),
        )


def check_page(settings: Settings, database_url: str) -> None:
    """It accepts the session that somebody has opened at the API; nobody signs in here, so it needs no admin. Raises UsageError."""
    with closing(connect(database_url, "dashboard", Rights.SHOW)) as connection:
        check_exposure(
            "The page",
            settings.dashboard_address,
            is_behind_tls=settings.api_behind_tls,
            database_password=connection.info.password,
            has_admin=None,
        )
