"""The roles in PostgreSQL that stages work under. What each may do is in the migrations, and as a table in docs/rights.md."""

from enum import StrEnum


class Rights(StrEnum):
    """Whoever connects names one: it is what they may do from then on, whoever they have logged in as."""

    REGISTER = "livetally_register"
    CAST = "livetally_cast"
    RECORD = "livetally_record"
    TALLY = "livetally_tally"
    SHOW = "livetally_show"
    API = "livetally_api"
    ORGANISE = "livetally_organise"  # the commands of those who hold elections
    LOOK = "livetally_look"  # commands that change nothing: results, audit, status, sql, …
