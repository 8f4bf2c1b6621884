"""A strict judge of paper's fills: two thousand orders of all kinds from a seed on eight recorded
days, each fill held against the recording by rules that share nothing with the matching engine.

    python -m tests.bench.paper_judge [--orders 250] [--seed 17 --seed 18] [--fresh]

A fill is *optimistic* where the recording does not prove it:

- taken from the book: at a better price than the best that was shown then, or more at that price
  than was shown;
- a resting limit: not at its own price; or the opposite best had not reached it, nothing was
  printed through it, and what was printed at it since it joined does not exceed the queue that was
  seen there and what it got (none once it was better than the best that was shown of its side); a
  queue that nobody saw counts as endless;
- a stop, take-profit or trailing stop: fired by nothing, better than its trigger allows at the
  moment that touched it, or than the book was then.
"""

import argparse
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import NamedTuple

from msgspec.structs import replace

from engine.exchange import Exchange
from engine.market import RecordedMarket, grid
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Role, TimeInForce, Trail
from engine.model.quote import Quote, Tick, Trade
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile

DATA = Path(__file__).parents[3] / "shared" / "data"
D = Decimal
SEED = 17
MAKER = Liquidity.MAKER
DAYS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Binance spot BTC/USDT 2021", "BTCUSDT", ("binance-spot_btcusdt_20210108",)),
    ("Binance spot BTC/USDT 2024", "BTCUSDT", ("binance-spot_btcusdt_20240808",)),
    ("Binance spot ETH/USDT 2024", "ETHUSDT", ("binance-spot_ethusdt_20240808",)),
    ("Binance USD-M BTC/USDT 2024", "BTCUSDT", ("binance-usdm_btcusdt_20240808",)),
    ("Kraken spot BTC/USD 2021", "BTCUSD", ("kraken-spot_multi_20210405",)),
    ("Kraken spot BTC/USD 2023-05", "BTCUSD", ("kraken-spot_btcusd_20230529",)),
    ("Kraken spot BTC/USD 2023-08", "BTCUSD", ("kraken-spot_btcusd_20230830",)),
    ("Coinbase BTC/USD 2017, a sell-off", "BTCUSD", ("coinbase_btcusd_20170904_quotes-1m",)),
)
FRESH: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Coinbase ETH/USD 2017, a sell-off", "ETHUSD", ("coinbase_ethusd_20170904_quotes-1m",)),
    *(
        (f"Kraken spot {name} 2021", name.replace("/", ""), ("kraken-spot_multi_20210405",))
        for name in ("FIL/BTC", "DASH/EUR", "ALGO/BTC", "LSK/USD", "WAVES/ETH", "AUD/USD")
    ),
    *(
        (f"Kraken Futures {name} 2021", name, ("kraken-futures_multi_20210722",))
        for name in ("PI_ETHUSD", "FI_XBTUSD_210924", "FI_ETHUSD_211231", "PI_LTCUSD")
    ),
)
"""Days on which no rule of this judge was ever tried while it was written."""
KINDS = (
    "market",
    "limit",
    "post-only",
    "ioc",
    "stop",
    "stop-limit",
    "take-profit",
    "trailing-stop",
)


class Asked(NamedTuple):
    """One order, and when it was placed."""

    kind: str
    order: Order
    at: int


def files_of(names: Iterable[str]) -> list[Path]:
    """The files of a day: quotes and trades, where there are such."""
    found = []
    for name in names:
        whole = DATA / f"{name}.csv.gz"
        parts = [DATA / f"{name}_{kind}.csv.gz" for kind in ("quotes", "trades")]
        found += [path for path in (whole, *parts) if path.exists()]
    return found


class Tape:
    """What was shown and printed, by time."""

    def __init__(self, ticks: list[Tick]) -> None:
        self.quotes = [tick for tick in ticks if isinstance(tick, Quote)]
        self.prints = [tick for tick in ticks if isinstance(tick, Trade)]
        self.quoted = [quote.at for quote in self.quotes]
        self.printed = [one.at for one in self.prints]

    def shown(self, at: int) -> list[Quote]:
        """The quotes that may have been the newest at a time: the last before it, all of then."""
        last = bisect_left(self.quoted, at)
        return self.quotes[max(last - 1, 0) : bisect_right(self.quoted, at)]

    def quotes_in(self, begin: int, end: int) -> list[Quote]:
        """Shown from one time to another, both included; with what stood when it began."""
        first = max(bisect_right(self.quoted, begin) - 1, 0)
        return self.quotes[first : bisect_right(self.quoted, end)]

    def last_print(self, at: int) -> int:
        """When the print was that was known at a time: what a trail begins from."""
        place = bisect_right(self.printed, at)
        return self.printed[place - 1] if place else at

    def prints_in(self, begin: int, end: int) -> list[Trade]:
        """Printed from one time until another, both included."""
        return self.prints[bisect_left(self.printed, begin) : bisect_right(self.printed, end)]


def orders_of(tape: Tape, symbol: str, tick: Decimal, count: int, seed: int = SEED) -> list[Asked]:
    """Orders from a seed, near the price of their time."""
    chance, found = Random(seed), list[Asked]()
    for number in range(count):
        quote = chance.choice(tape.quotes[: max(len(tape.quotes) * 9 // 10, 1)])
        kind, side = KINDS[number % len(KINDS)], chance.choice(list(Side))
        size = D(chance.choice(("0.001", "0.05", "1", "4")))
        best = quote.bid if side is Side.BUY else quote.ask
        reach = best * D(chance.randint(0, 8)) / 10_000

        def away(sign: int, best: Decimal = best, reach: Decimal = reach) -> Decimal:
            return (best + sign * reach) // tick * tick

        terms: dict[str, object] = {}
        type_ = OrderType.MARKET
        if kind in ("limit", "post-only", "ioc"):
            type_, terms["price"] = OrderType.LIMIT, away(-side.sign)
            terms["post_only"] = kind == "post-only"
            if kind == "ioc":
                terms["price"] = away(side.sign)
                terms["time_in_force"] = TimeInForce.IOC
        elif kind in ("stop", "stop-limit"):
            type_, terms["trigger"] = OrderType(kind), away(side.sign) + side.sign * tick * 20
            if kind == "stop-limit":
                terms["price"] = away(side.sign) + side.sign * tick * 40
        elif kind == "take-profit":
            type_, terms["trigger"] = (
                OrderType.TAKE_PROFIT,
                away(-side.sign) - side.sign * tick * 20,
            )
        elif kind == "trailing-stop":
            type_, terms["trail"] = (
                OrderType.TRAILING_STOP,
                Trail(amount=reach // tick * tick + tick),
            )
        order = Order(f"{kind} {number}", "", symbol, side, type_, Role.ENTRY, size, **terms)  # type: ignore[arg-type]
        found.append(Asked(kind, order, quote.at))
    return sorted(found, key=lambda asked: asked.at)


def fills_of(
    ticks: list[Tick], asked: list[Asked], exchange: Exchange
) -> tuple[dict[str, list[Fill]], Counter[str]]:
    """All orders on one day; their fills, and how many were refused by kind."""
    said: list[r.VenueReport] = []
    exchange.on_report.append(said.append)
    refused: Counter[str] = Counter()
    waiting = iter(asked)
    following = next(waiting, None)
    for tick in ticks:
        while following is not None and following.at < tick.at:
            told = exchange.submit(following.order, following.at)
            refused[following.kind] += isinstance(told, r.Rejected)
            following = next(waiting, None)
        exchange.on_tick(tick)
        exchange.forget_changes()
    found: dict[str, list[Fill]] = {}
    for report in said:
        if isinstance(report, r.Filled):
            found.setdefault(report.fill.client_order_id, []).append(report.fill)
    return found, refused


def worse(side: Side, price: Decimal, than: Decimal) -> bool:
    """Whether a price is no better for this side than another."""
    return (price - than) * side.sign >= 0


def taken(asked: Asked, fill: Fill, tape: Tape) -> str:
    """Why what was taken from the book is optimistic; empty where it is not."""
    side = fill.side
    shown = tape.shown(fill.at)
    best = min(q.ask for q in shown) if side is Side.BUY else max(q.bid for q in shown)
    if not worse(side, fill.price, best):
        return f"taken at {fill.price}, better than the best {best}"
    sizes = [
        q.ask_size if side is Side.BUY else q.bid_size
        for q in shown
        if (q.ask if side is Side.BUY else q.bid) == fill.price
    ]
    if fill.price == best and fill.size > max(sizes):
        return f"{fill.size} taken at {fill.price}, where {max(sizes)} was shown"
    return ""


def reached(asked: Asked, fill: Fill, tape: Tape) -> bool:
    """Whether the opposite best had come to a limit, with enough for this fill."""
    limit = asked.order.price
    assert limit is not None
    for quote in tape.shown(fill.at):
        buys = fill.side is Side.BUY
        best, size = (quote.ask, quote.ask_size) if buys else (quote.bid, quote.bid_size)
        if worse(fill.side, limit, best) and fill.size <= size:
            return True
    return False


def through(asked: Asked, fill: Fill, tape: Tape) -> bool:
    """Whether something was printed beyond a limit just then."""
    limit = asked.order.price
    assert limit is not None
    prints = tape.prints_in(fill.at, fill.at)
    return any(one.price != limit and worse(fill.side, limit, one.price) for one in prints)


def rested(asked: Asked, fill: Fill, before: Decimal, tape: Tape) -> str:
    """Why the fill of a resting limit is optimistic; prints filled `before` of it earlier."""
    side, limit = fill.side, asked.order.price
    assert limit is not None
    if fill.price != limit:
        return f"rested at {limit} and filled at {fill.price}"
    if reached(asked, fill, tape) or through(asked, fill, tape):
        return ""
    prints = tape.prints_in(asked.at + 1, fill.at)
    joined = list[tuple[int, Decimal]]()
    for quote in tape.quotes_in(asked.at, fill.at):
        buys = side is Side.BUY
        best, size = (quote.bid, quote.bid_size) if buys else (quote.ask, quote.ask_size)
        if (limit - best) * side.sign >= 0:
            # nobody else was at a price better than the best: whoever came later stands behind
            joined.append((quote.at, size if best == limit else ZERO))
    own = [q.bid if side is Side.BUY else q.ask for q in tape.shown(asked.at)]
    if any((limit - best) * side.sign > 0 for best in own):
        joined = [(asked.at, ZERO)]
    if not joined:
        return f"filled at {limit} by prints, in a queue that nobody saw"
    since, queue = joined[0]
    traded = sum((one.size for one in prints if one.price == limit and one.at >= since), start=ZERO)
    if traded < queue + before + fill.size:
        return f"{traded} printed at {limit}, ahead were {queue}, filled {before + fill.size}"
    return ""


def touched(asked: Asked, end: int, tape: Tape) -> int | None:
    """When a trigger was first touched, by a print or by the quote that it would fill on."""
    order, trigger = asked.order, asked.order.trigger
    assert trigger is not None
    way = order.side.sign * (-1 if order.type is OrderType.TAKE_PROFIT else 1)
    times = [one.at for one in tape.prints_in(asked.at, end) if (one.price - trigger) * way >= 0]
    for quote in tape.quotes_in(asked.at, end):
        price = quote.ask if order.side is Side.BUY else quote.bid
        if (price - trigger) * way >= 0:
            times.append(max(quote.at, asked.at))
            break
    return min(times, default=None)


def trailed(asked: Asked, end: int, tape: Tape) -> tuple[int | None, Decimal]:
    """When a trailing stop was first touched, and by the furthest trigger that it can have had."""
    side, trail = asked.order.side, asked.order.trail
    assert trail is not None
    assert trail.amount is not None
    seen = [(one.at, one.price) for one in tape.prints_in(tape.last_print(asked.at), end)]
    for quote in tape.quotes_in(asked.at, end):
        seen += [(quote.at, quote.bid), (quote.at, quote.ask)]
    best = min if side is Side.BUY else max
    extreme, at = None, None
    for when, price in sorted(seen):
        extreme = price if extreme is None else best(extreme, price)
        reached = (price - extreme) * side.sign >= trail.amount
        if reached and when >= asked.at:
            at = when
            break
    assert extreme is not None
    return at, extreme + trail.amount * side.sign


def fired(asked: Asked, fill: Fill, tape: Tape) -> str:
    """Why a triggered order's fill is better than its trigger allows; once it has fired, what is
    left of it is a market order like any other.
    """
    order = asked.order
    if order.type is OrderType.TRAILING_STOP:
        at, trigger = trailed(asked, fill.at, tape)
    else:
        assert order.trigger is not None
        at, trigger = touched(asked, fill.at, tape), order.trigger
    if at is None:
        return f"fired at {trigger}, which nothing had touched"
    bounded = order.type is not OrderType.TAKE_PROFIT and at == fill.at
    if bounded and not worse(fill.side, fill.price, trigger):
        return f"fired at {trigger} and filled at {fill.price}"
    return ""


def judged(asked: Asked, fills: list[Fill], tape: Tape) -> list[str]:
    """What is optimistic about an order's fills."""
    found, printed = list[str](), ZERO
    for fill in fills:
        why, waits, at = "", False, asked.at
        if asked.order.type in (OrderType.MARKET, OrderType.LIMIT):
            waits = fill.at > asked.at and asked.order.type is OrderType.LIMIT
            why = "" if waits else taken(asked, fill, tape)
        else:
            why = fired(asked, fill, tape) or taken(asked, fill, tape)
            if why and fill.price == asked.order.price:  # a stop-limit that rested once it fired
                at, waits = touched(asked, fill.at, tape) or asked.at, True
        if waits:
            joined = asked._replace(at=at)
            why = rested(joined, fill, printed, tape)
            queued = not reached(joined, fill, tape) and not through(joined, fill, tape)
            printed += fill.size if queued else ZERO
        if why:
            found.append(f"{asked.order.client_order_id} {fill.side} {fill.at}: {why}")
    return found


def main(say: Callable[[str], None] = print) -> None:
    """Print a table for each seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=250, help="for each day")
    parser.add_argument("--seed", type=int, action="append", help=f"default: {SEED}")
    parser.add_argument("--fresh", action="store_true", help="other days than the usual eight")
    parser.add_argument("--show", type=int, default=3, help="so many optimistic ones of each day")
    asked_for = parser.parse_args()
    for seed in asked_for.seed or [SEED]:
        say(f"| seed {seed} | orders | refused | filled | fills | optimistic |")
        say("|---|---|---|---|---|---|")
        whole = Counter[str]()
        for title, base, names in FRESH if asked_for.fresh else DAYS:
            files = files_of(names)
            if not files:
                say(f"| {title} | not on this machine | | | | |")
                continue
            counts, wrong = one_day(files, base, asked_for.orders, seed)
            whole.update(counts)
            say(_row(title, counts))
            for one in wrong[: asked_for.show]:
                say(f"    {one}")
        say(_row("all", whole))


def one_day(files: list[Path], base: str, count: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Orders of one seed on one day: what became of them, and what is optimistic."""
    grids = grid(files)
    symbol = next(name for name in grids if name.replace("/", "").startswith(base))
    ticks = [tick for tick in RecordedMarket(files) if tick.symbol == symbol]
    tape, step = Tape(ticks), grids[symbol].tick
    profile = replace(load_profile("kraken-futures"), max_open_orders=100_000)
    instrument = instrument_for(profile, symbol, step)
    exchange = Exchange(profile, [instrument], {instrument.quote: D(10**12)}, instrument.quote)
    orders = orders_of(tape, symbol, step, count, seed)
    fills, refused = fills_of(ticks, orders, exchange)
    wrong = [
        one
        for asked in orders
        for one in judged(asked, fills.get(asked.order.client_order_id, []), tape)
    ]
    return Counter(
        orders=len(orders),
        refused=refused.total(),
        filled=len(fills),
        fills=sum(map(len, fills.values())),
        optimistic=len(wrong),
    ), wrong


def _row(title: str, counts: Counter[str]) -> str:
    kinds = ("orders", "refused", "filled", "fills", "optimistic")
    return f"| {title} | {' | '.join(f'{counts[kind]:,}' for kind in kinds)} |"


if __name__ == "__main__":
    main()
