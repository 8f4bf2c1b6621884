"""What goes wrong behind the screen is said on it, and the keys go on working."""

import asyncio

from engine.model.alert import Alert
from engine.model.intent import Flatten
from tests.console.conftest import Stage
from tests.console.sample import T0


async def test_an_engine_that_fails_is_a_banner_and_flatten_still_works(stage: Stage) -> None:
    stage.session.broken = "division by [zero]"
    await stage.frames(0.3)
    await stage.shows(
        "engine stopped: division by [zero]. flatten still works: run `flatout flatten --yes`"
    )
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
    await stage.shows("lost in a task")


async def test_a_preview_that_fails_is_said_in_the_dialog(stage: Stage) -> None:
    def preview(intent: object) -> object:
        raise KeyError("no such book")

    stage.session.preview = preview  # type: ignore[method-assign, assignment]
    await stage.open("x")
    await stage.shows("can't say what it would do")
    await stage.press("escape")
    assert stage.app.screen is stage.app.main


async def test_a_dead_part_of_the_engine_is_said(stage: Stage) -> None:
    stage.session.alerts.insert(0, Alert("TASK_DIED", "stream", "EOFError", T0))
    await stage.frames(0.3)
    assert "a part of the engine died: stream: EOFError" in stage.text.splitlines()[0]


async def test_an_engine_that_is_gone_is_said_and_f9_goes_past_it(stage: Stage) -> None:
    stage.session.silent = 3.2
    await stage.shows("ENGINE GONE: what is shown is 3 s old")
    assert stage.app.main.has_class("-gone")
    await stage.press("F")
    await stage.shows("PAST THE ENGINE")
    await stage.press("escape")
    stage.session.silent = 0.0
    await stage.frames(0.3)
    assert "ENGINE GONE" not in stage.text
    assert not stage.app.main.has_class("-gone")
    await stage.press("F")
    await stage.shows("FLATTEN EVERYTHING")
    assert "PAST THE ENGINE" not in stage.text


async def test_a_flatten_that_is_under_way_gives_way_to_the_last_exit(stage: Stage) -> None:
    stage.session.outcome = "hold"
    await stage.open("F")
    await stage.type("FLATTEN")
    await stage.press("enter")
    await stage.press("f9")
    assert "PAST THE ENGINE" not in stage.text, "the engine is at work"
    stage.session.silent = 2.5
    await stage.frames(0.3)
    await stage.press("f9")
    await stage.shows("PAST THE ENGINE")


async def test_leaving_an_engine_in_another_process_ends_nothing(stage: Stage) -> None:
    stage.session.pid = 4711
    await stage.open("q")
    await stage.shows("the engine goes on")
    await stage.shows("process 4711 holds the account")
    assert "stops working" not in stage.text
    assert "type quit" not in stage.text
