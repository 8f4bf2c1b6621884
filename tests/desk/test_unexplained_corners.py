"""What no journal explains, at its edges: whose it is, what it proves, and when it is off
the list.
"""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk import unexplained
from engine.desk.events import OrphanCancelled
from engine.desk.messages import Restarted, SetBack
from engine.desk.truth import truth
from engine.model import intent as i
from engine.model.fill import Fill, Liquidity
from engine.model.ids import client_order_id
from engine.model.mark import MarkedOrder
from engine.model.order import Order, OrderType, Role, Status
from engine.model.report import Picture
from engine.model.request import QueryAccount
from engine.model.side import Side
from engine.venues.profiles import load_profile
from tests.support.world import BTC, ETH, SECOND, Story, codes

D = Decimal
STOP, LIMIT = OrderType.STOP, OrderType.LIMIT
pytestmark = [pytest.mark.hazard("H75")]


def lost(profile: str = "kraken-spot") -> Story:
    """A desk on an empty journal, before the venue's first word."""
    story = Story(profile)
    story.state.cash.clear()
    story.tell(Restarted())
    return story


def theirs(story: Story, number: int = 1, **terms: Any) -> Order:
    """A stop with our prefix, an hour old, that this journal does not know."""
    stop = Order(
        client_order_id("test", "another journal", "order", number),
        "",
        BTC,
        Side.SELL,
        STOP,
        Role.STOP,
        D("0.4"),
        trigger=D(57_000),
        status=Status.OPEN,
        venue_order_id=f"V{number}",
        created_at=story.now - 3_600 * SECOND,
    )
    return replace(stop, **terms)


def executed(story: Story, number: int = 1, size: str = "0.4", **terms: Any) -> Fill:
    story.count += 1
    name = client_order_id("test", "another journal", "entry", number)
    fill = Fill(
        f"U{story.count}",
        name,
        BTC,
        Side.BUY,
        D(60_000),
        D(size),
        D(0),
        "USD",
        Liquidity.TAKER,
        story.now - 3_600 * SECOND,
    )
    return replace(fill, **terms)


def shown(
    story: Story,
    orders: tuple[Order, ...] = (),
    fills: tuple[Fill, ...] = (),
    balances: dict[str, Decimal] | None = None,
    net: dict[str, Decimal] | None = None,
) -> Picture:
    return Picture(story.now, orders, fills, balances or {}, net or {}, story.now)


def texts(story: Story) -> list[str]:
    return [event.text for event in story.seen(e.Unexplained)]


# Whose it is


def test_what_is_strange_bears_our_prefix_and_is_neither_known_left_nor_of_a_last_exit() -> None:
    story = Story()
    story.opened()
    known = story.order("stop")
    strange, left, marked = theirs(story, 1), theirs(story, 2), theirs(story, 3)
    story.state.left[left.client_order_id] = None
    mark = MarkedOrder(marked.client_order_id, BTC, Side.SELL, D(1), story.now)
    story.state.marked[mark.client_order_id] = mark
    foreign = replace(strange, client_order_id="web")
    found = unexplained.strangers(story.state, (known, strange, left, marked, foreign))
    assert found == [strange]


def test_an_execution_is_unknown_by_its_own_id_and_by_its_order() -> None:
    story = Story()
    story.opened()
    (known,) = story.state.executions
    fill = executed(story)
    its = replace(fill, execution_id="new", client_order_id=story.order("stop").client_order_id)
    repeated = replace(fill, execution_id=known)
    assert unexplained.unknown_fills(story.state, (fill, its, repeated)) == [fill]


# What is listed


def test_an_order_is_listed_in_words_with_its_level() -> None:
    story = lost()
    story.picture(
        {"USD": D(1)},
        orders=(
            theirs(story, 1, filled=D("0.1")),
            theirs(story, 2, type=LIMIT, trigger=None, price=D(61_000)),
            theirs(story, 3, type=OrderType.MARKET, trigger=None),
        ),
    )
    assert texts(story) == [
        "order sell 0.3 BTC/USD at 57000",
        "order sell 0.4 BTC/USD at 61000",
        "order sell 0.4 BTC/USD",
    ]
    blocked = [event for event in story.seen(e.EntriesBlocked) if event.code == "UNEXPLAINED"]
    assert len(blocked) == 1


def test_executions_are_listed_by_order_with_their_sum() -> None:
    story = lost()
    one, two = executed(story, 1, "0.1"), executed(story, 1, "0.2")
    other = executed(story, 2, "3", symbol=ETH, side=Side.SELL)
    story.picture({"USD": D(1)}, orders=(), fills=(one, other, two))
    assert texts(story) == ["executed: buy 0.3 BTC/USD", "executed: sell 3 ETH/USD"]
    assert "SECOND_ENGINE" not in story.told(), "at a start nobody can tell"


def test_what_stays_unexplained_is_told_once() -> None:
    story = lost()
    for _ in range(3):
        story.picture({"USD": D(1)}, orders=(theirs(story),))
        story.now += SECOND
    assert len(story.seen(e.Unexplained)) == 1
    assert not story.seen(e.Explained)


@pytest.mark.hazard("H76")
@pytest.mark.parametrize(("age", "second"), [(0, True), (1, False)], ids=["of the start", "older"])
def test_an_order_as_young_as_this_process_is_of_another_engine(age: int, second: bool) -> None:
    story = Story("kraken-futures")
    story.now += 60 * SECOND
    born = story.board.restarted_at
    order = theirs(story, created_at=born - age, reduce_only=True)
    story.picture(orders=(order,), net={})
    assert ("SECOND_ENGINE" in story.standing()) is second
    assert ("SECOND_ENGINE" in story.state.blocks) is second


@pytest.mark.hazard("H76")
def test_an_execution_as_young_as_this_process_is_of_another_engine_and_an_older_one_is_history() -> (
    None
):
    story = Story()
    story.now += 60 * SECOND
    born = story.board.restarted_at
    story.picture(orders=(), fills=(executed(story, at=born - 1),))
    assert "SECOND_ENGINE" not in story.told()
    assert len(story.state.unexplained) == 1, "listed all the same"
    fills = (executed(story, 2, "0.1", at=born), executed(story, 2, "0.2", at=born + 1))
    cash = story.state.cash | {"BTC": D("0.3")}
    for _ in range(2):
        story.picture(cash, orders=(), fills=fills)
    assert "SECOND_ENGINE" in story.standing()
    assert "ENTRIES_BLOCKED" in codes([story.buy("0.1")])
    assert story.state.withheld == {"BTC": D("0.7")}, "once, and all of it"
    assert (
        len([event for event in story.seen(e.EntriesBlocked) if event.code == "SECOND_ENGINE"]) == 1
    )


@pytest.mark.hazard("H76")
def test_what_another_engine_trades_is_withheld_only_where_coins_change_hands() -> None:
    story = Story("kraken-futures")
    story.now += 60 * SECOND
    fills = (executed(story, at=story.now), executed(story, 2, at=story.now, symbol="GONE/USD"))
    story.picture(orders=(), fills=fills, net={BTC: D("0.4")})
    assert "SECOND_ENGINE" in story.standing()
    assert not story.seen(e.HoldingUnexplained)


@pytest.mark.hazard("H76")
def test_what_another_engine_sold_withholds_nothing_below_zero() -> None:
    story = Story()
    story.now += 60 * SECOND
    story.picture(orders=(), fills=(executed(story, at=story.now, side=Side.SELL),))
    assert [event.amount for event in story.seen(e.HoldingUnexplained)] == [D(0)]


# What is taken off the list


def test_only_what_is_gone_or_left_is_taken_off_and_what_was_executed_stays() -> None:
    story = lost()
    stays, goes = theirs(story, 1), theirs(story, 2)
    fill = executed(story, 3)
    story.picture({"USD": D(1)}, orders=(stays, goes), fills=(fill,))
    story.now += SECOND
    story.picture({"USD": D(1)}, orders=(stays,), fills=(fill,))
    assert set(story.state.unexplained) == {stays.client_order_id, fill.client_order_id}
    assert "UNEXPLAINED" in story.state.blocks, "not all is explained"
    story.now += SECOND
    story.picture({"USD": D(1)}, orders=())
    assert set(story.state.unexplained) == {fill.client_order_id}
    assert story.ask(i.Resume(id="r", reason="UNEXPLAINED")).ok
    assert not story.state.unexplained
    assert "UNEXPLAINED" not in story.state.blocks
    assert "UNEXPLAINED" not in story.standing()
    assert "UNKNOWN_ORDER" not in story.standing()


def test_opening_entries_leaves_all_of_it_alone_but_a_journal_is_nothing_to_leave() -> None:
    story = lost()
    one, two = theirs(story, 1), theirs(story, 2)
    story.picture({"USD": D(1)}, orders=(one, two))
    story.tell(SetBack("older"))
    assert story.ask(i.Resume(id="r", reason="UNEXPLAINED")).ok
    assert set(story.state.left) == {one.client_order_id, two.client_order_id}
    assert [event.subject for event in story.seen(e.Explained)] == [
        one.client_order_id,
        two.client_order_id,
        "journal",
    ]
    allowed = [event for event in story.seen(e.EntriesAllowed) if event.code == "UNEXPLAINED"]
    assert len(allowed) == 1


def test_explaining_what_was_never_listed_says_nothing() -> None:
    story = Story()
    assert list(unexplained.explain(story.ctx, "FOx")) == []


# What it proves to be ours


def test_coins_are_withheld_by_what_was_bought_or_is_offered_whichever_is_more() -> None:
    story = Story()
    picture = shown(
        story,
        (
            theirs(story, 1, filled=D("0.1")),
            theirs(story, 2),
            theirs(story, 3, symbol=ETH, size=D(2)),
        ),
        (executed(story, 1, "0.5"), executed(story, 2, "0.1"), executed(story, 3, "7", symbol=ETH)),
        {"BTC": D(9), "ETH": D(9)},
    )
    assert unexplained.withheld(story.ctx, picture) == {"BTC": D("0.7"), "ETH": D(7)}
    picture = replace(picture, fills=picture.fills[:1])
    assert unexplained.withheld(story.ctx, picture) == {"BTC": D("0.7"), "ETH": D(2)}


def test_no_more_is_withheld_than_is_there_and_never_less_than_nothing() -> None:
    story = Story()
    order = theirs(story)
    for there, found in (("9", "0.4"), ("0.3", "0.3"), ("-1", "0")):
        picture = shown(story, (order,), (), {"BTC": D(there)})
        assert unexplained.withheld(story.ctx, picture) == {"BTC": D(found)}
    assert unexplained.withheld(story.ctx, shown(story, (order,))) == {"BTC": D(0)}
    sold = shown(story, (), (executed(story, side=Side.SELL),), {"BTC": D(9)})
    assert unexplained.withheld(story.ctx, sold) == {"BTC": D(0)}


def test_of_a_short_as_much_is_withheld_as_was_sold_or_is_to_be_bought_back() -> None:
    """A venue that lends coins (H74: the journal was lost): a balance below zero is nobody's coins,
    it is owed.
    """
    story = Story()
    sold = (executed(story, 1, "0.4", side=Side.SELL),)
    back = theirs(story, 2, side=Side.BUY, size=D("0.3"), trigger=D(63_000))
    for fills, orders, there, found in (
        (sold, (), "-0.4", "-0.4"),
        (sold, (), "-0.1", "-0.1"),
        (sold, (), "-9", "-0.4"),
        ((), (back,), "-0.4", "-0.3"),
        (sold, (back,), "-0.4", "-0.4"),
    ):
        assert unexplained.withheld(story.ctx, shown(story, orders, fills, {"BTC": D(there)})) == {
            "BTC": D(found)
        }


@pytest.mark.hazard("H74")
def test_a_short_that_no_journal_explains_is_bought_back_by_a_flatten() -> None:
    story = lost()
    fill = executed(story, side=Side.SELL)
    story.picture({"USD": D(124_000), "BTC": D("-0.4")}, orders=(), fills=(fill,))
    assert story.state.withheld == {"BTC": D("-0.4")}
    assert story.state.cash["BTC"] == 0, "what is owed is no baseline"
    assert "DIFFERENCE" in story.standing()
    assert story.ask(i.Flatten(id="f")).ok
    for _ in range(3):
        story.now += 2 * SECOND
        story.picture({"USD": D(124_000), "BTC": D("-0.4")}, orders=(), fills=(fill,))
    closes = [order for order in story.state.orders.values() if order.role is Role.CLOSE]
    assert [(order.side, order.size) for order in closes] == [(Side.BUY, D("0.4"))]
    assert not story.seen(e.FlattenEnded), "nothing is called flat that is owed"


@pytest.mark.hazard("H76")
def test_what_another_engine_sold_short_is_withheld_as_far_as_it_is_owed() -> None:
    story = Story()
    story.now += 60 * SECOND
    fills = (executed(story, at=story.now, side=Side.SELL),)
    story.picture(story.state.cash | {"BTC": D("-0.4")}, orders=(), fills=fills)
    assert story.state.withheld == {"BTC": D("-0.4")}


def test_orders_to_buy_loans_and_what_is_not_listed_withhold_nothing() -> None:
    story = Story(load_profile("kraken-spot"))
    orders = (
        theirs(story, 1, side=Side.BUY),
        theirs(story, 2, leverage=D(2)),
        theirs(story, 3, symbol="GONE/USD"),
    )
    picture = shown(story, orders, (executed(story, symbol="GONE/USD"),), {"BTC": D(9)})
    assert not any(unexplained.withheld(story.ctx, picture).values())


def test_a_derivative_withholds_no_coins() -> None:
    story = Story("kraken-futures")
    picture = shown(story, (theirs(story),), (executed(story),), {"BTC": D(9)})
    assert unexplained.withheld(story.ctx, picture) == {}


@pytest.mark.parametrize(
    "terms",
    [
        {"symbol": ETH},
        {"side": Side.BUY},
        {"type": LIMIT, "price": D(57_000)},
        {"trigger": None},
    ],
    ids=["another symbol", "another side", "no stop", "no trigger"],
)
def test_what_protects_a_holding_is_a_stop_of_its_symbol_on_the_other_side(
    terms: dict[str, Any],
) -> None:
    story = Story()
    instrument = story.state.instruments[BTC]
    order = theirs(story, 1)
    picture = shown(story, (replace(order, **terms), theirs(story, 2)))
    found = unexplained.stop_for(story.ctx, picture, instrument, Side.BUY)
    assert found == theirs(story, 2)
    alone = shown(story, (replace(order, **terms),))
    assert unexplained.stop_for(story.ctx, alone, instrument, Side.BUY) is None


@pytest.mark.parametrize(("net", "side"), [("0.4", Side.SELL), ("-0.4", Side.BUY)])
def test_an_unexplained_holding_is_naked_until_its_stop_shows_and_the_other_way(
    net: str, side: Side
) -> None:
    story = lost("kraken-futures")
    holding = {BTC: D(net)}
    stop = theirs(story, 1, side=side, reduce_only=True)
    fill = executed(story, 2)
    wrong = theirs(story, 3, side=side.opposite, reduce_only=True)
    story.picture({"USD": D(1)}, orders=(wrong,), fills=(fill,), net=holding)
    assert {"NAKED", "PARTIAL_STOP"} & story.standing() == {"NAKED"}
    (alert,) = [one for one in story.state.alerts.values() if one.code == "NAKED"]
    assert alert.subject == f"{net} {BTC} (unexplained)"
    story.now += SECOND
    story.picture({"USD": D(1)}, orders=(wrong, stop), net=holding)
    assert {"NAKED", "PARTIAL_STOP"} & story.standing() == {"PARTIAL_STOP"}
    story.now += SECOND
    story.picture({"USD": D(1)}, orders=(wrong,), net=holding)
    assert {"NAKED", "PARTIAL_STOP"} & story.standing() == {"NAKED"}
    story.now += SECOND
    story.picture({"USD": D(1)}, orders=(wrong,), net={})
    assert not {"NAKED", "PARTIAL_STOP", "DIFFERENCE"} & story.standing()


# What could open something


@pytest.mark.hazard("H34")
@pytest.mark.parametrize(
    ("held", "side", "opens"),
    [
        ("0.4", Side.SELL, False),
        ("0.39", Side.SELL, True),
        ("0.5", Side.SELL, False),
        ("-0.4", Side.BUY, False),
        ("-0.39", Side.BUY, True),
        ("0.1", Side.BUY, True),
        ("-0.1", Side.SELL, True),
    ],
)
@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])
def test_an_order_could_open_what_it_is_larger_than_what_is_held(
    profile: str, held: str, side: Side, opens: bool
) -> None:
    story = Story(profile)
    coins = profile == "kraken-spot"
    balances, net = {"BTC": D(held if coins else 0)}, {BTC: D(0 if coins else held)}
    picture = shown(story, (), (), balances, net)
    order = theirs(story, side=side, size=D("0.5"), filled=D("0.1"))
    assert unexplained.could_open(story.ctx, picture, order) is opens
    assert not unexplained.could_open(story.ctx, picture, replace(order, reduce_only=True))
    assert not unexplained.could_open(story.ctx, picture, replace(order, symbol="GONE/USD"))


@pytest.mark.hazard("H34")
def test_while_something_is_unexplained_no_orphan_is_cancelled() -> None:
    story = Story("kraken-futures")
    story.tell(SetBack("older"))
    story.now += SECOND
    story.picture(orders=(theirs(story),), net={})
    assert not story.seen(OrphanCancelled)


def test_what_is_naked_is_what_differs_and_not_what_lay_there() -> None:
    story = lost()
    story.picture({"USD": D(1), "BTC": D("1.4")}, fills=(executed(story),))
    (alert,) = [one for one in story.state.alerts.values() if one.code == "NAKED"]
    assert alert.subject == "0.4 BTC (unexplained)"


def test_each_unexplained_thing_is_a_row_with_a_key() -> None:
    """An execution and a journal that was set back are neither an order nor a holding: they have
    rows of their own.
    """
    story = lost()
    fill = executed(story)
    story.picture({"USD": D(1), "BTC": D(0)}, fills=(fill,))
    story.tell(SetBack("its journal ends at event 3, and the home has seen 9"))
    rows = {row.subject: row for row in truth(story.ctx).rows if row.kind == "unexplained"}
    assert set(rows) == {fill.client_order_id, "journal"}
    assert {row.actions for row in rows.values()} == {("forget",)}
    for subject in rows:
        assert "UNEXPLAINED" in story.state.blocks
        assert not story.ask(
            i.Resolve(id=f"f{subject}", subject=subject, action=i.Settlement.FLATTEN)
        ).ok, "there is nothing to close by it"
        assert story.ask(i.Resolve(id=subject, subject=subject, action=i.Settlement.FORGET)).ok
    assert not story.state.unexplained
    assert "UNEXPLAINED" not in story.state.blocks
    story.replays()


def test_an_account_that_never_traded_is_asked_from_its_last_picture_on() -> None:
    """A second engine bought while this one was dead: nothing is known of ours, and what came after
    the last picture is still to be told.
    """
    story = Story()
    story.picture()
    told = story.now
    story.now += 3_600 * SECOND
    story.tell(Restarted())
    asked = story.sent(QueryAccount)
    assert asked
    assert asked[-1].since < told, "an hour of executions is not asked for"
