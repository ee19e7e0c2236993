from fastapi import APIRouter

from livetally.web.ballots.stand import GetStand


def booth_routes(stand_of: GetStand) -> APIRouter:
    return APIRouter()
