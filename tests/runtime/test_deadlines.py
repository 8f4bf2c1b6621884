"""An intent that carries a deadline, and one that is withdrawn: what was asked of a process that
hung does not happen once it wakes.
"""

from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.clock import SECOND
from engine.model import intent as i
from tests.support.world import World, codes, play


@pytest.mark.hazard("H73")
def test_an_intent_that_is_taken_after_its_deadline_does_nothing(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await world.opened()
        flatten = i.Flatten(id="late", not_after=world.clock.now() + 3 * SECOND)
        world.clock.hang(10 * SECOND)
        answer = await world.ask(flatten)
        assert codes([answer]) == {"EXPIRED"}
        assert "7." in answer.refusals[0].text, answer.refusals
        await world.wait(20)
        assert world.held > 0
        assert world.state.flatten is None

    play(tale, tmp_path)


@pytest.mark.hazard("H73")
def test_a_repeat_gets_its_first_answer_also_after_its_deadline(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await world.opened()
        flatten = i.Flatten(id="once", not_after=world.clock.now() + 3 * SECOND)
        assert (await world.ask(flatten)).ok
        await world.wait(10)
        again = await world.ask(flatten)
        assert again.ok
        assert again.repeated

    play(tale, tmp_path)


@pytest.mark.hazard("H73")
@pytest.mark.parametrize("crash", [False, True])
def test_what_was_withdrawn_is_refused_for_ever(tmp_path: Path, crash: bool) -> None:
    async def tale(world: World) -> None:
        await world.opened()
        flatten = i.Flatten(id="back")
        assert (await world.ask(i.Withdraw(id="w", asked="back"))).ok
        await world.restart(crash=crash)
        assert codes([await world.ask(flatten)]) == {"WITHDRAWN"}
        assert world.state.flatten is None

    play(tale, tmp_path)


@pytest.mark.hazard("H73")
def test_what_was_answered_cannot_be_withdrawn_and_its_answer_is_told(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await world.opened()
        first = await world.ask(i.Flatten(id="done"))
        told = await world.ask(i.Withdraw(id="w", asked="done"))
        assert codes([told]) == {"TOO_LATE"}
        assert first.text in told.refusals[0].text
        assert (await world.ask(replace(i.Flatten(id="done"), not_after=1))).repeated

    play(tale, tmp_path)
