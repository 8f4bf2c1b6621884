"""Samples of the equity, what losses are measured from, the lockouts that follow, and prices that
go stale: to the cent and the nanosecond.
"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.lockouts import sample_at
from engine.desk.messages import Pulse
from engine.desk.rules import RiskRules, Rules
from engine.desk.state import Block, Day
from engine.model import intent as i
from engine.model.order import OrderType
from engine.model.position import Protection
from tests.support.world import BTC, ETH, SECOND, START, Story

D = Decimal
LIMIT = OrderType.LIMIT
FUTURES = "kraken-futures"
DAY = 86_400 * SECOND


def bounded(cash: str = "1000000", **bounds: object) -> Story:
    rules = Rules(risk=RiskRules(**{"daily_loss": None, "max_drawdown": None, **bounds}))  # type: ignore[arg-type] # by name
    return Story(FUTURES, rules, cash=cash)


def sampled(story: Story, bid: str, after: int = 60 * SECOND) -> None:
    """A sample a while later, at this price of bitcoin."""
    story.now += after
    story.price(BTC, bid)
    story.price(ETH, "3000")
    story.tell(Pulse())


def alert_of(story: Story, code: str) -> tuple[str, str]:
    (found,) = [alert for alert in story.state.alerts.values() if alert.code == code]
    return found.subject, found.detail


# Samples


def test_the_first_look_samples_and_the_next_a_minute_later() -> None:
    story = Story(FUTURES)
    assert sample_at(story.ctx) == story.now
    story.tell(Pulse())
    assert sample_at(story.ctx) == START + 60 * SECOND
    story.now = START + 60 * SECOND - 1
    story.tell(Pulse())
    assert len(story.seen(e.Sampled)) == 1
    story.now += 1
    story.tell(Pulse())
    assert [event.at for event in story.seen(e.Sampled)] == [START, START + 60 * SECOND]
    assert sample_at(story.ctx) == START + 120 * SECOND
    story.price(BTC, "60000")
    story.opened()
    assert sample_at(story.ctx) == story.now + 10 * SECOND, "while something is held"


def test_a_sample_has_the_equity_the_profit_and_how_far_each_price_went() -> None:
    story = Story(FUTURES)
    assert story.buy("0.1", type=LIMIT, price=D(59_000)).ok, "what waits is no part of it"
    held = story.opened("0.5")
    other = story.opened("10", symbol=ETH, price="3000")
    story.price(BTC, "59500")
    story.price(BTC, "60700", "60800")
    story.price(ETH, "3010")
    story.now += SECOND
    story.tell(Pulse())
    assert story.seen(e.Sampled)[-1] == e.Sampled(
        START + SECOND,
        D(1_000_450),
        D(450),
        {held.id: (D(59_500), D(60_700)), other.id: (D(3_000), D(3_010))},
    )
    assert (story.state.positions[held.id].lowest, story.state.positions[held.id].highest) == (
        D(59_500),
        D(60_700),
    )
    story.replays()


def test_of_what_has_ended_a_sample_says_nothing() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", stop=None)
    story.tell(Pulse())
    story.ask(i.ClosePosition(id="c", position=position.id))
    story.price(BTC, "61000")
    story.fill(story.order("close"), price="61000")
    assert (story.closed().lowest, story.closed().highest) == (D(60_000), D(61_000))
    story.now += 60 * SECOND
    story.tell(Pulse())
    assert story.seen(e.Sampled)[-1].extremes == {}


def test_of_what_holds_nothing_any_more_a_sample_says_nothing() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", target=i.Away(D("0.02")))
    story.fill(story.order("stop"), price="59400")
    assert (story.position().size, story.order("target").cancel_pending) == (D(0), True)
    assert story.ctx.extremes(story.position()) != (None, None)
    story.tell(Pulse())
    assert story.seen(e.Sampled)[-1].extremes == {}, position.id


def test_the_highest_equity_and_the_largest_fall_from_it_are_kept() -> None:
    story = bounded()
    story.opened("10", stop=None)
    days = []
    for bid in ("60000", "61000", "59000", "60500", "62000", "58900"):
        sampled(story, bid)
        days.append(story.state.day)
    million = D(1_000_000)
    began = START  # each fill is a sample
    assert days == [
        Day(began, million, peak=million, trough=D(0), last=million),
        Day(began, million, peak=D(1_010_000), trough=D(0), last=D(1_010_000)),
        Day(began, million, peak=D(1_010_000), trough=D(20_000) / 1_010_000, last=D(990_000)),
        Day(began, million, peak=D(1_010_000), trough=D(20_000) / 1_010_000, last=D(1_005_000)),
        Day(began, million, peak=D(1_020_000), trough=D(20_000) / 1_010_000, last=D(1_020_000)),
        Day(began, million, peak=D(1_020_000), trough=D(31_000) / 1_020_000, last=D(989_000)),
    ]


def test_of_nothing_nothing_can_be_lost() -> None:
    story = bounded("0", daily_loss=D(0), max_drawdown=D(0))
    for _ in range(2):
        sampled(story, "60000")
    assert story.state.day == Day(START + 60 * SECOND, D(0), peak=D(0), trough=D(0), last=D(0))
    assert not story.state.blocks


# The day


@pytest.mark.parametrize(
    ("at", "begins"), [(DAY - 1, False), (DAY, True), (DAY + 1, True), (2 * DAY, True)]
)
def test_a_day_begins_at_midnight_utc(at: int, begins: bool) -> None:
    story = bounded()
    story.opened("10", stop=None)
    story.tell(Pulse())
    sampled(story, "61000", at)
    assert story.seen(e.DayBegan) == ([e.DayBegan(START + at, D(1_010_000))] if begins else [])
    assert story.state.day.equity == (D(1_010_000) if begins else D(1_000_000))
    assert story.state.day.began_at == (START + at if begins else START)


def test_a_loss_of_the_day_locks_out_from_its_bound_on_until_midnight() -> None:
    story = bounded(daily_loss=D("0.01"))
    story.opened("10", stop=None)
    story.tell(Pulse())
    sampled(story, "59000.1")
    assert not story.state.blocks
    sampled(story, "59000")
    text = "the day's loss of 1.00% has reached 1.00%"
    assert story.state.blocks == {"DAILY_LOSS": Block("DAILY_LOSS", text, story.now, START + DAY)}
    assert alert_of(story, "LOCKOUT") == ("DAILY_LOSS", f"{text} (until 2026-01-02 00:00:00 UTC)")
    sampled(story, "58000")
    assert story.state.blocks["DAILY_LOSS"].text == text, "said once"
    story.now = START + DAY - 1
    story.tell(Pulse())
    assert "DAILY_LOSS" in story.state.blocks
    story.now += 1
    story.tell(Pulse())
    assert not story.state.blocks
    assert "LOCKOUT" not in story.standing()


def test_a_day_that_begins_late_still_ends_the_lockout_of_the_last() -> None:
    story = bounded(daily_loss=D("0.01"))
    story.opened("10", stop=None)
    story.tell(Pulse())
    sampled(story, "59000")
    block = story.state.blocks["DAILY_LOSS"]
    story.state.blocks["DAILY_LOSS"] = replace(block, until=None)
    sampled(story, "59000", DAY)
    assert [event.code for event in story.seen(e.EntriesAllowed) if event.code != "STARTING"] == [
        "DAILY_LOSS"
    ]
    assert "LOCKOUT" not in story.standing()
    assert story.state.day.equity == D(990_000)


def test_only_what_is_locked_is_allowed_again() -> None:
    story = bounded(daily_loss=D("0.01"))
    story.tell(Pulse())
    sampled(story, "60000", DAY)
    assert [event.code for event in story.seen(e.EntriesAllowed)] == ["STARTING"]


def test_a_bound_of_nothing_is_reached_by_any_loss_and_by_no_gain() -> None:
    story = bounded(daily_loss=D(0), max_drawdown=D(0))
    story.opened("10", stop=None)
    story.tell(Pulse())
    sampled(story, "60000")
    assert not story.state.blocks
    sampled(story, "60000.1")
    assert not story.state.blocks
    sampled(story, "60000")
    assert list(story.state.blocks) == ["DRAWDOWN"], "the day has lost nothing"
    sampled(story, "59999.9")
    assert list(story.state.blocks) == ["DRAWDOWN", "DAILY_LOSS"]


# The drawdown


def test_a_drawdown_locks_out_from_its_bound_on_until_somebody_clears_it() -> None:
    story = bounded(max_drawdown=D("0.02"))
    story.opened("10", stop=None)
    story.tell(Pulse())
    sampled(story, "65000")  # 1050000
    sampled(story, "62900.1")  # 1029001: 1.9999 % less
    assert not story.state.blocks
    sampled(story, "62900")  # 1029000
    text = "the drawdown of 2.00% has reached 2.00%"
    assert story.state.blocks == {"DRAWDOWN": Block("DRAWDOWN", text, story.now, None)}
    assert alert_of(story, "LOCKOUT") == ("DRAWDOWN", text)
    assert story.ask(i.Resume(id="r", reason="DRAWDOWN")).ok
    assert story.state.day.peak == D(1_029_000)
    sampled(story, "62000")
    assert not story.state.blocks, "measured from here on"


# Losing streaks


def test_a_streak_locks_out_for_its_cool_down() -> None:
    story = bounded(losing_streak=2)
    for count in range(2):
        assert not story.state.blocks
        story.now += SECOND
        story.opened("0.1")
        story.fill(story.order("stop"), price="59400")
        assert story.state.day.losses == count + 1
    text = "2 losses in a row"
    assert story.state.blocks == {
        "LOSING_STREAK": Block("LOSING_STREAK", text, story.now, story.now + 1800 * SECOND)
    }
    assert alert_of(story, "LOCKOUT") == (
        "LOSING_STREAK",
        f"{text} (until 2026-01-01 00:30:02 UTC)",
    )
    story.now += 1800 * SECOND - 1
    story.tell(Pulse())
    assert "LOSING_STREAK" in story.state.blocks
    story.now += 1
    story.tell(Pulse())
    assert not story.state.blocks
    assert "LOCKOUT" not in story.standing()
    assert story.state.day.losses == 0


def test_a_trade_without_loss_ends_a_streak() -> None:
    story = bounded(losing_streak=2)
    for price, losses in (("59400", 1), ("60000", 0), ("59400", 1)):
        story.opened("0.1")
        story.fill(story.order("stop"), price=price)
        assert story.state.day.losses == losses
    assert not story.state.blocks


def test_blocks_end_each_at_its_own_time() -> None:
    story = bounded()
    for code, until in (("A", START + 5), ("B", None), ("C", START + 6), ("D", START)):
        story.state.blocks[code] = Block(code, "why", START, until)
    story.tell(Pulse())
    assert list(story.state.blocks) == ["A", "B", "C"]
    story.now += 5
    story.tell(Pulse())
    assert list(story.state.blocks) == ["B", "C"]
    story.now += 1
    story.tell(Pulse())
    assert list(story.state.blocks) == ["B"]


# Stale prices


def stale(story: Story) -> dict[str, str]:
    return {
        alert.subject: alert.detail
        for alert in story.state.alerts.values()
        if alert.code == "STALE_PRICE"
    }


def guarded() -> Story:
    """A bitcoin and ten ether, both with stops that the venue refused; and two that wait for
    nothing but ether.
    """
    story = Story(FUTURES)
    for symbol, size, price in ((BTC, "1", "60000"), (ETH, "10", "3000")):
        assert story.buy(size, symbol=symbol).ok
        story.fill(story.order("entry"), price=price)
        story.rejected(next(order for order in story.orders("stop") if order.symbol == symbol))
    return story


def protections(story: Story) -> dict[str, Protection]:
    return {position.symbol: position.protection for position in story.state.positions.values()}


@pytest.mark.parametrize(("old", "fresh"), [(BTC, ETH), (ETH, BTC)])
def test_each_symbol_goes_stale_and_comes_back_by_itself(old: str, fresh: str) -> None:
    story = guarded()
    for position in list(story.state.positions.values()):  # no stop is tried meanwhile
        story.state.positions[position.id] = replace(position, retry_at=START + DAY)
    story.now = START + 60 * SECOND
    prices = {BTC: "60000", ETH: "3000"}
    story.price(fresh, prices[fresh])
    story.tell(Pulse())
    assert stale(story) == {}
    story.now += 1
    story.tell(Pulse())
    assert stale(story) == {old: "older than 60 s"}
    assert protections(story) == {old: Protection.NAKED, fresh: Protection.GUARDED}
    story.now += 60 * SECOND
    story.tell(Pulse())
    assert stale(story) == {old: "older than 60 s", fresh: "older than 60 s"}
    story.price(old, prices[old])
    story.tell(Pulse())
    assert stale(story) == {fresh: "older than 60 s"}
    assert protections(story) == {old: Protection.GUARDED, fresh: Protection.NAKED}
    assert story.seen(e.AlertRaised)[-1].alert.count == 1


def test_what_nobody_holds_any_more_may_be_old() -> None:
    story = Story(FUTURES)
    story.opened("1")
    story.opened("10", symbol=ETH, price="3000")
    story.now += 61 * SECOND
    story.tell(Pulse())
    assert set(stale(story)) == {BTC, ETH}
    story.fill(next(order for order in story.orders("stop") if order.symbol == BTC), price="59400")
    story.tell(Pulse())
    assert set(stale(story)) == {ETH}
