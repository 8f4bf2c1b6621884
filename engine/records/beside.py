"""Words for events that are no step of an order, a position or an intent."""

from collections.abc import Mapping
from decimal import Decimal

from engine.desk import events as e
from engine.model.counts import counted
from engine.model.money import grouped


def words(event: e.AnyEvent) -> str:
    """An event in words; its name where it has none of its own."""
    match event:
        case e.CashReported(cash=cash):
            return f"the venue's balances: {_amounts(cash)}"
        case e.Rebased(amount=amount):
            return f"money came or went: {amount:+f}"
        case e.DayBegan(equity=equity):
            return f"a UTC day began with an equity of {grouped(equity)}"
        case e.NetSettled(symbol=symbol, net=net):
            return f"settled: the venue holds {grouped(net.size)} {symbol}"
        case e.LeftElsewhere(symbol=symbol, size=size):
            return f"not ours and left alone: {grouped(size)} {symbol}"
        case e.StoodIn(fill=fill):
            what = f"{fill.side.value} {grouped(fill.size)} {fill.symbol}"
            return f"settled without an execution: {what} at {grouped(fill.price)}"
        case e.StandInUsed(name=name, size=size):
            return f"an execution explains {grouped(size)} of {name}"
        case e.OrphanCancelled(order=order):
            return f"cancel an order of ours that no journal knows: {order.client_order_id}"
        case e.FlattenAsked():
            return "ours is flat: the venue is asked"
        case _:
            return _unexplained(event)


def _unexplained(event: e.AnyEvent) -> str:
    match event:
        case e.Unexplained(subject=subject, text=text):
            return f"unexplained: {subject}: {text}"
        case e.Explained(subject=subject):
            return f"explained: {subject}"
        case e.HoldingUnexplained(currency=currency, amount=amount):
            return f"unexplained: {grouped(amount)} {currency}"
        case e.LeftAlone(subject=subject):
            return f"left alone by your word: {subject}"
        case e.MarkFound(name=name, orders=orders):
            return f"a last exit was at work: {name}, {counted(len(orders), 'order')}"
        case e.MarkBooked():
            return "what the last exit did is booked"
        case e.StopRetrySet():
            return "the stop may be tried again"
        case e.DustLeft():
            return "no dust is left"
        case _:
            return str(event.__struct_config__.tag).replace("-", " ")


def _amounts(cash: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{grouped(amount)} {name}" for name, amount in cash.items()) or "nothing"
