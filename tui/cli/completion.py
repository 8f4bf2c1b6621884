"""What a shell offers after a tab: accounts, profiles, themes and the keys of settings.

A shell asks while somebody types, so nothing here opens an account, and a settings file that can't
be read offers nothing of its own. `docs/settings.md` says how a shell is told.
"""

import contextlib
from collections.abc import Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem


def accounts(ctx: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Offer the accounts that have a home here, and those of the settings file."""
    from engine.account.identity import accounts as homes
    from engine.setup.settings import SettingsError, load

    known = set(homes(_given(ctx, "home")))
    with contextlib.suppress(SettingsError):
        known |= {*load(_given(ctx, "settings")).accounts}
    return _beginning(typed, known)


def profiles(_ctx: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Offer what the paper venue can imitate."""
    from engine.venues.profiles import names

    return _beginning(typed, names())


def looks(ctx: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Offer the themes that come with the console, and a person's own."""
    import themes
    from engine.setup.settings import default_file

    file = _given(ctx, "settings") or default_file()
    return _beginning(typed, themes.load(file.parent / "themes").looks)


def keys(_ctx: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Offer the keys of settings, up to the equals sign; each with what it means, where the shell
    shows that.
    """
    from engine.setup.describing import describe
    from engine.setup.sections import SECTIONS

    told = describe()
    names = (
        f"{section}.{name}" for section, kind in SECTIONS.items() for name in kind.__struct_fields__
    )
    return [CompletionItem(f"{name}=", help=told[name]) for name in names if name.startswith(typed)]


def _given(ctx: click.Context, name: str) -> Path | None:
    """An option of `flatout` itself, from the command or from the one above it."""
    found = ctx.find_root().params.get(name)
    return found if isinstance(found, Path) else None


def _beginning(typed: str, names: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(name) for name in sorted(names) if name.startswith(typed)]
