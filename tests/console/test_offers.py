"""What an intent would do is asked beside the screen: keys go on while the engine has not answered,
and an enter confirms only what was shown.
"""

import asyncio

import pytest

from engine.model.intent import At, MoveStop
from engine.session import Query, Told
from engine.session.messages import Try
from tests.console.conftest import Stage
from tui.flows.dialog import ASKING


def slow(stage: Stage) -> asyncio.Event:
    """The engine answers what an intent would do only once this is set."""
    gate, query = asyncio.Event(), stage.session.query

    async def later(asked: Query) -> Told:
        if isinstance(asked, Try):
            await gate.wait()
        return await query(asked)

    stage.session.query = later  # type: ignore[method-assign, assignment]
    return gate


async def test_an_enter_before_the_card_confirms_once_the_card_is_there(stage: Stage) -> None:
    gate = slow(stage)
    await stage.open("m")
    await stage.shows("asking the engine …")
    await stage.press("up", "enter")
    await stage.shows(ASKING)
    assert stage.asked == [], "nothing was shown yet"
    gate.set()
    intent = await stage.one_asked()
    assert isinstance(intent, MoveStop)
    assert isinstance(intent.stop, At)


async def test_what_is_changed_after_such_an_enter_is_not_confirmed_by_it(stage: Stage) -> None:
    gate = slow(stage)
    await stage.open("m")
    await stage.press("up", "enter")
    await stage.shows(ASKING)
    await stage.press("up")
    gate.set()
    await stage.shows("60,796.2")
    assert stage.asked == []


async def test_a_wider_stop_is_never_sent_by_an_enter_that_came_before_its_card(
    stage: Stage,
) -> None:
    gate = slow(stage)
    await stage.open("m")
    await stage.press("shift+down", "enter")
    gate.set()
    await stage.shows("needs a reason: type it")
    assert stage.asked == []


@pytest.mark.parametrize("key", ["x", "v", "C"])
async def test_enter_sends_nothing_before_the_engine_said_what_it_would_do(
    stage: Stage, key: str
) -> None:
    gate = slow(stage)
    await stage.open(key)
    await stage.press("enter")
    await stage.shows(ASKING)
    assert stage.asked == []
    gate.set()
    await stage.one_asked()


async def test_a_card_that_can_not_be_made_holds_up_no_close(stage: Stage) -> None:
    async def failing(asked: Query) -> Told:
        if isinstance(asked, Try):
            raise KeyError("no such book")
        return await query(asked)

    query = stage.session.query
    stage.session.query = failing  # type: ignore[method-assign, assignment]
    await stage.open("x")
    await stage.shows("can't say what it would do")
    await stage.press("enter")
    await stage.one_asked()
