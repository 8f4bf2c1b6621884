"""The symbols of an engine that opens: those of the settings, and whatever something is open in."""

from functools import partial
from pathlib import Path

from engine.account import added
from engine.runtime import Engine
from engine.runtime.heard import Heard
from engine.setup.environments import Environment
from engine.setup.questions import Told, answered


async def recalled(engine: Engine, environment: Environment, folder: Path, told: Told) -> Heard:
    """Before the engine starts, hear what it has to; `told` hears which question waits."""
    heard = Heard(engine, environment.symbols, partial(added.write, folder))
    await heard.recall(added.read(folder), partial(answered, told=told))
    return heard
