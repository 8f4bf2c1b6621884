"""Scripts against an exchange on loopback, whose prices move by hand: what it did is read from its
own books.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.model.order import Order, OrderType
from engine.model.quote import Quote, Tick
from engine.rehearsal.scenario.run import Run
from engine.rehearsal.scenario.script import read
from engine.wire.terms import terms_of
from engine.wire.world import World
from tests.support.exchange import SYMBOLS, Exchange, serving

pytestmark = pytest.mark.slow

D = Decimal
VENUES = ("kraken", "krakenfutures")


def still(venue: str) -> Callable[[int], Iterator[Tick]]:
    return lambda start: iter(
        [Quote(SYMBOLS[venue][0], start, D("60000.0"), D(5), D("60000.1"), D(5))]
    )


def script(exchange: Exchange, steps: str, until: str = "8s") -> str:
    ready, venue = exchange.server.ready, exchange.name
    tier = '"account.limits" = { tier = "pro" }\n' if venue == "kraken" else ""
    return (
        f'name = "wire"\nseed = 1\nuntil = "{until}"\n[account]\nvenue = "{venue}"\nrest ='
        f' "{ready["rest"]}"\nws = "{ready["ws"]}"\n[market]\nsource = "venue"\nsymbols ='
        f' ["{SYMBOLS[venue][0]}"]\n[settings]\n"gateway.timeout" = 1.0\n{tier}{steps}'
    )


async def ran(
    exchange: Exchange,
    home: Path,
    steps: str,
    beside: Callable[[World], Awaitable[None]],
    until: str = "8s",
) -> dict[str, Any]:
    """The report; `beside` does what happens at the exchange meanwhile."""
    exchange.keep_key(home)
    path = home / "scenario.toml"
    path.write_text(script(exchange, steps, until))
    other = asyncio.ensure_future(beside(exchange.server.world))
    report = await asyncio.wait_for(Run(read(path), home).main(), 60)
    await other
    assert not report["invariants"]["violations"], report["invariants"]["violations"]
    return report


async def until(found: Callable[[], object], what: str) -> None:
    for _ in range(300):
        if found():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{what} did not come")


def ours(world: World) -> list[Order]:
    return [order for order in world.exchange.orders.values() if terms_of(order).client]


def held(world: World, symbol: str) -> Decimal:
    fills = [fill for fill in world.exchange.fills if fill.symbol == symbol]
    return sum((fill.size * fill.side.sign for fill in fills), D(0))


@pytest.mark.parametrize("venue", VENUES)
async def test_half_leaves_at_the_first_target_and_the_rest_at_the_second(
    venue: str, tmp_path: Path
) -> None:
    symbol = SYMBOLS[venue][0]
    targets = 'targets = [{ at = "1%", part = "50%" }, { at = "2%", part = "50%" }]'
    steps = (
        f'[[do]]\nat = "0.2s"\nid = "a"\nopen = {{ symbol = "{symbol}", side = "buy", size = "0.2",'
        f' stop = "2%", {targets} }}\n'
    )
    seen: list[list[tuple[str, Decimal]]] = []

    def price(world: World, bid: str) -> None:
        world.feed(Quote(symbol, world.now(), D(bid), D(5), D(bid) + D("0.1"), D(5)))

    def resting(world: World) -> list[tuple[str, Decimal]]:
        return sorted(
            ("stop" if order.type is OrderType.STOP else "target", order.remaining)
            for order in ours(world)
        )

    async def beside(world: World) -> None:
        both = (
            [("stop", D("0.2")), ("target", D("0.1")), ("target", D("0.1"))]
            if venue == "krakenfutures"
            else [("stop", D("0.2"))]
        )
        await until(lambda: resting(world) == both, f"{both}")
        price(world, "60650.0")
        await until(lambda: held(world, symbol) == D("0.1"), "the first half's end")
        left = (
            [("stop", D("0.1")), ("target", D("0.1"))]
            if venue == "krakenfutures"
            else [("stop", D("0.1"))]
        )
        await until(lambda: resting(world) == left, f"{left}")
        seen.append(resting(world))
        price(world, "61300.0")
        await until(lambda: not held(world, symbol), "the second half's end")
        await until(lambda: not ours(world), "the end of the stop")

    async with serving(venue, ticks=still(venue)) as exchange:
        report = await ran(exchange, tmp_path, steps, beside)
        (position,) = report["positions"]
        assert (position["close_reason"], D(position["size"])) == ("target", D("0.2"))
        assert {fill["execution_id"] for fill in report["fills"]} == {
            fill.execution_id for fill in exchange.server.world.exchange.fills
        }
        assert seen, "the stop shrank with the first half"


@pytest.mark.parametrize("venue", VENUES)
async def test_a_part_leaves_at_its_limit_and_the_stop_stays_for_the_rest(
    venue: str, tmp_path: Path
) -> None:
    symbol = SYMBOLS[venue][0]
    steps = (
        f'[[do]]\nat = "0.2s"\nid = "a"\nopen = {{ symbol = "{symbol}", side = "buy", size = "0.2",'
        ' stop = "2%" }\n[[do]]\nat = "1s"\nposition = "a"\nclose = { part = "50%", price ='
        ' "60600.0" }\n'
    )
    rests = venue == "krakenfutures"

    def resting(world: World) -> list[tuple[str, Decimal]]:
        return sorted((order.type.value, order.remaining) for order in ours(world))

    async def beside(world: World) -> None:
        limit = [("limit", D("0.1"))] if rests else []
        await until(lambda: resting(world) == [*limit, ("stop", D("0.2"))], "the limit exit")
        await asyncio.sleep(0 if rests else 1.5)  # where it is watched, nothing there says so
        world.feed(Quote(symbol, world.now(), D("60610.0"), D(5), D("60610.1"), D(5)))
        await until(lambda: held(world, symbol) == D("0.1"), "the part's end")
        await until(lambda: resting(world) == [("stop", D("0.1"))], "the smaller stop")

    async with serving(venue, ticks=still(venue)) as exchange:
        report = await ran(exchange, tmp_path, steps, beside, until="4s")
        (left,) = [fill for fill in report["fills"] if fill["side"] == "sell"]
        assert D(left["size"]) == D("0.1")
        assert D(left["price"]) >= D(60_600)
        assert report["refusals"] == []


@pytest.mark.parametrize("venue", VENUES)
async def test_a_template_halves_at_one_r_and_brings_the_stop_to_break_even(
    venue: str, tmp_path: Path
) -> None:
    symbol = SYMBOLS[venue][0]
    steps = (
        '[templates.scalp]\nsize = "0.2"\nstop = "2%"\ntargets = ["1r 50%", "5r rest"]\n'
        'be = "after 1r +2t"\n'
        f'[[do]]\nat = "0.2s"\nid = "a"\nopen = {{ symbol = "{symbol}", side = "buy", template ='
        ' "scalp" }\n'
    )
    stops: list[Decimal] = []

    def price(world: World, bid: str) -> None:
        world.feed(Quote(symbol, world.now(), D(bid), D(5), D(bid) + D("0.1"), D(5)))

    def stop(world: World) -> tuple[Decimal, Decimal] | None:
        """Trigger and size of the stop."""
        found = [order for order in ours(world) if order.type is OrderType.STOP]
        return (found[0].trigger or D(0), found[0].remaining) if len(found) == 1 else None

    async def beside(world: World) -> None:
        await until(lambda: (stop(world) or (0, 0))[1] == D("0.2"), "the stop for all of it")
        price(world, "62300.0")
        await until(lambda: held(world, symbol) == D("0.1"), "the half at 1R")
        await until(lambda: (stop(world) or (D(0), 0))[0] > D("60000"), "the stop at break-even")
        await until(lambda: (stop(world) or (0, 0))[1] == D("0.1"), "the stop for what is left")
        stops.append((stop(world) or (D(0), D(0)))[0])
        price(world, "60000.0")
        await until(lambda: not held(world, symbol), "the rest's end at the stop")
        await until(lambda: not ours(world), "the end of the target")

    async with serving(venue, ticks=still(venue)) as exchange:
        report = await ran(exchange, tmp_path, steps, beside)
        (position,) = report["positions"]
        assert position["close_reason"] == "stop"
        assert stops
        assert D(60_000) < stops[0] < D(61_000)
        assert {fill["execution_id"] for fill in report["fills"]} == {
            fill.execution_id for fill in exchange.server.world.exchange.fills
        }


async def test_a_restart_waits_for_an_exchange_that_does_not_answer(tmp_path: Path) -> None:
    steps = (
        '[[do]]\nat = "0.2s"\nid = "a"\nopen = { symbol = "BTC/USD", side = "buy", size = "0.1",'
        ' stop = "2%" }\n[[do]]\nat = "2s"\ncrash = true\n[[do]]\nat = "3s"\nflatten = true\n'
    )

    async def beside(world: World) -> None:
        await until(
            lambda: [order for order in ours(world) if order.type is OrderType.STOP], "a stop"
        )
        await asyncio.sleep(1.5)
        world.faults = replace(world.faults, lose_request=1.0)
        await asyncio.sleep(12)
        world.faults = replace(world.faults, lose_request=0.0)

    async with serving("kraken", ticks=still("kraken")) as exchange:
        report = await ran(exchange, tmp_path, steps, beside, until="25s")
        assert not held(exchange.server.world, "BTC/USD")
        assert len(report["positions"]) == 1
