"""A journal that is lost or not the newest: nothing that protects is cancelled, everything is
listed, and entries wait for the operator.
"""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.events import OrphanCancelled
from engine.desk.evolve import evolve
from engine.desk.messages import Restarted, SetBack
from engine.desk.state import LEFT, MARKS
from engine.model import intent as i
from engine.model.fill import Fill, Liquidity
from engine.model.ids import client_order_id
from engine.model.order import Order, OrderType, Role, Status
from engine.model.position import Protection
from engine.model.report import Picture
from engine.model.request import Cancel
from engine.model.side import Side
from tests.support.world import BTC, SECOND, Story, codes

D = Decimal
pytestmark = [pytest.mark.hazard("H75")]


def lost(profile: str = "kraken-spot") -> Story:
    """A desk on an empty journal, before the venue's first word."""
    story = Story(profile)
    story.state.cash.clear()
    story.tell(Restarted())
    return story


def ours(
    story: Story,
    size: str = "0.4",
    side: Side = Side.SELL,
    kind: OrderType = OrderType.STOP,
    **terms: Any,
) -> Order:
    """An order with our prefix that rests since before this process began."""
    name = client_order_id("test", "another journal", kind.value, 1)
    return Order(
        name,
        "",
        BTC,
        side,
        kind,
        Role.STOP if kind is OrderType.STOP else Role.ENTRY,
        D(size),
        trigger=D(57_000) if kind is OrderType.STOP else None,
        price=D(50_000) if kind is OrderType.LIMIT else None,
        status=Status.OPEN,
        venue_order_id="V1",
        created_at=story.now - 3_600 * SECOND,
        **terms,
    )


def executed(story: Story, size: str = "0.4") -> Fill:
    name = client_order_id("test", "another journal", "entry", 1)
    return Fill(
        "T99",
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


def test_the_stop_of_a_lost_journal_is_listed_and_not_cancelled() -> None:
    story = lost()
    story.picture({"USD": D(76_000), "BTC": D("0.4")}, orders=(ours(story),))
    story.now += 60 * SECOND
    story.picture({"USD": D(76_000), "BTC": D("0.4")}, orders=(ours(story),))
    assert not story.seen(OrphanCancelled)
    assert not story.sent(Cancel)
    assert {"UNEXPLAINED", "DIFFERENCE", "PARTIAL_STOP"} <= story.standing()
    assert "ENTRIES_BLOCKED" in codes([story.buy()])
    assert "STARTING" not in story.state.blocks, "starting is over all the same"


def test_what_unknown_orders_prove_to_be_ours_is_no_baseline() -> None:
    story = lost()
    story.picture({"USD": D(76_000), "BTC": D("1.4")}, orders=(ours(story),))
    assert story.state.cash["BTC"] == D(1), "1 lay there before; 0.4 are ours and unexplained"
    assert "BTC" in {
        alert.subject for alert in story.state.alerts.values() if alert.code == "DIFFERENCE"
    }


def test_executions_with_our_name_are_listed_and_what_has_no_stop_is_naked() -> None:
    story = lost()
    story.picture({"USD": D(76_000), "BTC": D("0.4")}, fills=(executed(story),))
    assert {"UNEXPLAINED", "NAKED"} <= story.standing()
    story.now += 60 * SECOND
    story.picture({"USD": D(76_000), "BTC": D("0.4")})
    assert "UNEXPLAINED" in story.standing(), (
        "that a later picture does not list them again explains nothing"
    )


@pytest.mark.hazard("H74")
@pytest.mark.parametrize("knows", [False, True])
def test_an_execution_on_margin_is_listed_and_proves_no_coin_to_be_ours(knows: bool) -> None:
    """Coins of the owner's lie beside what was lent: as its first picture, and as one that comes
    later, a flatten leaves them alone.
    """
    story = lost()
    if knows:
        story.picture({"USD": D(76_000), "BTC": D(2)}, fills=())
        story.now += 60 * SECOND
    fill = executed(story)
    told = Picture(
        story.now,
        (),
        (fill,),
        {"USD": D(76_000), "BTC": D(2)},
        {BTC: D("0.4")},
        story.now,
        lent=frozenset({fill.execution_id}),
    )
    story.tell(told)
    assert "UNEXPLAINED" in story.standing()
    assert story.state.cash["BTC"] == D(2)
    assert not story.state.withheld
    assert not story.state.strange
    assert [
        alert.target for alert in story.state.alerts.values() if alert.code == "DIFFERENCE"
    ] == [BTC]


@pytest.mark.hazard("H74")
def test_a_journal_that_is_not_the_newest_is_left_alone_only_once_it_was_compared() -> None:
    story = lost()
    story.tell(SetBack("the home knows event 90, the journal ends at 40"))
    assert codes([story.ask(i.Resume(id="r", reason="UNEXPLAINED"))]) == {"NOT_RESUMABLE"}
    assert codes([story.ask(i.Resolve(id="f", subject="journal", action=i.Settlement.FORGET))]) == {
        "PENDING"
    }
    assert "UNEXPLAINED" in story.state.blocks
    story.picture({"USD": D(76_000)})
    assert story.ask(i.Resume(id="s", reason="UNEXPLAINED")).ok
    assert not story.state.unexplained


def test_taking_over_makes_a_position_with_its_stop() -> None:
    story = lost()
    stop = ours(story)
    story.picture({"USD": D(76_000), "BTC": D("0.4")}, orders=(stop,))
    assert story.ask(i.Resolve(id="r", subject="BTC", action=i.Settlement.ADOPT)).ok
    position = story.position()
    assert (position.size, position.stop, position.protection) == (
        D("0.4"),
        D(57_000),
        Protection.VENUE,
    )
    assert not story.sent(Cancel)
    assert not story.state.unexplained
    assert "UNEXPLAINED" not in story.state.blocks
    story.now += SECOND
    story.picture({"USD": D(76_000), "BTC": D("0.4")}, orders=(stop,))
    assert (
        story.standing() & {"UNEXPLAINED", "NAKED", "PARTIAL_STOP", "DIFFERENCE", "UNKNOWN_ORDER"}
        == set()
    )
    story.replays()


def test_leaving_an_order_is_remembered() -> None:
    story = lost()
    stop = ours(story)
    story.picture({"USD": D(76_000), "BTC": D("0.4")}, orders=(stop,))
    assert story.ask(i.Resolve(id="r", subject=stop.client_order_id, action=i.Settlement.FORGET)).ok
    for _ in range(3):
        story.now += 60 * SECOND
        story.picture({"USD": D(76_000), "BTC": D("0.4")}, orders=(stop,))
    assert "UNEXPLAINED" not in story.standing()
    assert not story.seen(OrphanCancelled)


def test_the_operator_opens_entries_by_name() -> None:
    story = lost()
    story.picture({"USD": D(76_000), "BTC": D("0.4")}, orders=(ours(story),))
    assert story.ask(i.Resume(id="r", reason="UNEXPLAINED")).ok
    assert "UNEXPLAINED" not in story.state.blocks
    assert story.buy("0.1").ok
    story.replays()


def test_an_unexplained_order_that_is_gone_is_taken_off_the_list() -> None:
    story = lost()
    story.picture({"USD": D(76_000)}, orders=(ours(story, kind=OrderType.LIMIT, side=Side.BUY),))
    assert "UNEXPLAINED" in story.state.blocks
    story.now += 60 * SECOND
    story.picture({"USD": D(76_000)}, orders=())
    assert "UNEXPLAINED" not in story.state.blocks


def test_a_flatten_cancels_and_closes_what_is_unexplained_too() -> None:
    story = lost()
    stop = ours(story)
    story.picture({"USD": D(76_000), "BTC": D("0.4")}, orders=(stop,))
    assert story.ask(i.Flatten(id="f")).ok
    story.now += SECOND
    story.picture({"USD": D(76_000), "BTC": D("0.4")}, orders=(stop,))
    assert [request.client_order_id for request in story.sent(Cancel)] == [stop.client_order_id]
    assert story.state.flatten is not None
    assert story.state.flatten.ended_at is None
    for _ in range(3):
        story.wait(2)
        story.picture({"USD": D(76_000), "BTC": D("0.4")}, orders=())
    close = story.order("close")
    assert (close.side, close.size) == (Side.SELL, D("0.4"))
    assert story.state.flatten.ended_at is None, "it is not flat"


@pytest.mark.hazard("H34")
def test_an_orphan_that_proves_to_be_able_to_open_something_is_cancelled() -> None:
    story = Story("kraken-futures")
    orphan = ours(story)
    story.now += SECOND
    story.picture(orders=(orphan,), net={})
    assert [request.client_order_id for request in story.sent(Cancel)] == [orphan.client_order_id]


@pytest.mark.parametrize("way", ["reduce-only", "it could only close what is held"])
def test_an_orphan_that_could_only_reduce_is_left(way: str) -> None:
    story = Story("kraken-futures")
    orphan = ours(story, reduce_only=way == "reduce-only")
    story.now += SECOND
    story.picture(orders=(orphan,), net={} if way == "reduce-only" else {BTC: D("0.4")})
    assert not story.sent(Cancel)
    assert "UNKNOWN_ORDER" in story.standing()


@pytest.mark.hazard("H76")
def test_an_order_of_ours_that_appears_while_we_run_is_another_engine() -> None:
    story = Story("kraken-futures")
    story.now += 60 * SECOND
    story.picture(orders=(replace(ours(story), created_at=story.now - SECOND),), net={})
    assert "SECOND_ENGINE" in story.standing()
    assert "ENTRIES_BLOCKED" in codes([story.buy()])
    assert not story.sent(Cancel), "it may protect what the other one holds"
    assert story.ask(i.Resume(id="r", reason="SECOND_ENGINE")).ok
    assert "SECOND_ENGINE" not in story.standing()


@pytest.mark.hazard("H115")
def test_a_journal_that_was_set_back_is_told_and_entries_wait() -> None:
    story = Story()
    position = story.opened()
    story.tell(SetBack("the home knows event 90, the journal ends at 40"))
    assert "UNEXPLAINED" in story.standing()
    assert "ENTRIES_BLOCKED" in codes([story.buy()])
    story.now += 60 * SECOND
    story.picture()
    assert "UNEXPLAINED" in story.standing(), "no picture explains it"
    assert story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_500)))).ok, (
        "what is explained stays in custody"
    )
    assert story.ask(i.Resume(id="r", reason="UNEXPLAINED")).ok
    story.price(BTC, "60000")
    assert story.buy("0.1").ok


@pytest.mark.hazard("H62")
def test_what_is_unexplained_left_and_booked_has_a_bound() -> None:
    state = Story().state
    for number in range(LEFT + 50):
        evolve(state, e.Unexplained(1, f"FO{number}", "order"))
        evolve(state, e.LeftAlone(1, f"FO{number}"))
        evolve(state, e.MarkFound(1, f"mark {number}", ()))
        evolve(state, e.MarkBooked(1))
    assert (len(state.unexplained), len(state.left), len(state.booked_marks)) == (LEFT, LEFT, MARKS)
    assert f"FO{LEFT + 49}" in state.left


def test_coins_of_the_owner_that_leave_are_told_and_ours_stay_ours() -> None:
    story = Story()
    story.picture({"USD": D(1_000_000), "BTC": D(2)})
    story.ask(i.Resolve(id="r", subject="BTC", action=i.Settlement.FORGET))
    story.opened("0.5")
    cash = dict(story.state.cash)
    for _ in range(3):
        story.wait(10)
        story.picture(cash | {"BTC": D("0.7")})
    assert "WITHDRAWN" in story.told()
    assert "DIFFERENCE" not in story.standing()
    assert (story.state.cash["BTC"], story.position().size) == (D("0.7"), D("0.5"))


def test_what_is_ours_is_never_booked_as_withdrawn() -> None:
    story = Story()
    story.opened("0.5")
    cash = dict(story.state.cash)
    for _ in range(6):
        story.wait(10)
        story.picture(cash | {"BTC": D("0.2")})
    assert "WITHDRAWN" not in story.told()
    assert "DIFFERENCE" in story.standing()
    assert story.position().size == D("0.5")


@pytest.mark.hazard("H76")
@pytest.mark.parametrize("sold", ["0.4", "0.3", "0.7"])
def test_what_the_owner_sells_falls_before_what_another_engine_bought(sold: str) -> None:
    """The balance may be what it was: what our name bought is held all the same, told, and closed
    by a flatten.
    """
    story = Story()
    story.picture({"USD": D(1_000_000), "BTC": D(2)})
    story.ask(i.Resolve(id="r", subject="BTC", action=i.Settlement.FORGET))
    story.now += 60 * SECOND
    fill = replace(executed(story), at=story.now)
    left = D(2) + D("0.4") - D(sold)
    for _ in range(60):  # long after the executions are listed
        story.wait(10)
        story.picture({"USD": D(1_000_000), "BTC": left}, orders=(), fills=(fill,))
        assert {"SECOND_ENGINE", "DIFFERENCE", "NAKED"} <= story.standing()
    for _ in range(6):
        story.wait(10)
        story.picture({"USD": D(1_000_000), "BTC": left}, orders=(), fills=())
    assert {"DIFFERENCE", "NAKED"} <= story.standing()
    assert story.ask(i.Flatten(id="f")).ok
    for _ in range(3):
        story.now += 2 * SECOND
        story.picture({"USD": D(1_000_000), "BTC": left}, orders=(), fills=())
    close = story.order("close")
    assert (close.side, close.size) == (Side.SELL, D("0.4"))
    assert not story.seen(e.FlattenEnded), "nothing is called flat that is held"
    story.replays()
