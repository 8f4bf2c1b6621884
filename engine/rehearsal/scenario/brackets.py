"""An `open` as the bracket that it stands for; where stops, targets and trails are to go."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.model import templates as made_of
from engine.model import trade_words
from engine.model.intent import (
    Anchored,
    Base,
    Default,
    Notional,
    OpenBracket,
    PartialTarget,
    Risk,
    Size,
)
from engine.model.order import OrderType
from engine.model.place import BreakEvenRule, Place
from engine.model.side import Side
from engine.model.templates import TemplateError, Templates, Wish
from engine.rehearsal.scenario.distances import is_off, trail_of
from engine.rehearsal.scenario.words import (
    ScenarioError,
    choice,
    duration,
    flag,
    fraction,
    number,
    place,
    text,
    texts,
    written,
)

DECLINED = {
    "stop": Default.STOP,
    "target": Default.TARGET,
    "trail": Default.TRAIL,
    "expires": Default.EXPIRY,
}
"""What an `open` can say `off` to, so that it gets no default of its symbol either."""


def _targets(terms: Mapping[str, Any], where: str) -> made_of.Targets | None:
    """Targets of parts, `[{ at = "1%", part = "50%" }]` or `["1r 50%", "2r rest"]`, and `target`
    for the rest; None where neither is said.
    """
    if "targets" not in terms and not _said(terms, "target"):
        return None
    listed, where_ = terms.get("targets", ()), f"{where}.targets"
    rest = place(terms["target"], f"{where}.target") if _said(terms, "target") else None
    if not isinstance(listed, list | tuple):
        raise ScenarioError(
            f'{where_} is {listed!r}; expected a list such as [{{ at = "1%", part = "50%" }}] or'
            ' ["1r 50%", "2r rest"]'
        )
    if listed and all(isinstance(row, str) for row in listed):
        partials, last = _legs(listed, where_)
        if last is not None and rest is not None:
            raise ScenarioError(f"{where}.target is said, and {where_} leaves nothing for it")
        return made_of.Targets(partials, last or rest)
    return made_of.Targets(_partials(listed, where_), rest)


def _legs(
    listed: list[str] | tuple[str, ...], where: str
) -> tuple[tuple[PartialTarget, ...], Place | None]:
    try:
        return trade_words.targets(listed)
    except trade_words.WordsError as error:
        raise ScenarioError(f"{where} is {list(listed)!r}; {error}") from error


def _partials(listed: list[Any] | tuple[Any, ...], where: str) -> tuple[PartialTarget, ...]:
    found = []
    for index, row in enumerate(listed, 1):
        if not isinstance(row, dict) or set(row) != {"at", "part"}:
            raise ScenarioError(
                f"{where}[{index}] is {row!r}; expected at (a price or a percentage of the entry)"
                " and part"
            )
        found.append(
            PartialTarget(
                place(row["at"], f"{where}[{index}].at"),
                fraction(row["part"], f"{where}[{index}].part"),
            )
        )
    return tuple(found)


def _said(terms: Mapping[str, Any], key: str) -> bool:
    """Whether an `open` names a value."""
    return key in terms and not is_off(terms[key])


def _size(terms: Mapping[str, Any], where: str, *, needed: bool) -> Size | None:
    """The one size that is said; None where a template says it."""
    sizes: list[Size] = []
    for key, kind in (("size", Base), ("notional", Notional), ("risk", Risk)):
        if key not in terms:
            continue
        value = terms[key]
        worded = isinstance(value, str) and any(sign in value for sign in " $%u")
        said = value if key == "size" else f"{key} {value}"
        sizes.append(
            written(trade_words.size, said, f"{where}.{key}")
            if worded
            else kind(number(value, f"{where}.{key}"))
        )
    if len(sizes) > 1 or (needed and not sizes):
        raise ScenarioError(
            f"{where} has {len(sizes)} of size, notional and risk; expected exactly one"
        )
    return sizes[0] if sizes else None


def price_of(
    terms: Mapping[str, Any], where: str, kind: OrderType | None
) -> Decimal | Anchored | None:
    """The limit, or the trigger of a stop entry; what goes at market has none."""
    key = "trigger" if kind is OrderType.STOP and "trigger" in terms else "price"
    value = terms.get(key)
    if kind is OrderType.MARKET or value is None:
        return None
    if isinstance(value, str) and value.strip()[:1].isalpha():
        return written(trade_words.price, value, f"{where}.{key}")
    return number(value, f"{where}.{key}")


def _rule(terms: Mapping[str, Any], where: str) -> BreakEvenRule | None:
    return written(trade_words.rule, terms["be"], f"{where}.be") if _said(terms, "be") else None


def _wish(terms: Mapping[str, Any], where: str, *, alone: bool) -> Wish:
    """What an `open` says; `alone` where no template says the rest."""
    said = terms.get("type", "market" if alone else None)
    kind = None
    if said is not None:
        kind = OrderType(choice(said, f"{where}.type", ("market", "limit", "stop")))
    trail = terms.get("trail")
    if trail is not None and not isinstance(trail, dict) and not is_off(trail):
        trail = {"distance": trail}
    post = terms.get("post_only")
    return Wish(
        size=_size(terms, where, needed=alone),
        type=kind,
        price=price_of(terms, where, kind),
        stop=place(terms["stop"], f"{where}.stop") if _said(terms, "stop") else None,
        targets=_targets(terms, where),
        break_even=_rule(terms, where),
        no_break_even=is_off(terms.get("be")),
        trail=trail_of(trail, f"{where}.trail") if isinstance(trail, dict) else None,
        expire=duration(terms["expires"], f"{where}.expires") if _said(terms, "expires") else None,
        without=tuple(what for key, what in DECLINED.items() if is_off(terms.get(key))),
        post_only=None if post is None else flag(post, f"{where}.post_only"),
        leverage=number(terms["leverage"], f"{where}.leverage") if "leverage" in terms else None,
        note=text(terms["note"], f"{where}.note") if "note" in terms else None,
        tags=texts(terms.get("tags", ()), f"{where}.tags"),
    )


def bracket(
    intent: str,
    label: str,
    terms: Mapping[str, Any],
    where: str,
    *,
    templates: Templates,
    now: int = 0,
) -> OpenBracket:
    """An `open` as the intent that it stands for; `template`, or the symbol's own one, says what it
    does not.
    """
    symbol = text(terms.get("symbol"), f"{where}.symbol")
    side = Side(choice(terms.get("side"), f"{where}.side", ("buy", "sell")))
    name = "off" if is_off(terms.get("template")) else text(terms.get("template", ""), where)
    try:
        alone = not templates.name_for(symbol, name)
        wish = _wish(terms, where, alone=alone)
        return made_of.bracket(templates, name, symbol, side, wish, id=intent, now=now, label=label)
    except (TemplateError, trade_words.WordsError) as error:
        raise ScenarioError(f"{where}: {error}") from error
