"""An account's engine as a child of the console: started or found by it, watched by it, and not
ended by its end.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable

from engine.account.home import Home
from engine.account.running import running
from engine.model.secrets import masked
from engine.session.attached import AttachedSession
from engine.session.client import ControlError
from engine.session.messages import Counters
from tui.cli.common import Common

OUT = "engine.out"
"""What it writes to standard output and error, in the account's home: nobody's terminal."""
POLL = 0.05
"""Seconds between two looks at whether it answers."""
LOOK = 0.25
"""Seconds between two looks at whether it has ended."""
FOUND_DEAD = 5.0
"""Seconds for which nobody holds the account after an engine died that we only found: who started
it, be it another console or systemd, comes first.
"""
AGAIN = (0.0, 1.0, 5.0)
"""Seconds before each attempt to start one that failed; then a person is asked."""
HEALTHY = 60.0
"""Seconds of life after which the attempts are counted anew."""
LONGEST = 1 << 18
"""Bytes of its output after which the next one begins anew."""
LAST = 4_096
"""Bytes of its output that may hold why it ended."""
HELD = 3
NOT_AGAIN = (0, HELD, 4)
"""Exit codes after which it is not started again: told to end; somebody else has the account."""


class EngineFailedError(Exception):
    """The engine ended before it answered; the text is its own last line."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def command_of(common: Common, account: str, *, alone_is_said: bool) -> tuple[str, ...]:
    """The command line of an account's engine, for the same settings as ours."""
    words = [sys.executable, "-m", "tui.cli"]
    if common.settings is not None:
        words += ["--settings", str(common.settings.resolve())]
    if common.home is not None:
        words += ["--home", str(common.home.resolve())]
    for flag in common.flags:
        words += ["--set", flag]
    if not alone_is_said:
        words += ["--set", "engine.alone=until-flat"]
    words += ["--account", account]
    for name, said in (("--new", common.new), ("--take-over", common.take_over)):
        words += [name] if said else []
    return (*words, *(("--dead",) if common.dead else ()), "serve")


class Child:
    """The engine's process."""

    def __init__(self, command: tuple[str, ...], home: Home) -> None:
        self._command = command
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self.started = False
        """Whether this console started one."""
        self._stopped = ""
        self._asked = False
        """Whether a session with it was asked for before."""
        self._wanted = asyncio.Event()
        """Set once a person wants it to be started again."""

    @property
    def stopped(self) -> str:
        """Why it is not started again by itself; empty while it runs, or will be."""
        ended = self._process is None and not self._home.session.exists()
        if self._stopped or not ended or running(self._home.folder) is not None:
            return self._stopped
        return "the engine ended in order"

    def start(self) -> None:
        """Start it where none runs: in a session of its own, so that nothing of the terminal
        reaches it. Raises OSError.
        """
        if running(self._home.folder) is not None:
            return
        path, how = self._home.folder / OUT, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        descriptor = os.open(path, how, 0o600)
        if os.fstat(descriptor).st_size > LONGEST:
            os.ftruncate(descriptor, 0)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this very program
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                start_new_session=True,
            )
        finally:
            os.close(descriptor)
        self.started, self._began = True, time.monotonic()

    async def session(self, fps: int, waiting: Callable[[str, str], None]) -> AttachedSession:
        """A console's session with it, once it is open; `waiting` hears what that waits for. Raises
        EngineFailedError where it ends first.
        """
        try:
            if self._asked:
                self.again()
            self._asked = True
            return await self._session(fps, waiting)
        except BaseException:
            self.end()
            raise

    def again(self) -> None:
        """A person wants it to run: where it has ended, start it. Raises OSError."""
        if self._process is not None and self._process.poll() is not None:
            self._process = None
            self.start()
        elif self.stopped:
            self.start()
        self._stopped = ""
        self._wanted.set()

    async def _session(self, fps: int, waiting: Callable[[str, str], None]) -> AttachedSession:
        while True:
            holder = self._home.holder()
            try:
                session = await AttachedSession.open(self._home.session, holder.text, "trade", fps)
            except ControlError as error:
                self._check(error)
                await asyncio.sleep(POLL)
                continue
            try:
                if await self._is_open(session, waiting):
                    return session
            except BaseException:
                await session.close()
                raise
            await session.close()

    async def _is_open(self, session: AttachedSession, waiting: Callable[[str, str], None]) -> bool:
        """Wait until it answers more than that it is starting; False where it went away."""
        asking = asyncio.get_running_loop().create_task(session.query(Counters()))
        try:
            while True:
                done, _ = await asyncio.wait({asking}, timeout=4 * POLL)
                if done:
                    try:
                        asking.result()
                    except ControlError as error:
                        self._check(error)
                        return False
                    return True
                self._check(None)
                reasons = session.view().reasons
                if reasons:
                    waiting("the engine", reasons[0].text)
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    def _check(self, error: Exception | None) -> None:
        code = None if self._process is None else self._process.poll()
        if code == HELD or self._came_second(code):  # we attach to the engine of whoever was faster
            self._process, self.started = None, False
        elif code is not None:
            raise EngineFailedError(self.last_words(), code if code > 0 else 1)
        elif self._process is None and error is not None:
            held = f"{self._home.holder().text} holds the account and does not answer"
            raise ControlError(f"{held}; `flatout flatten --yes` works all the same") from error

    def _came_second(self, code: int | None) -> bool:
        """Whether ours ended because another one has the account; that one may be too young to
        answer, which ours takes for a failure.
        """
        return bool(code) and running(self._home.folder) is not None

    def last_words(self) -> str:
        """The last line that it wrote."""
        try:
            with (self._home.folder / OUT).open("rb") as file:
                file.seek(max(file.seek(0, os.SEEK_END) - LAST, 0))
                lines = file.read().decode(errors="replace").split("\n")
        except OSError:
            lines = []
        said = next((line for line in reversed(lines) if line.strip()), "it said nothing")
        return masked(said.removeprefix("flatout serve: the engine could not be opened: "))

    def end(self) -> None:
        """After an opening that failed or was left: what we started ends in order."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    async def watch(self, say: Callable[[str, str], None]) -> None:
        """Start it again when it fails, a few times, be it ours or one that we found, and then once
        a person wants that; `say` hears it, with a tone. Starting is recovery, so this is always
        safe.
        """
        failed = 0
        while True:
            how = await self._failed()
            if time.monotonic() - self._began > HEALTHY:
                failed = 0
            if not how or failed >= len(AGAIN):
                await self._until_wanted(failed if how else 0, say)
                failed = 0
                continue
            say(f"the engine {how}: it is started again", "warn")
            await asyncio.sleep(AGAIN[failed])
            failed += 1
            while running(self._home.folder) is not None:  # noqa: ASYNC110  # the last exit, or another console's engine
                await asyncio.sleep(LOOK)
            self._process = None
            self.start()

    async def _until_wanted(self, failed: int, say: Callable[[str, str], None]) -> None:
        """Leave it alone until a person wants it; `failed` attempts were in vain, none of one that
        ended in order.
        """
        self._wanted.clear()
        self._stopped = "the engine ended in order"
        if failed:
            self._stopped = f"the engine failed {failed} times: {self.last_words()}"
            more = "«retry» starts it again, F9 flattens past it; `flatout serve` in a shell says"
            say(f"{self._stopped}; {more} more", "bad")
        await self._wanted.wait()

    async def _failed(self) -> str:
        """Wait until the engine has failed, and say how; empty where it is not started again."""
        while self._process is not None:
            code = self._process.poll()
            if code is None:
                await asyncio.sleep(LOOK)
            elif self._came_second(code):
                self._process, self.started = None, False
            else:
                return "" if code in NOT_AGAIN else f"ended (code {code})"
        return await self._found_dead()

    async def _found_dead(self) -> str:
        """The same of an engine that we only found. One that ends in order takes its socket along;
        one that dies leaves it behind.
        """
        dead = 0.0
        while dead < FOUND_DEAD:
            await asyncio.sleep(LOOK)
            if self._process is not None:  # a person wanted it
                return await self._failed()
            died = running(self._home.folder) is None and self._home.session.exists()
            dead = dead + LOOK if died else 0.0
        return "died"
