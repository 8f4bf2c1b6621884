"""The last exit over the wire: both Kraken profiles, with keys, a home, and an exchange whose views
lag without saying so.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.account import summary as summaries
from engine.account.lock import Lock
from engine.account.summary import HeldPosition, OpenOrder, Summary
from engine.clock import Clock
from engine.emergency import Wanted, last_exit
from engine.exchange import Faults
from engine.model import report as r
from engine.model.ids import account_prefix
from engine.model.order import Order, OrderType, Role
from engine.model.request import Lane, Submit
from engine.model.rules import GatewayRules
from engine.model.side import Side
from engine.setup.sections import MarketSettings, Settings
from engine.venues.live.account import Where
from engine.venues.live.keys import Credentials
from engine.venues.live.kraken_futures import KrakenFutures
from engine.venues.live.kraken_spot import KrakenSpot
from engine.venues.live.venue import LiveVenue
from engine.venues.parts import PartedVenue, Pay
from engine.venues.profiles import load_profile
from engine.venues.protocol import OutcomeUnknownError
from tests.support.exchange import SYMBOLS, Exchange, serving

D = Decimal
ME = account_prefix("main")
NAMES = pytest.mark.parametrize("name", ["kraken", "krakenfutures"])


async def place(exchange: Exchange, venue: LiveVenue, order: Order) -> str:
    """An order of the engine's; the venue's id."""
    for _ in range(50):
        told = await venue.send(Submit(order, Lane.ENTRY))
        if isinstance(told[0], r.Accepted):
            return told[0].venue_order_id
        await asyncio.sleep(0.1)
    raise AssertionError(told)


async def first_bid(venue: PartedVenue, symbol: str) -> Decimal:
    for _ in range(100):
        for quote in await venue.parts().quotes([symbol]):
            return quote.bid
        await asyncio.sleep(0.05)
    raise AssertionError("no price")


async def dead_engine(exchange: Exchange, folder: Path, *, own: bool = False) -> Summary:
    """Bought 0.5, with its stop; a limit entry rests; somebody else's order rests, too."""
    venue, symbol = exchange.venue(folder), SYMBOLS[exchange.name][0]
    await venue.open()
    futures = exchange.name == "krakenfutures"
    assert isinstance(venue, PartedVenue)
    bid = await first_bid(venue, symbol)
    if own:
        await place(
            exchange,
            venue,
            Order("SOMEBODYELSE", "", symbol, Side.BUY, OrderType.MARKET, Role.ENTRY, D("0.2")),
        )
    await place(
        exchange,
        venue,
        Order(f"{ME}ENTRYAAAAAAAA", "", symbol, Side.BUY, OrderType.MARKET, Role.ENTRY, D("0.5")),
    )
    trigger, low = (
        venue.instrument(symbol).round_price(bid * D("0.9")),
        venue.instrument(symbol).round_price(bid * D("0.8")),
    )
    stop = Order(
        f"{ME}STOPAAAAAAAAA",
        "",
        symbol,
        Side.SELL,
        OrderType.STOP,
        Role.STOP,
        D("0.5"),
        trigger=trigger,
        reduce_only=futures,
    )
    stop_id = await place(exchange, venue, stop)
    rest = Order(
        f"{ME}LOWAAAAAAAAAA", "", symbol, Side.BUY, OrderType.LIMIT, Role.ENTRY, D("0.1"), price=low
    )
    rest_id = await place(exchange, venue, rest)
    booked = tuple(
        fill["execution_id"]
        for fill in exchange.world.truth(requests=False)["executions"]  # type: ignore[attr-defined]
    )
    await place(
        exchange,
        venue,
        Order(
            "SOMEBODYRESTS", "", symbol, Side.BUY, OrderType.LIMIT, Role.ENTRY, D("0.1"), price=low
        ),
    )
    await venue.close()
    now = exchange.clock.now()
    orders = [(stop, stop_id, trigger), (rest, rest_id, None)]
    return Summary(
        account="main",
        seq=1,
        at=now,
        executions=booked,
        positions=(
            HeldPosition(id="P", symbol=symbol, side=Side.BUY, size=D("0.5"), opened_at=now),
        ),
        orders=tuple(
            OpenOrder(
                client_order_id=one.client_order_id,
                venue_order_id=venue_id,
                symbol=symbol,
                side=one.side,
                role=one.role,
                size=one.size,
                filled=D(0),
                trigger=level,
                touched_at=now,
            )
            for one, venue_id, level in orders
        ),
        baseline={"BTC": D("0.2") if own else D(0)},
    )


async def leave(exchange: Exchange, folder: Path, said: list[str], **terms: Any) -> int:
    """Run the last exit as the command does."""
    settings = Settings(
        account=exchange.account(**terms),
        market=MarketSettings(symbols=(*SYMBOLS[exchange.name], "NOT/TRADED")),
        gateway=GatewayRules(timeout=3.0),
    )
    return await last_exit(
        Wanted(settings=settings, folder=folder, label="main · LIVE", seconds=60), said.append
    )


@pytest.mark.hazard("H113")
async def test_a_summary_of_another_account_is_not_believed(tmp_path: Path) -> None:
    """An account's folder was copied: what it says was held is not held here."""
    said: list[str] = []
    async with serving("krakenfutures") as exchange:
        told = await dead_engine(exchange, tmp_path)
        (position,) = told.positions
        summaries.write(
            tmp_path, replace(told, account="other", positions=(replace(position, size=D(7)),))
        )
        assert await leave(exchange, tmp_path, said, lag=0.0) == 0, said
    assert any("summary is of account other" in line for line in said), said
    assert not any("books have" in line for line in said), said


@pytest.mark.hazard("H113")
@NAMES
async def test_it_gets_flat_and_leaves_alone_what_is_not_ours(name: str, tmp_path: Path) -> None:
    said: list[str] = []
    async with serving(name) as exchange:
        own = name == "kraken"
        told = await dead_engine(exchange, tmp_path, own=own)
        summaries.write(tmp_path, told)
        code = await leave(exchange, tmp_path, said, lag=0.0)
        truth = exchange.world.truth(requests=False)  # type: ignore[attr-defined]
        assert code == 0, said
        assert truth["accounts"]["net"] == ({SYMBOLS[name][0]: D("0.2")} if own else {}), said
        assert len(exchange.world.exchange.orders) == 1, "somebody else's order rests"  # type: ignore[attr-defined]
        assert any("not ours, left alone" in line for line in said), said
        assert all(line.startswith("main · LIVE: ") for line in said)


@pytest.mark.hazard("H113")
@NAMES
@pytest.mark.slow
async def test_views_that_lag_without_saying_so_neither_double_nor_hide(
    name: str, tmp_path: Path
) -> None:
    said: list[str] = []
    async with serving(name, faults=Faults(rest_lag=4_000_000_000)) as exchange:
        told = await dead_engine(exchange, tmp_path, own=name == "kraken")
        summaries.write(tmp_path, told)
        code = await leave(exchange, tmp_path, said, lag=4.0)
        held = exchange.world.truth(requests=False)["accounts"]["net"].get(SYMBOLS[name][0], D(0))  # type: ignore[attr-defined]
        assert held == (D("0.2") if name == "kraken" else D(0)), said
        assert code == 0, said


@pytest.mark.hazard("H112")
@pytest.mark.slow
async def test_a_starter_tier_is_enough(tmp_path: Path) -> None:
    said: list[str] = []
    async with serving("kraken", limits={"tier": "starter"}) as exchange:
        told = await dead_engine(exchange, tmp_path)
        summaries.write(tmp_path, told)
        code = await leave(exchange, tmp_path, said, lag=0.0)
        assert code == 0, said
        assert exchange.world.truth(requests=False)["accounts"]["net"] == {}  # type: ignore[attr-defined]


@pytest.mark.hazard("H113")
@pytest.mark.parametrize("lost", [True, False])
async def test_a_short_is_bought_back_on_margin_and_coins_of_others_are_not(
    lost: bool, tmp_path: Path
) -> None:
    """At the exchange a short is a loan that the venue lists; an account's coins beside it are left
    alone.
    """
    said: list[str] = []
    async with serving("kraken") as exchange:
        venue, symbol = exchange.venue(tmp_path), SYMBOLS["kraken"][0]
        await venue.open()
        assert isinstance(venue, PartedVenue)
        bid = await first_bid(venue, symbol)
        await place(
            exchange,
            venue,
            Order("SOMEBODYELSE", "", symbol, Side.BUY, OrderType.MARKET, Role.ENTRY, D("0.2")),
        )
        await place(
            exchange,
            venue,
            Order(
                f"{ME}SHORTAAAAAAAA",
                "",
                symbol,
                Side.SELL,
                OrderType.MARKET,
                Role.ENTRY,
                D("0.5"),
                leverage=D(2),
            ),
        )
        trigger = venue.instrument(symbol).round_price(bid * D("1.1"))
        stop = Order(
            f"{ME}STOPAAAAAAAAA",
            "",
            symbol,
            Side.BUY,
            OrderType.STOP,
            Role.STOP,
            D("0.5"),
            trigger=trigger,
            leverage=D(2),
            reduce_only=True,
        )
        await place(exchange, venue, stop)
        await venue.close()
        if not lost:
            booked = tuple(
                fill["execution_id"]
                for fill in exchange.world.truth(requests=False)["executions"]  # type: ignore[attr-defined]
            )
            position = HeldPosition(
                id="P",
                symbol=symbol,
                side=Side.SELL,
                size=D("0.5"),
                leverage=D(2),
                opened_at=exchange.clock.now(),
            )
            known = Summary(
                account="main",
                seq=1,
                at=exchange.clock.now(),
                executions=booked,
                positions=(position,),
                baseline={"BTC": D("0.2")},
            )
            summaries.write(tmp_path, known)
        code = await leave(exchange, tmp_path, said, lag=0.0)
        assert exchange.world.truth(requests=False)["accounts"]["net"] == {symbol: D("0.2")}, said  # type: ignore[attr-defined]
        assert not exchange.world.exchange.orders, said  # type: ignore[attr-defined]
        assert code == (1 if lost else 0), said
        assert any(
            "0.2 BTC" in line and ("unattributable" if lost else "left alone") in line
            for line in said
        ), said
        assert not any("our orders sold" in line for line in said), said


@pytest.mark.hazard("H103")
async def test_nobody_is_ended_for_an_exit_that_cannot_reach_the_venue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.emergency.steps.REACHED", 0.5)
    monkeypatch.setattr("engine.emergency.asking.ACKNOWLEDGED", 0.2)
    ended: list[Path] = []
    monkeypatch.setattr("engine.emergency.holder.end", lambda folder, _: ended.append(folder))
    said: list[str] = []
    async with serving("kraken") as exchange:
        exchange.keep_key(tmp_path)
        account = exchange.account(rest="http://127.0.0.1:9", ws="ws://127.0.0.1:9")
    settings = Settings(
        account=account,
        market=MarketSettings(symbols=SYMBOLS["kraken"]),
        gateway=GatewayRules(timeout=0.3),
    )
    lock = Lock.take(tmp_path, time.time_ns())
    assert isinstance(lock, Lock)
    code = await last_exit(Wanted(settings=settings, folder=tmp_path, label="x"), said.append)
    lock.release()
    assert code == 1
    assert ended == [], "a holder was ended for an exit that can't act"
    assert any("can't be reached" in line and "was not ended" in line for line in said), said


async def test_without_a_key_nothing_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("FLATOUT_KEY", "FLATOUT_SECRET"):
        monkeypatch.delenv(variable, raising=False)
    said: list[str] = []
    async with serving("kraken") as exchange:
        account = exchange.account(name="nokey")
        settings = Settings(account=account, market=MarketSettings(symbols=SYMBOLS["kraken"]))
        assert (
            await last_exit(
                Wanted(settings=settings, folder=tmp_path / "nokey", label="x"), said.append
            )
            == 2
        )
    assert any("no key" in line for line in said)
    assert not (tmp_path / "nokey").exists()


# Half answers


def asked(kind: type[LiveVenue], answer: Mapping[str, Any]) -> Any:
    """A venue that answers everything with this."""
    profile = load_profile("kraken-spot" if kind is KrakenSpot else "kraken-futures")
    where = Where("main", SYMBOLS["kraken" if kind is KrakenSpot else "krakenfutures"])
    venue = kind(
        profile, where, Credentials("k", "c2VjcmV0", "test"), Clock(asyncio.get_running_loop())
    )

    async def told(method: str, params: Mapping[str, Any], lane: int) -> Any:
        del method, params, lane
        return answer

    venue.signed = told  # type: ignore[method-assign]
    return venue


async def free(name: str, cost: float) -> None:
    del name, cost


PAY: Pay = free


@pytest.mark.hazard("H113")
async def test_an_order_whose_size_is_unknown_is_an_order() -> None:
    row = {
        "order_id": "V1",
        "symbol": "PF_XBTUSD",
        "side": "sell",
        "orderType": "stop",
        "stopPrice": "55000",
        "filledSize": "0",
    }
    told = await asked(KrakenFutures, {"openOrders": [row]}).parts().working(PAY)
    assert [(one.venue_order_id, one.order) for one in told.rows] == [("V1", None)]
    assert "of unknown size" in told.rows[0].text


@pytest.mark.hazard("H113")
@pytest.mark.parametrize(
    ("kind", "part", "answer"),
    [
        (KrakenFutures, "holdings", {}),
        (KrakenFutures, "holdings", {"openPositions": [{"symbol": "PF_XBTUSD", "side": "long"}]}),
        (KrakenFutures, "working", {"openOrders": [{"symbol": "PF_XBTUSD"}]}),
        (KrakenFutures, "working", {}),
        (KrakenFutures, "executions", {"fills": [{"order_id": "V"}]}),
        (KrakenSpot, "working", {}),
        (KrakenSpot, "executions", {"count": 0}),
    ],
)
async def test_a_part_that_lacks_a_field_is_no_part(
    kind: type[LiveVenue], part: str, answer: Mapping[str, Any]
) -> None:
    parts = asked(kind, answer).parts()
    questions: dict[str, Callable[[], Any]] = {
        "holdings": lambda: parts.holdings(PAY, on_margin=False),
        "working": lambda: parts.working(PAY),
        "executions": lambda: parts.executions(0, "", PAY),
    }
    with pytest.raises(OutcomeUnknownError):
        await questions[part]()
