"""Ours beside the venue's, row by row: what is said of each, and what may be done about it."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.model import intent as i
from engine.model import report as r
from engine.model.ids import account_prefix
from engine.model.order import Order, OrderType, Role, Status
from engine.model.side import Side
from engine.model.view import TruthRow, TruthView
from engine.venues.profiles import instrument_for, load_profile
from tests.support.world import BTC, ETH, SECOND, Story

D = Decimal
LIMIT = OrderType.LIMIT
FUTURES = "kraken-futures"
ALL = ("adopt", "forget", "flatten")
MINE = f"{account_prefix('test')}UNKNOWN"


def truth(story: Story) -> TruthView:
    return story.views.truth(story.ctx)


def rows(story: Story, kind: str) -> list[TruthRow]:
    return [row for row in truth(story).rows if row.kind == kind]


def stranger(name: str, venue_order_id: str | None = "OXX") -> Order:
    """An order to sell 0.3 of which 0.1 has filled."""
    status = Status.PARTIALLY_FILLED
    return Order(
        name,
        "",
        ETH,
        Side.SELL,
        LIMIT,
        Role.ENTRY,
        D("0.3"),
        price=D("3500.50"),
        status=status,
        filled=D("0.1"),
        venue_order_id=venue_order_id,
    )


# Orders


def test_each_order_of_ours_stands_beside_the_venues() -> None:
    story = Story(FUTURES)
    story.opened("0.5", target=i.Away(D("0.02")))
    assert story.buy("2", symbol=ETH, type=LIMIT, price=D("2900.50"), stop=None).ok
    stop, target, entry = story.order("stop"), story.order("target"), story.order("entry")
    story.now += SECOND
    story.picture(orders=(stop, replace(target, price=D(61_300))))
    story.tell(r.Amended(target.client_order_id, D("0.5"), D(61_250), None, story.now + 1))
    told = {row.subject: row for row in rows(story, "order")}
    assert told == {
        stop.client_order_id: TruthRow(
            "order", stop.client_order_id, "sell BTC/USD", "0.5 at 59,400", "0.5 at 59,400", "", ()
        ),
        target.client_order_id: TruthRow(
            "order",
            target.client_order_id,
            "sell BTC/USD",
            "0.5 at 61,250",
            "0.5 at 61,300",
            "terms",
            (),
        ),
        entry.client_order_id: TruthRow(
            "order", entry.client_order_id, "buy ETH/USD", "2 at 2,900.5", "—", "on its way", ()
        ),
    }
    story.accept(entry)
    assert {row.subject: row.differs for row in rows(story, "order")}[
        entry.client_order_id
    ] == "not listed"
    story.tell(r.Unknown(entry.client_order_id, "cancel", "no answer", story.now))
    assert {row.subject: row.differs for row in rows(story, "order")}[
        entry.client_order_id
    ] == "on its way"


def test_an_order_shows_its_bound_and_one_that_waits_shows_its_trigger() -> None:
    story = Story(FUTURES)
    story.opened("0.5", stop=None)
    story.now += 61 * SECOND
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    assert story.order("close").price == D(30_000), "the price is stale"
    story.price(ETH, "3000")
    assert story.buy("1", symbol=ETH, type=OrderType.STOP, trigger=D(3_100), stop=None).ok
    story.picture()
    assert [row.ours for row in rows(story, "order")] == ["0.5 at 30,000", "1 at 3,100"]


def test_what_has_filled_is_not_part_of_what_rests() -> None:
    story = Story(FUTURES)
    assert story.buy("0.5", type=LIMIT, price=D(59_000), stop=None).ok
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.2", price="59000")
    story.now += SECOND
    story.picture()
    assert [row.ours for row in rows(story, "order")] == ["0.3 at 59,000"]


@pytest.mark.parametrize(
    ("name", "venue_order_id", "subject", "differs"),
    [
        (MINE, "OXX", MINE, "unknown"),
        ("web-page", "OXX", "OXX", "not ours"),
        ("web-page", None, "web-page", "not ours"),
    ],
)
def test_an_order_that_nobody_here_knows_may_be_left_or_cancelled(
    name: str, venue_order_id: str | None, subject: str, differs: str
) -> None:
    story = Story(FUTURES)
    story.picture(orders=(stranger(name, venue_order_id),))
    assert rows(story, "order") == [
        TruthRow(
            "order", subject, "sell ETH/USD", "—", "0.2 at 3,500.5", differs, ("forget", "flatten")
        )
    ]


def test_an_order_that_has_ended_here_is_being_cancelled_and_needs_nobody() -> None:
    story = Story(FUTURES)
    assert story.buy("0.5", type=LIMIT, price=D(59_000), stop=None).ok
    entry = story.order("entry")
    story.accept(entry)
    entry = story.now_of(entry)
    story.cancelled(entry)
    story.picture(orders=(entry,), as_of=story.now)
    assert rows(story, "order") == [
        TruthRow("order", entry.client_order_id, "buy BTC/USD", "—", "0.5 at 59,000", "ended", ())
    ]


# Holdings


def test_each_currency_stands_beside_the_venues() -> None:
    story = Story()
    story.opened("0.5", stop=None)
    story.now += SECOND
    story.picture({"BTC": D("0.75"), "EUR": D("1234.5"), "USD": D(970_000), "DOGE": D(0)})
    assert rows(story, "holding") == [
        TruthRow("holding", "BTC", "BTC", "0.5", "0.75", "+0.25", ALL),
        TruthRow("holding", "EUR", "EUR", "0", "1,234.5", "+1,234.5", ALL),
        TruthRow("holding", "USD", "USD", "970,000", "970,000", "", ()),
    ]
    story.picture({"BTC": D("0.1")})
    assert rows(story, "holding") == [
        TruthRow("holding", "BTC", "BTC", "0.5", "0.1", "−0.4", ALL),
        TruthRow("holding", "USD", "USD", "970,000", "0", "−970,000", ALL),
    ]


def test_each_derivative_stands_beside_the_venues_and_so_does_the_money() -> None:
    story = Story(FUTURES)
    story.opened("0.5", stop=None)
    story.opened("0.25", stop=None)
    story.opened("2", symbol=ETH, side=Side.SELL, price="3000", stop=None)
    story.now += SECOND
    story.picture({"USD": D(7), "EUR": D(5)}, net={BTC: D("0.75"), ETH: D(-3), "OTHER": D(1)})
    assert rows(story, "holding") == [
        TruthRow("holding", "EUR", "EUR", "0", "5", "+5", ALL),
        TruthRow("holding", "USD", "USD", "1,000,000", "7", "−999,993", ALL),
        TruthRow("holding", BTC, BTC, "0.75", "0.75", "", ()),
        TruthRow("holding", ETH, ETH, "-2", "-3", "−1", ALL),
    ]


def test_dust_and_what_was_left_elsewhere_are_part_of_ours() -> None:
    story = Story(FUTURES)
    story.now += SECOND
    story.picture(net={BTC: D("0.4")})
    assert story.ask(i.Resolve(id="f", subject=BTC, action=i.Settlement.FORGET)).ok
    story.opened("0.5")
    story.fill(story.order("stop"), "0.50005", price="59400")
    assert story.state.dust == {BTC: D("-0.00005")}
    story.opened("0.1", stop=None)
    story.now += SECOND
    story.picture(net={BTC: D("0.49995")})
    assert rows(story, "holding")[1:] == [
        TruthRow("holding", BTC, BTC, "0.49995", "0.49995", "", ())
    ]


def test_derivatives_and_spot_on_one_account_are_told_apart() -> None:
    profile = load_profile(FUTURES)
    spot = instrument_for(load_profile("kraken-spot"), "ETH/EUR", D("0.01"))
    story = Story(profile, listed=(instrument_for(profile, BTC, D("0.1")), spot))
    story.now += SECOND
    story.picture({"USD": D(1), "EUR": D(5), "ETH": D(2)}, net={BTC: D(1)})
    assert [(row.subject, row.theirs) for row in rows(story, "holding")] == [
        ("ETH", "2"),
        ("EUR", "5"),
        ("USD", "1"),
        (BTC, "1"),
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "differs"),
    [
        ("100", "100", ""),
        ("100", "99.99", ""),  # a ten thousandth of the larger
        ("100", "99.9899", "−0.0101"),
        ("99.99", "100", ""),
        ("99.9899", "100", "+0.0101"),
        ("0", "0.00001", "+0.00001"),
        ("-100", "-99.99", ""),
        ("-100", "-99.9899", "+0.0101"),
        ("-0.00001", "0.00001", "+0.00002"),
    ],
)
def test_amounts_that_a_venue_rounds_are_one(ours: str, theirs: str, differs: str) -> None:
    story = Story(replace(Story().profile, rounding=D("0.0001")))
    story.state.cash = {"USD": D(1_000_000), "EUR": D(ours)}
    story.now += SECOND
    story.picture({"USD": D(1_000_000), "EUR": D(theirs)})
    (row,) = [row for row in rows(story, "holding") if row.subject == "EUR"]
    assert (row.differs, row.actions) == (differs, ALL if differs else ())
    assert ("DIFFERENCE" in story.standing()) is bool(differs)


def test_where_nothing_is_rounded_the_last_digit_counts() -> None:
    story = Story("binance-spot")
    story.now += SECOND
    story.picture({"USD": D("1000000.00000001")})
    assert [row.differs for row in rows(story, "holding")] == ["+0.00000001"]


# When holdings can be judged


def quiet() -> Story:
    """The venue holds a quarter more than we do, and nothing is under way."""
    story = Story(FUTURES)
    story.opened("0.5", stop=None)
    story.now += SECOND
    story.picture(net={BTC: D("0.75")})
    assert not truth(story).in_motion
    assert "DIFFERENCE" in story.standing()
    return story


def test_what_is_quiet_can_be_judged() -> None:
    story = quiet()
    assert truth(story).as_of == story.now
    assert [row.actions for row in rows(story, "holding")] == [(), ALL]


def _doubt(story: Story) -> None:
    assert story.buy("0.1", type=LIMIT, price=D(59_000), stop=None).ok
    story.tell(r.Unknown(story.order("entry").client_order_id, "submit", "no answer", story.now))


def _cancelling(story: Story) -> None:
    assert story.buy("0.1", type=LIMIT, price=D(59_000), stop=None).ok
    story.accept(story.order("entry"))
    assert not truth(story).in_motion, "that one rests is no motion"
    story.ask(i.CancelOrder(id="x", order=story.order("entry").client_order_id))


def _closing(story: Story) -> None:
    story.ask(i.ClosePosition(id="c", position=story.position().id))


def _filled(story: Story) -> None:
    story.fill(story.state.ended[next(iter(story.state.ended))], "0.1")


@pytest.mark.parametrize("moves", [_doubt, _cancelling, _closing, _filled])
def test_what_is_under_way_keeps_holdings_from_being_judged(moves: Callable[[Story], None]) -> None:
    story = quiet()
    moves(story)
    told = truth(story)
    assert told.in_motion
    (holding,) = [row for row in told.rows if row.subject == BTC]
    assert holding.differs
    assert holding.actions == ()
    assert (
        story.ask(i.Resolve(id="r", subject=BTC, action=i.Settlement.ADOPT)).refusals[0].code
        == "PENDING"
    )


def test_a_picture_must_be_younger_than_the_last_fill() -> None:
    story = Story(FUTURES)
    story.opened("0.5", stop=None)
    story.picture(net={BTC: D("0.75")}, as_of=story.now)
    assert truth(story).in_motion, "of the very moment: it may lack the fill"
    story.picture(net={BTC: D("0.75")}, as_of=story.now + 1)
    assert not truth(story).in_motion


def test_before_the_first_picture_nothing_is_told() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    story.board.picture = None
    assert truth(story) == TruthView(None, in_motion=True, rows=())
