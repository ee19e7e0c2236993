"""Three elections at once, for everybody, for a state and for a list from a file: who may vote where, what is told of them, how many they are.

One pipeline serves the module. Its club tells groups alone; its members are looked for with an outsider's eyes.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from electorate import CANDIDATES, ELECTION, add_election, add_voters, ballot, candidate, voter
from livetally.adapters.acts import Actor
from livetally.adapters.kafka import Announcer
from livetally.adapters.postgres import connect
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.audit.report import Report
from livetally.audit.walk import audit
from livetally.cli import main
from livetally.commands.results import read_board
from livetally.core.elections import Detail, Election, RollKind
from livetally.core.errors import DeliveryError
from livetally.core.wire import BALLOTS, BY_LOCATION, REJECTED, VOTERS, VOTES, topics
from livetally.record.rebuild import rebuild_ledger, rebuild_votes_topic
from livetally.register import organise
from livetally.register.import_roll import Report as Imported
from livetally.register.import_roll import announce_roll, import_roll
from pipeline import PARTITIONS, Pipeline, Seen, Servers, Spark, await_tallied, clean_pipeline, tally_all, tallying, wait_for
from servers import recreate

ADA = Actor("ada", "a test")
TODAY = date(2026, 5, 7)
PEOPLE = 12  # on the general register; every third of them lives in State 0
MEMBERS = ("m0", "m1", "m2", "m3")  # on the club's list alone; v1 is a member as well
SECRETS = ("Voter Number", "Member", "Hidden Lane", "High Street", "@example.org", "R-", "+44")
CLUB_FIELDS = {
    *("voter_id", "date_of_birth", "gender", "nationality", "address", "registered_age"),
    *("candidate_id", "candidate_name", "party_affiliation", "biography", "campaign_platform", "photo_url"),
    *("vote", "election_id", "voting_time"),
}


class Scene:
    def __init__(self, pipeline: Pipeline, file: Path) -> None:
        self.pipeline, self.file = pipeline, file
        add_election(pipeline.connection)
        add_voters(pipeline.connection, range(PEOPLE))
        self.draft("north", "states", states=("State 0",))
        self.draft("club", "list", detail="group")
        with file.open("w", newline="", encoding="utf-8") as lines:
            writer = csv.writer(lines, delimiter=";")
            writer.writerow(
                ["Voter-ID", "Name", "Born", "Gender", "Street", "City", "State", "Postcode", "E-Mail", "Phone", "Registration number"]
            )
            for number, member in enumerate(MEMBERS):
                home = ("Deal", "Kent", "CT14") if number else ("", "", "")
                writer.writerow(
                    (
                        member,
                        f"Member {number}",
                        "07.05.1960",
                        "female",
                        f"{number} Hidden Lane",
                        *home,
                        "m@example.org",
                        "+44 1",
                        f"R-{number}",
                    )
                )
            writer.writerow(("v1", voter(1).voter_name, *[""] * 9))

    def draft(self, election_id: str, roll: RollKind, detail: Detail = "full", states: tuple[str, ...] = ()) -> None:
        election = Election(election_id, election_id, "real", "draft", 1, None, None, "live", detail, roll, states)
        organise.create(self.pipeline.connection, ADA, election)
        organise.list_candidates(
            self.pipeline.connection, ADA, election_id, [candidate(f"{election_id}-{one}", election_id) for one in CANDIDATES]
        )

    def bring(self) -> Imported:
        return import_roll(self.pipeline.connection, "club", self.file, TODAY, ADA)

    def announce(self, announcer: Announcer) -> int:
        with closing(connect(self.pipeline.database_url, "reading", Rights.LOOK, bounded=False)) as reading:
            return announce_roll(self.pipeline.connection, reading, announcer, "club", lambda _: None)

    def open(self, election_id: str) -> None:
        organise.open_election(self.pipeline.connection, Announcer(self.pipeline.kafka), ADA, election_id)

    def cast(self, election_id: str, *voter_ids: str, choice: str = "c0") -> None:
        candidate_id = choice if election_id == ELECTION else f"{election_id}-{choice}"
        self.pipeline.send(
            BALLOTS,
            [(one.encode(), ballot(one, candidate_id, election_id), int(one[1:]) % PARTITIONS, {}) for one in voter_ids],
        )

    def outcomes(self, election_id: str) -> dict[str, str]:
        """What became of each voter's ballots in an election."""
        return dict(
            self.pipeline.sql(
                "SELECT voter_id, string_agg(outcome, ' ' ORDER BY outcome) FROM (SELECT voter_id, election_id, 'accepted' AS outcome FROM votes "
                "UNION ALL SELECT voter_id, election_id, reason FROM rejections) AS o WHERE election_id = %s GROUP BY voter_id",
                (election_id,),
            )
        )

    def votes(self, election_id: str) -> list[Seen]:
        return [one for one in self.pipeline.read(VOTES) if one.fields["election_id"] == election_id]

    def audit(self) -> Report:
        return audit(self.pipeline.kafka, self.pipeline.database_url)


class Breaking(Announcer):
    """Kafka goes away after some messages."""

    left = 2

    def send(self, topic: str, key: bytes, value: bytes) -> None:
        if not self.left:
            raise DeliveryError("gone")
        self.left -= 1
        super().send(topic, key, value)


@pytest.fixture(scope="module")
def scene(servers: Servers, spark: Spark, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    directory = tmp_path_factory.mktemp("rolls")
    with clean_pipeline(servers, directory) as pipeline:
        scene = Scene(pipeline, directory / "members.csv")
        assert scene.bring().counts == {"rows": 5, "new": 4, "known": 1, "listed": 0, "faults": 0}
        breaking = Breaking(pipeline.kafka)
        with pytest.raises(DeliveryError, match="gone"):
            scene.announce(breaking)
        breaking.flush()
        assert scene.bring().counts == {"rows": 5, "new": 0, "known": 0, "listed": 5, "faults": 0}
        assert scene.announce(Announcer(pipeline.kafka)) == 4
        assert scene.announce(Announcer(pipeline.kafka)) == 0
        for election_id in ("north", "club"):
            scene.open(election_id)
        everybody = [f"v{number}" for number in range(PEOPLE)]
        scene.cast(ELECTION, *everybody[:9], "m0")
        scene.cast("north", *everybody[:6], "m0")
        scene.cast("club", *MEMBERS[:3], "v0", "v1", "m7")
        scene.cast("club", "m0", choice="c1")
        pipeline.record_all()
        tally_all(pipeline, spark)
        yield scene


def test_each_votes_where_they_are_on_the_roll(scene: Scene) -> None:
    assert scene.outcomes(ELECTION) == {**{f"v{number}": "accepted" for number in range(9)}, "m0": "unknown_voter"}
    assert scene.outcomes("north") == {
        **{f"v{number}": "accepted" if number % 3 == 0 else "unknown_voter" for number in range(6)},
        "m0": "unknown_voter",
    }
    assert scene.outcomes("club") == {
        "m0": "accepted already_voted_other",
        "m1": "accepted",
        "m2": "accepted",
        "v0": "unknown_voter",
        "v1": "accepted",
        "m7": "unknown_voter",
    }


def test_those_of_a_list_are_announced_with_its_name(scene: Scene) -> None:
    announced = {one.fields["voter_id"]: one.fields for one in scene.pipeline.read(VOTERS)}
    assert {voter_id: fields["roll"] for voter_id, fields in announced.items()} == dict.fromkeys(MEMBERS, "club"), "v1 was announced before"
    assert announced["m1"]["voter_name"] == "Member 1"
    assert announced["m1"]["address"] == {"street": "1 Hidden Lane", "city": "Deal", "state": "Kent", "country": "", "postcode": "CT14"}


def tells_groups_alone(messages: list[Seen]) -> None:
    assert len(messages) == 4
    for message in messages:
        assert message.fields.keys() == CLUB_FIELDS
        assert message.fields["address"].keys() == {"city", "state", "country", "postcode"}
        for secret in SECRETS:
            assert secret.encode() not in (message.value or b""), secret
            assert all(secret.encode() not in value for value in message.headers.values())


def test_a_vote_in_the_club_names_nobody(scene: Scene) -> None:
    tells_groups_alone(scene.votes("club"))
    for election_id, count in ((ELECTION, 9), ("north", 2)):
        full = scene.votes(election_id)
        assert len(full) == count
        assert all(one.fields["voter_name"].startswith("Voter Number") for one in full)


def test_registered_and_turnout_follow_each_roll(scene: Scene) -> None:
    sums = {
        (election_id, view): voters
        for election_id, view, voters in scene.pipeline.sql(
            "SELECT election_id, view, sum(voters)::bigint FROM registered_groups GROUP BY election_id, view"
        )
    }
    sizes = {ELECTION: PEOPLE, "north": PEOPLE // 3, "club": 5}
    assert sums == {(election_id, view): size for election_id, size in sizes.items() for view in ("state", "region", "gender", "age")}
    assert scene.pipeline.sql("SELECT state, votes, registered FROM turnout_by_state WHERE election_id = 'club' ORDER BY state") == [
        ("Kent", 2, 3),
        ("State 1", 1, 1),
        ("unknown", 1, 1),
    ]
    ages = scene.pipeline.sql("SELECT age_group, votes, registered FROM turnout_by_age WHERE election_id = 'club' AND votes > 0 ORDER BY 1")
    assert sum(registered for _, _, registered in ages) >= sum(votes for _, votes, _ in ages) == 4
    for election_id, size in sizes.items():
        assert read_board(scene.pipeline.database_url, election_id)["registered"] == size
    assert Roll(scene.pipeline.connection).rolls() == sizes
    told = {(one.fields["election_id"], one.fields["state"]): one.fields.get("registered") for one in scene.pipeline.read(BY_LOCATION)}
    assert told["club", "Kent"] == 3
    assert told["north", "State 0"] == told[ELECTION, "State 0"] == PEOPLE // 3


def test_the_audit_holds(scene: Scene) -> None:
    report = scene.audit()
    assert report.differences == []
    assert (report.accepted, report.rejected) == (15, {"already_voted_other": 1, "unknown_voter": 8})


@pytest.mark.parametrize(
    ("change", "back", "named"),
    [
        (
            "DELETE FROM roll_entries WHERE voter_id = 'm1'",
            "INSERT INTO roll_entries SELECT 'm1', election_id, listed_at FROM roll_entries WHERE voter_id = 'm2'",
            ["a vote of m1 in club, on whose roll they were not at that time"],
        ),
        (
            "UPDATE voters SET is_general = false WHERE voter_id = 'v3'",
            "UPDATE voters SET is_general = true WHERE voter_id = 'v3'",
            ["a vote of v3 in e, on whose roll", "a vote of v3 in north, on whose roll"],
        ),
        (
            "UPDATE voters SET registered_at = now() WHERE voter_id = 'v0'",
            "UPDATE voters SET registered_at = now() - interval '3 hours' WHERE voter_id = 'v0'",
            ["a vote of v0 in e, on whose roll", "a vote of v0 in north, on whose roll"],
        ),
        (
            "UPDATE voters SET address_state = 'State 9' WHERE voter_id IN ('m1', 'm2', 'm3')",
            "UPDATE voters SET address_state = 'Kent' WHERE voter_id IN ('m1', 'm2', 'm3')",
            ["state Kent of club: 2 votes, and only 0 people are registered there"],
        ),
    ],
)
def test_the_audit_names_what_was_changed_on_a_roll(scene: Scene, change: str, back: str, named: list[str]) -> None:
    scene.pipeline.sql(change)
    try:
        report = scene.audit()
    finally:
        scene.pipeline.sql(back)
    for words in named:
        assert any(words in one for one in report.differences), report.differences
    assert scene.audit().differences == []


def test_the_ledger_made_again_says_the_same(scene: Scene) -> None:
    said = {election_id: scene.outcomes(election_id) for election_id in (ELECTION, "north", "club")}

    assert "It is what it was" in rebuild_ledger(scene.pipeline.kafka, scene.pipeline.database_url)
    assert {election_id: scene.outcomes(election_id) for election_id in said} == said


def test_votes_that_are_published_again_tell_no_more(scene: Scene, spark: Spark) -> None:
    """After a loss of the outcomes, when every ballot comes again and gets its stored verdict; and by a rebuild."""
    pipeline = scene.pipeline
    before = Counter(one.value for one in pipeline.read(VOTES))
    outcomes = [topic for topic in topics(PARTITIONS) if topic.name in {VOTES, REJECTED}]
    recreate(pipeline.servers.admin, outcomes)
    pipeline.record_all_published()
    assert Counter(one.value for one in pipeline.read(VOTES)) == before
    tells_groups_alone(scene.votes("club"))
    rebuild_votes_topic(pipeline.kafka, pipeline.database_url, outcomes[0], 1)
    assert Counter(one.value for one in pipeline.read(VOTES)) == before
    tells_groups_alone(scene.votes("club"))
    tally_all(pipeline, spark)
    wait_for(lambda: scene.audit().differences == [], "all agrees again")


def test_the_command_checks_row_by_row_and_then_imports(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in scene.pipeline.environment().items():
        monkeypatch.setenv(name, value)
    scene.draft("guild", "list")
    file = tmp_path / "guild.csv"
    good = "id,name,shoe size\ng1,Gus,44\nm0,Member 0,38\n"

    def call(*words: str) -> tuple[int, str, str]:
        code = main(["election", "import-roll", *words])
        told = capsys.readouterr()
        return code, told.out, told.err

    file.write_text(good + "g1,Gil\x1b[2J,1\n")
    code, out, err = call(str(file), "--check")
    assert (code, out.splitlines()) == (
        1,
        [
            "line 2: Gus (g1): a new person",
            "line 3: Member 0 (m0): registered already, is put on the list",
            "line 4: WRONG, line 2 has the same voter_id for somebody else",
        ],
    )
    assert "UTF-8, separated by commas" in err
    assert "not read, because no voter has such a field: shoe size" in err
    code, out, _ = call("guild", str(file), "--json")
    assert (code, json.loads(out)["imported"], json.loads(out)["faults"][0]["line"]) == (1, False, 4)
    assert Roll(scene.pipeline.connection).on_roll("guild") == 0
    file.write_text(good)
    code, out, _ = call("--election", "guild", str(file), "--check", "--json")
    document = json.loads(out)
    assert (code, document["ok"], [row["outcome"] for row in document["rows"]]) == (0, True, ["new", "known"])
    code, out, err = call(str(file))
    assert (code, out) == (0, "")
    assert "2 people have been put on the roll of guild, 1 announced" in err
    assert Roll(scene.pipeline.connection).on_roll("guild") == 2
    code, out, _ = call(str(file), "--json")
    assert (code, json.loads(out)["counts"]["listed"], json.loads(out)["announced"]) == (0, 2, 0)
    assert [one.fields["roll"] for one in scene.pipeline.read(VOTERS) if one.fields["voter_id"] == "g1"] == ["guild"]
    code, _, err = call("guild", str(file), "--election", "club")
    assert (code, "Two elections are named" in err) == (2, True)


def test_the_audit_names_a_vote_that_tells_too_much(scene: Scene, spark: Spark) -> None:
    """The last test here: what is planted on a topic stays."""
    vote = next(one for one in scene.votes("club") if one.fields["voter_id"] == "m1")
    told: dict[str, Any] = vote.fields | {"voter_name": "Member 1"}

    with tallying(scene.pipeline, spark) as tally:
        scene.pipeline.send(VOTES, [(vote.key, orjson.dumps(told), vote.partition, {**vote.headers, "ballot_offset": b"1000"})])
        await_tallied(scene.pipeline, tally)
        report = scene.audit()
    assert any("the vote of ballot 1000 tells voter_name, which no vote in this election may" in one for one in report.differences)
