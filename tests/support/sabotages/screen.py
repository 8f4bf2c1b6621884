"""Sabotages of the screen's room: a terminal that is waited for, input that is believed, an opening
that gives up or keeps its reason.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator

from textual._xterm_parser import XTermParser
from textual.message import Message

from engine.session import opening
from engine.setup import environments
from engine.setup.questions import T, Told, answered
from engine.venues.protocol import RefusedError
from tests.support.sabotage import Patch, sabotage
from tui.decoder import Decoder
from tui.writer import TerminalWriter


def _console(patch: Patch, switch: str) -> None:
    """A console in another process is sabotaged there; see `tests/terminal/switched.py`."""
    patch.setenv("SWITCHED", switch)


@sabotage(
    "H104",
    "a write waits for the terminal",
    test="tests/terminal/test_writer.py::test_a_write_never_waits",
)
def wait_for_the_terminal(patch: Patch) -> None:
    write = TerminalWriter.write

    def waiting(self: TerminalWriter, text: str) -> None:
        while self._size and self._ends_at is None:
            time.sleep(0.01)
        write(self, text)

    patch.setattr(TerminalWriter, "write", waiting)


@sabotage(
    "H104",
    "what was lost stays lost",
    test="tests/terminal/test_writer.py::test_what_was_lost_is_painted_again",
)
def leave_the_screen_in_pieces(patch: Patch) -> None:
    def recover(self: TerminalWriter) -> None:
        self._lost = False
        self._stuck_since = None

    patch.setattr(TerminalWriter, "_recover", recover)


@sabotage(
    "H104",
    "the event loop waits for the terminal, and with it the engine and SIGTERM",
    test="tests/terminal/test_stalled.py::test_sigterm_leaves_within_two_seconds_and_the_terminal_is_restored",
)
def write_on_the_loop(patch: Patch) -> None:
    _console(patch, "textual")


@sabotage(
    "H104",
    "nobody is told that the terminal has stopped reading",
    test="tests/terminal/test_stalled.py::test_the_engine_goes_on_says_so_and_the_screen_is_whole_afterwards",
)
def stall_in_silence(patch: Patch) -> None:
    _console(patch, "silent")


@sabotage(
    "H105",
    "what is not understood is typed, key by key",
    test="tests/terminal/test_decoder.py::test_what_is_broken_is_nothing",
)
def type_what_is_broken(patch: Patch) -> None:
    def feed(self: Decoder, data: bytes) -> Iterator[Message]:
        self.__dict__.setdefault("_naive", XTermParser())
        yield from self.__dict__["_naive"].feed(data.decode("utf-8", "replace"))

    patch.setattr(Decoder, "feed", feed)


@sabotage(
    "H105",
    "one byte that is no UTF-8 ends the console",
    test="tests/terminal/test_input.py::test_broken_input_does_nothing_and_the_keys_work_on",
)
def die_of_a_byte(patch: Patch) -> None:
    _console(patch, "textual")


@sabotage(
    "H105",
    "a panic leaves the engine as it is, and ends with 0",
    test="tests/terminal/test_panic.py::test_a_panic_closes_the_engine_in_order",
)
def panic_and_run(patch: Patch) -> None:
    _console(patch, "careless")


@sabotage(
    "H120",
    "a question of the opening is asked once",
    test="tests/session/test_opening.py::test_the_first_reply_to_each_question_is_lost_and_the_account_opens[kraken]",
)
def ask_once(patch: Patch) -> None:
    async def once(question: str, ask: Callable[[], Awaitable[T]], told: Told) -> T:
        del question, told
        return await ask()

    patch.setattr(environments, "answered", once)


@sabotage(
    "H120",
    "a refusal is asked for again",
    test="tests/session/test_opening.py::test_a_wrong_secret_ends_the_opening_at_once",
)
def ask_for_ever(patch: Patch) -> None:
    async def for_ever(question: str, ask: Callable[[], Awaitable[T]], told: Told) -> T:
        while True:
            with contextlib.suppress(RefusedError):
                return await answered(question, ask, told)
            await asyncio.sleep(1)

    patch.setattr(environments, "answered", for_ever)


@sabotage(
    "H120",
    "nobody is told what the opening waits for",
    test="tests/session/test_opening.py::test_the_first_reply_to_each_question_is_lost_and_the_account_opens[krakenfutures]",
)
def wait_in_silence(patch: Patch) -> None:
    patch.setattr(opening, "note", lambda settings, home, event, text, level: None)


@sabotage(
    "H130",
    "any output is taken for a terminal",
    test="tests/terminal/test_no_terminal.py::test_a_dumb_terminal_is_one_sentence_and_exit_code_2",
)
def paint_anywhere(patch: Patch) -> None:
    _console(patch, "trusting")


@sabotage(
    "H130",
    "a failed opening leaves an exit code",
    test="tests/terminal/test_no_terminal.py::test_a_journal_that_is_none_is_told_after_the_terminal_is_restored",
)
def leave_without_a_word(patch: Patch) -> None:
    _console(patch, "mute")
