"""Operators in a row."""

from __future__ import annotations

from aevents import Damage
from aevents.operators.base import Chain, Filter, Map, add_counts
from aevents.operators.select import Take


class Pairs:
    """Numbers two by two; an odd one at the end comes alone."""

    def __init__(self) -> None:
        self.held: list[int] = []
        self.counts = {"pairs": 0}

    def feed(self, number: int, /) -> list[list[int]]:
        self.held.append(number)
        if len(self.held) < 2:
            return []
        self.counts["pairs"] += 1
        pair, self.held = self.held, []
        return [pair]

    def flush(self) -> list[list[int]]:
        return [self.held] if self.held else []


def test_items_pass_from_one_operator_to_the_next() -> None:
    chain: Chain[int, int] = Chain(
        [Filter[int](lambda n: n % 2 == 1), Map[int, int](lambda n: 10 * n)]
    )
    assert [out for n in range(5) for out in chain.feed(n)] == [10, 30]
    assert list(chain.flush()) == []


def test_each_operator_is_flushed_into_those_after_it() -> None:
    chain: Chain[int, int] = Chain([Pairs(), Map[list[int], int](sum)])
    assert [out for n in (1, 2, 3) for out in chain.feed(n)] == [3]
    assert list(chain.flush()) == [3]


def test_operators_before_one_that_is_done_are_not_flushed() -> None:
    chain: Chain[int, list[int]] = Chain([Pairs(), Take[list[int]](1)])
    assert [out for n in (1, 2, 3) for out in chain.feed(n)] == [[1, 2]]
    assert chain.done
    assert list(chain.flush()) == []


def test_a_chain_is_lazy() -> None:
    seen: list[int] = []
    chain: Chain[int, None] = Chain([Map[int, None](seen.append)])
    results = iter(chain.feed(1))
    assert seen == []
    next(results)
    assert seen == [1]


def test_an_empty_chain_passes_everything() -> None:
    chain: Chain[int, int] = Chain([])
    assert list(chain.feed(1)) == [1]
    assert list(chain.flush()) == []
    assert not chain.done


def test_counts_add_up_by_name() -> None:
    chain: Chain[int, object] = Chain([Pairs(), Map[object, object](lambda item: item)])
    for number in range(5):
        list(chain.feed(number))
    assert chain.counts == {"pairs": 2}
    assert add_counts([{"a": 1, "b": 0}, {"a": 2, "c": 3}]) == {"a": 3, "c": 3}


def test_damage_of_all_operators_is_in_a_row() -> None:
    class Hurt(Map[int, int]):
        damage = (Damage("torn_bytes", 7, bytes=1),)

    chain: Chain[int, int] = Chain([Hurt(lambda item: item), Map[int, int](lambda item: item)])
    assert chain.damage == [Damage("torn_bytes", 7, bytes=1)]


def test_an_operator_may_become_one_with_the_one_before_it() -> None:
    class Summed:
        def feed(self, number: int, /) -> tuple[str]:
            return (f"fused {number}",)

        def flush(self) -> tuple[()]:
            return ()

    class Sum:
        def feed(self, pair: list[int], /) -> tuple[int]:
            return (sum(pair),)

        def flush(self) -> tuple[()]:
            return ()

        def fuse(self, before: object, /) -> Summed | None:
            return Summed() if isinstance(before, Pairs) else None

    assert list(Chain[int, object]([Pairs(), Sum()]).feed(1)) == ["fused 1"]
    assert list(Chain[list[int], object]([Sum()]).feed([1, 2])) == [3]
