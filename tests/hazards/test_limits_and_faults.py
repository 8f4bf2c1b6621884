"""Limits and faults: memory has bounds, a report that fits nothing stops nothing, a bulk is many
single things, writes come in batches.
"""

import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.codec import encode, save
from engine.desk.evolve import evolve
from engine.desk.evolve.account import ANSWERS
from engine.desk.messages import Trouble
from engine.desk.rules import RiskRules, Rules
from engine.desk.state import (
    CLOSED_POSITIONS,
    ENDED_ALERTS,
    ENDED_ORDERS,
    EXECUTIONS,
    PRICE_ALERTS,
    STAND_INS,
    State,
    encode_state,
)
from engine.exchange import Faults
from engine.journal import Journal
from engine.model import intent as i
from engine.model import report as r
from engine.model.alert import ALERTS
from engine.model.order import Order, OrderType
from engine.model.position import Protection
from engine.model.quote import Quote
from engine.model.request import Cancel, Query, QueryAccount
from engine.model.side import Side
from engine.records import batch
from engine.runtime.teller import NOTICES
from tests.support.world import BTC, ETH, SECOND, START, Story, World, play

D = Decimal
LIMIT = OrderType.LIMIT
CALM = Rules(risk=RiskRules(losing_streak=0, daily_loss=None, max_drawdown=None))


# H62: everything that is remembered has a bound

BOUNDS: dict[str, int] = {
    "ended": ENDED_ORDERS,
    "dropped": ENDED_ORDERS,
    "closed": CLOSED_POSITIONS,
    "executions": EXECUTIONS,
    "answers": ANSWERS,
    "ended_alerts": ENDED_ALERTS,
    "stand_ins": STAND_INS,
    "price_alerts": PRICE_ALERTS,
}
OF_THE_VENUE = {
    "instruments",
    "cash",
    "taken",
    "foreign",
    "dust",
    "elsewhere",
    "withheld",
    "strange",
    "unexplained",
    "left",
    "marked",
    "booked_marks",
}
OF_THE_VENUE |= {"traded", "paid", "nets", "unpriced"}
"""Bounded by what the venue lists (symbols, currencies, its own open orders), and by LEFT, MARKS
and the room of a mark.
"""
KEPT = {"money", "periods"}
"""One for each position that is open or closed; and day, session, all."""
OPEN = {
    "excess",
    "orders",
    "positions",
    "plans",
    "by_hand",
    "reverses",
    "doubts",
    "alerts",
    "blocks",
    "orders_of",
    "numbers",
    "holders",
}
"""Bounded by what is open: empty once nothing is."""


def _sizes(state: State) -> dict[str, int]:
    return {
        name: len(value)
        for name in state.__struct_fields__
        if isinstance(value := getattr(state, name), dict | list)
    }


def _trade(story: Story, turn: int) -> None:
    """A round trip: an entry filled in part, moved stop, cancelled rest, a close; a second entry
    that ends without a fill.
    """
    story.now += SECOND
    story.price(BTC, "60000")
    story.ask(i.SetPriceAlert(id=f"alert {turn}", symbol=BTC, price=D(90_000)))
    story.buy("0.1", type=LIMIT, price=D(60_000), label=f"turn {turn}")
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.05")
    story.accept(story.order("stop"))
    story.tell(r.Unknown(story.order("stop").client_order_id, "amend", "?", story.now))
    story.tell(r.Found(replace(story.order("stop"), in_doubt=False), (), story.now))
    story.ask(i.ClosePosition(id=f"c{turn}", position=entry.position))
    story.cancelled(entry)
    story.fill(story.order("close"))
    for order in list(story.state.orders.values()):
        story.cancelled(order)
    story.buy("0.1", type=LIMIT, price=D(59_000))
    story.rejected(story.order("entry"))
    for key in list(story.state.alerts):
        story.ask(i.Acknowledge(id=f"{key} {turn}", alert=key))
    assert not story.state.orders
    assert not story.state.positions


@pytest.mark.hazard("H62")
def test_a_long_run_of_trades_leaves_a_memory_of_the_same_size() -> None:
    story = Story("kraken-futures", CALM)
    for turn in range(ENDED_ORDERS + 50):
        _trade(story, turn)
        story.events.clear()
        story.requests.clear()
    before, bytes_before = _sizes(story.state), len(encode_state(story.state))
    for turn in range(2_000, 2_200):
        _trade(story, turn)
    after = _sizes(story.state)
    grown = {name for name in after if after[name] != before[name]} - {"executions"}
    assert grown == set()
    for name, bound in BOUNDS.items():
        assert after[name] == bound or name in ("executions", "stand_ins"), (
            f"{name} was not filled: nothing is proved about it"
        )
    assert all(after[name] == 0 for name in OPEN), after
    assert (after["money"], after["periods"]) == (CLOSED_POSITIONS, 3)
    told = len(encode_state(story.state)) - 30 * (after["executions"] - before["executions"])
    assert told < bytes_before * 1.02
    assert len(story.desk.revisions) == 0
    assert story.desk.next_wake() is None


@pytest.mark.hazard("H62")
def test_settlements_are_remembered_up_to_a_bound_the_newest_for_ever() -> None:
    story = Story("kraken-futures", CALM)
    for turn in range(STAND_INS + 20):
        story.now += SECOND
        story.picture(net={BTC: D("0.1") * (turn + 1)})
        assert story.ask(i.Resolve(id=f"r{turn}", subject=BTC, action=i.Settlement.FORGET)).ok
    assert len(story.state.stand_ins) == STAND_INS
    assert f"r{STAND_INS + 19}/left" in story.state.stand_ins


@pytest.mark.hazard("H62")
def test_executions_are_remembered_up_to_a_bound_the_newest_for_ever() -> None:
    story = Story()
    story.buy("2", type=LIMIT, price=D(60_000))
    entry = story.order("entry")
    first = replace(story.fill_of(entry), position=entry.position, size=D("0.00002"))
    for number in range(EXECUTIONS + 500):
        evolve(
            story.state, e.OrderFilled(story.now, replace(first, execution_id=f"T-{number}"), D(0))
        )
    assert len(story.state.executions) == EXECUTIONS
    assert "T-0" not in story.state.executions
    assert f"T-{EXECUTIONS + 499}" in story.state.executions


@pytest.mark.hazard("H62")
def test_every_collection_of_the_state_has_a_bound_that_somebody_thought_of() -> None:
    assert set(_sizes(State("x", "USD"))) == set(BOUNDS) | OF_THE_VENUE | KEPT | OPEN, (
        "a new collection: what bounds it?"
    )


@pytest.mark.hazard("H62")
def test_what_the_engine_keeps_for_consoles_is_bounded_and_the_queue_drains(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        for turn in range(NOTICES):
            await world.ask(i.Pause(id=f"p{turn}"))
            await world.ask(i.Resume(id=f"r{turn}"))
        view = world.engine.view()
        assert len(view.notices) == NOTICES
        assert view.notices[-1].seq >= 2 * NOTICES, "the oldest were let go, not the newest"
        for step in range(4_000):
            world.engine.hearing.quote(
                Quote(BTC, START + 5 * step * SECOND, D(60_000), D(1), D(60_001), D(1))
            )
        bars = world.engine.history.candles(BTC, 5 * SECOND, 1_000_000)
        assert len(bars) < 4_000
        assert bars[-1].at == START + 5 * 3_999 * SECOND
        await world.wait(2)
        assert world.engine.gateway.idle
        assert len(world.engine.tasks) == 0
        assert world.engine.journal.waiting < 10

    play(tale, tmp_path)


# H64: what fits nothing stops nothing


def _impossible(story_or_world: Story | World, order: Order) -> dict[str, r.VenueReport]:
    """Reports that no rule can do anything with."""
    now = story_or_world.state.last_fill_at + SECOND
    name = order.client_order_id
    return {
        "an order that works for nothing": r.Amended(name, D(0), None, D(59_000), now),
        "a size that is no number": r.Amended(name, D("NaN"), None, D(59_000), now),
        "an end that is no number": r.Cancelled(name, D("NaN"), "", now),
    }


KINDS = ("an order that works for nothing", "a size that is no number", "an end that is no number")


@pytest.mark.hazard("H64")
@pytest.mark.parametrize("kind", KINDS)
def test_a_report_that_kills_its_rule_is_told_and_the_stream_goes_on(
    kind: str, tmp_path: Path
) -> None:
    async def tale(world: World) -> None:
        position = await world.opened("0.5")
        (stop,) = world.orders("stop")
        for _ in range(3):
            world.engine.hearing.report(_impossible(world, stop)[kind])
            await world.wait(0.001)
        assert len(world.failures) == 3
        assert (
            type(_impossible(world, stop)[kind]).__name__
            in world.state.alerts["TASK_DIED:desk"].detail
        ), "which report it was"
        assert any("died" in notice.text for notice in world.engine.view().notices)
        assert world.state.positions[position.id].size == D("0.5")
        assert world.state.orders[stop.client_order_id] == stop, "nothing of it was believed"
        assert not (await world.buy("0.1")).ok, "nothing opens until somebody has looked"
        world.price(BTC, "59300")  # and what comes next is heard
        await world.until(lambda: position.id in world.state.closed)
        assert world.held == 0
        await world.ask(i.Resume(id="r", reason="TASK_DIED"))
        world.price(BTC, "60000")
        fresh = await world.opened("0.1")
        assert world.state.positions[fresh.id].protection is Protection.VENUE
        world.failures.clear()

    play(tale, tmp_path)


@pytest.mark.hazard("H64")
def test_what_contradicts_is_told_and_asked_about() -> None:
    story = Story()
    story.opened("0.5")
    stop = story.order("stop")
    story.rejected(stop, "EOrder:Unknown assertion")
    assert "ILLEGAL_REPORT" in story.standing()
    assert story.order("stop").is_working, "a report that can't be so changes nothing"
    story.wait(1)
    assert stop.client_order_id in {query.client_order_id for query in story.sent(Query)}


@pytest.mark.hazard("H64")
def test_what_is_about_nobody_is_told_or_asked_about() -> None:
    story = Story()
    story.opened("0.5")
    ghost = story.order("stop").client_order_id[:5] + "GHOSTGHOST234"
    story.now += 60 * SECOND
    story.accept(replace(story.order("stop"), client_order_id=ghost))
    assert "UNKNOWN_ORDER" in story.standing()
    assert ALERTS["UNKNOWN_ORDER"][0].name == "CRITICAL"
    story.picture()
    story.now += 60 * SECOND
    asked = len(story.sent(QueryAccount))
    for number in range(50):
        story.tell(r.Accepted(f"somebody-elses-{number}", "V", story.now))
    assert len(story.sent(QueryAccount)) == asked + 1, (
        "what does the account look like? asked once, however many there are"
    )
    assert story.position().protection is Protection.VENUE


sizes = st.sampled_from([D(0), D(-1), D("NaN"), D("Infinity"), D("1E+30"), D("0.1"), D("0.5")])
whom = st.sampled_from(["entry", "stop", "ghost", "stranger", ""])
junk = st.one_of(
    st.builds(lambda who: (who, lambda name, at: r.Accepted(name, "", at)), whom),
    st.builds(lambda who: (who, lambda name, at: r.Rejected(name, "\x1b[2J[red]", at)), whom),
    st.builds(
        lambda who, size: (who, lambda name, at: r.Cancelled(name, size, "", at)), whom, sizes
    ),
    st.builds(lambda who, size: (who, lambda name, at: r.Expired(name, size, at)), whom, sizes),
    st.builds(lambda who: (who, r.Triggered), whom),
    st.builds(lambda who: (who, lambda name, at: r.CancelRejected(name, "", at, gone=True)), whom),
    st.builds(lambda who: (who, lambda name, at: r.AmendRejected(name, "", at)), whom),
    st.builds(
        lambda who, what: (who, lambda name, at: r.Unknown(name, what, "", at)),
        whom,
        st.sampled_from(["submit", "dance", ""]),
    ),
    st.builds(lambda who: (who, r.Absent), whom),
    st.builds(lambda who: (who, lambda name, at: r.Unanswered(name, "", at)), whom),
    st.builds(
        lambda size: (
            "",
            lambda _, at: r.Picture(at, (), (), {"USD": size, "ZZZ": size}, {"ZZZ/USD": size}, at),
        ),
        sizes,
    ),
    st.builds(lambda: ("", lambda _, at: r.Disconnected("", at))),
)
Made = tuple[str, Callable[[str, int], r.VenueReport]]


@pytest.mark.hazard("H64")
@settings(max_examples=200)
@given(st.lists(junk, min_size=1, max_size=8))
def test_no_stream_of_nonsense_ends_the_desk_or_parts_it_from_its_journal(told: list[Made]) -> None:
    story = Story("kraken-futures", CALM)
    story.opened("0.5")
    story.buy("0.2", type=LIMIT, price=D(59_000))
    entry, stop = story.order("entry"), story.order("stop")
    names = {
        "entry": entry.client_order_id,
        "stop": stop.client_order_id,
        "ghost": stop.client_order_id[:5] + "GHOST",
        "stranger": "web-1",
        "": "",
    }
    for who, make in told:
        story.now += SECOND // 10
        decision = story.desk.handle(make(names[who], story.now), story.now)
        story.events.extend(decision.events)
        if decision.failure:
            story.tell(Trouble("TASK_DIED", "desk", decision.failure, blocks=True))
    story.replays()
    assert sum(
        position.size for position in story.state.positions.values() if position.is_open
    ) == D("0.5"), "no fill, no change of what is held"
    story.tell(r.Connected(story.now))
    for block in list(story.state.blocks):
        story.ask(i.Resume(id=f"resume {block}", reason=block))
    story.price(ETH, "3000")
    assert story.buy("1", symbol=ETH).ok, story.state.blocks
    fresh = next(order for order in story.orders("entry") if order.symbol == ETH)
    story.accept(fresh)
    story.fill(fresh, price="3000")
    assert [order.size for order in story.orders("stop") if order.symbol == ETH] == [D(1)]


# H66: a bulk is many single things


def _resting(story: Story, count: int) -> list[Order]:
    for index in range(count):
        assert story.buy("0.01", type=LIMIT, price=D(59_000 - index)).ok
    for order in story.orders("entry"):
        story.accept(order)
    return story.orders("entry")


@pytest.mark.hazard("H66")
def test_one_refused_cancel_of_many_stops_none_of_the_others_and_stays_tracked() -> None:
    story = Story()
    resting = _resting(story, 5)
    answer = story.ask(i.CancelAll(id="all"))
    assert answer.text == "cancelling 5 orders"
    assert [cancel.client_order_id for cancel in story.sent(Cancel)] == [
        order.client_order_id for order in resting
    ]
    refused, lost = resting[0], resting[2]
    story.tell(r.CancelRejected(refused.client_order_id, "EService:Busy", story.now))
    story.tell(r.Unknown(lost.client_order_id, "cancel", "no answer", story.now))
    for order in (resting[1], resting[3], resting[4]):
        story.cancelled(order)
    assert [story.now_of(order).status.value for order in resting] == [
        "open",
        "cancelled",
        "open",
        "cancelled",
        "cancelled",
    ]
    alerts = {alert.code: alert.target for alert in story.state.alerts.values()}
    assert alerts["CANCEL_REFUSED"] == refused.client_order_id, "its own result, by its own name"
    story.wait(1)
    assert {query.client_order_id for query in story.sent(Query)} == {
        refused.client_order_id,
        lost.client_order_id,
    }
    sent = len(story.sent(Cancel))
    story.tell(r.Found(replace(lost, in_doubt=False), (), story.now))
    assert [cancel.client_order_id for cancel in story.sent(Cancel)[sent:]] == [
        lost.client_order_id
    ], "it had not arrived: once more"
    story.cancelled(lost)
    story.tell(r.Found(replace(refused, in_doubt=False), (), story.now))
    assert [order.client_order_id for order in story.state.orders.values() if order.is_open] == [
        refused.client_order_id
    ]
    again = story.ask(i.CancelAll(id="again"))
    assert again.text == "cancelling 1 order", "the books are right: it says what is left"
    story.cancelled(refused)
    assert not story.state.orders
    story.replays()


@pytest.mark.hazard("H66")
def test_a_flatten_tries_a_refused_cancel_again_until_it_is_gone() -> None:
    story = Story()
    resting = _resting(story, 3)
    story.ask(i.Flatten(id="f"))
    for turn in range(5):
        story.tell(r.CancelRejected(resting[1].client_order_id, "EService:Busy", story.now))
        if not turn:
            story.cancelled(resting[0])
            story.cancelled(resting[2])
        story.wait(1)
        story.tell(r.Found(replace(resting[1], in_doubt=False), (), story.now))
        story.wait(1)
    assert (
        len(
            [
                cancel
                for cancel in story.sent(Cancel)
                if cancel.client_order_id == resting[1].client_order_id
            ]
        )
        == 6
    )
    assert "FLATTEN" in story.state.blocks, "not over before it is gone"
    story.cancelled(resting[1])
    story.now += SECOND
    story.picture()
    assert "FLATTEN" not in story.state.blocks


@pytest.mark.hazard("H66")
@pytest.mark.parametrize("seed", range(3))
def test_a_bulk_through_a_lossy_line_ends_each_order_once(seed: int, tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        for index in range(10):
            assert (await world.buy("0.01", type=LIMIT, price=D(59_000 - index))).ok
        await world.until(lambda: len(world.resting) == 10)
        world.venue.faults = Faults(lose_request=0.4, lose_reply=0.3, duplicate_report=0.3)
        assert (await world.ask(i.CancelAll(id="all"))).text == "cancelling 10 orders"
        await world.wait(20)
        world.venue.faults = Faults()
        await world.until(lambda: not world.state.orders, 60)
        assert not world.resting
        ends = [event.order for event in world.events if isinstance(event, e.OrderCancelled)]
        assert len(ends) == len(set(ends)) == 10

    play(tale, tmp_path, profile="kraken-futures", seed=seed, values={"risk.max_positions": 20})


# H67: writes come in batches


def _statements(journal: Journal, work: Callable[[], object]) -> list[str]:
    """What the database is asked to do meanwhile, statement by statement."""
    connection = journal._store.engine.raw_connection()
    seen: list[str] = []
    assert journal._queue is not None
    committer = journal._queue._committer
    assert committer._connection is None
    connection.driver_connection.set_trace_callback(seen.append)  # type: ignore[union-attr]
    committer._connection = connection
    work()
    return [text for text in seen if not text.startswith(("BEGIN", "COMMIT"))]


def _written(folder: Path, decisions: int) -> list[str]:
    """The statements of one commit of so many decisions, each with several events and rows."""
    journal = Journal.open(folder / f"{decisions}.sqlite", "test", "desk", now=START, inline=True)
    story = Story("kraken-futures", CALM)
    for turn in range(decisions):
        story.now += SECOND
        story.price(BTC, "60000")
        decision = story.tell(
            i.OpenBracket(
                id=f"i{turn}",
                symbol=BTC,
                side=Side.BUY,
                size=i.Base(D("0.1")),
                type=LIMIT,
                price=D(59_000),
            )
        )
        journal.append(batch(decision, story.state, (), encode))
        if story.orders("entry"):
            story.rejected(story.order("entry"))
    seen = _statements(journal, journal.flush)
    stored = sum(1 for _ in journal.events())
    assert stored >= 2 * decisions
    journal.close()
    return seen


@pytest.mark.hazard("H67")
def test_a_hundred_decisions_are_written_in_as_few_statements_as_a_handful(tmp_path: Path) -> None:
    few, many = _written(tmp_path, 4), _written(tmp_path, 256)
    assert len(few) <= 12
    assert len(many) <= 12 + 2 * 256 * 6 // 64, "rows go in many to a statement"
    assert len(many) < 256 / 4, (
        "far fewer statements than decisions, each of which has several rows"
    )


@pytest.mark.hazard("H67")
def test_a_snapshot_is_one_row_whatever_it_holds(tmp_path: Path) -> None:
    counts = []
    for positions in (1, 40):
        story = Story(
            "kraken-futures", Rules(risk=RiskRules(max_positions=100, max_open_risk=D(10)))
        )
        for _ in range(positions):
            story.opened("0.01")
        journal = Journal.open(
            tmp_path / f"{positions}.sqlite", "test", "desk", now=START, inline=True
        )
        journal.append(batch(story.tell(i.Pause(id="p")), story.state, (), encode))
        journal.save_snapshot(journal.last_seq, story.now, save(story.state))
        counts.append(len(_statements(journal, journal.flush)))
        journal.close()
    assert counts[0] == counts[1]


@pytest.mark.hazard("H67")
def test_snapshots_are_bounded_however_long_it_runs(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        for turn in range(400):
            await world.ask(i.Pause(id=f"p{turn}"))
            await world.ask(i.Resume(id=f"r{turn}"))
        world.engine.save()
        assert world.state.seq > 1_000
        with sqlite3.connect(tmp_path / "journal.sqlite") as connection:
            ((kept,),) = connection.execute("SELECT count(*) FROM snapshot").fetchall()
        connection.close()
        assert 0 < kept <= 3

    play(tale, tmp_path, values={"journal.snapshot_every": 100})


@pytest.mark.hazard("H67")
def test_looking_at_the_screen_asks_the_database_nothing(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await world.opened("0.5")
        world.engine.save()
        seen: list[str] = []
        assert world.engine.journal._queue is not None
        connection = world.engine.journal._queue._committer._connection
        assert connection is not None
        connection.driver_connection.set_trace_callback(seen.append)  # type: ignore[union-attr]
        for _ in range(50):
            assert world.engine.view().positions
        assert seen == []

    play(tale, tmp_path)
