"""Windows to read: help, details of a thing, what happened."""

from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec import Struct
from textual.widget import Widget

from engine.model.view import View
from tui import figures
from tui.console import Console
from tui.flows.card import Sheet
from tui.flows.reading import Reading
from tui.lines import Line
from tui.plain import lines, plain


class Page(Reading):
    """Lines to read."""

    def __init__(
        self, console: Console, title: str, content: Callable[[View, int], Sequence[Line]]
    ) -> None:
        super().__init__(console)
        self.title_text = title
        self._content = content
        self.card = Sheet(console.palette, id="card")

    def body(self) -> Iterable[Widget]:
        """The lines."""
        yield self.card

    def refresh_body(self) -> None:
        """As they are now."""
        self.card.put(list(self._content(self.console.link.view, self.room)))

    def pressed(self, key: str) -> bool:
        """Scroll."""
        frame = self.query_one(".dialog")
        moves = {"j": 1, "down": 1, "k": -1, "up": -1, "space": 10, "pagedown": 10, "pageup": -10}
        if key in moves:
            frame.scroll_relative(y=moves[key], animate=False)
        elif key in ("G", "end"):
            frame.scroll_end(animate=False)
        elif key in ("g", "home"):
            frame.scroll_home(animate=False)
        else:
            return False
        return True

    def confirm(self) -> None:
        """Enter closes too."""
        self.dismiss_once()

    def keys_line(self) -> Line:
        """Reading needs few."""
        return (("j k", "key"), (" scroll   ", "dim"), ("esc", "key"), (" closes", "dim"))


def details(thing: Struct, room: int) -> list[Line]:
    """All fields of a thing, named as the model names them."""
    found: list[Line] = []
    for name in thing.__struct_fields__:
        value = getattr(thing, name)
        if isinstance(value, Struct):
            found.append(((name, "key"),))
            found.extend(((("  ", "plain"), *line)) for line in details(value, room - 2))
            continue
        head = name.replace("_", " ").ljust(18)
        texts = lines(said(name, value), max(room - 18, 20))
        found.append(((head, "dim"), (texts[0], "plain")))
        found.extend(((" " * 18, "dim"), (more, "plain")) for more in texts[1:])
    return found


def said(name: str, value: object) -> str:
    """A field's value in words."""
    if value is None:
        return figures.NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and (name == "at" or name.endswith("_at")):
        return figures.stamp(value) if value else figures.NONE
    if isinstance(value, int) and name.endswith("age"):
        return figures.lasted(value)
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value) or figures.NONE
    return plain(str(value)) or figures.NONE


def columns(console: Console, room: int) -> list[Line]:
    """Each column of the selected row, whether the list has room for it or not."""
    cells = console.row_cells()
    if not cells:
        return [(("nothing is selected any more", "faint"),)]
    found: list[Line] = []
    for title, text in cells:
        first, *rest = lines(text or figures.NONE, max(room - 12, 20))
        found.append(((f"{title:<12}", "dim"), (first, "plain")))
        found.extend(((" " * 12, "dim"), (more, "plain")) for more in rest)
    return found


def as_json(thing: Struct) -> str:
    """A thing as one line of JSON, for the clipboard."""
    return msgspec.json.encode(thing).decode()
