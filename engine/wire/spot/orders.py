"""Orders as Kraken spot is asked for them: form fields in, an order and its terms out; or the error text.

WebSocket v2 says the same in other words (`fields_of` turns them into form fields), so that there is one way in.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

from engine.clock import SECOND
from engine.model.money import ONE, ZERO, is_on_grid
from engine.model.order import Order, OrderType, Role, TimeInForce, Trail
from engine.model.side import Side
from engine.wire.spot.pairs import Pair, Pairs
from engine.wire.world import Terms

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
LIMITED = frozenset({"limit", "iceberg"})
TWO_PRICES = frozenset({"stop-loss-limit", "take-profit-limit"})
FLAGS = frozenset({"post", "fcib", "fciq", "nompp", "viqc"})
SELF_TRADES = frozenset({"cancel-newest", "cancel-oldest", "cancel-both"})
PREVENTION = "cancel-newest"
"""What happens to an order that would trade with its own account, unless it says otherwise (AddOrder `stptype`, read 2026-11)."""
OFF_GRID = "EOrder:Tick size check failed"
DEADLINE_LEAST, DEADLINE_MOST = 2 * SECOND, 60 * SECOND
SOCKET_LEAST = SECOND // 2
"""On a socket it may be nearer."""
USERREF = re.compile(r"-?[0-9]{1,10}")
DIGITS = 20
"""More of them are no price and no size."""
_NUMBER = re.compile(rf"[+\-]?[0-9]{{1,{DIGITS}}}(?:\.[0-9]{{0,{DIGITS}}})?(?:[eE][+\-]?[0-9]{{1,2}})?")
_RELATIVE = re.compile(rf"([+\-#]?)([0-9]{{1,{DIGITS}}}(?:\.[0-9]{{1,{DIGITS}}})?)(%?)")
_CLIENT = re.compile(r"[\x21-\x7e]{1,18}")
_HEX = re.compile(r"[0-9a-fA-F]{32}")


class OrderError(Exception):
    """What is wrong, in Kraken's words."""


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


def invalid(name: str) -> OrderError:
    """The error about a field."""
    return OrderError(f"EGeneral:Invalid arguments:{name}")


def number(fields: Mapping[str, str], name: str) -> Decimal | None:
    """A field that is a number; None where it is missing or zero-like. Raises OrderError."""
    text = fields.get(name, "")
    if text in ("", "0"):
        return None
    if not _NUMBER.fullmatch(text):
        raise invalid(name)
    return Decimal(text)


def level(text: str, name: str, side: Side, pair: Pair, reference: Decimal | None) -> Decimal:
    """A price that may be relative to the last one: `+5`, `-1%`, `#10`. Raises OrderError."""
    match = _RELATIVE.fullmatch(text)
    if match is None:
        raise invalid(name)
    sign, digits, percent = match.groups()
    if not sign:
        if percent:
            raise invalid(name)
        return Decimal(digits)
    if reference is None:
        raise invalid(name)
    distance = reference * Decimal(digits) / 100 if percent else Decimal(digits)
    away = distance if sign == "+" or (sign == "#" and side is Side.SELL) else -distance
    return pair.instrument.round_price(reference + away)


def offset(text: str, name: str) -> tuple[Decimal, bool]:
    """A signed distance, and whether it is a percentage. Raises OrderError."""
    match = _RELATIVE.fullmatch(text)
    if match is None or not match.group(1):
        raise invalid(name)
    value = Decimal(match.group(2))
    return (-value if match.group(1) == "-" else value), bool(match.group(3))


def parse(fields: Mapping[str, str], pairs: Pairs, market: Market, now: int, least: int = DEADLINE_LEAST) -> Wanted:
    """Form fields of AddOrder. Raises OrderError."""
    pair = pairs.find(fields.get("pair", ""))
    if pair is None:
        raise OrderError("EQuery:Unknown asset pair")
    side = _side(fields)
    kind = fields.get("ordertype", "")
    if kind not in TYPES:
        raise invalid("ordertype")
    flags = tuple(flag for flag in fields.get("oflags", "").split(",") if flag)
    if not FLAGS.issuperset(flags):
        raise invalid("oflags")
    reference = market.last(pair.symbol)
    price, trigger, trail = _prices(fields, kind, side, pair, reference)
    leverage = _leverage(fields, pair)
    reduce_only = _flag(fields, "reduce_only")
    if reduce_only and leverage is None:
        raise OrderError("EOrder:Reduce only:Non-margin order")
    terms = _terms(fields, kind, flags, pair, leverage)
    order = Order(
        "-",
        "",
        pair.symbol,
        side,
        TYPES[kind],
        Role.ENTRY,
        _size(fields, kind, flags, pair, market, reference),
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
    """Why the matching engine refused an order, in the exchange's words: a price with more digits than the pair has is told as was recorded."""
    pair, finest = wanted.pair, Decimal(1).scaleb(-wanted.pair.price_decimals)
    levels = (wanted.order.price, wanted.order.trigger)
    if text == OFF_GRID and any(level is not None and not is_on_grid(level, finest) for level in levels):
        text = f"EOrder:Invalid price:{pair.wsname} price can only be specified up to {pair.price_decimals} decimals."
    return OrderError(text)


def _terms(fields: Mapping[str, str], kind: str, flags: tuple[str, ...], pair: Pair, leverage: Decimal | None) -> Terms:
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
        price=_told(fields, "price", pair),
        price2=_told(fields, "price2", pair),
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


def _size(fields: Mapping[str, str], kind: str, flags: tuple[str, ...], pair: Pair, market: Market, reference: Decimal | None) -> Decimal:
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


def _prices(
    fields: Mapping[str, str], kind: str, side: Side, pair: Pair, reference: Decimal | None
) -> tuple[Decimal | None, Decimal | None, Trail | None]:
    first, second = fields.get("price", ""), fields.get("price2", "")
    if kind in ("market", "settle-position"):
        return None, None, None
    if first in ("", "0"):
        raise invalid("price")
    if kind.startswith("trailing"):
        return None, None, _trail(first, second, kind, side, pair, reference)
    price = level(first, "price", side, pair, reference)
    if kind in LIMITED:
        return price, None, None
    if kind not in TWO_PRICES:
        return None, price, None
    if second in ("", "0"):
        raise invalid("price2")
    if second[0] in "+-#":  # relative to the trigger
        return level(second, "price2", side, pair, price), price, None
    return level(second, "price2", side, pair, reference), price, None


def _trail(first: str, second: str, kind: str, side: Side, pair: Pair, reference: Decimal | None) -> Trail:
    distance, percent = offset(first, "price")
    if distance <= ZERO:
        raise invalid("price")
    limit = None
    if kind == "trailing-stop-limit":
        limit, relative = offset(second, "price2")
        if relative:
            if reference is None:
                raise invalid("price2")
            limit = reference * limit / 100
    elif second not in ("", "0"):
        raise invalid("price2")
    try:
        return Trail(fraction=distance / 100, limit=limit) if percent else Trail(amount=distance, limit=limit)
    except ValueError:
        raise invalid("price") from None


def _leverage(fields: Mapping[str, str], pair: Pair) -> Decimal | None:
    text = fields.get("leverage", "none").removesuffix(":1")
    if text in ("none", "", "0", "1"):
        return None
    if not _NUMBER.fullmatch(text):
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
    if not _RELATIVE.fullmatch(fields.get("close[price]", "")):
        raise invalid("close[price]")
    return kind, fields["close[price]"], fields.get("close[price2]", "0") or "0"


def _told(fields: Mapping[str, str], name: str, pair: Pair) -> str:
    """A price as it is told back: relative ones as they were, others with the pair's digits."""
    text = fields.get(name, "")
    if text in ("", "0") or fields.get("ordertype") in ("market", "settle-position"):
        return "0"
    match = _RELATIVE.fullmatch(text)
    if match is None:
        raise invalid(name)
    sign, digits, percent = match.groups()
    return f"{sign}{Decimal(digits):.4f}%" if percent else f"{sign}{Decimal(digits):.{pair.price_decimals}f}"


# WebSocket v2 says the same in other words.

_PRICE_SIGNS = {"static": "", "pct": "%", "quote": ""}


def fields_of(params: Mapping[str, Any]) -> dict[str, str]:
    """Params of add_order as form fields. Raises OrderError."""
    kind = str(params.get("order_type", ""))
    fields = {
        "pair": str(params.get("symbol", "")),
        "type": str(params.get("side", "")),
        "ordertype": kind,
        "volume": text_of(params.get("order_qty", "")),
        "timeinforce": str(params.get("time_in_force", "gtc")),
    }
    if "cash_order_qty" in params:
        fields["volume"] = text_of(params["cash_order_qty"])
    flags = ["viqc"] if "cash_order_qty" in params else []
    flags += ["post"] if params.get("post_only") else []
    flags += [str(params["fee_preference"])] if params.get("fee_preference") else []
    fields["oflags"] = ",".join(flags)
    triggers = params.get("triggers")
    if isinstance(triggers, Mapping):
        fields["trigger"] = str(triggers.get("reference", "last"))
        fields["price"] = _relative(triggers, "price", "price_type", trailing=kind.startswith("trailing"))
        if "limit_price" in params:
            fields["price2"] = _relative(params, "limit_price", "limit_price_type", trailing=kind.startswith("trailing"))
    elif "limit_price" in params:
        fields["price"] = _relative(params, "limit_price", "limit_price_type", trailing=False)
    fields |= _others(params)
    conditional = params.get("conditional")
    if isinstance(conditional, Mapping):
        fields["close[ordertype]"] = str(conditional.get("order_type", ""))
        first = "trigger_price" if "trigger_price" in conditional else "limit_price"
        fields["close[price]"] = _relative(conditional, first, f"{first}_type", trailing=False)
        if first == "trigger_price" and "limit_price" in conditional:
            fields["close[price2]"] = _relative(conditional, "limit_price", "limit_price_type", trailing=False)
    return fields


def _others(params: Mapping[str, Any]) -> dict[str, str]:
    """What is neither size nor price."""
    fields: dict[str, str] = {}
    for name, field in (("cl_ord_id", "cl_ord_id"), ("deadline", "deadline"), ("stp_type", "stptype")):
        if name in params:
            fields[field] = str(params[name]).replace("_", "-") if field == "stptype" else str(params[name])
    for name, field in (("order_userref", "userref"), ("display_qty", "displayvol")):
        if name in params:
            fields[field] = text_of(params[name])
    for name in ("reduce_only", "validate"):
        if params.get(name):
            fields[name] = "true"
    if params.get("margin"):
        fields["leverage"] = "2"
    if "expire_time" in params:
        at = nanoseconds(str(params["expire_time"]))
        if at is None:
            raise invalid("expire_time")
        fields["expiretm"] = str(at // SECOND)
    return fields


def _relative(params: Mapping[str, Any], name: str, kind: str, *, trailing: bool) -> str:
    how = str(params.get(kind, "quote" if trailing else "static"))
    if how not in _PRICE_SIGNS:
        raise invalid(kind)
    text = text_of(params[name]) if name in params else ""
    if how == "static" or not text:
        return text
    return f"{'' if text.startswith('-') else '+'}{text}{_PRICE_SIGNS[how]}"


def text_of(value: object) -> str:
    """A number as a form tells it. Raises OrderError for one that nobody means."""
    if not isinstance(value, Decimal):
        return str(value)
    if not value.is_finite() or abs(value.adjusted()) > DIGITS or len(value.as_tuple().digits) > 2 * DIGITS:
        raise invalid("number")
    return f"{value:f}"
