"""Is a time true, and where do words begin: judged by what comes before and what follows.

A time is true if what follows goes on from it. Else one flipped bit is undone if that puts it
between what came before and what follows; and if not, the clock stays.
"""

from __future__ import annotations

from collections.abc import Callable

LEAP_US = 1 << 20
"""A step of time by more than about a second needs witnesses that go on from it."""
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
    before: Callable[[int], int] | None,
    after: Callable[[int], list[int]],
    stays: list[int],
    low: int,
) -> int | None:
    """Return the true value of a clock that is said to be at `value`: that, or one of `flipped`;
    None if it stays where it was.

    `before` gives the step to a value from the clock (None if it has not started), `after` the
    steps from a value to the witnesses, `stays` those from the clock where it is. A step back
    further than `low`, which is below 0, is none that a clock makes.
    """

    def near(steps: list[int]) -> int:
        return sum((low <= one <= LEAP_US) + (low <= one <= -NEIGHBOURS * low) for one in steps)

    steps = after(value)
    if not steps:
        return _unwitnessed(value, flipped, before, low)
    step = [before(value)] if before else []
    as_is = near(step + steps)
    clean = [
        one
        for one in flipped
        if not (before and leaps(before(one), low)) and not leaps(after(one)[0], low)
    ]
    worth = {one: near([before(one)] if before else []) + near(after(one)) for one in clean}
    least = max(as_is, near(stays)) if before else max(as_is, 3)
    best = max(worth, default=value, key=worth.__getitem__)
    if worth.get(best, 0) > least:
        return best
    if before is None:
        return value
    if near(stays) > as_is:
        return None
    if as_is or all(one >= low for one in step + steps[:1]):
        return value
    return value if sum(one >= low for one in steps) > sum(one >= low for one in stays) else None


def _unwitnessed(
    value: int, flipped: list[int], before: Callable[[int], int] | None, low: int
) -> int | None:
    if before is None or low <= before(value) <= LEAP_US:
        return value
    clean = [one for one in flipped if low <= before(one) <= -2 * low]
    if clean:
        return min(clean, key=before)
    return value if before(value) >= -LEAP_US else None


def bent(value: int, bits: int) -> list[int]:
    """Return the values that differ in one bit."""
    return [value ^ 1 << bit for bit in range(bits)]


def aligned(scores: list[int], words: int) -> int | None:
    """Return by how many bytes words begin later than thought, None if none make sense.

    `scores` counts what makes no sense among so many `words`, for each number of bytes.
    """
    best = min(range(len(scores)), key=scores.__getitem__)
    if words >= VOTERS // 2 and 4 * scores[best] > words:
        return None
    return best if 3 * scores[best] + 2 < scores[0] else 0
