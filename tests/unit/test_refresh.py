"""The tally reads who is registered only when that has changed, and never spends more than a tenth of its time on it."""

from collections.abc import Collection

from livetally.tally.electorate import REFRESH_S, REFRESH_SHARE, Refresh, RegisteredGroup


class World:
    def __init__(self) -> None:
        self.now_s = 100.0
        self.mark: object = (0, 0)
        self.takes_s = 0.0
        self.noted: list[float] = []
        self.refresh = Refresh(lambda: self.mark, self.groups, lambda _: self.noted.append(self.now_s), lambda: self.now_s)

    def groups(self) -> Collection[RegisteredGroup]:
        self.now_s += self.takes_s
        return []

    def look_until(self, then_s: float) -> None:
        while self.now_s < then_s:
            self.now_s += 0.1
            self.refresh.when_due()


def test_it_is_read_at_once_and_then_only_when_it_has_changed() -> None:
    world = World()
    world.look_until(200)
    assert len(world.noted) == 1
    world.mark = (0, 1)
    world.look_until(200 + REFRESH_S + 1)
    assert len(world.noted) == 2


def test_however_long_it_takes_most_of_the_time_is_left_for_counting() -> None:
    for takes_s in (0.0, 0.5, 3.0, 60.0):
        world = World()
        world.takes_s = takes_s
        while world.now_s < 5_000:
            world.mark = world.now_s  # people are being registered all the time
            world.look_until(world.now_s + 0.05)
        assert len(world.noted) * takes_s <= 4_900 * REFRESH_SHARE + takes_s
        assert len(world.noted) >= 4_900 / (max(REFRESH_S, takes_s / REFRESH_SHARE) + takes_s + 1) - 1
