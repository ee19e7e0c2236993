"""`livetally audit`: do ballots, ledger, votes topic and tallies agree?"""

import argparse
from pathlib import Path

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
        report = carry_out(backing.kafka_bootstrap_servers, backing.database_url, kept)
    if arguments.json:
        print_json(report.as_json())
    else:
        print_report(report)
    return 0 if report.ok else 1


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
