"""An order is carried out when its point is reached for the nth time, and stands in the diary before that."""

import json
from pathlib import Path

import pytest

from livetally.tally.points import Point
from recovery.counter import Act, Order, Orders


class Done(Exception):  # noqa: N818 (no error)
    """Stands for what cannot be done to the test's own process."""


def test_an_order_can_be_written_and_read() -> None:
    order = Order(Point.AFTER_STORE_COMMIT, 3, Act.KILL_ALL)
    assert Order.read(order.line()) == order


def test_at_its_point_and_at_no_other_for_the_nth_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    diary = tmp_path / "diary"
    orders = Orders(diary)
    order = Order(Point.BEFORE_COLLECT, 2, Act.WAIT)
    orders.take(order.line())

    def carry_out(_act: Act) -> None:
        assert [json.loads(line)[0] for line in diary.read_text().splitlines()] == [order.line()]
        raise Done

    monkeypatch.setattr(orders, "_carry_out", carry_out)
    orders.reached(Point.BEFORE_COLLECT)
    orders.reached(Point.AFTER_COLLECT)
    assert diary.read_text() == ""
    with pytest.raises(Done):
        orders.reached(Point.BEFORE_COLLECT)
    orders.reached(Point.BEFORE_COLLECT)  # once
