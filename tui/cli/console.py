"""Opening the console: settings first, then the screen, and the engine only after the first
frame.
"""

import asyncio
import contextlib
import difflib
import gc
import importlib
import os
import re
import sys
import time
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

import themes
from engine.account.identity import KeyChangedError, accounts, check_key, fingerprint, write
from engine.model.templates import Templates, TemplateSettings
from engine.session import Session
from engine.setup.accounts import Resolved
from engine.setup.filling import filled
from engine.setup.sections import Settings
from engine.setup.settings import Loaded, SettingsError, default_file, load
from engine.venues.live.keys import find
from engine.venues.protocol import VenueError
from tui.cli.chosen import account_of, settings_of
from tui.cli.common import Common
from tui.cli.output import harmless, say
from tui.terminal import tell, unfit

if TYPE_CHECKING:
    from engine.account.home import Home
    from tui.app import FlatoutApp
    from tui.cli.child import Child
    from tui.cli.remote import Remote
    from tui.options import ConsoleOptions


FAR = 5
"""Frames per second over ssh where nobody says how many: a full ladder writes 88 kB/s at that."""


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


def looks_like_a_typo(name: str, there: Collection[str]) -> bool:
    """Whether a new account's name is so near to one that is there that a slip of the hand is
    likelier. Numbers tell accounts apart.
    """
    plain = re.sub(r"[\d_.-]+", "", name)
    if name in there:
        return False
    others = [other for other in there if re.sub(r"[\d_.-]+", "", other) != plain]
    return bool(difflib.get_close_matches(name, others, n=1, cutoff=0.7))


def account_to_open(common: Common, loaded: Loaded, command: str = "") -> Resolved:
    """The account that an engine is opened for: a new one too, unless its name is likelier a slip
    of the hand.
    """
    by_hand = "account.name" in loaded.origins
    typo = by_hand and looks_like_a_typo(
        loaded.settings.account.name, {*accounts(common.home), *loaded.accounts}
    )
    return account_of(common, loaded, new=common.new or not typo, command=command)


def key_is_known(resolved: Resolved) -> bool:
    """Whether the API key is the one that the account was opened with; at a terminal a rotated one
    is confirmed here, by name.
    """
    if not (resolved.stored and resolved.identity.live):
        return True
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
        if (
            click.prompt(
                f"type {resolved.account} to confirm the new key", default="", show_default=False
            )
            != resolved.account
        ):
            return False
        write(resolved.folder, replace(resolved.identity, fingerprint=fingerprint(key)))
    return True


def console(common: Common) -> int:
    """Run the console; its exit code."""
    why = unfit()
    if why:
        tell(
            f"flatout: the console needs a terminal, and {why}; `flatout --help` lists what works"
            " without one"
        )
        return 2
    loaded = settings_of(common)
    if loaded.origins.get("console.theme") == "--set" and (
        bad := themes.wrong(loaded.settings.console.theme, own_themes(common))
    ):
        tell(harmless(f"flatout: {bad}"))
        return 2
    resolved = account_to_open(common, loaded)
    settings = resolved.settings
    from engine.account.home import Home, HomeError

    try:
        if not key_is_known(resolved):
            return 2
        home = Home.of(settings.account.name, common.home)
    except (HomeError, OSError) as error:
        tell(harmless(f"flatout: {error}"))
        return 2
    child = None
    if settings.engine.process == "child":
        try:
            child = _child(common, settings, home)
        except OSError as error:
            tell(harmless(f"flatout: the engine can't be started: {error}"))
            return 2
    app = app_of(common, loaded, settings, home, child=child)
    app.engine = child
    code = asyncio.run(_attend(app, child))
    if app.last_words:
        text = without_secrets(settings, home, "; ".join(app.last_words))
        tell(f"flatout: {text}" + (f"; see {home.log}" if code else ""))
    return code


def _child(common: Common, settings: Settings, home: "Home") -> "Child":
    """The account's engine as a process of its own: begun before the screen's library is loaded."""
    from tui.cli.child import Child, command_of

    command = command_of(
        common, settings.account.name, alone_is_said=settings.engine.alone is not None
    )
    child = Child(command, home)
    child.start()
    return child


async def _attend(app: "FlatoutApp", child: "Child | None") -> int:
    """Run the console, and see that its engine is started again should it fail."""
    if child is None:
        return await app.attend()
    watching = asyncio.get_running_loop().create_task(child.watch(app.main.say))
    try:
        return await app.attend()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


def without_secrets(settings: Settings, home: "Home", text: str) -> str:
    """For standard error: an error's text may quote an address with its password."""
    told: str = importlib.import_module("engine.session.notes").redacted(settings, home, text)
    return told


def own_themes(common: Common) -> Path | None:
    """The folder with the user's own themes, beside the settings file; None where there is none."""
    own = (common.settings or default_file()).parent / "themes"
    return own if own.is_dir() else None


def own_layouts(common: Common) -> Path | None:
    """The folder with the user's own layouts, beside the settings file."""
    return (common.settings or default_file()).parent / "layouts"


def _keeper(file: Path) -> Callable[[str, TemplateSettings], str]:
    """What writes a template into the settings file; it returns what went wrong."""

    def keep(name: str, template: TemplateSettings) -> str:
        try:
            importlib.import_module("engine.setup.template_file").keep(file, name, template)
        except SettingsError as error:
            return str(error)
        return ""

    return keep


def _fps(loaded: Loaded, settings: Settings) -> int:
    """Frames per second: what was said; half of them over ssh where nobody said it."""
    far = "SSH_CONNECTION" in os.environ and "console.fps" not in loaded.origins
    return FAR if far else settings.console.fps


# over 40 lines: a row for each of the options
def options_of(
    common: Common,
    loaded: Loaded,
    settings: Settings,
    folder: Path,
    child: "Child | None" = None,
    remote: "Remote | None" = None,
) -> "ConsoleOptions":
    """What the settings say about the console of an account, whose home is `folder`."""
    from tui.options import ConsoleOptions

    templates = Templates.of(settings.templates, settings.symbols)
    file = common.settings or default_file()
    beside = file.parent

    def again() -> ConsoleOptions:
        fresh = load(common.settings, common.flags)
        named = replace(fresh.settings, account=settings.account)
        return options_of(common, fresh, named, folder, child, remote)

    return ConsoleOptions(
        theme=settings.console.theme,
        fps=_fps(loaded, settings),
        ascii=settings.console.ascii,
        screen_reader=settings.console.screen_reader,
        keys=settings.console.keys,
        keys_origin=loaded.origins.get("console.keys", ""),
        commands=settings.commands,
        presets=settings.console.presets,
        ladder=settings.ladder,
        bell=settings.console.bell,
        mouse=settings.console.mouse,
        read_only_until_taken=settings.console.read_only_until_taken,
        home=folder,
        themes=own_themes(common),
        first_run=settings.account.venue == "paper" and not accounts(common.home),
        layout=settings.console.layout,
        layouts=own_layouts(common),
        templates=templates,
        filled=filled(templates, time.time_ns),
        keep_template=_keeper(file),
        sources=(file, beside / "themes", beside / "layouts"),
        again=again,
        faults=loaded.faults,
        last_exit=(
            last_exit_command(common, settings.account.name)
            if remote is None
            else remote.command("--account", remote.account, "flatten", "--yes")
        ),
        elsewhere="" if remote is None else remote.text,
        started_engine=child is not None and child.started,
    )


def app_of(
    common: Common,
    loaded: Loaded,
    settings: Settings,
    home: "Home | None",
    attach: Callable[[], Awaitable[Session]] | None = None,
    child: "Child | None" = None,
    remote: "Remote | None" = None,
) -> "FlatoutApp":
    """An account's console, on an engine of its own or of another; a remote one has no home."""
    from tui.app import FlatoutApp

    folder = Path() if home is None else home.folder
    options = options_of(common, loaded, settings, folder, child, remote)

    async def open_session() -> Session:
        gc.enable()  # off since the command began
        if child is not None:
            return await child.session(settings.console.fps, app.waiting)
        # heavy: the screen lives meanwhile
        opening = await asyncio.to_thread(importlib.import_module, "engine.session.opening")
        opener: Callable[..., Awaitable[Session]] = opening.open_session
        return await opener(
            settings,
            common.home,
            opening.Wanted(common.take_over, common.dead),
            app.waiting,
            app.stepped,
        )

    def note(event: str, text: str) -> None:
        """Write to the log what the session can't: it may not be open, or be closed already."""
        if home is None:
            return
        # a full disk must not keep the console from leaving in order
        with contextlib.suppress(Exception):
            importlib.import_module("engine.session.notes").note(settings, home, event, text)

    app = FlatoutApp(attach or open_session, options, note)
    return app
