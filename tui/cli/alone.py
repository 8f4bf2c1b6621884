"""What an engine of its own does while no console looks at it. No policy sells: a line that dropped
must not close positions.
"""

from typing import Literal

from engine.model.counts import counted
from engine.model.view import View

Policy = Literal["stay", "until-flat", "close"]
NOTICED = 60.0
"""Seconds after the last console left until somebody is told that nobody watches what is open."""


class Alone:
    """Looks now and then whether anybody looks; times in seconds of one clock."""

    def __init__(self, policy: Policy, after: float, now: float) -> None:
        self._policy = policy
        self._after = after
        self._since = self._flat_since = now
        self._came = self._told = False
        self._text = ""

    def look(self, now: float, consoles: int, view: View) -> str:
        """Why the engine ends now; empty where it goes on."""
        if consoles:
            self._came, self._told, self._since = True, False, now
        if consoles or view.open:
            self._flat_since = now
        quiet = now - self._since
        if self._came and not self._told and view.open and quiet >= NOTICED:
            self._told = True
            held = counted(sum(not p.dust for p in view.positions), "position")
            self._text = f"nobody watches {held} of {view.account.name}: the engine goes on"
        if self._policy == "until-flat" and now - self._flat_since >= self._after:
            return f"no console and nothing open for {self._after:g} s: it ends (engine.alone)"
        if self._policy == "close" and self._came and quiet >= self._after:
            return f"no console for {self._after:g} s: it ends (engine.alone); venue stops stay"
        return ""

    def to_tell(self) -> str:
        """What somebody outside is to hear now, once; empty where there is nothing."""
        text, self._text = self._text, ""
        return text
