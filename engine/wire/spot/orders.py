"""Orders as Kraken spot is asked for them: form fields in, an order and its terms out; or the error
text.

WebSocket v2 says the same in other words (`fields_of` turns them into form fields), so that there
is one way in.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from msgspec import Struct

from engine.clock import SECOND
from engine.model.money import ONE, ZERO, is_on_grid
from engine.model.order import Order, OrderType, Role, TimeInForce
from engine.model.side import Side
from engine.wire.spot.errors import OrderError, invalid
from engine.wire.spot.fields import NUMBER, number
from engine.wire.spot.order_prices import RELATIVE, prices_of, told_back
from engine.wire.spot.pairs import Pair, Pairs
from engine.wire.terms import Terms

TYPES = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "iceberg": OrderType.LIMIT,
    "stop-loss": OrderType.STOP,
    "stop-loss-limit": OrderType.STOP_LIMIT,
    "take-profit": OrderType.TAKE_PROFIT,
    "take-profit-limit": OrderType.TAKE_PROFIT,
    "trailing-stop": OrderType.TRAILING_STOP,
    "trailing-stop-limit": OrderType.TRAILING_STOP,
    "settle-position": OrderType.MARKET,
}
FLAGS = frozenset({"post", "fcib", "fciq", "nompp", "viqc"})
SELF_TRADES = frozenset({"cancel-newest", "cancel-oldest", "cancel-both"})
PREVENTION = "cancel-newest"
"""What happens to an order that would trade with its own account, unless it says otherwise
(AddOrder `stptype`, read 2026-11).
"""
OFF_GRID = "EOrder:Tick size check failed"
DEADLINE_LEAST, DEADLINE_MOST = 2 * SECOND, 60 * SECOND
SOCKET_LEAST = SECOND // 2
"""On a socket it may be nearer."""
USERREF = re.compile(r"-?[0-9]{1,10}")
_CLIENT = re.compile(r"[\x21-\x7e]{1,18}")
_HEX = re.compile(r"[0-9a-fA-F]{32}")


class Wanted(Struct, frozen=True):
    """An order that makes sense; whether it is taken is for the matching engine to say."""

    order: Order
    terms: Terms
    pair: Pair
    validate: bool
    starts_at: int | None = None
    """When it is to begin (nanoseconds); None: at once."""


class Market(Struct, frozen=True):
    """What relative prices and positions go by."""

    last: Callable[[str], Decimal | None]
    held: Callable[[str], Decimal]


def parse(
    fields: Mapping[str, str], pairs: Pairs, market: Market, now: int, least: int = DEADLINE_LEAST
) -> Wanted:
    """Form fields of AddOrder. Raises OrderError."""
    pair = pairs.find(fields.get("pair", ""))
    if pair is None:
        raise OrderError("EQuery:Unknown asset pair")
    side, kind = _side(fields), fields.get("ordertype", "")
    if kind not in TYPES:
        raise invalid("ordertype")
    flags = tuple(flag for flag in fields.get("oflags", "").split(",") if flag)
    if not FLAGS.issuperset(flags):
        raise invalid("oflags")
    reference = market.last(pair.symbol)
    price, trigger, trail = prices_of(fields, kind, side, pair, reference)
    leverage = _leverage(fields, pair)
    reduce_only = _flag(fields, "reduce_only")
    if reduce_only and leverage is None:
        raise OrderError("EOrder:Reduce only:Non-margin order")
    terms = _terms(fields, kind, flags, pair, leverage)
    size = _size(fields, kind, flags, pair, market, reference)
    order = Order(
        *("-", "", pair.symbol, side, TYPES[kind], Role.ENTRY, size),
        price=price,
        trigger=trigger,
        trail=trail,
        time_in_force=TimeInForce[terms.in_force],
        post_only="post" in flags,
        reduce_only=reduce_only or kind == "settle-position",
        leverage=leverage,
        expires_at=_expiry(fields, now),
        deadline=deadline(fields, now, least),
    )
    starts_at = _time(fields, "starttm", now)
    if starts_at is not None and order.expires_at is not None and order.expires_at <= starts_at:
        raise invalid("starttm")
    return Wanted(order, terms, pair, _flag(fields, "validate"), starts_at)


def refused(wanted: Wanted, text: str) -> OrderError:
    """Why the matching engine refused an order, in the exchange's words: a price with more digits
    than the pair has is told as was recorded.
    """
    pair, finest = wanted.pair, Decimal(1).scaleb(-wanted.pair.price_decimals)
    levels = (wanted.order.price, wanted.order.trigger)
    if text == OFF_GRID and any(
        level is not None and not is_on_grid(level, finest) for level in levels
    ):
        text = (
            f"EOrder:Invalid price:{pair.wsname} price can only be specified up to"
            f" {pair.price_decimals} decimals."
        )
    return OrderError(text)


def _terms(
    fields: Mapping[str, str],
    kind: str,
    flags: tuple[str, ...],
    pair: Pair,
    leverage: Decimal | None,
) -> Terms:
    """What the client said of an order that our own orders have no word for. Raises OrderError."""
    in_force = fields.get("timeinforce", "GTC").upper()
    if in_force not in ("GTC", "IOC", "GTD", "FOK"):
        raise invalid("timeinforce")
    if fields.get("stptype") and fields["stptype"] not in SELF_TRADES:
        raise invalid("stptype")
    if in_force == "GTD" and fields.get("expiretm", "0") in ("", "0"):
        raise invalid("expiretm")
    client, userref = _client(fields)
    return Terms(
        client=client,
        kind=kind,
        userref=userref,
        flags=flags,
        trigger=_signal(fields),
        price=told_back(fields, "price", pair),
        price2=told_back(fields, "price2", pair),
        close=_close(fields),
        display=number(fields, "displayvol"),
        leverage="none" if leverage is None else f"{leverage:f}:1",
        in_force=in_force,
        prevention=fields.get("stptype") or PREVENTION,
    )


def _side(fields: Mapping[str, str]) -> Side:
    try:
        return Side(fields.get("type", ""))
    except ValueError:
        raise invalid("type") from None


def _flag(fields: Mapping[str, str], name: str) -> bool:
    text = fields.get(name, "false").lower()
    if text not in ("true", "false", "1", "0", ""):
        raise invalid(name)
    return text in ("true", "1")


def _size(
    fields: Mapping[str, str],
    kind: str,
    flags: tuple[str, ...],
    pair: Pair,
    market: Market,
    reference: Decimal | None,
) -> Decimal:
    if kind == "settle-position":
        held = market.held(pair.symbol)
        if not held or Side(fields["type"]).sign == (1 if held > ZERO else -1):
            raise OrderError("EOrder:No position exists")
        return abs(held)
    size = number(fields, "volume")
    if size is None or size <= ZERO:
        raise invalid("volume")
    if "viqc" in flags:
        if kind != "market" or reference is None:
            raise invalid("oflags")
        size = pair.instrument.round_size(size / reference)
        if size <= ZERO:
            raise OrderError("EOrder:Order minimum not met")
    elif not is_on_grid(size, pair.instrument.lot):
        raise invalid("volume")
    return size


def _leverage(fields: Mapping[str, str], pair: Pair) -> Decimal | None:
    text = fields.get("leverage", "none").removesuffix(":1")
    if text in ("none", "", "0", "1"):
        return None
    if not NUMBER.fullmatch(text):
        raise invalid("leverage")
    found = Decimal(text)
    if not ONE < found <= pair.instrument.max_leverage:
        raise invalid("leverage")
    return found


def _client(fields: Mapping[str, str]) -> tuple[str, int | None]:
    client = fields.get("cl_ord_id", "")
    text = fields.get("userref", "")
    if client and text:
        raise invalid("cl_ord_id and userref are mutually exclusive")
    if client and not (_CLIENT.fullmatch(client) or _HEX.fullmatch(client) or _is_uuid(client)):
        raise invalid("cl_ord_id")
    if text and not USERREF.fullmatch(text):
        raise invalid("userref")
    return client, int(text) if text else None


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _signal(fields: Mapping[str, str]) -> str:
    found = fields.get("trigger", "last")
    if found not in ("last", "index"):
        raise invalid("trigger")
    return found


def _expiry(fields: Mapping[str, str], now: int) -> int | None:
    return _time(fields, "expiretm", now)


def _time(fields: Mapping[str, str], name: str, now: int) -> int | None:
    """A time to come, in Unix seconds or as `+` so many seconds; None where there is none."""
    text = fields.get(name, "0")
    if text in ("", "0"):
        return None
    try:
        at = now + int(text[1:]) * SECOND if text.startswith("+") else int(text) * SECOND
    except ValueError:
        raise invalid(name) from None
    if not now < at < 1 << 63:
        raise invalid(name)
    return at


def deadline(fields: Mapping[str, str], now: int, least: int = DEADLINE_LEAST) -> int | None:
    """Until when a request may be carried out. Raises OrderError."""
    text = fields.get("deadline", "")
    if not text:
        return None
    at = nanoseconds(text)
    if at is None:
        raise invalid("deadline")
    if at < now:
        raise OrderError("EService:Deadline elapsed")
    if not now + least <= at <= now + DEADLINE_MOST:
        raise invalid("deadline")
    return at


def nanoseconds(text: str) -> int | None:
    """RFC 3339 as nanoseconds since 1970; None where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.tzinfo is None:
        return None
    since = found - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


def _close(fields: Mapping[str, str]) -> tuple[str, str, str] | None:
    kind = fields.get("close[ordertype]", "")
    if not kind:
        return None
    if kind not in TYPES or kind in ("market", "settle-position", "iceberg"):
        raise invalid("close[ordertype]")
    if not RELATIVE.fullmatch(fields.get("close[price]", "")):
        raise invalid("close[price]")
    return kind, fields["close[price]"], fields.get("close[price2]", "0") or "0"


# WebSocket v2 says the same in other words.
