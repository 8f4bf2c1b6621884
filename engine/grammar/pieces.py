"""The parts that commands are made of: symbols, sizes, prices, places, targets, times."""

import re
from decimal import Decimal
from typing import Any, get_args

from engine.grammar import tree as t
from engine.grammar.reader import Reader
from engine.grammar.vocabulary import near
from engine.grammar.wrong import Span, WrongError, wrong

ANCHORS: tuple[str, ...] = get_args(t.Anchor)
PLACES = tuple(anchor for anchor in ANCHORS if anchor not in ("join", "improve"))
"""Anchors of what is no limit."""
SIZE_WORDS = ("risk", "notional", "preset")
_SIGN = re.compile(r"[+\-−]")
_UNIT = re.compile(r"\s*[%$]|[tr](?![a-z0-9])", re.IGNORECASE)
_RISK_UNIT = re.compile(r"\s*[%$]|u(?![a-z0-9])", re.IGNORECASE)
_PERCENT = re.compile(r"\s*%")
_MONEY = re.compile(r"\s*\$")
_TIME = re.compile(r"\s*[smhd](?![a-z0-9])", re.IGNORECASE)
_LETTERS = re.compile(r"[a-z]+", re.IGNORECASE)
_NAME = re.compile(r"@([a-z_][a-z0-9_-]{0,31})", re.IGNORECASE)
_ORDER = re.compile(r"#(\d{1,9})(?![\w.])", re.ASCII)
_COMMA = re.compile(r",")
_DIGIT = re.compile(r"\d(?![\w.,])", re.ASCII)

FAR = 10
"""Times the market from which a target with a comma in it was meant as two."""
NO_PLACE = "place missing, such as a price 61250, -0.8%, -40t, 2r or be"
NO_PRICE = "price missing, such as 62,500, bid or ask-2t"
NO_SIZE = "size missing, such as 0.5, 5000$ or risk 1%"
NO_DISTANCE = "distance missing, such as 0.5%, 40t, 1r or 300$"
NO_UNIT = "a unit is missing behind the number: %, t (ticks), r or $"
NO_TIME = "time missing, such as 30s, 20m, 4h or 1d"
NO_ORDER = "order missing, such as #14"


def symbol(reader: Reader, *words: str) -> t.SymbolName | None:
    """A symbol, where one comes next. `words` are those that may stand in its place."""
    known = reader.vocabulary
    reader.offer(*known.named())
    chunk = reader.peek()
    if chunk is None or chunk.word in words:
        return None
    found = known.find(chunk.text)
    if len(found) == 1:
        reader.at = chunk.end
        return t.SymbolName(span=Span(chunk.start, chunk.end), symbol=found[0])
    letters = _LETTERS.match(chunk.text)
    if letters is None or letters[0].lower() in words:
        return None
    if found:
        several = " or ".join(found)
        raise wrong(chunk.start, chunk.end, f"“{chunk.text}” may be {several}: write it out")
    raise _unknown(reader, chunk.start, chunk.end, chunk.text)


def _unknown(reader: Reader, start: int, end: int, text: str) -> WrongError:
    known = reader.vocabulary
    alike = near(text, (*known.named(), *(symbol.lower() for symbol in known.symbols)))
    if alike:
        return wrong(start, end, f"unknown symbol “{text}”; did you mean {alike}?", alike)
    some = ", ".join(known.named()[:6]) or "none"
    return wrong(start, end, f"unknown symbol “{text}”; known: {some}")


def variable(reader: Reader) -> t.Variable | None:
    """`@lot`, where one comes next."""
    reader.offer(*(f"@{name}" for name in reader.vocabulary.variables))
    found = reader.match(_NAME)
    if found is None:
        return None
    return t.Variable(span=Span(found.start(), found.end()), name=found[1].lower())


def size(reader: Reader) -> t.Size:
    """How much."""
    named = variable(reader)
    if named is not None:
        return named
    reader.blank()
    start = reader.at
    if (word := reader.take(*SIZE_WORDS)) is not None:
        return _SIZES[word.word](reader, start)
    value = reader.number(NO_SIZE)
    paid = reader.glued(_MONEY) is not None
    reader.boundary(start)
    kind = t.Cost if paid else t.Amount
    return kind(span=reader.span(start), value=value)


def _risk(reader: Reader, start: int) -> t.Size:
    value = reader.number("amount missing, such as risk 1%, risk 300$ or risk 0.5u")
    found = reader.glued(_RISK_UNIT)
    if found is None:
        raise wrong(start, reader.at, "a unit is missing behind the risk: %, $ or u")
    reader.boundary(start)
    unit: Any = found[0].strip().lower()
    return t.AtRisk(span=reader.span(start), value=value, unit=unit)


def _notional(reader: Reader, start: int) -> t.Size:
    value = reader.number("share missing, such as notional 5%")
    if reader.glued(_PERCENT) is None:
        raise wrong(start, reader.at, "a notional is a share of the equity, such as notional 5%")
    reader.boundary(start)
    return t.Share(span=reader.span(start), value=value)


def _preset(reader: Reader, start: int) -> t.Size:
    found = reader.match(_DIGIT)
    if found is None:
        raise reader.missing("digit missing, such as preset 2")
    return t.Preset(span=reader.span(start), digit=int(found[0]))


_SIZES = {"risk": _risk, "notional": _notional, "preset": _preset}


def price(reader: Reader, missing: str = NO_PRICE) -> t.AnyPrice:
    """A price: a number, an anchor with a step away from it, or a variable."""
    named = variable(reader)
    if named is not None:
        return named
    reader.blank()
    start = reader.at
    reader.offer(*ANCHORS)
    letters = _LETTERS.match(reader.text, start)
    if letters is not None and letters[0].lower() in ANCHORS:
        reader.at = letters.end()
        offset = distance(reader) if _signed(reader) else None
        reader.boundary(start)
        anchor: Any = letters[0].lower()
        return t.Anchored(span=reader.span(start), anchor=anchor, offset=offset)
    value = reader.number(missing)
    reader.boundary(start)
    return t.Price(span=reader.span(start), value=value)


def _signed(reader: Reader) -> bool:
    before, found = reader.at, reader.match(_SIGN)
    reader.at = before
    return found is not None


def distance(reader: Reader, missing: str = NO_DISTANCE) -> t.Distance:
    """A number with a unit, and a sign where one is written."""
    reader.blank()
    start = reader.at
    sign = reader.match(_SIGN)
    value = reader.number(missing)
    unit = reader.glued(_UNIT)
    if unit is None:
        reader.boundary(start)
        raise wrong(start, reader.at, NO_UNIT)
    reader.boundary(start)
    if sign is not None and sign[0] != "+":
        value = -value
    kind: Any = unit[0].strip().lower()
    return t.Distance(span=reader.span(start), value=value, unit=kind)


def place(reader: Reader, missing: str = NO_PLACE) -> t.Place:
    """A price, or a distance from the entry."""
    if _signed(reader):
        return distance(reader, missing)
    before = reader.at
    if reader.at_number():
        value_start = reader.at
        reader.number(missing)
        unit = reader.glued(_UNIT)
        reader.at = value_start
        if unit is not None:
            return distance(reader, missing)
    reader.at = before
    return price(reader, missing)


def part(reader: Reader) -> t.Part | None:
    """How much of it, where that is said."""
    reader.offer("25%", "50%", "75%")
    word = reader.take("half", "rest")
    if word is not None:
        kind: Any = word.word
        return t.Part(span=Span(word.start, word.end), kind=kind)
    if not reader.at_number():
        return None
    start = reader.at
    value = reader.number("")
    share = reader.glued(_PERCENT) is not None
    reader.boundary(start)
    if share and value > 100:
        raise wrong(start, reader.at, f"“{reader.text[start : reader.at]}” is more than all of it")
    return t.Part(span=reader.span(start), kind="share" if share else "amount", value=value)


def legs(reader: Reader, of: t.SymbolName | None) -> tuple[t.Leg, ...]:
    """One target of a symbol, or several with their parts."""
    symbol = of.symbol if of is not None else reader.vocabulary.focus
    found = [_leg(reader, symbol)]
    while reader.match(_COMMA) is not None:
        found.append(_leg(reader, symbol))
    return tuple(found)


def _is_one_price(reader: Reader, where: t.Place, symbol: str) -> None:
    """Refuse `185,190` where that is two targets, and no price of a hundred and eighty-five
    thousand: the market tells which.
    """
    span = where.span
    text = reader.text[span.start : span.end]
    market = max(reader.vocabulary.prices.get(symbol, ()), default=None)
    if not isinstance(where, t.Price) or "," not in text or market is None:
        return
    if where.value >= FAR * market:
        apart = ", ".join(text.split(","))
        told = f"“{text}” is one price, far from the {market:f} of {symbol}"
        raise wrong(span.start, span.end, f"{told}: targets are written “{apart}”", apart)


def _leg(reader: Reader, symbol: str) -> t.Leg:
    reader.blank()
    start = reader.at
    where = place(reader)
    _is_one_price(reader, where, symbol)
    which = part(reader)
    return t.Leg(span=reader.span(start), place=where, part=which)


def following(reader: Reader) -> t.Following:
    """A trail's distance, and from when on."""
    reader.blank()
    start = reader.at
    how_far = distance(reader)
    after = distance(reader) if reader.take("after") else None
    return t.Following(span=reader.span(start), distance=how_far, after=after)


def time(reader: Reader) -> t.Time:
    """A number of seconds, minutes, hours or days."""
    reader.blank()
    start = reader.at
    value = reader.number(NO_TIME)
    unit = reader.glued(_TIME)
    if unit is None:
        reader.boundary(start)
        raise wrong(start, reader.at, "a unit is missing behind the time: s, m, h or d")
    reader.boundary(start)
    kind: Any = unit[0].strip().lower()
    found = t.Time(span=reader.span(start), value=value, unit=kind)
    if found.nanoseconds > LONGEST_TIME:
        raise wrong(start, reader.at, "a time of more than 365 days is too long")
    return found


LONGEST_TIME = 365 * 86_400 * 1_000_000_000


def order(reader: Reader) -> t.OrderNumber | None:
    """`#14`, where one comes next."""
    reader.offer(*(f"#{number}" for number in reader.vocabulary.orders))
    found = reader.match(_ORDER)
    if found is None:
        return None
    return t.OrderNumber(span=Span(found.start(), found.end()), number=int(found[1]))


def name_of_variable(reader: Reader) -> str:
    """The `@name` that is set."""
    found = reader.match(_NAME)
    if found is None:
        raise reader.missing("name missing, such as set @lot = 0.25")
    return found[1].lower()


def whole(reader: Reader, missing: str, most: Decimal = Decimal(1_000)) -> Decimal:
    """A plain number, not above `most`."""
    reader.blank()
    start = reader.at
    value = reader.number(missing)
    reader.boundary(start)
    if value > most:
        raise wrong(start, reader.at, f"{value:f} is more than {most}")
    return value
