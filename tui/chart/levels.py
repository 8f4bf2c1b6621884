"""Prices that deserve a line in a chart: what protects first, because that is what costs."""

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct

from engine.model.order import Role
from engine.model.position import Protection
from engine.model.price_alert import PriceAlert
from engine.model.view import OrderView, PositionView
from tui import figures
from tui.ladder.rows import order_price


class Level(Struct, frozen=True):
    """One price with its label, whole and short."""

    price: Decimal
    label: str
    short: str
    tone: str
    glyph: str = "┄"
    """Of its line; empty for none."""


def where(*, local: bool) -> str:
    """V where the venue watches it, L where this process does, and it ends with it."""
    return "L" if local else "V"


def of_position(p: PositionView) -> list[Level]:
    """Stop, liquidation, entry, targets with the part that leaves there, break-even."""
    tick, found = p.tick, []
    if p.stop is not None:
        at = f"{figures.exact(p.stop, tick)} {where(local=p.protection is not Protection.VENUE)}"
        word = "trail" if p.trailing else "stop"
        found.append(Level(p.stop, f"{word} {at}", f"S {at}", "danger"))
    if p.liquidation is not None:
        at = figures.price(p.liquidation, tick)
        found.append(Level(p.liquidation, f"liquidation {at}", f"L {at}", "danger", "╌"))
    at = figures.price(p.entry, tick)
    found.append(Level(p.entry, f"entry {at}", f"E {at}", "accent"))
    goals = [(price, size) for price, size in p.goals]
    if p.target is not None:
        rest = p.size - sum((size for _, size in goals), Decimal(0))
        goals.append((p.target, rest))
    for number, (price, size) in enumerate(goals, start=1):
        local = price != p.target or p.target_where != "venue"
        at = f"{figures.exact(price, tick)} {where(local=local)}"
        part = f" {figures.fixed(size / p.size * 100, 0)}%" if len(goals) > 1 and p.size else ""
        name = "target" if len(goals) == 1 else f"target {number}"
        found.append(Level(price, f"{name} {at}{part}", f"T{number} {at}", "good"))
    if p.break_even is not None:
        at = figures.price(p.break_even, tick)
        found.append(Level(p.break_even, f"b/e {at}", f"BE {at}", "dim", "·"))
    return found


def of_orders(orders: Iterable[OrderView], symbol: str, known: Iterable[Level]) -> list[Level]:
    """What rests in a symbol and is not drawn as a stop or a target already."""
    drawn, found = {level.price for level in known}, []
    for row in orders:
        order, price = row.order, order_price(row.order)
        if order.symbol != symbol or price is None:
            continue
        if order.role in (Role.STOP, Role.TARGET) and price in drawn:
            continue
        at, side = figures.exact(price, row.tick), order.side.value
        size = figures.size(order.remaining, row.lot)
        whose = "foreign " if order.foreign else ""
        label = f"{whose}{side} {size} at {at}"
        found.append(Level(price, label, f"{side[0].upper()} {at}", "key", "╌"))
    return found


def of_alerts(alerts: Iterable[PriceAlert], symbol: str) -> list[Level]:
    """Prices that somebody waits for."""
    return [
        Level(one.price, f"alert {one.words}", f"! {one.words}", "warn")
        for one in alerts
        if one.symbol == symbol
    ]


def of_last(price: Decimal, tick: Decimal) -> Level:
    """The price now."""
    text = figures.price(price, tick)
    return Level(price, f"{text} last", text, "strong", "")
