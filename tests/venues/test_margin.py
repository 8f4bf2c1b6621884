"""Kraken spot on margin, end to end over the wire: orders that name a leverage, positions beside
the balances, the venue's own word.
"""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.clock import SECOND
from engine.emergency import Emergency, NotFlatError
from engine.emergency.budget import Budget
from engine.emergency.gathering import Gathering
from engine.emergency.holding import Holding
from engine.emergency.ours import Ours
from engine.exchange import Faults
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.ids import account_prefix
from engine.model.order import Order, OrderType, Role
from engine.model.request import Lane, QueryAccount, Submit
from engine.model.side import Side
from engine.venues.live.kraken_spot import venue as kraken_spot
from engine.venues.live.kraken_spot.pictures import PAGE, PAGES
from engine.venues.parts import Holdings
from engine.venues.protocol import Venue
from engine.wire.world import World
from tests.support.exchange import Exchange, serving
from tests.support.wire import RECORDED, needs_recordings
from tests.venues.test_frames import spot
from tests.venues.test_live import Heard, _connected

pytestmark = pytest.mark.slow

D = Decimal
PREFIX = account_prefix("main")
ME = f"{PREFIX}AAAA"
BTC, ETH = "BTC/USD", "ETH/USD"


async def placed(
    venue: Venue,
    heard: Heard,
    name: str,
    side: Side,
    size: str,
    symbol: str = BTC,
    leverage: str | None = None,
) -> None:
    lent = None if leverage is None else D(leverage)
    order = Order(name, "", symbol, side, OrderType.MARKET, Role.ENTRY, D(size), leverage=lent)
    assert [type(report) for report in await venue.send(Submit(order, Lane.ENTRY))] == [r.Accepted]
    await heard.until(r.Filled)


async def picture(venue: Venue, *, on_margin: bool = True) -> r.Picture:
    (told,) = await venue.send(QueryAccount(0, Lane.QUERY, on_margin))
    assert isinstance(told, r.Picture)
    return told


def world(exchange: Exchange) -> World:
    return exchange.server.world


async def test_what_is_on_margin_is_told_by_symbol_and_moves_no_balance(tmp_path: Path) -> None:
    async with serving("kraken") as exchange:
        venue, heard = await _connected(exchange, tmp_path)
        assert {
            instrument.symbol for instrument in await venue.instruments() if instrument.can_short
        } == {BTC, ETH}
        await placed(venue, heard, f"{ME}S", Side.SELL, "0.5", leverage="2")
        await placed(venue, heard, f"{ME}L", Side.BUY, "2", ETH)
        told = await picture(venue)
        assert told.net == {BTC: D("-0.5")}
        assert told.balances.keys() == {"USD", "ETH"}
        assert told.balances["USD"] == pytest.approx(world(exchange).exchange.ledger.cash["USD"])
        assert not (await picture(venue, on_margin=False)).net
        cover = Order(
            f"{ME}C",
            "",
            BTC,
            Side.BUY,
            OrderType.MARKET,
            Role.CLOSE,
            D("0.9"),
            leverage=D(2),
            reduce_only=True,
        )
        await venue.send(Submit(cover, Lane.PROTECT))
        told = await picture(venue)
        assert told.net == {}
        assert {fill.client_order_id for fill in told.fills if fill.execution_id in told.lent} == {
            f"{ME}S",
            f"{ME}C",
        }, "both ways, and not the coins"
        assert world(exchange).exchange.picture(exchange.clock.now(), 0).lent == told.lent
        await venue.close()


@needs_recordings
async def test_recorded_positions_are_summed_by_pair_less_what_is_closed() -> None:
    path = RECORDED / "kraken.net" / "Endpoints_Spot_Account_GetOpenPositions.json"
    rows = json.loads(path.read_text(), parse_float=str)["result"]
    buys = [row for row in rows.values() if row["pair"] == "XXBTZUSD"]
    assert {row["type"] for row in buys} == {"buy"}
    net = spot().rows.net({name: row for name, row in rows.items() if row["pair"] == "XXBTZUSD"})
    assert net == {BTC: sum(D(row["vol"]) - D(row["vol_closed"]) for row in buys)}


# The last way to flat


@pytest.mark.hazard("H08")
@pytest.mark.parametrize("name", ["kraken", "krakenfutures"])
async def test_the_emergency_close_gets_flat_over_the_wire(name: str, tmp_path: Path) -> None:
    """Coins, what is on margin and what rests are gone; what is not ours is still there."""
    said: list[str] = []
    async with serving(name) as exchange:
        venue, heard = await _connected(exchange, tmp_path)
        symbols = (BTC, ETH) if name == "kraken" else ("PF_XBTUSD", "PF_ETHUSD")
        lent = "2" if name == "kraken" else None
        await placed(venue, heard, f"{ME}A", Side.SELL, "0.5", symbols[0], lent)
        await placed(venue, heard, f"{ME}B", Side.BUY, "2", symbols[1])
        if name == "kraken":
            await placed(venue, heard, "SOMEBODY", Side.BUY, "0.3", symbols[0])
        low = Order(
            f"{ME}R", "", symbols[1], Side.BUY, OrderType.LIMIT, Role.ENTRY, D(1), price=D(1_000)
        )
        await venue.send(Submit(low, Lane.ENTRY))
        await venue.close()
        alone = exchange.venue(tmp_path)
        if name == "kraken":  # without a home nothing says whose the coins are that we did not buy
            with pytest.raises(NotFlatError, match=r"0\.3 BTC .* is unattributable"):
                await Emergency(alone, "main", exchange.clock, said.append).flatten()
        else:
            await Emergency(alone, "main", exchange.clock, said.append).flatten()
            assert any("the venue says flat" in line for line in said)
        await alone.close()
        held = world(exchange).truth(requests=False)["accounts"]["net"]
        assert held == ({BTC: D("0.3")} if name == "kraken" else {})
        assert not world(exchange).exchange.orders


def holding(there: str, net: str, *fills: tuple[Side, str, bool]) -> list[tuple[str, Decimal]]:
    """What is to be closed of these executions of ours: coins, or what is on margin."""
    venue = spot()
    instrument = venue.names.instrument(BTC, venue.profile)
    ours = Ours("main", None, None)
    told = [
        Fill(f"T{n}", f"{ME}{n}", BTC, side, D(60_000), D(size), D(0), "USD", Liquidity.TAKER, 1)
        for n, (side, size, _) in enumerate(fills)
    ]
    ours.take(told, frozenset(f"T{n}" for n, (_, _, lent) in enumerate(fills) if lent))
    parts: Any = None  # nothing is asked
    gathering = Gathering(
        parts, ours, Budget(venue.profile.limit_model(), venue.clock, 0), venue.clock, print
    )
    gathering.holdings = Holdings(1, {"BTC": D(there)}, {BTC: D(net)})
    lefts = Holding(gathering, {BTC: instrument}, D(0), (), ("USD",)).lefts()
    return [
        ("margin" if left.on_margin else "coins", left.closable) for left in lefts if left.closable
    ]


@pytest.mark.parametrize(
    ("fills", "there", "net", "held"),
    [
        (((Side.BUY, "0.5", False),), "0.5", "0", [("coins", "0.5")]),
        (((Side.BUY, "0.5", False),), "0.4", "0", [("coins", "0.4")]),  # no more than there is
        (((Side.SELL, "0.5", False),), "3", "0", []),  # coins of somebody else's are not bought
        (((Side.SELL, "0.5", True),), "0", "-0.5", [("margin", "-0.5")]),
        (
            ((Side.BUY, "0.5", False), (Side.SELL, "0.2", True)),
            "0.5",
            "-0.2",
            [("coins", "0.5"), ("margin", "-0.2")],
        ),
        # a loan of somebody else's is left alone
        (((Side.BUY, "0.5", False),), "2", "-0.7", [("coins", "0.5")]),
    ],
)
async def test_what_is_to_be_closed_is_told_apart(
    fills: tuple[tuple[Side, str, bool], ...], there: str, net: str, held: list[tuple[str, str]]
) -> None:
    assert sorted(holding(there, net, *fills)) == [(what, D(size)) for what, size in held]


async def test_a_long_history_is_read_to_its_end_though_the_limits_are_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving("kraken", limits={"tier": "starter"}) as exchange:
        venue, heard = await _connected(exchange, tmp_path)
        await placed(venue, heard, f"{ME}A", Side.BUY, "0.01")
        there = world(exchange)
        (first,) = there.exchange.fills
        there.exchange.fills.extend(
            replace(first, execution_id=f"T{n:05X}-BBBBB-{n:06}", at=first.at + n)
            for n in range(1, 9 * PAGE)
        )
        monkeypatch.setattr(kraken_spot, "LIMITED", 0.05)

        async def pass_time() -> None:
            """A second of the exchange's in each twentieth of ours."""
            while True:
                await asyncio.sleep(0.05)
                there.clock.catch_up(SECOND)

        passing = asyncio.get_running_loop().create_task(pass_time())
        told = await picture(venue)
        passing.cancel()
        assert len(told.fills) == 9 * PAGE
        assert told.since == 0
        assert [entry for entry in there.log if entry.outcome == "EAPI:Rate limit exceeded"], (
            "18 tokens of 15"
        )
        await venue.close()


async def test_a_history_that_is_too_long_says_from_when_on_it_is_told(tmp_path: Path) -> None:
    venue = spot()
    first_page_at, count = 5_000_000, 2 * PAGES * PAGE
    row = {
        "pair": "XXBTZUSD",
        "type": "buy",
        "price": "1",
        "vol": "1",
        "fee": "0",
        "cl_ord_id": "X",
    }

    async def told(method: str, params: dict[str, str], _: int) -> object:
        if method.endswith("tradeshistory"):
            first = int(params["ofs"])
            return {
                "trades": {
                    f"T{n}": {**row, "ordertxid": f"O{n // 40}", "time": str(first_page_at - n)}
                    for n in range(first, first + PAGE)
                },
                "count": count,
            }
        return (
            {"open": {}}
            if method.endswith("openorders")
            else {name: {**row, "cl_ord_id": name} for name in params["txid"].split(",")}
            if method.endswith("queryorders")
            else {}
        )

    venue.private_call = told  # type: ignore[assignment,method-assign]
    answer = await picture(venue, on_margin=False)
    assert len(answer.fills) == PAGES * PAGE
    assert answer.since == answer.fills[0].at + 1
    assert answer.since > 0


async def test_faults_on_the_way_do_not_keep_it_from_flat(tmp_path: Path) -> None:
    async with serving("kraken", seed=3) as exchange:
        venue, heard = await _connected(exchange, tmp_path)
        await placed(venue, heard, f"{ME}A", Side.SELL, "0.5", leverage="2")
        await venue.close()
        world(exchange).faults = Faults(lose_reply=0.1, lose_request=0.05)
        alone = exchange.venue(tmp_path)
        alone.rest._timeout = 0.5
        await Emergency(alone, "main", exchange.clock, print).flatten()
        await alone.close()
        assert world(exchange).truth(requests=False)["accounts"]["net"] == {}
