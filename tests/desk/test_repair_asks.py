"""An over-close that the venue does not confirm is asked about with growing pauses: a question costs tokens that exits need."""

from decimal import Decimal

from engine.model.report import Filled
from engine.model.request import QueryAccount
from tests.support.world import BTC, Story


def _over_closed() -> Story:
    """A futures position that two exits closed, beside somebody else's holding, which hides the excess."""
    story = Story("kraken-futures")
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
