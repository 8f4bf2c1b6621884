"""What is on margin, as Kraken spot tells it: positions, balances, the ledger, equity."""

from decimal import Decimal

from tests.support.wire import BTC, CASH, spot

D = Decimal


async def test_an_opening_pays_its_fee_and_a_closing_its_profit() -> None:
    async with spot(cash={"USD": "100000"}) as wire, wire.line() as line:
        await line.ask("subscribe", channel="balances", token=await wire.token())
        await wire.add("sell", "0.5", "", kind="market", leverage="2")
        wire.quote("49000.0", "49000.0")
        await wire.add("buy", "0.5", "", kind="market", leverage="2", reduce_only="true")
        opened, closed = (await wire.result("TradesHistory"))["trades"].values().__reversed__()
        entries = (await wire.result("Ledgers"))["ledger"]
        told = [
            row
            for message in await line.quiet()
            if message.get("type") == "update"
            for row in message["data"]
        ]
        balances = await wire.result("Balance")
    assert [entries[trade["ledgers"][0]]["amount"] for trade in (opened, closed)] == [
        "0.0000000000",
        "500.0000000000",
    ]
    assert {(row["type"], row["asset"]) for row in entries.values()} == {("margin", "ZUSD")}
    assert [(row["type"], row["asset"], row["amount"]) for row in told] == [
        ("margin", "USD", 0),
        ("margin", "USD", 500),
    ]
    assert {row["ledger_id"] for row in told} == set(entries)
    assert balances == {"ZUSD": f"{D(100_500) - D(opened['fee']) - D(closed['fee']):.4f}"}


async def test_a_position_is_told_with_what_it_cost_and_gains() -> None:
    async with spot() as wire:
        await wire.add("buy", "0.5", "", kind="market", leverage="4")
        wire.quote("51000.0", "51000.1")
        (position,) = (await wire.result("OpenPositions")).values()
        equity = await wire.result("TradeBalance")
    told = ("pair", "type", "vol", "vol_closed", "cost", "margin")
    assert [position[name] for name in told] == [
        "XXBTZUSD",
        "buy",
        "0.50000000",
        "0.00000000",
        "25000.05000",
        "6250.01250",
    ]
    assert float(position["net"]) > 499
    assert float(equity["m"]) > 0


async def test_coins_are_no_position_and_no_margin_is_coins() -> None:
    async with spot() as wire:
        await wire.add("buy", "0.5", "", kind="market")
        assert await wire.result("OpenPositions") == {}
        await wire.add("sell", "0.2", "", kind="market", leverage="2")
        extended = await wire.result("BalanceEx")
        truth = wire.world.truth()["accounts"]
    assert D(extended["XXBT"]["balance"]) == D(CASH["BTC"]) + D("0.5")
    assert truth["cash"]["BTC"] == D("5.5")
    assert truth["net"][BTC] == D("5.3")


async def test_settle_position_closes_what_is_on_margin() -> None:
    async with spot() as wire:
        await wire.add("sell", "0.2", "", kind="market", leverage="2")
        await wire.add("buy", "0", "", kind="settle-position", leverage="2")
        assert await wire.result("OpenPositions") == {}
