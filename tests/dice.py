"""Long random lists that shrink well: what is left out of one leaves the rest as it was."""

import random
from collections.abc import Callable
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")
_KEPT = st.sampled_from([False, *[True] * 40])


def thrown(count: int, throw: Callable[[random.Random], T]) -> st.SearchStrategy[list[T]]:
    """About `count` throws of dice that a seed loads. Hypothesis finds the fewest of them that still fail.

    Drawing each throw from hypothesis gives it the same few over and over, and takes longer than playing it.
    """

    def cast(drawn: tuple[int, list[bool]]) -> list[T]:
        seed, kept = drawn
        dice = random.Random(seed)
        return [one for one, stays in [(throw(dice), stays) for stays in kept] if stays]

    flags = st.lists(_KEPT, min_size=count, max_size=count)
    return st.tuples(st.integers(0, 2**32), flags).map(cast)
