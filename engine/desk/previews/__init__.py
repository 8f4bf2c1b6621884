"""What an intent would do if it were asked now, without doing it: a card for each kind of intent,
with the same parts in the same order.

`preview` is the door: the lines come from a file per theme (`entries`, `stops`, `exits`, `orders`,
`account`), the refusals from the intent's own rule (`trial`), so that they are the answer's.
`stakes` is what all stops would cost before and after; `costs` what the venue would be asked.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from engine.desk.context import Context
from engine.desk.previews import account, entries, exits, orders, stops, trial
from engine.desk.previews.card import money, ordered
from engine.desk.previews.costs import requests_for
from engine.model import intent as i
from engine.model.view import Preview

__all__ = ["CARDS", "money", "preview", "requests_for"]


def preview(ctx: Context, intent: i.AnyIntent, late: int = 0) -> Preview:
    """The card of any intent; `late`: by how many nanoseconds its deadline is over."""
    card = CARDS[type(intent)](ctx, intent)
    against = trial.answer(ctx, intent, late).refusals
    return replace(card, lines=ordered(card.lines), refusals=against)


CARDS: dict[type, Callable[[Context, Any], Preview]] = {
    i.OpenBracket: entries.opened,
    i.MoveStop: stops.moved,
    i.MoveTarget: stops.aimed,
    i.SetTrail: stops.trailed,
    i.BreakEven: stops.evened,
    i.ClosePosition: exits.closed,
    i.LeaveAt: exits.left_at,
    i.Reverse: exits.reversed_,
    i.AmendOrder: orders.amended,
    i.CancelOrder: orders.cancelled,
    i.CancelSymbol: orders.all_cancelled,
    i.CancelAll: orders.all_cancelled,
    i.Pause: account.paused,
    i.Resume: account.resumed,
    i.GoLive: account.live,
    i.Halt: account.halted,
    i.Flatten: exits.flat,
    i.SetPriceAlert: account.awaited,
    i.CancelPriceAlert: account.awaited_no_more,
    i.Acknowledge: account.acknowledged,
    i.Annotate: account.noted,
    i.Reconcile: account.compared,
    i.Resolve: account.resolved,
    i.Withdraw: account.withdrawn,
}
"""From a kind of intent to its card; a test holds it against `engine.desk.intents.HANDLERS`."""
