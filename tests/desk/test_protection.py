"""Stops: placed, refused, tried again, amended, guarded, taken over; trails that follow; what is
naked and said to be.
"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.messages import Crossed
from engine.desk.rules import ProtectionRules, Rules
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import OrderType, Role, Trail
from engine.model.position import Protection
from engine.model.request import Amend, Cancel, Lane, Submit
from engine.model.side import Side
from tests.support.world import BTC, SECOND, Story

D = Decimal


def _unprotected(story: Story, **terms: object) -> None:
    """A long of 0.5 at 60000 whose stop was just refused."""
    story.buy("0.5", **terms)
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry)
    story.rejected(story.order("stop"))


@pytest.mark.hazard("H30")
def test_a_refused_stop_is_guarded_told_and_tried_again_with_backoff() -> None:
    story = Story()
    _unprotected(story)
    assert story.position().protection is Protection.GUARDED
    assert "STOP_REFUSED" in story.standing()
    pauses = []
    for _ in range(6):
        began = story.now
        while not story.orders("stop"):
            story.wait(0.5)
        pauses.append((story.now - began) / SECOND)
        story.rejected(story.order("stop"))
    assert pauses == [1, 2, 4, 5, 5, 5], "doubled, up to retry_max"
    assert "STOP_REFUSED" in story.standing(), "it stands until it is cured"
    story.wait(31)
    story.accept(story.order("stop"))
    assert "STOP_REFUSED" not in story.standing()
    assert story.position().protection is Protection.VENUE
    assert story.position().stop_refusals == 0
    story.replays()


@pytest.mark.hazard("H30")
def test_after_too_many_refusals_the_operators_policy_closes() -> None:
    story = Story(rules=Rules(protection=ProtectionRules(policy="close", refusals=3)))
    _unprotected(story)
    for _ in range(2):
        assert not story.orders("close")
        story.wait(5)
        story.rejected(story.order("stop"))
    close = story.order("close")
    assert close.size == D("0.5")
    story.fill(close)
    assert story.closed().close_reason == "stop refused"
    assert "STOP_REFUSED" not in story.standing()


@pytest.mark.hazard("H38")
def test_the_guard_acts_on_the_first_price_at_its_stop() -> None:
    story = Story()
    _unprotected(story)
    story.price(BTC, "59400.1")
    assert not story.orders("close")
    story.price(BTC, "59400")
    close = story.order("close")
    assert (close.size, close.price) == (D("0.5"), D("58806.0"))
    assert story.position().close_reason == "stop (guard)"
    assert not story.orders("stop"), "none is placed while all of it is being closed"


def test_a_short_is_guarded_against_the_ask() -> None:
    story = Story()
    _unprotected(story, side=Side.SELL)
    story.price(BTC, "60599.8", "60599.9")
    assert not story.orders("close")
    story.price(BTC, "60599.9", "60600")
    close = story.order("close")
    assert (close.side, close.price) == (Side.BUY, D("61206.0"))


@pytest.mark.hazard("H39")
def test_a_venue_stop_that_does_not_fire_is_taken_over_after_the_grace() -> None:
    story = Story()
    story.opened()
    story.price(BTC, "59300")
    stop = story.order("stop")
    story.wait(2.9)
    assert not stop.cancel_pending
    story.wait(0.2)
    assert "STOP_NOT_FIRING" in story.standing()
    assert story.order("stop").cancel_pending
    assert not story.orders("close"), "the stop still reserves the coins"
    story.cancelled(stop)
    assert story.order("close").size == D("0.5")
    story.fill(story.order("close"), price="59300")
    assert story.closed().close_reason == "stop (guard took over)"
    assert "STOP_NOT_FIRING" not in story.standing()
    story.replays()


def test_a_stop_that_fires_within_its_grace_is_left_alone() -> None:
    story = Story()
    story.opened()
    story.price(BTC, "59300")
    story.fill(story.order("stop"), price="59390")
    story.wait(5)
    assert story.closed().close_reason == "stop"
    assert "STOP_NOT_FIRING" not in story.told()


def test_a_price_that_comes_back_is_watched_again() -> None:
    story = Story()
    story.opened()
    story.price(BTC, "59300")
    story.price(BTC, "59900")
    story.wait(4)
    assert story.position().through_since is None
    assert "STOP_NOT_FIRING" not in story.told()
    story.price(BTC, "59300")
    assert story.position().through_since == story.now


def test_a_stop_that_was_triggered_is_given_time() -> None:
    story = Story()
    story.opened()
    story.price(BTC, "59300")
    story.tell(r.Triggered(story.order("stop").client_order_id, story.now))
    assert story.order("stop").triggered
    story.wait(4)
    assert "STOP_NOT_FIRING" not in story.told()
    assert story.position().through_since is not None


def test_a_second_cross_within_the_grace_does_not_begin_it_anew() -> None:
    story = Story()
    position = story.opened()
    story.price(BTC, "59300")
    since = story.position().through_since
    story.now += SECOND
    story.tell(Crossed(BTC, ((position.id, "stop"), ("nobody", "stop"))))
    assert story.position().through_since == since


@pytest.mark.hazard("H35")
def test_moving_a_stop_amends_the_venues() -> None:
    story = Story()
    position = story.opened()
    assert story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700)))).ok
    amend = story.sent(Amend)[-1]
    assert (amend.trigger, amend.size, amend.lane) == (D(59_700), None, Lane.PROTECT)
    view = story.views.positions(story.ctx)[0]
    assert (view.stop, view.stop_wanted) == (D("59400.0"), D("59700.0"))
    story.amended(story.order("stop"))
    view = story.views.positions(story.ctx)[0]
    assert (view.stop, view.stop_wanted) == (D("59700.0"), D("59700.0"))


@pytest.mark.hazard("H35")
def test_a_refused_amend_keeps_the_old_stop_and_says_so() -> None:
    story = Story()
    position = story.opened()
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700))))
    stop = story.order("stop")
    story.tell(r.AmendRejected(stop.client_order_id, "EOrder:Order not editable", story.now))
    stop = story.order("stop")
    assert stop.trigger == D("59400.0")
    assert "AMEND_REFUSED" in story.standing()
    assert any("not moved: EOrder:Order not editable" in line for line in story.spoken)
    story.price(BTC, "59650")
    assert story.position().closing == D("0.5"), "the guard stands where the stop was wanted"


@pytest.mark.hazard("H36")
def test_a_venue_that_cannot_amend_cancels_and_places_with_the_guard_armed() -> None:
    story = Story("binance-spot")
    position = story.opened()
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700))))
    first = story.order("stop")
    assert first.cancel_pending
    story.cancelled(first)
    assert story.position().protection is Protection.GUARDED
    second = story.order("stop")
    assert second.client_order_id != first.client_order_id
    assert second.trigger == D(59_700)
    story.accept(second)
    assert story.position().protection is Protection.VENUE


@pytest.mark.hazard("H37")
def test_a_trail_follows_every_price_and_never_loosens() -> None:
    story = Story()
    position = story.opened()
    assert story.ask(i.SetTrail(id="t", position=position.id, trail=Trail(fraction=D("0.005")))).ok
    story.amended(story.order("stop"))
    levels = []
    for bid in ("60300", "60600", "60500", "60900", "60700"):
        story.price(BTC, bid)
        if story.order("stop").amend_pending:
            assert story.sent(Amend)[-1].lane is Lane.FOLLOW
            story.amended(story.order("stop"))
        levels.append(story.position().stop)
    assert levels == [D("59998.5"), D("60297.0"), D("60297.0"), D("60595.5"), D("60595.5")]
    story.replays()


@pytest.mark.hazard("H37")
def test_a_tighter_manual_stop_is_not_overwritten_by_a_trail() -> None:
    story = Story()
    position = story.opened()
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_950))))
    story.amended(story.order("stop"))
    story.ask(i.SetTrail(id="t", position=position.id, trail=Trail(amount=D(500))))
    story.price(BTC, "60200")
    assert story.position().stop == D(59_950)
    story.price(BTC, "60600")
    assert story.position().stop == D(60_100)


def test_small_steps_of_a_trail_are_not_sent_but_the_guard_follows_them() -> None:
    story = Story()
    position = story.opened()
    story.ask(i.SetTrail(id="t", position=position.id, trail=Trail(amount=D(300))))
    story.amended(story.order("stop"))
    sent = len(story.sent(Amend))
    story.price(BTC, "60020")
    assert len(story.sent(Amend)) == sent
    story.price(BTC, "59720.5")
    assert not story.orders("close")
    story.price(BTC, "59720")
    assert story.position().close_reason == "trailing stop"
    assert story.position().closing == D("0.5")


@pytest.mark.parametrize(
    ("side", "before", "at", "stop"),
    [(Side.BUY, "60500", "60600", "60500.0"), (Side.SELL, "59500", "59399.9", "59500.0")],
)
def test_a_trail_waits_for_its_profit(side: Side, before: str, at: str, stop: str) -> None:
    story = Story()
    story.opened(side=side, trail=Trail(amount=D(100), after=D("0.01")))
    story.price(BTC, before)
    assert not story.position().trailing
    story.price(BTC, at)
    assert story.position().trailing
    assert story.position().stop == D(stop)


def test_a_trail_without_a_stop_places_the_first() -> None:
    story = Story()
    position = story.opened(stop=None)
    assert position.protection is Protection.NAKED
    story.ask(i.SetTrail(id="t", position=position.id, trail=Trail(fraction=D("0.01"))))
    assert story.order("stop").trigger == D(59_400)
    story.accept(story.order("stop"))
    assert "NAKED" not in story.standing()
    story.ask(i.SetTrail(id="off", position=position.id, trail=None))
    story.price(BTC, "61000")
    assert story.position().stop == D(59_400)


def test_a_trail_for_a_short_follows_the_ask_down() -> None:
    story = Story()
    position = story.opened(side=Side.SELL)
    story.ask(i.SetTrail(id="t", position=position.id, trail=Trail(fraction=D("0.005"))))
    story.amended(story.order("stop"))
    story.price(BTC, "59000", "59001")
    assert story.position().stop == D("59296.0")
    story.amended(story.order("stop"))
    story.price(BTC, "59300", "59301")
    assert story.position().closing == 0, "the venue's stop stands there and has its grace"
    assert story.position().through_since is not None


@pytest.mark.hazard("H40")
def test_a_target_is_watched_here_where_it_cannot_rest() -> None:
    story = Story()
    story.opened(target=i.Away(D("0.02")))
    assert not story.orders("target")
    story.price(BTC, "61200")
    assert story.order("stop").cancel_pending
    story.cancelled(story.order("stop"))
    story.fill(story.order("close"), price="61200")
    assert story.closed().close_reason == "target"


@pytest.mark.hazard("H32")
def test_a_target_rests_beside_the_stop_where_the_venue_links_them() -> None:
    story = Story("kraken-futures")
    position = story.opened(target=i.Away(D("0.02")))
    target = story.order("target")
    assert (target.type, target.price, target.reduce_only) == (OrderType.LIMIT, D("61200.0"), True)
    assert story.ask(i.MoveTarget(id="m", position=position.id, target=i.At(D(62_000)))).ok
    amend = story.sent(Amend)[-1]
    assert (amend.client_order_id, amend.price) == (target.client_order_id, D(62_000))
    story.amended(target)
    story.ask(i.MoveTarget(id="n", position=position.id, target=None))
    assert story.sent(Cancel)[-1].client_order_id == target.client_order_id
    story.cancelled(target)
    assert not story.orders("target")
    story.ask(i.MoveTarget(id="o", position=position.id, target=i.Away(D("0.01"))))
    assert story.order("target").price == D(60_600)


def test_a_target_is_replaced_where_nothing_can_be_amended() -> None:
    story = Story(replace(Story("kraken-futures").profile, amend=False))
    position = story.opened(target=i.Away(D("0.02")))
    story.ask(i.MoveTarget(id="m", position=position.id, target=i.At(D(62_000))))
    target = story.order("target")
    assert target.cancel_pending
    story.cancelled(target)
    assert story.order("target").price == D(62_000)


def test_a_target_that_is_partly_filled_keeps_the_stop_at_the_rest() -> None:
    story = Story("kraken-futures")
    story.opened(target=i.Away(D("0.02")))
    target = story.order("target")
    story.fill(target, "0.2", "61200")
    assert story.sent(Amend)[-1].size == D("0.3")
    story.amended(story.order("stop"))
    assert story.order("stop").remaining == story.position().size == D("0.3")
    assert story.position().protection is Protection.VENUE
    assert not any(
        request.client_order_id == target.client_order_id for request in story.sent(Amend)
    )


def test_a_refused_target_is_tried_again_and_raises_no_stop_alert() -> None:
    story = Story("kraken-futures")
    story.buy("0.5", target=i.Away(D("0.02")))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry)
    story.accept(story.order("stop"))
    story.rejected(story.order("target"))
    assert "STOP_REFUSED" not in story.told()
    assert not story.orders("target")
    story.wait(1.1)
    assert len(story.orders("target")) == 1


@pytest.mark.hazard("H41")
def test_where_one_price_crosses_stop_and_target_the_stop_wins() -> None:
    story = Story()
    _unprotected(story, target=i.Away(D("0.02")))
    position = story.position()
    story.tell(Crossed(BTC, ((position.id, "stop"), (position.id, "target"))))
    assert story.position().close_reason == "stop (guard)"


@pytest.mark.hazard("H30")
@pytest.mark.parametrize("how", ["ended unfilled", "refused"])
def test_a_position_whose_close_the_venue_fails_is_naked(how: str) -> None:
    """Its stop was cancelled for the close, and the close came to nothing: nothing stands between
    it and any loss.
    """
    story = Story()
    position = story.opened()
    story.ask(i.ClosePosition(id="c", position=position.id))
    story.cancelled(story.order("stop"))
    close = story.order("close")
    assert story.position().protection is Protection.GUARDED, "the close is on its way"
    if how == "refused":
        story.rejected(close, "EService:Market in post_only mode")
    else:
        story.accept(close)
        story.cancelled(close, "self trade prevention")
    assert story.position().protection is Protection.NAKED
    assert "NAKED" in story.standing()
    story.wait(10)
    assert story.position().protection is Protection.NAKED, (
        "the next attempt protects no more than the last"
    )
    assert story.position().naked_until(story.now) >= 10 * SECOND
    story.fill(story.order("close"))
    assert "NAKED" not in story.standing()
    assert story.closed().naked_ns >= 10 * SECOND
    story.replays()


def test_removing_a_stop_needs_a_reason_and_is_naked() -> None:
    story = Story()
    position = story.opened()
    assert story.ask(
        i.MoveStop(id="m", position=position.id, stop=None, reason="hedged elsewhere")
    ).ok
    stop = story.order("stop")
    assert stop.cancel_pending
    assert story.position().protection is Protection.VENUE, "until it is gone"
    story.cancelled(stop)
    assert story.position().protection is Protection.NAKED
    assert "NAKED" in story.standing()
    assert story.views.account(story.ctx).naked == 1
    story.wait(10)
    assert story.position().naked_until(story.now) >= 10 * SECOND
    story.ask(i.MoveStop(id="n", position=position.id, stop=i.Away(D("0.01"))))
    story.accept(story.order("stop"))
    assert "NAKED" not in story.standing()


def test_a_wider_stop_needs_a_reason() -> None:
    story = Story()
    position = story.opened()
    assert not story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_000)))).ok
    assert story.ask(
        i.MoveStop(id="n", position=position.id, stop=i.At(D(59_000)), reason="news")
    ).ok
    assert story.sent(Amend)[-1].trigger == D(59_000)
    assert story.position().initial_stop == D(59_400)


def test_break_even_covers_both_fees() -> None:
    story = Story("kraken-futures")
    assert story.buy().ok
    story.fill(story.order("entry"), fee="15")
    position = story.position()
    story.accept(story.order("stop"))
    story.price(BTC, "60500")
    assert story.ask(i.BreakEven(id="b", position=position.id)).ok
    stop = story.position().stop
    assert stop == D("60060.1"), "60000 * 1.0005 / 0.9995, up to the tick"
    assert story.seen(e.StopMoved)[-1].by == "break-even"
    instrument = story.state.instruments[BTC]
    assert (stop - 60_000) * D("0.5") >= D("0.5") * (60_000 + stop) * instrument.fee_tiers[0].taker


def test_a_part_that_a_stop_covers_is_partial_when_nothing_watches() -> None:
    story = Story()
    story.buy("0.5", type=OrderType.LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.2")
    story.accept(story.order("stop"))
    story.ask(i.Halt(id="h"))
    story.fill(entry, "0.3")
    assert story.position().protection is Protection.PARTIAL
    assert "PARTIAL_STOP" in story.standing()
    assert story.views.positions(story.ctx)[0].protection_text == "the venue's stop covers a part"
    story.ask(i.Resume(id="r", reason="HALTED"))
    story.wait(61)
    story.picture()
    story.holds()


@pytest.mark.hazard("H55")
def test_a_guard_without_fresh_prices_is_naked_and_told() -> None:
    story = Story()
    _unprotected(story)
    story.rejected(story.order("stop")) if story.orders("stop") else None
    story.now += 61 * SECOND
    story.wait(2, fresh=False)
    assert {"STALE_PRICE", "NAKED"} <= story.standing()
    assert story.position().protection is Protection.NAKED
    assert story.views.positions(story.ctx)[0].stale
    story.price(BTC, "60000")
    story.wait(1)
    assert not {"STALE_PRICE", "NAKED"} & story.standing()


def test_a_halted_desk_acts_only_on_the_operators_hand() -> None:
    story = Story()
    _unprotected(story)
    story.ask(i.Halt(id="h"))
    assert story.ask(i.Halt(id="h2")).ok
    assert story.views.mode(story.ctx)[0] == "HALTED"
    story.wait(2)
    assert not story.orders("stop")
    story.price(BTC, "58000")
    assert not story.orders("close")
    position = story.position()
    assert position.protection is Protection.NAKED
    assert story.ask(i.ClosePosition(id="c", position=position.id)).ok
    assert story.order("close").size == D("0.5")


def test_exits_carry_the_shorter_deadline_and_reduce_only_where_it_can_be() -> None:
    for profile, reduces in (("kraken-futures", True), ("kraken-spot", False)):
        story = Story(profile)
        story.opened()
        order = next(
            request.order for request in story.sent(Submit) if request.order.role is Role.STOP
        )
        assert order.reduce_only is reduces
        assert order.deadline == story.now + 4 * SECOND


def test_a_later_fill_of_the_entry_gives_back_nothing_that_the_trail_has_won() -> None:
    story = Story("kraken-futures")
    trail = Trail(fraction=D("0.004"))
    story.buy("1", type=OrderType.LIMIT, price=D(60_000), trail=trail)
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.3", price="60000")
    story.accept(story.order("stop"))
    story.price(BTC, "61000")
    assert story.position().stop == D(60_756)
    story.fill(entry, "0.3", price="60000")
    assert story.position().stop == D(60_756)
    for _ in range(2):  # first its price, which was under way, then its size
        story.amended(story.order("stop"))
    stop = story.order("stop")
    assert (stop.trigger, stop.remaining) == (D(60_756), D("0.6"))
