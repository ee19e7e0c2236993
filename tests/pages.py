"""Pages as Streamlit runs them, drawn from snapshots: no browser, no service."""

import html
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from streamlit.testing.v1 import AppTest

from livetally.core.access import Person, Role
from livetally.core.elections import Election
from livetally.show.past import Ahead, Answer, Series, Then
from livetally.show.result import Facts, Group, Result, Snapshot, Standing, by_votes, lead_of, ranked

NOW = datetime(2026, 5, 4, 21, 0, 10, tzinfo=UTC)
SVG = "data:image/svg+xml;base64,PHN2Zy8+"
ADMIN = Person("admin", Role.ADMIN)
TITLES = ("Results", "Places", "People", "Over time", "Trust")
HOSTILE = [  # text from people that wants to be more than text
    "<script>alert(1)</script>",
    "**bold** _it_ `code` # head",
    "$x^2$ :red[x] :material/home: ![p](http://example.org/x)",
    "مرحبا \u202eback",
    "Very long name " * 40,
    "\"><img src=x onerror='alert(1)'>&amp;",
    "",
]


@dataclass
class Told:
    """Answers every question with what it was told; what it was not told is on its way."""

    votes: Answer[Series] = field(default_factory=Answer)
    then: Mapping[datetime, Then] = field(default_factory=dict)
    leaders: Mapping[str, Ahead] = field(default_factory=dict)
    own: Mapping[tuple[str, str], Result] = field(default_factory=dict)

    def series(self, _election_id: str, _place: str = "") -> Answer[Series]:
        return self.votes

    def at(self, _election_id: str, moment: datetime) -> Answer[Then]:
        return Answer(self.then.get(moment), NOW)

    def ahead(self, _election_id: str) -> Answer[Mapping[str, Ahead]]:
        return Answer(self.leaders, NOW)

    def place(self, _election_id: str, county: str, city: str = "") -> Answer[Result]:
        return Answer(self.own.get((county, city)), NOW)


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


def whole(votes: dict[str, int]) -> Result:
    """With everything in it that a page can show. Kent and Fife share the votes, so do young and old, women and men; Ada and Cy are of one party."""
    parties = {name: "Hedge" if name == "Bo" else "Tide" for name in votes}
    total = sum(votes.values())
    half = total // 2
    in_parties: Counter[str] = Counter()
    for name, count in votes.items():
        in_parties[parties[name]] += count
    shown = result(votes, parties=parties)
    return replace(
        shown,
        places=by_votes((Group("Kent", total - half, 900), Group("Fife", half, 900))),
        cities=by_votes(
            (
                Group("Dover", total - half, 500, within="Kent"),
                Group("Deal", 0, 400, within="Kent"),
                Group("Leven", half, 900, within="Fife"),
            )
        ),
        parties=by_votes(Group(name, count) for name, count in in_parties.items()),
        ages=(Group("18-24", half, 900), Group("65+", total - half, 900)),
        genders=(Group("female", total - half, 900), Group("male", half, 900)),
    )


ENDS = tuple(NOW.replace(second=0) - timedelta(minutes=2 - number) for number in range(3))


def told_of(shown: Result) -> Told:
    """Everything that a page asks, answered as it follows from the result: all of Kent for the first candidate, all of Fife for the last one."""
    series = Series(ENDS, {one.candidate_id: (one.votes // 4, one.votes // 2, one.votes) for one in shown.candidates})
    at_half = [replace(one, votes=one.votes // 2) for one in shown.candidates]
    before = replace(shown, total_votes=sum(one.votes for one in at_half), candidates=ranked(at_half), lead=lead_of(ranked(at_half)))
    if not shown.candidates or not shown.total_votes:
        return Told(Answer(series, NOW))
    first, last = shown.candidates[0], shown.candidates[-1]
    ahead = {
        place.name: Ahead((one.candidate_id,), place.votes, place.votes) for place, one in zip(shown.places, (first, last), strict=False)
    }
    if first.votes == last.votes and first is not last:
        ahead = {place.name: Ahead((first.candidate_id, last.candidate_id), place.votes // 2) for place in shown.places}
    kent = replace(
        shown,
        places=tuple(one for one in shown.places if one.name == "Kent"),
        cities=tuple(one for one in shown.cities if one.within == "Kent"),
    )
    return Told(Answer(series, NOW), {end: Then(end, before, ahead) for end in ENDS}, ahead, {("Kent", ""): kent})


def script(shown: dict) -> None:  # type: ignore[type-arg] # AppTest runs this text without the imports above
    from livetally.show.live import PAGES, draw
    from livetally.show.sources import sources_for

    page = next(page for page in PAGES if page.title == shown["page"])
    draw(sources_for(lambda: shown["snapshot"], shown["asking"], lambda: shown["now"], lambda: shown["person"]), page)


def page(
    shown: Snapshot | dict[str, Any],
    title: str = "Results",
    asking: Told | None = None,
    address: Mapping[str, str] | None = None,
    **parameters: str,
) -> AppTest:
    """The page with this title, drawn once. A dictionary can be changed afterwards, and drawn again."""
    box: dict[str, Any] = shown if isinstance(shown, dict) else {"snapshot": shown}
    for name, value in {"now": NOW, "asking": asking or Told(), "page": title, "person": ADMIN}.items():
        box.setdefault(name, value)
    test = AppTest.from_function(script, args=(box,), default_timeout=20)
    for name, value in {**(address or {}), **parameters}.items():
        test.query_params[name] = value
    test.run()
    assert not test.exception, test.exception
    return test


def markup(test: AppTest) -> str:
    return "\n".join(one.proto.body for one in test.get("html"))


def text(fragment: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", fragment))


def marked(test: AppTest, testid: str) -> list[str]:
    """Texts of the elements with this data-testid, tags taken away."""
    found = re.findall(rf"<(\w+)[^>]*data-testid=[\"']{testid}[\"'][^>]*>(.*?)</\1>", markup(test), re.DOTALL)
    return [text(inner) for _, inner in found]


def valued(test: AppTest, testid: str, attribute: str = "value") -> list[str]:
    """The plain values that programs read."""
    tags = re.findall(rf"<[^>]*data-testid=[\"']{testid}[\"'][^>]*>", markup(test))
    return [found.group(1) for tag in tags if (found := re.search(rf'data-{attribute}="([^"]*)"', tag))]
