"""What the tally says to an outsider, and what SQL says of the ledger."""

from typing import Any

from livetally.audit.walk import audit
from pipeline import Pipeline

# The outsider's view of each topic: which fields name the group, which holds the number, and the same in SQL over the ledger.
AGE = """
CASE WHEN age < 18 THEN 'under 18' WHEN age < 25 THEN '18-24' WHEN age < 35 THEN '25-34' WHEN age < 45 THEN '35-44'
     WHEN age < 55 THEN '45-54' WHEN age < 65 THEN '55-64' ELSE '65+' END
"""
TOPICS: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    "aggregated_votes_per_candidate": (("candidate_id",), "total_votes", ("candidate_id",)),
    "aggregated_turnout_by_location": (("state",), "count", ("address_state",)),
    "aggregated_turnout_by_age": (("age_group",), "total_votes", (AGE,)),
    "aggregated_turnout_by_gender": (("gender",), "total_votes", ("gender",)),
    "aggregated_party_wise_votes": (("party_affiliation",), "total_votes", ("party_affiliation",)),
    "aggregated_votes_by_region": (("city", "state"), "total_votes", ("address_city", "address_state")),
}
Totals = dict[tuple[str, ...], int]


def announced(pipeline: Pipeline, topic: str) -> Totals:
    """As an outsider folds it: the highest version of each key."""
    names, total, _ = TOPICS[topic]
    newest: dict[bytes | None, dict[str, Any]] = {}
    for message in pipeline.read(topic):
        if message.key not in newest or message.fields["version"] >= newest[message.key]["version"]:
            newest[message.key] = message.fields
    return {(fields["election_id"], *(fields[name] for name in names)): fields[total] for fields in newest.values()}


def in_the_ledger(pipeline: Pipeline, topic: str) -> Totals:
    groups = ", ".join(TOPICS[topic][2])
    query = f"""
        SELECT election_id, {groups}, count(*)
        FROM (
            SELECT x.election_id, x.candidate_id, v.address_state, v.address_city, v.gender, c.party_affiliation,
                   extract(year FROM age(x.voting_time::date, v.date_of_birth::date)) AS age
            FROM votes x JOIN voters v USING (voter_id) JOIN candidates c USING (candidate_id)
        ) AS vote
        GROUP BY election_id, {groups}
    """
    return {tuple(row[:-1]): row[-1] for row in pipeline.sql(query)}


def assert_exact(pipeline: Pipeline, votes: int) -> None:
    for topic in TOPICS:
        expected = in_the_ledger(pipeline, topic)
        assert sum(expected.values()) == votes
        assert announced(pipeline, topic) == expected, topic
    report = audit(pipeline.kafka, pipeline.database_url)
    assert (report.differences, report.tallied) == ([], votes)


def generation(pipeline: Pipeline) -> tuple[Any, ...]:
    """Number, state and reason of the newest one; there is never another beside the shown one in the end."""
    return pipeline.sql("SELECT generation, state, reason FROM tally_generations ORDER BY generation DESC")[0]
