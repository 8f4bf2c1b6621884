"""Keeping a chart's points within a bound without losing what matters: the lowest and the highest
of each stretch stay.
"""

from collections.abc import Sequence

from engine.model.incident import Point


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """At most `most` points: of each of equal stretches of points the first extreme and the other,
    in order; the first and the last point stay.
    """
    if len(points) <= most:
        return list(points)
    buckets = max((most - 2) // 2, 1)
    inner = points[1:-1]
    found = [points[0]]
    for number in range(buckets):
        part = inner[number * len(inner) // buckets : (number + 1) * len(inner) // buckets]
        if not part:
            continue
        ends = {
            min(part, key=lambda one: one[1]): None,
            max(part, key=lambda one: one[1]): None,
        }
        found += sorted(ends)
    return [*found, points[-1]]


class Points:
    """Points of one chart, kept within a bound while they come."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._points: list[Point] = []

    def add(self, point: Point) -> None:
        """One more; one that says nothing new is not kept."""
        if self._points[-2:] and all(one[1] == point[1] for one in self._points[-2:]):
            self._points[-1] = point
            return
        self._points.append(point)
        if len(self._points) >= 4 * self._most:
            self._points = thinned(self._points, 2 * self._most)

    def all(self) -> tuple[Point, ...]:
        """Those that are kept."""
        return tuple(thinned(self._points, self._most))
