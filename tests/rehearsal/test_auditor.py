"""What the auditor sees, and what it lets pass: with lies of the desk, and at an exchange that
somebody else trades at, too.
"""

from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal

import pytest
from msgspec import Struct
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.state import State
from engine.exchange import Exchange
from engine.model import intent as i
from engine.model.alert import Alert
from engine.model.fill import Fill, Liquidity
from engine.model.ids import client_order_id
from engine.model.order import Order, OrderType, Role
from engine.model.position import Position, Protection
from engine.model.quote import Quote
from engine.model.report import Accepted, Liquidated, Picture
from engine.model.request import Lane
from engine.model.side import Side
from engine.model.view import Answer
from engine.rehearsal.auditor import Auditor
from engine.rehearsal.simulation import story as s
from engine.rehearsal.simulation.play import play
from engine.venues.profiles import instrument_for, load_profile
from tests.rehearsal import test_honest_desk
from tests.support.sabotage import SABOTAGES

pytestmark = pytest.mark.hazard("H109")

D = Decimal
SECOND = 1_000_000_000
BTC = "BTC/USD"
NOTICED: dict[str, set[str]] = {
    "lie_about_protection": {"4 protection"},
    "guard_without_a_price": {"4 protection"},
    "stop_on_the_wrong_side": {"4 claimed"},
    "call_everything_dust": {"4 abandoned"},
    "book_half": {"1 size"},
    "pay_no_fees": {"5 cash"},
    "turn_losses_into_profits": {"5 cash"},
    "compare_nothing": {"5 ledger"},
    "sell_twice": {"3 exits", "11 sold"},
    "sell_again": {"3 exits", "11 sold"},
    "say_flat": {"12 flat"},
    "believe_that_it_works": {"9 told"},
    "tell_of_a_move": {"9 terms"},
    "leave_the_stop": {"3 exits", "3 symbol"},
}
"""What the auditor itself must say of each lie, whatever else goes wrong under it."""


@pytest.mark.parametrize("name", NOTICED)
def test_each_lie_is_called_by_its_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lie = SABOTAGES[name]
    heard: set[str] = set()

    def told(story: s.Story) -> object:
        outcome = play(story)
        heard.update(violation.invariant for violation in outcome.violations)
        outcome.violations = []
        return outcome

    monkeypatch.setattr(test_honest_desk, "play", told)
    lie.apply(monkeypatch)
    test = getattr(test_honest_desk, lie.test.rsplit("::", 1)[1])
    by_profile = any(mark.name == "parametrize" for mark in getattr(test, "pytestmark", ()))
    with suppress(AssertionError):  # what the story itself misses under the lie
        test(*(["kraken-spot"] if by_profile else []))
    assert heard >= NOTICED[name], heard


def test_every_lie_is_listed() -> None:
    assert set(NOTICED) == {name for name, one in SABOTAGES.items() if one.hazard == "H109"}


# At an exchange that others trade at, too


class Step(Struct):
    """What one message led to."""

    events: tuple[e.AnyEvent, ...]
    failure: str = ""


class Place:
    """An exchange, an auditor that hears it, and a desk that says what the test says."""

    def __init__(self, profile: str = "kraken-spot", coins: str = "0") -> None:
        self.profile = load_profile(profile)
        self.instrument = instrument_for(self.profile, BTC, D("0.1"))
        cash = {"USD": D(1_000_000), "BTC": D(coins)}
        self.exchange = Exchange(self.profile, (self.instrument,), cash, "USD")
        self.now = SECOND
        self.auditor = Auditor()
        self.auditor.watch(self.exchange, self.now)
        self.exchange.on_quote.append(self.auditor.quoted)
        self.exchange.on_tick(Quote(BTC, self.now, D(60_000), D(100), D("60000.1"), D(100)))
        self.state = State("test", "USD")
        self.count = 0
        self.say(e.InstrumentListed(self.now, self.instrument))

    def say(self, *events: e.AnyEvent, failure: str = "") -> None:
        """The desk journals something."""
        self.auditor.check(Step(events, failure), self.state, self.now)

    def order(
        self, side: Side, size: str, role: Role = Role.ENTRY, position: str = "P1", **terms: object
    ) -> Order:
        """Send a market order, or whatever `terms` say."""
        self.count += 1
        name = client_order_id("test", "i", role.value, self.count)
        order = Order(name, position, BTC, side, OrderType.MARKET, role, D(size))
        order = replace(order, **terms) if terms else order
        said = self.exchange.submit(order, self.now)
        assert isinstance(said, Accepted), said
        return order

    def planned(self, side: Side = Side.BUY) -> Position:
        """A bracket that the desk has decided on."""
        position = Position("P1", BTC, side, created_at=self.now, settle="USD")
        self.auditor._book(e.PositionPlanned(self.now, position, e.Plan("i", None, None, None)))
        return position

    def heard(self) -> list[str]:
        """The invariants that did not hold, in the order in which they were noticed."""
        return [violation.invariant for violation in self.auditor.violations]


def test_selling_more_than_was_bought_takes_the_owners_coins() -> None:
    place = Place(coins="2")
    place.order(Side.BUY, "0.5")
    place.order(Side.SELL, "0.5", Role.CLOSE)
    assert place.heard() == []
    # another process, which knows of no position
    place.order(Side.SELL, "0.5", Role.CLOSE, position="")
    assert place.heard() == ["11 sold"]


@pytest.mark.parametrize("who", ["the operator", "a flatten"])
def test_what_was_taken_over_may_be_sold_where_the_operator_said_so(who: str) -> None:
    place = Place(coins="2")
    position = place.planned()
    asked: i.AnyIntent = i.Resolve(id="k1", subject="BTC", action=i.Settlement.ADOPT)
    if who == "a flatten":
        asked = i.Flatten(id="k1")
    place.auditor._book(e.IntentTaken(place.now, asked, Answer(asked.id)))
    fill = Fill(
        f"k1/{position.id}",
        "",
        BTC,
        Side.BUY,
        D(60_000),
        D(1),
        D(0),
        "USD",
        Liquidity.TAKER,
        place.now,
        position.id,
    )
    place.auditor._witnessed(*_booked(place, e.HoldingAdjusted(place.now, fill)))
    place.order(Side.SELL, "1", Role.CLOSE)
    assert place.heard() == ([] if who == "the operator" else ["11 sold"])


def _booked(place: Place, event: e.AnyEvent) -> tuple[e.AnyEvent, str]:
    place.auditor._book(event)
    return event, ""


def test_what_others_sell_is_none_of_ours() -> None:
    place = Place(coins="2")
    place.order(Side.SELL, "1", position="", foreign=True)
    assert place.heard() == []


def test_on_margin_more_closed_than_opened_is_told_at_rest() -> None:
    place = Place("kraken-futures")
    place.planned()
    place.order(Side.BUY, "0.5")
    place.order(Side.SELL, "0.7", Role.CLOSE)
    assert place.heard() == []
    place.auditor.against(place.state, _picture(place), place.now)
    assert "11 sold" in place.heard()


def test_what_the_desk_has_called_closed_too_much_is_no_secret_at_rest() -> None:
    place = Place("kraken-futures")
    place.planned()
    place.order(Side.BUY, "0.5")
    place.order(Side.SELL, "0.7", Role.CLOSE)
    alert = Alert("OVER_CLOSED", "x", "", place.now, target="P1")
    place.auditor._book(e.AlertRaised(place.now, alert))
    place.auditor._book(e.AlertCured(place.now, alert.key))
    place.auditor.against(place.state, _picture(place), place.now)
    assert "11 sold" not in place.heard()


def _picture(place: Place) -> Picture:
    return place.exchange.picture(place.now, 0)


@pytest.mark.parametrize(("held", "found"), [("0.5", ["12 flat"]), ("0", [])])
def test_flat_means_that_nothing_of_ours_is_held(held: str, found: list[str]) -> None:
    place = Place(coins="2")
    if D(held):
        place.order(Side.BUY, held)
    place.auditor.claimed_flat("flatten --yes", place.now)
    assert place.heard() == found


def test_what_somebody_else_has_sold_of_ours_is_flat() -> None:
    place = Place()
    place.order(Side.BUY, "0.5")
    place.order(Side.SELL, "0.5", position="", foreign=True)
    place.say(e.FlattenEnded(place.now, ("the venue says flat",)))
    assert place.heard() == []


def test_flat_means_that_no_order_of_ours_rests() -> None:
    place = Place()
    place.order(Side.BUY, "0.5", type=OrderType.LIMIT, price=D(50_000))
    place.say(e.FlattenEnded(place.now, ("the venue says flat",)))
    assert place.heard() == ["12 flat"]


def test_orders_and_coins_that_are_not_ours_do_not_keep_it_from_being_flat() -> None:
    place = Place(coins="2")
    place.order(Side.BUY, "0.5", position="", foreign=True)
    place.order(Side.BUY, "0.5", position="", foreign=True, type=OrderType.LIMIT, price=D(50_000))
    place.say(e.FlattenEnded(place.now, ("the venue says flat",)))
    assert place.heard() == []


def test_what_the_operator_left_alone_does_not_keep_it_from_being_flat() -> None:
    place = Place()
    place.order(Side.BUY, "0.5", position="P9")
    stop = place.order(Side.SELL, "0.5", Role.STOP, "P9", type=OrderType.STOP, trigger=D(50_000))
    place.say(
        e.LeftAlone(place.now, stop.client_order_id),
        e.FlattenEnded(place.now, ("the venue says flat",)),
    )
    assert place.heard() == []
    place.order(Side.BUY, "0.5", position="P8")
    place.say(e.FlattenEnded(place.now, ("the venue says flat",)))
    assert place.heard() == ["12 flat"]


def test_less_than_the_venue_trades_is_flat() -> None:
    place = Place()
    place.order(Side.BUY, "0.5")
    place.order(Side.SELL, "0.49999", Role.CLOSE)
    place.say(e.FlattenEnded(place.now, ("the venue says flat",)))
    assert place.heard() == []


def test_what_another_process_sent_is_held_all_the_same() -> None:
    place = Place("kraken-futures")
    place.order(Side.SELL, "0.5", position="")
    place.say(e.FlattenEnded(place.now, ("the venue says flat",)))
    assert place.heard() == ["12 flat"]


def test_an_execution_is_booked_as_the_venue_has_it() -> None:
    place = Place()
    position = place.planned()
    order = place.order(Side.BUY, "0.5")
    fill = replace(place.exchange.fills[-1], position=position.id)
    place.auditor._book(e.OrderSubmitted(place.now, order, Lane.ENTRY))
    place.auditor._witnessed(e.OrderFilled(place.now, fill, D(0)), "")
    assert place.heard() == []
    for lie in (
        replace(fill, size=D("0.4")),
        replace(fill, fee=D(0)),
        replace(fill, execution_id="T-none"),
    ):
        place.auditor._witnessed(e.OrderFilled(place.now, lie, D(0)), "")
    assert place.heard() == ["5 executions"] * 3


def test_an_end_that_the_venue_does_not_know_is_a_lie() -> None:
    place = Place()
    place.planned()
    order = place.order(Side.BUY, "0.5", type=OrderType.LIMIT, price=D(50_000))
    place.auditor._book(e.OrderSubmitted(place.now, order, Lane.ENTRY))
    place.say(e.OrderCancelled(place.now, order.client_order_id, "gone"))
    assert "9 told" in place.heard()


@pytest.mark.parametrize(
    ("side", "size", "left"),
    [(Side.SELL, "0.2", "0.3"), (Side.SELL, "0.9", "0"), (Side.BUY, "0.2", "0.5")],
    ids=["a part", "ours and others'", "the other side"],
)
def test_what_the_venue_closes_by_itself_is_taken_from_ours(
    side: Side, size: str, left: str
) -> None:
    place = Place("kraken-futures")
    place.order(Side.BUY, "0.5")
    fill = Fill("L", "venue", BTC, side, D(1), D(size), D(0), "USD", Liquidity.TAKER, place.now)
    witness = place.auditor.witness
    assert witness is not None
    witness.heard(Liquidated(BTC, fill, place.now))
    assert witness.ours[(BTC, False)].net == D(left)


def test_an_id_is_taken_once() -> None:
    place = Place()
    order = place.order(Side.BUY, "0.5")
    place.exchange.submit(order, place.now)
    assert place.heard() == ["7 accepted twice"]


def test_what_a_rule_dies_of_is_told() -> None:
    place = Place()
    place.say(failure="KeyError")
    assert place.heard() == ["0 rules"]


def test_a_witness_that_comes_later_knows_what_happened_before() -> None:
    place = Place(coins="2")
    place.order(Side.BUY, "0.5")
    later = Auditor()
    later.watch(place.exchange, place.now)
    place.order(Side.SELL, "0.5", Role.CLOSE)
    assert later.violations == []
    place.order(Side.SELL, "0.1", Role.CLOSE)
    assert [violation.invariant for violation in later.violations] == ["11 sold"]


# The records


def _protected(place: Place, *events: e.AnyEvent) -> set[str]:
    for event in events:
        place.auditor._book(event)
    place.auditor._now = place.now
    place.auditor._judge({"P1": None}, place.state)
    return {
        violation.detail.split(" is ")[1].split(" ")[0] for violation in place.auditor.violations
    }


def _entered(place: Place, size: str = "0.5") -> Iterable[e.AnyEvent]:
    order = Order("entry", "P1", BTC, Side.BUY, OrderType.MARKET, Role.ENTRY, D(size))
    fill = Fill(
        "T1",
        "entry",
        BTC,
        Side.BUY,
        D(60_000),
        D(size),
        D(0),
        "USD",
        Liquidity.TAKER,
        place.now,
        "P1",
    )
    return (
        e.OrderSubmitted(place.now, order, Lane.ENTRY),
        e.OrderAccepted(place.now, "entry", "V1"),
        e.OrderFilled(place.now, fill, D(0)),
    )


def _stop(place: Place, size: str = "0.5", side: Side = Side.SELL) -> Iterable[e.AnyEvent]:
    order = Order("stop", "P1", BTC, side, OrderType.STOP, Role.STOP, D(size), trigger=D(59_000))
    return e.OrderSubmitted(place.now, order, Lane.PROTECT), e.OrderAccepted(
        place.now, "stop", "V2"
    )


def test_a_position_without_anything_is_naked() -> None:
    place = Place()
    place.planned()
    assert _protected(place, *_entered(place)) == {Protection.NAKED}


def test_a_stop_that_works_for_all_of_it_protects() -> None:
    place = Place()
    place.planned()
    assert _protected(place, *_entered(place), *_stop(place)) == set()


@pytest.mark.parametrize(
    ("size", "side", "found"),
    [("0.3", Side.SELL, Protection.PARTIAL), ("0.5", Side.BUY, Protection.NAKED)],
)
def test_a_stop_for_less_or_on_the_wrong_side_does_not(
    size: str, side: Side, found: Protection
) -> None:
    place = Place()
    place.planned()
    assert _protected(place, *_entered(place), *_stop(place, size, side)) == {found}


def test_a_guard_needs_a_price_and_a_desk_that_may_act() -> None:
    place = Place()
    place.planned()
    guard = e.StopMoved(place.now, "P1", D(59_000), "entry")
    assert _protected(place, *_entered(place), guard) == set()
    assert _protected(place, e.HaltSet(place.now, halted=True)) == {Protection.NAKED}


def test_a_guard_whose_price_went_stale_is_noticed_after_a_moment() -> None:
    place = Place()
    place.planned()
    assert (
        _protected(place, *_entered(place), e.StopMoved(place.now, "P1", D(59_000), "entry"))
        == set()
    )
    place.now += 61 * SECOND
    assert _protected(place) == set()
    place.now += 3 * SECOND
    assert _protected(place) == {Protection.NAKED}


def test_what_is_being_closed_is_guarded() -> None:
    place = Place()
    place.planned()
    assert (
        _protected(place, *_entered(place), e.ClosingBegan(place.now, "P1", D("0.5"), "operator"))
        == set()
    )


def test_a_size_that_no_venue_takes_needs_no_stop() -> None:
    place = Place()
    place.planned()
    assert _protected(place, *_entered(place, "0.00001")) == set()
