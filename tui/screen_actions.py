"""What the commands of screens, layouts and symbols do."""

from tui.arrangements import LADDER
from tui.console import Console
from tui.flows import pages
from tui.flows.screens import ScreensMenu


def next_symbol(console: Console) -> None:
    """`>`."""
    console.say(f"focus: {console.focus_symbol(1) or 'no prices yet'}")


def previous_symbol(console: Console) -> None:
    """`<`."""
    console.say(f"focus: {console.focus_symbol(-1) or 'no prices yet'}")


def main(console: Console) -> None:
    """F2: all panes, and the positions listen."""
    console.say(f"layout {console.arrangements.main()}")


def ladder_screen(console: Console) -> None:
    """F3: ladder, positions, chart; F2 goes back to the layout before."""
    console.say(f"layout {console.arrangements.use(LADDER)}")
    console.focus_pane("ladder")


def next_layout(console: Console) -> None:
    """F8."""
    console.say(f"layout {console.arrangements.next()}")


def zoom(console: Console) -> None:
    """`z`."""
    console.say(console.arrangements.zoom())


def columns(console: Console) -> None:
    """`.`: also those that have no room, as they are at each moment."""
    console.open(pages.Page(console, "All columns", lambda _, room: pages.columns(console, room)))


def screens(console: Console) -> None:
    """`,`."""
    console.open(ScreensMenu(console))
