"""`F` in a console that only looks on: the last exit, in a process of its own. Its lines are shown;
leaving the sheet stops nothing.
"""

import asyncio

from tui.console import Console
from tui.flows.card import said
from tui.flows.flatten import WORD, WordSheet
from tui.lines import Line
from tui.plain import plain

SHOWN = 12
"""Lines of it that are shown, the last ones."""
ENDED = {
    0: ("flat", "good"),
    1: ("NOT FLAT: read each line, and look at the venue", "bad"),
    2: ("it could not be tried", "bad"),
}
UNREACHED = 255
"""The exit code of ssh where it has no line, or lost it."""
RUNNING: set["asyncio.Task[None]"] = set()
"""Held while they run: a sheet that is left takes nothing with it."""


class LastExitSheet(WordSheet):
    """Typed, then a process."""

    title_text = "FLATTEN EVERYTHING, PAST THE ENGINE IF IT DOES NOT ACT"

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._lines: list[str] = []

    def refresh_body(self) -> None:
        """What it will do, then what it does."""
        self._entry.display = self.phase == "open"
        if self.phase == "open":
            self.card.put(
                [
                    self._whose(),
                    (
                        (
                            (
                                "asks the engine that holds it; where that does not act, it is"
                                " ended and everything is closed"
                                + (", there, by ssh" if self.console.options.elsewhere else "")
                            ),
                            "dim",
                        ),
                    ),
                ]
            )
        else:
            self.card.put(
                said(tuple(plain(line) for line in self._lines[-SHOWN:]), "  ", "plain", self.room)
            )

    def _whose(self) -> Line:
        """The account that is closed; while it opens only its name is known here, and the first
        line of the process says the rest.
        """
        view, elsewhere = self.console.context().view, self.console.options.elsewhere
        if view is None and elsewhere:
            return ((f"{plain(elsewhere)}, which is being opened", "plain"),)
        if view is None:
            command = self.console.options.last_exit
            name = (
                command[command.index("--account") + 1]
                if "--account" in command
                else "this account"
            )
            return ((f"{plain(name)}, which is being opened", "plain"),)
        account = view.account
        return (
            (
                (
                    f"{plain(account.name)} on {plain(account.venue)},"
                    f" {'LIVE' if account.live else 'PAPER'}"
                ),
                "danger" if account.live else "plain",
            ),
        )

    def confirm(self) -> None:
        """Only the word will do."""
        if not self.is_typed():
            self.report(f"type {WORD}, then enter", "bad")
            return
        command = self.console.options.last_exit
        if not command:
            self.report(
                "this console does not know its account's command; run `flatout flatten --yes` in a"
                " shell",
                "bad",
            )
            return
        self.phase = "sent"
        self.report("the last exit works …", "busy")
        task = asyncio.get_running_loop().create_task(self._run(command), name="last exit")
        RUNNING.add(task)
        task.add_done_callback(RUNNING.discard)

    async def _run(self, command: tuple[str, ...]) -> None:
        """The process, in a session of its own: it outlives this console."""
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=pipe,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            self._end(f"it can't be started: {error}", "bad")
            return
        assert process.stdout is not None
        async for line in process.stdout:
            self._lines.append(line.decode(errors="replace").rstrip())
        code, elsewhere = await process.wait(), self.console.options.elsewhere
        words, tone = ENDED.get(code, ("it ended by itself: look at the venue", "bad"))
        if code == UNREACHED and elsewhere:
            words = (
                f"no line to {plain(elsewhere)}, or it broke: what works at the venue works on;"
                " close at the exchange itself, or F9 again"
            )
        self._end(words, tone)

    def _end(self, words: str, tone: str) -> None:
        self.phase = "done"
        self.console.say(f"last exit: {words}", tone)
        self.report(words, tone)

    def enter_words(self) -> str:
        """What enter does."""
        return "flattens, once the word is typed"

    def keys_line(self) -> Line:
        """Leaving is not stopping."""
        if self.phase == "sent":
            return (("esc", "key"), (" leaves this sheet; the last exit goes on", "dim"))
        return super().keys_line()
