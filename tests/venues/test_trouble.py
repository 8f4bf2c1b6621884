"""The paper venue where things go wrong: the order of reports, edges of a broken line, and what
happens to nobody's order.
"""

import asyncio
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.clock import SECOND, VirtualLoop, run_virtual
from engine.exchange import Delay, Faults, Interval, Store, StoreError
from engine.model import report as r
from engine.model.order import OrderType
from engine.model.quote import Quote
from engine.model.request import Query, QueryAccount, Submit
from engine.model.side import Side
from engine.venues.protocol import OutcomeUnknownError, RateLimitedError
from tests.venues.conftest import MILLISECOND, START, Line

BROKEN = Faults(disconnect=Interval(every=10 * SECOND, lasts=3 * SECOND))


def timers() -> int:
    """How many timers the loop still holds that nobody has cancelled."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return sum(not handle.cancelled() for handle in loop._scheduled)  # type: ignore[attr-defined]


def thin(line: Line, size: str = "0.01") -> None:
    """A market that takes ten levels to serve an order."""
    amount = Decimal(size)
    line.feed(Quote("BTC/USD", line.clock.now(), Decimal(9999), amount, Decimal(10_000), amount))


def big(line: Line, side: Side = Side.BUY, size: int = 20) -> Submit:
    request = line.order(side)
    return replace(request, order=replace(request.order, size=Decimal(size)))


@pytest.mark.parametrize("delay", [0, 20 * MILLISECOND])
def test_reports_of_one_moment_keep_their_order(delay: int) -> None:
    async def story() -> None:
        line = Line(delay=delay)
        await line.connect()
        thin(line)
        for _ in range(5):
            await line.venue.send(line.order())
            await line.clock.sleep(2 * SECOND)
            thin(line)
        told = [
            report.fill.execution_id for _, report in line.heard if isinstance(report, r.Filled)
        ]
        assert len(told) == 50
        assert told == [fill.execution_id for fill in line.exchange.fills]

    run_virtual(story())


def test_reports_overtake_each_other_without_a_delay_as_well() -> None:
    async def story() -> list[str]:
        line = Line(Faults(reorder_reports=0.5), seed=2)
        await line.connect()
        thin(line)
        await line.venue.send(line.order())
        await line.clock.sleep(SECOND)
        told = [
            report.fill.execution_id for _, report in line.heard if isinstance(report, r.Filled)
        ]
        assert sorted(told) == sorted(fill.execution_id for fill in line.exchange.fills)
        assert told != [fill.execution_id for fill in line.exchange.fills]
        return told

    assert run_virtual(story()) == run_virtual(story())


def test_what_is_on_the_line_when_it_breaks_is_lost_for_good() -> None:
    async def story() -> None:
        line = Line(replace(BROKEN, delay=Delay(400 * MILLISECOND, 400 * MILLISECOND)))
        await line.connect()
        line.quote()
        await line.clock.sleep(9 * SECOND + 700 * MILLISECOND)
        # arrives at 9.9 s, is told at 10.1 s, the line breaks at 10 s
        await line.venue.send(line.order())
        await line.clock.sleep(5 * SECOND)
        assert line.kinds() == ["Connected", "Disconnected", "Connected"]
        assert [at // 1000 for at, _ in line.heard] == [0, 10, 13]
        await line.venue.send(line.order())
        await line.clock.sleep(SECOND)
        assert line.kinds()[3:] == ["Accepted", "Filled"]
        line.venue.shut_down()

    run_virtual(story())


def test_quotes_go_on_while_reports_do_not() -> None:
    async def story() -> None:
        line = Line(BROKEN)
        await line.connect()
        await line.clock.sleep(11 * SECOND)
        line.quote()
        assert len(line.quotes) == 1
        line.venue.shut_down()

    run_virtual(story())


def test_a_storm_ends_and_costs_nothing() -> None:
    async def story() -> None:
        line = Line(Faults(rate_limit_storm=Interval(every=5 * SECOND, lasts=SECOND)))
        line.quote()
        outcomes = []
        for _ in range(14):
            try:
                await line.venue.send(Query("nobody", "BTC/USD"))
                outcomes.append("answer")
            except RateLimitedError:
                outcomes.append("storm")
            await line.clock.sleep(SECOND)
        assert [n for n, outcome in enumerate(outcomes) if outcome == "storm"] == [5, 10]
        # 2 each: 8 answers in the last ten seconds
        assert line.exchange.limits.counter("derivatives").used == 16.0

    run_virtual(story())


def test_an_answer_may_be_lost_though_its_report_is_told() -> None:
    async def story() -> None:
        line = Line(Faults(lose_reply=1.0))
        await line.connect()
        line.quote()
        with pytest.raises(OutcomeUnknownError, match="the reply may be lost"):
            await line.venue.send(line.order())
        assert line.kinds() == ["Connected", "Accepted", "Filled"]

    run_virtual(story())


def test_a_lagging_picture_can_be_asked_for_before_anybody_connected() -> None:
    async def story() -> None:
        line = Line(Faults(rest_lag=30 * SECOND))
        (picture,) = await line.venue.send(QueryAccount(since=0))
        assert isinstance(picture, r.Picture)
        assert picture.as_of == START - 30 * SECOND

    run_virtual(story())


def leveraged(line: Line) -> Submit:
    """Almost all that 100,000 USD carry at 50 to 1."""
    line.feed(
        Quote(
            "BTC/USD", line.clock.now(), Decimal(9999), Decimal(900), Decimal(10_000), Decimal(900)
        )
    )
    return big(line, size=400)


def crash(line: Line) -> None:
    line.feed(
        Quote("BTC/USD", line.clock.now(), Decimal(9800), Decimal(900), Decimal(9801), Decimal(900))
    )


def test_a_liquidation_that_touches_no_order_is_stored_and_seen_in_pictures(tmp_path: Path) -> None:
    async def first() -> None:
        line = Line(Faults(rest_lag=SECOND), store=Store(tmp_path / "paper.sqlite"))
        await line.connect()
        await line.venue.send(leveraged(line))
        crash(line)
        await line.clock.sleep(5 * SECOND)
        assert line.kinds()[-1] == "Liquidated"
        (picture,) = await line.venue.send(QueryAccount(since=0))
        assert isinstance(picture, r.Picture)
        assert picture.net == {"BTC/USD": Decimal(0)}

    async def second() -> None:
        line = Line(store=Store(tmp_path / "paper.sqlite"))
        assert line.exchange.ledger.held(line.exchange.instruments["BTC/USD"]) == 0
        assert len(line.exchange.fills) == 2
        line.venue.shut_down()

    run_virtual(first())
    run_virtual(second())


def test_a_leveraged_account_that_is_reopened_is_watched_from_the_first_second(
    tmp_path: Path,
) -> None:
    async def first() -> None:
        line = Line(store=Store(tmp_path / "paper.sqlite"))
        await line.venue.send(leveraged(line))

    async def second() -> None:
        line = Line(store=Store(tmp_path / "paper.sqlite"))
        await line.connect()
        crash(line)
        await line.clock.sleep(2 * SECOND)
        assert "Liquidated" in line.kinds()
        line.venue.shut_down()

    run_virtual(first())
    run_virtual(second())


def test_a_reopened_order_expires_in_time_though_the_market_is_silent(tmp_path: Path) -> None:
    async def first() -> None:
        line = Line(store=Store(tmp_path / "paper.sqlite"))
        line.quote()
        await line.venue.send(
            line.order(kind=OrderType.LIMIT, price=9000, expires_at=START + 20 * SECOND)
        )

    async def second() -> None:
        line = Line(store=Store(tmp_path / "paper.sqlite"))
        await line.connect()
        await line.clock.sleep(30 * SECOND)
        assert line.heard[-1] == (20_000, r.Expired("C1", Decimal(0), START + 20 * SECOND))
        line.venue.shut_down()

    run_virtual(first())
    run_virtual(second())


@pytest.mark.hazard("H08")
def test_a_reopened_order_that_has_expired_meanwhile_is_not_filled(tmp_path: Path) -> None:
    async def first() -> None:
        line = Line(store=Store(tmp_path / "paper.sqlite"))
        line.quote()
        await line.venue.send(
            line.order(kind=OrderType.LIMIT, price=9000, expires_at=START + SECOND)
        )

    async def second() -> None:
        line = Line(store=Store(tmp_path / "paper.sqlite"))
        await line.clock.sleep(10 * SECOND)
        line.quote(8000, 8001)
        assert line.exchange.ended["C1"].status == "expired"
        line.venue.shut_down()

    run_virtual(first())
    run_virtual(second())


@pytest.mark.hazard("H12")
@pytest.mark.parametrize("connected", [True, False])
def test_after_the_end_of_the_world_nothing_is_scheduled(tmp_path: Path, connected: bool) -> None:
    async def story() -> None:
        faults = replace(
            BROKEN, delay=Delay(400 * MILLISECOND, 900 * MILLISECOND), duplicate_report=0.5
        )
        line = Line(faults, store=Store(tmp_path / "paper.sqlite"))
        await line.connect()
        await line.venue.send(leveraged(line))
        await line.venue.send(
            line.order(kind=OrderType.LIMIT, price=9000, expires_at=START + 900 * SECOND)
        )
        if not connected:
            await line.venue.close()
        late = asyncio.create_task(line.venue.send(line.order(kind=OrderType.LIMIT, price=9000)))
        await asyncio.sleep(0)
        line.venue.shut_down()
        heard = list(line.heard)
        await late  # a request that was under way when the world ended
        line.quote(8000, 8001)
        assert timers() == 0
        assert line.heard == heard
        assert len(asyncio.all_tasks()) == 1

    run_virtual(story())


def test_whoever_connects_to_an_account_that_can_t_be_stored_is_told_so(tmp_path: Path) -> None:
    async def story() -> None:
        path = tmp_path / "paper.sqlite"
        line = Line(store=Store(path))
        line.quote()
        sabotage = sqlite3.connect(path)
        sabotage.execute("ALTER TABLE fact RENAME TO gone")
        sabotage.commit()
        await line.venue.send(line.order())
        await line.connect()
        assert line.kinds() == ["Connected", "Disconnected"]
        sabotage.execute("ALTER TABLE gone RENAME TO fact")
        sabotage.commit()
        sabotage.close()
        await line.clock.sleep(3 * SECOND)
        assert line.kinds()[-1] == "Connected"
        line.venue.shut_down()
        with sqlite3.connect(path) as found:
            assert found.execute("SELECT count(*) FROM fills").fetchone() == (1,)
        found.close()

    run_virtual(story())


def test_an_account_that_was_taken_over_stays_over(tmp_path: Path) -> None:
    async def story() -> None:
        path = tmp_path / "paper.sqlite"
        line = Line(BROKEN, store=Store(path))
        await line.connect()
        line.quote()
        other = Store(path)
        with pytest.raises(OutcomeUnknownError, match="another process has taken it over"):
            await line.venue.send(line.order())
        await line.clock.sleep(30 * SECOND)
        assert line.kinds() == ["Connected", "Disconnected"]
        line.venue.shut_down()
        other.close()

    run_virtual(story())


def test_a_question_that_the_disk_can_t_answer_is_an_unknown_outcome(tmp_path: Path) -> None:
    async def story() -> None:
        path = tmp_path / "paper.sqlite"
        line = Line(store=Store(path))
        line.quote()
        await line.venue.send(line.order())
        line.exchange.ended.clear()
        line.exchange._executions.clear()
        with sqlite3.connect(path) as sabotage:
            sabotage.execute("DROP TABLE orders")
        sabotage.close()
        with pytest.raises(OutcomeUnknownError, match="it can't be read"):
            await line.venue.send(Query("C1", "BTC/USD"))
        with pytest.raises(StoreError):
            line.exchange.find("C1", 0)
        line.venue.shut_down()

    run_virtual(story())
