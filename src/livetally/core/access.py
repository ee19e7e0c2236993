"""Who may do what: four roles, each of which may what the one before may."""

from enum import IntEnum


class Role(IntEnum):
    VIEWER = 0
    OBSERVER = 1
    OFFICIAL = 2
    ADMIN = 3
