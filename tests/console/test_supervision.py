"""What goes wrong behind the screen is said on it, and the keys go on working."""

import asyncio

from engine.model.alert import Alert
from engine.model.intent import Flatten
from tests.console.conftest import Stage
from tests.console.sample import T0


async def test_an_engine_that_fails_is_a_banner_and_flatten_still_works(stage: Stage) -> None:
    stage.session.broken = "division by [zero]"
    await stage.frames(0.3)
    assert "engine stopped: division by [zero]. flatten still works: run `flatout flatten --yes`" in stage.text
    await stage.open("F")
    await stage.type("FLATTEN")
    await stage.press("enter")
    assert isinstance(stage.asked[0], Flatten)
    stage.session.broken = ""
    await stage.press("escape")
    await stage.frames(0.2)
    assert "engine stopped" not in stage.text


async def test_a_stray_task_that_fails_is_said(stage: Stage) -> None:
    async def fail() -> None:
        raise RuntimeError("lost in a task")

    task = asyncio.get_running_loop().create_task(fail())
    await stage.frames(0.1)
    del task
    import gc

    gc.collect()
    await stage.frames(0.2)
    assert "lost in a task" in stage.text


async def test_a_preview_that_fails_is_said_in_the_dialog(stage: Stage) -> None:
    def preview(intent: object) -> object:
        raise KeyError("no such book")

    stage.session.preview = preview  # type: ignore[method-assign, assignment]
    await stage.open("x")
    assert "can't say what it would do" in stage.text
    await stage.press("escape")
    assert stage.app.screen is stage.app.main


async def test_a_dead_part_of_the_engine_is_said(stage: Stage) -> None:
    stage.session.alerts.insert(0, Alert("TASK_DIED", "stream", "EOFError", T0))
    await stage.frames(0.3)
    assert "a part of the engine died: stream: EOFError" in stage.text.splitlines()[0]
