"""From a tree to its text: the one that reads as the same tree."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.grammar import tree as t
from engine.model.money import plain

_ONE_WORD = re.compile(r'[^\s;,"“”\\]+')


def printed(line: t.Line) -> str:
    """A line."""
    return "; ".join(told(command) for command in line.commands)


def told(node: t.Node) -> str:
    """A command, or a part of one."""
    return _PRINTERS[type(node)](node)


def _joined(*words: str) -> str:
    return " ".join(word for word in words if word)


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _maybe(word: str, node: t.Node | None) -> str:
    return "" if node is None else f"{word} {told(node)}".strip()


def _signed(value: Decimal) -> str:
    return f"-{plain(-value)}" if value < 0 else plain(value)


def _anchored(node: t.Anchored) -> str:
    if node.offset is None:
        return node.anchor
    sign = "" if node.offset.value < 0 else "+"
    return f"{node.anchor}{sign}{told(node.offset)}"


def _part(node: t.Part) -> str:
    if node.value is None:
        return node.kind
    return plain(node.value) + ("%" if node.kind == "share" else "")


def _legs(legs: tuple[t.Leg, ...]) -> str:
    return ", ".join(_joined(told(leg.place), _maybe("", leg.part)) for leg in legs)


def _following(node: t.Following) -> str:
    return _joined(told(node.distance), _maybe("after", node.after))


def _enter(node: t.Enter) -> str:
    return _joined(
        node.side.value,
        _maybe("", node.symbol),
        told(node.size),
        _maybe("at", node.at),
        _maybe("when", node.when),
        _maybe("stop", node.stop),
        f"target {_legs(node.legs)}" if node.legs else "",
        _maybe("trail", node.trail),
        _maybe("be after", node.even_after),
        _maybe("expire", node.expire),
        "post" if node.post else "",
        "ioc" if node.ioc else "",
        "" if node.leverage is None else f"lev {plain(node.leverage)}",
        f"template {node.template}" if node.template else "",
        *(f"tag {tag}" for tag in node.tags),
        f"note {_text(node.note)}" if node.note else "",
        "!" if node.at_once else "",
    )


def _word_or(what: t.Node | str | None) -> str:
    return "" if what is None else what if isinstance(what, str) else told(what)


def _close(node: t.Close) -> str:
    return _joined("close", _word_or(node.what), _maybe("", node.part), _maybe("at", node.at))


def _stop(node: t.Stop) -> str:
    place = "none" if node.place is None else told(node.place)
    because = f"because {_text(node.because)}" if node.because else ""
    return _joined("stop", _maybe("", node.symbol), place, because)


def _even(node: t.Even) -> str:
    ticks = "" if node.ticks is None else f"+{plain(node.ticks)}t"
    return _joined("be", _maybe("", node.symbol), ticks)


def _amend(node: t.Amend) -> str:
    size = "" if node.size is None else f"size {plain(node.size)}"
    return _joined("amend", told(node.order), _maybe("at", node.at), size)


_SIGNS = {True: ">", False: "<", None: ""}


def _alert(node: t.Alert) -> str:
    if node.price is None:
        return _joined("alert", told(node.symbol), "none")
    sign, text = _SIGNS[node.above], _text(node.text) if node.text else ""
    return _joined("alert", told(node.symbol), sign, told(node.price), text)


def _expanded(node: t.Expanded) -> str:
    return _joined(node.name, *node.arguments)


_PRINTERS: dict[type, Callable[[Any], str]] = {
    t.SymbolName: lambda n: n.symbol,
    t.Variable: lambda n: f"@{n.name}",
    t.Amount: lambda n: plain(n.value),
    t.Cost: lambda n: f"{plain(n.value)}$",
    t.AtRisk: lambda n: f"risk {plain(n.value)}{n.unit}",
    t.Share: lambda n: f"notional {plain(n.value)}%",
    t.Preset: lambda n: f"preset {n.digit}",
    t.Distance: lambda n: f"{_signed(n.value)}{n.unit}",
    t.Price: lambda n: plain(n.value),
    t.Anchored: _anchored,
    t.Part: _part,
    t.Following: _following,
    t.Time: lambda n: f"{plain(n.value)}{n.unit}",
    t.OrderNumber: lambda n: f"#{n.number}",
    t.Enter: _enter,
    t.Close: _close,
    t.Reverse: lambda n: _joined("reverse", _maybe("", n.symbol)),
    t.Stop: _stop,
    t.Target: lambda n: _joined("target", _maybe("", n.symbol), _legs(n.legs) or "none"),
    t.Trail: lambda n: _joined("trail", _maybe("", n.symbol), _maybe("", n.following) or "off"),
    t.Even: _even,
    t.Cancel: lambda n: _joined("cancel", _word_or(n.what)),
    t.Amend: _amend,
    t.Desk: lambda n: _joined(n.word, n.name),
    t.Wait: lambda n: _joined("wait", _word_or(n.until), _maybe("within", n.within)),
    t.Alert: _alert,
    t.Let: lambda n: f"set @{n.name} = {told(n.value)}",
    t.Show: lambda n: _joined(n.word, *n.words),
    t.Watch: lambda n: f"watch {n.do} {n.name}",
    t.Run: lambda n: n.command,
    t.Expanded: _expanded,
}
