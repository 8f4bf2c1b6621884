"""Sabotages of what is told: halts that can't be seen, quits that say nothing, key maps that fall
as a whole, questions without an answer.
"""

from collections.abc import Mapping, Sequence

from engine.desk import events as e
from engine.desk import rows
from engine.desk.state import State
from engine.desk.told import Told
from tests.support.sabotage import Patch, sabotage
from tui.command import Command
from tui.flows import dialog, leave
from tui.keys import KeyMap
from tui.screen import MainScreen

HALT = "tests/told/test_halt_and_quit.py"
ANSWERS = "tests/told/test_answers.py"
COMMANDS = "tests/console/test_commands.py"


@sabotage(
    "H101",
    "a target that nobody watches looks watched",
    test=f"{HALT}::test_while_halted_a_target_and_a_trail_are_watched_by_nobody_and_said_so",
)
def watch_in_words(patch: Patch) -> None:
    patch.setattr(rows, "idle", lambda ctx, position: False)


@sabotage(
    "H107",
    "a quit names what stays and not what ends",
    test=f"{HALT}::test_the_quit_sheet_lists_what_ends_and_what_goes_on[target-size0]",
)
def quit_in_silence(patch: Patch) -> None:
    patch.setattr(leave, "stops", lambda view: [])


@sabotage(
    "H107",
    "one key ends what protects",
    test=f"{HALT}::test_the_quit_sheet_lists_what_ends_and_what_goes_on[naked-size0]",
)
def quit_at_once(patch: Patch) -> None:
    patch.setattr(leave, "dangerous", lambda view: False)


@sabotage(
    "H108",
    "one bad entry discards the whole key map",
    test=f"{COMMANDS}::test_a_bad_entry_is_refused_alone_and_the_rest_is_used",
)
def discard_the_map(patch: Patch) -> None:
    made = KeyMap.__init__

    def make(self: KeyMap, commands: Sequence[Command], own: Mapping[str, str]) -> None:
        made(self, commands, own)
        if self.errors:
            self.map = {command.id: command.key for command in commands}

    patch.setattr(KeyMap, "__init__", make)


@sabotage(
    "H108",
    "a key map may take flatten's key",
    test=f"{COMMANDS}::test_whatever_a_map_says_every_command_keeps_a_key_and_flatten_has_one",
)
def take_the_key(patch: Patch) -> None:
    patch.setattr(KeyMap, "_collision", lambda self, used: None)


@sabotage(
    "H108",
    "what is refused is said once, and gone",
    test=f"{COMMANDS}::test_each_bad_entry_is_named_until_it_is_acknowledged",
)
def say_it_once(patch: Patch) -> None:
    patch.setattr(MainScreen, "complain", lambda self, texts: self.say("; ".join(texts), "bad"))


@sabotage(
    "H111", "a comparison ends in silence", test=f"{ANSWERS}::test_a_comparison_counts_what_it_saw"
)
def compare_in_silence(patch: Patch) -> None:
    def silent(event: e.Reconciled, state: State, intent: str) -> Told:
        return Told("said", "plain", "asking the venue", intent)

    patch.setattr("engine.desk.telling.compared", silent)


@sabotage(
    "H111",
    "a refusal is said beneath the dialog",
    test=f"{ANSWERS}::test_what_the_venue_refuses_is_said_in_the_dialog_that_asked[_move]",
)
def hear_only_answers(patch: Patch) -> None:
    patch.setattr(dialog, "FAILED", frozenset())
