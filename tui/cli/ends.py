"""What ends with a command that opened an engine for itself: all that only this process watched."""

from engine.model.position import Protection
from engine.model.side import Side
from engine.model.view import View


def ends_with_us(view: View) -> list[str]:
    """A sentence for each position of which something stops working now."""
    found = []
    for p in view.positions:
        ends = []
        if p.stop is not None and p.protection is not Protection.VENUE:
            ends.append("stop")
        if p.target_where == "local":
            ends.append("target")
        if p.trail_where == "local":
            ends.append("trail")
        if ends and not p.dust:
            side = "long" if p.side is Side.BUY else "short"
            words = " and ".join(ends)
            found.append(f"! {p.symbol} {side}: {words} LOCAL, and no engine runs from now on")
    return found
