"""What an account's home knows beside the journal, as a starting engine reads it: the last summary,
and a last exit's mark.
"""

from pathlib import Path

from engine.account import mark as marks
from engine.account import summary as summaries
from engine.model.mark import Mark


class Records:
    """The records of one home. The summary is read when this is made: the engine's first commit
    replaces it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[int, int] | None = None
        self.summary = summaries.read(folder)

    def reserve(self) -> None:
        """Make room for a mark, so that a full disk does not stop the last exit. Raises OSError."""
        marks.reserve(self._folder)

    def changed_mark(self) -> Mark | None:
        """The mark, if there is one and it was written since the last look."""
        try:
            told = (self._folder / marks.FILE).stat()
        except OSError:
            return None
        if self._seen == (told.st_mtime_ns, told.st_ino):
            return None
        self._seen = (told.st_mtime_ns, told.st_ino)
        return marks.read(self._folder)

    def clear_mark(self, name: str) -> None:
        """Forget a mark that is booked, unless its last exit is still at work. Raises OSError."""
        standing = marks.read(self._folder)
        if standing is not None and standing.outcome != "working" and standing.name == name:
            marks.clear(self._folder)
