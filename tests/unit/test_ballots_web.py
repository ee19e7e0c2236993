"""What can be said about ballots over HTTP without any service: visits, forms, requests, receipts, hours."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetally.adapters.receipts import Hours
from livetally.core.ballots import Reason
from livetally.core.codes import grouped, written
from livetally.core.following import Accepted, Found, Link, Pending, Place, Refused, follow
from livetally.web.ballots.answers import NotNow, Refusal
from livetally.web.ballots.answers import Refused as Barred
from livetally.web.ballots.asking import wish
from livetally.web.ballots.lane import election_of
from livetally.web.ballots.lists import Listed
from livetally.web.ballots.saying import said
from livetally.web.booth.drawing import portrait
from livetally.web.booth.visit import LASTS_S, Seals, Visit
from livetally.web.booth.words import NOTHING_NOW, REASONS, told
from livetally.web.problems import Problem

NOW = datetime(2026, 5, 7, 12, tzinfo=UTC)
SEALS = Seals(b"k" * 32)
VISIT = Visit("n", 1_000, b"h" * 32)
JSON = {"content-type": "application/json"}
CODE = grouped(written(b"c" * 16))
HERE, THERE = Place(0, 7), Place(0, 3)
LINK, OTHER = Link(2, "ab"), Link(1, "cd")


def found(**changed: Any) -> Found:
    fields: dict[str, Any] = {
        "election_id": "e",
        "issued_at": NOW,
        "cast_again": False,
        "place": HERE,
        "vote": None,
        "reason": None,
        "vote_link": None,
        "place_link": None,
    }
    return Found(**(fields | changed))


@pytest.mark.parametrize(
    ("what", "state"),
    [
        (found(place=None), Pending(None)),
        (found(), Pending(HERE)),
        (found(vote=HERE, vote_link=LINK, place_link=LINK), Accepted(HERE, LINK)),
        (found(reason="not_open", place_link=LINK), Refused(HERE, LINK, "not_open")),
        # Somebody else has cast for this voter, past the API: this ballot does not count.
        (
            found(vote=THERE, vote_link=OTHER, reason="already_voted_other", place_link=LINK),
            Refused(HERE, LINK, "already_voted"),
        ),
        (found(vote=THERE, vote_link=OTHER, reason="already_voted_same", place_link=LINK), Refused(HERE, LINK, "already_voted")),
        # Rejected, and cast again from where it lay: the copy is this voter's too.
        (found(cast_again=True, vote=THERE, vote_link=OTHER, reason="not_open", place_link=LINK), Accepted(THERE, OTHER)),
        (found(cast_again=True, reason="not_open", place_link=LINK), Refused(HERE, LINK, "not_open")),
        # The first try, of which nobody had heard, is the one that counts.
        (found(cast_again=True, vote=THERE, vote_link=OTHER, reason="already_voted_same", place_link=LINK), Accepted(THERE, OTHER)),
        (found(cast_again=True, vote=THERE, vote_link=OTHER), Accepted(THERE, OTHER)),
        (found(place=None, vote=THERE, vote_link=OTHER), Accepted(THERE, OTHER)),
        # Another's vote, and ours not decided yet.
        (found(vote=THERE, vote_link=OTHER), Pending(HERE)),
    ],
)
def test_what_a_receipt_says(what: Found, state: object) -> None:
    assert follow(what) == state


@given(st.sampled_from(Reason))
def test_a_receipt_gives_a_reason_in_words_and_never_hints_at_the_choice(reason: Reason) -> None:
    state = follow(found(vote=THERE, vote_link=OTHER, reason=reason, place_link=LINK))
    assert isinstance(state, Refused)
    assert state.reason in REASONS
    assert not any(hint in f"{state.reason} {REASONS[state.reason]}" for hint in ("same", "other choice", "another choice", "_other"))


def test_a_visit_is_sealed_and_ends() -> None:
    sealed = SEALS.seal(VISIT)
    assert SEALS.open(sealed, 1_000 + LASTS_S - 1) == VISIT
    assert SEALS.open(sealed, 1_000 + LASTS_S) is None
    assert SEALS.open(sealed, 999) is None
    assert Seals(b"l" * 32).open(sealed, 1_000) is None
    assert (b"h" * 32).hex() not in sealed


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda raw: raw.decode("latin-1")))
def test_nobody_can_make_a_visit_up(sealed: str) -> None:
    assert SEALS.open(sealed, 1_000) is None


@given(st.integers(0, 300), st.integers(1, 255))
def test_a_visit_that_was_changed_is_none(place: int, difference: int) -> None:
    sealed = SEALS.seal(VISIT)
    place %= len(sealed) - 1  # the last letter has bits to spare
    changed = sealed[:place] + chr(ord(sealed[place]) ^ difference) + sealed[place + 1 :]
    assert SEALS.open(changed, 1_000) is None


def test_a_form_belongs_to_its_visit_and_code() -> None:
    token = SEALS.form_token(VISIT)
    assert SEALS.is_form_of(Visit("n", 5_000, b"h" * 32), token)  # a later page of the same visit
    for other in (Visit("m", 1_000, b"h" * 32), Visit("n", 1_000, b"i" * 32), Visit("n", 1_000)):
        assert not SEALS.is_form_of(other, token)
    assert not SEALS.is_form_of(VISIT, "é")


def test_orders_differ_between_voters() -> None:
    def order(voter_id: str) -> list[str]:
        return sorted("abcde", key=lambda candidate_id: SEALS.place_of("e", voter_id, candidate_id))

    assert order("v1") == order("v1")
    orders = [order(f"v{number}") for number in range(600)]
    firsts = [one[0] for one in orders]
    assert all(70 < firsts.count(candidate_id) < 180 for candidate_id in "abcde")  # 120 each, were it by lot


def test_a_request_that_is_right() -> None:
    wanted = wish(f'{{"candidate_id": "c", "code": "{CODE.lower()}", "more": 1}}'.encode(), JSON | {"idempotency-key": "k"})
    assert (wanted.candidate_id, wanted.secret, wanted.idempotency_key) == ("c", b"c" * 16, "k")


@given(st.binary(max_size=300))
def test_any_bytes_are_answered_with_the_field_at_fault(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        wish(body, JSON)
    assert refused.value.status in (400, 422)
    assert refused.value.field in ("body", "candidate_id", "code")


@pytest.mark.parametrize("answer", [Barred(Refusal.VOIDED_CODE), Barred(Refusal.WRONG_ELECTION), NotNow("away", may_be_cast=False)])
def test_who_cannot_cast_now_is_not_told_that_nothing_was_cast_before(answer: Barred | NotNow) -> None:
    assert told(answer).vote == NOTHING_NOW
    with pytest.raises(Problem) as refused:
        said(answer)
    assert "Nothing was cast by this request; a ballot that had been cast before stands." in refused.value.detail


def hours(**changed: Any) -> Hours:
    fields: dict[str, Any] = {
        "election_id": "e",
        "name": "E",
        "kind": "real",
        "status": "open",
        "detail": "full",
        "opens_at": NOW - timedelta(hours=1),
        "closes_at": NOW + timedelta(hours=1),
        "opens_planned": None,
        "closes_planned": None,
    }
    return Hours(**(fields | changed))


@pytest.mark.parametrize(
    ("one", "candidate_id", "refusal"),
    [
        (hours(), "c", None),
        (hours(closes_at=None), None, None),
        (hours(), "d", Refusal.UNKNOWN_CANDIDATE),
        (hours(election_id="f"), "c", Refusal.UNKNOWN_ELECTION),
        (hours(opens_at=None, status="draft"), "c", Refusal.NOT_OPEN),
        (hours(opens_at=NOW + timedelta(seconds=1)), "c", Refusal.NOT_OPEN),
        (hours(opens_at=NOW, closes_at=NOW), "c", Refusal.CLOSED),
    ],
)
def test_hours_and_candidates(one: Hours, candidate_id: str | None, refusal: Refusal | None) -> None:
    listed = Listed(0.0, {one.election_id: one}, {}, frozenset({("e", "c")}))
    assert listed.judge("e", candidate_id, NOW) is refusal


@pytest.mark.parametrize(
    ("photo_url", "is_shown"),
    [
        ("data:image/png;base64,AAAA", True),
        ("data:image/svg+xml;base64,PHN2Zy8+", True),
        ("https://example.org/one.png", False),
        ("data:text/html;base64,AAAA", False),
        ("data:image/png;base64,AA AA", False),
        ("data:,", False),
        ("", False),
    ],
)
def test_only_pictures_that_lie_in_the_list_are_shown(photo_url: str, *, is_shown: bool) -> None:
    assert portrait(photo_url) == (photo_url if is_shown else None)


@pytest.mark.parametrize(
    ("path", "election_id"),
    [
        ("/elections/may/ballots", "may"),
        ("/elections/müller 7/ballots", "müller 7"),
        ("/elections//ballots", None),
        ("/elections/a/b/ballots", None),
        ("/elections/may/ballots/", None),
        ("/elections/may", None),
        ("/ballots", None),
        ("/elections/ballots", None),
    ],
)
def test_the_short_way_is_for_ballots_alone(path: str, election_id: str | None) -> None:
    assert election_of(path) == election_id
