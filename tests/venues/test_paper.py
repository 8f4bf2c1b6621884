"""The paper venue as a desk meets it: late, lossy, repeating itself, and the same every time for
the same seed.
"""

import asyncio
from pathlib import Path

import pytest

from engine.clock import SECOND, run_virtual
from engine.exchange import Delay, Faults, Interval, Store
from engine.model import report as r
from engine.model.order import OrderType
from engine.model.quote import Candle
from engine.model.request import Query, QueryAccount
from engine.model.side import Side
from engine.venues.protocol import OutcomeUnknownError, RateLimitedError
from tests.venues.conftest import MILLISECOND, START, Line

NO_TASK = 1  # the test's own


def test_an_order_is_answered_and_told_on_the_stream_as_well() -> None:
    async def story() -> None:
        line = Line()
        await line.connect()
        line.quote()
        answer = await line.venue.send(line.order())
        await line.clock.sleep(SECOND)
        assert [type(report) for report in answer] == [r.Accepted]
        assert line.kinds() == ["Connected", "Accepted", "Filled"]
        assert len(line.quotes) == 1

    run_virtual(story())


def test_both_ways_take_their_time() -> None:
    async def story() -> None:
        line = Line(Faults(delay=Delay(100 * MILLISECOND, 100 * MILLISECOND)))
        await line.connect()
        line.quote()
        await line.venue.send(line.order())
        assert line.elapsed == 100
        assert [fill.at - START for fill in line.exchange.fills] == [50 * MILLISECOND]

    run_virtual(story())


def test_a_lost_reply_leaves_the_outcome_unknown_and_the_order_done() -> None:
    async def story() -> None:
        line = Line(Faults(lose_reply=1.0))
        await line.connect()
        line.quote()
        with pytest.raises(OutcomeUnknownError):
            await line.venue.send(line.order())
        assert line.elapsed == 2_000
        assert "C1" in line.exchange.ended

    run_virtual(story())


def test_a_lost_request_leaves_the_outcome_unknown_and_nothing_done() -> None:
    async def story() -> None:
        line = Line(Faults(lose_request=1.0))
        await line.connect()
        line.quote()
        with pytest.raises(OutcomeUnknownError):
            await line.venue.send(line.order())
        assert line.elapsed == 2_000
        assert isinstance(line.exchange.find("C1", 0), r.Absent)

    run_virtual(story())


def test_reports_come_twice() -> None:
    async def story() -> None:
        line = Line(Faults(duplicate_report=1.0))
        await line.connect()
        line.quote()
        await line.venue.send(line.order())
        await line.clock.sleep(SECOND)
        assert sorted(line.kinds()) == ["Accepted", "Accepted", "Connected", "Filled", "Filled"]

    run_virtual(story())


def test_reports_overtake_each_other() -> None:
    async def story(reorder: float) -> list[str]:
        line = Line(
            Faults(reorder_reports=reorder, delay=Delay(20 * MILLISECOND, 80 * MILLISECOND)), seed=3
        )
        await line.connect()
        line.quote()
        for _ in range(20):
            await line.venue.send(line.order())
        await line.clock.sleep(5 * SECOND)
        return [
            report.client_order_id for _, report in line.heard if isinstance(report, r.Accepted)
        ]

    in_order = [f"C{n + 1}" for n in range(20)]
    assert run_virtual(story(0.0)) == in_order
    mixed = run_virtual(story(0.5))
    assert mixed != in_order
    assert sorted(mixed) == sorted(in_order)


def test_what_happens_while_the_line_is_broken_must_be_asked_for() -> None:
    async def story() -> None:
        line = Line(Faults(disconnect=Interval(every=10 * SECOND, lasts=3 * SECOND)))
        await line.connect()
        line.quote()
        await line.clock.sleep(11 * SECOND)
        assert line.kinds() == ["Connected", "Disconnected"]
        await line.venue.send(line.order())  # requests have a line of their own
        await line.clock.sleep(3 * SECOND)
        assert line.kinds() == ["Connected", "Disconnected", "Connected"]
        (found,) = await line.venue.send(Query("C1", "BTC/USD"))
        assert isinstance(found, r.Found)
        assert len(found.fills) == 1
        line.venue.shut_down()

    run_virtual(story())


def test_some_stops_are_refused_and_nothing_else() -> None:
    async def story() -> None:
        line = Line(Faults(reject_stop=1.0))
        await line.connect()
        line.quote()
        (entry,) = await line.venue.send(line.order())
        (stop,) = await line.venue.send(line.order(Side.SELL, OrderType.STOP, trigger=9000))
        assert isinstance(entry, r.Accepted)
        assert stop == r.Rejected("C2", "EOrder:Insufficient margin", line.clock.now())

    run_virtual(story())


def test_a_picture_is_as_old_as_it_says() -> None:
    async def story() -> None:
        line = Line(Faults(rest_lag=30 * SECOND))
        await line.connect()
        line.quote()
        await line.venue.send(line.order())
        await line.clock.sleep(20 * SECOND)
        await line.venue.send(line.order(kind=OrderType.LIMIT, price=9000))
        for seconds, orders, fills in ((5, 0, 0), (6, 0, 1), (21, 1, 1)):
            await line.clock.sleep(seconds * SECOND)
            (picture,) = await line.venue.send(QueryAccount(since=0))
            assert isinstance(picture, r.Picture)
            assert picture.as_of == line.clock.now() - 30 * SECOND
            assert (len(picture.orders), len(picture.fills), bool(picture.net["BTC/USD"])) == (
                orders,
                fills,
                bool(fills),
            )

    run_virtual(story())


def test_a_storm_refuses_everything_and_does_nothing() -> None:
    async def story() -> None:
        line = Line(Faults(rate_limit_storm=Interval(every=10 * SECOND, lasts=2 * SECOND)))
        await line.connect()
        line.quote()
        await line.clock.sleep(11 * SECOND)
        with pytest.raises(RateLimitedError):
            await line.venue.send(line.order())
        await line.clock.sleep(2 * SECOND)
        await line.venue.send(line.order())
        assert list(line.exchange.ended) == ["C2"]

    run_virtual(story())


def test_the_venue_s_own_limits_are_an_error_of_their_own() -> None:
    async def story() -> None:
        line = Line()
        line.quote()
        for _ in range(50):
            await line.venue.send(line.order())
        with pytest.raises(RateLimitedError, match="EOrder:Rate limit exceeded"):
            await line.venue.send(line.order())

    run_virtual(story())


def test_expiries_and_the_rest_of_a_candle_happen_at_their_own_times() -> None:
    async def story() -> None:
        line = Line()
        await line.connect()
        figures = [
            line.exchange.instruments["BTC/USD"].tick * n for n in (1000, 1100, 900, 1050, 10)
        ]
        line.feed(
            Candle(
                "BTC/USD",
                START,
                figures[0],
                figures[1],
                figures[2],
                figures[3],
                figures[4],
                60 * SECOND,
            )
        )
        await line.venue.send(
            line.order(kind=OrderType.LIMIT, price=50, expires_at=START + 20 * SECOND)
        )
        await line.clock.sleep(50 * SECOND)
        assert [(quote.at - START) // SECOND for quote in line.quotes] == [0, 15, 30, 45]
        assert line.heard[-1] == (
            20_000,
            r.Expired("C1", line.exchange.ended["C1"].filled, START + 20 * SECOND),
        )

    run_virtual(story())


def test_somebody_else_s_order_is_foreign() -> None:
    async def story() -> None:
        line = Line()
        await line.connect()
        line.quote()
        line.venue.external(line.order(kind=OrderType.LIMIT, price=9000).order)
        (picture,) = await line.venue.send(QueryAccount(since=0))
        assert isinstance(picture, r.Picture)
        assert [order.foreign for order in picture.orders] == [True]

    run_virtual(story())


def test_the_world_outlives_the_engine_and_leaves_no_task() -> None:
    async def story() -> None:
        line = Line()
        await line.connect()
        line.quote()
        await line.venue.send(line.order(kind=OrderType.LIMIT, price=9990))
        await line.venue.close()
        line.quote(9980, 9985)  # fills it while nobody listens
        await line.clock.sleep(SECOND)
        assert line.kinds() == ["Connected"]
        await line.connect()
        (found,) = await line.venue.send(Query("C1", "BTC/USD"))
        assert isinstance(found, r.Found)
        assert len(found.fills) == 1
        assert len(line.quotes) == 2  # the latest one is told again to whoever connects
        await line.venue.close()
        line.venue.shut_down()
        assert len(asyncio.all_tasks()) == NO_TASK

    run_virtual(story())


def test_what_was_answered_is_on_disk(tmp_path: Path) -> None:
    async def first() -> None:
        line = Line(store=Store(tmp_path / "paper.sqlite"))
        line.quote()
        await line.venue.send(line.order())  # and then the process dies

    async def second() -> None:
        line = Line(store=Store(tmp_path / "paper.sqlite"))
        (found,) = await line.venue.send(Query("C1", "BTC/USD"))
        assert isinstance(found, r.Found)
        assert len(found.fills) == 1
        line.venue.shut_down()

    run_virtual(first())
    run_virtual(second())


def test_nothing_is_gathered_for_a_store_that_there_is_not() -> None:
    async def story() -> None:
        line = Line()
        line.quote()
        await line.venue.send(line.order())
        assert not line.exchange.changed
        assert not line.exchange.new_fills

    run_virtual(story())


def test_the_same_seed_tells_the_same_story() -> None:
    async def story(seed: int) -> list[tuple[int, r.VenueReport]]:
        faults = Faults(
            lose_reply=0.2,
            lose_request=0.1,
            duplicate_report=0.2,
            reorder_reports=0.2,
            reject_stop=0.3,
            delay=Delay(40 * MILLISECOND, 900 * MILLISECOND),
            disconnect=Interval(every=20 * SECOND, lasts=3 * SECOND),
        )
        line = Line(faults, seed=seed)
        await line.connect()
        for n in range(40):
            line.quote(9999 - n, 10_000 - n)
            request = (
                line.order(Side.SELL, OrderType.STOP, trigger=9990 - n) if n % 3 else line.order()
            )
            try:
                await line.venue.send(request)
            except OutcomeUnknownError:
                line.heard.append(
                    (line.elapsed, r.Unknown(request.order.client_order_id, "submit", "", 0))
                )
        await line.clock.sleep(5 * SECOND)
        line.venue.shut_down()
        return line.heard

    assert run_virtual(story(5)) == run_virtual(story(5))
    assert run_virtual(story(5)) != run_virtual(story(6))
