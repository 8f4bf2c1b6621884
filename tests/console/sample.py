"""A double of the engine's face: realistic views, answers in memory, and a record of what it was
asked. Allowed in tests only.
"""

import math
import os
import time
from decimal import Decimal
from typing import Literal

import msgspec
from msgspec.structs import replace

from engine.model import intent as wish
from engine.model.alert import Alert
from engine.model.limits import Level
from engine.model.order import Order, OrderType, Role, Status, Trail
from engine.model.position import Protection
from engine.model.quote import Candle
from engine.model.refusal import Refusal
from engine.model.side import Side
from engine.model.timeline import Step
from engine.model.view import (
    AccountView,
    Answer,
    ClosedView,
    FeedView,
    FlattenLine,
    FlattenView,
    LaneView,
    LimitView,
    Notice,
    OrderView,
    PeriodView,
    PositionView,
    Preview,
    PreviewLine,
    Reason,
    SymbolView,
    View,
)
from engine.session import Query, QueryError, Told, Welcome
from engine.session.deltas import Frames
from engine.session.messages import (
    MAJOR,
    MINOR,
    Candles,
    CandlesTold,
    Equity,
    EquityTold,
    Hear,
    HearTold,
    Timeline,
    TimelineTold,
    Try,
    Watch,
)

D = Decimal
SECOND = 1_000_000_000
T0 = 1_790_000_000 * SECOND

Outcome = Literal["confirm", "reject", "unknown", "refuse", "break", "hold"]
"""What becomes of an intent: confirmed, rejected later, unknown, refused at once, an exception, or
nothing yet.
"""


def position(
    name: str,
    symbol: str,
    side: Side,
    size: str,
    entry: str,
    mark: str,
    stop: str | None,
    *,
    tick: str = "0.1",
    lot: str = "0.001",
    protection: Protection = Protection.VENUE,
    target: str | None = None,
    hours: int = 1,
    r: str | None = None,
    note: str = "",
    trail: Trail | None = None,
    leverage: Decimal | None = None,
    liquidation: Decimal | None = None,
) -> PositionView:
    profit = (D(mark) - D(entry)) * D(size) * side.sign
    return PositionView(
        id=name,
        version=1,
        symbol=symbol,
        label="",
        side=side,
        size=D(size),
        currency="USD",
        entry=D(entry),
        mark=D(mark),
        mark_at=0,
        stale=False,
        unrealised=profit,
        realised=D("-12.42"),
        exit_fee=D("12.40"),
        in_account=profit,
        r=D(r) if r else None,
        stop=D(stop) if stop else None,
        stop_wanted=D(stop) if stop else None,
        protection=protection,
        protection_text="price watched here" if protection is Protection.GUARDED else "",
        stop_away=(D(stop) - D(mark)) / D(mark) if stop else None,
        target=D(target) if target else None,
        trail=trail,
        trailing=trail is not None,
        opened_at=T0 - hours * 3600 * SECOND,
        closing=False,
        dust=False,
        leverage=leverage,
        point=D(size),
        point_in_account=D(size),
        liquidation=liquidation,
        liquidation_away=None if liquidation is None else abs(D(mark) - liquidation) / D(mark),
        note=note,
        tags=(),
        tick=D(tick),
        lot=D(lot),
        net=profit - D("24.82"),
        net_in_account=profit - D("24.82"),
        one_r=abs(D(entry) - D(stop)) * D(size) if stop else None,
        at_stop=-abs(D(entry) - D(stop)) * D(size) - D("24.82") if stop else None,
        unbounded=stop is None,
        break_even=D("62149.7") if name == "P1" else D(entry),
        fees=D("12.42"),
        taker=D("0.0022"),
        taker_source="last fill",
    )


def order(
    name: str,
    symbol: str,
    side: Side,
    kind: OrderType,
    role: Role,
    size: str,
    *,
    price: str | None = None,
    trigger: str | None = None,
    of: str = "",
    state: str = "open",
    filled: str = "0",
    tick: str = "0.1",
    lot: str = "0.001",
) -> OrderView:
    return OrderView(
        order=Order(
            client_order_id=name,
            position=of,
            symbol=symbol,
            side=side,
            type=kind,
            role=role,
            size=D(size),
            price=D(price) if price else None,
            trigger=D(trigger) if trigger else None,
            status=Status.PARTIALLY_FILLED if D(filled) else Status.OPEN,
            filled=D(filled),
            venue_order_id=f"V{name}",
            created_at=T0 - 1800 * SECOND,
        ),
        state=state,
        evidence="",
        tick=D(tick),
        lot=D(lot),
        number=11 + int(name[5]) if name[5:6].isdigit() else 0,
    )


def some_period(name: str) -> PeriodView:
    """The figures of the brief's picture; those of a session are half as large."""
    half = 2 if name == "session" else 1
    symbols = tuple(
        SymbolView(symbol, D(10), D(5), D(2), D(0), D(amount) / half, D(r), trades)
        for symbol, amount, r, trades in (
            ("BTC/USD", "120.67", "0.15", 2),
            ("ETH/USD", "-250.00", "-1.02", 1),
            ("SOL/USD", "-17.64", "0", 0),
        )
    )
    return PeriodView(
        name=name, began_at=T0 - 3600 * SECOND, result=D("-36.62") / half, realised=D("292.60") / half, unrealised=D("-18.35") / half,
        fees=D("307.57") / half, funding=D("-3.30") / half, other=D(0), exit_fees=D("110.35"), if_flat=D("-146.97"), share=D("-0.000366"),
        drawdown=D("41.20"), deepest=D("96.10"), closed=3, symbols=symbols,
    )  # fmt: skip


def some_steps(about: str) -> tuple[Step, ...]:
    """A short life of any id."""
    told = (
        ("asked", "buy BTC/USD: buy 0.5 BTC/USD", "you, at the console", "", "plain"),
        ("request", "place stop sell 0.5 BTC/USD trigger 60,796", "", "protect", "busy"),
        ("answer", f"confirmed stop of {about}", "", "", "good"),
        ("protection", "protection VENUE", "", "", "good"),
    )
    return tuple(
        Step(T0 + at * SECOND, kind, text, at + 1, about, who, lane, since=SECOND, tone=tone)
        for at, (kind, text, who, lane, tone) in enumerate(told)
    )


def some_closed(name: str, profit: str, r: str | None, at: int) -> ClosedView:
    """A position that ended."""
    return ClosedView(
        id=name, symbol="BTC/USD" if at % 2 else "ETH/USD", label="", side=Side.BUY, size=D(1),
        currency="USD", entry=D(100), exit=D(101), profit=D(profit), fees=D("0.5"),
        r=None if r is None else D(r), opened_at=T0, closed_at=T0 + at * 60 * SECOND,
        reason="target", note="", tags=("breakout",) if at % 2 else (), mae=D("-0.2"), mfe=D("1.2"),
    )  # fmt: skip


def some_positions() -> list[PositionView]:
    trail = Trail(fraction=D("0.008"))
    return [
        position(
            "P1",
            "BTC/USD",
            Side.BUY,
            "0.500",
            "62100.0",
            "62063.3",
            "60796.0",
            target="64584.0",
            r="-0.03",
        ),
        position(
            "P2",
            "ETH/USD",
            Side.SELL,
            "1.000",
            "3420.0",
            "3421.5",
            "3491.8",
            target="3200.0",
            r="-0.02",
            hours=2,
            protection=Protection.GUARDED,
            tick="0.01",
            trail=trail,
        ),
        position(
            "P3",
            "SOL/USD",
            Side.BUY,
            "1.500",
            "181.20",
            "181.45",
            None,
            tick="0.01",
            hours=3,
            protection=Protection.NAKED,
            note="news",
        ),
    ]


def some_orders() -> list[OrderView]:
    return [
        order("FOAAA1STOP", "BTC/USD", Side.SELL, OrderType.STOP, Role.STOP, "0.500", trigger="60796.0", of="P1"),
        order("FOAAA2TARGET", "BTC/USD", Side.SELL, OrderType.LIMIT, Role.TARGET, "0.500", price="64584.0", of="P1"),
        order("FOAAA3ENTRY", "BTC/USD", Side.BUY, OrderType.LIMIT, Role.ENTRY, "0.250", price="61000.0", of="P9"),
        order("FOAAA4ENTRY", "ETH/USD", Side.BUY, OrderType.LIMIT, Role.ENTRY, "2.000", price="3300.00", of="P8", state="partial",
              filled="0.750", tick="0.01"),
        order("FOAAA5TGT", "ETH/USD", Side.BUY, OrderType.LIMIT, Role.TARGET, "1.000", price="3200.00", of="P2", tick="0.01"),
    ]  # fmt: skip


def some_alerts() -> list[Alert]:
    return [
        Alert("NAKED", "SOL/USD", "", T0 - 8 * SECOND, target="P3"),
        Alert(
            "ORDER_REJECTED",
            "SOL/USD stop",
            "err [code=-2019] Margin is insufficient",
            T0 - 9 * SECOND,
            target="P3",
        ),
        Alert(
            "STALE_PRICE",
            "ETH/USD",
            "61 s old",
            T0 - 900 * SECOND,
            count=3,
            cured_at=T0 - 890 * SECOND,
        ),
    ]


class SampleSession:
    """See the module."""

    def __init__(self) -> None:
        self.read_only = False
        self.frames = Frames()
        self.troubles: list[tuple[str, str, str]] = []
        self.asked: list[wish.AnyIntent] = []
        self.outcome: Outcome = "confirm"
        self.refusals: tuple[Refusal, ...] = ()
        self.preview_refusals: tuple[Refusal, ...] = ()
        self.refused_positions: set[str] = set()
        """Positions of which anything is refused."""
        self.suggestion: Decimal | None = None
        self.closed = False
        self.broken: str = ""
        self.silent = 0.0
        self.pid = os.getpid()
        self.positions = some_positions()
        self.orders = some_orders()
        self.alerts = some_alerts()
        self.notices: list[Notice] = []
        self.ended: list[ClosedView] = []
        self.later = 0
        """Nanoseconds that have gone by beside the machine's own."""
        self.reasons: list[Reason] = []
        self.flatten: FlattenView | None = None
        self.heard: list[Hear] = []
        self.unheard: set[str] = set()
        """Symbols that were dropped."""
        self.progress: float | None = None
        self.moving = False
        self.looks = 0
        self.margin: Decimal | None = D(0)
        self._began = time.monotonic()

    # the face

    def view(self) -> View:
        if self.broken:
            raise RuntimeError(self.broken)
        self.looks += 1
        now = T0 + self.later + int((time.monotonic() - self._began) * SECOND)
        if self.moving:
            self._move()
        naked = sum(p.protection in (Protection.NAKED, Protection.PARTIAL) for p in self.positions)
        shown = View(
            at=now,
            account=self._account(naked),
            mode="REDUCING" if self.reasons else "ACTIVE",
            reasons=tuple(self.reasons),
            positions=tuple(self.positions),
            orders=tuple(self.orders),
            alerts=tuple(self.alerts),
            closed=tuple(self.ended),
            limits=(
                LimitView(Level("BTC/USD", 41.0, 60.0, now), 12.0, 9.0),
                LimitView(Level("ETH/USD", 7.0, 60.0, now), 9.0, 8.0),
                LimitView(Level("rest", 3.0, 15.0, now), 5.0, 4.0),
            ),
            lanes=tuple(
                LaneView(name, 0) for name in ("EMERGENCY", "PROTECT", "CANCEL", "ENTRY", "QUERY")
            ),
            breaker="closed",
            feeds=(
                FeedView(
                    "BTC/USD",
                    D("62063.3"),
                    D("1.2"),
                    D("62063.4"),
                    D("0.8"),
                    now,
                    38_000_000,
                    False,
                    D("0.1"),
                ),
                FeedView(
                    "ETH/USD",
                    D("3421.40"),
                    D("9"),
                    D("3421.50"),
                    D("4"),
                    now,
                    51_000_000,
                    False,
                    D("0.01"),
                ),
                FeedView(
                    "SOL/USD",
                    D("181.45"),
                    D("50"),
                    D("181.47"),
                    D("75"),
                    now,
                    17_000_000,
                    False,
                    D("0.01"),
                ),
            ),
            lag=1_000_000,
            connected=True,
            journal_failing="",
            flatten=self.flatten,
            notices=tuple(self.notices[-50:]),
            progress=self.progress,
            holder="pid 4242 on desk-2" if self.read_only else "",
        )
        return replace(shown, feeds=tuple(f for f in shown.feeds if f.symbol not in self.unheard))

    def preview(self, intent: wish.AnyIntent) -> Preview:
        lines: tuple[PreviewLine, ...] = (
            PreviewLine("risk", "663.40", "436.20", "good"),
            PreviewLine("in R", "1.02R", "0.67R"),
            PreviewLine("of equity", "6.65 %", "4.37 %"),
            PreviewLine("open risk of 2,500.00", "1,214.00", "986.80"),
            PreviewLine("tokens BTC/USD", "41 of 60", "42 of 60"),
        )
        looser = False
        warnings: tuple[str, ...] = ()
        if isinstance(intent, wish.MoveStop):
            held = next((p for p in self.positions if p.id == intent.position), None)
            if held is not None and held.stop is not None and isinstance(intent.stop, wish.At):
                looser = (intent.stop.price - held.stop) * held.side.sign < 0
                before, after = str(held.stop), str(intent.stop.price)
                lines = (PreviewLine("stop", before, after, "bad" if looser else "good"), *lines)
            looser = looser or intent.stop is None
        if isinstance(intent, wish.OpenBracket):
            lines = (
                PreviewLine("size", "", "0.400 BTC for 24,825.36 USD"),
                PreviewLine(
                    "fills now", "", "all of it, at 62,063.4; worst 62,063.9 within the book shown"
                ),
                PreviewLine("fees in, out", "", "64.55, 64.10"),
                PreviewLine("break-even", "", "62,385.1"),
                PreviewLine("R", "", "320.00 USD, 3.2 % of equity"),
                PreviewLine("day's loss budget", "480.52", "160.52 if stopped"),
            )
            warnings = ("a fill below 0.0001 BTC could not be protected by the venue",)
        refusals = self._refused(intent) or self.preview_refusals
        return Preview(type(intent).__name__, lines, warnings, refusals, looser, self.suggestion)

    def _refused(self, intent: wish.AnyIntent) -> tuple[Refusal, ...]:
        name = getattr(intent, "position", "")
        return (Refusal("ALREADY_CLOSING", name),) if name in self.refused_positions else ()

    async def ask(self, intent: wish.AnyIntent) -> Answer:
        self.asked.append(intent)
        if self.outcome == "break":
            raise ConnectionError("the engine's socket closed")
        if self.outcome == "refuse":
            return Answer(intent.id, self.refusals or (Refusal("IN_DOUBT", "FOAAA3ENTRY"),))
        if refused := self._refused(intent):
            return Answer(intent.id, refused)
        subject = getattr(intent, "position", "") or getattr(intent, "order", "")
        if self.outcome == "reject":
            self.tell(
                "the venue said: err [code=-2019] Margin is insufficient", "bad", intent.id, subject
            )
        elif self.outcome == "unknown":
            self.tell("no answer in 2 s; asking the venue", "busy", intent.id, subject)
        elif self.outcome == "confirm":
            self._do(intent)
            self.tell(
                f"{type(intent).__name__} confirmed by the venue in 142 ms",
                "good",
                intent.id,
                subject,
            )
        return Answer(intent.id)

    def hello(self) -> Welcome:
        return Welcome(
            MAJOR, MINOR, "sample", "paper", live=False, read_only=self.read_only, pid=self.pid
        )

    async def query(self, query: Query) -> Told:
        if isinstance(query, Watch):
            return self.frames.tell(self.view(), query.after)
        if isinstance(query, Try):
            return self.preview(query.intent)
        if isinstance(query, Timeline):
            return TimelineTold((), complete=True, steps=some_steps(query.about))
        if isinstance(query, Candles):
            return CandlesTold(self.candles(query.symbol, query.interval, query.count))
        if isinstance(query, Equity):
            return EquityTold(self.equity(query.count))
        if isinstance(query, Hear):
            return self.hear(query)
        raise QueryError(f"the sample has no {type(query).__name__}")

    def hear(self, query: Hear) -> HearTold:
        self.heard.append(query)
        if query.do == "drop":
            self.unheard.add(query.symbol)
        return HearTold(f"{query.symbol} is heard: {query.do}", ())

    def candles(self, symbol: str, interval: int, count: int) -> tuple[Candle, ...]:
        base = {"BTC/USD": 62063.3, "ETH/USD": 3421.4, "SOL/USD": 181.45}.get(symbol, 100.0)
        found = []
        price = base
        for i in range(count):
            drift = math.sin(i / 4.0) * 0.0016 + math.sin(i * 1.7) * 0.0007
            opened = price * (1 - drift)
            high, low = max(price, opened) * 1.0006, min(price, opened) * 0.9994
            o, h, lo, c = (D(str(round(x, 2))) for x in (opened, high, low, price))
            found.append(Candle(symbol, T0 - i * interval, o, h, lo, c, D(1), interval))
            price = opened
        return tuple(reversed(found))

    def equity(self, count: int) -> tuple[tuple[int, Decimal], ...]:
        return tuple(
            (T0 - (300 - i) * SECOND, D(str(round(10000 + 60 * math.sin(i / 30) - i * 0.2, 2))))
            for i in range(300)
        )[-count:]

    def silent_for(self) -> float:
        return self.silent

    def trouble(self, code: str, subject: str, text: str) -> None:
        self.troubles.append((code, subject, text))

    async def take(self) -> str:
        return ""

    async def end(self, *, alone: bool = False) -> str:
        return "the engine is this process"

    async def close(self) -> None:
        self.closed = True

    # its inside

    def tell(
        self,
        text: str,
        tone: str = "plain",
        intent: str = "",
        subject: str = "",
        kind: str = "said",
    ) -> None:
        number = len(self.notices) + 1
        self.notices.append(Notice(number, T0, tone, text, intent, subject, kind, number))

    def change(self, name: str, **changes: object) -> None:
        """Another version of a position."""
        for i, p in enumerate(self.positions):
            if p.id == name:
                self.positions[i] = replace(p, version=p.version + 1, **changes)

    def _account(self, naked: int) -> AccountView:
        unrealised = sum((p.unrealised or D(0) for p in self.positions), D(0))
        return AccountView(
            name="paper", venue="paper kraken-spot", live=False, currency="USD", equity=D(10000) + unrealised, unpriced=(),
            cash={"USD": D("10000")}, day=unrealised, realised=D("-24.84"), unrealised=unrealised, fees=D("24.84"), financing=D("-1.24"),
            drawdown=D("0.0123"), at_stops=None if naked else D("-1214.00"), unbounded=naked > 0, open_risk=D("1214.00"), risk_limit=D("3468.57"),
            loss_limit=D("500.00"), loss_limit_left=D("480.52"), margin=self.margin, naked=naked,
            periods=tuple(some_period(name) for name in ("day", "session", "all")),
        )  # fmt: skip

    def _move(self) -> None:
        wave = D(str(round(math.sin(self.looks / 7) * 3, 1)))
        self.positions = [
            replace(
                p,
                mark=p.entry + wave,
                unrealised=wave * p.size * p.side.sign,
                in_account=wave * p.size * p.side.sign,
                net=wave * p.size * p.side.sign - D("24.82"),
                net_in_account=wave * p.size * p.side.sign - D("24.82"),
            )
            for p in self.positions
        ]

    def _do(self, intent: wish.AnyIntent) -> None:
        match intent:
            case wish.MoveStop(position=name, stop=stop):
                price = stop.price if isinstance(stop, wish.At) else None
                self.change(name, stop=price, stop_wanted=price)
            case wish.SetTrail(position=name, trail=trail):
                self.change(name, trail=trail)
            case wish.ClosePosition(position=name, part=part) if part == 1:
                self.positions = [p for p in self.positions if p.id != name]
            case wish.ClosePosition(position=name, part=part):
                held = next(p for p in self.positions if p.id == name)
                self.change(name, size=held.size * (1 - part))
            case wish.CancelOrder(order=name):
                self.orders = [o for o in self.orders if o.order.client_order_id != name]
            case wish.AmendOrder(order=name, price=price):
                self.orders = [
                    (
                        msgspec.structs.replace(o, order=replace(o.order, price=price))
                        if o.order.client_order_id == name
                        else o
                    )
                    for o in self.orders
                ]
            case wish.Pause():
                self.reasons.append(Reason("PAUSED", "paused by hand", T0, "p"))
            case wish.Resume(reason=code):
                self.reasons = [r for r in self.reasons if r.code != code]
            case wish.Acknowledge(alert=key):
                self.alerts = [
                    replace(a, acknowledged_at=T0) if a.key == key else a for a in self.alerts
                ]
            case wish.Flatten():
                waits = tuple(
                    FlattenLine(p.symbol, p.size, 2, "cancelling") for p in self.positions
                )
                self.flatten = FlattenView(T0, None, waits, ())
            case _:
                pass

    def end_flatten(self) -> None:
        """The venue says flat."""
        assert self.flatten is not None
        done = tuple(
            replace(line, held=D(0), orders=0, state="flat") for line in self.flatten.lines
        )
        receipt = (
            "cancelled 5 orders",
            "closed 3 positions for −20.11 USD after fees",
            "the venue says flat",
        )
        self.flatten = FlattenView(self.flatten.started_at, T0 + 4 * SECOND, done, receipt)
        self.positions, self.orders = [], []
