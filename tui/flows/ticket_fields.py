"""The fields of the ticket: what is typed in them as a wish, and a template as their texts."""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from engine.model import trade_words as words
from engine.model.intent import Anchored, Default, Size
from engine.model.order import OrderType
from engine.model.templates import Targets, TemplateSettings, Wish
from tui.field import Field
from tui.flows.choice import Choice
from tui.flows.numbers import UnreadableError
from tui.palette import Palette

T = TypeVar("T")
SIZES = {"risk": "risk ", "size": "", "notional": "notional "}
"""What the amount means, and how people write that before it."""
TYPES = {"market": OrderType.MARKET, "limit": OrderType.LIMIT, "stop": OrderType.STOP}
PLAIN = "none"


def declines(text: str) -> bool:
    """Whether somebody typed that there is to be none."""
    return text.strip().casefold() == PLAIN


def read(field: Field, name: str, reader: Callable[[str], T]) -> T | None:
    """What a field says; None for an empty one, and for `none`. Raises UnreadableError."""
    text = field.value.strip()
    if not text or declines(text):
        return None
    try:
        return reader(text)
    except ValueError as error:
        raise UnreadableError(f"{name}: {error}") from error


class Pair(Horizontal):
    """Two fields beside each other."""

    DEFAULT_CSS = "Pair { height: 1; }"

    def __init__(self, left: Widget, right: Widget) -> None:
        super().__init__()
        self._two = (left, right)

    def compose(self) -> ComposeResult:
        """Left, then right."""
        yield from self._two


class Pick(Choice):
    """One of some names: left, right or space; only the chosen one is shown."""

    def take_key(self, event: events.Key) -> bool:
        """Left, right, space; False for any other key: names are no first letters."""
        moves = ("left", "right", "space")
        return event.key in moves and super().take_key(event)

    def on_click(self, event: events.Click) -> None:
        """The next name."""
        self.index = (self.index + 1) % len(self.words)
        self._draw()
        self.told()

    def offer(self, names: list[str], chosen: str) -> None:
        """Other names to choose from."""
        self.words = names
        self.choose(chosen)

    def _draw(self) -> None:
        tone = "paper" if self._listening else "strong"
        more = f"  {self.index + 1} of {len(self.words)}  ← →" if len(self.words) > 1 else ""
        self.put([((f" {self.value} ", tone), (more, "faint"))])


class Fields:
    """All of them, but for symbol and side."""

    def __init__(self, palette: Palette) -> None:
        self.amount = Field(palette, hint="320, 0.5% or 0.5u", most=24, id="amount")
        self.unit = Choice(palette, list(SIZES), id="unit")
        self.stop = Field(palette, hint="price, 1%, 40t or 300$", most=24, id="stop")
        self.target = Field(palette, hint="1r 50%, 2r rest", most=72, id="target")
        self.type = Choice(palette, list(TYPES), id="type")
        self.price = Field(palette, hint="price, bid-2t or join", most=24, id="price")
        self.trail = Field(palette, hint="0.8% after 2r", most=32, id="trail")
        self.leverage = Field(palette, hint="none", most=8, id="leverage")
        self.note = Field(palette, hint="why", most=120, id="note")
        self.even = Field(palette, hint="after 1r +2t", most=24, id="even")
        self.expire = Field(palette, hint="10m, 1h30m or 16:30", most=16, id="expire")
        self.post = Choice(palette, ["no", "yes"], id="post")
        self.tags = Field(palette, hint="words", most=64, id="tags")
        self._put: dict[str, str] = {}
        """What a template has written, by field: what a person has changed since is theirs."""

    # as a wish

    def size(self) -> Size:
        """Raises UnreadableError."""
        amount = self.amount.value.strip()
        try:
            return words.size(SIZES[self.unit.value] + amount)
        except ValueError as error:
            raise UnreadableError(f"{self.unit.value}: {error}") from error

    def wish(self) -> Wish:
        """What all fields say. Raises UnreadableError."""
        kind = TYPES[self.type.value]
        targets = read(self.target, "target", words.legs)
        rests = kind is not OrderType.MARKET
        return Wish(
            size=self.size(),
            type=kind,
            price=self._price() if rests else None,
            stop=read(self.stop, "stop", words.place),
            targets=None if targets is None else Targets(*targets),
            break_even=read(self.even, "break-even", words.rule),
            trail=read(self.trail, "trail", words.trail),
            expire=read(self.expire, "expires", _expiry),
            post_only=self.post.value == "yes",
            leverage=read(self.leverage, "leverage", _times),
            tags=tuple(self.tags.value.split()),
            note=self.note.value.strip(),
            without=self._declined(),
        )

    def _price(self) -> Decimal | Anchored:
        found = read(self.price, "price", words.price)
        if found is None:
            raise UnreadableError(f"price: a {self.type.value} entry needs one")
        return found

    def _declined(self) -> tuple[Default, ...]:
        """What is not to be taken from the settings of the symbol either."""
        fields = (
            (self.stop, Default.STOP),
            (self.target, Default.TARGET),
            (self.trail, Default.TRAIL),
            (self.expire, Default.EXPIRY),
        )
        return tuple(what for field, what in fields if declines(field.value))

    # as a template

    def template(self) -> TemplateSettings:
        """What the fields say, to be kept under a name. Raises UnreadableError."""
        self.wish()
        said = self._said
        return TemplateSettings(
            size=(SIZES[self.unit.value] + self.amount.value.strip()) or None,
            type="market" if self.type.value == "market" else said(self.type),  # type: ignore[arg-type] # one of TYPES
            price=said(self.price) if self.type.value != "market" else None,
            stop=said(self.stop),
            targets=self._legs(),
            be=said(self.even),
            trail=said(self.trail),
            expire=said(self.expire),
            post=self.post.value == "yes",
            leverage=read(self.leverage, "leverage", _times),
            tags=tuple(self.tags.value.split()),
            note=said(self.note),
        )

    @staticmethod
    def _said(field: Field | Choice) -> str | None:
        text = field.value.strip()
        return None if not text or declines(text) else text

    def _legs(self) -> tuple[str, ...]:
        text = self._said(self.target) or ""
        if "@" in text:
            return tuple(text.split())
        return tuple(leg.strip() for leg in words.split_legs(text))

    def fill(self, template: TemplateSettings) -> None:
        """Write a template's texts into the fields, selected, so that typing replaces them. What a
        person has typed stays.
        """
        size = template.size or ""
        unit = next((name for name, head in SIZES.items() if head and size.startswith(head)), "")
        kind = template.type or ("limit" if template.price or template.post else "market")
        price = template.price or ("join" if template.post else "")
        amount = size.removeprefix(SIZES.get(unit, ""))
        for name, field, text in (
            ("amount", self.amount, amount),
            ("stop", self.stop, template.stop),
            ("target", self.target, ", ".join(template.targets)),
            ("price", self.price, price),
            ("trail", self.trail, template.trail),
            ("even", self.even, template.be),
            ("expire", self.expire, template.expire),
            ("leverage", self.leverage, _plain(template.leverage)),
            ("tags", self.tags, " ".join(template.tags)),
            ("note", self.note, template.note),
        ):
            if field.value == self._put.get(name, ""):
                field.prefill(text or "")
                self._put[name] = text or ""
        for name, choice, word in (
            ("unit", self.unit, unit or ("size" if size else self.unit.value)),
            ("type", self.type, kind),
            ("post", self.post, "yes" if template.post else "no"),
        ):
            if choice.value == self._put.get(name, choice.words[0]):
                choice.choose(word)
                self._put[name] = word


def _plain(number: Decimal | None) -> str:
    return "" if number is None else f"{number:f}"


def _times(text: str) -> Decimal:
    return words.number(text.rstrip("×x"))


def _expiry(text: str) -> str:
    words.expiry(text, 0)
    return text
