"""One function per command: what may stand behind its first word."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.grammar import pieces
from engine.grammar import tree as t
from engine.grammar.reader import Chunk, Reader
from engine.grammar.vocabulary import near
from engine.grammar.wrong import wrong
from engine.model.side import Side

NO_REASON = 'removing a stop needs a reason: because "..."'
_PLUS = re.compile(r"\+")
_TICKS = re.compile(r"t(?![a-z0-9])", re.IGNORECASE)
_COMPARED = re.compile(r"[<>]")
_EQUALS = re.compile(r"=")
_SYMBOL = re.compile(r"[a-z0-9][a-z0-9/:_.-]{0,39}", re.IGNORECASE | re.ASCII)


# entries


def _at(reader: Reader, said: dict[str, Any]) -> None:
    _offer_prices(reader, said.get("symbol"))
    said["at"] = pieces.price(reader)


def _when(reader: Reader, said: dict[str, Any]) -> None:
    said["when"] = pieces.price(reader)


def _stop_of_entry(reader: Reader, said: dict[str, Any]) -> None:
    said["stop"] = pieces.place(reader)


def _legs_of_entry(reader: Reader, said: dict[str, Any]) -> None:
    said["legs"] = pieces.legs(reader, said.get("symbol"))


def _trail_of_entry(reader: Reader, said: dict[str, Any]) -> None:
    said["trail"] = pieces.following(reader)


def _even_of_entry(reader: Reader, said: dict[str, Any]) -> None:
    if reader.take("after") is None:
        raise reader.missing("“after” and a gain are missing, such as be after 1r")
    said["even_after"] = pieces.distance(reader)


def _expire(reader: Reader, said: dict[str, Any]) -> None:
    said["expire"] = pieces.time(reader)


def _leverage(reader: Reader, said: dict[str, Any]) -> None:
    said["leverage"] = pieces.whole(reader, "number missing, such as lev 3")


def _template(reader: Reader, said: dict[str, Any]) -> None:
    known = reader.vocabulary.templates
    reader.offer(*known)
    chunk = _plain_word(reader, "name missing, such as template scalp")
    named = next((name for name in known if name.lower() == chunk.word), chunk.text)
    if known and named not in (*known, "none", "off"):
        alike = near(chunk.text, known)
        hint = f"did you mean {alike}?" if alike else f"known: {', '.join(known)}"
        raise wrong(chunk.start, chunk.end, f"unknown template “{chunk.text}”; {hint}", alike)
    said["template"] = named


def _tag(reader: Reader, said: dict[str, Any]) -> None:
    chunk = _plain_word(reader, "word missing, such as tag breakout")
    said["tags"] = (*said.get("tags", ()), chunk.text)


def _note(reader: Reader, said: dict[str, Any]) -> None:
    said["note"] = reader.quoted('text missing, such as note "a break of the range"')


def _flag(name: str) -> Callable[[Reader, dict[str, Any]], None]:
    def say(reader: Reader, said: dict[str, Any]) -> None:
        del reader
        said[name] = True

    return say


OPTIONS: dict[str, tuple[str, Callable[[Reader, dict[str, Any]], None]]] = {
    "at": ("at", _at),
    "when": ("when", _when),
    "stop": ("stop", _stop_of_entry),
    "target": ("legs", _legs_of_entry),
    "trail": ("trail", _trail_of_entry),
    "be": ("even_after", _even_of_entry),
    "expire": ("expire", _expire),
    "post": ("post", _flag("post")),
    "ioc": ("ioc", _flag("ioc")),
    "lev": ("leverage", _leverage),
    "template": ("template", _template),
    "tag": ("tags", _tag),
    "note": ("note", _note),
    "!": ("at_once", _flag("at_once")),
}
"""What may stand behind an entry's size: the field that it sets, and how it is read."""


def enter(reader: Reader, first: Chunk) -> t.Command:
    """`buy`, `sell`."""
    said: dict[str, Any] = {"side": Side(first.word)}
    reader.offer(*pieces.SIZE_WORDS)
    if (found := pieces.symbol(reader, *pieces.SIZE_WORDS)) is not None:
        said["symbol"] = found
    said["size"] = pieces.size(reader)
    while (chunk := _option(reader, said)) is not None:
        OPTIONS[chunk.word][1](reader, said)
    if said.get("post") and said.get("ioc"):
        raise wrong(first.start, reader.at, "“post” and “ioc” exclude each other")
    size = said["size"]
    if isinstance(size, t.AtRisk) and "stop" not in said and not said.get("template"):
        end = len(reader.text[: reader.at].rstrip())
        raise wrong(end, end, "risk needs a stop: add “stop -0.8%”", "stop -0.8%")
    return t.Enter(span=reader.span(first.start), **said)


def _option(reader: Reader, said: dict[str, Any]) -> Chunk | None:
    free = tuple(word for word, (name, _) in OPTIONS.items() if name not in said or word == "tag")
    chunk = reader.take(*free)
    if chunk is None and (chunk := reader.peek()) is not None:
        if chunk.word in OPTIONS:
            raise wrong(chunk.start, chunk.end, f"“{chunk.text}” is said twice")
        raise wrong(
            chunk.start,
            chunk.end,
            f"“{chunk.text}” fits nowhere here; after a size: at, when, stop, …",
            near(chunk.text, free),
        )
    return chunk


def _offer_prices(reader: Reader, symbol: t.SymbolName | None) -> None:
    known = reader.vocabulary
    prices = known.prices.get(symbol.symbol if symbol is not None else known.focus, ())
    reader.offer(*(f"{price:f}" for price in prices))


def _plain_word(reader: Reader, missing: str) -> Chunk:
    chunk = reader.peek()
    if chunk is None:
        raise reader.missing(missing)
    if not re.fullmatch(r"\w[\w.-]{0,39}", chunk.text):
        raise wrong(chunk.start, chunk.end, f"“{chunk.text}” is no name: letters, digits, - and _")
    reader.at = chunk.end
    return chunk


# exits


def close(reader: Reader, first: Chunk) -> t.Command:
    """`close`."""
    what: Any = None
    if (word := reader.take("all", "longs", "shorts")) is not None:
        what = word.word
    else:
        what = pieces.symbol(reader, "half", "rest", "at")
    which = pieces.part(reader)
    at = pieces.price(reader) if reader.take("at") else None
    reader.ended()
    return t.Close(span=reader.span(first.start), what=what, part=which, at=at)


def reverse(reader: Reader, first: Chunk) -> t.Command:
    """`reverse`."""
    found = pieces.symbol(reader)
    reader.ended()
    return t.Reverse(span=reader.span(first.start), symbol=found)


# guards


def stop(reader: Reader, first: Chunk) -> t.Command:
    """`stop`."""
    found = pieces.symbol(reader, "none", *pieces.PLACES)
    where = None if reader.take("none") else pieces.place(reader)
    because = ""
    if reader.take("because"):
        because = reader.rest('text missing, such as because "hedged elsewhere"')
    elif where is None:
        raise reader.missing(NO_REASON)
    reader.ended()
    return t.Stop(span=reader.span(first.start), symbol=found, place=where, because=because)


def target(reader: Reader, first: Chunk) -> t.Command:
    """`target`."""
    found = pieces.symbol(reader, "none", *pieces.PLACES)
    legs = () if reader.take("none") else pieces.legs(reader, found)
    reader.ended()
    return t.Target(span=reader.span(first.start), symbol=found, legs=legs)


def trail(reader: Reader, first: Chunk) -> t.Command:
    """`trail`."""
    found = pieces.symbol(reader, "off")
    how = None if reader.take("off") else pieces.following(reader)
    reader.ended()
    return t.Trail(span=reader.span(first.start), symbol=found, following=how)


def even(reader: Reader, first: Chunk) -> t.Command:
    """`be`."""
    found = pieces.symbol(reader)
    ticks: Decimal | None = None
    if reader.match(_PLUS) is not None:
        start = reader.at
        ticks = reader.number("ticks missing, such as be +2t")
        if ticks != ticks.to_integral_value():
            raise wrong(start, reader.at, f"{ticks:f} is no whole number of ticks")
        reader.glued(_TICKS)
        reader.boundary(start)
    reader.ended()
    return t.Even(span=reader.span(first.start), symbol=found, ticks=ticks)


# orders


def cancel(reader: Reader, first: Chunk) -> t.Command:
    """`cancel`."""
    what: Any = None
    if (word := reader.take("buys", "sells", "all", "wait")) is not None:
        what = word.word
    else:
        what = pieces.order(reader) or pieces.symbol(reader)
    if what is None:
        raise reader.missing("what is missing, such as cancel #14, btc, buys, sells, all or wait")
    reader.ended()
    return t.Cancel(span=reader.span(first.start), what=what)


def amend(reader: Reader, first: Chunk) -> t.Command:
    """`amend`."""
    order = pieces.order(reader)
    if order is None:
        raise reader.missing(pieces.NO_ORDER)
    said: dict[str, Any] = {}
    while (word := reader.take(*(word for word in ("at", "size") if word not in said))) is not None:
        if word.word == "at":
            said["at"] = pieces.price(reader)
        else:
            said["size"] = pieces.whole(reader, "size missing, such as size 0.3", Decimal(10) ** 18)
    if not said:
        raise reader.missing("change missing, such as at 61,900 or size 0.3")
    reader.ended()
    return t.Amend(span=reader.span(first.start), order=order, **said)


# the desk


def desk(reader: Reader, first: Chunk) -> t.Command:
    """`pause`, `resume`, `halt`, `unhalt`, `live`, `flatten`, `compare`."""
    name = ""
    if first.word == "resume":
        reader.offer(*reader.vocabulary.reasons)
        if reader.peek() is not None:
            name = _plain_word(reader, "").text.upper()
    elif first.word == "live":
        reader.offer(*filter(None, (reader.vocabulary.account,)))
        name = _plain_word(reader, "name missing: live, and the account's name").text
    reader.ended()
    word: Any = first.word
    return t.Desk(span=reader.span(first.start), word=word, name=name)


def wait(reader: Reader, first: Chunk) -> t.Command:
    """`wait`."""
    until: Any = None
    if (word := reader.take("accepted", "filled", "flat")) is not None:
        until = word.word
    elif reader.at_number():
        until = pieces.time(reader)
    else:
        raise reader.missing("what is missing, such as wait accepted, filled, flat or 30s")
    within = pieces.time(reader) if reader.take("within") else None
    reader.ended()
    return t.Wait(span=reader.span(first.start), until=until, within=within)


def alert(reader: Reader, first: Chunk) -> t.Command:
    """`alert`."""
    found = pieces.symbol(reader)
    if found is None:
        raise reader.missing("symbol missing, such as alert btc > 62,500")
    if reader.take("none") is not None:
        reader.ended()
        span = reader.span(first.start)
        return t.Alert(span=span, symbol=found, above=None, price=None)
    reader.offer(">", "<")
    sign = reader.match(_COMPARED)
    _offer_prices(reader, found)
    price = pieces.price(reader)
    text = reader.rest("") if reader.peek() is not None else ""
    above = None if sign is None else sign[0] == ">"
    return t.Alert(span=reader.span(first.start), symbol=found, above=above, price=price, text=text)


def let(reader: Reader, first: Chunk) -> t.Command:
    """`set`."""
    name = pieces.name_of_variable(reader)
    reader.offer("=")
    if reader.match(_EQUALS) is None:
        raise reader.missing("= is missing, such as set @lot = 0.25")
    chunk = reader.peek()
    letters = re.match(r"[a-z]+", chunk.word) if chunk is not None else None
    reader.offer(*pieces.SIZE_WORDS, *pieces.ANCHORS)
    value: Any
    if letters is not None and letters[0] in pieces.ANCHORS:
        value = pieces.price(reader)
    else:
        value = pieces.size(reader)
    reader.ended()
    return t.Let(span=reader.span(first.start), name=name, value=value)


def show(reader: Reader, first: Chunk) -> t.Command:
    """`chart`, `layout`, `theme`, `symbol`, `export`, `notify`, `help`."""
    words: list[str] = []
    reader.offer(*reader.vocabulary.words.get(first.word, ()))
    if first.word == "symbol":
        reader.offer(*reader.vocabulary.named())
    while (chunk := reader.peek()) is not None:
        if chunk.text[0] in ',"“”':
            raise wrong(chunk.start, chunk.end, f"“{chunk.text}” is no plain word")
        words.append(chunk.text)
        reader.at = chunk.end
    word: Any = first.word
    return t.Show(span=reader.span(first.start), word=word, words=tuple(words))


def watch(reader: Reader, first: Chunk) -> t.Command:
    """`watch`."""
    word = reader.take("add", "drop")
    if word is None:
        raise reader.missing("add or drop is missing, such as watch add sol")
    if word.word == "drop":
        found = pieces.symbol(reader)
        name = found.symbol if found is not None else ""
    else:
        chunk = reader.peek()
        name = chunk.text if chunk is not None else ""
        if chunk is not None and not _SYMBOL.fullmatch(name):
            raise wrong(chunk.start, chunk.end, f"“{name}” is no symbol: such as sol or SOL/USD")
        reader.at = reader.at if chunk is None else chunk.end
    if not name:
        raise reader.missing(f"symbol missing, such as watch {word.word} sol")
    reader.ended()
    do: Any = word.word
    return t.Watch(span=reader.span(first.start), do=do, name=name)


COMMANDS: dict[str, Callable[[Reader, Chunk], t.Command]] = {
    "buy": enter,
    "sell": enter,
    "close": close,
    "reverse": reverse,
    "stop": stop,
    "target": target,
    "trail": trail,
    "be": even,
    "cancel": cancel,
    "amend": amend,
    "pause": desk,
    "resume": desk,
    "halt": desk,
    "unhalt": desk,
    "live": desk,
    "flatten": desk,
    "compare": desk,
    "wait": wait,
    "alert": alert,
    "set": let,
    "chart": show,
    "layout": show,
    "theme": show,
    "symbol": show,
    "watch": watch,
    "export": show,
    "notify": show,
    "help": show,
}
"""By first word."""
