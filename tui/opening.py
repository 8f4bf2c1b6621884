"""Opening the console: settings first, then the screen, and the engine only after the first frame."""

import asyncio
import importlib
from collections.abc import Callable

from engine.session import Session
from engine.settings import Loaded, SettingsError, default_file, load
from tui.cli import Common
from tui.saying import say


def settings_of(common: Common) -> Loaded:
    """The effective settings; a mistake in them is one sentence and exit code 2."""
    try:
        return load(common.settings, common.flags)
    except SettingsError as error:
        say(f"flatout: {error}", err=True)
        raise SystemExit(2) from error


def console(common: Common) -> int:
    """Run the console; its exit code."""
    settings = settings_of(common).settings
    from engine.home import Home, HomeError
    from tui.app import FlatoutApp
    from tui.options import ConsoleOptions

    try:
        home = Home.of(settings.account.name, common.home)
    except HomeError as error:
        say(f"flatout: {error}", err=True)
        return 2
    file = common.settings or default_file()
    own = file.parent / "themes"
    options = ConsoleOptions(
        theme=settings.console.theme,
        fps=settings.console.fps,
        keys=settings.console.keys,
        bell=settings.console.bell,
        read_only_until_taken=settings.console.read_only_until_taken,
        home=home.folder,
        themes=own if own.is_dir() else None,
    )

    async def open_session() -> Session:
        opening = await asyncio.to_thread(importlib.import_module, "engine.local")  # heavy: the screen lives meanwhile
        opener: Callable[..., asyncio.Future[Session]] = opening.open_session
        return await opener(settings, common.home)

    app = FlatoutApp(open_session, options)
    app.run()
    return app.return_code or 0
