"""A dialog that is a screen of its own: from there a key goes to each other screen."""

from textual import events

from tui.field import Field
from tui.flows.dialog import Dialog


class Reading(Dialog):
    """As large as the terminal, below the strip."""

    wide = True

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]  # those of the dialog
        self.add_class("reading")

    def take_key(self, event: events.Key) -> bool:
        """Keys of screens work here as on the main one, unless a field takes them."""
        name = "" if isinstance(self.focused, Field) else self.console.screen_of(event.key)
        if not name:
            return super().take_key(event)
        self.console.instead(name)
        return True
