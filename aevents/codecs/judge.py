"""Is a time true, and where do words begin: judged by what comes before and what follows.

A time is true if what follows goes on from it. Else one flipped bit is undone if that puts it
between what came before and what follows; and if not, the clock stays.
"""

from __future__ import annotations

from collections.abc import Callable

LEAP_US = 1 << 20
"""A step of time by more than about a second needs witnesses that go on from it."""
SMALL = 16
"""So many half periods back is a small step: merged streams make such."""
NEIGHBOURS = 8
"""So many half periods away is close by."""
VOTERS = 128
"""So many words say where words begin."""


def leaps(step: int, low: int) -> bool:
    """Whether a step of time is none that needs no further witness."""
    return not low <= step <= LEAP_US


def judged(
    value: int,
    flipped: list[int],
    before: Callable[[int], int],
    after: Callable[[int], list[int]],
    stays: list[int],
    low: int,
) -> int | None:
    """Return the true value of a clock that is said to be at `value`: that, or one of `flipped`;
    None if it stays where it was.

    `before` gives the step to a value from the clock, `after` the steps from a value to the
    witnesses, at least one, `stays` those from the clock where it is. A step back further than
    `low`, which is below 0, is none that a clock makes.
    """

    def near(steps: list[int]) -> int:
        return sum((low <= one <= LEAP_US) + (low <= one <= -NEIGHBOURS * low) for one in steps)

    steps = [before(value), *after(value)]
    if not any(leaps(step, low) for step in steps[:2]):
        return value
    forward = steps[0] >= low and steps[1] >= low
    around = steps[0] + steps[1] > stays[0] + LEAP_US  # the clock, once more than it need be
    if forward and not (around and not any(leaps(one, low) for one in stays)):
        return value
    small = SMALL * low <= steps[0] < low
    least = low // 8 if small else low
    worth = {
        one: near([before(one), *after(one)])
        for one in flipped
        if not leaps(before(one), least) and not leaps(after(one)[0], least)
    }
    best = max(worth, default=value, key=worth.__getitem__)
    if worth.get(best, 0) > max(near(steps), near(stays)):
        return best
    if not small and near(stays) + (steps[0] < low) > near(steps):
        return None
    if near(steps) or forward:
        return value
    return value if sum(one >= low for one in steps) > sum(one >= low for one in stays) else None


def judged_last(
    value: int, flipped: list[int], before: Callable[[int], int], low: int, *, dense: bool
) -> int | None:
    """Return the same for a value that nothing follows; among `dense` events a step forward is
    doubted too, if one flipped bit makes it none.
    """
    if low <= before(value) <= -low or (not dense and abs(before(value)) <= LEAP_US):
        return value
    most = -low // 4 if dense else -2 * low
    clean = [one for one in flipped if -most <= before(one) <= most]
    if clean:
        return min(clean, key=lambda one: abs(before(one)))
    return value if before(value) >= -LEAP_US else None


def judged_first(
    value: int, flipped: list[int], after: Callable[[int], list[int]], low: int, *, dense: bool
) -> int:
    """Return the same for the first value of a clock, which can only be held against the witnesses:
    if they go on regularly, it is `flipped` so that they follow at once.

    A long step to them is doubted only among `dense` events, or if they repeat themselves.
    """
    steps = after(value)
    if len(steps) < 3:
        return value
    repeated = low <= steps[2] - steps[0] <= -low  # as cameras do
    if min(steps) >= low and not (dense or repeated):
        return value
    clean = [one for one in flipped if low <= after(one)[0] <= -low and min(after(one)) >= low]
    best = min(clean, default=value, key=lambda one: after(one)[-1])
    if min(steps) >= low:
        regular = low <= steps[2] - steps[0] <= -6 * low and steps[0] > -low
    else:
        regular = steps[1] - steps[0] <= 2 * (steps[2] - steps[1]) - low
    return best if regular else value


def bent(value: int, bits: int) -> list[int]:
    """Return the values that differ in one bit."""
    return [value ^ 1 << bit for bit in range(bits)]


def aligned(scores: list[tuple[int, int]], words: int) -> int | None:
    """Return by how many bytes words begin later than thought, None if none make sense.

    `scores` says for each number of bytes how many of so many `words` make no sense, and how many
    lie off the sensor. That counts where it need not be so: a size may be wrong.
    """
    odd = [one for one, _ in scores]
    sized = 16 * min(off for _, off in scores) <= words
    bad = [one + off for one, off in scores] if sized else odd
    best = min(range(len(bad)), key=bad.__getitem__)
    if words >= VOTERS // 2 and 4 * odd[best] > words:
        return None
    return best if 3 * bad[best] + 2 < bad[0] else 0
