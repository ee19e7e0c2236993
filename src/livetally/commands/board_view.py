"""The board as a terminal shows it: a drawing for one that can be redrawn, a line for all others. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from livetally.commands.plain import cut, safe
from livetally.core.elections import Election
from livetally.core.tally import UNKNOWN
from livetally.show.result import Leads, Result, Snapshot, Standing, Tie
from livetally.show.scene import has_closed, is_too_early
from livetally.show.trust import Agreement

BAR_CELLS_MAX = 40
NAME_CELLS_MAX = 28
TIED_NAMED_MAX = 3  # two hundred who have one vote each would fill the screen
NUMBERS_CELLS = 36  # votes, share, votes of the last minute, and the space between
WIDTH_WITHOUT_PARTY = 90  # narrower terminals keep names and numbers
_EIGHTHS = " ▏▎▍▌▋▊▉"  # ends of a bar that are less than a cell
_BADGE = {"green": ("✔", "green"), "amber": ("◔", "yellow"), "red": ("✘", "bold red"), "unknown": ("?", "dim")}


def drawing(snapshot: Snapshot, election_id: str | None, now: datetime, width: int, lines: int) -> RenderableType:
    """Everything at one moment, in so many lines: as many candidates as the rest leaves room for, the others as a number."""
    election, result = chosen(snapshot, election_id)
    head, foot = [_title(election, result, now)], [Text(""), *_footer(snapshot, result, now)]
    if result is None or not result.candidates:
        return Group(*head, Text(_waiting(snapshot), style="dim"), *foot)
    head += [Text(headline(snapshot, election, result, now), style="bold"), Text("")]
    room = lines - _height([*head, *foot], width)
    if len(result.candidates) <= room:
        return Group(*head, _candidates(snapshot, result, result.candidates, width), *foot)
    shown = result.candidates[: max(0, room - 1)]
    table = [_candidates(snapshot, result, shown, width)] if shown else []
    return Group(*head, *table, Text(f"… and {len(result.candidates) - len(shown):,} more", style="dim"), *foot)


def _height(parts: Sequence[Text], width: int) -> int:
    """Lines on a screen of this width, where long ones are wrapped."""
    console = Console(width=width)
    return sum(len(part.wrap(console, width)) for part in parts)


def line(snapshot: Snapshot, election_id: str | None) -> str:
    """The same in one line, without what changes by the second."""
    election, result = chosen(snapshot, election_id)
    name = safe(election.name) if election else election_id or "no election"
    if result is None or not result.total_votes:
        return f"{name}{_simulation(election)}: {_waiting(snapshot)}"
    votes = " · ".join(f"{safe(one.name)} {one.votes:,} ({result.share(one.votes):.1%})" for one in result.candidates)
    turnout = f" · turnout {_turnout(snapshot, result)}" if snapshot.facts else ""
    missing = "".join(f" · {one.service} is away" for one in snapshot.troubles)
    return f"{name}{_simulation(election)}: {result.total_votes:,} votes{turnout} · {votes} · {_agreement(snapshot.agreement)}{missing}"


def headline(snapshot: Snapshot, election: Election | None, result: Result, now: datetime) -> str:
    """By the rules of the page: with too few votes nobody leads, and when it is over somebody has most votes."""
    is_closed = election is not None and has_closed(election, now)
    match result.lead:
        case Leads() if is_too_early(result, snapshot.facts, is_closed=is_closed):
            return f"Nobody leads yet: {_votes(result.total_votes)} counted, too few to say"
        case Leads(first, _) if len(result.candidates) == 1:
            return f"{safe(first.name)} is the only candidate and has {_votes(first.votes)}"
        case Leads(first, margin):
            leads = "has most votes," if is_closed else "leads with"
            return f"{safe(first.name)} {leads} {result.share(first.votes):.1%}, {_votes(margin)} ahead"
        case Tie(first):
            return f"A tie: {_named(first)} with {_votes(first[0].votes)} each"
    return "Nobody leads: no vote has been counted"


def _named(tied: Sequence[Standing]) -> str:
    shown, rest = [safe(one.name) for one in tied[:TIED_NAMED_MAX]], len(tied) - TIED_NAMED_MAX
    return f"{', '.join(shown)} and {rest:,} other{'' if rest == 1 else 's'}" if rest > 0 else " and ".join(shown)


def _votes(count: int) -> str:
    return f"{count:,} vote{'' if count == 1 else 's'}"


def chosen(snapshot: Snapshot, election_id: str | None) -> tuple[Election | None, Result | None]:
    """The election that is named, or else the newest, and its result, as far as they are known."""
    known: Mapping[str, Election] = {one.election_id: one for one in (snapshot.facts.elections if snapshot.facts else ())}
    results = snapshot.results or {}
    wanted = election_id or next(iter(known), next(iter(sorted(results)), None))
    return (known.get(wanted), results.get(wanted)) if wanted is not None else (None, None)


def _title(election: Election | None, result: Result | None, now: datetime) -> Text:
    name = safe(election.name) if election else result.election_id if result else "livetally"
    return Text.assemble(
        (name, "bold"), (f" ({election.status_at(now)})" if election else "", "dim"), (_simulation(election), "bold yellow")
    )


def _simulation(election: Election | None) -> str:
    return " SIMULATION" if election is not None and election.simulated else ""


def _candidates(snapshot: Snapshot, result: Result, shown: tuple[Standing, ...], width: int) -> Table:
    has_party = result.has_parties and width >= WIDTH_WITHOUT_PARTY
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    if has_party:
        table.add_column(no_wrap=True, style="dim")
    table.add_column(no_wrap=True)
    for _ in range(3):
        table.add_column(justify="right", no_wrap=True)
    names = [cut(safe(one.name), NAME_CELLS_MAX) for one in shown]
    parties = [cut(safe(one.party) if one.party != UNKNOWN else "", NAME_CELLS_MAX) for one in shown]
    beside = max(map(cell_len, names)) + (max(map(cell_len, parties)) if has_party else 0) + NUMBERS_CELLS
    cells = max(1, min(BAR_CELLS_MAX, width - beside))
    most = max(one.votes for one in result.candidates) or 1
    minute = snapshot.last_minute.get(result.election_id)
    for one, name, party in zip(shown, names, parties, strict=True):
        change = minute.of(one.candidate_id) if minute and not minute.is_recount else None
        table.add_row(
            Text(name),
            *([Text(party)] if has_party else []),
            Text(bar(one.votes / most, cells), style="cyan"),
            Text(f"{one.votes:,}"),
            Text(f"{result.share(one.votes):.1%}", style="bold"),
            Text(f"+{change.votes:,}" if change and change.votes > 0 else "", style="green"),
        )
    return table


def bar(part: float, cells: int) -> str:
    """Of so many cells, to an eighth of one; whoever has a vote has at least that."""
    eighths = max(1 if part > 0 else 0, round(part * cells * 8))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _footer(snapshot: Snapshot, result: Result | None, now: datetime) -> list[Text]:
    parts = []
    if result is not None and snapshot.facts is not None:
        registered = snapshot.facts.on_roll(result.election_id)
        parts.append(Text(f"{result.total_votes:,} votes of {registered:,} registered, a turnout of {_turnout(snapshot, result)}"))
    sign, style = _BADGE[snapshot.agreement.state]
    parts.append(Text.assemble((sign, style), " ", _agreement(snapshot.agreement)))
    parts += [Text(f"    {safe(one.place)}", style="red") for one in snapshot.agreement.differences[:3]]
    if result is not None and result.as_of is not None:
        age_s = max(0, int((now - result.as_of).total_seconds()))
        minute = snapshot.last_minute.get(result.election_id)
        pace = f" · {minute.votes:,} votes in the last {(minute.until - minute.since).total_seconds():.0f} s" if minute else ""
        parts.append(Text(f"Newest number: {age_s:,} s ago{pace}", style="dim"))
    if snapshot.facts is not None and snapshot.facts.recounting:
        far = f"{snapshot.facts.recounted_percent}% of them so far"
        parts.append(Text(f"The votes are being counted anew, {far}; these are the numbers from before.", style="yellow"))
    parts += [
        Text(f"{one.service} has not answered since {one.since:%H:%M:%S} UTC. The numbers are the last ones known.", style="yellow")
        for one in snapshot.troubles
    ]
    parts.append(Text("Ctrl+C ends this", style="dim"))
    return parts


def _agreement(agreement: Agreement) -> str:
    match agreement.state:
        case "green":
            return f"ledger, topic and tally agree on {agreement.tally:,} votes"
        case "amber":
            return f"ledger, topic and tally agree on {agreement.tally:,} votes, {agreement.behind:,} are on their way"
        case "red":
            return "ledger, topic and tally DO NOT AGREE (`./livetally audit` says where)"
        case "unknown":
            return "whether ledger, topic and tally agree is not known yet"


def _turnout(snapshot: Snapshot, result: Result) -> str:
    registered = snapshot.facts.on_roll(result.election_id) if snapshot.facts else 0
    return f"{result.total_votes / registered:.1%}" if registered else "–"


def _waiting(snapshot: Snapshot) -> str:
    if snapshot.results is None:
        return "waiting for the numbers"
    if snapshot.facts is not None and not snapshot.facts.elections:
        return "there is no election yet"
    return "no vote has been counted yet"
