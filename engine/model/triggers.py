"""Prices that wait: thresholds and trailing thresholds whose cost per price does not grow with how
many wait.

Thresholds are kept sorted, so that a price is compared with the nearest one only. Trailing
thresholds that have seen the same best price move together: they form one group, the groups are
ordered by their best, and a new extreme merges the groups that it passes, the smaller into the
larger. Every key is merged at most log(n) times, so following costs O(1) per price, amortised.
"""

from bisect import bisect_left, insort
from collections.abc import Hashable
from decimal import Decimal
from enum import Enum
from typing import Generic, TypeVar

from engine.model.order import Trail

K = TypeVar("K", bound=Hashable)


class Direction(Enum):
    """Which way a price must go to cross."""

    RISING = 1
    """Crossed by a price at or above."""
    FALLING = -1
    """Crossed by a price at or below."""


class Thresholds(Generic[K]):
    """Fixed prices by key."""

    __slots__ = ("_at", "_count", "_rising", "_sorted", "nearest")

    def __init__(self, direction: Direction) -> None:
        self._rising = direction is Direction.RISING
        self._sorted: list[tuple[Decimal, int, K]] = []
        self._at: dict[K, tuple[Decimal, int, K]] = {}
        self._count = 0
        self.nearest: Decimal | None = None
        """The one that is crossed first; None when nothing waits."""

    def __len__(self) -> int:
        return len(self._at)

    def set(self, key: K, price: Decimal) -> None:
        """Wait for `price`; a key waits for one price at a time."""
        self.discard(key)
        self._count += 1
        entry = (price, self._count if self._rising else -self._count, key)
        self._at[key] = entry
        insort(self._sorted, entry, key=_place)
        self._look()

    def discard(self, key: K) -> None:
        """Wait no longer; nothing happens where it did not."""
        entry = self._at.pop(key, None)
        if entry is not None:
            del self._sorted[bisect_left(self._sorted, _place(entry), key=_place)]
            self._look()

    def crossed(self, price: Decimal) -> list[K]:
        """Take out what `price` crosses: the nearest first, equal ones in the order in which they
        were set.
        """
        keys: list[K] = []
        while self._sorted:
            entry = self._sorted[0 if self._rising else -1]
            if (price < entry[0]) if self._rising else (price > entry[0]):
                break
            self._sorted.pop(0 if self._rising else -1)
            del self._at[entry[2]]
            keys.append(entry[2])
        self._look()
        return keys

    def _look(self) -> None:
        self.nearest = self._sorted[0 if self._rising else -1][0] if self._sorted else None


def _place(entry: tuple[Decimal, int, K]) -> tuple[Decimal, int]:
    return entry[0], entry[1]


class _Group(Generic[K]):
    """Trailing thresholds that have seen the same best price."""

    __slots__ = ("amounts", "best", "fractions", "level", "top")

    def __init__(self, best: Decimal) -> None:
        self.best = best
        self.amounts: list[tuple[Decimal, int, K]] = []
        self.fractions: list[tuple[Decimal, int, K]] = []
        self.level = best
        """Where its first key fires."""
        self.top = best
        """Where the first key of this group or of any below it fires."""

    def __len__(self) -> int:
        return len(self.amounts) + len(self.fractions)

    def entries(self, trail: Trail) -> list[tuple[Decimal, int, K]]:
        return self.amounts if trail.amount is not None else self.fractions


class TrailingThresholds(Generic[K]):
    """Prices that follow a best price at a distance, by key.

    Falling: the best is the highest, and the threshold is below it.
    """

    __slots__ = ("_count", "_groups", "_rising", "_sign", "_where", "nearest")

    def __init__(self, direction: Direction) -> None:
        self._rising = direction is Direction.RISING
        self._sign = direction.value
        self._groups: list[_Group[K]] = []  # the one with the least extreme best is last
        self._where: dict[K, tuple[_Group[K], Trail, int]] = {}
        self._count = 0
        self.nearest: Decimal | None = None
        """The one that is crossed first; None when nothing waits."""

    def __len__(self) -> int:
        return len(self._where)

    def add(self, key: K, trail: Trail, best: Decimal) -> None:
        """Follow from `best` on."""
        self.discard(key)
        self._count += 1
        index = self._place(best)
        if index == len(self._groups) or self._groups[index].best != best:
            self._groups.insert(index, _Group(best))
        group = self._groups[index]
        distance = trail.amount if trail.amount is not None else trail.fraction
        insort(group.entries(trail), (distance or Decimal(0), self._count, key), key=_place)
        self._where[key] = (group, trail, self._count)
        self._level(group)
        self._tops(index)

    def discard(self, key: K) -> None:
        """Wait no longer; nothing happens where it did not."""
        found = self._where.pop(key, None)
        if found is None:
            return
        group, trail, count = found
        entries = group.entries(trail)
        distance = trail.amount if trail.amount is not None else trail.fraction
        del entries[bisect_left(entries, (distance or Decimal(0), count), key=_place)]
        index = self._groups.index(group)
        if group:
            self._level(group)
        else:
            del self._groups[index]
        self._tops(index)

    def best(self, key: K) -> Decimal | None:
        """The best price that a key has seen; None where it does not wait."""
        found = self._where.get(key)
        return None if found is None else found[0].best

    def level(self, key: K) -> Decimal | None:
        """Where a key fires now; None where it does not wait."""
        found = self._where.get(key)
        return (
            None if found is None else found[0].best + found[1].distance(found[0].best) * self._sign
        )

    def follow(self, price: Decimal) -> list[K]:
        """Let the price move the best ones; take out what it crosses, the nearest first."""
        groups = self._groups
        if not groups:
            return []
        if (price < groups[-1].best) if self._rising else (price > groups[-1].best):
            self._lift(price)
        nearest = self.nearest
        if nearest is None or ((price < nearest) if self._rising else (price > nearest)):
            return []
        return self._fire(price)

    def _lift(self, price: Decimal) -> None:
        groups = self._groups
        lifted = groups.pop()
        while groups and (
            (groups[-1].best >= price) if self._rising else (groups[-1].best <= price)
        ):
            lifted = self._merge(lifted, groups.pop())
        lifted.best = price
        self._level(lifted)
        groups.append(lifted)
        self._tops(len(groups) - 1)

    def _merge(self, one: _Group[K], other: _Group[K]) -> _Group[K]:
        small, large = (one, other) if len(one) <= len(other) else (other, one)
        for entries, into in ((small.amounts, large.amounts), (small.fractions, large.fractions)):
            for entry in entries:
                insort(into, entry, key=_place)
                _, trail, count = self._where[entry[2]]
                self._where[entry[2]] = (large, trail, count)
        return large

    def _fire(self, price: Decimal) -> list[K]:
        fired: list[tuple[Decimal, int, K]] = []
        for group in self._groups:
            for entries, absolute in ((group.amounts, True), (group.fractions, False)):
                while entries:
                    distance, count, key = entries[0]
                    level = (
                        group.best + (distance if absolute else group.best * distance) * self._sign
                    )
                    if (price < level) if self._rising else (price > level):
                        break
                    entries.pop(0)
                    del self._where[key]
                    fired.append((level * self._sign, count, key))
        self._groups = [group for group in self._groups if group]
        for group in self._groups:
            self._level(group)
        self._tops(0)
        return [key for _, _, key in sorted(fired, key=_place)]

    def _place(self, best: Decimal) -> int:
        """Where a group with this best belongs: the more extreme come first."""
        if self._rising:
            return bisect_left(self._groups, best, key=lambda group: group.best)
        return bisect_left(self._groups, -best, key=lambda group: -group.best)

    def _level(self, group: _Group[K]) -> None:
        levels = []
        if group.amounts:
            levels.append(group.best + group.amounts[0][0] * self._sign)
        if group.fractions:
            levels.append(group.best * (1 + group.fractions[0][0] * self._sign))
        group.level = min(levels) if self._rising else max(levels)

    def _tops(self, start: int) -> None:
        groups = self._groups
        for index in range(start, len(groups)):
            group = groups[index]
            if index == 0:
                group.top = group.level
            else:
                below = groups[index - 1].top
                group.top = min(below, group.level) if self._rising else max(below, group.level)
        self.nearest = groups[-1].top if groups else None
