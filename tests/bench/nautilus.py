"""The same orders on the same market in paper and in nautilus_trader's backtest, order by order:
fills, fees and cash, with each difference named.

    python -m tests.bench.nautilus [--orders 120] [--seed 1] [--all] [--in FOLDER]

nautilus_trader is installed by pip into an environment of its own below FOLDER (default: a
temporary one), and is no dependency of this project. The markets are a recorded book of Kraken and
recorded quotes of Binance, where `shared/data` is; and a book from the seed. docs/paper.md says
why each difference is there.
"""

import argparse
import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from msgspec.structs import replace

from engine.exchange import Exchange
from engine.market import RecordedMarket, grid
from engine.model import report as r
from engine.model.instrument import Instrument
from engine.model.order import Order, OrderType, Role, TimeInForce, Trail
from engine.model.profile import Profile
from engine.model.quote import Depth, Level, Quote, Tick, Trade
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile
from tests.bench.clients import Client, environment
from tests.bench.paper_judge import DATA, KINDS

D = Decimal
SECOND = 1_000_000_000
PROBE = Path(__file__).parent / "engine_probes" / "nautilus_fills.py"
NAUTILUS = Client("nautilus_trader", ("nautilus_trader>=1.221,<1.222",), "")
MONEY, COINS = D(5 * 10**7), D(1_000)
"""Nothing is refused for want of them; more are more digits than a float holds."""
SIZES = ("0.001", "0.05", "1", "4")


class Market(NamedTuple):
    """What is played."""

    title: str
    symbol: str
    tick: Decimal
    ticks: list[Tick]


def markets(seed: int) -> Iterator[Market]:
    """The recorded ones that are here, and a made one."""
    for title, symbol, name in (
        ("Kraken BTC/USD 2021, the whole book", "BTC/USD", "kraken-spot_multi_20210405_l2"),
        ("Binance BTC/USDT 2024, best prices", "BTC/USDT", "binance-spot_btcusdt_20240808_quotes"),
    ):
        path = DATA / f"{name}.csv.gz"
        if path.exists():
            ticks = [tick for tick in RecordedMarket([path]) if tick.symbol == symbol]
            yield Market(title, symbol, grid([path])[symbol].tick, ticks)
    yield Market(f"made book, seed {seed}", "BTC/USD", D("0.1"), list(made(seed)))


def made(seed: int, count: int = 3_000) -> Iterator[Tick]:
    """A book of ten levels a side around a price that walks, five times a second."""
    chance, price, at = Random(seed), 300_000, 1_700_000_000 * SECOND
    shown: dict[Side, dict[int, Decimal]] = {Side.BUY: {}, Side.SELL: {}}
    for number in range(count):
        at += chance.randint(100, 300) * 1_000_000
        price += chance.choice((-12, -3, 0, 0, 0, 3, 12))
        levels = list[Level]()
        for side, book in shown.items():
            wanted = {
                price - side.sign * (1 + n * n): book.get(price - side.sign * (1 + n * n))
                or D(chance.randint(1, 300)) / 100
                for n in range(10)
            }
            levels += [Level(side, D(p) / 10, D(0)) for p in book if p not in wanted]
            levels += [Level(side, D(p) / 10, s) for p, s in wanted.items() if book.get(p) != s]
            shown[side] = wanted
        if levels:
            yield Depth("BTC/USD", at, tuple(levels), snapshot=not number)


class Asked(NamedTuple):
    """One order, and when it is placed."""

    kind: str
    order: Order
    at: int


def orders_of(market: Market, profile: Profile, count: int, seed: int) -> list[Asked]:
    """Orders of all kinds from a seed, between two prices, near the book of then."""
    chance, found = Random(seed), list[Asked]()
    times = [tick.at for tick in market.ticks]
    gaps = [n for n in range(len(times) * 9 // 10) if times[n + 1] - times[n] > 1_000]
    chosen = set(chance.sample(gaps, min(count, len(gaps))))
    books = Exchange(profile, [instrument_for(profile, market.symbol, market.tick)], {}, "USD")
    for number, tick in enumerate(market.ticks):
        books.on_tick(tick)
        quote = books.books[market.symbol].quote
        if number in chosen and quote is not None:
            kind = KINDS[len(found) % len(KINDS)]
            order = order_of(kind, len(found), quote, market, chance)
            found.append(Asked(kind, order, tick.at + 500))
    return found


def order_of(kind: str, number: int, quote: Quote, market: Market, chance: Random) -> Order:
    """One order of a kind near a quote."""
    side, tick = chance.choice(list(Side)), market.tick
    size, near = D(chance.choice(SIZES)), D(chance.randint(0, 6)) / 10_000
    own, other = (quote.bid, quote.ask) if side is Side.BUY else (quote.ask, quote.bid)

    def away(best: Decimal, sign: int) -> Decimal:
        return (best + sign * best * near) // tick * tick

    type_, terms = OrderType.MARKET, dict[str, object]()
    if kind in ("limit", "post-only"):
        type_, terms = OrderType.LIMIT, {"price": away(own, -side.sign)}
        terms["post_only"] = kind == "post-only"
    elif kind == "ioc":
        type_, terms = OrderType.LIMIT, {"price": away(other, side.sign)}
        terms["time_in_force"] = TimeInForce.IOC
    elif kind in ("stop", "stop-limit"):
        trigger = away(other, side.sign) + side.sign * tick * 5
        type_, terms = OrderType(kind), {"trigger": trigger}
        if kind == "stop-limit":
            terms["price"] = trigger + side.sign * tick * 20
    elif kind == "take-profit":
        type_ = OrderType.TAKE_PROFIT
        terms = {"trigger": away(other, -side.sign) - side.sign * tick * 5}
    elif kind == "trailing-stop":
        amount = (other * near) // tick * tick + tick * 5
        type_, terms = OrderType.TRAILING_STOP, {"trail": Trail(amount=amount)}
    name = f"{number} {kind}"
    return Order(name, "", market.symbol, side, type_, Role.ENTRY, size, **terms)  # type: ignore[arg-type]


class Made(NamedTuple):
    """What became of one order."""

    fills: tuple[tuple[int, Decimal, Decimal, Decimal, str], ...]
    """When, price, size, fee, maker or taker."""
    end: str

    @property
    def levels(self) -> dict[Decimal, Decimal]:
        """Size by price."""
        found = dict[Decimal, Decimal]()
        for _, price, size, _, _ in self.fills:
            found[price] = found.get(price, D(0)) + size
        return found

    @property
    def size(self) -> Decimal:
        return sum((fill[2] for fill in self.fills), D(0))

    @property
    def value(self) -> Decimal:
        return sum((fill[1] * fill[2] for fill in self.fills), D(0))

    @property
    def fee(self) -> Decimal:
        return sum((fill[3] for fill in self.fills), D(0))


Played = tuple[dict[str, Made], dict[str, Decimal]]


def ours(
    market: Market, asked: Iterable[Asked], profile: Profile, instrument: Instrument
) -> Played:
    """Paper's fills by order, and what is left of the money."""
    cash = {instrument.base: COINS, instrument.quote: MONEY}
    exchange = Exchange(profile, [instrument], cash, instrument.quote)
    said = list[r.VenueReport]()
    exchange.on_report.append(said.append)
    fills = dict[str, list[tuple[int, Decimal, Decimal, Decimal, str]]]()
    ends = dict[str, str]()
    waiting = iter(asked)
    following = next(waiting, None)
    for tick in market.ticks:
        while following is not None and following.at < tick.at:
            fills[following.order.client_order_id] = []
            told = exchange.submit(following.order, following.at)
            if isinstance(told, r.Rejected):
                ends[following.order.client_order_id] = f"Rejected {told.text}"
            following = next(waiting, None)
        exchange.on_tick(tick)
        exchange.forget_changes()
    for report in said:
        if isinstance(report, r.Filled):
            fill = report.fill
            told_of = (fill.at, fill.price, fill.size, fill.fee, str(fill.liquidity))
            fills[fill.client_order_id].append(told_of)
        elif isinstance(report, r.Cancelled):
            ends[report.client_order_id] = f"Canceled {report.text}"
    made = {name: Made(tuple(each), ends.get(name, "")) for name, each in fills.items()}
    return made, exchange.ledger.cash


def theirs(
    market: Market, asked: Iterable[Asked], instrument: Instrument, python: Path, folder: Path
) -> Played:
    """nautilus_trader's, by its own process."""
    ticks, job = folder / "ticks.jsonl", folder / "job.json"
    ticks.write_text("".join(f"{json.dumps(row(tick))}\n" for tick in market.ticks))
    tier = instrument.fee_tiers[0]
    job.write_text(
        json.dumps(
            {
                "symbol": market.symbol,
                "ticks": str(ticks),
                "deep": isinstance(market.ticks[0], Depth),
                "tick": str(market.tick),
                "digits": max(-int(market.tick.normalize().as_tuple().exponent), 0),
                "lot": str(instrument.lot),
                "maker": str(tier.maker),
                "taker": str(tier.taker),
                "cash": {instrument.base: str(COINS), instrument.quote: str(MONEY)},
                "orders": [told(one) for one in asked],
            }
        )
    )
    done = subprocess.run(
        [python, PROBE, job], check=False, capture_output=True, text=True, cwd=folder
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2_000:])
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    made = {
        name: Made(
            tuple(
                (at, D(price), D(size), D(fee), how) for at, price, size, fee, how in one["fills"]
            ),
            one["end"],
        )
        for name, one in said["orders"].items()
    }
    return made, {name: D(amount) for name, amount in said["balances"].items()}


def row(tick: Tick) -> list[object]:
    """A tick for the other process."""
    match tick:
        case Depth(at=at, levels=levels, snapshot=snapshot):
            told_of = [[str(one.side), str(one.price), str(one.size)] for one in levels]
            return ["depth", at, snapshot, told_of]
        case Quote(at=at):
            return ["quote", at, *map(str, (tick.bid, tick.bid_size, tick.ask, tick.ask_size))]
        case Trade(at=at, taker=taker):
            return ["trade", at, str(tick.price), str(tick.size), str(taker or "")]
    raise ValueError(f"{tick} is not played here")


def told(one: Asked) -> dict[str, object]:
    """An order for the other process."""
    order = one.order
    return {
        "name": order.client_order_id,
        "kind": one.kind,
        "at": one.at,
        "side": str(order.side),
        "size": str(order.size),
        "price": str(order.price),
        "trigger": str(order.trigger),
        "trail": str(order.trail.amount if order.trail is not None else ""),
    }


EQUAL = "equal"
TAKEN = "taken once"
TOUCH = "no more at a touch than is shown"
BEYOND = "beyond the best"
TRIGGER = "what fires fills where the market is"
OWN_PRICE = "a resting limit fills at its own price"
LATER = "nautilus acts at a later price"
UNNAMED = "NOT NAMED"


def causes(one: Asked, mine: Made, other: Made, alone: Callable[[], Made], *, deep: bool) -> str:
    """Why the fills of one order differ. `alone` are paper's where no other order took anything."""
    if same(mine, other):
        return EQUAL
    undisturbed = alone()
    found = [] if same(mine, undisturbed) else [TAKEN]
    if not same(undisturbed, other):
        found.append(named(one, undisturbed, other, deep=deep))
    return ", ".join(found)


def same(one: Made, other: Made) -> bool:
    """Whether two have the same prices and sizes, the first of them at the same time."""
    began = [fill[0] for fill in one.fills[:1]], [fill[0] for fill in other.fills[:1]]
    return one.levels == other.levels and began[0] == began[1]


def named(one: Asked, mine: Made, other: Made, *, deep: bool) -> str:
    """The difference between two fills of the same order with the market to itself."""
    order = one.order
    if not mine.fills or not other.fills:
        first = (mine.fills or other.fills)[0]
        rested = first[1] == order.price and first[4] == "maker"
        return TOUCH if rested else UNNAMED
    first, theirs_first = mine.fills[0], other.fills[0]
    if first[0] != theirs_first[0]:
        return LATER if first[0] < theirs_first[0] else UNNAMED
    if theirs_first[1] == order.trigger != first[1]:
        return TRIGGER
    if first[1] == order.price and first[4] == "maker":
        better = (order.price - theirs_first[1]) * order.side.sign > 0
        return OWN_PRICE if better else TOUCH if mine.size <= other.size else UNNAMED
    if deep:
        return UNNAMED
    if order.type is OrderType.TRAILING_STOP:
        return TRIGGER
    return BEYOND if first[1] == theirs_first[1] else UNNAMED


def compared(
    market: Market,
    python: Path,
    folder: Path,
    wanted: argparse.Namespace,
    say: Callable[[str], None],
) -> None:
    """One market: the table, and, where all are wanted, each order that differs."""
    profile = replace(load_profile("kraken-spot"), max_open_orders=100_000)
    instrument = instrument_for(profile, market.symbol, market.tick)
    first = instrument.fee_tiers[:1]  # nautilus knows no tiers
    instrument = replace(instrument, fee_tiers=first, tick=market.tick)
    deep = isinstance(market.ticks[0], Depth)
    asked = orders_of(market, profile, wanted.orders, wanted.seed)
    mine, cash = ours(market, asked, profile, instrument)
    other, balances = theirs(market, asked, instrument, python, folder)
    table, filled = Counter[tuple[str, str]](), 0
    for one in asked:
        name = one.order.client_order_id

        def alone(one: Asked = one, name: str = name) -> Made:
            return ours(market, [one], profile, instrument)[0][name]

        why = causes(one, mine[name], other[name], alone, deep=deep)
        table[one.kind, why] += 1
        filled += bool(mine[name].fills or other[name].fills)
        if wanted.all and why != EQUAL:
            say(f"    {name} {one.order.side} {one.order.size}: {why}")
            say(f"        paper    {_told(one, mine[name])}")
            say(f"        nautilus {_told(one, other[name])}")
    say(f"\n{market.title}: {len(asked)} orders, {filled} of them filled in one or the other\n")
    whys = sorted({why for _, why in table}, key=lambda why: (why != EQUAL, why))
    say(f"| kind | {' | '.join(whys)} |")
    say(f"|---|{'---|' * len(whys)}")
    for kind in (*KINDS, "all"):
        counts = [
            sum(n for (each, name), n in table.items() if name == why and kind in (each, "all"))
            for why in whys
        ]
        say(f"| {kind} | {' | '.join(map(str, counts))} |")
    _fees_and_cash(asked, (mine, cash), (other, balances), instrument, say)


def _told(one: Asked, made: Made) -> str:
    fills = ", ".join(
        f"{size.normalize():f} at {price.normalize():f} {how} +{(at - one.at) / 1e9:.3f} s"
        for at, price, size, _, how in made.fills[:4]
    )
    more = f", and {len(made.fills) - 4} more" if len(made.fills) > 4 else ""
    return f"{fills or 'nothing'}{more} {made.end}"


def _fees_and_cash(
    asked: list[Asked],
    paper: Played,
    nautilus: Played,
    instrument: Instrument,
    say: Callable[[str], None],
) -> None:
    """Fees of equal fills, and what the money should be by each one's own fills."""
    mine, other = paper[0], nautilus[0]
    equal = [name for name in mine if same(mine[name], other[name])]
    apart = [abs(mine[name].fee - other[name].fee) for name in equal]
    fills = max((len(other[name].fills) for name in equal), default=0)
    say(
        f"\nfees of the {len(equal)} equal orders: {sum(mine[n].fee for n in equal):.8f} and"
        f" {sum(other[n].fee for n in equal):.8f}; most apart {max(apart, default=D(0)):.8f}"
        f" {instrument.quote} (of up to {fills} fills)"
    )
    for title, (made, cash) in (("paper", paper), ("nautilus", nautilus)):
        expected = MONEY - sum(
            (one.order.side.sign * made[one.order.client_order_id].value for one in asked), D(0)
        )
        expected -= sum((each.fee for each in made.values()), D(0))
        held = cash.get(instrument.quote, D(0))
        say(
            f"{title}: {instrument.quote} {held:.2f}, by its own fills and fees {expected:.2f},"
            f" apart {held - expected:.2f}; {instrument.base} {cash.get(instrument.base)}"
        )


def main(say: Callable[[str], None] = print) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=120, help="for each market")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--all", action="store_true", help="each order that differs")
    parser.add_argument("--in", dest="folder", type=Path, help="where environments are kept")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flatout-nautilus-") as temporary:
        python, version, trouble = environment(NAUTILUS, wanted.folder or Path(temporary))
        if trouble:
            say(f"nautilus_trader can't be installed here: {trouble}")
            return
        say(f"nautilus_trader {version}, seed {wanted.seed}")
        for market in markets(wanted.seed):
            compared(market, python, Path(temporary), wanted, say)


if __name__ == "__main__":
    main()
