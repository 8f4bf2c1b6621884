"""The venue changes the steps of a symbol while something is held: what is to be sent is moved onto
them, and is sent at once.
"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.model import intent as i
from engine.model import report as r
from tests.support.world import BTC, Story

D = Decimal
pytestmark = pytest.mark.hazard("H21")
MISFIT = "EOrder:Invalid price:BTC/USD price can only be specified up to 0 decimals."


def _relist(story: Story, tick: str) -> None:
    known = story.state.instruments[BTC]
    story.tell(r.Relisted(replace(known, tick=D(tick)), story.now))


def test_a_stop_that_was_refused_for_its_digits_goes_out_at_once_where_it_fits() -> None:
    story = Story()
    story.buy(stop=i.At(D("59000.7")))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry)
    story.rejected(story.order("stop"), MISFIT)
    assert not story.orders("stop")
    _relist(story, "1")
    stop = story.order("stop")
    assert stop.trigger == D("59001"), "never further from the entry"
    assert story.position().stop == D("59001")
    story.accept(stop)
    assert "STOP_REFUSED" not in story.standing()
    story.replays()


def test_what_rests_is_moved_onto_the_steps_and_what_fits_stays() -> None:
    story = Story("kraken-futures")
    story.opened(
        stop=i.At(D("59000")),
        target=i.At(D("63000.5")),
        partials=(i.PartialTarget(i.At(D("61000.5")), D("0.5")),),
    )
    stops = story.orders("stop")
    _relist(story, "1")
    position = story.position()
    assert story.orders("stop") == stops, "it fits"
    assert (position.stop, position.target) == (D("59000"), D("63000"))
    assert [goal.price for goal in position.goals] == [D("61000")]
    assert {amend.price for amend in story.seen(e.AmendAsked)} == {D("63000"), D("61000")}
    story.replays()


def test_a_close_is_bounded_by_the_new_steps() -> None:
    story = Story()
    name = story.opened().id
    _relist(story, "10")
    story.ask(i.ClosePosition(id="c", position=name))
    for stop in story.orders("stop"):
        story.cancelled(stop)
    close = story.order("close")
    assert close.price is not None
    assert close.price % 10 == 0


def test_what_has_not_changed_is_no_event() -> None:
    story = Story()
    story.opened()
    seen = len(story.seen(e.InstrumentListed))
    story.tell(r.Relisted(story.state.instruments[BTC], story.now))
    assert len(story.seen(e.InstrumentListed)) == seen
    assert not story.seen(e.AmendAsked)


@pytest.mark.hazard("H99")
def test_what_is_held_does_not_become_dust_when_the_smallest_order_grows() -> None:
    story = Story()
    name = story.opened("0.1").id
    known = story.state.instruments[BTC]
    story.tell(r.Relisted(replace(known, min_size=D("0.5")), story.now))
    story.ask(i.ClosePosition(id="c", position=name))
    for stop in story.orders("stop"):
        story.cancelled(stop)
    assert story.position().size == D("0.1"), "it is held all the same"
    story.fill(story.order("close"))
    story.tell(r.Relisted(replace(known, min_size=D("0.5")), story.now))
    assert story.state.instruments[BTC].min_size == D("0.5"), "nothing is held any more"
    story.replays()
