"""Pictures at their edges: sleep, coins that leave, strangers, liquidations, and what exits waited
for.
"""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.events import OrphanCancelled
from engine.desk.messages import Marked, Restarted, Slept
from engine.model import intent as i
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.ids import client_order_id
from engine.model.mark import MarkedOrder
from engine.model.order import Order, OrderType, Role, Status
from engine.model.request import Query, QueryAccount
from engine.model.side import Side
from engine.venues.profiles import load_profile
from tests.support.world import BTC, ETH, SECOND, Story

D = Decimal
FUTURES = "kraken-futures"
LIMIT = OrderType.LIMIT


def stranger(story: Story, **terms: Any) -> Order:
    """A limit order with our prefix, an hour old, that this journal does not know."""
    order = Order(
        client_order_id("test", "another journal", "entry", 1),
        "",
        BTC,
        Side.BUY,
        LIMIT,
        Role.ENTRY,
        D("0.5"),
        price=D(50_000),
        status=Status.OPEN,
        venue_order_id="V1",
        created_at=story.now - 3_600 * SECOND,
    )
    return replace(order, **terms)


# Sleep


@pytest.mark.hazard("H16")
@pytest.mark.parametrize(("as_of", "awake"), [(-1, False), (0, True)])
def test_entries_open_again_with_a_picture_of_the_moment_of_waking(as_of: int, awake: bool) -> None:
    story = Story(FUTURES)
    asked = len(story.sent(QueryAccount))
    story.now += 90 * SECOND
    woke = story.now
    story.tell(Slept("nobody looked for 90 s"))
    assert len(story.sent(QueryAccount)) == asked + 1
    story.now += SECOND
    story.picture(as_of=woke + as_of)
    assert ("SLEPT" not in story.state.blocks) is awake
    assert ("SLEPT" not in story.standing()) is awake


def test_a_picture_opens_only_what_sleep_closed() -> None:
    story = Story(FUTURES)
    story.now += SECOND
    story.picture()
    assert "SLEPT" not in [event.code for event in story.seen(e.EntriesAllowed)]


def test_a_close_that_waited_for_the_picture_after_a_start_goes_with_it() -> None:
    story = Story()
    position = story.opened("0.5", stop=None)
    story.now += SECOND
    story.tell(Restarted())
    assert story.ask(i.ClosePosition(id="c", position=position.id)).ok
    assert not story.orders("close")
    story.now += 1
    story.picture()
    assert story.order("close").size == D("0.5")


# Coins that leave


def owner(story: Story, coins: str = "2") -> dict[str, Decimal]:
    """The owner's own coins are known and left alone; returns the balances."""
    story.picture({"USD": D(1_000_000), "BTC": D(coins)})
    assert story.ask(i.Resolve(id="r", subject="BTC", action=i.Settlement.FORGET)).ok
    return dict(story.state.cash)


@pytest.mark.hazard("H74")
def test_a_withdrawal_is_booked_once_pictures_said_the_same_for_exactly_a_while() -> None:
    story = Story()
    cash = owner(story)
    first = story.now
    story.picture(cash | {"BTC": D("0.5")})
    story.price(BTC, "60000")
    story.picture(cash | {"BTC": D("0.5")}, as_of=first + 10 * SECOND - 1)
    assert "WITHDRAWN" not in story.told()
    assert "DIFFERENCE" in story.standing()
    story.picture(cash | {"BTC": D("0.5")}, as_of=first + 10 * SECOND)
    assert "WITHDRAWN" in story.told()
    assert story.state.cash["BTC"] == D("0.5")
    (alert,) = [a for a in story.state.alerts.values() if a.code == "WITHDRAWN"]
    assert (alert.subject, alert.detail) == ("BTC", "1.5")
    assert "DIFFERENCE" not in story.standing()
    said = len([event for event in story.seen(e.AlertRaised) if event.alert.code == "WITHDRAWN"])
    story.picture(as_of=first + 30 * SECOND)
    again = len([event for event in story.seen(e.AlertRaised) if event.alert.code == "WITHDRAWN"])
    assert said == again == 1


@pytest.mark.hazard("H74")
def test_a_fall_that_changes_begins_to_age_anew_and_one_that_ends_is_forgotten() -> None:
    story = Story()
    cash = owner(story)
    first = story.now
    for second, coins in ((0, "0.5"), (6, "0.4"), (12, "0.4"), (15, "2"), (18, "0.4"), (27, "0.4")):
        story.picture(cash | {"BTC": D(coins)}, as_of=first + second * SECOND)
        assert "WITHDRAWN" not in story.told(), second
    story.picture(cash | {"BTC": D("0.4")}, as_of=first + 28 * SECOND)
    assert "WITHDRAWN" in story.told()


@pytest.mark.hazard("H74")
def test_what_falls_below_ours_is_never_booked_and_down_to_ours_is() -> None:
    for left, booked in (("0.5", True), ("0.49", False)):
        story = Story()
        owner(story)
        story.opened("0.5", stop=None)
        cash = dict(story.state.cash)
        story.now += SECOND
        first = story.now
        for second in (0, 10):
            story.picture(cash | {"BTC": D(left)}, as_of=first + second * SECOND)
        assert ("WITHDRAWN" in story.told()) is booked


@pytest.mark.hazard("H74")
def test_money_contracts_and_what_came_in_are_no_withdrawal() -> None:
    story = Story()
    cash = owner(story)
    first = story.now
    for second in (0, 10, 20):
        balances = cash | {"USD": D(1), "BTC": D(3), "ETH": D(0)}
        story.picture(balances, as_of=first + second * SECOND)
    assert "WITHDRAWN" not in story.told()
    futures = Story(FUTURES)
    futures.opened("0.5", stop=None)
    futures.now += SECOND
    first = futures.now
    for second in (0, 10, 20):
        futures.picture(net={BTC: D("0.1")}, as_of=first + second * SECOND)
    assert "WITHDRAWN" not in futures.told()


@pytest.mark.hazard("H74")
def test_one_currency_that_is_no_withdrawal_does_not_hide_another() -> None:
    story = Story()
    cash = owner(story)
    first = story.now
    for second in (0, 10):
        balances = {"USD": D(1), "AAA": D(1), "BTC": D("0.5")}
        story.picture({**cash, **balances}, as_of=first + second * SECOND)
    assert [a.subject for a in story.state.alerts.values() if a.code == "WITHDRAWN"] == ["BTC"]


@pytest.mark.hazard("H74")
def test_while_an_execution_of_ours_is_unknown_no_fall_is_a_withdrawal() -> None:
    story = Story()
    cash = owner(story)
    name = client_order_id("test", "another journal", "close", 1)
    fill = Fill(
        "U1",
        name,
        BTC,
        Side.SELL,
        D(1),
        D(1),
        D(0),
        "USD",
        Liquidity.TAKER,
        story.now - 3_600 * SECOND,
    )
    first = story.now
    for second in (0, 10, 20):
        story.picture(cash | {"BTC": D("0.5")}, fills=(fill,), as_of=first + second * SECOND)
    assert "WITHDRAWN" not in story.told()


@pytest.mark.hazard("H74")
def test_without_a_price_a_withdrawal_waits_for_one() -> None:
    story = Story()
    story.state.cash["XRP"] = D(100)
    cash = dict(story.state.cash)
    first = story.now
    for second in (0, 10, 20):
        story.picture(cash | {"XRP": D(0)}, as_of=first + second * SECOND)
    assert "WITHDRAWN" not in story.told()
    assert "DIFFERENCE" in story.standing()
    story.price("XRP/BTC", "0.00001", "0.00002")
    story.picture(cash | {"XRP": D(0)}, as_of=first + 30 * SECOND)
    assert "WITHDRAWN" in story.told()


# Strangers


@pytest.mark.hazard("H34")
@pytest.mark.parametrize(
    ("terms", "cancelled"),
    [({}, True), ({"reduce_only": True}, False), ({"side": Side.SELL}, True)],
    ids=["it could open", "it only reduces", "it could open short"],
)
def test_an_explained_account_cancels_only_an_orphan_that_could_open(
    terms: dict[str, Any], cancelled: bool
) -> None:
    story = Story(FUTURES)
    story.now += SECOND
    story.picture(orders=(stranger(story, **terms),))
    assert bool(story.seen(OrphanCancelled)) is cancelled


@pytest.mark.hazard("H34")
@pytest.mark.parametrize("age", [0, -1])
def test_an_order_as_young_as_this_process_is_left_to_the_operator(age: int) -> None:
    story = Story(FUTURES)
    story.now += 60 * SECOND
    order = stranger(story, created_at=story.board.restarted_at + age)
    story.picture(orders=(order,))
    assert bool(story.seen(OrphanCancelled)) is (age < 0)


@pytest.mark.hazard("H34")
def test_only_a_position_of_its_own_symbol_that_is_open_keeps_an_orphan() -> None:
    story = Story(FUTURES)
    story.opened("1", symbol=ETH, price="3000", stop=None)
    assert story.buy("0.1", type=LIMIT, price=D(59_000)).ok
    entry = story.order("entry")
    story.accept(entry)
    story.now += SECOND
    story.picture(orders=(stranger(story), story.now_of(entry)))
    assert story.seen(OrphanCancelled), "neither what is held elsewhere nor what only waits"
    held = Story(FUTURES)
    held.opened("1", symbol=ETH, price="3000", stop=None)
    held.opened("0.1", stop=None)
    held.now += SECOND
    held.picture(orders=(stranger(held),))
    assert not held.seen(OrphanCancelled)


@pytest.mark.hazard("H34")
def test_at_a_start_and_beside_another_engine_nothing_is_cancelled() -> None:
    story = Story(FUTURES)
    story.tell(Restarted())
    story.now += SECOND
    story.picture(orders=(stranger(story),))
    assert not story.seen(OrphanCancelled)
    second = Story(FUTURES)
    second.now += 60 * SECOND
    young = stranger(
        second, client_order_id=client_order_id("test", "x", "y", 2), created_at=second.now
    )
    second.picture(orders=(young,))
    second.now += SECOND
    assert "SECOND_ENGINE" in second.state.blocks
    assert second.ask(
        i.Resolve(id="r", subject=young.client_order_id, action=i.Settlement.FORGET)
    ).ok
    second.picture(orders=(stranger(second), young))
    assert not second.seen(OrphanCancelled)


@pytest.mark.hazard("H34")
def test_what_was_left_alone_is_cancelled_by_a_flatten_only() -> None:
    story = Story(FUTURES)
    story.tell(Restarted())
    order = stranger(story)
    story.picture(orders=(order,))
    assert story.ask(
        i.Resolve(id="r", subject=order.client_order_id, action=i.Settlement.FORGET)
    ).ok
    story.now += SECOND
    story.picture(orders=(order,))
    assert not story.seen(OrphanCancelled)
    assert story.ask(i.Flatten(id="f")).ok
    story.now += SECOND
    story.picture(orders=(order,))
    assert [event.order.client_order_id for event in story.seen(OrphanCancelled)] == [
        order.client_order_id
    ]


# The venue closes by itself


def liquidated(story: Story, size: str, side: Side = Side.SELL, **terms: Any) -> None:
    fill = Fill(
        "L", "venue", BTC, side, D(50_000), D(size), D(0), "USD", Liquidity.TAKER, story.now
    )
    story.tell(r.Liquidated(BTC, replace(fill, **terms), story.now))


def test_a_liquidation_of_the_moment_of_an_opening_counts_and_is_booked_once() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", stop=None)
    assert position.opened_at == story.now
    for _ in range(2):
        liquidated(story, "0.2")
    assert [event.fill.size for event in story.seen(e.PositionLiquidated)] == [D("0.2")]
    assert story.position().size == D("0.3")


def test_a_liquidation_of_nothing_of_ours_is_told_unless_it_is_older_than_this_process() -> None:
    for age, told in ((-1, False), (0, True)):
        story = Story(FUTURES)
        story.now += 60 * SECOND
        liquidated(story, "0.2", at=story.board.restarted_at + age)
        assert ("LIQUIDATED" in story.told()) is told


def test_a_liquidation_closes_its_own_side_and_what_was_lent_before_what_was_paid_for() -> None:
    story = Story(load_profile("kraken-spot"))
    coins = story.opened("0.2", stop=None)
    lent = story.opened("0.3", stop=None, leverage=D(2))
    liquidated(story, "0.4")
    assert [
        (one.fill.position, one.fill.size, one.fill.execution_id)
        for one in story.seen(e.PositionLiquidated)
    ] == [
        (lent.id, D("0.3"), "L"),
        (coins.id, D("0.1"), "L/1"),
    ]
    other = Story(FUTURES)
    other.opened("0.3", stop=None)
    liquidated(other, "0.3", Side.BUY)
    assert not other.seen(e.PositionLiquidated)


def test_a_liquidation_passes_over_what_holds_nothing_any_more() -> None:
    story = Story(FUTURES)
    gone = story.opened("0.5", target=i.Away(D("0.02")))
    story.fill(story.order("stop"), price="59400")
    assert (story.position().size, story.order("target").cancel_pending) == (D(0), True)
    held = story.opened("0.3", stop=None)
    liquidated(story, "0.3")
    assert [(one.fill.position, one.fill.size) for one in story.seen(e.PositionLiquidated)] == [
        (held.id, D("0.3"))
    ]
    assert gone.id in story.state.positions


# Differences


def test_a_difference_of_an_explained_account_is_no_naked_holding() -> None:
    for story, held in (
        (Story(), {"balances": {"USD": D(1_000_000), "BTC": D(2)}}),
        (Story(FUTURES), {"net": {BTC: D(2)}}),
    ):
        story.now += SECOND
        story.picture(**held)  # type: ignore[arg-type] # by name
        assert story.standing() == {"DIFFERENCE"}


@pytest.mark.hazard("H74")
def test_a_withdrawal_that_is_booked_differs_no_more_for_a_last_exit_that_is_booked_with_it() -> (
    None
):
    story = Story()
    cash = owner(story)
    name = client_order_id("test", "emergency", BTC, 1)
    story.tell(Marked("one", (MarkedOrder(name, BTC, Side.SELL, D(1), story.now),)))
    story.now += SECOND
    first = story.now
    close = stranger(story, client_order_id=name, side=Side.SELL, price=D(70_000))
    story.picture(cash | {"BTC": D("0.5")}, orders=(close,), as_of=first)
    assert "EMERGENCY_EXIT" in story.state.blocks
    story.picture(cash | {"BTC": D("0.5")}, orders=(), as_of=first + 10 * SECOND)
    assert "WITHDRAWN" in story.told()
    assert "EMERGENCY_EXIT" not in story.state.blocks


@pytest.mark.hazard("H74")
def test_a_contract_of_somebody_else_that_is_gone_is_a_difference_and_no_withdrawal() -> None:
    story = Story(FUTURES)
    story.picture(net={BTC: D(2)})
    assert story.ask(i.Resolve(id="r", subject=BTC, action=i.Settlement.FORGET)).ok
    first = story.now
    for second in (0, 10, 20):
        story.picture(net={}, as_of=first + second * SECOND)
    assert "WITHDRAWN" not in story.told()
    assert "DIFFERENCE" in story.standing()


def test_a_picture_of_the_moment_in_which_an_order_changed_knows_its_terms() -> None:
    story = Story(FUTURES)
    assert story.buy("0.5", type=LIMIT, price=D(59_000)).ok
    story.accept(story.order("entry"))
    entry = story.order("entry")
    assert entry.touched_at == story.now
    story.picture(orders=(replace(entry, price=D(58_900)),))
    assert story.order("entry").price == D(58_900)


@pytest.mark.parametrize(("age", "asked"), [(10 * SECOND - 1, 0), (10 * SECOND, 1)])
def test_an_order_is_missing_once_it_is_exactly_old_enough(age: int, asked: int) -> None:
    story = Story(FUTURES)
    assert story.buy("0.5", type=LIMIT, price=D(59_000)).ok
    story.accept(story.order("entry"))
    touched = story.order("entry").touched_at
    story.now += 20 * SECOND
    story.picture(orders=(), as_of=touched + age)
    assert len(story.sent(Query)) == asked
