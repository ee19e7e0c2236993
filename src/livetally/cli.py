"""The command line. Parsing needs nothing but the standard library, so that `--help` answers before anything is installed.

Exit codes: 0 done · 1 it did not work, or the audit found differences · 2 the command or a setting is wrong · 130 interrupted.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from livetally import __version__
from livetally.core.alert_facts import Rule
from livetally.core.elections import DEFAULT_SEED, DEFAULT_VOTERS, DETAILS, KINDS, ROLLS, VISIBILITIES
from livetally.core.errors import LivetallyError

DEFAULT_RATE = 250.0  # with the default voters some five minutes to watch
SEED_MAX = 2**63 - 1

EPILOG = """\
The first call downloads what is needed (it says how much) and keeps it; --help downloads nothing.
Settings come from the environment (LIVETALLY_…) or a .env file; the README lists them."""


def main(argv: Sequence[str] | None = None) -> int:
    arguments = build_parser().parse_args(argv)
    module, function = arguments.target.split(":")
    try:
        command: Callable[[argparse.Namespace], int] = getattr(importlib.import_module(f"livetally.commands.{module}"), function)
        code = command(arguments)
        sys.stdout.flush()
    except LivetallyError as error:
        from livetally.commands.output import complain

        complain(error)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `peek | head`: whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="livetally",
        description="An election, counted live: every ballot once, every number explained.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"livetally {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_run(commands)
    _add_services(commands)
    _add_stages(commands)
    _add_elections(commands)
    _add_looking(commands)
    _add_people(commands)
    _add_upkeep(commands)
    return parser


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 (argparse has no public name for it)


def _add(commands: Commands, name: str, target: str, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False)
    parser.set_defaults(target=target)
    return parser


def _group(commands: Commands, name: str, text: str) -> Commands:
    """A command that is made of others."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False)
    return parser.add_subparsers(title="commands", metavar="COMMAND", required=True)


def _add_run(commands: Commands) -> None:
    run = _add(commands, "run", "run:run", "the whole election on this machine, with the page; Ctrl+C stops everything it started")
    run.add_argument(
        "--voters",
        type=_count,
        default=None,
        metavar="N",
        help=f"people to register (default: {DEFAULT_VOTERS:,}, or as many as an interrupted run had)",
    )
    run.add_argument(
        "--rate", type=_rate, default=DEFAULT_RATE, metavar="PER_S", help="ballots a second, or `max` (default: %(default).0f)"
    )
    run.add_argument(
        "--seed", type=_seed, default=None, metavar="S", help=f"who the people are and how they vote (default: {DEFAULT_SEED})"
    )
    run.add_argument(
        "--fresh", action="store_true", help="delete what is kept in the data directory first; refused where a real election lies"
    )
    run.add_argument(
        "--elections", type=_rounds, default=None, metavar="N", help="so many at once (default: 1, or as many as an interrupted run had)"
    )
    run.add_argument("--no-dashboard", action="store_true", help="without the page")
    run.add_argument("--no-api", action="store_true", help="without the API and the ballot page")
    run.add_argument("--exit-when-done", action="store_true", help="end when all is counted; exit 0 only if the audit holds")


def _add_services(commands: Commands) -> None:
    up = _add(commands, "up", "services:up", "start only the services, in the background")
    up.add_argument("--foreground", action="store_true", help="stay until Ctrl+C")
    up.add_argument("--spark-workers", type=_count, default=0, metavar="N", help="a Spark cluster of N workers besides (default: none)")
    _add(commands, "down", "services:down", "stop what `up` started")
    status = _add(commands, "status", "services:status", "where each service is, how it feels, and the connection strings to copy")
    _add_json(status)


def _add_stages(commands: Commands) -> None:
    register = _add(commands, "register", "stages:register", "stage 1: elections, candidates and voters")
    register.add_argument(
        "--voters", type=_count, default=DEFAULT_VOTERS, metavar="N", help="people of this source and seed there shall be"
    )
    register.add_argument(
        "--source", choices=("synthetic", "randomuser"), default="synthetic", help="where people come from (default: %(default)s)"
    )
    register.add_argument("--seed", type=_seed, default=DEFAULT_SEED, metavar="S", help="who the people are (default: %(default)s)")
    register.add_argument(
        "--elections", type=_rounds, default=1, metavar="N", help="so many simulated ones are made, where none is open (default: 1)"
    )
    register.add_argument(
        "--election", metavar="ID", default=None, help="for a simulated one that was made with `election create`; opens it at the end"
    )
    simulate = _add(commands, "simulate", "stages:simulate", "stage 2: the simulated electorate casts its ballots")
    simulate.add_argument("--rate", type=_rate, default=None, metavar="PER_S", help="ballots a second, or `max` (default: max)")
    simulate.add_argument("--seed", type=_seed, default=None, metavar="S", help="how people vote (default: the election's seed)")
    simulate.add_argument("--election", metavar="ID", default=None, help="in which simulated election (default: the newest that is open)")
    simulate.add_argument(
        "--plant", type=_rules, default=(), metavar="RULE[,…]", help=f"anomalies for the alerts to find: any of {', '.join(Rule)}"
    )
    _add(commands, "record", "stages:record", "stage 3: decide every ballot once")
    _add(commands, "tally", "stages:tally", "stage 4: count the votes with Spark")
    _add(commands, "dashboard", "stages:dashboard", "stage 5: the page")
    _add(commands, "api", "api:api", "elections, results and ballots over HTTP, for programs and for voters")


def _add_elections(commands: Commands) -> None:
    election = _group(commands, "election", "what an organiser does; docs/elections.md leads through it")
    create = _add(election, "create", "election:create", "make a draft")
    create.add_argument("id", metavar="ID", help="its name in addresses: small letters a to z, digits, hyphens")
    create.add_argument("--name", default=None, metavar="TEXT", help="what people call it (default: the id)")
    create.add_argument("--kind", choices=KINDS, default="real", help="whether its voters exist (default: %(default)s)")
    create.add_argument("--opens-at", type=_moment, default=None, metavar="TIME", help="not before this (default: when it is opened)")
    create.add_argument("--closes-at", type=_moment, default=None, metavar="TIME", help="by itself (default: when it is closed)")
    create.add_argument(
        "--visible",
        choices=VISIBILITIES,
        default="live",
        help="what the public sees: everything at once; how many have voted, until it is closed; nothing, until officials publish it (default: %(default)s)",
    )
    create.add_argument(
        "--detail",
        choices=DETAILS,
        default="full",
        help="what a vote tells of its voter on `votes_topic`: all fields, or only those that are counted by (default: %(default)s)",
    )
    create.add_argument(
        "--roll",
        choices=ROLLS,
        default=None,
        help="who may vote: everybody registered, some states, or a list of its own (default: all; states with --state)",
    )
    create.add_argument(
        "--state", action="append", default=[], metavar="NAME", help="a state whose people may vote; more than once for more"
    )
    create.add_argument(
        "--seed", type=_seed, default=DEFAULT_SEED, metavar="S", help="of a simulated one: how people vote (default: %(default)s)"
    )
    _add_json(create)
    _add_json(_add(election, "list", "election:list_all", "all elections, the newest first"))
    for name, text in {
        "show": "an election: its hours, its policy, its candidates, who may vote, what was done",
        "open": "take ballots, from the planned time or from now on",
        "close": "take no more ballots, a few seconds from now",
        "publish": "show everybody the result, where it is kept for officials",
        "delete": "delete a draft, with its candidates, its list and its codes",
    }.items():
        _add_json(_of_election(_add(election, name, f"election:{name if name != 'open' else 'open_'}", text)))
    certify = _of_election(
        _add(election, "certify", "election:certify", "make the result final, once every ballot is counted and the audit holds")
    )
    certify.add_argument(
        "--within", type=_count, default=120, metavar="S", help="wait so many seconds for what is on its way (default: %(default)s)"
    )
    _add_json(certify)
    candidates = _add(
        election,
        "import-candidates",
        "election:import_candidates",
        "candidates of a draft, or what else there is to choose, from a CSV file",
    )
    candidates.add_argument("draft", metavar="ELECTION", nargs="?", help="which draft; the same as --election")
    candidates.add_argument("file", metavar="FILE", help="columns: name; optional id, party, biography, platform, picture")
    _add_draft(candidates)
    _add_json(candidates)
    codes = _of_election(
        _add(election, "codes", "codes:codes", "voting codes for everybody on the roll who has none yet, as CSV for letters; shown once")
    )
    codes.add_argument("--output", metavar="FILE", default=None, help="a new file, for nobody else to read (default: standard output)")
    codes.add_argument("--reissue", metavar="VOTER_ID", default=None, help="a new code for this voter; the one before is void from now on")
    roll = _add(election, "import-roll", "import_roll:import_roll", "who may vote in a draft whose roll is a list, from a CSV file")
    roll.add_argument("draft", metavar="ELECTION", nargs="?", help="which draft; the same as --election")
    roll.add_argument("file", metavar="FILE", help="columns: name; optional id, date_of_birth, gender, city, state and others of a voter")
    roll.add_argument("--check", action="store_true", help="say row by row what would happen, and change nothing; exit 1 if a row is wrong")
    _add_draft(roll)
    _add_json(roll)
    sheet = _of_election(_add(election, "sheet", "election:sheet", "the result to print and sign, as one HTML file"))
    sheet.add_argument("--output", metavar="FILE", default=None, help="where to (default: standard output)")
    voter = _group(commands, "voter", "somebody on a roll")
    show = _add(voter, "show", "voter:show", "where somebody may vote, and whether they have; never for whom")
    show.add_argument("id", metavar="ID", help="of the voter")
    show.add_argument("--election", metavar="ID", default=None, help="in this one only (default: in all that concern this person)")
    _add_json(show)


def _add_draft(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--election", metavar="ID", default=None, help="which draft (default: the only one there is)")


def _of_election(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("id", metavar="ID", help="of the election")
    return parser


def _add_looking(commands: Commands) -> None:
    results = _add(commands, "results", "results:results", "the board, in the terminal")
    results.add_argument(
        "--at", metavar="TIME", default=None, help="as it was at a moment: `YYYY-MM-DD HH:MM:SS[.mmm]`, UTC unless it says otherwise"
    )
    results.add_argument("--election", metavar="ID", default=None, help="which election (default: the newest)")
    results.add_argument("--watch", action="store_true", help="go on, and draw it again as it changes, until Ctrl+C")
    _add_json(results)
    history = _add(commands, "history", "history:history", "how the result came about: every candidate's votes over time")
    history.add_argument("--election", metavar="ID", default=None, help="which election (default: the newest)")
    history.add_argument("--state", metavar="NAME", default=None, help="one place alone, as `turnout_by_state` names it")
    history.add_argument("-n", type=_count, default=None, metavar="N", help="at most so many points (default: 24, with --json 500)")
    _add_json(history)
    audit = _add(commands, "audit", "audit:audit", "check that ballots, ledger, votes topic and tallies agree; exit 1 if not")
    audit.add_argument(
        "--head", metavar="FILE", default=None, help="also hold the ledger against heads kept elsewhere (an older `audit --json`)"
    )
    audit.add_argument("--election", metavar="ID", default=None, help="tell of this one alone, and of what all of them stand on")
    _add_json(audit)
    rejected = _add(commands, "rejected", "rejected:rejected", "the ballots that do not count, and why; or cast them again")
    rejected.add_argument("--reason", metavar="R", default=None, help="only those that were rejected for this reason")
    rejected.add_argument("-n", type=_count, default=None, metavar="N", help="list the newest N (default: 20, with --json all)")
    rejected.add_argument(
        "--cast-again", metavar="R", default=None, help="cast again what was rejected for this reason and would count now"
    )
    rejected.add_argument("--dry-run", action="store_true", help="say what --cast-again would do, and cast nothing")
    _add_json(rejected)
    topics = _add(commands, "topics", "look:topics", "every topic: what it holds, how much, where it ends")
    _add_json(topics)
    peek = _add(commands, "peek", "look:peek", "the newest messages of a topic")
    peek.add_argument("topic", metavar="TOPIC")
    peek.add_argument("-n", type=_count, default=10, metavar="N", help="how many (default: %(default)s)")
    peek.add_argument("--follow", action="store_true", help="go on with what comes, until Ctrl+C")
    sql = _add(commands, "sql", "look:sql", "ask PostgreSQL; reads only. Without QUERY it reads one from standard input")
    sql.add_argument("query", metavar="QUERY", nargs="?")
    _add_json(sql)


def _add_people(commands: Commands) -> None:
    acts = _group(commands, "user", "who may sign in, and what for")
    add = _add(acts, "add", "user:add", "somebody more who may sign in")
    listing = _add(acts, "list", "user:listing", "everybody who has an account")
    disable = _add(acts, "disable", "user:disable", "end somebody's sessions and tokens, and let them in no more")
    enable = _add(acts, "enable", "user:enable", "let somebody sign in again")
    password = _add(acts, "password", "user:password", "give somebody another password, and end what was opened with the old one")
    role = _add(acts, "role", "user:role", "what somebody may do")
    for parser in (add, disable, enable, password, role):
        parser.add_argument("name", metavar="NAME")
    for parser in (add, role):
        parser.add_argument("--role", choices=("observer", "official", "admin"), required=True, help="each may do what the one before may")
        parser.add_argument(
            "--election", action="append", metavar="ID", help="only there; may be given several times (default: everywhere)"
        )
    for parser in (add, password):
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input, one line, and do not ask")
    _add_json(listing)


def _add_upkeep(commands: Commands) -> None:
    prepare = _add(commands, "prepare", "prepare:command", "a rehearsal, once, after which Kafka and Spark start in half the time")
    prepare.add_argument("--again", action="store_true", help="even if it has been done")
    rebuild = _add(commands, "rebuild", "rebuild:rebuild", "make something again from what stands before it")
    rebuild.add_argument("what", choices=("ledger", "votes-topic", "tally"))
    bench = _add(commands, "bench", "bench:bench", "the benchmarks")
    bench.add_argument("name", metavar="NAME")
    _add_json(bench)
    bench.add_argument("options", nargs=argparse.REMAINDER, metavar="…", help="options of its own; `bench NAME --help` explains them")
    test = _add(
        commands,
        "test",
        "test:test",
        "every check that CI makes; `test quick` needs no service, `test faults` breaks services and recorders, `test recovery` the tally",
    )
    test.add_argument("which", choices=("all", "quick", "faults", "recovery"), nargs="?", default="all")
    test.add_argument(
        "--seed", type=_seed, default=None, metavar="S", help="of `test faults` and `recovery`: which faults, which ballots (default: 1)"
    )
    test.add_argument(
        "--rounds", type=_rounds, default=None, metavar="N", help="of `test faults` and `recovery` (default: every fault once)"
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output and nothing else")


def _count(text: str) -> int:
    return _whole_number(text, 0, 1_000_000_000)


def _rounds(text: str) -> int:
    return _whole_number(text, 1, 1_000_000)


def _seed(text: str) -> int:
    return _whole_number(text, 0, SEED_MAX)


def _whole_number(text: str, lowest: int, highest: int) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if not lowest <= number <= highest:
        raise argparse.ArgumentTypeError(f"{number} is not between {lowest} and {highest}")
    return number


def _moment(text: str) -> datetime:
    """A text without a zone means UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; write `2026-05-07 21:30` (UTC), or with a zone `2026-05-07T22:30+01:00`"
        ) from None


def _rules(text: str) -> tuple[Rule, ...]:
    """Each one once, in the order given."""
    names = list(dict.fromkeys(text.split(",")))
    if unknown := [name for name in names if name not in list(Rule)]:
        raise argparse.ArgumentTypeError(f"no such rule: {', '.join(unknown)}; there is {', '.join(Rule)}")
    return tuple(Rule(name) for name in names)


def _rate(text: str) -> float | None:
    """Ballots a second; None for as fast as it goes."""
    if text == "max":
        return None
    try:
        rate = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor `max`") from None
    if not 0 < rate < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0; `max` casts as fast as it goes")
    return rate
