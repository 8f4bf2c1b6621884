"""Previews say what would happen, in numbers, and change nothing."""

from decimal import Decimal
from typing import Any

from engine.desk.previews import preview
from engine.desk.state import encode_state
from engine.desk.views import Views
from engine.model import intent as i
from engine.model.order import OrderType, Trail
from engine.model.side import Side
from engine.model.view import Preview
from tests.support.world import Story

D = Decimal


def lines(preview: Any) -> dict[str, tuple[str, str]]:
    return {line.name: (line.before, line.after) for line in preview.lines}


def previewed(story: Story, intent: i.AnyIntent) -> Preview:
    """A preview, and the promise that it changed nothing."""
    before = encode_state(story.state)
    told = preview(story.ctx, intent)
    assert encode_state(story.state) == before
    return told


def bracket(**terms: Any) -> i.OpenBracket:
    defaults: dict[str, Any] = {
        "id": "p",
        "symbol": "BTC/USD",
        "side": Side.BUY,
        "size": i.Base(D("0.5")),
        "stop": i.Away(D("0.01")),
    }
    return i.OpenBracket(**{**defaults, **terms})


def test_a_ticket() -> None:
    s = Story()
    told = previewed(s, bracket(target=i.Away(D("0.02"))))
    seen = lines(told)
    assert told.refusals == ()
    assert seen["size"][1] == "0.5 = 30,000.05 USD"
    assert seen["entry fee"][1].startswith("120.00 USD, taker")
    assert seen["risk (1R)"][1].startswith("538.80 USD at 59,400.1")
    assert "0.66R" in seen["reward"][1]
    assert any("watched here" in warning for warning in told.warnings)


def test_a_ticket_warns_and_refuses_in_words() -> None:
    s = Story()
    told = previewed(s, bracket(size=i.Base(D("12")), stop=None))
    assert any("NAKED" in warning for warning in told.warnings)
    assert any("displayed" in warning for warning in told.warnings)
    told = previewed(s, bracket(size=i.Base(D("0.00006")), stop=i.Away(D("0.01"))))
    assert any("neither protected nor closed" in warning for warning in told.warnings)
    assert previewed(s, bracket(symbol="NO/SUCH")).refusals[0].code == "UNKNOWN_SYMBOL"
    assert previewed(s, bracket(type=OrderType.LIMIT, price=D(59_000))).refusals == ()


def test_moving_a_stop() -> None:
    s = Story()
    p = s.opened()
    tighter = previewed(s, i.MoveStop(id="m", position=p.id, stop=i.At(D("59700"))))
    assert not tighter.looser
    assert lines(tighter)["stop"][1] == "59,700"
    assert tighter.suggestion is None
    wider = previewed(s, i.MoveStop(id="m", position=p.id, stop=i.At(D("59000"))))
    assert wider.looser
    off = previewed(s, i.MoveStop(id="m", position=p.id, stop=i.At(D("59700.05"))))
    assert off.suggestion == D("59700.1")
    assert off.refusals[0].code == "STOP_OFF_TICK"
    gone = previewed(s, i.MoveStop(id="m", position=p.id, stop=None))
    assert gone.looser
    assert lines(gone)["at stop"][1] == "UNBOUNDED"
    assert previewed(s, i.MoveStop(id="m", position="none", stop=None)).refusals
    assert previewed(s, i.BreakEven(id="b", position=p.id)).refusals[0].code == "STOP_WOULD_FIRE"
    assert previewed(s, i.BreakEven(id="b", position="none")).refusals


def test_closing_reversing_flattening() -> None:
    s = Story()
    p = s.opened()
    closing = lines(previewed(s, i.ClosePosition(id="c", position=p.id, part=D("0.5"))))
    assert closing["proceeds"][1] == "15,000.00 USD at 60,000"
    assert previewed(s, i.ClosePosition(id="c", position=p.id, part=D("0.00001"))).refusals
    assert previewed(s, i.ClosePosition(id="c", position="none")).refusals
    assert "sell" in lines(previewed(s, i.Reverse(id="r", position=p.id)))["then"][1]
    assert previewed(s, i.Reverse(id="r", position="none")).refusals
    flat = lines(previewed(s, i.Flatten(id="f")))
    assert flat["close BTC/USD"][0] == "0.5"
    assert lines(previewed(s, i.Pause(id="p")))["entries"] == ("ON", "OFF: paused by the operator")
    s.board._symbols["BTC/USD"].quote = None
    s.board.moved.add("BTC/USD")
    assert (
        lines(previewed(s, i.ClosePosition(id="c", position=p.id)))["price"][1]
        == "unknown: it goes to market"
    )


def test_views_tell_it_all() -> None:
    s = Story()
    views = Views(s.desk, "paper", live=False)
    p = s.opened(target=i.Away(D("0.02")), trail=Trail(fraction=D("0.02")), note="n", tags=("t",))
    ctx = views.context(s.now)
    row = views.positions(ctx)[0]
    assert (row.symbol, row.size, row.stop, row.protection.value, row.note) == (
        "BTC/USD",
        D("0.5"),
        row.stop_wanted,
        "venue",
        "n",
    )
    assert row.stop_away is not None
    assert row.stop_away < 0
    account = views.account(ctx)
    assert account.equity == D("1000000") + p.unrealised_profit(ctx.instrument(p), row.mark or D(0))
    assert account.naked == 0
    assert [view.state for view in views.orders(ctx)] == ["open"]
    s.ask(i.Flatten(id="f"))
    ctx = views.context(s.now)
    flat = views.flatten(ctx)
    assert flat is not None
    assert flat.lines[0].state == "cancelling"
    assert views.mode(ctx)[0] == "REDUCING"
    assert views.orders(ctx)[0].state == "cancelling"
    s.cancelled(s.order("stop"))
    flat = views.flatten(views.context(s.now))
    assert flat is not None
    assert flat.lines[0].state == "closing"
    s.fill(s.order("close"), price="60000")
    s.now += 1
    s.picture()
    ctx = views.context(s.now)
    assert views.closed(ctx)[0].id == p.id
    assert views.closed(ctx)[0].reason == "flatten"
    flat = views.flatten(ctx)
    assert flat is not None
    assert flat.receipt
    assert views.mode(ctx) == ("ACTIVE", ())
    assert views.alerts(ctx)[0].code == "FLATTENED"
    assert views.feeds(ctx)[0].symbol == "BTC/USD"
