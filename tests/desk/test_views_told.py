"""What a console is shown of positions, orders, money and the mode, field by field, worked out by
hand.
"""

from collections.abc import Callable
from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk.events import EntriesBlocked
from engine.desk.evolve import evolve
from engine.desk.messages import RateLimited, Trouble
from engine.desk.rows import state_word
from engine.desk.rules import RiskRules, Rules
from engine.model import intent as i
from engine.model import report as r
from engine.model.figures import Traded
from engine.model.order import Order, OrderType, Role, Status, Trail
from engine.model.position import Protection
from engine.model.quote import Quote
from engine.model.side import Side
from engine.model.view import (
    AccountView,
    ClosedView,
    FeedView,
    FlattenLine,
    OrderView,
    PositionView,
    Reason,
)
from engine.venues.profiles import instrument_for, load_profile
from tests.support.world import BTC, ETH, SECOND, START, Story

D = Decimal
LIMIT = OrderType.LIMIT
FUTURES = "kraken-futures"
TAIL = 50
"""Ended alerts that are documented to be shown."""


def held(profile: str = FUTURES, **terms: object) -> Story:
    """Half a bitcoin bought at 60000 for a fee of 15, its stop resting at 59400: one R is 300. It
    filled a second after it was asked for.
    """
    story = Story(profile)
    assert story.buy(**terms).ok
    entry = story.order("entry")
    story.accept(entry)
    story.now += SECOND
    story.fill(entry, fee="15")
    for order in story.orders("stop"):
        story.accept(order)
    return story


def shown(story: Story) -> PositionView:
    (view,) = story.views.positions(story.ctx)
    return view


def account(story: Story) -> AccountView:
    return story.views.account(story.ctx)


# A position


def test_every_field_of_a_position() -> None:
    story = held(
        label="swing",
        note="why",
        tags=("a", "b"),
        target=i.Away(D("0.02")),
        trail=Trail(amount=D(500), after=D("0.05")),
    )
    story.price(BTC, "61000")
    story.now += 2 * SECOND
    position = story.position()
    assert shown(story) == PositionView(
        id=position.id,
        version=story.desk.revisions[position.id],
        symbol=BTC,
        label="swing",
        side=Side.BUY,
        size=D("0.5"),
        currency="USD",
        entry=D("60000.0"),
        mark=D(61_000),
        mark_at=story.now - 2 * SECOND,
        stale=False,
        unrealised=D(500),
        realised=D(0),
        exit_fee=D("15.25"),  # 0.05 % of 30500
        in_account=D(500),
        r=D("469.75") / D("329.85"),  # 500 less 15 and 15.25, of 300 and fees of 15 and 14.85
        stop=D(59_400),
        stop_wanted=D(59_400),
        protection=Protection.VENUE,
        protection_text="a stop rests at the venue",
        stop_away=D(-1600) / 61_000,
        target=D(61_200),
        trail=Trail(amount=D(500), after=D("0.05")),
        trailing=False,
        opened_at=START + SECOND,
        closing=False,
        dust=False,
        leverage=None,
        liquidation=None,
        liquidation_away=None,
        note="why",
        tags=("a", "b"),
        tick=D("0.1"),
        lot=D("0.0001"),
        target_where="local",
        trail_where="local",
        net=D("469.75"),
        net_in_account=D("469.75"),
        one_r=D("329.85"),
        at_stop=D("-329.85"),
        unbounded=False,
        break_even=D("60060.1"),  # 30015 / (0.5 * 0.9995), up to the tick
        fees=D(15),
        funding=D(0),
        point=D("0.5"),
        point_in_account=D("0.5"),
        taker=D("0.0005"),
        taker_source="last fill",
        mae=D(-30) / D("329.85"),  # at 60000: both fees
        mfe=D("469.75") / D("329.85"),
    )


def test_a_position_without_a_price_has_no_figures_that_need_one() -> None:
    story = held()
    story.board._symbols[BTC].quote = None
    story.board.moved.add(BTC)
    view = shown(story)
    assert (
        view.mark,
        view.mark_at,
        view.unrealised,
        view.exit_fee,
        view.in_account,
        view.r,
        view.stop_away,
    ) == (None,) * 7
    assert view.stale
    assert (view.realised, view.fees) == (D(0), D(15))
    assert (view.net, view.mae, view.at_stop) == (None, None, D("-329.85"))


def test_a_short_is_marked_at_the_ask_and_its_stop_is_above() -> None:
    story = Story(FUTURES)
    story.opened("2", side=Side.SELL, label="down")
    story.price(BTC, "59000", "59001")
    view = shown(story)
    assert (view.mark, view.unrealised, view.stop, view.stop_away) == (
        D(59_001),
        D(1998),
        D(60_600),
        D(1599) / 59_001,
    )
    assert view.r == (D(1998) - D("59.001")) / (D(1200) + D("60.6"))


def test_the_stop_that_is_shown_is_the_venues() -> None:
    story = held()
    assert story.ask(i.MoveStop(id="m", position=story.position().id, stop=i.At(D(59_700)))).ok
    assert (shown(story).stop, shown(story).stop_wanted, shown(story).stop_away) == (
        D(59_400),
        D(59_700),
        D(-600) / 60_000,
    )


def test_without_a_stop_there_is_no_distance_to_it() -> None:
    story = Story(FUTURES)
    story.opened(stop=None)
    assert (shown(story).stop, shown(story).stop_wanted, shown(story).stop_away) == (
        None,
        None,
        None,
    )


def test_a_price_from_the_future_is_new() -> None:
    story = held()
    story.board.on_quote(Quote(BTC, story.now + 5, D(60_000), D(1), D(60_001), D(1)))
    assert shown(story).mark_at == story.now + 5
    assert next(feed for feed in story.views.feeds(story.ctx) if feed.symbol == BTC).age == 0
    story.price(BTC, "60000")
    assert shown(story).mark_at == story.now


def test_a_version_changes_with_its_position_and_not_with_the_price() -> None:
    story = held()
    first = shown(story).version
    assert first > 0
    story.price(BTC, "60100")
    assert shown(story).version == first
    story.ask(i.Annotate(id="n", position=story.position().id, note="n"))
    second = shown(story).version
    assert second > first
    story.ask(i.MoveTarget(id="t", position=story.position().id, target=i.At(D(61_000))))
    assert shown(story).version > second


def _stop_refused(story: Story) -> None:
    story.cancelled(story.order("stop"), "by the venue")


def _stop_on_its_way(story: Story) -> None:
    _stop_refused(story)
    story.wait(1.5)


def _stop_moved_on_its_way(story: Story) -> None:
    assert story.ask(i.MoveStop(id="m", position=story.position().id, stop=i.At(D(59_700)))).ok


def _being_closed(story: Story) -> None:
    assert story.ask(i.ClosePosition(id="c", position=story.position().id)).ok
    story.cancelled(story.order("stop"))


def _stop_taken_off_in_doubt(story: Story) -> None:
    position = story.position().id
    assert story.ask(i.MoveStop(id="m", position=position, stop=None, reason="hedged")).ok
    stop = story.order("stop").client_order_id
    story.tell(r.Unknown(stop, "cancel", "no answer", story.now))


def _stale(story: Story) -> None:
    _stop_refused(story)
    story.wait(62, fresh=False)


def _no_stop(story: Story) -> None:
    assert story.ask(
        i.MoveStop(id="m", position=story.position().id, stop=None, reason="hedged")
    ).ok
    story.cancelled(story.order("stop"))


def _partial(story: Story) -> None:
    story.ask(i.Halt(id="h"))
    story.fill(story.state.ended[next(iter(story.state.ended))], "0.1")


@pytest.mark.parametrize(
    ("happens", "protection", "text"),
    [
        (_stop_moved_on_its_way, Protection.VENUE, "a stop rests at the venue"),
        (_stop_refused, Protection.GUARDED, "watched here; the venue's stop is on its way"),
        (_stop_on_its_way, Protection.GUARDED, "watched here; the venue's stop is on its way"),
        (_being_closed, Protection.GUARDED, "being closed"),
        (
            _stop_taken_off_in_doubt,
            Protection.NAKED,
            "not watched; the venue has not said whether the stop is cancelled",
        ),
        (_partial, Protection.PARTIAL, "the venue's stop covers a part"),
        (_stale, Protection.NAKED, "the price is too old to watch"),
        (_no_stop, Protection.NAKED, "no stop"),
    ],
)
def test_what_protects_a_position_is_said_in_words(
    happens: Callable[[Story], None], protection: Protection, text: str
) -> None:
    story = held()
    happens(story)
    assert (shown(story).protection, shown(story).protection_text) == (protection, text)


@pytest.mark.hazard("H83")
def test_a_stop_whose_cancel_is_in_doubt_protects_nothing_for_certain() -> None:
    story = held("kraken-spot")
    assert story.ask(i.ClosePosition(id="c", position=story.position().id)).ok
    stop = story.order("stop")
    assert shown(story).protection is Protection.VENUE, "it works until the venue says otherwise"
    story.tell(r.Unknown(stop.client_order_id, "cancel", "no answer", story.now))
    assert (shown(story).protection, shown(story).protection_text) == (
        Protection.GUARDED,
        "being closed; the venue has not said whether the stop is cancelled",
    )
    found = replace(stop, cancel_pending=False)
    story.tell(r.Found(found, (), story.now))
    assert shown(story).protection is Protection.VENUE


def test_a_guard_beside_a_stop_for_a_part_watches_here() -> None:
    story = held()
    story.fill(story.state.ended[next(iter(story.state.ended))], "0.1")
    assert (shown(story).protection, shown(story).protection_text) == (
        Protection.GUARDED,
        "watched here",
    )


def test_what_is_being_closed_says_so() -> None:
    story = held()
    assert not shown(story).closing
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    assert shown(story).closing


def test_positions_stand_in_the_order_of_their_opening_and_dust_last() -> None:
    story = Story()
    story.cheapened(label="dust")
    story.opened("1", symbol=ETH, price="3000", label="one", stop=None)
    story.opened("2", symbol=ETH, price="3000", label="two", stop=None)
    assert story.buy("0.1", type=LIMIT, price=D(3_900), label="not yet").ok
    views = story.views.positions(story.ctx)
    assert [(view.label, view.dust) for view in views] == [
        ("one", False),
        ("two", False),
        ("dust", True),
    ]


def test_what_is_not_in_the_accounts_currency_is_converted() -> None:
    profile = load_profile(FUTURES)
    story = Story(
        profile,
        listed=(
            instrument_for(profile, BTC, D("0.1")),
            instrument_for(profile, "PI_XBTUSD", D("0.5")),
        ),
    )
    story.price("PI_XBTUSD", "60000", "60000.5")
    story.price(BTC, "62499.5", "62500.5")
    story.opened("6000", symbol="PI_XBTUSD", stop=None)
    story.price("PI_XBTUSD", "62500", "62500.5")
    view = shown(story)
    assert (view.currency, view.unrealised, view.in_account) == ("BTC", D("0.004"), D(250))
    assert view.exit_fee == D("0.096") * D("0.0005")
    assert account(story).unrealised == D(250)


# Orders


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"status": Status.PENDING}, "sent"),
        ({"status": Status.OPEN}, "open"),
        ({"status": Status.PARTIALLY_FILLED}, "partial"),
        ({"status": Status.FILLED}, "filled"),
        ({"status": Status.OPEN, "triggered": True}, "triggered"),
        ({"status": Status.OPEN, "triggered": True, "amend_pending": True}, "amending"),
        ({"status": Status.OPEN, "amend_pending": True, "cancel_pending": True}, "cancelling"),
        ({"status": Status.OPEN, "cancel_pending": True, "in_doubt": True}, "UNKNOWN"),
        ({"status": Status.OPEN, "in_doubt": True, "foreign": True}, "foreign"),
    ],
)
def test_one_word_says_where_an_order_is(changes: dict[str, object], word: str) -> None:
    order = Order("x", "", BTC, Side.BUY, LIMIT, Role.ENTRY, D(1), price=D(1))
    assert state_word(replace(order, **changes)) == word


def test_orders_are_shown_with_their_grid_and_what_is_not_known_of_them() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(59_000))
    entry = story.order("entry")
    known = Order(
        "x",
        "",
        ETH,
        Side.BUY,
        LIMIT,
        Role.ENTRY,
        D(1),
        price=D(2000),
        venue_order_id="X",
        status=Status.OPEN,
        foreign=True,
    )
    nowhere = replace(known, client_order_id="y", venue_order_id="Y", symbol="NO/SUCH")
    story.picture(orders=(known, nowhere))
    assert story.views.orders(story.ctx) == (
        OrderView(entry, "sent", "", D("0.1"), D("0.00000001"), 1),
        OrderView(known, "foreign", "", D("0.01"), D("0.00000001")),
        OrderView(nowhere, "foreign", "", D("0.01"), D("0.00000001")),
    )
    story.tell(r.Unknown(entry.client_order_id, "submit", "no answer", story.now))
    assert (
        story.views.orders(story.ctx)[0].evidence
        == "submit: no answer; asked 0 times, 0 times not found"
    )
    story.wait(0.5)
    story.tell(r.Absent(entry.client_order_id, story.now))
    view = story.views.orders(story.ctx)[0]
    assert (view.state, view.evidence) == (
        "UNKNOWN",
        "submit: no answer; asked 1 time, 1 time not found",
    )


def test_a_grid_that_is_not_known_is_a_fine_one() -> None:
    profile = load_profile(FUTURES)
    story = Story(profile, listed=(instrument_for(profile, BTC, D("0.5")),))
    story.price(BTC, "60000", "60000.5")
    for symbol, tick, lot in ((BTC, "0.5", "0.0001"), ("NO/SUCH", "0.01", "0.00000001")):
        order = Order(
            "x",
            "",
            symbol,
            Side.BUY,
            LIMIT,
            Role.ENTRY,
            D(1),
            price=D(2000),
            venue_order_id="X",
            status=Status.OPEN,
            foreign=True,
        )
        story.picture(orders=(order,))
        assert story.views.orders(story.ctx) == (OrderView(order, "foreign", "", D(tick), D(lot)),)


def test_views_are_made_anew_when_something_happened() -> None:
    story = Story()
    views = story.views
    assert (views.orders(story.ctx), views.alerts(story.ctx), views.closed(story.ctx)) == (
        (),
        (),
        (),
    )
    story.opened(stop=None)
    assert [alert.code for alert in views.alerts(story.ctx)] == ["NAKED"]
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    assert [view.order.role for view in views.orders(story.ctx)] == [Role.CLOSE]
    story.fill(story.order("close"))
    assert len(views.closed(story.ctx)) == 1
    assert views.orders(story.ctx) == ()


def busy() -> Story:
    """One position that has ended, one that is naked, and an order."""
    story = Story(FUTURES)
    ended = story.opened(stop=None)
    story.ask(i.ClosePosition(id="c", position=ended.id))
    story.fill(story.order("close"))
    story.opened("1", symbol=ETH, price="3000", stop=None)
    assert story.buy("0.1", type=LIMIT, price=D(59_000)).ok
    return story


def test_views_are_made_once_until_something_happens() -> None:
    story = busy()
    views = story.views
    for look in (views.orders, views.alerts, views.closed):
        first = look(story.ctx)
        assert first
        assert look(story.ctx) is first
    assert views.truth(story.ctx).rows
    assert views.truth(story.ctx) is views.truth(story.ctx)


@pytest.mark.parametrize("seq", [0, 1, 2])
def test_the_first_look_shows_what_is_there_however_little_has_happened(seq: int) -> None:
    story = busy()
    story.state.seq = seq
    views = story.views
    assert [
        len(views.orders(story.ctx)),
        len(views.alerts(story.ctx)),
        len(views.closed(story.ctx)),
    ] == [1, 2, 1]
    assert views.truth(story.ctx).rows


def test_the_truth_is_told_anew_with_every_picture() -> None:
    story = busy()
    views, picture = story.views, story.board.picture
    assert picture is not None
    story.board.picture = None
    for seq in (0, story.state.seq):
        story.state.seq = seq
        told = views.truth(story.ctx)
        assert (told.as_of, told.in_motion, told.rows) == (None, True, ())
    story.board.picture = replace(picture, at=picture.at + 1, as_of=picture.as_of + 1)
    assert views.truth(story.ctx).as_of == picture.as_of + 1
    story.board.picture = replace(picture, at=picture.at + 2, as_of=picture.as_of + 2)
    assert views.truth(story.ctx).as_of == picture.as_of + 2


# Alerts


def test_the_gravest_alert_stands_first_and_of_equals_the_newest() -> None:
    story = Story()
    story.tell(RateLimited("slow down"))
    story.now += 1
    story.tell(r.Disconnected("broken", story.now))
    story.now += 1
    story.tell(Trouble("TASK_DIED", "feed", "KeyError", blocks=False))
    story.now += 1
    story.tell(Trouble("BREAKER", "venue", "down", blocks=False))
    assert [alert.code for alert in story.views.alerts(story.ctx)] == [
        "BREAKER",
        "TASK_DIED",
        "DISCONNECTED",
        "RATE_LIMITED",
    ]


def test_of_the_ended_alerts_the_newest_are_shown() -> None:
    story = Story()
    for number in range(TAIL + 5):
        story.tell(Trouble("TASK_DIED", f"task {number}", "KeyError", blocks=False))
        story.tell(Trouble("TASK_DIED", f"task {number}", "", blocks=False))
    assert [alert.subject for alert in story.views.alerts(story.ctx)] == [
        f"task {number}" for number in range(TAIL + 4, 4, -1)
    ]


# What has ended


def test_every_field_of_a_position_that_has_ended() -> None:
    story = held(label="swing", note="why", tags=("a",))
    position = story.position().id
    story.ask(i.ClosePosition(id="c", position=position))
    story.now += SECOND
    close = story.order("close")
    story.fill(close, "0.2", price="61000", fee="6")
    story.fill(close, "0.3", price="61001", fee="9")
    story.now += SECOND
    story.cancelled(story.order("stop"))
    assert story.views.closed(story.ctx) == (
        ClosedView(
            id=position,
            symbol=BTC,
            label="swing",
            side=Side.BUY,
            size=D("0.5"),
            currency="USD",
            entry=D("60000.0"),
            exit=D("61000.6"),  # (0.2 * 61000 + 0.3 * 61001) / 0.5
            profit=D("470.3"),  # 200 + 300.3, less 15 + 6 + 9
            fees=D(30),
            r=D("470.3") / D("329.85"),
            opened_at=START + SECOND,
            closed_at=START + 3 * SECOND,
            reason="operator",
            note="why",
            tags=("a",),
            one_r=D("329.85"),
            funding=D(0),
            mae=D(-30) / D("329.85"),
            mfe=D("470.3") / D("329.85"),
        ),
    )


def test_the_last_that_ended_is_first() -> None:
    story = Story(FUTURES, rules=Rules(risk=RiskRules(losing_streak=0)))
    for number in range(102):
        story.now += 1
        position = story.opened("0.1", stop=None, label=str(number))
        story.ask(i.ClosePosition(id=story.name(), position=position.id))
        story.fill(story.order("close"))
    labels = [view.label for view in story.views.closed(story.ctx)]
    assert labels == [str(number) for number in range(101, 1, -1)], "the last hundred"


# Money


def test_every_figure_of_the_account() -> None:
    story = held()  # 15 paid
    story.wait(61)
    story.opened("10", symbol=ETH, price="3000")  # its stop at 2970 loses 300, and a fee of 14.85
    story.price(BTC, "60400")
    story.price(ETH, "2990")
    told = replace(account(story), periods=())
    assert told == AccountView(
        name="test",
        venue="paper",
        live=False,
        currency="USD",
        equity=D(1_000_085),  # 200 and -100 on a million less 15
        unpriced=(),
        cash={"USD": D(999_985)},
        day=D(85),
        realised=D(0),
        unrealised=D(100),
        fees=D(15),
        financing=D(0),
        drawdown=D(0),
        at_stops=D("-644.7"),
        unbounded=False,
        open_risk=D("644.7"),
        risk_limit=D(100_008_500),
        loss_limit=D(50_000),
        loss_limit_left=D(50_000),  # nothing is lost today: a gain allows no more
        margin=(D(30_200) + D(29_900)) / 50 / D(1_000_085),
        naked=0,
    )


def test_before_the_first_sample_a_day_has_neither_change_nor_budget() -> None:
    told = account(Story())
    assert (told.equity, told.day, told.loss_limit_left, told.drawdown) == (
        D(1_000_000),
        None,
        None,
        D(0),
    )


def test_without_a_bound_there_is_no_budget() -> None:
    story = Story(rules=Rules(risk=RiskRules(daily_loss=None)))
    story.wait(1)
    assert account(story).day == 0
    assert account(story).loss_limit_left is None


def test_what_has_no_price_is_named_and_left_out() -> None:
    story = Story()
    story.wait(1)
    story.state.cash.update({"KFEE": D(5), "AAA": D(1)})
    story.state.seq += 1
    told = account(story)
    assert (told.equity, told.day, told.unpriced) == (None, D(0), ("AAA", "KFEE"))


def test_a_drawdown_is_measured_from_the_highest_equity() -> None:
    story = Story(FUTURES)
    story.opened("10", stop=None)
    story.price(BTC, "65000")
    assert account(story).drawdown == 0, "no higher one is known yet"
    story.wait(1)
    story.price(BTC, "58950")
    assert account(story).drawdown == D(60_500) / 1_050_000
    story.price(BTC, "70000")
    assert account(story).drawdown == 0, "this one is higher"


def test_of_nothing_there_is_no_drawdown() -> None:
    assert account(Story(cash="0")).drawdown == 0


def test_profit_and_fees_are_summed_over_what_ended_and_what_is_held() -> None:
    story = held()
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    story.fill(story.order("close"), price="61000", fee="16")
    story.cancelled(story.order("stop"))
    assert story.buy("1", symbol=ETH, stop=None).ok
    story.fill(story.order("entry"), price="3000", fee="0.0001", currency="BTC")  # at 60000.05
    told = account(story)
    assert told.fees == D(31) + D("6.000005")
    assert told.realised == 500


def test_profit_without_a_rate_is_left_out_of_the_sums() -> None:
    story = held()
    done = Traded(realised=D(3), fees=D(2))
    story.state.traded = {BTC: done, "XRP/BTC": done}  # in dollars, and in bitcoin
    assert (account(story).realised, account(story).fees) == (
        D(3) + 3 * D("60000.05"),
        D(17) + 2 * D("60000.05"),
    )
    story.board._symbols[BTC].quote = None
    story.board.moved.add(BTC)
    assert (account(story).realised, account(story).fees) == (D(3), D(17))


@pytest.mark.parametrize(("halted", "naked"), [(False, 1), (True, 2)])
def test_naked_and_partly_covered_positions_are_counted(halted: bool, naked: int) -> None:
    story = Story(FUTURES)
    story.opened("0.5", symbol=ETH, price="3000")
    story.opened("0.5", stop=None)
    if halted:
        story.ask(i.Halt(id="h"))
        story.fill(
            next(order for order in story.state.ended.values() if order.symbol == ETH),
            "0.1",
            price="3000",
        )
    assert story.buy("0.1", type=LIMIT, price=D(59_000)).ok is not halted
    assert account(story).naked == naked


# Prices


def test_every_field_of_a_price() -> None:
    story = Story()
    story.price("XX/YY", "1")
    story.board.on_quote(Quote(BTC, story.now, D(60_001), D(3), D(60_002), D(4)))
    story.now += 60 * SECOND
    assert story.views.feeds(story.ctx) == (
        FeedView(
            BTC, D(60_001), D(3), D(60_002), D(4), START, 60 * SECOND, stale=False, tick=D("0.1")
        ),
        FeedView(
            ETH, D(3000), D(10), D("3000.1"), D(10), START, 60 * SECOND, stale=False, tick=D("0.01")
        ),
    )
    story.now += 1
    assert [feed.stale for feed in story.views.feeds(story.ctx)] == [True, True]


# The mode


def test_each_reason_says_how_it_ends() -> None:
    story = Story(FUTURES, rules=Rules(risk=RiskRules(losing_streak=1, cool_down=600)))
    assert story.views.mode(story.ctx) == ("ACTIVE", ())
    story.ask(i.Pause(id="p"))
    story.tell(Trouble("BREAKER", "venue", "down", blocks=True))
    mode, reasons = story.views.mode(story.ctx)
    assert mode == "REDUCING"
    assert reasons == (
        Reason("PAUSED", "paused by the operator", START, "resume"),
        Reason("BREAKER", "venue: down", START, "by itself once its cause is gone"),
    )
    story.ask(i.Halt(id="h"))
    assert story.views.mode(story.ctx)[0] == "HALTED"


def test_a_set_time_is_named_as_such_where_no_command_ends_it() -> None:
    story = Story()
    evolve(story.state, EntriesBlocked(story.now, "NEWS", "figures at two", story.now + SECOND))
    assert story.views.mode(story.ctx)[1] == (
        Reason("NEWS", "figures at two", START, "by itself at a set time"),
    )


# A flatten


def test_each_symbol_says_how_far_it_is() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    story.opened("2", symbol=ETH, side=Side.SELL, price="3000", stop=None)
    assert story.views.flatten(story.ctx) is None
    story.now += SECOND
    story.ask(i.Flatten(id="f"))
    view = story.views.flatten(story.ctx)
    assert view is not None
    assert (view.started_at, view.ended_at, view.receipt) == (START + SECOND, None, ())
    assert view.lines == (
        FlattenLine(BTC, D("0.5"), 2, "closing"),
        FlattenLine(ETH, D(-2), 1, "closing"),
    )
    story.fill(next(order for order in story.orders("close") if order.symbol == BTC))
    story.rejected(
        next(order for order in story.orders("close") if order.symbol == ETH), "EService:Busy"
    )
    view = story.views.flatten(story.ctx)
    assert view is not None
    assert view.lines == (
        FlattenLine(BTC, D(0), 1, "cancelling"),
        FlattenLine(ETH, D(-2), 0, "waiting"),
    )
    stop = story.order("stop")
    story.tell(r.Unknown(stop.client_order_id, "cancel", "no answer", story.now))
    view = story.views.flatten(story.ctx)
    assert view is not None
    assert view.lines[0] == FlattenLine(BTC, D(0), 1, "asking the venue what became of an order")


def test_one_order_in_doubt_is_enough_to_say_so() -> None:
    story = Story(FUTURES)
    story.opened("0.5", target=i.Away(D("0.02")))
    story.tell(r.Unknown(story.order("target").client_order_id, "amend", "no answer", story.now))
    story.ask(i.Flatten(id="f"))
    view = story.views.flatten(story.ctx)
    assert view is not None
    assert view.lines == (
        FlattenLine(BTC, D("0.5"), 3, "asking the venue what became of an order"),
    )


def test_an_ended_flatten_has_its_receipt_and_no_lines() -> None:
    story = Story(FUTURES)
    story.ask(i.Flatten(id="f"))
    story.now += SECOND
    story.picture()
    view = story.views.flatten(story.ctx)
    assert view is not None
    assert (view.started_at, view.ended_at, view.lines) == (START, START + SECOND, ())
    assert view.receipt == (
        "the venue says flat: 0 positions closed, 0 orders cancelled, in 1.0 s",
    )
