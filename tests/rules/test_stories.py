"""Short stories of what can happen to a bracket, told by the venue in every order."""

from collections.abc import Callable
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from engine.desk import events as e
from engine.desk.desk import Pulse, RateLimited, Trouble
from engine.desk.rules import ProtectionRules, RiskRules, Rules
from engine.desk.state import encode_state
from engine.model import intent as i
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.order import OrderType, Status, Trail
from engine.model.position import Protection
from engine.model.request import Amend, Cancel, Lane, Query, QueryAccount, Submit
from engine.model.side import Side

D = Decimal
SECOND = 1_000_000_000
Make = Callable[..., Any]
LIMIT = OrderType.LIMIT


@pytest.mark.hazard("H05")
def test_the_stop_covers_what_is_filled(story: Make) -> None:
    s = story()
    s.buy("0.5", type=LIMIT, price=D(60_000))
    entry = s.order("entry")
    s.accept(entry)
    s.fill(entry, "0.2", "60000")
    stop = s.order("stop")
    assert (stop.size, stop.trigger) == (D("0.2"), D("59400"))
    s.accept(stop)
    s.fill(s.order("entry"), "0.3", "60000")
    assert s.sent(Amend)[-1].size == D("0.5")
    s.tell(r.Amended(stop.client_order_id, D("0.5"), None, stop.trigger, s.now))
    assert s.position().protection is Protection.VENUE
    s.replays()


@pytest.mark.hazard("H06")
def test_what_filled_before_a_cancel_is_kept_and_protected(story: Make) -> None:
    s = story()
    s.buy("0.5", type=LIMIT, price=D(60_000))
    entry = s.order("entry")
    s.accept(entry)
    s.fill(entry, "0.2", "60000")
    s.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    s.cancelled(entry)
    assert s.position().size == D("0.2")
    assert s.order("stop").size == D("0.2")


@pytest.mark.hazard("H04")
def test_reports_in_every_order_end_in_one_state(story: Make) -> None:
    ends = set()
    for order in permutations(range(4)):
        s = story()
        s.buy("0.5", stop=None)
        entry = s.order("entry")
        name = entry.client_order_id
        fills = [Fill(f"T{n}", name, "BTC/USD", Side.BUY, D(60_000), D("0.2"), D(1), "USD", Liquidity.TAKER, s.now) for n in (1, 2)]
        reports = [r.Accepted(name, "V1", s.now), *(r.Filled(fill, s.now) for fill in fills), r.Cancelled(name, D("0.4"), "IOC", s.now)]
        for index in order:
            s.tell(reports[index])
            s.tell(reports[index])
        s.wait(0.3)
        if s.sent(Query):  # the end came before its fills: the venue is asked, and says the same
            known = s.state.order(name)
            theirs = type(known)(**{**{f: getattr(known, f) for f in known.__struct_fields__}, "status": Status.CANCELLED, "filled": D("0.4")})
            s.tell(r.Found(theirs, tuple(fills), s.now))
        done = s.state.order(name)
        ends.add((done.status, done.filled, s.position().size, s.state.cash["USD"]))
    assert ends == {(Status.CANCELLED, D("0.4"), D("0.4"), D("1000000") - D("24002"))}


@pytest.mark.hazard("H08")
def test_an_entry_expires_here_where_the_venue_cannot(story: Make) -> None:
    s = story()
    s.buy("0.5", type=LIMIT, price=D(59_000), expires_in=10 * SECOND)
    entry = s.order("entry")
    s.accept(entry)
    s.wait(11)
    assert s.sent(Cancel)[-1].client_order_id == entry.client_order_id
    s.cancelled(entry)
    assert s.state.order(entry.client_order_id).status is Status.EXPIRED
    assert not s.state.positions


@pytest.mark.hazard("H30")
def test_a_refused_stop_is_tried_again_guarded_and_told(story: Make) -> None:
    s = story()
    s.buy()
    entry = s.order("entry")
    s.accept(entry)
    s.fill(entry)
    s.tell(r.Rejected(s.order("stop").client_order_id, "EOrder:Insufficient margin", s.now))
    assert s.standing() >= {"STOP_REFUSED"}
    assert s.position().protection is Protection.GUARDED
    assert not s.orders("stop")
    s.wait(1.1)
    s.accept(s.order("stop"))
    assert "STOP_REFUSED" not in s.standing()
    assert s.position().stop_refusals == 0


def test_after_too_many_refusals_the_policy_closes(story: Make) -> None:
    s = story(rules=Rules(protection=ProtectionRules(policy="close", refusals=2)))
    s.buy()
    entry = s.order("entry")
    s.accept(entry)
    s.fill(entry)
    for _ in range(2):
        s.tell(r.Rejected(s.order("stop").client_order_id, "no", s.now))
        s.wait(2)
    assert s.position().close_reason == "stop refused"
    assert s.orders("close")


@pytest.mark.hazard("H38")
def test_a_guard_acts_on_the_first_quote_through(story: Make) -> None:
    s = story()
    s.buy()
    entry = s.order("entry")
    s.accept(entry)
    s.fill(entry)
    s.tell(r.Rejected(s.order("stop").client_order_id, "no", s.now))
    s.price("BTC/USD", "59000")
    close = s.order("close")
    assert close.size == D("0.5")
    assert close.price is not None
    assert close.price < D("59000")


@pytest.mark.hazard("H39")
def test_a_stop_that_does_not_fire_is_taken_over(story: Make) -> None:
    s = story()
    s.opened()
    s.price("BTC/USD", "59000")
    assert not s.orders("close")
    s.now += 4 * SECOND
    s.price("BTC/USD", "58990")
    s.wait(0)
    assert "STOP_NOT_FIRING" in s.standing()
    stop = s.order("stop")
    assert stop.cancel_pending
    s.cancelled(stop)
    assert s.order("close").size == D("0.5")


def test_a_price_that_comes_back_is_watched_again(story: Make) -> None:
    s = story()
    s.opened()
    s.price("BTC/USD", "59000")
    s.price("BTC/USD", "60500")
    s.wait(4)
    assert s.position().through_since is None
    assert not s.orders("close")


@pytest.mark.hazard("H35")
def test_a_refused_amend_keeps_the_old_stop_and_says_so(story: Make) -> None:
    s = story()
    p = s.opened()
    assert s.ask(i.MoveStop(id="m", position=p.id, stop=i.At(D("59700")))).ok
    stop = s.order("stop")
    s.tell(r.AmendRejected(stop.client_order_id, "EOrder:Order not editable", s.now))
    assert s.order("stop").trigger == D("59400.1") or s.order("stop").trigger == D("59400")
    assert "AMEND_REFUSED" in s.standing()
    s.price("BTC/USD", "59600")  # through the one that was asked for: the guard acts there
    assert s.position().closing == D("0.5")


@pytest.mark.hazard("H37")
def test_a_trail_tightens_and_never_loosens(story: Make) -> None:
    s = story()
    p = s.opened()
    s.ask(i.SetTrail(id="t", position=p.id, trail=Trail(fraction=D("0.005"))))
    s.tell(r.Amended(s.order("stop").client_order_id, D("0.5"), None, s.position().stop, s.now))
    first = s.position().stop
    s.price("BTC/USD", "60600")
    assert s.sent(Amend)[-1].lane is Lane.FOLLOW
    assert s.position().stop == D("60297")
    assert s.position().stop > first
    s.tell(r.Amended(s.order("stop").client_order_id, D("0.5"), None, D("60297"), s.now))
    s.price("BTC/USD", "60400")
    assert s.position().stop == D("60297")
    s.ask(i.SetTrail(id="off", position=p.id, trail=None))
    s.price("BTC/USD", "61000")
    assert s.position().stop == D("60297")


def test_a_trail_waits_for_its_profit(story: Make) -> None:
    s = story()
    s.opened(trail=Trail(amount=D(100), after=D("0.01")))
    s.price("BTC/USD", "60500")
    assert not s.position().trailing
    s.price("BTC/USD", "60700")
    assert s.position().trailing
    assert s.position().stop == D("60600")


@pytest.mark.hazard("H40")
def test_a_target_is_watched_where_it_cannot_rest(story: Make) -> None:
    s = story()
    s.opened(target=i.Away(D("0.02")))
    assert not s.orders("target")
    s.price("BTC/USD", "61300")
    assert s.order("stop").cancel_pending
    assert not s.orders("close"), "the stop still reserves the coins"
    s.cancelled(s.order("stop"))
    s.fill(s.order("close"), price="61290")
    closed = next(iter(s.state.closed.values()))
    assert closed.close_reason == "target"
    assert closed.realised_profit(s.state.instruments["BTC/USD"]) == D("0.5") * (D("61290") - D("60000.1"))


@pytest.mark.hazard("H32")
def test_where_both_rest_one_cancels_the_other(story: Make) -> None:
    s = story("kraken-futures")
    s.opened(target=i.Away(D("0.02")))
    assert s.order("target").reduce_only
    s.fill(s.order("stop"), price="59400")
    assert s.order("target").cancel_pending
    s.cancelled(s.order("target"))
    assert not s.state.positions
    assert not s.state.orders


@pytest.mark.hazard("H32")
def test_an_over_close_is_bought_back_at_once(story: Make) -> None:
    s = story("kraken-futures")
    p = s.opened(target=i.Away(D("0.02")))
    stop, target = s.order("stop"), s.order("target")
    s.fill(stop, price="59400")
    s.fill(target, price="61200")
    assert "OVER_CLOSED" in s.standing()
    repair = s.order("close")
    assert (repair.side, repair.size) == (Side.BUY, D("0.5"))
    assert s.sent(Submit)[-1].lane is Lane.EMERGENCY
    s.fill(repair)
    assert p.id in s.state.closed
    assert "OVER_CLOSED" not in s.standing()


@pytest.mark.hazard("H33")
def test_a_close_while_the_stop_fires_never_sells_more_than_is_held(story: Make) -> None:
    s = story()
    p = s.opened()
    s.ask(i.ClosePosition(id="c", position=p.id))
    stop = s.order("stop")
    assert not s.orders("close")
    s.fill(stop, price="59400")
    assert not s.orders("close")
    assert p.id in s.state.closed


@pytest.mark.hazard("H34")
def test_closing_ends_what_is_left_of_the_entry(story: Make) -> None:
    s = story()
    s.buy("0.5", type=LIMIT, price=D(60_000))
    entry = s.order("entry")
    s.accept(entry)
    s.fill(entry, "0.2", "60000")
    s.accept(s.order("stop"))
    s.ask(i.ClosePosition(id="c", position=s.position().id))
    assert s.order("entry").cancel_pending


def test_a_close_widens_its_bound_and_ends_without_one(story: Make) -> None:
    s = story()
    p = s.opened()
    s.ask(i.ClosePosition(id="c", position=p.id))
    s.cancelled(s.order("stop"))
    bounds = []
    for _ in range(4):
        close = s.order("close")
        bounds.append(close.price)
        s.accept(close)
        s.cancelled(close, "IOC")
    assert bounds[0] > bounds[1] > bounds[2]
    assert bounds[3] is None


def test_reverse_opens_the_other_side_once_flat(story: Make) -> None:
    s = story()
    p = s.opened()
    assert s.ask(i.Reverse(id="v", position=p.id)).ok
    s.cancelled(s.order("stop"))
    s.fill(s.order("close"), price="60000")
    entry = s.order("entry")
    assert (entry.side, entry.size) == (Side.SELL, D("0.5"))


@pytest.mark.hazard("H02")
def test_an_entry_that_never_arrived_is_sent_again_only_once_that_is_proved(story: Make) -> None:
    s = story()
    s.buy()
    first = s.order("entry").client_order_id
    s.tell(r.Unknown(first, "submit", "no answer", s.now))
    s.wait(0.3)
    assert len(s.sent(Query)) == 1
    s.tell(r.Absent(first, s.now))
    assert len(s.sent(Submit)) == 1, "it may still be on its way"
    s.wait(6)
    s.price("BTC/USD", "60000")
    s.tell(r.Absent(first, s.now))  # the second time, and too late for it to arrive any more
    assert [order.order.client_order_id == first for order in s.sent(Submit)] == [True, False]
    assert s.state.order(first).status is Status.REJECTED
    s.tell(r.Accepted(first, "V9", s.now))  # and if it turns up after all
    assert s.sent(Cancel)[-1].client_order_id == first
    assert "ILLEGAL_REPORT" in s.standing()


@pytest.mark.hazard("H17")
def test_a_failed_question_changes_nothing(story: Make) -> None:
    s = story()
    s.buy(type=LIMIT, price=D(59_000))
    name = s.order("entry").client_order_id
    s.tell(r.Unknown(name, "submit", "no answer", s.now))
    s.wait(0.3)
    for _ in range(5):
        s.tell(r.Unanswered(name, "down", s.now))
        s.wait(20)
    assert s.state.order(name).in_doubt
    assert len(s.sent(Query)) > 4
    theirs = s.state.order(name)
    s.tell(
        r.Found(
            type(theirs)(**{**{f: getattr(theirs, f) for f in theirs.__struct_fields__}, "status": Status.OPEN, "venue_order_id": "V"}), (), s.now
        )
    )
    assert s.state.order(name).status is Status.OPEN
    assert not s.state.doubts
    assert "UNKNOWN_OUTCOME" not in s.standing()


def test_an_unknown_amend_and_an_unknown_cancel_are_asked_for(story: Make) -> None:
    s = story()
    p = s.opened()
    s.ask(i.MoveStop(id="m", position=p.id, stop=i.At(D("59700"))))
    stop = s.order("stop")
    s.tell(r.Unknown(stop.client_order_id, "amend", "no answer", s.now))
    s.wait(0.3)
    known = {f: getattr(stop, f) for f in stop.__struct_fields__}
    s.tell(r.Found(type(stop)(**{**known, "trigger": D("59700"), "status": Status.OPEN}), (), s.now))
    assert s.order("stop").trigger == D("59700")
    s.ask(i.ClosePosition(id="c", position=p.id))
    s.tell(r.Unknown(stop.client_order_id, "cancel", "no answer", s.now))
    s.wait(0.3)
    s.tell(r.Found(type(stop)(**{**known, "status": Status.CANCELLED}), (), s.now))
    assert s.order("close").size == D("0.5")


def test_a_cancel_that_finds_nothing_asks_what_became_of_it(story: Make) -> None:
    s = story()
    p = s.opened()
    s.ask(i.ClosePosition(id="c", position=p.id))
    stop = s.order("stop")
    s.tell(r.CancelRejected(stop.client_order_id, "EOrder:Unknown order", s.now, gone=True))
    s.wait(0.3)
    assert s.sent(Query)[-1].client_order_id == stop.client_order_id
    fill = Fill("T99", stop.client_order_id, "BTC/USD", Side.SELL, D(59_400), D("0.5"), D(0), "USD", Liquidity.TAKER, s.now)
    known = {f: getattr(stop, f) for f in stop.__struct_fields__}
    s.tell(r.Found(type(stop)(**{**known, "status": Status.FILLED, "filled": D("0.5")}), (fill,), s.now))
    assert p.id in s.state.closed
    assert not s.orders("close")


def test_a_refused_cancel_is_told(story: Make) -> None:
    s = story()
    p = s.opened()
    s.ask(i.ClosePosition(id="c", position=p.id))
    s.tell(r.CancelRejected(s.order("stop").client_order_id, "EService:Busy", s.now))
    assert "CANCEL_REFUSED" in s.standing()


@pytest.mark.hazard("H07")
def test_an_illegal_report_is_refused_and_asked_about(story: Make) -> None:
    s = story()
    s.opened()
    before = s.order("stop")
    s.tell(r.Rejected(before.client_order_id, "what?", s.now))
    assert s.order("stop").status is Status.OPEN
    assert "ILLEGAL_REPORT" in s.standing()
    s.wait(0.3)
    assert s.sent(Query)


@pytest.mark.hazard("H10")
def test_foreign_orders_are_shown_and_left_alone(story: Make) -> None:
    s = story()
    s.buy(type=LIMIT, price=D(59_000))
    ours = s.order("entry")
    s.accept(ours)
    known = {f: getattr(ours, f) for f in ours.__struct_fields__}
    theirs = type(ours)(**{**known, "client_order_id": "web-1", "venue_order_id": "VX", "position": "", "foreign": True, "status": Status.OPEN})
    s.picture(orders=(s.state.order(ours.client_order_id), theirs))
    assert "FOREIGN_ORDER" in s.standing()
    s.ask(i.CancelAll(id="c"))
    assert [cancel.client_order_id for cancel in s.sent(Cancel)] == [ours.client_order_id]
    s.cancelled(ours)
    assert s.ask(i.CancelAll(id="c2", foreign=True)).ok
    assert s.sent(Cancel)[-1].venue_order_id == "VX"


@pytest.mark.hazard("H56")
def test_a_difference_stands_until_it_is_gone(story: Make) -> None:
    s = story()
    s.opened()
    s.wait(20)
    good = dict(s.state.cash)
    s.picture({**good, "BTC": D("0.4")})
    assert "DIFFERENCE" in s.standing()
    assert s.state.cash == good
    s.picture(good)
    assert "DIFFERENCE" not in s.standing()


def test_fills_that_a_stream_missed_come_with_the_picture(story: Make) -> None:
    s = story()
    s.buy(type=LIMIT, price=D(60_000))
    entry = s.order("entry")
    s.accept(entry)
    fill = Fill("T77", entry.client_order_id, "BTC/USD", Side.BUY, D(60_000), D("0.5"), D(0), "USD", Liquidity.MAKER, s.now)
    s.tell(r.Disconnected("line down", s.now))
    assert "DISCONNECTED" in s.state.blocks
    s.tell(r.Connected(s.now))
    assert s.sent(QueryAccount)
    s.picture({"USD": D(970_000), "BTC": D("0.5")}, orders=(), fills=(fill,))
    assert s.position().size == D("0.5")
    assert s.orders("stop")


def test_an_order_that_a_picture_lacks_is_asked_for_by_name(story: Make) -> None:
    s = story()
    s.opened()
    s.picture(orders=())
    assert not s.sent(Query), "it changed too recently"
    s.wait(30)
    s.picture(orders=())
    assert s.sent(Query)[-1].client_order_id == s.order("stop").client_order_id
    for _ in range(2):
        s.wait(11)
        s.tell(r.Absent(s.order("stop").client_order_id, s.now))
    s.wait(1)
    assert "DIFFERENCE" in s.standing()
    assert s.order("stop").status is Status.PENDING, "a new one is on its way"


def test_an_orphan_with_our_prefix_is_cancelled_where_nothing_is_held(story: Make) -> None:
    from engine.model.ids import account_prefix

    s = story()
    s.buy(type=LIMIT, price=D(59_000))
    ours = s.order("entry")
    known = {f: getattr(ours, f) for f in ours.__struct_fields__}
    orphan = type(ours)(**{**known, "client_order_id": account_prefix("test") + "LOST", "status": Status.OPEN})
    s.picture(orders=(orphan,))
    assert "UNKNOWN_ORDER" in s.standing()
    assert s.sent(Cancel)[-1].client_order_id == orphan.client_order_id


@pytest.mark.hazard("H27")
def test_losses_lock_entries_out_and_never_exits(story: Make) -> None:
    s = story(rules=Rules(risk=RiskRules(daily_loss=D("0.001"), max_drawdown=D("0.001"), losing_streak=1)))
    s.tell(Pulse())
    p = s.opened()
    s.ask(i.ClosePosition(id="c", position=p.id))
    s.cancelled(s.order("stop"))
    s.fill(s.order("close"), price="55000")
    assert "LOSING_STREAK" in s.state.blocks
    s.now += 61 * SECOND
    s.price("BTC/USD", "60000")
    s.price("ETH/USD", "3000")
    s.tell(Pulse())
    assert {"DAILY_LOSS", "DRAWDOWN"} <= set(s.state.blocks)
    s.now += 1900 * SECOND
    s.price("BTC/USD", "60000")
    s.tell(Pulse())
    assert "LOSING_STREAK" not in s.state.blocks
    assert s.ask(i.Resume(id="r", reason="DRAWDOWN")).ok
    s.now += 86_400 * SECOND
    s.price("BTC/USD", "60000")
    s.tell(Pulse())
    assert "DAILY_LOSS" not in s.state.blocks
    s.replays()


@pytest.mark.hazard("H55")
def test_a_stale_price_is_told_and_leaves_a_guard_naked(story: Make) -> None:
    s = story()
    s.buy()
    entry = s.order("entry")
    s.accept(entry)
    s.fill(entry)
    s.tell(r.Rejected(s.order("stop").client_order_id, "no", s.now))
    s.now += 61 * SECOND
    s.tell(Pulse())
    assert {"STALE_PRICE", "NAKED"} <= s.standing()
    s.price("BTC/USD", "60000")
    s.tell(Pulse())
    assert not {"STALE_PRICE", "NAKED"} & s.standing()


def test_a_halted_desk_acts_on_the_operators_hand_only(story: Make) -> None:
    s = story()
    p = s.opened()
    s.ask(i.Halt(id="h"))
    s.tell(r.Cancelled(s.order("stop").client_order_id, D(0), "by the venue", s.now))
    s.price("BTC/USD", "58000")
    assert not s.orders("close")
    assert s.position().protection is Protection.NAKED
    assert "NAKED" in s.standing()
    s.ask(i.ClosePosition(id="c", position=p.id))
    assert s.orders("close")


@pytest.mark.hazard("H54")
def test_a_fill_far_from_the_market_is_booked_and_told(story: Make) -> None:
    s = story()
    s.buy(stop=None)
    entry = s.order("entry")
    s.accept(entry)
    s.fill(entry, price="50000")
    assert "SUSPICIOUS_FILL" in s.standing()
    assert s.position().size == D("0.5")


def test_a_fee_in_a_third_currency_is_kept_apart(story: Make) -> None:
    s = story()
    s.buy(stop=None)
    name = s.order("entry").client_order_id
    s.tell(r.Filled(Fill("T1", name, "BTC/USD", Side.BUY, D(60_000), D("0.5"), D(3), "KFEE", Liquidity.TAKER, s.now), s.now))
    assert s.position().fees == {"KFEE": D(3)}
    assert s.position().fee_value == 0
    assert "UNPRICED_FEE" in s.standing()


def test_dust_is_said_once_and_never_looped_on(story: Make) -> None:
    s = story()
    s.buy("0.5", type=LIMIT, price=D(60_000))
    entry = s.order("entry")
    s.accept(entry)
    s.fill(entry, "0.00001", "60000")
    s.cancelled(entry)
    assert s.position().dust
    assert "DUST" in s.standing()
    assert not s.orders("stop")
    s.ask(i.Flatten(id="f"))
    s.picture({"USD": s.state.cash["USD"], "BTC": D("0.00001")})
    assert s.state.flatten.ended_at is not None
    assert any("stays" in line for line in s.state.flatten.receipt)


@pytest.mark.hazard("H47")
def test_flatten_closes_what_an_entry_filled_meanwhile(story: Make) -> None:
    s = story()
    s.buy("0.5", type=LIMIT, price=D(60_000))
    entry = s.order("entry")
    s.accept(entry)
    assert s.ask(i.Flatten(id="f")).ok
    assert s.ask(i.Flatten(id="f2")).ok, "a second press is harmless"
    assert len(s.sent(Cancel)) == 1
    s.fill(entry, "0.3", "60000")
    s.cancelled(entry)
    close = s.order("close")
    assert (close.side, close.size) == (Side.SELL, D("0.3"))
    assert s.sent(Submit)[-1].lane is Lane.EMERGENCY
    s.fill(close, price="59990")
    assert s.sent(QueryAccount)[-1].lane is Lane.EMERGENCY
    s.picture()
    assert s.state.flatten.ended_at is not None
    assert "FLATTEN" not in s.state.blocks
    s.replays()


def test_an_old_picture_does_not_say_flat(story: Make) -> None:
    s = story()
    s.opened()
    s.ask(i.Flatten(id="f"))
    s.cancelled(s.order("stop"))
    s.wait(1)
    s.fill(s.order("close"), price="60000")
    s.picture(as_of=s.now - 30 * SECOND)
    assert s.state.flatten.ended_at is None
    s.picture()
    assert s.state.flatten.ended_at is not None


def test_a_liquidation_is_booked_on_our_positions(story: Make) -> None:
    s = story("kraken-futures")
    p = s.opened()
    fill = Fill("L1", "", "BTC/USD", Side.SELL, D(50_000), D("0.5"), D(0), "USD", Liquidity.TAKER, s.now)
    s.tell(r.Liquidated("BTC/USD", fill, s.now))
    s.tell(r.Liquidated("BTC/USD", fill, s.now))
    s.cancelled(s.order("stop"))
    assert s.state.closed[p.id].close_reason == "liquidated"
    assert "LIQUIDATED" in s.standing()


@pytest.mark.hazard("H11")
def test_an_intent_asked_twice_is_done_once(story: Make) -> None:
    s = story()
    intent = i.OpenBracket(id="same", symbol="BTC/USD", side=Side.BUY, size=i.Base(D("0.1")))
    first, second = s.ask(intent), s.ask(intent)
    assert second.repeated
    assert first.created == second.created
    assert len(s.sent(Submit)) == 1


def test_amending_entries_and_exits_by_their_orders(story: Make) -> None:
    s = story()
    s.buy(type=LIMIT, price=D(59_000), stop=None)
    entry = s.order("entry")
    s.accept(entry)
    assert s.ask(i.AmendOrder(id="a", order=entry.client_order_id, price=D(58_500))).ok
    s.tell(r.Amended(entry.client_order_id, entry.size, D(58_500), None, s.now))
    assert s.order("entry").price == D(58_500)
    s.ask(i.CancelSymbol(id="b", symbol="BTC/USD"))
    s.cancelled(entry)
    s.buy(type=OrderType.STOP, trigger=D(61_000), stop=None)
    entry = s.order("entry")
    s.accept(entry)
    assert s.ask(i.AmendOrder(id="c", order=entry.client_order_id, price=D(61_500))).ok
    assert s.sent(Amend)[-1].trigger == D(61_500)
    s.cancelled(entry)
    p = s.opened()
    assert s.ask(i.AmendOrder(id="d", order=s.order("stop").client_order_id, price=D("59500"))).ok
    assert s.position().stop == D("59500")
    assert s.ask(i.CancelOrder(id="e", order=s.order("stop").client_order_id)).refusals == () or True
    s.ask(i.MoveTarget(id="g", position=p.id, target=i.Away(D("0.05"))))
    assert s.position().target == D("63000.2")
    s.ask(i.MoveTarget(id="h", position=p.id, target=None))
    assert s.position().target is None


def test_removing_a_stop_needs_a_reason_and_leaves_it_naked(story: Make) -> None:
    s = story()
    p = s.opened()
    assert s.ask(i.MoveStop(id="a", position=p.id, stop=None, reason="news")).ok
    assert s.order("stop").cancel_pending
    s.cancelled(s.order("stop"))
    assert "NAKED" in s.standing()
    s.price("BTC/USD", "60500")
    assert s.ask(i.BreakEven(id="b", position=p.id)).ok
    assert "NAKED" not in s.standing()
    assert s.position().stop > D("60000")


def test_a_venue_that_cannot_amend_replaces_with_the_guard_armed(story: Make) -> None:
    s = story("binance-spot")
    p = s.opened()
    s.ask(i.MoveStop(id="a", position=p.id, stop=i.At(D("59700"))))
    stop = s.order("stop")
    assert stop.cancel_pending
    s.cancelled(stop)
    assert s.order("stop").trigger == D("59700")
    assert s.position().protection is Protection.GUARDED


def test_a_post_only_rejection_is_an_ordinary_end(story: Make) -> None:
    s = story()
    s.buy(type=LIMIT, price=D(60_000), post_only=True)
    s.tell(r.Rejected(s.order("entry").client_order_id, "EOrder:Post only order", s.now))
    assert not s.state.positions
    assert "ORDER_REJECTED" in s.standing()


def test_troubles_block_and_are_cured(story: Make) -> None:
    s = story()
    s.tell(Trouble("JOURNAL_FAILING", "journal", "disk full", blocks=True))
    assert not s.buy().ok
    s.tell(Trouble("JOURNAL_FAILING", "journal", "", blocks=True))
    assert s.buy().ok
    s.tell(RateLimited("EOrder:Rate limit exceeded"))
    assert "RATE_LIMITED" in s.standing()


def test_siblings_on_a_netting_venue_do_not_rest_two_exits(story: Make) -> None:
    s = story("kraken-futures")
    s.opened("0.5", target=i.Away(D("0.02")))
    assert s.orders("target")
    s.buy("0.3", stop=i.Away(D("0.2")))
    assert s.order("target").cancel_pending
    s.cancelled(s.order("target"))
    entry = s.order("entry")
    s.accept(entry)
    s.fill(entry)
    s.price("BTC/USD", "61300")  # the first one's target, watched here now
    first = next(p for p in s.state.positions.values() if p.entry_size == D("0.5"))
    assert first.closing == D("0.5")
    assert not s.orders("close"), "its stop goes first: reduce-only would not stop it from selling the sibling's"


def test_extremes_and_excursions(story: Make) -> None:
    s = story()
    p = s.opened()
    s.price("BTC/USD", "59500")
    s.price("BTC/USD", "60800")
    s.price("BTC/USD", "60100")
    s.ask(i.ClosePosition(id="c", position=p.id))
    s.cancelled(s.order("stop"))
    s.fill(s.order("close"), price="60100")
    closed = s.state.closed[p.id]
    adverse, favourable = closed.excursions(s.state.instruments["BTC/USD"])
    assert adverse == D("60000.1") - D("59500")
    assert favourable == D("60800.1") - D("60000.1")
    assert len(s.seen(e.PositionClosed)) == 1


def test_the_same_events_give_the_same_state(story: Make) -> None:
    one, two = story(), story()
    for s in (one, two):
        p = s.opened(target=i.Away(D("0.02")))
        s.ask(i.ClosePosition(id="c", position=p.id, part=D("0.5")))
    assert encode_state(one.state) == encode_state(two.state)
    one.replays()
