"""A close of a size is that size, whatever was held when it was said."""

from decimal import Decimal

import pytest

from engine.desk.previews import preview
from engine.model import intent as i
from engine.model.order import OrderType
from tests.support.world import Story, codes

D = Decimal


@pytest.mark.parametrize(
    ("later", "size", "closes"),
    [("0.6", "0.2", "0.2"), (None, "0.2", "0.2"), (None, "0.4", "0.4"), (None, "0.9", "0.4")],
)
def test_a_close_of_a_size_takes_no_share_of_what_came_meanwhile(
    later: str | None, size: str, closes: str
) -> None:
    story = Story("kraken-futures")
    story.buy("1", type=OrderType.LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.4")
    if later is not None:
        story.fill(entry, later)
    intent = i.ClosePosition(id="c", position=story.position().id, size=D(size))
    told = preview(story.ctx, intent)
    assert told.title == f"Close {closes} BTC/USD"
    assert story.ask(intent).ok
    assert story.position().closing == D(closes)
    story.replays()


def test_a_size_that_is_none_closes_nothing() -> None:
    story = Story("kraken-futures")
    name = story.opened("0.4").id
    for size in ("0", "-1", "NaN"):
        answer = story.ask(i.ClosePosition(id=f"c{size}", position=name, size=D(size)))
        assert codes([answer]) == {"NOT_A_NUMBER"}
    assert codes([story.ask(i.ClosePosition(id="c", position=name, size=D("0.00001")))]) == {
        "PART_TOO_SMALL"
    }
    assert not story.position().closing
