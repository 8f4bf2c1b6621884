"""What locks entries out and never exits; and that it survives a restart."""

from datetime import datetime
from decimal import Decimal

import pytest

from engine.desk import events as e
from engine.desk.desk import Desk
from engine.desk.messages import Pulse, RateLimited, Trouble
from engine.desk.rules import RiskRules, Rules
from engine.desk.state import decode_state, encode_state
from engine.model import intent as i
from engine.model.request import Lane, Submit
from engine.model.side import Side
from tests.support.world import BTC, ETH, SECOND, Story, codes

D = Decimal
DAY = 86_400 * SECOND


def _loss(story: Story, price: str = "59000") -> None:
    position = story.opened("0.1", stop=None)
    story.ask(i.ClosePosition(id=story.name(), position=position.id))
    story.fill(story.order("close"), price=price)


@pytest.mark.hazard("H27")
def test_a_daily_loss_locks_entries_out_until_the_next_day() -> None:
    story = Story(rules=Rules(risk=RiskRules(daily_loss=D("0.01"), max_drawdown=None)))
    story.wait(1)
    position = story.opened("5", stop=None)
    story.price(BTC, "57500")
    story.wait(61)
    assert "DAILY_LOSS" in story.state.blocks
    assert "LOCKOUT" in story.standing()
    assert codes([story.buy("0.1", symbol=ETH)]) == {"ENTRIES_BLOCKED"}
    assert story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(57_000)))).ok, (
        "stops pass"
    )
    assert story.sent(Submit)[-1].lane is Lane.PROTECT
    left = story.views.account(story.ctx).loss_limit_left
    assert left is not None
    assert left < 0
    reason = story.views.mode(story.ctx)[1][0]
    assert (reason.code, reason.clears) == ("DAILY_LOSS", "resume DAILY_LOSS")
    story.now += DAY
    story.price(BTC, "57500")
    story.wait(61)
    assert "DAILY_LOSS" not in story.state.blocks
    assert story.seen(e.DayBegan)
    story.replays()


def test_the_next_day_begins_with_its_own_equity() -> None:
    story = Story(rules=Rules(risk=RiskRules(daily_loss=D("0.01"))))
    story.wait(1)
    began = story.state.day.began_at
    story.now += DAY
    story.price(BTC, "60000")
    story.wait(61)
    assert story.state.day.began_at > began
    assert "DAILY_LOSS" not in story.state.blocks


@pytest.mark.hazard("H27")
def test_a_drawdown_locks_entries_out_until_it_is_cleared_by_hand() -> None:
    story = Story("kraken-futures", Rules(risk=RiskRules(max_drawdown=D("0.02"), daily_loss=None)))
    story.wait(1)
    story.opened("10", stop=None)
    story.price(BTC, "57500")
    story.wait(61)
    assert "DRAWDOWN" in story.state.blocks
    assert story.views.account(story.ctx).drawdown == D("0.025")
    story.now += DAY
    story.price(BTC, "57500")
    story.wait(61)
    assert "DRAWDOWN" in story.state.blocks
    assert story.ask(i.Resume(id="r", reason="DRAWDOWN")).ok
    assert "LOCKOUT" not in story.standing()
    story.wait(61)
    assert "DRAWDOWN" not in story.state.blocks, "measured from here on"
    assert story.state.day.trough == D("0.025")
    story.replays()


@pytest.mark.hazard("H27")
def test_a_losing_streak_cools_down() -> None:
    story = Story("kraken-futures", Rules(risk=RiskRules(losing_streak=3, cool_down=600)))
    for _ in range(2):
        _loss(story)
    assert not story.state.blocks
    _loss(story)
    assert "LOSING_STREAK" in story.state.blocks
    reason = story.views.mode(story.ctx)
    assert reason[0] == "REDUCING"
    story.wait(601)
    assert "LOSING_STREAK" not in story.state.blocks
    assert story.state.day.losses == 0
    _loss(story)
    assert not story.state.blocks
    _loss(story, price="61000")
    assert story.state.day.losses == 0


def test_a_streak_of_zero_is_off() -> None:
    story = Story("kraken-futures", Rules(risk=RiskRules(losing_streak=0)))
    for _ in range(7):
        _loss(story)
    assert not story.state.blocks


@pytest.mark.hazard("H27")
def test_a_lockout_survives_a_restart() -> None:
    story = Story("kraken-futures", Rules(risk=RiskRules(losing_streak=1)))
    _loss(story)
    reborn = Desk(decode_state(encode_state(story.state)), story.rules, story.profile, story.board)
    decision = reborn.handle(
        i.OpenBracket(id="x", symbol=BTC, side=Side.BUY, size=i.Base(D("0.1"))), story.now
    )
    assert decision.answer is not None
    assert codes([decision.answer]) == {"ENTRIES_BLOCKED"}


@pytest.mark.hazard("H93")
def test_what_has_no_price_is_left_out_of_the_limits_and_named() -> None:
    story = Story("kraken-futures", Rules(risk=RiskRules(daily_loss=D("0.01"), max_drawdown=None)))
    story.wait(1)
    story.picture({"USD": D(1_000_000), "KFEE": D(5)})
    assert story.ask(i.Resolve(id="s", subject="KFEE", action=i.Settlement.FORGET)).ok
    story.wait(61)
    assert [alert.text for alert in story.state.alerts.values()] == [
        "the loss limits leave out KFEE: no price"
    ]
    view = story.views.account(story.ctx)
    assert (view.equity, view.unpriced) == (None, ("KFEE",))
    story.opened("10", stop=None)
    story.price(BTC, "57500")
    story.wait(1)
    assert "DAILY_LOSS" in story.state.blocks, "dust without a price switches nothing off"
    story.replays()


@pytest.mark.hazard("H55")
def test_only_prices_that_are_needed_go_stale() -> None:
    story = Story()
    story.wait(120, fresh=False)
    assert "STALE_PRICE" not in story.told()
    story.price(BTC, "60000")
    story.opened()
    story.wait(62, fresh=False)
    assert {
        alert.subject for alert in story.state.alerts.values() if alert.code == "STALE_PRICE"
    } == {BTC}
    story.fill(story.order("stop"), price="59400")
    story.wait(2, fresh=False)
    assert "STALE_PRICE" not in story.standing(), "nobody needs it any more"


def test_a_slow_source_is_judged_by_its_own_pace() -> None:
    story = Story()
    story.board.set_pace(BTC, 60 * SECOND)
    story.now += 100 * SECOND
    assert story.buy().ok
    story.now += 100 * SECOND
    assert codes([story.buy()]) >= {"STALE_PRICE"}


def test_pause_and_resume() -> None:
    story = Story()
    for _ in range(2):
        assert story.ask(i.Pause(id=story.name())).ok
    assert [block.code for block in story.state.blocks.values()] == ["PAUSED"]
    assert story.views.mode(story.ctx)[0] == "REDUCING"
    assert story.ask(i.Resume(id="r")).ok
    assert story.views.mode(story.ctx)[0] == "ACTIVE"


def test_troubles_block_are_told_and_are_cured() -> None:
    story = Story()
    for text in ("a", "a", "b"):
        story.tell(Trouble("JOURNAL_FAILING", "journal", text, blocks=True))
    alert = next(alert for alert in story.state.alerts.values() if alert.code == "JOURNAL_FAILING")
    assert (alert.count, alert.detail) == (2, "b")
    assert story.views.mode(story.ctx)[1][0].clears == "by itself once its cause is gone"
    story.tell(Trouble("JOURNAL_FAILING", "journal", "", blocks=True))
    assert not story.state.blocks
    assert not story.standing()
    story.tell(Trouble("JOURNAL_FAILING", "journal", "", blocks=True))
    story.tell(Trouble("TASK_DIED", "feed", "KeyError", blocks=False))
    assert not story.state.blocks
    assert "TASK_DIED" in story.standing()
    story.tell(RateLimited("EOrder:Rate limit exceeded"))
    assert "RATE_LIMITED" in story.standing()


def test_alerts_are_read_or_cured() -> None:
    story = Story()
    story.tell(RateLimited("slow down"))
    key = next(iter(story.state.alerts))
    assert story.ask(i.Acknowledge(id="a", alert=key)).ok
    assert not story.state.alerts, "a WARNING ends once it is read"
    story.opened(stop=None)
    naked = next(key for key in story.state.alerts if key.startswith("NAKED"))
    assert story.ask(i.Acknowledge(id="b", alert=naked)).ok
    assert story.state.alerts[naked].stands, "a CRITICAL one stands until it is cured"
    assert story.ask(i.Acknowledge(id="c", alert=naked)).ok
    assert [alert.code for alert in story.views.alerts(story.ctx)] == ["NAKED", "RATE_LIMITED"]


def _instant(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


@pytest.mark.hazard("H27")
@pytest.mark.parametrize(
    ("zone", "hour", "lost_at", "until"),
    [
        ("UTC", 0, "2026-03-08T12:00:00+00:00", "2026-03-09T00:00:00+00:00"),
        ("UTC", 17, "2026-03-08T12:00:00+00:00", "2026-03-08T17:00:00+00:00"),
        ("America/New_York", 17, "2026-03-07T12:00:00-05:00", "2026-03-07T17:00:00-05:00"),
        # summer time began
        ("America/New_York", 17, "2026-03-07T18:00:00-05:00", "2026-03-08T17:00:00-04:00"),
        # and ended
        ("America/New_York", 17, "2026-10-31T18:00:00-04:00", "2026-11-01T17:00:00-05:00"),
    ],
)
def test_the_day_of_the_loss_ends_by_the_zone_and_hour_of_the_settings(
    zone: str, hour: int, lost_at: str, until: str
) -> None:
    story = Story(
        rules=Rules(
            risk=RiskRules(daily_loss=D("0.01"), max_drawdown=None, day_zone=zone, day_hour=hour)
        )
    )
    story.now = _instant(lost_at)
    story.price(BTC, "60000")
    story.picture({"USD": D(1_000_000)})
    story.wait(61)
    story.opened("5", stop=None)
    story.price(BTC, "57000")
    story.wait(61)
    end = _instant(until)
    assert story.state.blocks["DAILY_LOSS"].until == end
    began = story.state.day.began_at
    for moment, locked in ((end - SECOND, True), (end, False)):
        story.now = moment
        story.price(BTC, "57000")
        story.tell(Pulse())
        assert ("DAILY_LOSS" in story.state.blocks) is locked
        assert story.state.day.began_at == (began if locked else end), (
            "the next day counts from its own equity"
        )
    story.replays()


def test_losses_are_judged_each_second_while_something_is_held() -> None:
    story = Story("kraken-futures")
    story.opened("1")
    story.picture(net={BTC: D(1)})
    story.price(BTC, "60000")
    story.tell(Pulse())
    assert not story.state.blocks
    assert story.desk.next_pulse(story.now) == story.now + SECOND
