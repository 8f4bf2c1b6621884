"""Opening the console: settings first, then the screen, and the engine only after the first frame."""

import asyncio
import contextlib
import difflib
import importlib
import re
import sys
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

import themes
from engine.session import Session
from engine.session.folder import FolderError, check
from engine.session.identity import (
    IdentityError,
    KeyChangedError,
    Resolved,
    accounts,
    check_key,
    fingerprint,
    resolve,
    write,
)
from engine.settings import Loaded, Settings, SettingsError, default_file, load
from engine.venues.live.keys import find
from engine.venues.protocol import VenueError
from tui.common import Common
from tui.saying import harmless, say
from tui.terminal import tell, unfit

if TYPE_CHECKING:
    from engine.home import Home
    from tui.app import FlatoutApp


def settings_of(common: Common) -> Loaded:
    """The effective settings; a mistake in them is one sentence and exit code 2."""
    try:
        return load(common.settings, common.flags)
    except SettingsError as error:
        say(f"flatout: {error}", err=True)
        raise SystemExit(2) from error


def last_exit_command(common: Common, account: str) -> tuple[str, ...]:
    """The command line that brings the account of this console to flat, in a process of its own."""
    words = [sys.executable, "-m", "tui.cli"]
    if common.settings is not None:
        words += ["--settings", str(common.settings.resolve())]
    if common.home is not None:
        words += ["--home", str(common.home.resolve())]
    for flag in common.flags:
        words += ["--set", flag]
    return (*words, "--account", account, "flatten", "--yes")


def account_of(common: Common, loaded: Loaded | None = None, *, new: bool = False, command: str = "") -> Resolved:
    """Which account is meant. One that is not what it is said to be is one sentence and exit code 2; nothing is created."""
    loaded = loaded or settings_of(common)
    try:
        found = resolve(loaded.settings, common.home, loaded.explicit, origins=loaded.origins, named=loaded.accounts, new=new)
        if found.folder.exists():
            check(found.folder)
        return found
    except (IdentityError, FolderError) as error:
        say(f"flatout{command and ' '}{command}: {error}", err=True)
        raise SystemExit(2) from error


def looks_like_a_typo(name: str, there: Collection[str]) -> bool:
    """Whether a new account's name is so near to one that is there that a slip of the hand is likelier. Numbers tell accounts apart."""
    plain = re.sub(r"[\d_.-]+", "", name)
    if name in there:
        return False
    others = [other for other in there if re.sub(r"[\d_.-]+", "", other) != plain]
    return bool(difflib.get_close_matches(name, others, n=1, cutoff=0.7))


def _key_is_known(resolved: Resolved) -> bool:
    """Whether the API key is the one that the account was opened with; at a terminal a rotated one is confirmed here, by name."""
    try:
        key = find(resolved.account, resolved.folder).key
    except VenueError:
        return True  # the opening says where it looked
    try:
        check_key(resolved.identity, key)
    except KeyChangedError as error:
        say(f"flatout: {error}", err=True)
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            return False
        if click.prompt(f"type {resolved.account} to confirm the new key", default="", show_default=False) != resolved.account:
            return False
        write(resolved.folder, replace(resolved.identity, fingerprint=fingerprint(key)))
    return True


def console(common: Common) -> int:
    """Run the console; its exit code."""
    why = unfit()
    if why:
        tell(f"flatout: the console needs a terminal, and {why}; `flatout --help` lists what works without one")
        return 2
    loaded = settings_of(common)
    if loaded.origins.get("console.theme") == "--set" and (bad := themes.wrong(loaded.settings.console.theme, own_themes(common))):
        tell(harmless(f"flatout: {bad}"))
        return 2
    by_hand = "account.name" in loaded.origins
    typo = by_hand and looks_like_a_typo(loaded.settings.account.name, {*accounts(common.home), *loaded.accounts})
    resolved = account_of(common, loaded, new=common.new or not typo)
    settings = resolved.settings
    from engine.home import Home, HomeError

    try:
        if resolved.stored and resolved.identity.live and not _key_is_known(resolved):
            return 2
        home = Home.of(settings.account.name, common.home)
    except (HomeError, OSError) as error:
        tell(harmless(f"flatout: {error}"))
        return 2
    app = _app(common, settings, home, loaded.origins.get("console.keys", ""))
    code = asyncio.run(app.attend())
    if app.last_words:
        text = _without_secrets(settings, home, "; ".join(app.last_words))
        tell(f"flatout: {text}" + (f"; see {home.log}" if code else ""))
    return code


def _without_secrets(settings: Settings, home: "Home", text: str) -> str:
    """For standard error: an error's text may quote an address with its password."""
    told: str = importlib.import_module("engine.local").redacted(settings, home, text)
    return told


def own_themes(common: Common) -> Path | None:
    """The folder with the user's own themes, beside the settings file; None where there is none."""
    own = (common.settings or default_file()).parent / "themes"
    return own if own.is_dir() else None


def _app(common: Common, settings: Settings, home: "Home", keys_origin: str) -> "FlatoutApp":
    from tui.app import FlatoutApp
    from tui.options import ConsoleOptions

    options = ConsoleOptions(
        theme=settings.console.theme,
        fps=settings.console.fps,
        keys=settings.console.keys,
        keys_origin=keys_origin,
        bell=settings.console.bell,
        mouse=settings.console.mouse,
        read_only_until_taken=settings.console.read_only_until_taken,
        home=home.folder,
        themes=own_themes(common),
        last_exit=last_exit_command(common, settings.account.name),
    )

    async def open_session() -> Session:
        opening = await asyncio.to_thread(importlib.import_module, "engine.local")  # heavy: the screen lives meanwhile
        opener: Callable[..., Awaitable[Session]] = opening.open_session
        return await opener(settings, common.home, opening.Wanted(common.take_over, common.dead), app.waiting)

    def note(event: str, text: str) -> None:
        """Write to the log what the session can't: it may not be open, or be closed already."""
        with contextlib.suppress(Exception):  # a full disk must not keep the console from leaving in order
            importlib.import_module("engine.local").note(settings, home, event, text)

    app = FlatoutApp(open_session, options, note)
    return app
