"""Which settings and which account a command is about."""

from engine.account.folder import FolderError, check
from engine.account.identity import IdentityError
from engine.setup.accounts import Resolved, resolve
from engine.setup.settings import Loaded, SettingsError, load
from tui.cli.common import Common
from tui.cli.output import say


def settings_of(common: Common) -> Loaded:
    """The effective settings; a mistake in them is one sentence and exit code 2."""
    try:
        return load(common.settings, common.flags)
    except SettingsError as error:
        say(f"flatout: {error}", err=True)
        raise SystemExit(2) from error


def account_of(
    common: Common, loaded: Loaded | None = None, *, new: bool = False, command: str = ""
) -> Resolved:
    """Which account is meant. One that is not what it is said to be is one sentence and exit code
    2; nothing is created.
    """
    loaded = loaded or settings_of(common)
    try:
        found = resolve(
            loaded.settings,
            common.home,
            loaded.explicit,
            origins=loaded.origins,
            named=loaded.accounts,
            new=new,
        )
        if found.folder.exists():
            check(found.folder)
        return found
    except (IdentityError, FolderError) as error:
        say(f"flatout{command and ' '}{command}: {error}", err=True)
        raise SystemExit(2) from error
