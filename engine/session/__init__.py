"""The engine's public face for a console: what it may see and ask, wherever the engine runs.

Read `messages` first: what is said, as plain values (`deltas` what changed between two views; the
model has `visits`, what consoles say of themselves, and `played`, what is said of a recording).
`opening` finds a session or makes one: `local` is an engine in this process (`starting`, `taking`
and `establish` are its steps, `standing_by` waits for them; `queries` and `depths` answer
what no view holds, `remembering` keeps what charts show), `server` says the same over a socket of
this machine, a line of JSON each, and `client` is its other end. Consoles in other processes have a
socket of their own: `frames` is what is said there, `ends` are both sides of it without I/O,
`hosting` the engine's side (`guests` is what consoles are to the account), `attached` the
console's, over the connections of `lines`. This face imports none of them: a console that only
looks needs no engine.
"""

from typing import Protocol

from engine.model.intent import AnyIntent
from engine.model.view import Answer, View
from engine.session.messages import Query, QueryError, Told, Welcome

__all__ = ["Query", "QueryError", "Session", "Told", "Welcome"]


class Session(Protocol):
    """A console's line to an engine: in this process, or over the control socket of another one."""

    @property
    def read_only(self) -> bool:
        """Whether intents are refused because somebody else holds the account."""
        ...

    def view(self) -> View:
        """Everything, now. Cheap enough for every frame; never blocks."""
        ...

    async def ask(self, intent: AnyIntent) -> Answer:
        """Ask for it. Returns as soon as the desk has decided; outcomes follow as notices."""
        ...

    def hello(self) -> Welcome:
        """Who has the account, and which version of the protocol it speaks."""
        ...

    async def query(self, query: Query) -> Told:
        """What no view holds: a preview, rows of the read models, a timeline, counters, candles,
        depth, notices that were missed.

        Raises QueryError where there is no answer.
        """
        ...

    def silent_for(self) -> float:
        """Seconds since the engine showed a view, counted while this process ran; 0 where it is
        this process.
        """
        ...

    def trouble(self, code: str, subject: str, text: str) -> None:
        """Raise an alert of the console's own, by its code; an empty `text` cures it. It blocks
        nothing.
        """
        ...

    async def take(self) -> str:
        """Ask to trade from now on; why not, or empty where that is so."""
        ...

    async def end(self, *, alone: bool = False) -> str:
        """Ask the engine to end in order where that is another process; why not, or empty. `alone`:
        only where no other console is attached and nothing is open.
        """
        ...

    async def close(self) -> None:
        """Leave in order: what is on the way is waited for, everything is durable, nothing is left
        running.
        """
        ...
