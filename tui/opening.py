"""Opening the console: settings first, then the screen, and the engine only after the first frame."""

import asyncio
import contextlib
import importlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import click

from engine.session import Session
from engine.settings import Loaded, Settings, SettingsError, default_file, load
from tui.cli import Common
from tui.terminal import tell, unfit

if TYPE_CHECKING:
    from engine.home import Home
    from tui.app import FlatoutApp


def settings_of(common: Common) -> Loaded:
    """The effective settings; a mistake in them is one sentence and exit code 2."""
    try:
        return load(common.settings, common.flags)
    except SettingsError as error:
        click.echo(f"flatout: {error}", err=True)
        raise SystemExit(2) from error


def console(common: Common) -> int:
    """Run the console; its exit code."""
    why = unfit()
    if why:
        tell(f"flatout: the console needs a terminal, and {why}; `flatout --help` lists what works without one")
        return 2
    settings = settings_of(common).settings
    from engine.home import Home, HomeError

    try:
        home = Home.of(settings.account.name, common.home)
    except HomeError as error:
        tell(f"flatout: {error}")
        return 2
    app = _app(common, settings, home)
    code = asyncio.run(app.attend())
    if app.last_words:
        text = _without_secrets(settings, home, "; ".join(app.last_words))
        tell(f"flatout: {text}" + (f"; see {home.log}" if code else ""))
    return code


def _without_secrets(settings: Settings, home: "Home", text: str) -> str:
    """For standard error: an error's text may quote an address with its password."""
    told: str = importlib.import_module("engine.local").redacted(settings, home, text)
    return told


def _app(common: Common, settings: Settings, home: "Home") -> "FlatoutApp":
    from tui.app import FlatoutApp
    from tui.options import ConsoleOptions

    file = common.settings or default_file()
    own = file.parent / "themes"
    options = ConsoleOptions(
        theme=settings.console.theme,
        fps=settings.console.fps,
        keys=settings.console.keys,
        bell=settings.console.bell,
        home=home.folder,
        themes=own if own.is_dir() else None,
    )

    async def open_session() -> Session:
        opening = await asyncio.to_thread(importlib.import_module, "engine.local")  # heavy: the screen lives meanwhile
        opener: Callable[..., Awaitable[Session]] = opening.open_session
        return await opener(settings, common.home, app.waiting)

    def note(event: str, text: str) -> None:
        """Write to the log what the session can't: it may not be open, or be closed already."""
        with contextlib.suppress(Exception):  # a full disk must not keep the console from leaving in order
            importlib.import_module("engine.local").note(settings, home, event, text)

    app = FlatoutApp(open_session, options, note)
    return app
