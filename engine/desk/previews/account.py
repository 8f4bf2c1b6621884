"""The cards of what concerns the account, an alert, a note or a difference, and moves no order of
its own.
"""

from engine.desk import price_alerts, totals
from engine.desk.context import LOOKING, SECOND, Context
from engine.desk.lockouts import at_entry
from engine.desk.previews import stakes
from engine.desk.previews.card import Line, at_stops, nobody, under
from engine.desk.previews.stakes import Stake
from engine.desk.truth import differences
from engine.model import intent as i
from engine.model.codes import BlockCode, RefusalCode
from engine.model.money import plain
from engine.model.view import Preview

OFF = "OFF: "
ON = "ON"
MEANS = {
    i.Settlement.ADOPT: "becomes a position of ours, without a stop of its own",
    i.Settlement.FORGET: "is booked as the venue has it",
    i.Settlement.FLATTEN: "is taken over and closed at market",
    i.Settlement.SEND: "leaves on our own books, without the venue's word",
}


def _entries(ctx: Context, *, add: str = "", drop: str = "") -> Line:
    """Whether entries pass, before and after."""
    blocks = at_entry(ctx)
    after = {code: text for code, text in blocks.items() if code != drop}
    texts = [*after.values(), *([add] if add else [])]
    halted = ctx.state.halted and drop != BlockCode.HALTED
    if halted:
        texts = ["halted by you", *texts]
    before = [*(["halted by you"] if ctx.state.halted else []), *blocks.values()]
    return Line(
        "entries",
        OFF + "; ".join(before) if before else ON,
        OFF + "; ".join(texts) if texts else ON,
        "bad" if texts else "good",
    )


def _same(ctx: Context) -> list[Line]:
    """What all stops cost stays as it is."""
    total = stakes.total(ctx)
    return at_stops(ctx, total, total)


def paused(ctx: Context, _: i.Pause) -> Preview:
    """Entries stop."""
    add = "" if BlockCode.PAUSED in ctx.state.blocks else "paused by the operator"
    ends = Line("ends", "", "with :resume")
    return Preview("Pause entries", (_entries(ctx, add=add), _exits(), ends, *_same(ctx)))


def _exits() -> Line:
    return Line("exits", "", "stops, targets and closes go on")


def resumed(ctx: Context, intent: i.Resume) -> Preview:
    """A reason is cleared."""
    lines = [_entries(ctx, drop=intent.reason)]
    if intent.reason == BlockCode.HALTED:
        lines.append(Line("by itself", "nothing", "stops, targets and trails act again"))
    return Preview(f"Clear {intent.reason}", (*lines, *_same(ctx)))


def live(ctx: Context, _: i.GoLive) -> Preview:
    """Entries pass on a live account."""
    return Preview(
        f"Live trading on {ctx.state.account}",
        (_entries(ctx, drop=LOOKING), *_loss_left(ctx), *_same(ctx)),
        ("orders are real from now on, until this process ends",),
    )


def _loss_left(ctx: Context) -> list[Line]:
    left = totals.loss_left(ctx, totals.measured(ctx))
    if left is None:
        return []
    return under("risk", Line("loss limit left", f"{left:,.2f}", f"{left:,.2f}"))


def halted(ctx: Context, _: i.Halt) -> Preview:
    """Nothing acts by itself any more."""
    after, bare = Stake(), []
    total = stakes.total(ctx)
    for position in ctx.state.positions.values():
        then = stakes.halted(ctx, position)
        after = after.plus(then).plus(stakes.held(ctx, position), -1)
        if then.unbounded and position.protection.value == "guarded":
            bare.append(position.symbol)
    now = "nothing" if ctx.state.halted else "stops, targets and trails act"
    add = "" if ctx.state.halted else "halted by you"
    return Preview(
        "Halt",
        (
            _entries(ctx, add=add),
            Line("by itself", now, "nothing: exits only on your hand", "bad"),
            Line("at the venue", "", "orders that rest there stay"),
            Line("ends", "", "with :unhalt"),
            *at_stops(ctx, total, total.plus(after)),
        ),
        tuple(f"the stop of {symbol} is LOCAL: nobody acts on it then" for symbol in bare),
    )


def acknowledged(ctx: Context, intent: i.Acknowledge) -> Preview:
    """An alert has been read."""
    alert = ctx.state.alerts.get(intent.alert)
    if alert is None:
        return nobody("Acknowledge", RefusalCode.UNKNOWN_ALERT, intent.alert)
    before = "stands" if alert.acknowledged_at is None else "acknowledged"
    return Preview(
        "Acknowledge",
        (
            Line("alert", "", alert.text),
            Line("state", before, "acknowledged; it stands until its cause is gone"),
        ),
    )


def awaited(ctx: Context, intent: i.SetPriceAlert) -> Preview:
    """A price is waited for."""
    waits = price_alerts.awaited(ctx, intent)
    quote = ctx.quote(intent.symbol)
    lines = [Line("price alert", "", waits.told)]
    if quote is not None:
        lines.append(Line("market", f"{plain(quote.bid)} / {plain(quote.ask)}", ""))
    lines.append(Line("works", "", "LOCAL: while this engine runs"))
    return Preview(f"Price alert {intent.symbol}", tuple(lines))


def awaited_no_more(ctx: Context, intent: i.CancelPriceAlert) -> Preview:
    """A price is waited for no longer."""
    waits = ctx.state.price_alerts.get(intent.alert)
    if waits is None:
        return nobody("Cancel price alert", RefusalCode.UNKNOWN_PRICE_ALERT, intent.alert)
    return Preview(
        f"Cancel price alert #{waits.number}",
        (Line(waits.symbol, waits.told, "nothing is waited for"),),
    )


def noted(ctx: Context, intent: i.Annotate) -> Preview:
    """A position's note and tags."""
    state = ctx.state
    position = state.positions.get(intent.position) or state.closed.get(intent.position)
    if position is None:
        return nobody("Note", RefusalCode.UNKNOWN_POSITION, intent.position)
    return Preview(
        f"Note on {position.symbol}",
        (
            Line("note", position.note or "none", intent.note or "none"),
            Line("tags", " ".join(position.tags) or "none", " ".join(intent.tags) or "none"),
        ),
    )


def compared(ctx: Context, _: i.Reconcile) -> Preview:
    """The venue is asked for the account."""
    at = ctx.state.reconciled_at
    last = "never" if not at else f"{(ctx.now - at) / SECOND:.0f} s ago"
    asks = "orders, executions, balances" + (" and positions" if ctx.state.nets else "")
    return Preview(
        "Compare with the venue",
        (Line("asks for", "", asks), Line("compared last", last, "now"), *_same(ctx)),
    )


def resolved(ctx: Context, intent: i.Resolve) -> Preview:
    """A difference is settled."""
    picture = ctx.board.picture
    found = {} if picture is None else {one.subject: one for one in differences(ctx, picture)}
    holding = found.get(intent.subject)
    lines = [Line(intent.subject, "", MEANS[intent.action])]
    if holding is not None:
        lines.insert(0, Line("ours → theirs", plain(holding.ours), plain(holding.theirs)))
    warnings = {
        i.Settlement.ADOPT: ("a position without a stop is NAKED until it has one",),
        i.Settlement.SEND: ("if ours are gone, it sells of your own, or opens the other side",),
    }
    return Preview(f"Settle {intent.subject}", tuple(lines), warnings.get(intent.action, ()))


def withdrawn(ctx: Context, intent: i.Withdraw) -> Preview:
    """What was asked is taken back."""
    known = intent.asked in ctx.state.answers
    before = "answered" if known else "not answered yet"
    after = "stays as answered" if known else "refused from now on"
    return Preview("Take back", (Line(intent.asked, before, after),))
