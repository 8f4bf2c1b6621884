"""Prices that a person wants to be told of: set, cancelled, and told once when the market is
there. They move no money, and so neither a halt nor a flatten ends them.
"""

from engine.desk import events as e
from engine.desk.context import Context, Events, alert
from engine.desk.entries import accept, refuse
from engine.desk.sizing import usable
from engine.desk.state import PRICE_ALERTS
from engine.model import intent as i
from engine.model.codes import AlertCode, RefusalCode
from engine.model.price_alert import PriceAlert
from engine.model.refusal import Refusal


def awaited(ctx: Context, intent: i.SetPriceAlert) -> PriceAlert:
    """The alert that an intent sets."""
    number = ctx.state.numbered + 1
    return PriceAlert(
        intent.id,
        intent.symbol,
        intent.price,
        _rises(ctx, intent),
        ctx.now,
        number,
        intent.text,
    )


def watch(ctx: Context, intent: i.SetPriceAlert) -> Events:
    """Wait for a price."""
    against = _refusal(ctx, intent)
    if against is not None:
        yield from refuse(ctx, intent, against.code, against.value, against.bound)
        return
    waits = awaited(ctx, intent)
    text = f"price alert #{waits.number} set: {waits.symbol} {waits.told}"
    yield from accept(ctx, intent, text, waits.id)
    yield e.PriceAlertSet(ctx.now, waits)


def _rises(ctx: Context, intent: i.SetPriceAlert) -> bool:
    """From which side the price is to come: as it was said, else from where the market is."""
    quote = ctx.quote(intent.symbol)
    if intent.rises is not None or quote is None:
        return bool(intent.rises)
    return intent.price >= quote.mid


def _refusal(ctx: Context, intent: i.SetPriceAlert) -> Refusal | None:
    quote, state = ctx.quote(intent.symbol), ctx.state
    if intent.symbol not in state.instruments:
        known = ", ".join(sorted(state.instruments))
        return Refusal(RefusalCode.UNKNOWN_SYMBOL, intent.symbol, known)
    if not usable(intent.price):
        return Refusal(RefusalCode.NOT_A_NUMBER, f"price {intent.price}", "a price above zero")
    if len(state.price_alerts) >= PRICE_ALERTS:
        return Refusal(RefusalCode.TOO_MANY_ALERTS, f"{len(state.price_alerts)}", f"{PRICE_ALERTS}")
    if quote is None:
        # from which side it comes can't be told, nor whether it is there already
        return Refusal(RefusalCode.NO_PRICE, intent.symbol)
    rises = _rises(ctx, intent)
    if quote.bid >= intent.price if rises else quote.ask <= intent.price:
        market = f"{quote.bid:f}" if rises else f"{quote.ask:f}"
        return Refusal(RefusalCode.ALERT_REACHED, f"{intent.price:f}", market)
    return None


def cancel(ctx: Context, intent: i.CancelPriceAlert) -> Events:
    """Wait for a price no longer."""
    waits = ctx.state.price_alerts.get(intent.alert)
    if waits is None:
        known = ", ".join(f"#{one.number}" for one in ctx.state.price_alerts.values())
        yield from refuse(
            ctx, intent, RefusalCode.UNKNOWN_PRICE_ALERT, intent.alert, known or "none"
        )
        return
    text = f"price alert #{waits.number} cancelled: {waits.symbol} {waits.words}"
    yield from accept(ctx, intent, text, waits.id)
    yield e.PriceAlertEnded(ctx.now, waits.id)


def crossed(ctx: Context, name: str) -> Events:
    """The market is where a person wanted to be told of: say so once, and wait for it no longer."""
    waits = ctx.state.price_alerts.get(name)
    if waits is None:
        return
    yield e.PriceAlertEnded(ctx.now, waits.id)
    yield from alert(ctx, AlertCode.PRICE_ALERT, waits.symbol, waits.told, f"#{waits.number}")
