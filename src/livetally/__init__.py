"""An election, counted live: every ballot once, every number explained.

The packages are the stages, in the order in which a vote passes them:

    register   people, candidates, elections  ──▶ voters_topic, candidates_topic, PostgreSQL
    cast       people become ballots          ──▶ ballots_topic
    record     each ballot is decided once    ──▶ votes (the ledger), votes_topic, rejected_ballots
    tally      Spark counts the votes         ──▶ cells in PostgreSQL, aggregated_* topics
    show       everybody watches              ──▶ the page

`web` is the API: real people's ballots onto ballots_topic, results for programs, and acts for officials.

Stages meet only at the topics and in `core`. `adapters` talks to Kafka and PostgreSQL,
`embedded` brings both along when nobody else provides them, `commands` wires it all together.
"""

__version__ = "0.1.0"
