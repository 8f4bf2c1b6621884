"""What the cards of all intents share: lines by their part of the card, and figures in words."""

from decimal import Decimal

from msgspec.structs import replace

from engine.desk import totals
from engine.desk.context import Context
from engine.desk.previews.stakes import Stake
from engine.model.money import grouped, plain
from engine.model.order import Order, Trail
from engine.model.place import At, Away, InR, Place, Ticks, Worth
from engine.model.refusal import Refusal
from engine.model.view import SECTIONS, Preview, PreviewLine

Line = PreviewLine


def under(section: str, *lines: Line) -> list[Line]:
    """The lines as those of one part of the card."""
    return [replace(line, section=section) for line in lines]


def ordered(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines in the order of the card's parts."""
    return tuple(sorted(lines, key=lambda line: SECTIONS.index(line.section)))


def nobody(title: str, code: str, name: str) -> Preview:
    """The card about something that is not there."""
    return Preview(title, (), refusals=(Refusal(code, name),))


def money(amount: Decimal | None, currency: str) -> str:
    """An amount with its sign in words and figures, or that there is no rate."""
    if amount is None:
        return "no rate"
    return f"{'▲' if amount >= 0 else '▼'}{abs(amount):,.2f} {currency}"


def unbounded(amount: Decimal | None) -> str:
    """What is lost at stops, with two decimals; UNBOUNDED where nothing bounds it."""
    return "UNBOUNDED" if amount is None else f"{amount:,.2f}".replace("-", "−")


def at_stops(ctx: Context, before: Stake, after: Stake) -> list[Line]:
    """What all stops would cost, before and after, of what may be lost there."""
    bound = f" of {ctx.rules.risk.max_open_risk * totals.equity(ctx)[0]:,.2f}"
    shown = after.shown
    said = "no rate" if after.unrated and shown is not None else unbounded(shown) + bound
    tone = "bad" if shown is None or after.unrated else "plain"
    return under("at stops", Line("at stops", unbounded(before.shown) + bound, said, tone))


def price_or_none(price: Decimal | None) -> str:
    """A price, or that there is none."""
    return "none" if price is None else grouped(price)


def trail_text(trail: Trail | None) -> str:
    """A trail's distance, and from which profit it follows."""
    if trail is None:
        return "off"
    distance = (
        f"{trail.fraction * 100:f}".rstrip("0").rstrip(".") + "%"
        if trail.fraction is not None
        else grouped(trail.amount or Decimal(0))
    )
    if trail.begins is not None:
        return f"{distance} after {place_text(trail.begins)}"
    return distance if trail.after is None else f"{distance} after {trail.after:.2%}"


def place_text(place: Place) -> str:
    """A place as people write it."""
    match place:
        case At(price):
            return grouped(price)
        case Away(fraction):
            return f"{plain(fraction * 100)}%"
        case Ticks(count):
            return f"{plain(count)}t"
        case InR(multiple):
            return f"{plain(multiple)}r"
        case Worth(amount):
            return f"{grouped(amount)}$"


def order_text(order: Order) -> str:
    """An order in short: its side, what has not filled, and its price."""
    price = order.trigger if order.trigger is not None else order.price
    at = "" if price is None else f" at {grouped(price)}"
    return f"{order.side.value} {grouped(order.remaining)} {order.symbol}{at}"
