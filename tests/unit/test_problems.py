"""What is said over HTTP about faults of the services behind it."""

import pytest
from fastapi import FastAPI

from livetally.core.errors import DeliveryError, LivetallyError, ServiceError
from livetally.web.problems import RETRY_AFTER_S, explain, problem_of

SCOPE = {"type": "http", "path": "/elections/board/open", "method": "POST", "headers": []}


@pytest.mark.parametrize("fault", [ServiceError("PostgreSQL at db/voting"), DeliveryError("Kafka did not take 2 message(s) (topic t)")])
def test_a_service_that_is_away_will_be_back(fault: LivetallyError) -> None:
    app = FastAPI()
    explain(app)
    assert type(fault) in app.exception_handlers
    problem = problem_of(fault, SCOPE)
    assert (problem.status, problem.kind) == (503, "service-away")
    assert problem.headers["Retry-After"] == str(RETRY_AFTER_S)
    assert str(fault) not in problem.detail
