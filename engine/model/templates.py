"""Templates: named sets of what an entry says, `[templates.scalp]` of the settings file; and the
one function that makes an entry of a template and of what somebody typed (`bracket`).

A template fills in what was not said, once, when the entry is asked for: changing one changes no
order and no open position. It is text as people write it (`engine/model/trade_words.py`), read
when the settings are loaded; one that can't be read is left out alone
(`engine/setup/template_tables.py`).
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from engine.model import trade_words as words
from engine.model.intent import Anchor, Anchored, Default, OpenBracket, PartialTarget, Size
from engine.model.order import OrderType, Trail
from engine.model.place import BreakEvenRule, Place
from engine.model.rules import SymbolRules
from engine.model.side import Side
from engine.model.trade_words import WordsError

NONE = ("", "none", "off")
"""Names that stand for no template; the first one lets the symbol's own count."""


class TemplateSettings(Struct, frozen=True, gc=False, forbid_unknown_fields=True, kw_only=True):
    """`[templates.scalp]`: what an entry says that names the template. What is unset is left to the
    order, or to the symbol's own defaults.
    """

    size: str | None = None
    """How much: `0.25` (base currency or contracts), `5000$`, `notional 5%` of the equity, `risk
    0.5%` of it, `risk 300$` or `risk 0.5u` (of `risk.unit`), lost at the stop, fees included.
    """
    type: Literal["market", "limit", "stop"] | None = None
    """How it enters; market where unset, limit where there is a price or `post`."""
    price: str | None = None
    """The limit of a limit entry or the trigger of a stop entry: a price, or one told by the
    market when it is placed: `bid`, `ask-2t`, `mid+0.1%`, `join` (the best of its own side),
    `improve` (one tick better, never crossing).
    """
    stop: str | None = None
    """Where its stop stands: `61250`, `0.5%`, `40t` (ticks) or `300$` (lost there) from the entry.
    """
    targets: tuple[str, ...] = ()
    """Up to four targets, the nearest first, such as `["1r 50%", "2r rest"]`: each a place (a
    price, `1%`, `40t`, `2r` or `300$`) and a part of the size.
    """
    be: str | None = None
    """When its stop goes to break-even, once: `after 1r`, or `after 1r +2t` for two ticks beyond.
    """
    trail: str | None = None
    """A trail's distance from the best price, and the gain from which it follows: `0.4% after 2r`.
    """
    expire: str | None = None
    """When what has not filled of a limit or stop entry is cancelled: `90s`, `10m`, `1h30m`, or at
    `16:30` (UTC).
    """
    post: bool = False
    """Whether a limit entry is refused by the venue rather than filled at once; without a price it
    joins the best of its own side.
    """
    leverage: Annotated[Decimal, Meta(extra={"above": 0})] | None = None
    """Of an entry on margin; the venue's highest counts where unset."""
    tags: tuple[str, ...] = ()
    """What its trades are found by."""
    note: str | None = None
    """What is noted on its trades."""


FIELDS = TemplateSettings.__struct_fields__


class Targets(Struct, frozen=True, gc=False):
    """Targets of parts, and where the rest leaves."""

    partials: tuple[PartialTarget, ...] = ()
    rest: Place | None = None


class Wish(Struct, frozen=True, gc=False, kw_only=True):
    """What was typed of an entry; None was not said, and a template may say it."""

    size: Size | None = None
    type: OrderType | None = None
    price: Decimal | Anchored | None = None
    """The limit, or the trigger of a stop entry."""
    stop: Place | None = None
    targets: Targets | None = None
    break_even: BreakEvenRule | None = None
    trail: Trail | None = None
    expire: str | int | None = None
    """As written, for a time of the day is told when the entry is asked for; or nanoseconds."""
    post_only: bool | None = None
    leverage: Decimal | None = None
    tags: tuple[str, ...] = ()
    note: str | None = None
    ioc: bool = False
    """Whether what a limit entry does not find at once is cancelled."""
    without: tuple[Default, ...] = ()
    """What is to be none, whatever template and symbol say."""
    no_break_even: bool = False
    """Whether there is to be no break-even rule, whatever the template says."""


class TemplateError(ValueError):
    """No entry can be made; the text says what is missing or unknown."""


class FieldError(ValueError):
    """One value of a template can't be read."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


class Templates(Struct, frozen=True, gc=False):
    """The templates that were read, and which symbol has one of its own."""

    by_name: dict[str, TemplateSettings] = {}
    of_symbol: dict[str, str] = {}

    @classmethod
    def of(
        cls, known: Mapping[str, TemplateSettings], symbols: Mapping[str, SymbolRules]
    ) -> "Templates":
        """Those of the settings."""
        return cls(
            dict(known), {name: own.template for name, own in symbols.items() if own.template}
        )

    def of_name(self, name: str) -> TemplateSettings:
        """The template of that name; one that says nothing for a name that is none."""
        return self.by_name.get(name, TemplateSettings())

    def name_for(self, symbol: str, name: str) -> str:
        """The name of the template that counts: the named one, else the symbol's own; empty for
        none. Raises TemplateError.
        """
        if not name:
            return self.of_symbol.get(symbol, "")
        if name in NONE:
            return ""
        if name not in self.by_name:
            known = ", ".join(sorted(self.by_name)) or "none"
            raise TemplateError(
                f"template is {name!r}; there is no template of that name; known: {known}"
            )
        return name


def wish_of(template: TemplateSettings) -> Wish:
    """What a template says, read. Raises FieldError."""
    found = Wish(
        type=None if template.type is None else OrderType(template.type),
        post_only=template.post or None,
        leverage=template.leverage,
        tags=template.tags,
        note=template.note,
    )
    field = ""
    try:
        for field, read, value in (
            ("size", words.size, template.size),
            ("price", words.price, template.price),
            ("stop", words.place, template.stop),
            ("break_even", words.rule, template.be),
            ("trail", words.trail, template.trail),
        ):
            if value is not None:
                found = replace(found, **{field: read(value)})
        field = "targets"
        if template.targets:
            found = replace(found, targets=Targets(*words.targets(template.targets)))
        field = "expire"
        if template.expire is not None:
            words.expiry(template.expire, 0)
            found = replace(found, expire=template.expire)
    except WordsError as error:
        raise FieldError({"break_even": "be"}.get(field, field), str(error)) from error
    _agree(found)
    return found


def _agree(wish: Wish) -> None:
    """See that what a template says does not contradict itself. Raises FieldError."""
    if wish.post_only and wish.type in (OrderType.MARKET, OrderType.STOP):
        raise FieldError("post", f"only a limit entry can rest; type is {wish.type.value!r}")
    if wish.type is OrderType.MARKET and wish.price is not None:
        raise FieldError("price", 'a market entry has no price; expected type = "limit" or "stop"')
    if wish.type in (OrderType.LIMIT, OrderType.STOP) and wish.price is None and not wish.post_only:
        raise FieldError("type", f'a {wish.type.value} entry needs a price, such as "bid-2t"')


def over(typed: Wish, template: Wish) -> Wish:
    """What was typed, and what the template says of the rest."""
    says_entry = typed.type is not None or typed.price is not None
    declined = typed.without
    return Wish(
        size=typed.size or template.size,
        type=typed.type if says_entry else template.type,
        price=typed.price if says_entry else template.price,
        stop=typed.stop or (None if Default.STOP in declined else template.stop),
        targets=typed.targets or (None if Default.TARGET in declined else template.targets),
        break_even=typed.break_even or (None if typed.no_break_even else template.break_even),
        trail=typed.trail or (None if Default.TRAIL in declined else template.trail),
        expire=typed.expire or (None if Default.EXPIRY in declined else template.expire),
        post_only=_post(typed, template),
        leverage=typed.leverage or template.leverage,
        tags=tuple(dict.fromkeys((*template.tags, *typed.tags))),
        note=template.note if typed.note is None else typed.note,
        ioc=typed.ioc,
        without=declined,
    )


def _post(typed: Wish, template: Wish) -> bool | None:
    """Whether it may only rest: a template's word holds for limit entries, and no other."""
    if typed.post_only is not None or typed.ioc:
        return typed.post_only
    return None if typed.type in (OrderType.MARKET, OrderType.STOP) else template.post_only


# over 40 lines: one line for each argument, and for each field of the entry
def bracket(
    templates: Templates,
    name: str,
    symbol: str,
    side: Side,
    typed: Wish,
    *,
    id: str,  # noqa: A002 - the intent's name for it
    now: int,
    label: str = "",
) -> OpenBracket:
    """An entry from a template's name and from what was typed: what was typed comes first.

    An empty name is the symbol's own template, where it has one; `none` is no template. `now` is
    the wall clock (nanoseconds), for an expiry at a time of the day. Raises TemplateError or
    WordsError.
    """
    named = templates.name_for(symbol, name)
    wish = over(typed, wish_of(templates.by_name[named])) if named else typed
    made = _made(wish, symbol, side, id, now)
    return replace(made, label=label, template=named)


def _made(wish: Wish, symbol: str, side: Side, key: str, now: int) -> OpenBracket:
    """An entry of a whole wish. Raises TemplateError or WordsError."""
    if wish.size is None:
        raise TemplateError(f"how much? a size is missing: {words.SIZES}")
    kind, price = _entry(wish)
    targets = wish.targets or Targets()
    rests = kind is not OrderType.MARKET
    return OpenBracket(
        id=key,
        symbol=symbol,
        side=side,
        size=wish.size,
        type=kind,
        price=price if isinstance(price, Decimal) and kind is OrderType.LIMIT else None,
        trigger=price if isinstance(price, Decimal) and kind is OrderType.STOP else None,
        anchored=price if isinstance(price, Anchored) else None,
        stop=wish.stop,
        target=targets.rest,
        partials=targets.partials,
        trail=wish.trail,
        break_even=wish.break_even,
        expires_in=_expiry(wish.expire, now) if rests else None,
        without=wish.without,
        post_only=bool(wish.post_only),
        ioc=wish.ioc,
        leverage=wish.leverage,
        note=wish.note or "",
        tags=wish.tags,
    )


def _expiry(expire: str | int | None, now: int) -> int | None:
    return words.expiry(expire, now) if isinstance(expire, str) else expire


def _entry(wish: Wish) -> tuple[OrderType, Decimal | Anchored | None]:
    """How it enters, and at which price. What may only rest joins its own side where no price was
    said.
    """
    price = wish.price
    if price is None and wish.post_only and wish.type in (None, OrderType.LIMIT):
        price = Anchored(Anchor.JOIN)
    kind = wish.type or (OrderType.MARKET if price is None else OrderType.LIMIT)
    if price is not None and kind is OrderType.MARKET:
        raise TemplateError("a market entry has no price: say limit or stop")
    return kind, price
