"""Sabotages of the hands: keys that overtake each other, clicks beside what they hit, dialogs that
listen to what was not meant for them.
"""

import re

from textual import events
from textual.screen import Screen
from textual.widget import Widget

from tests.support.sabotage import Patch, sabotage
from tui.editing import EDITS, Editing
from tui.field import Field
from tui.flows.dialog import Dialog
from tui.hands import Hands
from tui.screen import MainScreen

CONSOLE = "tests/console/test_hands.py"
MOUSE = "tests/terminal/test_mouse.py"


@sabotage(
    "H106",
    "editing keys run behind the characters that were typed after them",
    test=f"{CONSOLE}::test_what_is_typed_behind_the_key_that_opens_a_dialog_is_in_its_field",
)
def let_characters_overtake(patch: Patch) -> None:
    take = Field.take_key

    def late(self: Field, event: events.Key) -> bool:
        if event.key not in EDITS:
            return take(self, event)
        self.call_later(take, self, event)
        return True

    patch.setattr(Field, "take_key", late)


@sabotage(
    "H106",
    "a field gets the focus some messages after its dialog was opened",
    test=f"{CONSOLE}::test_what_is_typed_behind_the_key_that_opens_a_dialog_is_in_its_field",
)
def focus_later(patch: Patch) -> None:
    def set_focus(
        self: Dialog,
        widget: Widget | None,
        scroll_visible: bool = True,
        from_app_focus: bool = False,
    ) -> None:
        self.app.call_later(Screen.set_focus, self, widget, scroll_visible, from_app_focus)

    patch.setattr(Dialog, "set_focus", set_focus)


@sabotage(
    "H106",
    "a ticket hears of a changed amount after the enter behind it",
    test=f"{CONSOLE}::test_an_order_that_was_changed_is_not_placed_by_the_second_enter",
)
def tell_later(patch: Patch) -> None:
    def done(self: Field, before: str) -> None:
        self._draw()
        if self.line.text != before:
            self.call_later(self.told)

    patch.setattr(Field, "_done", done)


@sabotage(
    "H106",
    "a dialog is armed at once",
    test=f"{CONSOLE}::test_an_enter_typed_ahead_confirms_nothing",
)
def arm_at_once(patch: Patch) -> None:
    patch.setattr(Dialog, "armed", lambda self, at: True)


@sabotage(
    "H106",
    "a dialog that nobody can see is armed",
    test=f"{CONSOLE}::test_a_dialog_is_armed_only_when_the_terminal_has_taken_it",
)
def arm_unseen(patch: Patch) -> None:
    patch.setattr(MainScreen, "is_seen", lambda self: True)


@sabotage(
    "H106",
    "what was typed for a dialog that has closed by itself acts behind it",
    test=f"{CONSOLE}::test_keys_meant_for_a_dialog_that_closes_by_itself_are_forgotten",
)
def remember_keys(patch: Patch) -> None:
    patch.setattr(Hands, "forget", lambda self: None)


@sabotage(
    "H106",
    "a paste goes in as far as there is room",
    test=f"{CONSOLE}::test_a_paste_never_submits_and_never_goes_in_in_part",
)
def cut_pastes(patch: Patch) -> None:
    def paste(self: Editing, text: str) -> str:
        self.insert(re.sub(r"\s+", " ", text.strip())[: self.most - len(self.text)])
        return ""

    patch.setattr(Editing, "paste", paste)


@sabotage(
    "H106",
    "a click counts the border for a row",
    test=f"{MOUSE}::test_each_row_that_is_seen_can_be_clicked",
)
def click_beside(patch: Patch) -> None:
    # in the console's own process; see `tests/terminal/switched.py`
    patch.setenv("SWITCHED", "beside")


@sabotage(
    "H106",
    "a key overtakes the click before it",
    test=f"{MOUSE}::test_a_key_right_behind_a_click_is_about_the_row_that_was_clicked",
)
def overtake_clicks(patch: Patch) -> None:
    patch.setenv("SWITCHED", "hasty")
