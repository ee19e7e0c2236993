"""`bench show`, as small as it can be: every figure is there, and every viewer was shown what had been announced."""

from typing import Any

import pytest

from benching import benched

VIEWERS, RATE = 3, 100
SIZES = f"--viewers={VIEWERS} --rate={RATE} --seconds=12 --first-views=1".split()


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return benched("show", SIZES, tmp_path_factory.mktemp("bench"))


def test_every_promised_figure_is_a_number(result: Any) -> None:
    promised = ("p50_s", "p95_s", "p99_s", "first_view_s", "server_alone_bytes", "bytes_per_refresh")
    assert {name: result[name] for name in promised if not (isinstance(result[name], int | float) and result[name] > 0)} == {}
    assert isinstance(result["memory_per_viewer_bytes"], int)
    assert (result["viewers"], result["ballots_per_s"]) == (VIEWERS, RATE)


def test_every_viewer_was_shown_what_had_been_announced(result: Any) -> None:
    assert (result["ok"], result["faults"]) == (True, [])
    assert result["announcements"] > 0


def test_each_page_was_opened_for_the_first_time(result: Any) -> None:
    assert list(result["first_views"]) == ["Results", "Places", "People", "Over time", "Trust"]
    assert {page: one for page, one in result["first_views"].items() if not 0 < one["first_view_s"] <= result["first_view_s"]} == {}
    assert {one["views"] for one in result["first_views"].values()} == {1}


def test_whether_memory_grows_takes_longer_to_say(result: Any) -> None:
    assert isinstance(result["memory_growth_bytes_per_minute"], int)
    assert result["not_measured"] == ["memory_growth_bytes_per_minute"]


def test_a_browser_and_plain_sessions_were_measured(result: Any) -> None:
    assert result["browser"]["p95_s"] > 0
    assert result["sessions"]["p95_s"] > 0


def test_nobody_waits_for_much_longer_than_a_refresh(result: Any) -> None:
    """On a machine that does other things besides, so not the goal itself."""
    assert result["browser"]["p50_s"] < 2 * result["refresh_s"]
    assert result["sessions"]["p50_s"] < 2 * result["refresh_s"]
