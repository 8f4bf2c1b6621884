"""What a ladder is drawn from: levels as they are told, volume at price, and our place in the queue."""

from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from engine.model import intent as i
from engine.model.order import Order, OrderType
from engine.model.quote import Depth, Level, Quote, Trade
from engine.model.side import Side
from engine.runtime import markets
from engine.session import messages as m
from engine.session.queries import Queries
from tests.support.world import BTC, World, play

D = Decimal
BIDS = {"60000": "3", "59999.9": "5", "59999.5": "9.25"}
ASKS = {"60000.1": "2", "60000.5": "4"}


def book(world: World, bids: dict[str, str], asks: dict[str, str], *, whole: bool = False) -> None:
    levels = [Level(Side.BUY, D(price), D(size)) for price, size in bids.items()]
    levels += [Level(Side.SELL, D(price), D(size)) for price, size in asks.items()]
    world.venue.feed(Depth(BTC, world.clock.now(), tuple(levels), snapshot=whole))


def trade(world: World, price: str, size: str, taker: Side | None = Side.SELL) -> None:
    world.venue.feed(Trade(BTC, world.clock.now(), D(price), D(size), taker))


async def look(world: World, **terms: object) -> m.DepthTold:
    queries = Queries(world.engine, world.engine.view)
    told = await queries.answer(m.Depth(BTC, **{"count": 50, **terms}))  # type: ignore[arg-type]
    assert isinstance(told, m.DepthTold)
    return told


async def rest(world: World, price: str) -> Order:
    """A buy limit of 0.1, confirmed by the venue."""
    answer = await world.buy("0.1", type=OrderType.LIMIT, price=D(price))
    assert answer.ok, answer.refusals
    entry = next(one for one in world.orders("entry") if one.position == answer.created)
    await world.until(lambda: world.state.orders[entry.client_order_id].is_working)
    return entry


async def ahead(world: World, order: Order) -> tuple[Decimal | None, Decimal | None]:
    (found,) = [one for one in (await look(world)).queue if one.order == order.client_order_id]
    return found.ahead, found.total


def test_levels_are_told_best_first_and_nothing_is_assumed_below_the_best(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        told = await look(world)
        assert (told.bids, told.deep) == (((D("60000"), D(10)),), False)
        assert len(world.exchange.books[BTC].depth(Side.BUY, 50)) == 10, "what paper assumes"
        book(world, BIDS, ASKS, whole=True)
        told = await look(world)
        assert told.deep
        assert [price for price, _ in told.bids] == [D(60000), D("59999.9"), D("59999.5")]
        assert told.asks == ((D("60000.1"), D(2)), (D("60000.5"), D(4)))
        assert told.now == world.clock.now()
        assert (await look(world)).serial > told.serial
        assert len((await look(world, count=1)).bids) == 1

    play(tale, tmp_path)


def test_a_quote_that_was_made_up_around_a_print_shows_no_size(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        world.exchange.books[BTC].quoted = False
        trade(world, "60010", "0.4")
        told = await look(world)
        assert (told.bids[0][1], told.asks[0][1]) == (D(0), D(0))

    play(tale, tmp_path)


def test_volume_counts_what_was_traded_at_each_price_of_the_window(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        for price, size in (("60000", "1"), ("60000.1", "0.5"), ("60000", "0.25"), ("61000", "9")):
            trade(world, price, size, None)
        told = await look(world, low=D(59_000), high=D("60000.5"), tape=2)
        assert told.trades
        assert told.volume == ((D(60000), D("1.25")), (D("60000.1"), D("0.5")))
        assert [one.price for one in told.tape] == [D(60000), D(61000)]
        assert (await look(world)).volume == ()

    play(tale, tmp_path)


def test_the_queue_shrinks_by_trades_and_by_cancels_that_must_be_ahead(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        book(world, BIDS, ASKS, whole=True)
        order = await rest(world, "59999.5")
        assert await ahead(world, order) == (D("9.25"), D("9.25"))
        book(world, {"59999.5": "20"}, {})  # others join behind
        assert await ahead(world, order) == (D("9.25"), D(20))
        book(world, {"59999.5": "15"}, {})  # a cancel of 5: ahead or behind, nobody knows
        assert await ahead(world, order) == (D("9.25"), D(15))
        trade(world, "59999.5", "2")
        assert await ahead(world, order) == (D("7.25"), D(15))
        trade(world, "59999.5", "2", Side.BUY)  # somebody bought: no bid was served
        assert await ahead(world, order) == (D("7.25"), D(15))
        book(world, {"59999.5": "3"}, {})  # so many are gone that some were ahead
        assert await ahead(world, order) == (D(3), D(3))
        book(world, {"59999.5": "30"}, {})
        assert await ahead(world, order) == (D(3), D(30))

    play(tale, tmp_path)


def test_another_price_begins_at_the_end_of_its_queue(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        book(world, BIDS, ASKS, whole=True)
        order = await rest(world, "59999.5")
        moved = i.AmendOrder(id=world.name(), order=order.client_order_id, price=D("59999.9"))
        assert (await world.ask(moved)).ok
        await world.until(lambda: world.state.orders[order.client_order_id].price == D("59999.9"))
        assert await ahead(world, order) == (D(5), D(5))

    play(tale, tmp_path)


def test_what_nobody_sees_is_not_estimated_until_it_is_seen(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        order = await rest(world, "59990")  # below the best, and only that is told
        assert await ahead(world, order) == (None, None)
        trade(world, "59990", "5")
        assert (await ahead(world, order))[0] is None
        world.price(BTC, "59990", size="6")
        assert await ahead(world, order) == (D(6), D(6))

    play(tale, tmp_path)


def test_a_place_is_estimated_anew_after_a_restart_and_forgotten_with_its_order(
    tmp_path: Path,
) -> None:
    async def tale(world: World) -> None:
        book(world, BIDS, ASKS, whole=True)
        order = await rest(world, "59999.5")
        await world.restart()
        assert await ahead(world, order) == (D("9.25"), D("9.25"))
        assert (await world.ask(i.CancelAll(id=world.name()))).ok
        await world.until(lambda: not world.orders("entry"))
        assert (await look(world)).queue == ()

    play(tale, tmp_path)


def test_the_estimate_never_says_less_than_what_is_truly_ahead(tmp_path: Path) -> None:
    """A queue of people who come, cancel and are served, each with a place that the test knows."""

    async def tale(world: World) -> None:
        for seed in range(20):
            random = Random(seed)
            first = [D(random.randint(1, 9)) for _ in range(5)]
            before, behind = list(first), list[Decimal]()

            def show() -> None:
                size = sum((*before, *behind), D(0))  # noqa: B023
                book(world, {"60000": "3", "59999.5": str(size)}, ASKS, whole=True)

            show()
            order = await rest(world, "59999.5")
            for _ in range(25):
                what = random.choice(("join", "cancel", "cancel", "trade"))
                if what == "join":
                    behind.append(D(random.randint(1, 9)))
                elif what == "cancel" and (some := random.choice((before, behind))):
                    some.pop(random.randrange(len(some)))
                elif what == "trade" and before:
                    served = min(before[0], D(random.randint(1, 9)))
                    before[0] -= served
                    before = [one for one in before if one]
                    trade(world, "59999.5", str(served))
                show()
                estimate, total = await ahead(world, order)
                if not before or total is None:
                    break
                assert estimate is not None
                assert sum(before) <= estimate <= total, f"seed {seed}"
            await world.ask(i.CancelAll(id=world.name()))
            await world.until(lambda: not world.orders("entry"))
            await world.wait(15)  # the venue counts requests

    play(tale, tmp_path)


def test_the_latest_quote_of_the_desk_stands_where_no_feed_tells_levels(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        world.venue.feed(Quote(BTC, world.clock.now(), D(60005), D(1), D(60006), D(2)))
        told = await look(world)
        assert (told.bids, told.asks) == (((D(60005), D(1)),), ((D(60006), D(2)),))

    play(tale, tmp_path)


def test_the_net_at_both_ends_is_the_net_of_every_other_pane(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position = await world.opened("0.5")
        (shown,) = world.engine.view().positions
        assert shown.mark is not None
        told = await look(world, low=shown.mark, high=D(61_000), position=position.id)
        low, high = told.net
        assert low == shown.net
        rest = (D(61_000) - shown.mark) * position.size
        assert high - low == rest * (1 - shown.taker)
        assert told.terms is not None
        assert (told.terms.tick, told.terms.contract, told.terms.rate) == (D("0.1"), D(1), D(1))
        assert (await look(world, low=D(1), high=D(2), position="nobody")).net == ()

    play(tale, tmp_path)


def test_places_of_orders_that_are_over_are_let_go_though_nobody_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(markets, "OVER", 2)

    async def tale(world: World) -> None:
        for _ in range(6):
            entry = await rest(world, "59000")
            await world.ask(i.CancelOrder(id=world.name(), order=entry.client_order_id))
            await world.until(lambda: not world.state.orders)
            await world.wait(10)
        assert len(world.engine.markets._waiting) <= 3

    play(tale, tmp_path)
