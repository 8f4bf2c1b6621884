"""Spot on margin: the venue holds it as a contract beside the balances, and only orders that name a
leverage open and close it.
"""

from decimal import Decimal
from typing import Any

import pytest

from engine.desk import totals
from engine.desk.margin import liquidation
from engine.desk.messages import Pulse
from engine.desk.previews import preview
from engine.model import intent as i
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.intent import Resolve, Settlement
from engine.model.order import OrderType
from engine.model.position import Protection
from engine.model.request import Lane, QueryAccount, Submit
from engine.model.side import Side
from engine.venues.profiles import load_profile
from tests.support.world import BTC, ETH, SECOND, Story

D = Decimal
KRAKEN = load_profile("kraken-spot")
CASH = D(1_000_000)


def short(story: Story, size: str = "0.5", /, **terms: Any) -> None:
    story.opened(size, side=Side.SELL, **terms)


def test_a_short_names_the_leverage_that_the_venue_wants_and_so_do_its_exits() -> None:
    story = Story(KRAKEN)
    short(story)
    entry, stop = story.sent(Submit)[0].order, story.order("stop")
    assert (entry.leverage, entry.reduce_only) == (D(2), False)
    assert (stop.leverage, stop.reduce_only, stop.side) == (D(2), True, Side.BUY)
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    story.cancelled(stop)
    close = story.order("close")
    assert (close.leverage, close.reduce_only, close.size) == (D(2), True, D("0.5"))
    story.replays()


def test_what_was_asked_for_is_kept_and_the_instruments_most_is_the_most() -> None:
    story = Story(KRAKEN)
    short(story, leverage=D(3))
    assert story.position().leverage == D(3)
    assert (
        story.buy("0.1", symbol=ETH, side=Side.SELL, leverage=D(6)).refusals[0].code
        == "LEVERAGE_TOO_HIGH"
    )


@pytest.mark.parametrize("side", list(Side))
def test_no_balance_moves_before_it_is_closed_and_then_only_the_profit(side: Side) -> None:
    story = Story(KRAKEN)
    story.buy("0.5", side=side, leverage=D(2), stop=None)
    story.accept(story.order("entry"))
    story.fill(story.order("entry"), fee="75")
    assert story.state.cash == {"USD": CASH - 75}
    story.price(BTC, "61000")
    gain = side.sign * (story.ctx.mark(story.position()) - 60_000) * D("0.5")  # type: ignore[operator]
    assert totals.equity(story.ctx)[0] == CASH - 75 + gain
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    story.fill(story.order("close"), price="61000", fee="76")
    assert story.state.cash == {"USD": CASH - 151 + side.sign * 500}
    assert story.closed().realised_profit(story.state.instruments[BTC]) == side.sign * 500 - 151
    story.replays()


def test_a_long_without_leverage_is_coins_as_ever() -> None:
    story = Story(KRAKEN)
    story.opened()
    assert story.state.cash == {"USD": CASH - 30_000, "BTC": D("0.5")}
    assert (story.order("stop").leverage, story.order("stop").reduce_only) == (None, False)
    assert liquidation(story.ctx, story.position()) is None


def test_one_times_is_no_loan() -> None:
    story = Story(KRAKEN)
    story.opened(leverage=D(1))
    assert story.state.cash["BTC"] == D("0.5")
    assert not story.order("stop").reduce_only


def test_where_the_venue_would_liquidate_is_told() -> None:
    story = Story(KRAKEN, cash="100000")
    short(story, "2", stop=None)
    price = liquidation(story.ctx, story.position())
    assert price is not None
    assert price == story.state.instruments[BTC].round_price(
        (D(2) * D("60000.1") + 100_000 + 2 * (60_000 - D("60000.1"))) / (2 * D("1.1"))
    )


def test_a_fee_in_coins_makes_nothing_smaller_that_is_no_coins() -> None:
    story = Story(KRAKEN)
    story.buy("0.5", leverage=D(2))
    story.accept(story.order("entry"))
    story.fill(story.order("entry"), fee="0.001", currency="BTC")
    assert story.position().size == D("0.5")
    assert story.state.cash == {"USD": CASH, "BTC": D("-0.001")}


# Margin


def test_what_is_on_margin_binds_its_share_and_an_entry_needs_what_is_free() -> None:
    story = Story(KRAKEN, cash="40000")
    short(story, "1", leverage=D(2))
    assert totals.margin_used(story.ctx) == D("60000.1") / 2
    story.opened("0.1", symbol=ETH, price="3000")
    assert totals.margin_used(story.ctx) == D("60000.1") / 2, "coins are paid for"
    assert story.buy("2", symbol=ETH, leverage=D(3), type=OrderType.LIMIT, price=D(3_000)).ok
    assert totals.margin_used(story.ctx) == D("60000.1") / 2 + 2_000, (
        "an entry that rests will need its own"
    )
    told = story.buy("4", symbol=ETH, leverage=D("1.25"))
    assert {refusal.code: (refusal.value, refusal.bound) for refusal in told.refusals} == {
        "INSUFFICIENT_MARGIN": ("9600.32 USD", "7999.85 USD")
    }


def test_the_ticket_tells_what_it_binds_and_where_it_would_be_liquidated() -> None:
    story = Story(KRAKEN, cash="40000")
    told = preview(
        story.ctx,
        i.OpenBracket(
            id="x", symbol=BTC, side=Side.SELL, size=i.Base(D(1)), stop=i.Away(D("0.01"))
        ),
    )
    lines = {line.name: (line.before, line.after) for line in told.lines}
    assert lines["margin at 2×"] == ("40,000.00", "10,000.00 when 30,000.00 are bound")
    assert lines["liquidation"] == ("", "90,909.1, 51.5% away")
    paid = preview(
        story.ctx, i.OpenBracket(id="y", symbol=BTC, side=Side.BUY, size=i.Base(D("0.1")))
    )
    assert not {"margin at 2×", "liquidation"} & {line.name for line in paid.lines}


def test_neighbours_in_a_symbol_are_liquidated_together() -> None:
    story = Story(KRAKEN, cash="100000")
    short(story, "1", stop=None, label="first")
    alone = story.views.positions(story.ctx)[0].liquidation
    told = preview(
        story.ctx,
        i.OpenBracket(
            id="x", symbol=BTC, side=Side.SELL, size=i.Base(D(1)), stop=i.Away(D("0.01"))
        ),
    )
    short(story, "1", stop=None, label="second")
    first, second = story.views.positions(story.ctx)
    assert first.liquidation == second.liquidation
    assert alone is not None
    assert first.liquidation is not None
    assert first.liquidation < alone
    assert next(line.after for line in told.lines if line.name == "liquidation").startswith(
        "100,000, "
    )


def test_a_liquidation_that_comes_near_is_told_once_and_cured_when_it_is_well_away() -> None:
    story = Story(KRAKEN, cash="40000")
    short(story, "1", stop=None)
    assert story.views.positions(story.ctx)[0].liquidation == D("90909.1")
    for price, stands in (
        ("86000", False),
        ("86600", True),
        ("85000", True),
        ("84500", False),
        ("86000", False),
    ):
        story.now += 5 * SECOND
        story.price(BTC, price)
        assert story.desk.needs_pulse(story.now)
        story.tell(Pulse())
        assert ("LIQUIDATION_NEAR" in story.standing()) is stands, price
    (alert,) = [alert for alert in story.state.ended_alerts if alert.code == "LIQUIDATION_NEAR"]
    assert (alert.subject, alert.count) == (BTC, 1)
    assert alert.detail == "90,909.1, 5.0% away"
    story.replays()


# Ours beside the venue's


def holdings(story: Story) -> dict[str, tuple[str, str]]:
    return {
        row.subject: (row.ours, row.theirs)
        for row in story.views.truth(story.ctx).rows
        if row.kind == "holding"
    }


def test_it_stands_beside_the_venues_by_symbol_and_the_loan_may_cost_a_little() -> None:
    story = Story(KRAKEN)
    short(story)
    story.opened("2", symbol=ETH, price="3000")
    story.now += SECOND
    story.picture({"USD": story.state.cash["USD"] - 3, "ETH": D(2)}, net={BTC: D("-0.5")})
    assert holdings(story) == {
        "ETH": ("2", "2"),
        "USD": ("994,000", "993,997"),
        BTC: ("-0.5", "-0.5"),
    }
    assert "DIFFERENCE" not in story.standing(), "what it took for the loan"
    story.now += SECOND
    story.picture({"USD": story.state.cash["USD"] - 301, "ETH": D(2)}, net={BTC: D("-0.5")})
    assert story.state.alerts["DIFFERENCE:USD"].detail == "ours 994000, the venue's 993699", (
        "more than a hundredth of 30,000"
    )
    assert story.ask(Resolve(id="usd", subject="USD", action=Settlement.ADOPT)).ok
    assert story.state.cash["USD"] == 993_699
    story.now += SECOND
    story.picture(net={BTC: D("-0.4")})
    assert story.state.alerts[f"DIFFERENCE:{BTC}"].detail == "ours -0.5, the venue's -0.4"


def test_what_was_bought_back_elsewhere_is_booked_on_the_short_and_not_on_coins() -> None:
    story = Story(KRAKEN)
    short(story)
    story.opened("2", symbol=ETH, price="3000")
    story.now += SECOND
    story.picture(net={BTC: D("-0.2")})
    assert story.ask(Resolve(id="r", subject=BTC, action=Settlement.ADOPT)).ok
    short_, coins = story.state.positions.values()
    assert (short_.size, coins.size) == (D("0.2"), D(2))
    assert "DIFFERENCE" not in story.standing()
    story.replays()


def test_coins_that_are_gone_are_no_business_of_a_short() -> None:
    story = Story(KRAKEN)
    story.opened("0.5", stop=None)
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    story.fill(story.order("close"), "0.2")
    story.cancelled(story.order("close"))
    story.now += SECOND
    story.picture({**story.state.cash, "BTC": D("0.1")}, net={})
    assert f"DIFFERENCE:{BTC}" not in story.state.alerts


def test_a_position_on_margin_that_somebody_else_opened_can_be_taken_over_and_is_closed_on_margin() -> (
    None
):
    story = Story(KRAKEN)
    story.now += SECOND
    story.picture(net={BTC: D("0.3")})
    assert story.ask(Resolve(id="r", subject=BTC, action=Settlement.ADOPT)).ok
    position = story.position()
    assert (position.side, position.size, position.leverage) == (Side.BUY, D("0.3"), D(5))
    assert story.state.cash == {"USD": CASH}
    story.ask(i.ClosePosition(id="c", position=position.id))
    close = story.order("close")
    assert (close.side, close.leverage, close.reduce_only) == (Side.SELL, D(5), True)


def test_flatten_closes_what_is_on_margin_and_leaves_coins_that_are_not_ours() -> None:
    story = Story(KRAKEN)
    short(story)
    story.now += SECOND
    story.picture({**story.state.cash, "ETH": D(7)})
    story.ask(i.Flatten(id="f"))
    story.cancelled(story.order("stop"))
    story.fill(story.order("close"))
    story.now += SECOND
    story.picture({"USD": story.state.cash["USD"], "ETH": D(7)})
    assert story.state.flatten is not None
    assert story.state.flatten.ended_at is not None
    assert not story.state.positions


@pytest.mark.hazard("H97")
@pytest.mark.parametrize(("which", "ours"), [("first", -3_000), ("second", 0)])
def test_the_venue_pays_back_the_first_whichever_of_ours_was_closed(which: str, ours: int) -> None:
    story = Story(KRAKEN)
    short(story, "0.5", stop=None, label="first")
    short(story, "0.5", price="66000", stop=None, label="second")
    closed = next(p for p in story.state.positions.values() if p.label == which)
    story.ask(i.ClosePosition(id="c", position=closed.id))
    story.fill(story.order("close"), price="66000")
    assert story.state.cash["USD"] - CASH == ours, "by position"
    story.now += SECOND
    story.picture({"USD": CASH - 3_000}, net={BTC: D("-0.5")})
    assert "DIFFERENCE" not in story.standing()
    story.now += SECOND
    story.picture({"USD": CASH}, net={BTC: D("-0.5")})
    assert "DIFFERENCE" in story.standing(), "it would have paid back the second"


# Asking


def asked(story: Story) -> bool:
    return story.sent(QueryAccount)[-1].on_margin


def test_the_venue_is_asked_for_it_where_there_is_any_or_when_it_costs_nothing_that_matters() -> (
    None
):
    story = Story(KRAKEN)
    assert not asked(story), "nothing is known to be there, and a start has more urgent questions"
    story.ask(i.Reconcile(id="q"))
    assert asked(story), "nothing else is going on"
    story.picture()
    story.buy()
    story.tell(r.Unknown(story.order("entry").client_order_id, "submit", "no answer", story.now))
    story.ask(i.Reconcile(id="d"))
    assert not asked(story), "something is in doubt: tokens are for that"
    story.tell(r.Rejected(story.order("entry").client_order_id, "no", story.now))
    short(story)
    story.ask(i.Flatten(id="f"))
    story.cancelled(story.order("stop"))
    story.fill(story.order("close"))
    assert asked(story), "something was there"


def test_a_difference_in_it_is_asked_about_until_it_is_settled() -> None:
    story = Story(KRAKEN)
    story.now += SECOND
    story.picture(net={BTC: D("0.3")})
    story.ask(i.Pause(id="p"))
    story.ask(i.Reconcile(id="q"))
    assert asked(story)
    assert story.ask(Resolve(id="r", subject=BTC, action=Settlement.FORGET)).ok
    assert story.state.elsewhere == {BTC: D("0.3")}
    story.ask(i.Reconcile(id="again"))
    assert asked(story)


# Liquidation


def test_a_liquidation_closes_what_was_lent_before_what_was_paid_for() -> None:
    story = Story(KRAKEN)
    story.opened("0.5", stop=None, label="coins")
    story.opened("0.5", stop=None, label="lent", leverage=D(5))
    fill = Fill(
        "L1", "", BTC, Side.SELL, D(50_000), D("0.5"), D(100), "USD", Liquidity.TAKER, story.now + 1
    )
    story.tell(r.Liquidated(BTC, fill, story.now + 1))
    assert story.position().label == "coins"
    assert story.position().protection is Protection.NAKED
    assert story.closed().label == "lent"


def test_a_reversal_of_a_short_stays_on_margin() -> None:
    story = Story(KRAKEN)
    short(story)
    story.ask(i.Reverse(id="rev", position=story.position().id))
    story.cancelled(story.order("stop"))
    story.fill(story.order("close"))
    entry = story.order("entry")
    assert (entry.side, entry.leverage, entry.type) == (Side.BUY, D(2), OrderType.MARKET)


def test_in_a_flatten_what_is_in_doubt_is_asked_about_before_the_account() -> None:
    story = Story(KRAKEN)
    story.opened()
    story.ask(i.Flatten(id="f"))
    stop = story.order("stop")
    story.tell(r.Unknown(stop.client_order_id, "cancel", "no answer", story.now))
    story.tell(r.Disconnected("broken", story.now))
    story.tell(r.Connected(story.now))
    assert story.sent(QueryAccount)[-1].lane is Lane.PROTECT
    story.cancelled(stop)
    story.fill(story.order("close"))
    assert story.sent(QueryAccount)[-1].lane is Lane.EMERGENCY
