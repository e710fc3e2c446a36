"""What was drawn, kept for the next time; the longest unused goes first."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Drawn = TypeVar("Drawn")


class Kept(Generic[Drawn]):
    """As lru_cache, but it does not hold the method that draws: that would hold the film's pictures, and they it, and
    hundreds of megabytes would wait for the garbage collector."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Drawn] = OrderedDict()

    def get(self, draw: Callable[..., Drawn], *key: Hashable) -> Drawn:
        """`draw(*key)`, now or earlier."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        drawn = self._kept[key] = draw(*key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return drawn
