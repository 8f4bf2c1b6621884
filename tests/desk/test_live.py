"""A live account takes entries once its own name was typed, in every session; what protects works
all the time.
"""

from engine.desk.context import LOOKING
from engine.desk.messages import Trouble
from engine.model import intent as i
from engine.model.request import Submit
from tests.support.world import Story

LOOKS = Trouble(LOOKING, "test", "entries wait for :live and its name, test", blocks=True)


def test_nothing_opens_before_the_name_was_typed() -> None:
    story = Story()
    story.tell(LOOKS)
    assert [refusal.code for refusal in story.buy("0.1").refusals] == ["ENTRIES_BLOCKED"]
    assert story.ask(i.GoLive(id="live", account="test")).ok
    assert LOOKING not in story.standing()
    assert story.buy("0.1").ok


def test_another_name_opens_nothing() -> None:
    story = Story()
    story.tell(LOOKS)
    assert not story.ask(i.GoLive(id="live", account="Test")).ok
    assert not story.buy("0.1").ok


def test_what_is_held_can_be_closed_while_looking() -> None:
    story = Story()
    position = story.opened("0.5")
    story.tell(LOOKS)
    story.ask(i.ClosePosition(id="c", position=position.id))
    story.cancelled(story.order("stop"))
    assert story.sent(Submit)[-1].order.role.value == "close"


def test_resume_does_not_stand_in_for_the_name() -> None:
    story = Story()
    story.tell(LOOKS)
    assert [refusal.code for refusal in story.ask(i.Resume(id="r", reason=LOOKING)).refusals] == [
        "NOT_RESUMABLE"
    ]
