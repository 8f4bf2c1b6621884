"""Price alerts: told once when the market is there, kept over a restart, and no part of the money."""

from decimal import Decimal

import pytest

from engine.desk import codec
from engine.desk import events as e
from engine.desk.board import Board
from engine.desk.desk import Desk
from engine.desk.evolve import evolve
from engine.desk.previews import preview
from engine.desk.state import PRICE_ALERTS, State
from engine.model import intent as i
from tests.support.world import BTC, ETH, Story

D = Decimal


def waiting(story: Story, price: str, rises: bool | None = None, text: str = "") -> str:
    asked = i.SetPriceAlert(id=story.name(), symbol=BTC, price=D(price), rises=rises, text=text)
    answer = story.ask(asked)
    assert answer.ok, answer.refusals
    return answer.created


def replayed(story: Story) -> State:
    """What the journal would say."""
    state = State("test", story.state.currency)
    for event in story.events:
        evolve(state, codec.decode(codec.encode(event)))
    return state


def told(story: Story) -> list[str]:
    raised = [event.alert for event in story.seen(e.AlertRaised)]
    return [alert.text for alert in raised if alert.code == "PRICE_ALERT"]


def test_a_price_is_told_once_when_the_market_is_there() -> None:
    story = Story()
    waiting(story, "60500", text="take half")
    story.price(BTC, "60499.9", "60500.0")  # somebody asks for it; nobody pays it
    assert told(story) == []
    story.price(BTC, "60500")
    assert told(story) == ["price alert BTC/USD > 60,500: take half"]
    for price in ("60400", "60600", "60500"):
        story.price(BTC, price)
    assert len(told(story)) == 1
    assert story.state.price_alerts == {}
    story.replays()


@pytest.mark.parametrize(
    ("price", "rises", "words"), [("60500", True, ">"), ("59500", False, "<"), ("59500", None, "<")]
)
def test_from_which_side_it_comes_is_said_or_told_by_the_market(
    price: str, rises: bool | None, words: str
) -> None:
    story = Story()
    name = waiting(story, price, rises)
    assert story.state.price_alerts[name].words.startswith(words)
    story.price(BTC, "59500.1" if words == "<" else "60499.9")
    assert told(story) == []
    story.price(BTC, "59400" if words == "<" else "60600")  # a gap beyond it counts as there
    assert len(told(story)) == 1


def test_a_jump_through_several_tells_each() -> None:
    story = Story()
    for price in ("60500", "60700", "61000", "59000"):
        waiting(story, price)
    story.price(BTC, "60800")
    assert len(told(story)) == 2
    assert [alert.price for alert in story.state.price_alerts.values()] == [D(61_000), D(59_000)]


def test_a_restart_keeps_what_waits_and_forgets_what_was_told() -> None:
    story = Story()
    waiting(story, "60500")
    waiting(story, "61000")
    story.price(BTC, "60500")
    # the next process: the same state, a board that knows no price yet
    story.board = Board()
    story.desk = Desk(replayed(story), story.rules, story.profile, story.board)
    story.price(BTC, "60600")
    assert len(told(story)) == 1
    story.price(BTC, "61200")
    assert len(told(story)) == 2


def test_a_cancelled_one_is_told_to_nobody() -> None:
    story = Story()
    name = waiting(story, "60500")
    assert story.ask(i.CancelPriceAlert(id="c", alert=name)).ok
    story.price(BTC, "61000")
    assert told(story) == []
    again = story.ask(i.CancelPriceAlert(id="d", alert=name))
    assert [refusal.code for refusal in again.refusals] == ["UNKNOWN_PRICE_ALERT"]


def test_neither_a_halt_nor_a_flatten_ends_one_and_it_moves_no_money() -> None:
    story = Story()
    waiting(story, "60500")
    before = len(story.requests)
    story.ask(i.Halt(id="h"))
    story.ask(i.Flatten(id="f"))
    asked = len(story.requests)
    story.price(BTC, "61000")
    assert len(told(story)) == 1
    assert len(story.requests) == asked >= before


def test_its_number_is_that_of_no_order() -> None:
    story = Story()
    waiting(story, "60500")
    story.opened()
    waiting(story, "61000")
    numbers = [one.number for one in story.state.price_alerts.values()]
    numbers += story.state.numbers.values()
    assert len(numbers) == len(set(numbers))
    story.replays()


def test_the_card_says_what_is_waited_for() -> None:
    story = Story()
    asked = i.SetPriceAlert(id="a", symbol=BTC, price=D(60_500), text="half")
    card = preview(story.ctx, asked)
    assert card.refusals == ()
    assert any("> 60,500: half" in line.after for line in card.lines)
    name = waiting(story, "60500")
    card = preview(story.ctx, i.CancelPriceAlert(id="b", alert=name))
    assert card.refusals == ()


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"price": D(60_000), "rises": True}, "ALERT_REACHED"),
        ({"price": D(60_001), "rises": False}, "ALERT_REACHED"),
        ({"price": D(0)}, "NOT_A_NUMBER"),
        ({"price": D("NaN")}, "NOT_A_NUMBER"),
        ({"symbol": "DOGE/USD"}, "UNKNOWN_SYMBOL"),
        ({"symbol": "XRP/BTC"}, "NO_PRICE"),
    ],
)
def test_what_can_not_be_waited_for_is_refused_with_words(
    terms: dict[str, object], code: str
) -> None:
    story = Story()
    asked = {"id": "a", "symbol": BTC, "price": D(60_500), **terms}
    answer = story.ask(i.SetPriceAlert(**asked))  # type: ignore[arg-type]  # a table of cases
    assert [refusal.code for refusal in answer.refusals] == [code]
    assert story.state.price_alerts == {}


@pytest.mark.hazard("H62")
def test_there_is_a_most_of_them() -> None:
    story = Story()
    for number in range(PRICE_ALERTS):
        story.ask(i.SetPriceAlert(id=f"a{number}", symbol=ETH, price=D(4_000 + number)))
    answer = story.ask(i.SetPriceAlert(id="more", symbol=ETH, price=D(9_000)))
    assert [refusal.code for refusal in answer.refusals] == ["TOO_MANY_ALERTS"]
    assert len(story.state.price_alerts) == PRICE_ALERTS
