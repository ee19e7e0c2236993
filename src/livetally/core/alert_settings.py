"""Every threshold of the alerts, in one table. They are part of the program, not of its surroundings: `bench alerts` measures these."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from livetally.core.alert_facts import Rule


@dataclass(frozen=True, slots=True)
class Grades:
    """From which strength on an alert is more than a notice. What strength means, the rule says."""

    warning: float
    critical: float


@dataclass(frozen=True, slots=True)
class Thresholds:
    """One set for all places and elections. Numbers of votes are of one place in the minutes that are looked at together."""

    # A minute is judged when votes of so long after its end have been seen: Spark takes a second, and its partitions are not in step.
    settle_s: int = 5
    # An hour of minutes is plenty to read for every judgement; half of one holds a past of ten and an anomaly of twenty.
    window_minutes: int = 30
    # Long enough that a place with three votes a minute has a pace, short enough to follow the slope of a rush hour.
    past_minutes: int = 10
    # A place that has just opened has no past: its queue is no burst. More would leave short elections without alerts.
    past_minutes_min: int = 3
    # One minute finds in time what large places do; small ones need more votes than a minute brings.
    spans_minutes: tuple[int, ...] = (1, 2, 3, 5)
    # People come in couples and families and vote alike: counts vary by so much more than if everybody came alone.
    dispersion: float = 1.6
    # By chance alone, e to the minus this: 77 places, five candidates, a day of minutes and four spans make a million questions a day.
    surprise_min: float = 20.0
    # Minutes at an anomaly's ends are partly normal; they belong neither to it nor to the past.
    edge_minutes: int = 1
    # One quiet minute may be chance.
    quiet_minutes: int = 2

    # Rush hours double a place's pace within the past that it is held against; a late opening's queue can do as much beside its neighbours.
    burst_factor: float = 3.0
    burst_factor_beside_others: float = 2.0  # turnout differs between places, so this is the weaker of the two
    # Between both: half of a place that opens late has twice its pace then, three times what it had, and twice what its neighbours have.
    burst_factor_midway: float = 3.8
    burst_votes_min: int = 30  # a bus
    burst_factor_lasting: float = 2.0  # lower than at the beginning, so that an alert does not flicker

    silence_share: float = 0.2  # of what was to be expected in one minute, so that one in which it begins after five seconds is enough
    silence_share_longer: float = 0.1  # in several minutes; when a queue has gone, a place has a quarter of the pace it had

    share_votes_min: int = 20
    share_jump: float = 0.2  # nobody's share in a place drifts so far within ten minutes
    share_jump_lasting: float = 0.1

    repeats_min: int = 20
    repeats_usual_min: float = 0.1  # a minute; the first few in a place are no multiple of nothing
    repeats_factor: float = 5.0  # of what was usual there, and of what is usual elsewhere now
    repeats_factor_lasting: float = 2.5
    repeats_everywhere_min: int = 50
    repeats_share_everywhere: float = 0.1  # of all votes of that minute

    # Strength: by which factor for a burst, by how much of all votes for a share, repeated ballots for each vote, minutes of silence.
    grades: Mapping[Rule, Grades] = field(
        default_factory=lambda: {
            Rule.BURST: Grades(4.0, 8.0),
            Rule.SHARE: Grades(0.3, 0.5),
            Rule.REPEATS: Grades(0.5, 2.0),
            Rule.SILENCE: Grades(1.0, 10.0),
        }
    )


THRESHOLDS = Thresholds()
