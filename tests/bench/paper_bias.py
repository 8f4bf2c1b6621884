"""How far paper is off on coarser data: the same entries, stops and targets on the same recorded day,
played from depth, quotes, trades, and from candles of a second, a minute and an hour made of them.

    python -m tests.bench.paper_bias

Each trade is entered at the same moment, with a stop and a target that rest; it ends at one of them,
or with the data. Told in basis points: how much worse than asked targets and stops left (a stop that
the open of a candle had passed is counted as a gap, and apart), in how many trades the finest data
ended at the same of the two, and how much worse those exits were than there.
"""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from statistics import fmean
from typing import NamedTuple

from msgspec import Struct

from engine.exchange import Exchange
from engine.market import RecordedMarket
from engine.model import report as r
from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Role
from engine.model.quote import Candle, Depth, Quote, Tick, Trade
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile

DATA = Path(__file__).parents[3] / "shared" / "data"
D = Decimal
SECOND = 10**9
SIZE = D("0.001")
SEED, TRADES = 11, 60
INTERVALS = {"1 s": SECOND, "1 min": 60 * SECOND, "1 h": 3600 * SECOND}


class Day(NamedTuple):
    """One recorded day."""

    title: str
    symbol: str
    files: tuple[str, ...]
    near: int
    far: int
    """Basis points between which stops and targets are drawn."""
    every: int
    """Entries come at a full one of these, in seconds."""


DAYS = (
    Day(
        "Binance BTC/USDT, 11 min",
        "BTC/USDT",
        ("binance-spot_btcusdt_20240808_quotes", "binance-spot_btcusdt_20240808_trades"),
        3,
        15,
        60,
    ),
    Day(
        "Kraken BTC/USD, 2 min",
        "BTC/USD",
        ("kraken-spot_multi_20210405_l2", "kraken-spot_multi_20210405_trades"),
        1,
        3,
        10,
    ),
    Day(
        "Coinbase BTC/USD, a day", "BTC/USD", ("coinbase_btcusd_20161007_candles-1s",), 10, 80, 3600
    ),
    Day(
        "Coinbase BTC/USD, a sell-off",
        "BTC/USD",
        ("coinbase_btcusd_20170904_candles-1m",),
        20,
        200,
        3600,
    ),
    Day(
        "Coinbase ETH/USD, a sell-off",
        "ETH/USD",
        ("coinbase_ethusd_20170904_candles-1m",),
        20,
        200,
        3600,
    ),
    Day(
        "BTC-PERP, a month",
        "BTC-PERP",
        ("ftx-or-unknown_btcperp_20220101_candles-1m",),
        20,
        300,
        3600,
    ),
)


class Plan(Struct, frozen=True):
    """One trade."""

    at: int
    side: Side
    stop: Decimal
    target: Decimal


class Exit(Struct, frozen=True):
    """How a trade ended; in basis points, above zero is worse."""

    role: str
    worse: float
    """Than asked for."""
    price: Decimal
    gapped: bool
    """At a candle's open."""


def present(day: Day) -> bool:
    """Whether its files are on this machine."""
    return all((DATA / f"{name}.csv.gz").exists() for name in day.files)


def ticks_of(day: Day) -> list[Tick]:
    """All prices of its symbol."""
    market = RecordedMarket(DATA / f"{name}.csv.gz" for name in day.files)
    return [tick for tick in market if tick.symbol == day.symbol]


def candles_of(ticks: Iterable[Tick], interval: int) -> list[Candle]:
    """Candles of prints, or of finer candles."""
    found: list[Candle] = []
    for tick in ticks:
        if isinstance(tick, Trade):
            prices, size = (tick.price,) * 4, tick.size
        elif isinstance(tick, Candle):
            prices, size = (tick.open, tick.high, tick.low, tick.close), tick.volume
        else:
            continue
        at = tick.at - tick.at % interval
        if found and found[-1].at == at:
            last = found[-1]
            high, low = max(last.high, prices[1]), min(last.low, prices[2])
            found[-1] = Candle(
                last.symbol, at, last.open, high, low, prices[3], last.volume + size, interval
            )
        else:
            found.append(Candle(tick.symbol, at, *prices, size, interval))
    return found


def kinds(ticks: list[Tick]) -> Iterator[tuple[str, list[Tick]]]:
    """The same day in ever coarser data, the finest first."""
    have = {type(tick) for tick in ticks}
    for title, wanted in (
        ("depth and trades", (Depth, Trade)),
        ("quotes and trades", (Quote, Trade)),
        ("quotes", (Quote,)),
        ("trades", (Trade,)),
    ):
        if have.issuperset(wanted):
            yield title, [tick for tick in ticks if isinstance(tick, wanted)]
    if Depth in have:
        yield "quotes", list(_tops(ticks))
    finest = min((tick.interval for tick in ticks if isinstance(tick, Candle)), default=SECOND)
    for title, interval in INTERVALS.items():
        candles = candles_of(ticks, interval)
        if interval >= finest and len(candles) > 8:
            yield title, list(candles)


def _tops(ticks: Iterable[Tick]) -> Iterator[Quote]:
    exchange = _exchange(next(tick.symbol for tick in ticks))
    said: list[Quote] = []
    exchange.on_quote.append(said.append)
    for tick in ticks:
        if isinstance(tick, Depth):
            exchange.on_tick(tick)
            yield from said
            said.clear()


def plans(day: Day, ticks: list[Tick]) -> list[Plan]:
    """The trades of a day, from the seed."""
    random, every = Random(SEED), day.every * SECOND
    first, last = ticks[0].at // every + 1, ticks[-1].at // every
    moments = list(range(first, last)) or [first]

    instrument = _exchange(day.symbol).instruments[day.symbol]

    def plan() -> Plan:
        at, side = random.choice(moments) * every, random.choice(list(Side))
        price = price_at(ticks, at)
        stop, target = (D(random.randint(day.near * 10, day.far * 10)) / 100_000 for _ in range(2))
        return Plan(
            at,
            side,
            instrument.round_price(price * (1 - stop * side.sign)),
            instrument.round_price(price * (1 + target * side.sign)),
        )

    return [plan() for _ in range(TRADES)]


def price_at(ticks: list[Tick], at: int) -> Decimal:
    """The price that was known last at a time."""
    price = ZERO
    for tick in ticks:
        if tick.at > at and price:
            break
        match tick:
            case Quote():
                price = tick.mid
            case Trade():
                price = tick.price
            case Candle():
                price = tick.open if tick.at == at else tick.close
            case Depth():
                price = price or tick.levels[0].price
    return price


def _exchange(symbol: str) -> Exchange:
    instrument = instrument_for(load_profile("kraken-futures"), symbol, D("0.01"))
    money = instrument.quote
    return Exchange(load_profile("kraken-futures"), [instrument], {money: D(10**9)}, money)


def played(plan: Plan, ticks: list[Tick]) -> Exit | None:
    """One trade on one kind of data; None where it ended with the data, or never began."""
    exchange = _exchange(ticks[0].symbol)
    said: list[r.VenueReport] = []
    exchange.on_report.append(said.append)
    asked: dict[str, Decimal] = {}
    entered = False
    for tick in ticks:
        if not entered and tick.at > plan.at and exchange.books[tick.symbol].quote is not None:
            entered = True
            exchange.advance(plan.at)
            asked = _enter(exchange, plan, tick.symbol)
        exchange.on_tick(tick)
        if entered and (done := _exit(plan, asked, said, ticks)) is not None:
            return done
    if entered:
        exchange.advance(ticks[-1].at + 3600 * SECOND)
    return _exit(plan, asked, said, ticks)


def _enter(exchange: Exchange, plan: Plan, symbol: str) -> dict[str, Decimal]:
    def order(name: str, side: Side, kind: OrderType, role: Role, **terms: object) -> Order:
        return Order(name, "P", symbol, side, kind, role, SIZE, **terms)  # type: ignore[arg-type]

    out = plan.side.opposite
    exchange.submit(order("entry", plan.side, OrderType.MARKET, Role.ENTRY), plan.at)
    for one in (
        order("stop", out, OrderType.STOP, Role.STOP, trigger=plan.stop, reduce_only=True),
        order("target", out, OrderType.LIMIT, Role.TARGET, price=plan.target, reduce_only=True),
    ):
        exchange.submit(one, plan.at)  # refused where the first has ended the trade at once
    return {"stop": plan.stop, "target": plan.target}


def _exit(
    plan: Plan, asked: dict[str, Decimal], said: list[r.VenueReport], ticks: list[Tick]
) -> Exit | None:
    fills = [report.fill for report in said if isinstance(report, r.Filled)]
    found = next((fill for fill in fills if fill.client_order_id in asked), None)
    if found is None or found.at == plan.at:  # it was through before the trade began
        return None
    wanted = asked[found.client_order_id]
    worse = float((wanted - found.price) / wanted * plan.side.sign * 10_000)
    interval = ticks[0].interval if isinstance(ticks[0], Candle) else 0
    gapped = bool(interval) and found.at % interval == 0
    return Exit(found.client_order_id, worse, found.price, gapped)


class Row(Struct, frozen=True):
    """One kind of data of one day."""

    kind: str
    trades: int
    targets: list[float]
    stops: list[float]
    gaps: int
    same: float | None
    """Share of the trades that ended as on the finest data; None for the finest itself."""
    apart: float | None
    """How much worse these left than there, on average."""


def measured(day: Day) -> list[Row]:
    """All kinds of data that a day has."""
    ticks = ticks_of(day)
    trades = plans(day, ticks)
    finest: list[Exit | None] = []
    found = []
    for title, data in kinds(ticks):
        exits = [played(plan, data) for plan in trades]
        found.append(_row(title, trades, exits, finest))
        finest = finest or exits
    return found


def _row(
    title: str, trades: list[Plan], exits: list[Exit | None], finest: list[Exit | None]
) -> Row:
    ended = [one for one in exits if one is not None]
    stops = [one.worse for one in ended if one.role == "stop" and not one.gapped]
    both = [
        (plan, one, fine)
        for plan, one, fine in zip(trades, exits, finest, strict=False)
        if one is not None and fine is not None
    ]
    same = [(p, one, fine) for p, one, fine in both if one.role == fine.role and not one.gapped]
    apart = [
        float((fine.price - one.price) / fine.price * p.side.sign * 10_000) for p, one, fine in same
    ]
    agreed = sum(one.role == fine.role for _, one, fine in both)
    return Row(
        title,
        len(ended),
        [one.worse for one in ended if one.role == "target"],
        stops,
        sum(one.role == "stop" and one.gapped for one in ended),
        agreed / len(both) if both else None,
        fmean(apart) if apart else None,
    )


def main(say: Callable[[str], None] = print) -> None:
    """Measure the days that there are."""
    say("| day | data | exits | targets, worst | stops, mean | worst | gaps | same end | apart |")
    say("|---|---|---|---|---|---|---|---|---|")
    for day in filter(present, DAYS):
        for row in measured(day):
            told = (
                day.title,
                row.kind,
                str(row.trades),
                f"{max(map(abs, row.targets), default=0):.2f}",
                f"{fmean(row.stops):.2f}" if row.stops else "",
                f"{max(row.stops):.2f}" if row.stops else "",
                str(row.gaps),
                "" if row.same is None else f"{row.same:.0%}",
                "" if row.apart is None else f"{row.apart:+.2f}",
            )
            say("| " + " | ".join(told) + " |")


if __name__ == "__main__":
    main()
