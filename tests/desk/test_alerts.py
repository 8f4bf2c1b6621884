"""Every alert code is raised by a story; those that no rule of the desk raises are named, with who
does.
"""

from collections.abc import Callable
from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk.messages import Marked, Pulse, RateLimited, Restarted, SetBack, Trouble
from engine.desk.rules import RiskRules, Rules
from engine.model import intent as i
from engine.model import report as r
from engine.model.alert import ALERTS, Alert, Severity
from engine.model.fill import Fill, Liquidity
from engine.model.ids import account_prefix
from engine.model.mark import MarkedOrder
from engine.model.order import Order, OrderType, Role, Status
from engine.model.side import Side
from tests.support.world import BTC, ETH, SECOND, START, Story, loosened

D = Decimal
LIMIT = OrderType.LIMIT
Tale = Callable[[Story], object]

NOBODY: set[str] = {"STOP_LIMIT_JUMPED", "SLEPT"} & set(ALERTS)
"""In the table, and raised by no rule."""


def _unwatched(story: Story) -> None:
    story.opened("0.5")
    since = story.now
    story.now += 7_384 * SECOND
    story.tell(Restarted(since))
    (told,) = [one for one in story.state.alerts.values() if one.code == "UNWATCHED"]
    assert told.detail == "2 h 3 min: 1 position and 1 order of ours open"


def _unheard(story: Story) -> None:
    assert story.buy("0.5", type=LIMIT, price=D(59_000)).ok
    story.accept(story.order("entry"))
    story.tell(Restarted())
    story.now += SECOND
    story.tell(Pulse())


def _rejected(story: Story) -> None:
    story.buy()
    story.rejected(story.order("entry"))


def _rejected_stop(story: Story) -> None:
    story.buy()
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry)
    story.rejected(story.order("stop"))


def _partial(story: Story) -> None:
    story.buy(type=LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.2")
    story.accept(story.order("stop"))
    story.ask(i.Halt(id="h"))
    story.fill(entry, "0.3")


def _not_firing(story: Story) -> None:
    story.opened()
    story.price(BTC, "59000")
    story.wait(4)


def _resting(story: Story) -> Order:
    story.buy(type=LIMIT, price=D(59_000))
    story.accept(story.order("entry"))
    return story.order("entry")


def _amend_refused(story: Story) -> None:
    position = story.opened()
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700))))
    story.tell(r.AmendRejected(story.order("stop").client_order_id, "no", story.now))


def _cancel_refused(story: Story) -> None:
    entry = _resting(story)
    story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    story.tell(r.CancelRejected(entry.client_order_id, "no", story.now))


def _unknown_order(story: Story) -> None:
    story.buy(type=LIMIT, price=D(59_000))
    ghost = story.order("entry").client_order_id[:5] + "GHOST"
    story.tell(r.Accepted(ghost, "V", story.now))


def _foreign(story: Story) -> None:
    story.picture(
        orders=(
            Order(
                "x",
                "",
                ETH,
                Side.BUY,
                LIMIT,
                Role.ENTRY,
                D(1),
                price=D(1),
                status=Status.OPEN,
                foreign=True,
            ),
        )
    )


def _dust(story: Story) -> None:
    story.buy("0.001", type=LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.fill(entry, "0.00001")
    story.cancelled(entry)


def _stale(story: Story) -> None:
    story.opened()
    story.wait(62, fresh=False)


def _liquidated(story: Story) -> None:
    story.opened()
    story.tell(
        r.Liquidated(
            BTC,
            Fill(
                "L", "v", BTC, Side.SELL, D(50_000), D("0.5"), D(1), "USD", Liquidity.TAKER, START
            ),
            story.now,
        )
    )


def _near(story: Story) -> None:
    story.opened("30", side=Side.SELL, stop=None)
    story.price(BTC, "82000")
    story.tell(Pulse())


def _lockout(story: Story) -> None:
    story.rules = story.desk.rules = loosened(Rules(risk=RiskRules(losing_streak=1)))
    story.opened()
    story.fill(story.order("stop"), price="59400")


def _price_reached(story: Story) -> None:
    story.ask(i.SetPriceAlert(id="a", symbol=BTC, price=D(60_500)))
    story.price(BTC, "60500")


def _loss_used(story: Story) -> None:
    story.rules = story.desk.rules = loosened(Rules(risk=RiskRules(daily_loss=D("0.02"))))
    story.wait(61)
    story.opened("5", stop=None)
    story.price(BTC, "57500")
    story.wait(61)


def _stuck(story: Story) -> None:
    position = story.opened(stop=None)
    story.ask(i.ClosePosition(id="c", position=position.id))
    story.wait(21)


def _flattened(story: Story) -> None:
    story.ask(i.Flatten(id="f"))
    story.now += SECOND
    story.picture()


def _over_closed(story: Story) -> None:
    story.opened()
    story.fill(story.order("stop"), "0.6", "59400")


def _illegal(story: Story) -> None:
    story.rejected(_resting(story))


def _suspicious(story: Story) -> None:
    story.fill(_resting(story), price="50000")


def _unpriced(story: Story) -> None:
    story.fill(_resting(story), price="59000", fee="1", currency="KFEE")


def _unknown_outcome(story: Story) -> None:
    story.tell(r.Unknown(_resting(story).client_order_id, "cancel", "?", story.now))


def _trouble(code: str) -> Tale:
    def tale(story: Story) -> None:
        story.tell(Trouble(code, "it", "broke", blocks=True))

    return tale


def _unfilled(story: Story) -> None:
    position = story.opened(stop=None)
    story.ask(i.ClosePosition(id="c", position=position.id))
    story.cancelled(story.order("close"), "self trade prevention")


def _second_engine(story: Story) -> None:
    story.now += 1
    order = Order(
        f"{account_prefix('test')}7MRSP4X3IAAAAC",
        "",
        BTC,
        Side.BUY,
        OrderType.LIMIT,
        Role.ENTRY,
        D(1),
        price=D(50_000),
        venue_order_id="V7",
        status=Status.OPEN,
        created_at=story.now,
    )
    story.picture(orders=(order,))


def _withdrawn(story: Story) -> None:
    story.picture({"USD": D(1_000_000), "BTC": D(2)})
    story.ask(i.Resolve(id="r", subject="BTC", action=i.Settlement.FORGET))
    for _ in range(3):
        story.wait(10)
        story.picture({"USD": D(1_000_000), "BTC": D(1)})


def _held_back(reason: str) -> Tale:
    def tale(story: Story) -> None:
        story.opened()
        stop = story.order("stop")
        story.tell(
            r.HeldBack(
                stop.client_order_id,
                "submit",
                reason,
                "the venue shows nothing",
                story.now,
                final=False,
            )
        )

    return tale


def _without_price(story: Story) -> None:
    story.picture({"USD": D(1_000_000), "KFEE": D(5)})
    story.ask(i.Resolve(id="s", subject="KFEE", action=i.Settlement.FORGET))
    story.wait(1)


def _filled_entry(story: Story) -> Order:
    position = story.opened("0.5")
    return next(order for order in story.state.ended.values() if order.position == position.id)


def _fired(story: Story) -> None:
    story.opened()
    story.tell(r.Triggered(story.order("stop").client_order_id, story.now))
    story.wait(21)


def _coins_held(story: Story) -> None:
    position = story.opened("0.5", stop=None)
    theirs = Order(
        "web",
        "",
        BTC,
        Side.SELL,
        LIMIT,
        Role.ENTRY,
        D("0.4"),
        price=D(90_000),
        venue_order_id="O1",
        status=Status.OPEN,
        foreign=True,
    )
    story.now += SECOND
    story.picture(orders=(theirs,))
    story.ask(i.ClosePosition(id="c", position=position.id))


def _doubt_old(story: Story) -> None:
    story.buy()
    story.tell(r.Unknown(story.order("entry").client_order_id, "submit", "no answer", story.now))
    story.wait(31)


def _foreign_trades(story: Story) -> None:
    story.opened("0.5", stop=None, leverage=D(2))
    story.now += SECOND
    fill = Fill(
        "F1", "web", ETH, Side.BUY, D(3_000), D(1), D(30), "USD", Liquidity.TAKER, story.now
    )
    story.now += SECOND
    story.picture({"USD": story.money()["USD"] - 30}, fills=(fill,))


STORIES: dict[str, Tale] = {
    "NAKED": lambda story: story.opened(stop=None),
    "PARTIAL_STOP": _partial,
    "STOP_REFUSED": _rejected_stop,
    "STOP_NOT_FIRING": _not_firing,
    "OVER_CLOSED": _over_closed,
    "UNKNOWN_OUTCOME": _unknown_outcome,
    "STOP_UNFILLED": _fired,
    "COINS_HELD": _coins_held,
    "DOUBT_OLD": _doubt_old,
    "EXCESS_FILL": lambda story: story.fill(story.now_of(_filled_entry(story)), "0.5"),
    "ORDER_REJECTED": _rejected,
    "AMEND_REFUSED": _amend_refused,
    "CANCEL_REFUSED": _cancel_refused,
    "ILLEGAL_REPORT": _illegal,
    "UNKNOWN_ORDER": _unknown_order,
    "FOREIGN_ORDER": _foreign,
    "FOREIGN_TRADES": _foreign_trades,
    "DIFFERENCE": lambda story: story.picture({"USD": D(1)}),
    "SUSPICIOUS_FILL": _suspicious,
    "DUST": _dust,
    "STALE_PRICE": _stale,
    "LIQUIDATION_NEAR": _near,
    "LIQUIDATED": _liquidated,
    "LOCKOUT": _lockout,
    "LOSS_USED": _loss_used,
    "PRICE_ALERT": _price_reached,
    "BREAKER": _trouble("BREAKER"),
    "UNHEARD": _unheard,
    "UNWATCHED": _unwatched,
    "DISCONNECTED": lambda story: story.tell(r.Disconnected("broken", story.now)),
    "JOURNAL_FAILING": _trouble("JOURNAL_FAILING"),
    "LEASE_LOST": _trouble("LEASE_LOST"),
    "LEASE_WANTED": _trouble("LEASE_WANTED"),
    "LOOKING": _trouble("LOOKING"),
    "TASK_DIED": _trouble("TASK_DIED"),
    "OUTLET_FAILING": _trouble("OUTLET_FAILING"),
    "TERMINAL_STALLED": _trouble("TERMINAL_STALLED"),
    "SCREEN_FAILED": _trouble("SCREEN_FAILED"),
    "CLOSE_STUCK": _stuck,
    "RATE_LIMITED": lambda story: story.tell(RateLimited("slow down")),
    "HELD_BACK": _held_back("size"),
    "SENT_ON_BOOKS": _held_back("books"),
    "CLOSE_UNFILLED": _unfilled,
    "UNEXPLAINED": lambda story: story.tell(SetBack("an older copy")),
    "SECOND_ENGINE": _second_engine,
    "EMERGENCY_EXIT": lambda story: story.tell(
        Marked("one", (MarkedOrder("FOX", BTC, Side.SELL, D(1), story.now),))
    ),
    "WITHDRAWN": _withdrawn,
    "NONCE": _trouble("NONCE"),
    "MARKET_CLOSED": lambda story: story.tell(r.MarketMode(BTC, "post_only", False, story.now)),
    "ROW_SKIPPED": _trouble("ROW_SKIPPED"),
    "FEED_REFUSED": _trouble("FEED_REFUSED"),
    "LINE_FLAPS": _trouble("LINE_FLAPS"),
    "CLOCK": _trouble("CLOCK"),
    "FEE_UNKNOWN": _trouble("FEE_UNKNOWN"),
    "FLATTENED": _flattened,
    "UNPRICED": _without_price,
    "UNPRICED_FEE": _unpriced,
}


@pytest.mark.parametrize("code", sorted(set(ALERTS) - NOBODY))
def test_each_alert_is_raised_by_a_story(code: str) -> None:
    story = Story()
    STORIES[code](story)
    assert code in story.told()
    for alert in (*story.state.alerts.values(), *story.state.ended_alerts):
        assert alert.text
        assert "{" not in alert.text
    severity = ALERTS[code][0]
    if severity is not Severity.INFO and code in story.standing():
        words = next(alert.text for alert in story.state.alerts.values() if alert.code == code)
        assert words in story.spoken, "what is not just INFO is said aloud"
    story.replays()


def test_an_alert_stands_until_it_is_cured_or_read() -> None:
    critical, warning = Alert("NAKED", "x", "", 1), Alert("RATE_LIMITED", "x", "", 1)
    assert critical.stands
    assert warning.stands
    assert replace(critical, acknowledged_at=2).stands
    assert not replace(critical, cured_at=2).stands
    assert not replace(warning, acknowledged_at=2).stands
    assert (critical.key, replace(critical, target="p").key) == ("NAKED:x", "NAKED:p")
