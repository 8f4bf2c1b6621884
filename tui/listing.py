"""What keys do to the panes of the main screen: part of the `Console` that commands act on."""

from tui.board import Board
from tui.panes.pane import Pane
from tui.plain import plain


class Listing:
    """The main screen's, whose board and last-action line it uses."""

    board: Board

    def say(self, text: str, tone: str = "plain") -> None:
        """The last-action line."""
        raise NotImplementedError

    def focus_pane(self, pane: str) -> None:
        """Make a pane listen."""
        self.board.listen(pane)

    def select(self, pane: str, key: str) -> bool:
        """Put a list's cursor on a key and make it listen."""
        grid = self.board.grid(pane)
        if grid is None:
            return False
        if key not in grid.keys:
            grid.narrow("")
        found = grid.select(key)
        if found:
            self.board.listen(pane)
        return found

    def list_do(self, what: str) -> None:
        """Move, sort, show all."""
        self.pane_do(self.board.listening, what)

    def under_way(self) -> int | None:
        """The number of the wait or the work that is selected in Activity."""
        return self.board.activity.under_way

    def pane(self, name: str) -> Pane:
        """A pane by its id."""
        return self.board.panes[name]

    def pane_do(self, pane: str, what: str) -> None:
        """What a pane's own key does."""
        said = self.board.panes[pane].do(what)
        if said:
            self.say(said)

    def narrow(self, wanted: str) -> None:
        """Filter the list that listens."""
        grid = self.board.grid(self.board.listening)
        if grid is not None:
            grid.narrow(wanted)

    def chart_do(self, what: str) -> None:
        """Turn, finer, coarser, or an interval such as 5m."""
        if not self.board.chart.choose(what):
            self.pane_do("chart", what)

    def rows(self, pane: str) -> tuple[list[str], list[list[str]]]:
        """Titles and rows of a list as text."""
        grid = self.board.grid(pane)
        if grid is None:
            return [], []
        return [column.title for column in grid.columns], [grid.cells(row) for row in grid.rows()]

    def row_cells(self) -> list[tuple[str, str]]:
        """Title and text of each column of the selected row; empty where none is."""
        grid = self.board.grid(self.board.listening)
        row = grid.row if grid is not None else None
        if grid is None or row is None:
            return []
        titles = [column.title for column in grid.columns]
        return list(zip(titles, map(plain, grid.cells(row)), strict=True))
