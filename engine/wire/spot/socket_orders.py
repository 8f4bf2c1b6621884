"""Orders as WebSocket v2 says them, turned into form fields."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.clock import SECOND
from engine.wire.spot.errors import invalid
from engine.wire.spot.fields import DIGITS
from engine.wire.spot.orders import nanoseconds

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
        fields["price"] = _relative(
            triggers, "price", "price_type", trailing=kind.startswith("trailing")
        )
        if "limit_price" in params:
            fields["price2"] = _relative(
                params, "limit_price", "limit_price_type", trailing=kind.startswith("trailing")
            )
    elif "limit_price" in params:
        fields["price"] = _relative(params, "limit_price", "limit_price_type", trailing=False)
    fields |= _others(params)
    conditional = params.get("conditional")
    if isinstance(conditional, Mapping):
        fields["close[ordertype]"] = str(conditional.get("order_type", ""))
        first = "trigger_price" if "trigger_price" in conditional else "limit_price"
        fields["close[price]"] = _relative(conditional, first, f"{first}_type", trailing=False)
        if first == "trigger_price" and "limit_price" in conditional:
            fields["close[price2]"] = _relative(
                conditional, "limit_price", "limit_price_type", trailing=False
            )
    return fields


def _others(params: Mapping[str, Any]) -> dict[str, str]:
    """What is neither size nor price."""
    fields: dict[str, str] = {}
    for name, field in (
        ("cl_ord_id", "cl_ord_id"),
        ("deadline", "deadline"),
        ("stp_type", "stptype"),
    ):
        if name in params:
            fields[field] = (
                str(params[name]).replace("_", "-") if field == "stptype" else str(params[name])
            )
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
    if (
        not value.is_finite()
        or abs(value.adjusted()) > DIGITS
        or len(value.as_tuple().digits) > 2 * DIGITS
    ):
        raise invalid("number")
    return f"{value:f}"
