"""What has changed since somebody looked: a number per position that rises whenever anything of it
does.
"""

REMEMBERED = 20_000
"""Positions whose last change is at hand; who looked before the oldest of them takes everything for
changed.
"""


class Revisions:
    """Kept by `evolve`, stored nowhere: whoever keeps something of a position sees by it what to
    make anew.
    """

    __slots__ = ("_by_name", "_forgotten", "last")

    def __init__(self) -> None:
        self.last = 0
        """Of the newest change."""
        self._by_name: dict[str, int] = {}
        self._forgotten = 0

    def mark(self, name: str) -> None:
        """Something of a position changes: itself, its orders, plan or money, or what its figures
        are made of; but not how far it went.
        """
        self.last += 1
        self._by_name.pop(name, None)
        self._by_name[name] = self.last
        if len(self._by_name) > REMEMBERED:
            self._forgotten = self._by_name.pop(next(iter(self._by_name)))

    def of(self, name: str) -> int:
        """The number of a position's last change; zero where it has none, or one that is
        forgotten.
        """
        return self._by_name.get(name, 0)

    def since(self, seen: int) -> list[str] | None:
        """The positions that have changed since the number `seen`, the last one first; None: too
        long ago to say.
        """
        if seen < self._forgotten:
            return None
        found = []
        for name, number in reversed(self._by_name.items()):
            if number <= seen:
                break
            found.append(name)
        return found
