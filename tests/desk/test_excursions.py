"""How far a position went: on the side that it could have been closed at, journaled so that a
restart loses nothing; and fees, valued once.
"""

from decimal import Decimal

import pytest

from engine.desk import events as e
from engine.desk.evolve import evolve
from engine.desk.messages import Pulse
from engine.desk.state import State
from engine.model.side import Side
from tests.support.world import BTC, SECOND, Story

D = Decimal
hazard = pytest.mark.hazard("H127")


@hazard
@pytest.mark.parametrize(
    ("side", "wanted"),
    [
        # the bid of the highest quote, and of the lowest
        (Side.BUY, (D(59_500), D(60_700))),
        # the asks
        (Side.SELL, (D(59_550), D(60_800))),
    ],
)
def test_excursions_are_on_the_side_that_one_could_have_closed_at(
    side: Side, wanted: tuple[Decimal, Decimal]
) -> None:
    story = Story("kraken-futures")
    position = story.opened(side=side, stop=None)
    story.price(BTC, "60700", "60800")
    story.price(BTC, "59500", "59550")
    assert story.ctx.extremes(story.position()) == wanted
    instrument = story.state.instruments[position.symbol]
    story.now += SECOND
    story.tell(Pulse())
    adverse, favourable = story.position().excursions(instrument)
    low, high = 60_000 - wanted[0], wanted[1] - 60_000
    assert (adverse, favourable) == ((low, high) if side is Side.BUY else (high, low))


@hazard
def test_a_restart_loses_no_more_than_the_second_that_was_not_over() -> None:
    story = Story("kraken-futures")
    story.opened(stop=None)
    for price in ("60700", "59500", "60100"):
        story.price(BTC, price)
    story.now += SECOND
    story.tell(Pulse())
    again = State("test", story.state.currency)
    for event in story.events:
        evolve(again, event)
    (position,) = again.positions.values()
    assert (position.lowest, position.highest) == (D(59_500), D(60_700))
    story.price(BTC, "60200")  # no further than it was
    story.now += SECOND
    story.tell(Pulse())
    assert story.seen(e.Sampled)[-1].extremes == {}, "nothing is journaled that is no news"


@hazard
def test_a_fee_in_coins_is_valued_once_at_the_price_of_its_fill() -> None:
    story = Story("binance-spot")
    answer = story.buy("0.5", stop=None)
    assert answer.ok, answer.refusals
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, fee="0.0005", currency="BTC")
    told = story.views.account(story.ctx).fees
    assert told == D(30), "0.0005 at 60000"
    story.price(BTC, "90000")
    assert story.views.account(story.ctx).fees == told
    assert story.position().fee_value == told
