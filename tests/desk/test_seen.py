"""What you saw is what you send: the desk holds a picture against the market that it has."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk import preview
from engine.desk.rules import LadderRules, Rules
from engine.model import intent as i
from engine.model.order import OrderType
from engine.model.request import Submit
from engine.model.side import Side
from tests.support.world import BTC, ETH, SECOND, Story, codes

D = Decimal
TICK = D("0.1")
MOVES = list(range(-50, 51))


def picture(story: Story, serial: int = 1) -> i.Seen:
    quote = story.board.quote(BTC)
    assert quote is not None
    return i.Seen(BTC, serial, story.now, quote.bid, quote.ask)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("anchor", [i.Anchor.JOIN, i.Anchor.IMPROVE])
def test_no_order_leaves_outside_the_drift(side: Side, anchor: i.Anchor) -> None:
    for ticks in MOVES:
        story = Story()
        saw = picture(story)
        moved = saw.bid + ticks * TICK
        story.price(BTC, str(moved), str(moved + TICK))
        told = i.Anchored(anchor)
        answer = story.buy("0.1", side=side, type=OrderType.LIMIT, anchored=told, seen=saw)
        assert answer.ok is (abs(ticks) <= 5), ticks
        painted = saw.bid if side is Side.BUY else saw.ask
        for sent in story.sent(Submit):
            assert sent.order.price is not None
            assert abs(sent.order.price - painted) <= 5 * TICK


@pytest.mark.parametrize("side", list(Side))
def test_a_limit_leaves_at_the_price_that_was_painted_or_not_at_all(side: Side) -> None:
    for ticks in MOVES:
        for away in (-60, -3, 0, 3):  # how far the cursor stood from the best
            story = Story()
            saw = picture(story)
            painted = saw.bid + away * TICK
            moved = saw.bid + ticks * TICK
            story.price(BTC, str(moved), str(moved + TICK))
            story.buy("0.1", side=side, type=OrderType.LIMIT, price=painted, seen=saw)
            for sent in story.sent(Submit):
                assert sent.order.price == painted
                assert abs(ticks) <= 5


def test_either_best_that_moved_is_enough() -> None:
    story = Story()
    saw = picture(story)
    story.price(BTC, "60000", "60000.7")
    assert codes([story.buy("0.1", seen=saw)]) == {"MARKET_MOVED"}
    assert story.buy("0.1", seen=picture(story)).ok


@pytest.mark.parametrize(
    ("milliseconds", "speed", "ok"),
    [(500, 1, True), (501, 1, False), (-501, 1, False), (5_000, 10, True), (5_001, 10, False)],
)
def test_a_picture_is_believed_for_half_a_second_of_a_persons_time(
    milliseconds: int, speed: float, ok: bool
) -> None:
    story = Story()
    story.board.speed = speed
    saw = replace(picture(story), at=story.now - milliseconds * SECOND // 1000)
    assert story.buy("0.1", seen=saw).ok is ok


def test_the_settings_say_how_much_is_too_much() -> None:
    story = Story(rules=Rules(ladder=LadderRules(drift=0, max_age=0.1)))
    saw = picture(story)
    assert story.buy("0.1", seen=saw).ok
    story.price(BTC, "60000.1")
    (refused,) = story.buy("0.1", seen=saw).refusals
    assert refused.text == (
        "the market moved 1 ticks since the ladder that you saw; the limit is 0 (ladder.drift):"
        " look again"
    )


def test_a_limit_may_cross_by_the_spread_and_not_by_more() -> None:
    story = Story()
    story.price(BTC, "60000", "60001")
    for price, ok in (("60002", True), ("60002.1", False)):
        answer = story.buy("0.1", type=OrderType.LIMIT, price=D(price), seen=picture(story))
        assert answer.ok is ok
    assert story.buy("0.1", type=OrderType.LIMIT, price=D(60_003)).ok, "nobody said what he saw"


def test_an_entry_that_is_moved_by_hand_does_not_cross_either() -> None:
    story = Story()
    assert story.buy("0.1", type=OrderType.LIMIT, price=D(59_000)).ok
    order = story.order("entry")
    story.accept(order)
    moved = i.AmendOrder(
        id=story.name(), order=order.client_order_id, price=D(60_010), seen=picture(story)
    )
    assert codes([story.ask(moved)]) == {"WOULD_CROSS"}
    assert story.ask(replace(moved, id=story.name(), price=D(59_990))).ok


def test_a_preview_says_what_the_order_would_be_told() -> None:
    story = Story()
    saw = picture(story)
    story.price(BTC, "60010")
    entry = i.OpenBracket(
        id="x", symbol=BTC, side=Side.BUY, size=i.Base(D("0.1")), stop=i.Away(D("0.01")), seen=saw
    )
    assert [one.code for one in preview(story.ctx, entry).refusals] == ["MARKET_MOVED"]


def test_what_closes_is_held_against_its_own_market() -> None:
    story = Story()
    position = story.opened("0.5")
    saw = picture(story)
    story.price(ETH, "3900")
    close = i.ClosePosition(id=story.name(), position=position.id, seen=saw)
    story.price(BTC, "60001")
    assert codes([story.ask(close)]) == {"MARKET_MOVED"}
    assert story.ask(replace(close, id=story.name(), seen=picture(story))).ok


def test_a_picture_of_what_is_not_traded_sends_nothing() -> None:
    story = Story()
    saw = replace(picture(story), symbol="NO/SUCH")
    assert codes([story.buy("0.1", seen=saw)]) == {"UNKNOWN_SYMBOL"}
