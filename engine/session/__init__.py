"""The engine's public face for a console: what it may see and ask, wherever the engine runs."""

from decimal import Decimal
from typing import Protocol

from engine.model.intent import AnyIntent
from engine.model.quote import Candle
from engine.model.view import Answer, Preview, View


class Session(Protocol):
    """A console's line to an engine: in this process, or over the control socket of another one."""

    @property
    def read_only(self) -> bool:
        """Whether intents are refused because somebody else holds the account."""
        ...

    def view(self) -> View:
        """Everything, now. Cheap enough for every frame; never blocks."""
        ...

    def preview(self, intent: AnyIntent) -> Preview:
        """What the intent would do, without doing it. Cheap enough for 5 Hz."""
        ...

    async def ask(self, intent: AnyIntent) -> Answer:
        """Ask for it. Returns as soon as the desk has decided; outcomes follow as notices."""
        ...

    def candles(self, symbol: str, interval: int, count: int) -> tuple[Candle, ...]:
        """The last candles of a symbol, oldest first; the interval in nanoseconds."""
        ...

    def equity(self, count: int) -> tuple[tuple[int, Decimal], ...]:
        """The last samples of the equity, oldest first: nanoseconds and amount."""
        ...

    def trouble(self, code: str, subject: str, text: str) -> None:
        """Raise an alert of the console's own, by its code; an empty `text` cures it. It blocks nothing."""
        ...

    async def close(self) -> None:
        """Leave in order: what is on the way is waited for, everything is durable, nothing is left running."""
        ...
