"""What the exchange of one seeded run on the wire is like, and what the trader does there: all of
it follows from the seed.

Every day has all faults, modes, error pages, rows without fields, and another program on the same
account. Where the exchange can behave in one of several ways (what an edit's size means, whose
clock is ahead), the seed draws one.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

from msgspec import Struct

from engine.exchange.faults import Delay, Faults, Interval
from engine.model.order import Order, OrderType, Role
from engine.model.side import Side
from engine.wire.conduct import MODES, ONLINE, Conduct
from engine.wire.futures.habits import EDITS, Habits

MS, SECOND = 1_000_000, 1_000_000_000
SYMBOLS = {"kraken": ("BTC/USD", "ETH/USD"), "krakenfutures": ("PF_XBTUSD", "PF_ETHUSD")}
"""What the script trades."""
OTHERS = {"kraken": "SOL/USD", "krakenfutures": "PF_SOLUSD"}
"""What only the other program trades."""
SIZES = {"BTC/USD": "0.1", "ETH/USD": "1", "PF_XBTUSD": "0.1", "PF_ETHUSD": "1"}
BASES = {"BTC/USD": 62_000, "PF_XBTUSD": 62_000, "ETH/USD": 2650, "PF_ETHUSD": 2650}
"""About where the simulated prices begin."""
ALL = Faults(
    lose_reply=0.03,
    lose_request=0.03,
    duplicate_report=0.05,
    reorder_reports=0.05,
    reject_stop=0.1,
    delay=Delay(5 * MS, 150 * MS),
    disconnect=Interval(6 * SECOND, SECOND),
    rest_lag=2 * SECOND,
    rate_limit_storm=Interval(7 * SECOND, SECOND // 2),
)
Fields = dict[str, tuple[str, ...]]
LACKING: tuple[tuple[Fields, Fields], ...] = (
    ({}, {}),
    (
        {
            "openOrders": ("receivedTime", "unfilledSize"),
            "orders": ("timestamp",),
            "feed fills": ("fee_paid", "fee_currency", "remaining_order_qty"),
        },
        {},
    ),
    ({}, {"openOrders": ("limitPrice",), "tickers": ("bid",), "feed ticker": ("bid", "ask")}),
)
"""Fields that rows of Kraken Futures lack, and fields that are null."""


class Day(Struct):
    """One exchange, and who else is on the account."""

    conduct: Conduct
    habits: Habits
    others: list[tuple[float, Order]]
    """Seconds after the beginning, and what the other program places then."""


def day(seed: int, venue: str) -> Day:
    """The exchange of a seed."""
    random = Random(f"day {seed} {venue}")
    conduct = Conduct(
        error_page=0.03,
        ahead=random.choice((-3, 0, 2, 7)) * SECOND,
        mode=random.choice([mode for mode in MODES if mode != ONLINE]),
        modes=Interval(5 * SECOND, SECOND // 2),
        odd_rows=True,
        always_merged=random.random() < 0.3,
        fee_credits=random.random() < 0.5,
    )
    late = random.choice((0, 0, SECOND, 3 * SECOND))
    drops, nulls = random.choice(LACKING)
    habits = Habits(
        status_by=random.choice((("POST",), ("GET",), ("GET", "POST"))),
        edits=random.choice(EDITS),
        untouched_size=random.random() < 0.3,
        late=late,
        late_history=bool(late) and random.random() < 0.5,
        history_ids=random.random() < 0.5,
        drops=drops,
        nulls=nulls,
    )
    return Day(conduct, habits, _others(random, venue))


def _others(random: Random, venue: str) -> list[tuple[float, Order]]:
    """Executions in a symbol of its own, and orders that rest far away in one of ours."""
    symbol, other = random.choice(SYMBOLS[venue]), OTHERS[venue]
    far = Decimal(BASES[symbol]) * Decimal("0.7")
    found = [
        (random.uniform(0.2, 3), _order(other, Side.BUY, OrderType.MARKET, Decimal(5))),
        (
            random.uniform(0.2, 8),
            _order(symbol, Side.BUY, OrderType.LIMIT, Decimal(SIZES[symbol]) / 10, far),
        ),
        (random.uniform(3, 5), _order(other, Side.SELL, OrderType.MARKET, Decimal(2))),
    ]
    return sorted(found, key=lambda row: row[0])


def _order(
    symbol: str, side: Side, kind: OrderType, size: Decimal, price: Decimal | None = None
) -> Order:
    return Order("", "", symbol, side, kind, Role.ENTRY, size, price=price, foreign=True)


def scenario(seed: int, venue: str, rest: str, ws: str) -> str:
    """A script from a seed."""
    random = Random(seed)
    lines = [
        (
            f'name = "wire {seed}"\nseed = {seed}\nuntil = "13s"\n[account]\nvenue ='
            f' "{venue}"\nrest = "{rest}"\nws = "{ws}"'
        ),
        f'[market]\nsource = "venue"\nsymbols = {json.dumps(SYMBOLS[venue])}',
        f'[settings]\n"gateway.timeout" = 2.0\n{_tier(venue)}\n"risk.max_positions" = 6',
    ]
    at, labels = 0.3, list[str]()
    steps = (
        "open",
        "open",
        "open",
        "move",
        "close",
        "trail",
        "target",
        "cancel",
        "crash",
        "restart",
        "even",
        "reverse",
    )
    for index in range(random.randint(5, 12)):
        at += random.choice((0.05, 0.2, 0.6, 1.0))
        step = random.choice(steps)
        if step == "open" or not labels:
            labels.append(f"e{index}")
            lines.append(_open(random, at, labels[-1], random.choice(SYMBOLS[venue])))
        elif step in ALONE:
            lines.append(f'[[do]]\nat = "{at:.2f}s"\n{ALONE[step]} = true')
        else:
            lines.append(
                f'[[do]]\nat = "{at:.2f}s"\nposition ='
                f' "{random.choice(labels)}"\n{ABOUT[step](random)}'
            )
    lines.append('[[do]]\nat = "9s"\nflatten = true')
    # what the other program did is booked once two pictures agree
    lines += [f'[[do]]\nat = "{at}s"\nreconcile = true' for at in ("10.5", "12")]
    return "\n".join(lines) + "\n"


ALONE = {"crash": "crash", "restart": "restart", "cancel": "cancel_all"}
ABOUT: dict[str, Callable[[Random], str]] = {
    "move": lambda random: f'move_stop = {{ stop = "{random.choice((0.3, 0.7, 1.5))}%" }}',
    "close": lambda random: f'close = {{ part = "{random.choice((30, 50, 100))}%" }}',
    "trail": lambda _: 'trail = { distance = "0.5%" }',
    "target": lambda _: 'move_target = { target = "1.5%" }',
    "even": lambda _: "break_even = true",
    "reverse": lambda _: "reverse = true",
}
TARGETS = (
    'target = "2%"',
    'targets = [{ at = "0.2%", part = "50%" }, { at = "2%", part = "50%" }]',
    (
        'targets = [{ at = "0.1%", part = "30%" }, { at = "0.4%", part = "30%" }, { at = "1%", part'
        ' = "40%" }]'
    ),
    "",
    "",
)


def _tier(venue: str) -> str:
    return '"account.limits" = { tier = "pro" }' if venue == "kraken" else ""


def _open(random: Random, at: float, label: str, symbol: str) -> str:
    kind = random.choice(("market", "market", "market", "limit", "limit", "stop"))
    side = random.choice(("buy", "buy", "sell"))
    terms: dict[str, Any] = {
        "symbol": symbol,
        "side": side,
        "type": kind,
        "size": SIZES[symbol],
        "stop": "1%",
    }
    if kind == "limit":
        terms["price"] = _beside(symbol, side, random.choice((0.03, 0.03, 0.0005)))
    elif kind == "stop":
        terms["trigger"] = _beside(symbol, side, random.choice((-0.02, -0.001)))
    if kind == "limit" and random.random() < 0.4:
        terms["expires"] = random.choice(("1s", "6s"))
    if random.random() < 0.3:
        terms["leverage"] = "3"
    told = [f"{name} = {json.dumps(value)}" for name, value in terms.items()]
    told += [target for target in (random.choice(TARGETS),) if target]
    return f'[[do]]\nat = "{at:.2f}s"\nid = "{label}"\nopen = {{ {", ".join(told)} }}'


def _beside(symbol: str, side: str, share: float) -> str:
    """A price below the market's beginning for a buy, above it for a sell; a negative share is the
    other way.
    """
    return f"{BASES[symbol] * (1 - share if side == 'buy' else 1 + share):.0f}"
