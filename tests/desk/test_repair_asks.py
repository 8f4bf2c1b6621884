"""What was closed twice is undone on the venue's own word: once for each picture that shows it,
within a bound, and on cash never (H78).

An over-close that the venue does not confirm is asked about with growing pauses: a question costs
tokens that exits need.
"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk.rules import ProtectionRules, Rules
from engine.model import intent as i
from engine.model.order import Order, Role
from engine.model.report import Filled
from engine.model.request import QueryAccount, Submit
from engine.model.side import Side
from engine.venues.profiles import load_profile
from tests.support.world import BTC, SECOND, Story

D = Decimal
FUTURES = "kraken-futures"


def _over_closed(rules: Rules | None = None) -> Story:
    """A futures position that two exits closed, beside somebody else's holding, which hides the
    excess.
    """
    story = Story(FUTURES, rules)
    position = story.opened("0.5")
    stop = story.order("stop")
    story.board.picture = None
    story.fill(stop, price="59400")
    story.now += 1
    late = story.fill_of(stop, "0.3", price="59400")
    story.requests.clear()
    story.tell(Filled(late, story.now))
    story.confirm(late)
    assert story.state.positions[position.id].size < 0
    return story


def test_each_picture_that_shows_no_excess_does_not_lead_to_another_question() -> None:
    story = _over_closed()
    assert len(story.sent(QueryAccount)) == 1
    for _ in range(50):  # the answer comes at once, and shows what somebody else holds
        story.now += 30_000_000
        story.picture(net={BTC: Decimal(2)})
    assert len(story.sent(QueryAccount)) <= 3


def test_it_is_asked_again_later() -> None:
    story = _over_closed()
    for _ in range(60):
        story.wait(1)
        story.picture(net={BTC: Decimal(2)})
    assert len(story.sent(QueryAccount)) >= 3


# What is sent, and how often


def repairs(story: Story) -> list[Order]:
    return [submit.order for submit in story.sent(Submit) if submit.order.role is Role.CLOSE]


@pytest.mark.hazard("H78")
def test_one_picture_is_the_witness_of_one_repair() -> None:
    story = _over_closed()
    story.wait(20)
    assert not repairs(story), "only our own count says that more was closed than was held"
    story.picture()
    (first,) = repairs(story)
    assert (first.side, first.size) == (Side.BUY, D("0.3"))
    story.accept(first)
    story.cancelled(first, "no liquidity")
    story.wait(30)
    assert repairs(story) == [first], "what it did is in no picture yet"
    assert len(story.sent(QueryAccount)) > 1
    story.picture(as_of=story.now - 31 * SECOND)
    story.wait(10)
    assert repairs(story) == [first], "nor in one from before its end"
    story.picture()
    assert [order.size for order in repairs(story)] == [D("0.3"), D("0.3")], (
        "the venue still shows it short"
    )
    story.replays()


@pytest.mark.hazard("H78")
def test_a_repair_that_filled_unheard_is_not_sent_again() -> None:
    story = _over_closed()
    story.witness()
    (first,) = repairs(story)
    story.accept(first)
    story.cancelled(first, "no liquidity")
    story.wait(5)
    story.picture(net={BTC: D(0)})
    story.wait(10)
    assert repairs(story) == [first], "the venue owes nothing: it has filled, whatever was told"


@pytest.mark.hazard("H78")
def test_a_repair_is_bounded_whatever_the_settings_say_of_closes() -> None:
    story = _over_closed(Rules(protection=ProtectionRules(any_price=True)))
    (position,) = story.state.positions.values()
    story.state.positions[position.id] = replace(position, misses=9)
    story.witness()
    (first,) = repairs(story)
    assert first.price is not None


@pytest.mark.hazard("H78")
@pytest.mark.parametrize("left", ["0.7", "1", "0.2", "0"])
def test_on_cash_there_is_nothing_to_undo(left: str) -> None:
    """A whole coin of the owner's own lies beside ours, and the stop is told to have sold 0.3 too
    many: nothing is bought, whatever the balance.
    """
    story = Story(load_profile("kraken-spot"))
    story.now += 20 * SECOND
    story.picture({**story.money(), "BTC": D(1)})
    assert story.ask(i.Resolve(id="own", subject="BTC", action=i.Settlement.FORGET)).ok
    story.now += SECOND
    story.opened("0.5")
    stop = story.order("stop")
    story.fill(stop, price="59400")
    sent = len(story.sent(Submit))
    story.fill(stop, "0.3", price="59400")
    for _ in range(4):
        story.wait(20)
        story.picture({**story.money(), "BTC": D(left)})
    assert len(story.sent(Submit)) == sent
    told = "DIFFERENCE" in story.standing() or "WITHDRAWN" in story.told()
    assert told is (left != "0.7"), "what is not explained is told"
    story.replays()
