"""The page as Streamlit runs it, drawn from snapshots: no browser, no service."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from livetally.core.elections import Election
from livetally.settings import Settings
from livetally.show import dashboard
from livetally.show.charts import candidate_colours
from livetally.show.result import Facts, Group, Result, Snapshot, Standing, Trouble, Unreadable, lead_of, ranked
from livetally.show.sheet import arrange, group_columns
from livetally.show.words import length, percent, portrait, said

NOW = datetime(2026, 5, 4, 21, 0, 10, tzinfo=UTC)
SVG = "data:image/svg+xml;base64,PHN2Zy8+"
HOSTILE = [
    "<script>alert(1)</script>",
    "**bold** _it_ `code` # head",
    "$x^2$ :red[x] :material/home: ![p](http://example.org/x)",
    "مرحبا \u202eback",
    "\"><img src=x onerror='alert(1)'>&amp;",
    "",
]


def election(election_id: str = "e", name: str = "May", **more: Any) -> Election:
    fields: dict[str, Any] = {"kind": "real", "status": "open", "seed": 1, "opens_at": None, "closes_at": None} | more
    return Election(election_id, name, **fields)


def result(votes: dict[str, int], election_id: str = "e", parties: dict[str, str] | None = None, photo: str = SVG, **more: Any) -> Result:
    standings = ranked(
        Standing(f"c{place}", name, (parties or {}).get(name, f"{name} party"), photo, "", "", count)
        for place, (name, count) in enumerate(votes.items())
    )
    as_of = NOW - timedelta(seconds=4)
    return Result(election_id, sum(votes.values()), standings, lead_of(standings), as_of=as_of, **more)


def snapshot(*results: Result, elections: tuple[Election, ...] | None = None, **more: Any) -> Snapshot:
    listed = (election(),) if elections is None else elections
    facts = Facts(listed, 1000, {one.election_id: len(one.candidates) for one in results})
    fields: dict[str, Any] = {"results": {one.election_id: one for one in results}, "facts": facts} | more
    return Snapshot(**fields)


def script(shown: dict) -> None:  # type: ignore[type-arg] # AppTest runs this text without the imports above
    from livetally.show.live import draw

    draw(lambda: shown["snapshot"], lambda: shown["now"])


def page(shown: Snapshot | dict[str, Any]) -> AppTest:
    box = shown if isinstance(shown, dict) else {"snapshot": shown, "now": NOW}
    test = AppTest.from_function(script, args=(box,), default_timeout=20).run()
    assert not test.exception
    return test


def markup(test: AppTest) -> str:
    return "\n".join(one.proto.body for one in test.get("html"))


def marked(test: AppTest, testid: str) -> list[str]:
    """Texts of the elements with this data-testid, tags taken away."""
    found = re.findall(rf"<(\w+)[^>]*data-testid=[\"']{testid}[\"'][^>]*>(.*?)</\1>", markup(test), re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]*>", "", inner)) for _, inner in found]


def test_three_candidates() -> None:
    test = page(snapshot(result({"Ada": 60_000, "Bo": 30_000, "Cy": 10_000})))
    assert marked(test, "total-votes") == ["100,000"]
    assert marked(test, "total-voters") == ["1,000"]
    assert marked(test, "total-candidates") == ["3"]
    assert marked(test, "leader-name") == ["Ada"]
    assert marked(test, "leader-votes") == ["60,000"]
    assert marked(test, "margin") == ["30,000 votes ahead (30.0 points)"]
    assert re.findall(r'data-votes="(\d+)" data-testid="candidate"', markup(test)) == ["60000", "30000", "10000"]
    assert marked(test, "age") == ["As of 21:00:06, 4 s old"]
    assert marked(test, "refreshed") == ["21:00:10"]
    assert marked(test, "simulation") == []
    assert marked(test, "notice") == []
    assert SVG in markup(test)


def test_a_simulation_says_so() -> None:
    test = page(snapshot(result({"Ada": 1}), elections=(election(kind="simulated"),)))
    assert marked(test, "simulation") == ["Simulation"]
    assert "This election is a simulation" in markup(test)


def test_a_tie_is_a_tie() -> None:
    test = page(snapshot(result({"Ada": 7, "Bo": 7, "Cy": 1})))
    assert "A tie between 2 candidates" in markup(test)
    assert marked(test, "leader-name") == []


def test_one_candidate() -> None:
    assert marked(page(snapshot(result({"Ada": 1}))), "margin") == ["the only candidate"]


def test_nothing_counted() -> None:
    test = page(snapshot(result({"Ada": 0, "Bo": 0})))
    assert "Everything is ready for the first vote" in marked(test, "waiting")[0]
    assert marked(test, "total-votes") == ["0"]
    assert marked(test, "leader-name") == []
    assert "Ada" in markup(test)


@pytest.mark.parametrize(
    ("shown", "says"),
    [
        (Snapshot(), "being asked which elections"),
        (snapshot(elections=()), "There is no election yet"),
        (Snapshot(None, Facts((election(),), 5, {"e": 3})), "topics with the numbers are being read"),
        (Snapshot({}, Facts((election(),), 5, {"e": 0})), "Nobody stands for this election"),
        (Snapshot({}, Facts((election(),), 0, {"e": 3})), "Nobody is registered yet"),
        (Snapshot({}, Facts((election(status="draft"),), 5, {"e": 3})), "has not been opened"),
    ],
)
def test_it_says_what_it_waits_for(shown: Snapshot, says: str) -> None:
    assert says in markup(page(shown))


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_people_never_becomes_markup(text: str) -> None:
    places = tuple(Group(f"{text}{place}", 2, 3, within=text) for place in range(12))
    shown = result({text: 3, "Bo": 2}, parties={text: text, "Bo": text}, photo=f'data:image/png,"{text}', places=places, cities=places)
    test = page(snapshot(shown, elections=(election(name=text), election("f", text)), unreadable=Unreadable(1, text)))
    assert said(text) in markup(test)
    if "<" in text:
        assert text not in markup(test)
    assert not test.markdown  # nothing that reads Markdown is given anybody's text
    assert marked(test, "election") == [text]
    assert {one.label for one in test.sidebar.selectbox} == {"Election"}


def test_portraits_come_from_nowhere_else() -> None:
    assert "<img" in portrait(SVG, "Ada", "x")
    for photo in (
        "https://example.org/a.png",
        "javascript:alert(1)",
        "data:text/html,<b>",
        'data:image/png,"\n',
        "",
        "data:image/png," + "a" * 200_000,
    ):
        assert "<img" not in portrait(photo, "Ada", "x")


def test_services_away() -> None:
    troubles = (Trouble("Kafka", NOW - timedelta(minutes=5), "Connection refused"), Trouble("PostgreSQL", NOW, "gone"))
    test = page(snapshot(result({"Ada": 3}), troubles=troubles))
    kafka, postgresql = marked(test, "notice")
    assert kafka.startswith("Kafka has not answered since 20:55:10 (5 min).")
    assert "Connection refused" in kafka
    assert postgresql.startswith("PostgreSQL has not answered since 21:00:10")
    assert marked(test, "total-votes") == ["3"]


def test_postgresql_has_never_answered() -> None:
    test = page(Snapshot({"e": result({"Ada": 3})}, None, (Trouble("PostgreSQL", NOW, "gone"),)))
    assert marked(test, "total-votes") == ["3"]
    assert marked(test, "total-voters") == ["–"]


def test_recounting() -> None:
    facts = Facts((election(),), 10, {"e": 1}, recounting="the checkpoint is lost")
    test = page(snapshot(result({"Ada": 3}), facts=facts))
    assert marked(test, "recounting") == ["Recounting"]
    assert "the checkpoint is lost" in marked(test, "notice")[0]


def test_the_newest_election_is_shown_until_somebody_chooses() -> None:
    two = (election("f", "June"), election("e", "May"))
    box = {"snapshot": snapshot(result({"Ada": 3}), result({"Bo": 4}, "f"), elections=two), "now": NOW}
    test = page(box)
    assert marked(test, "election") == ["June"]
    test.sidebar.selectbox(key="election").select("e").run()
    assert marked(test, "election") == ["May"]
    box["snapshot"] = snapshot(result({"Ada": 3}), elections=(election("g", "July"), *two))
    assert marked(test.run(), "election") == ["May"]


def test_a_newer_election_is_followed() -> None:
    box = {"snapshot": snapshot(result({"Ada": 3})), "now": NOW}
    test = page(box)
    box["snapshot"] = snapshot(result({"Ada": 3}), elections=(election("f", "June"), election()))
    assert marked(test.run(), "election") == ["June"]


def test_refresh_controls() -> None:
    test = page(snapshot(result({"Ada": 3})))
    slider = test.sidebar.slider(key="interval_s")
    assert (slider.min, slider.max, slider.value) == (5, 60, 5)
    assert not test.sidebar.button(key="refresh").click().run().exception


def test_places_are_sorted_and_paged() -> None:
    places = tuple(Group(f"Place {number:02}", number, 50 - number) for number in range(30, 0, -1))
    test = page(snapshot(result({"Ada": 465}, places=places)))

    def shown() -> list[str]:
        return re.findall(r"<bdi>(Place \d+)</bdi>", markup(test))

    assert (len(shown()), shown()[0]) == (10, "Place 30")
    test.selectbox(key="order-counties").select("Ascending").run()
    assert shown()[0] == "Place 01"
    test.selectbox(key="sort-counties").select("Registered").run()
    assert shown()[0] == "Place 30"
    test.selectbox(key="size-counties").select(25).run()
    assert len(shown()) == 25
    assert test.selectbox(key="size-counties").options == ["10", "25", "50", "100"]


def test_rows_without_a_value_come_last_in_both_directions() -> None:
    rows = (Group("a", 1), Group("b", 1, 4), Group("c", 1, 2))
    turnout = next(column for column in group_columns(result({"Ada": 3}), "County") if column.title == "Turnout")
    for descending, order in ((True, "cba"), (False, "bca")):
        sheet = arrange(rows, turnout, descending=descending, page=1, size=10)
        assert "".join(row.name for row in sheet.rows) == order
    last = arrange(rows, turnout, descending=True, page=9, size=2)
    assert (last.number, last.pages, len(last.rows)) == (2, 2, 1)


def test_two_hundred_candidates_of_a_poll_without_parties() -> None:
    names = {f"Option {number:03}": 200 - number for number in range(200)}
    shown = result(names, parties=dict.fromkeys(names, ""))
    test = page(snapshot(shown))
    assert "and 188 others" in markup(test)
    assert "no party known" not in markup(test)
    assert len(set(candidate_colours(shown).values())) > 5


def test_words() -> None:
    assert [percent(part) for part in (0, 0.0001, 0.5, 0.9999, 1)] == ["0.0%", "&lt;0.1%", "50.0%", "99.9%", "100.0%"]
    assert [length(timedelta(seconds=seconds)) for seconds in (-3, 5, 150, 8000, 400_000)] == ["0 s", "5 s", "2 min", "2 h", "4 days"]


def test_the_page_says_so_when_nobody_told_it_where_the_services_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"):
        monkeypatch.setenv(f"LIVETALLY_{name}", "")
    path = dashboard.command(Settings(), 8501, "127.0.0.1")[4]
    test = AppTest.from_file(path, default_timeout=20).run()
    assert not test.exception
    assert "has not been told where Kafka and PostgreSQL are" in markup(test)


def test_nobody_answers_where_nothing_listens() -> None:
    assert not dashboard.answers("http://127.0.0.1:9")
