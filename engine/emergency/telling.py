"""What the last exit says at the end: a line for each thing that is held, rests, was left alone, or
belongs to nobody known.
"""

from decimal import Decimal

from engine.clock import SECOND
from engine.emergency.gathering import Gathering
from engine.emergency.holding import Left
from engine.emergency.sending import Sender
from engine.model.counts import counted
from engine.model.money import ZERO, plain


def describe(
    lefts: list[Left], told: Gathering, sender: Sender, spent: int, *, flat: bool, coins: bool
) -> list[str]:
    """The lines, what matters most first."""
    done = (
        f"{counted(sender.closed, 'close')} sent, {counted(sender.cancelled, 'order')} cancelled,"
        f" in {spent / SECOND:.1f} s"
    )
    lines = [f"the venue says flat: {done}" if flat else f"NOT FLAT: {done}"]
    for left in lefts:
        lines += _of(left, told, sender, coins=coins)
    for row in told.rows():
        lines.append(
            f"{row.symbol}: our order rests: {row.text or row.client_order_id}"
            f" ({row.venue_order_id})"
        )
    for sent in sender.unresolved.values():
        lines.append(
            f"{sent.order.symbol}: what became of our order {sent.order.client_order_id} is not"
            " known"
        )
    for row in told.foreign():
        lines.append(
            f"{row.symbol or 'an order'}: not ours, left alone: {row.text} ({row.venue_order_id})"
        )
    for currency in () if told.holdings is None else told.holdings.unread:
        lines.append(f"{currency}: nothing here trades it, and its balance can't be read")
    for part, trouble in told.complaints.items():
        lines.append(f"{part} not answered: {trouble}")
    if not flat and len(lines) == 1:
        lines.append("nothing of ours was seen any more, but no two pictures agreed in time")
    if not flat:
        lines.append(
            "nobody watches this now: look at it at the venue, and run `flatout flatten --yes`"
            " again"
        )
    return lines


def _of(left: Left, told: Gathering, sender: Sender, *, coins: bool) -> list[str]:
    symbol, lines = left.symbol, []
    what = left.symbol if left.on_margin else left.instrument.base
    stop = any(row.symbol == symbol for row in told.rows())
    if left.closable:
        beside = "another process may still send for this account: coins are not sold"
        why = sender.refusals.get(symbol, "") if coins or left.on_margin else beside
        guard = "a stop rests at the venue" if stop else "NAKED: no stop rests at the venue"
        lines.append(
            f"{symbol}: still held: {plain(left.closable)} of ours; {guard}"
            + (f"; {why}" if why else "")
        )
    if left.stuck:
        guard = "its stop was left" if stop else "NAKED: no stop rests at the venue"
        lines.append(
            f"{symbol}: still held: {plain(left.stuck)} of ours{_worth(left, told, left.stuck)},"
            f" below the {plain(left.instrument.min_size)} that the venue says it trades; {guard}"
        )
    if left.beyond:
        lines.append(
            f"{symbol}: {plain(left.beyond)} {what}{_worth(left, told, left.beyond)} is"
            " unattributable: nothing says whether it is ours;"
            f" `flatout flatten --yes --all-of {symbol}` closes it, too"
        )
    if left.short:
        worth = _worth(left, told, left.short)
        lines.append(
            f"{symbol}: our orders sold {plain(-left.short)} {what}{worth} more than is known to be"
            " ours: a short, or coins that had lain here; nothing says which, so that is not"
            " bought back: look at it at the venue"
        )
    if left.alone:
        lines.append(f"{symbol}: {plain(left.alone)} {what} is not ours and was left alone")
    if left.dust and not left.closable:
        lines.append(f"{symbol}: {plain(left.dust)} is below what the venue trades and stays")
    if left.missing and not left.closable and not left.short and abs(left.missing) > abs(left.dust):
        lines.append(f"{symbol}: {plain(left.missing)} that our books have is not at the venue")
    return lines


def _worth(left: Left, told: Gathering, size: Decimal) -> str:
    quote = told.quote(left.symbol)
    if quote is None:
        return ""
    value = left.instrument.notional(abs(size), quote.mid)
    return "" if value == ZERO else f" (about {value:,.2f} {left.instrument.quote})"
