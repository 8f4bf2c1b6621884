"""The lines around a ladder: template, sizes, what the cursor means, and what keys do."""

from decimal import Decimal

from rich.cells import cell_len

from engine.model.side import Side
from engine.model.view import Preview
from tui import figures
from tui.ladder.sending import KEYS
from tui.ladder.state import Ladder
from tui.lines import Line, Part

KEYS_ARMED = (
    "«ladder-buy» «ladder-sell» at cursor  «ladder-join-bid» «ladder-improve-bid» join/improve bid"
    "  «ladder-join-ask» «ladder-improve-ask» ask  «ladder-buy-market» «ladder-sell-market» market"
)
PRESETS = 4


def template_line(ladder: Ladder) -> Line:
    """What every entry takes, and how many ticks a row has."""
    name, told = ladder.template_name(), ladder.template_settings()
    parts = [f"stop {told.stop}"] if told.stop else []
    parts += [f"T{number} {one}" for number, one in enumerate(told.targets, start=1)]
    parts += [f"b/e {told.be}"] if told.be else []
    parts += [f"trail {told.trail}"] if told.trail else []
    window = ladder.window
    group = f"group {figures.price(window.step, window.tick)}" if window.group else ""
    if not name:
        return ((f" {group}", "dim"), ("   no template: «ladder-template» chooses one", "warn"))
    return (
        (f" template {name}: {' · '.join(parts) or 'says nothing'}", "plain"),
        (f"   {group}", "dim"),
    )


def size_line(ladder: Ladder, currency: str) -> Line:
    """The presets, the chosen one reversed, and the cap."""
    presets = ladder.options.presets[:PRESETS]
    parts: list[Part] = [(" size ", "dim")]
    for number, text in enumerate(presets, start=1):
        parts.append(
            (f" «ladder-size-{number}»: {text} ", "paper" if text == ladder.size_text else "plain")
        )
    if ladder.size_text and ladder.size_text not in presets:
        parts.append((f" {ladder.size_text} ", "paper"))
    if not ladder.size_text:
        parts.append((" none: «ladder-size» types one ", "warn"))
    cap = ladder.rules.cap
    parts.append((f"  cap {cap:,.0f} {currency}" if cap is not None else "  no cap", "dim"))
    return tuple(parts)


def side_at(ladder: Ladder) -> Side:
    """What a limit at the cursor would be, if it is to rest: a buy below the market."""
    best, cursor = ladder.best(), ladder.window.cursor
    if best is None or cursor is None:
        return Side.BUY
    return Side.BUY if cursor <= best[0] else Side.SELL


def cursor_line(ladder: Ladder, currency: str, now: float) -> Line:
    """What stands under the cursor, or what the next enter does."""
    window, grab, waiting = ladder.window, ladder.grab, ladder.waits(now)
    if window.cursor is None:
        return ()
    price = figures.price(window.cursor, window.tick)
    if waiting is not None:
        key = KEYS[waiting.what].words("")
        return (
            (f" {key} {ladder.size_text}: {waiting.why}. enter sends it, esc drops it", "notice"),
        )
    if grab is not None:
        before = figures.exact(grab.price, window.tick)
        cost = tokens(ladder.offer)
        return (
            (
                f" {grab.kind} {before} → {price}   enter sends one change{cost}, esc lets go",
                "busy",
            ),
        )
    side = side_at(ladder)
    held = ladder.position
    leaves = held is not None and held.side is not side
    said = f" cursor {price} = {side.value.upper()} LIMIT {ladder.size_text or 'no size'}"
    if leaves:
        return ((f"{said}: leaves, never more than is held", "plain"),)
    return ((said, "plain"), *_worth(ladder, currency, window.cursor))


def _worth(ladder: Ladder, currency: str, price: Decimal) -> list[Part]:
    """What an entry there is worth, and what it loses at its stop."""
    notional, offer = ladder.notional(price), ladder.offer
    parts: list[Part] = []
    if notional is not None:
        parts.append((f", {figures.fixed(notional, 2)} {currency}", "dim"))
    if offer is None:
        return parts
    if offer.refusals:
        return [*parts, (f", refused: {offer.refusals[0].text}", "bad")]
    lost = "UNBOUNDED" if offer.risk is None else f"−{figures.fixed(offer.risk, 2)}"
    return [*parts, (f", {lost} at its stop", "plain" if offer.risk is not None else "bad")]


def tokens(offer: Preview | None) -> str:
    """What a change costs of the venue's counters."""
    lines = [] if offer is None else [one for one in offer.lines if one.section == "tokens"]
    told = ", ".join(f"{one.name} {one.before}" for one in lines if one.before)
    return f" ({told})" if told else ""


def age(ladder: Ladder) -> str:
    """How old the book is."""
    told, frame = ladder.told, ladder.frame
    if told is None or frame is None:
        return ""
    return f"book age {figures.short(max(told.now - told.at, 0))}"


def fits(text: str, room: int) -> str:
    """Words that fit whole, or none."""
    return text if cell_len(text) <= room else ""
