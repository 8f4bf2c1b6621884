"""A scenario file as typed values. Every key is checked, and every reference, before anything runs."""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct

from engine.exchange.faults import Delay, Faults, Interval
from engine.model.intent import Base, Default, Notional, OpenBracket, PartialTarget, Place, Risk, Size
from engine.model.order import OrderType, Trail
from engine.model.side import Side
from engine.scenario.words import ScenarioError, choice, duration, flag, fraction, number, place, positive, text, texts

ACTIONS = (
    "open",
    "cancel",
    "cancel_all",
    "close",
    "move_stop",
    "move_target",
    "trail",
    "break_even",
    "reverse",
    "pause",
    "resume",
    "halt",
    "note",
    "acknowledge",
    "reconcile",
    "flatten",
    "restart",
    "crash",
    "external",
    "market",
    "expect",
)
ABOUT_POSITION = ("close", "move_stop", "move_target", "trail", "break_even", "reverse", "note", "cancel")
EXPECTED = (
    "positions",
    "orders",
    "entries",
    "alerts",
    "alert",
    "no_alert",
    "naked",
    "mode",
    "flat",
    "closed",
    "refusals",
    "refusal",
    "side",
    "size",
    "stop",
    "target",
    "protection",
    "open",
    "close_reason",
)


class Account(Struct, frozen=True):
    """Whose money, and where."""

    venue: str
    profile: str
    currency: str | None
    cash: dict[str, Decimal] | None
    rest: str | None
    ws: str | None


class Market(Struct, frozen=True):
    """Where prices come from."""

    source: str
    files: tuple[Path, ...]
    speed: float | None
    """None is as fast as possible, under virtual time."""
    symbols: tuple[str, ...]
    model: dict[str, Any]


class Action(Struct, frozen=True):
    """One step of the script."""

    at: int
    """Nanoseconds since the first record."""
    what: str
    label: str
    about: str
    """The label of the bracket it is about; empty where it says a symbol, or nothing."""
    symbol: str
    terms: dict[str, Any]
    index: int


class Script(Struct, frozen=True):
    """A whole scenario."""

    path: str
    name: str
    seed: int
    until: int | None
    account: Account
    market: Market
    settings: dict[str, Any]
    faults: Faults
    actions: tuple[Action, ...]


def read(path: Path) -> Script:
    """Read and check a scenario. Raises ScenarioError with one clear sentence."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: it can't be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path}: it is not valid TOML: {error}") from error
    try:
        return _script(path, table)
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from error


def _only(table: Mapping[str, Any], allowed: Iterable[str], where: str) -> None:
    allowed = tuple(allowed)
    for key in table:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ScenarioError(f"{where}{key} is not known; {hint}allowed: {', '.join(allowed)}")


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = table.get(key, {})
    if not isinstance(found, dict):
        raise ScenarioError(f"{key} is {found!r}; expected a table [{key}]")
    return found


def _script(path: Path, table: Mapping[str, Any]) -> Script:
    _only(table, ("name", "seed", "until", "account", "market", "settings", "faults", "do"), "")
    steps = table.get("do", [])
    if not isinstance(steps, list):
        raise ScenarioError(f"do is {steps!r}; expected tables [[do]]")
    seed = table.get("seed", 1)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise ScenarioError(f"seed is {seed!r}; expected an integer")
    actions = [_action(step, index) for index, step in enumerate(steps)]
    actions.sort(key=lambda action: action.at)
    _references(actions)
    market = _market(_table(table, "market"), path.parent)
    until = duration(table["until"], "until") if "until" in table else None
    if market.source != "recorded" and until is None:
        raise ScenarioError(f"until is missing; a market from source = {market.source!r} has no end of its own")
    account = _account(_table(table, "account"))
    if (account.venue == "paper") is (market.source == "venue"):
        needed = "recorded or simulated" if account.venue == "paper" else "venue"
        raise ScenarioError(f"market.source is {market.source!r}; account.venue = {account.venue!r} needs {needed}")
    if account.venue != "paper" and table.get("faults"):
        raise ScenarioError("faults: only the paper venue has them in this process; `flatout exchange --faults FILE` has them on the wire")
    return Script(
        path=str(path),
        name=text(table.get("name", path.stem), "name"),
        seed=seed,
        until=until,
        account=account,
        market=market,
        settings=dict(_table(table, "settings")),
        faults=_faults(_table(table, "faults")),
        actions=tuple(actions),
    )


def _account(table: Mapping[str, Any]) -> Account:
    _only(table, ("venue", "profile", "currency", "cash", "rest", "ws"), "account.")
    venue = choice(table.get("venue", "paper"), "account.venue", tuple(VENUES))
    for key in ("rest", "ws"):
        if venue == "paper" and key in table:
            raise ScenarioError(f"account.{key} is {table[key]!r}; a paper account is reached by no address: leave it out")
    cash = table.get("cash")
    if cash is not None:
        if not isinstance(cash, dict) or not cash:
            raise ScenarioError(f'account.cash is {cash!r}; expected amounts by currency such as {{ USD = "100000" }}')
        cash = {name: number(amount, f"account.cash.{name}") for name, amount in cash.items()}
        for name, amount in cash.items():
            if amount < 0:
                raise ScenarioError(f"account.cash.{name} is {amount}; it must not be negative")
    currency = table.get("currency")
    return Account(
        venue,
        text(table.get("profile", VENUES[venue]), "account.profile"),
        None if currency is None else text(currency, "account.currency"),
        cash,
        None if "rest" not in table else text(table["rest"], "account.rest"),
        None if "ws" not in table else text(table["ws"], "account.ws"),
    )


def _market(table: Mapping[str, Any], folder: Path) -> Market:
    known = ("source", "files", "speed", "symbols", "model")
    model = table.get("model", {})
    if not isinstance(model, dict):
        raise ScenarioError(f"market.model is {model!r}; expected a table of the simulation's settings")
    model = dict(model)
    model.update({key: value for key, value in table.items() if key not in known})
    source = choice(table.get("source", "recorded"), "market.source", ("recorded", "simulated", "venue"))
    files = texts(table.get("files", []), "market.files")
    if source == "recorded" and not files:
        raise ScenarioError("market.files is empty; a recorded market needs at least one file")
    paths = []
    for name in files:
        path = Path(name)
        path = path if path.is_absolute() else folder / path
        if not path.is_file():
            raise ScenarioError(f"market.files: there is no file {path}")
        paths.append(path)
    speed = table.get("speed", "max")
    factor = None
    if speed != "max":
        factor = float(number(speed, "market.speed"))
        if not 0 < factor <= FASTEST:
            raise ScenarioError(f'market.speed is {speed!r}; expected "max", or a number above zero up to {FASTEST}')
    return Market(source, tuple(paths), factor, texts(table.get("symbols", ["BTC/USD"]), "market.symbols"), model)


FASTEST = 100_000
"""A multiple of real time beyond which a machine can't follow; "max" does not try to."""


VENUES = {"paper": "kraken-spot", "kraken": "kraken-spot", "krakenfutures": "kraken-futures"}
"""Where an account may be, and the profile that it has unless another one is named."""
_RATES = ("lose_reply", "lose_request", "duplicate_report", "reorder_reports", "reject_stop")


def read_faults(path: Path) -> Faults:
    """The faults of a file: the keys of `[faults]`, with or without the heading where nothing else is in it. Raises ScenarioError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        if table.keys() & {"exchange", "futures"} and "faults" not in table:
            return Faults()
        return _faults(_table(table, "faults") if "faults" in table else table)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ScenarioError) as error:
        raise ScenarioError(f"{path}: {error}") from error


def _faults(table: Mapping[str, Any]) -> Faults:
    _only(table, (*_RATES, "delay", "disconnect", "rest_lag", "rate_limit_storm"), "faults.")
    rates = {}
    for key in _RATES:
        rate = float(fraction(table.get(key, 0), f"faults.{key}"))
        if not 0 <= rate <= 1:
            raise ScenarioError(f"faults.{key} is {table[key]!r}; expected a probability from 0 to 1")
        rates[key] = rate
    delay = None
    if "delay" in table:
        _only(_table(table, "delay"), ("p50", "p99"), "faults.delay.")
        p50 = duration(_table(table, "delay").get("p50", "40ms"), "faults.delay.p50")
        p99 = duration(_table(table, "delay").get("p99", "150ms"), "faults.delay.p99")
        if p99 < p50:
            raise ScenarioError(f"faults.delay.p99 is below p50 ({p99 / 1e9:g} s < {p50 / 1e9:g} s)")
        delay = Delay(p50, p99)
    return Faults(
        lose_reply=rates["lose_reply"],
        lose_request=rates["lose_request"],
        duplicate_report=rates["duplicate_report"],
        reorder_reports=rates["reorder_reports"],
        reject_stop=rates["reject_stop"],
        delay=delay,
        disconnect=_interval(table, "disconnect"),
        rest_lag=duration(table.get("rest_lag", 0), "faults.rest_lag"),
        rate_limit_storm=_interval(table, "rate_limit_storm"),
    )


def _interval(table: Mapping[str, Any], key: str) -> Interval | None:
    if key not in table:
        return None
    inner = _table(table, key)
    _only(inner, ("every", "lasts"), f"faults.{key}.")
    for needed in ("every", "lasts"):
        if needed not in inner:
            raise ScenarioError(f"faults.{key}.{needed} is missing")
    every, lasts = duration(inner["every"], f"faults.{key}.every"), duration(inner["lasts"], f"faults.{key}.lasts")
    if not 0 < lasts < every:
        raise ScenarioError(f"faults.{key} lasts {lasts / 1e9:g} s of every {every / 1e9:g} s; expected more than nothing and less than all")
    return Interval(every, lasts)


def _action(step: object, index: int) -> Action:
    where = f"do[{index + 1}]"
    if not isinstance(step, dict):
        raise ScenarioError(f"{where} is {step!r}; expected a table")
    _only(step, ("at", "id", "position", "symbol", "part", *ACTIONS), f"{where}.")
    named = [key for key in ACTIONS if key in step]
    if len(named) != 1:
        raise ScenarioError(f"{where} has {len(named)} actions ({', '.join(named) or 'none'}); expected exactly one of {', '.join(ACTIONS)}")
    if "at" not in step:
        raise ScenarioError(f"{where}.at is missing; expected a duration such as 30s")
    what = named[0]
    terms = _terms(what, step[what], f"{where}.{what}")
    if "part" in step:
        terms.setdefault("part", step["part"])
    about = terms.pop("position", step.get("position", ""))
    symbol = terms.get("symbol", step.get("symbol", ""))
    return Action(
        at=duration(step["at"], f"{where}.at"),
        what=what,
        label=text(step.get("id", ""), f"{where}.id"),
        about=text(about, f"{where}.position"),
        symbol=text(symbol, f"{where}.symbol"),
        terms=terms,
        index=index + 1,
    )


_MAIN = {
    "close": "part",
    "move_stop": "stop",
    "move_target": "target",
    "trail": "distance",
    "cancel": "position",
    "note": "note",
    "resume": "reason",
    "acknowledge": "alert",
}
_ALLOWED: dict[str, tuple[str, ...]] = {
    "open": (
        "symbol",
        "side",
        "type",
        "price",
        "trigger",
        "size",
        "notional",
        "risk",
        "stop",
        "target",
        "targets",
        "trail",
        "expires",
        "post_only",
        "leverage",
        "note",
        "tags",
    ),
    "close": ("position", "symbol", "part"),
    "move_stop": ("position", "symbol", "stop", "to", "price", "reason"),
    "move_target": ("position", "symbol", "target", "to", "price"),
    "trail": ("position", "symbol", "distance", "after", "on"),
    "cancel": ("position", "symbol", "order"),
    "cancel_all": ("symbol", "foreign"),
    "note": ("position", "symbol", "note", "tags"),
    "resume": ("reason",),
    "acknowledge": ("alert",),
    "external": ("symbol", "side", "type", "size", "price", "trigger"),
    "market": ("symbol", "move", "over"),
    "expect": ("position", "symbol", *EXPECTED),
}


def _terms(what: str, value: object, where: str) -> dict[str, Any]:
    """An action's own words: a table, or its main word alone, or nothing but `true`."""
    if isinstance(value, dict):
        terms = dict(value)
    elif value is True or value in ("", "all"):
        terms = {}
    elif value is False and what in ("trail", "move_stop", "move_target"):
        terms = {_MAIN[what]: "off"}
    elif what in _MAIN:
        terms = {_MAIN[what]: value}
    else:
        raise ScenarioError(f"{where} is {value!r}; expected a table or true")
    _only(terms, _ALLOWED.get(what, ("position", "symbol")), f"{where}.")
    _check(what, terms, where)
    return terms


def _check(what: str, terms: Mapping[str, Any], where: str) -> None:
    """Read every value once, so that nothing unreadable is found in the middle of a run."""
    match what:
        case "open":
            bracket("check", "check", dict(terms), where)
        case "close":
            fraction(terms.get("part", 1), f"{where}.part")
        case "move_stop" | "move_target":
            wanted(terms, where)
        case "trail":
            trail_of(terms, where)
        case "market":
            move = fraction(terms.get("move"), f"{where}.move")
            if not -1 < move <= 10:
                raise ScenarioError(f"{where}.move is {terms.get('move')!r}; expected more than -100% and at most 1000%")
            duration(terms.get("over", 0), f"{where}.over")
            text(terms.get("symbol"), f"{where}.symbol")
        case "external":
            text(terms.get("symbol"), f"{where}.symbol")
            positive(terms.get("size"), f"{where}.size")
            choice(terms.get("side"), f"{where}.side", ("buy", "sell"))
            kind = choice(terms.get("type", "market"), f"{where}.type", ("market", "limit", "stop"))
            for key in {"limit": ("price",), "stop": ("trigger",)}.get(kind, ()):
                positive(terms.get(key), f"{where}.{key}")
        case "note":
            texts(terms.get("tags", ()), f"{where}.tags")
        case "expect":
            _check_expected(terms, where)
        case _:
            return


def _check_expected(terms: Mapping[str, Any], where: str) -> None:
    if not set(terms) & set(EXPECTED):
        raise ScenarioError(f"{where} expects nothing; allowed: {', '.join(EXPECTED)}")
    for key in ("positions", "orders", "entries", "alerts", "naked", "refusals", "size", "stop", "target"):
        if key in terms:
            number(terms[key], f"{where}.{key}")


def _off(value: object) -> bool:
    """Whether somebody said that there is to be none; zero is a number, and a wrong one."""
    return value is False or (isinstance(value, str) and value.strip().lower() in ("off", "none"))


def wanted(terms: Mapping[str, Any], where: str) -> Place | None:
    """Where a stop or target is to go: `to`, `price`, `stop` or `target`; `off` removes it."""
    for key in ("to", "price", "stop", "target"):
        if key in terms:
            return None if _off(terms[key]) else place(terms[key], f"{where}.{key}")
    raise ScenarioError(f"{where}.to is missing; expected a price, a percentage of the entry, or off")


def trail_of(terms: Mapping[str, Any], where: str) -> Trail | None:
    """A trail's distance in price or per cent; `off` stops it."""
    distance = terms.get("distance")
    if _off(distance) or terms.get("on") is False:
        return None
    if distance is None:
        raise ScenarioError(f"{where}.distance is missing; expected a price distance, a percentage, or off")
    after = fraction(terms["after"], f"{where}.after") if "after" in terms else None
    try:
        if isinstance(distance, str) and distance.strip().endswith("%"):
            return Trail(fraction=fraction(distance, f"{where}.distance"), after=after)
        return Trail(amount=number(distance, f"{where}.distance"), after=after)
    except ValueError as error:
        raise ScenarioError(f"{where}.distance is {distance!r}; {error}") from error


DECLINED = {"stop": Default.STOP, "target": Default.TARGET, "trail": Default.TRAIL, "expires": Default.EXPIRY}
"""What an `open` can say `off` to, so that it gets no default of its symbol either."""


def _partials(listed: object, where: str) -> tuple[PartialTarget, ...]:
    """Targets of parts: `[{ at = "1%", part = "50%" }]`, the nearest first."""
    if not isinstance(listed, list | tuple):
        raise ScenarioError(f'{where} is {listed!r}; expected a list such as [{{ at = "1%", part = "50%" }}]')
    found = []
    for index, row in enumerate(listed, 1):
        if not isinstance(row, dict) or set(row) != {"at", "part"}:
            raise ScenarioError(f"{where}[{index}] is {row!r}; expected at (a price or a percentage of the entry) and part")
        found.append(PartialTarget(place(row["at"], f"{where}[{index}].at"), fraction(row["part"], f"{where}[{index}].part")))
    return tuple(found)


def _said(terms: Mapping[str, Any], key: str) -> bool:
    """Whether an `open` names a value."""
    return key in terms and not _off(terms[key])


def bracket(intent: str, label: str, terms: Mapping[str, Any], where: str) -> OpenBracket:
    """An `open` as the intent that it stands for."""
    sizes: list[Size] = []
    for key, kind in (("size", Base), ("notional", Notional), ("risk", Risk)):
        if key in terms:
            sizes.append(kind(number(terms[key], f"{where}.{key}")))
    if len(sizes) != 1:
        raise ScenarioError(f"{where} has {len(sizes)} of size, notional and risk; expected exactly one")
    kind_ = choice(terms.get("type", "market"), f"{where}.type", ("market", "limit", "stop"))
    trail = terms.get("trail")
    if trail is not None and not isinstance(trail, dict) and not _off(trail):
        trail = {"distance": trail}
    return OpenBracket(
        id=intent,
        symbol=text(terms.get("symbol"), f"{where}.symbol"),
        side=Side(choice(terms.get("side"), f"{where}.side", ("buy", "sell"))),
        size=sizes[0],
        type=OrderType(kind_),
        price=number(terms["price"], f"{where}.price") if "price" in terms else None,
        trigger=number(terms["trigger"], f"{where}.trigger") if "trigger" in terms else None,
        stop=place(terms["stop"], f"{where}.stop") if _said(terms, "stop") else None,
        target=place(terms["target"], f"{where}.target") if _said(terms, "target") else None,
        trail=trail_of(trail, f"{where}.trail") if isinstance(trail, dict) else None,
        expires_in=duration(terms["expires"], f"{where}.expires") if _said(terms, "expires") else None,
        partials=_partials(terms.get("targets", ()), f"{where}.targets"),
        without=tuple(what for key, what in DECLINED.items() if _off(terms.get(key))),
        post_only=flag(terms.get("post_only", False), f"{where}.post_only"),
        leverage=number(terms["leverage"], f"{where}.leverage") if "leverage" in terms else None,
        label=label,
        note=text(terms.get("note", ""), f"{where}.note"),
        tags=texts(terms.get("tags", ()), f"{where}.tags"),
    )


def _references(actions: Iterable[Action]) -> None:
    """Whatever an action is about must have been opened before it."""
    known: set[str] = set()
    for action in actions:
        where = f"do[{action.index}]"
        if action.about and action.about not in known:
            raise ScenarioError(
                f"{where}.position is {action.about!r}; nothing of that id is opened before it; known: {', '.join(sorted(known)) or 'none'}"
            )
        if action.what in ABOUT_POSITION and not action.about and not action.symbol:
            raise ScenarioError(f"{where}.{action.what} is about nothing; expected position or symbol")
        if action.what == "open" and action.label:
            if action.label in known:
                raise ScenarioError(f"{where}.id is {action.label!r}, which stands for another action already")
            known.add(action.label)
