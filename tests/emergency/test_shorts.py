"""Coins that an account lends and that were sold short: bought back where that is proved, told by
name where it is not.
"""

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.account.summary import Summary
from engine.clock import SECOND
from engine.emergency.closing import Result
from engine.model.order import Order, OrderType, Role
from engine.model.side import Side
from tests.support.scene import BTC, Scene, play
from tests.support.world import World
from tests.support.world import play as play_world

D = Decimal
pytestmark = pytest.mark.hazard("H113")
COINS = pytest.mark.parametrize("coins", ["0", "0.4", "2"])
STOPS = pytest.mark.parametrize("stop", ["70000", None])


def told(result: Result) -> str:
    return "\n".join(result.lines)


@COINS
@STOPS
@pytest.mark.parametrize("lends", [True, False])
def test_a_short_that_the_summary_has_is_bought_back_and_no_more(
    coins: str, stop: str | None, lends: bool
) -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", side=Side.SELL, stop=stop)
        await scene.clock.sleep(60 * SECOND)
        result = await scene.exit(scene.summary())
        assert scene.held == D(coins)
        assert result.flat, result.lines
        assert not scene.resting

    play(tale, coins=coins, lends=lends)


@STOPS
def test_without_a_home_what_the_account_owes_is_bought_back(stop: str | None) -> None:
    """Nothing lay there before: the venue's own balance, below zero, is the proof."""

    async def tale(scene: Scene) -> None:
        scene.hold("1", side=Side.SELL, stop=stop)
        await scene.clock.sleep(60 * SECOND)
        result = await scene.exit(None)
        assert scene.held == 0
        assert result.flat, result.lines
        assert not scene.resting

    play(tale, lends=True)


@pytest.mark.parametrize("lost", [True, False])
@pytest.mark.parametrize(("coins", "held", "short"), [("2", "1", "1"), ("0.4", "0", "0.4")])
@STOPS
def test_what_only_executions_call_a_short_is_told_by_name_and_its_stop_stays(
    coins: str, held: str, short: str, stop: str | None, lost: bool
) -> None:
    """The home is lost, or older than the short: own coins lie in the heap, and what was adopted
    may have been sold.
    """

    async def tale(scene: Scene) -> None:
        old = scene.summary()
        await scene.clock.sleep(300 * SECOND)
        scene.hold("1", side=Side.SELL, stop=stop)
        await scene.clock.sleep(60 * SECOND)
        result = await scene.exit(None if lost else old)
        assert not result.flat, "a short of ours was called flat"
        assert scene.held == D(held), "more was bought than the account owes"
        worth = f"about {D(short) * D('60000.05'):,.2f} USD"
        assert (
            f"BTC/USD: our orders sold {short} BTC ({worth}) more than is known to be ours"
            in told(result)
        )
        assert "that our books have is not at the venue" not in told(result)
        # one goes for what is owed
        kept = (
            [(OrderType.STOP, Side.BUY, D(1), D(stop))] if stop is not None and short == "1" else []
        )
        assert [
            (order.type, order.side, order.size, order.trigger) for order in scene.resting
        ] == kept

    play(tale, coins=coins, lends=True)


def test_what_a_stop_and_a_close_sold_twice_is_not_bought_back_and_is_told() -> None:
    """It may as well be that: the coins of the owner went, and buying them back is a bet on the
    price.
    """

    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        known = scene.summary()
        for _ in range(2):
            scene.place(Side.SELL, "1", Role.CLOSE)
        await scene.clock.sleep(60 * SECOND)
        result = await scene.exit(known)
        assert scene.held == 1
        assert not result.flat
        assert "our orders sold 1 BTC" in told(result)

    play(tale, coins="2", lends=True)


@pytest.mark.parametrize("days", [0, 3])
def test_what_a_close_sold_beside_somebody_else_is_bought_back(days: int) -> None:
    """Somebody sold 0.3 of the coins that our close sold, too, and then the engine died. Its
    summary is older than both, and the entry may be too old to be listed.
    """

    async def tale(scene: Scene) -> None:
        scene.hold("0.5", stop=None, days=days)
        await scene.clock.sleep(120 * SECOND)
        known = scene.summary()
        scene.foreign(Side.SELL, "0.3")
        scene.place(Side.SELL, "0.5", Role.CLOSE)
        await scene.clock.sleep(60 * SECOND)
        result = await scene.exit(known)
        assert scene.held == 0, "the account owes what our close sold too much"
        assert result.flat, result.lines

    play(tale, lends=True)


@pytest.mark.parametrize("lost", [False, True])
def test_what_this_exit_sold_beside_somebody_else_is_bought_back(lost: bool) -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("0.5", stop=None)
        await scene.clock.sleep(120 * SECOND)
        known, submit = scene.summary(), scene.exchange.submit

        def at_once(order: Order, now: int) -> object:
            scene.exchange.submit = submit  # type: ignore[method-assign]
            scene.foreign(Side.SELL, "0.3")
            return submit(order, now)

        scene.exchange.submit = at_once  # type: ignore[method-assign,assignment]
        result = await scene.exit(None if lost else known)
        assert scene.held == 0, "the account owes what this exit sold too much"
        assert result.flat, result.lines

    play(tale, lends=True)


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_others_sold_short_is_left_alone(when: str) -> None:
    async def tale(scene: Scene) -> None:
        if when == "before":
            scene.foreign(Side.SELL, "0.3")
            scene.baseline = {"BTC": D("-0.3")}
        scene.hold("0.5", stop=None)
        await scene.clock.sleep(120 * SECOND)
        known = scene.summary()
        scene.place(Side.SELL, "0.5", Role.CLOSE)
        await scene.clock.sleep(5 * SECOND)
        if when == "after":
            scene.foreign(Side.SELL, "0.3")
        await scene.clock.sleep(60 * SECOND)
        result = await scene.exit(known)
        assert scene.held == D("-0.3")
        assert result.flat, result.lines

    play(tale, lends=True)


def test_where_no_coins_are_lent_what_was_sold_twice_is_no_short() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        known = scene.summary()
        for _ in range(2):
            scene.place(Side.SELL, "1", Role.CLOSE)
        await scene.clock.sleep(60 * SECOND)
        result = await scene.exit(known)
        assert scene.held == 1
        assert result.flat, result.lines
        assert "-1 that our books have is not at the venue" in told(result)

    play(tale, coins="2")


def test_a_stop_that_buys_to_open_goes_once_the_executions_say_that_nothing_is_short() -> None:
    async def tale(scene: Scene) -> None:
        scene.place(Side.BUY, "0.5", Role.ENTRY, trigger="70000")
        await scene.clock.sleep(60 * SECOND)
        result = await scene.exit(replace(scene.summary(), baseline={}))
        assert result.flat, result.lines
        assert not scene.resting

    play(tale, lends=True)


def test_all_of_a_symbol_is_sold_on_the_operators_word_whatever_was_short() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", side=Side.SELL, stop=None)
        await scene.clock.sleep(60 * SECOND)
        result = await scene.exit(None, all_of=(BTC,))
        assert scene.held == 0
        assert result.flat, result.lines

    play(tale, coins="2", lends=True)


@pytest.mark.parametrize("lost", [True, False])
def test_a_short_of_an_engine_on_paper_is_bought_back(tmp_path: Path, lost: bool) -> None:
    """The whole way: an engine sold short and died; the home says so, or the venue that the account
    owes.
    """
    from engine.emergency import Emergency

    async def tale(world: World) -> None:
        kept: list[Summary] = []
        world.summary = kept.append
        await world.restart()
        await world.opened("0.3", side=Side.SELL)
        await world.wait(2)
        assert world.held == D("-0.3")
        await world.engine.abandon()
        world.engine.journal.close(0)
        said: list[str] = []
        venue = world.venue.beside(99)
        await Emergency(
            venue, "world", world.clock, said.append, None if lost else kept[-1]
        ).flatten()
        assert world.held == 0, said
        assert not world.resting
        venue.shut_down()
        await world.clock.sleep(SECOND)
        await world.open()

    play_world(tale, tmp_path, profile="kraken-spot")
