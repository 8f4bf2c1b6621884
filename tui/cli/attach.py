"""`flatout attach`: a console for an engine that runs in another process, on this machine or, by
ssh, on another one. Leaving it, or losing it, ends nothing but the console.
"""

import asyncio
import getpass
import socket
import sys

import click

from engine.account.home import Home
from engine.account.running import running
from engine.session import Session
from engine.session.attached import AttachedSession
from engine.session.lines import Carrier
from tui.cli import completion
from tui.cli.chosen import account_of, settings_of
from tui.cli.common import Common
from tui.cli.console import app_of, without_secrets
from tui.cli.output import harmless
from tui.cli.remote import SCHEME, Remote, remote_of
from tui.terminal import tell, unfit

NOBODY, UNUSABLE = 1, 2


def attach(common: Common, *, look: bool) -> int:
    """Run the console; its exit code."""
    loaded = settings_of(common)
    resolved = account_of(common, loaded, command="attach")
    holder = running(resolved.folder)
    if holder is None:
        tell(
            f"flatout attach: no engine runs for account {resolved.account}: `flatout --account"
            f" {resolved.account} serve` starts one"
        )
        return NOBODY
    settings, home = resolved.settings, Home(resolved.folder, create=False)

    async def session() -> Session:
        return await AttachedSession.open(
            home.session, holder.text, "look" if look else "trade", settings.console.fps
        )

    app = app_of(common, loaded, settings, home, session)
    code = asyncio.run(app.attend())
    if app.last_words:
        text = without_secrets(settings, home, "; ".join(app.last_words))
        tell(harmless(f"flatout attach: {text}"))
    return code


def attach_to(common: Common, remote: Remote, *, trade: bool) -> int:
    """The same, by ssh. Themes, keys and templates are this machine's; what it says besides goes to
    no log here.
    """
    loaded = settings_of(common)
    settings = loaded.settings
    carrier = Carrier(remote.command("pipe", remote.account))

    async def session() -> Session:
        return await AttachedSession.open(
            carrier,
            remote.text,
            "trade" if trade else "look",
            settings.console.fps,
            f"{getpass.getuser()} at {socket.gethostname()}",
        )

    app = app_of(common, loaded, settings, None, session, remote=remote)
    code = asyncio.run(app.attend())
    if app.last_words:
        tell(harmless(f"flatout attach: {'; '.join(app.last_words)}"))
    return code


@click.command("attach")
@click.argument("account", required=False, shell_complete=completion.accounts)
@click.option("--look", is_flag=True, help="Only look; F9 flattens all the same.")
@click.option("--trade", is_flag=True, help="By ssh: trade at once, and not only after :take.")
@click.option(
    "--remote-flatout",
    "program",
    default="flatout",
    show_default=True,
    help="By ssh: how flatout is called there.",
)
@click.pass_obj
def command(common: Common, account: str | None, look: bool, trade: bool, program: str) -> None:
    """Open a console for an engine that runs already, such as one of `flatout serve`.

    ACCOUNT is one of this machine, or ssh://[USER@]HOST[:PORT]/ACCOUNT of another one, which only
    looks before :take. Leaving it ends nothing: the engine goes on. Exit codes: 0 left, 1 no engine
    runs or the screen failed, 2 the engine does not answer.
    """
    why = unfit()
    if why:
        tell(f"flatout attach: the console needs a terminal, and {why}")
        sys.exit(UNUSABLE)
    if look and trade:
        raise click.UsageError("--look and --trade exclude each other")
    if account is not None and account.startswith(SCHEME):
        try:
            remote = remote_of(account, program)
        except ValueError as error:
            tell(harmless(f"flatout attach: {error}"))
            sys.exit(UNUSABLE)
        sys.exit(attach_to(common, remote, trade=trade))
    if account is not None:
        common = Common(
            common.settings, (*common.flags, f"account.name={account}"), common.home, new=common.new
        )
    sys.exit(attach(common, look=look))
