"""`livetally audit`: do ballots, ledger, votes topic and tallies agree?"""

import argparse
from contextlib import closing
from pathlib import Path
from typing import Any

from livetally.adapters.postgres import connect, explained
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.audit.chain import read_heads
from livetally.audit.report import Report
from livetally.audit.walk import audit as carry_out
from livetally.commands.backing import services_of
from livetally.commands.output import print_json, say
from livetally.commands.plain import safe
from livetally.settings import read_settings


def audit(arguments: argparse.Namespace) -> int:
    kept = read_heads(Path(arguments.head)) if arguments.head else None
    with services_of(read_settings(), looks_only=True) as backing:
        if arguments.election is not None:
            _check_exists(backing.database_url, arguments.election)
        report = carry_out(backing.kafka_bootstrap_servers, backing.database_url, kept)
    if arguments.election is not None:
        return _tell_of_one(report.told_of(arguments.election), as_json=arguments.json)
    if arguments.json:
        print_json(report.as_json())
    else:
        print_report(report)
    return 0 if report.ok else 1


def _check_exists(database_url: str, election_id: str) -> None:
    with closing(connect(database_url, "audit", Rights.LOOK)) as connection, explained(database_url):
        Roll(connection).election(election_id)


def _tell_of_one(found: dict[str, Any], *, as_json: bool) -> int:
    if as_json:
        print_json(found)
    else:
        print(f"accepted   {found['accepted']:>12,}")
        print(f"tallied    {found['tallied']:>12,}")
        for difference in found["differences"]:
            say(f"DIFFERENT  {difference}")
        for difference in found["shared_differences"]:
            say(f"DIFFERENT  {difference} (of all elections)")
        if (unnamed := found["differences_total"] - len(found["differences"]) - len(found["shared_differences"])) > 0:
            say(f"… and {unnamed:,} more differences")
        election = safe(found["election_id"])
        say(f"All agree about {election}." if found["ok"] else f"They do NOT agree about {election}.")
    return 0 if found["ok"] else 1


def print_report(report: Report) -> None:
    rejected = sum(report.rejected.values())
    print(f"ballots    {report.ballots:>12,}")
    print(f"accepted   {report.accepted:>12,}")
    print(f"rejected   {rejected:>12,}" + "".join(f"   {reason}: {count:,}" for reason, count in report.rejected.items()))
    print(f"ledger     {report.ledger:>12,}")
    print(f"published  {report.published:>12,}")
    print(f"tallied    {report.tallied:>12,}")
    if len(report.elections) > 1:
        for election_id, counts in report.elections.items():
            print(f"  {counts['accepted']:>20,} accepted, {counts['tallied']:,} tallied in {safe(election_id)}")
    for head in report.heads:
        print(f"head {head['partition']:<4} {head['next_offset']:>12,}   {head['digest']}")
    if report.behind:
        say(f"{report.behind:,} more ballots are on their way; they were not judged")
    if report.unannounced:
        say(
            "The last tally ended before it had announced its last batch; the totals on the topics are older. `./livetally tally` announces them."
        )
    for difference in report.differences:
        say(f"DIFFERENT  {difference}")
    if report.differences_total > len(report.differences):
        say(f"… and {report.differences_total - len(report.differences):,} more differences")
    say("Ballots, ledger, votes topic and tallies agree." if report.ok else "They do NOT agree.")
