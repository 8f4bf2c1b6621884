"""`flatout accounts`: the accounts of this machine with their state; and `accounts confirm`, for an
endpoint or a key that changed.
"""

import sys
import time
from pathlib import Path

import click
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from engine.account import summary as summaries
from engine.account.home import Home
from engine.account.identity import (
    ENDPOINTS,
    KEYS,
    Difference,
    Identity,
    IdentityError,
    accounts,
    differences,
    fingerprint,
    opened,
    read,
    write,
)
from engine.account.running import running
from engine.inspection import looking
from engine.journal import JournalError
from engine.model.counts import counted
from engine.setup.accounts import asked, filled, refuse_older, resolve
from engine.setup.sections import Settings
from engine.setup.settings import Loaded, SettingsError, load
from engine.setup.sources import PREFIX
from engine.venues.live.keys import find
from engine.venues.protocol import VenueError
from tui.cli import completion
from tui.cli.chosen import settings_of
from tui.cli.common import Common
from tui.cli.output import say
from tui.plain import plain

DONE, REFUSED, UNUSABLE = 0, 1, 2


class Row(Struct, frozen=True, kw_only=True):
    """One account."""

    name: str
    venue: str
    profile: str
    live: bool
    rest: str | None
    exists: bool
    """Whether it was ever opened here."""
    engine: int | None
    """The process that holds it."""
    positions: int | None
    """Open when last known; None where nothing is known."""
    orders: int | None
    known_at: int | None
    """Nanoseconds."""
    key: str
    """Where the API key was found, "missing", or empty where none is needed."""
    mismatch: str
    """What the settings say otherwise; empty where they agree."""


def show(common: Common, *, as_json: bool) -> int:
    """List the accounts; the exit code: 1 where the settings say of one something else than
    it is.
    """
    loaded = settings_of(common)
    names = sorted({*accounts(common.home), *loaded.accounts})
    rows = [_row(common, name) for name in names]
    if as_json:
        say(msgspec.json.encode(rows).decode())
    elif not rows:
        say(
            "there is no account yet: `flatout` opens one on paper, `flatout --account NAME` one of"
            " another name"
        )
    else:
        say(*(line for row in rows for line in _lines(row)))
    return REFUSED if any(row.mismatch for row in rows) else DONE


def _of(common: Common, name: str) -> Loaded:
    """The settings as they are for one account. Raises SettingsError."""
    flags = [flag for flag in common.flags if flag.partition("=")[0].strip() != "account.name"]
    return load(common.settings, [*flags, f"account.name={name}"])


def _row(common: Common, name: str) -> Row:
    settings: Settings | None
    try:
        loaded = _of(common, name)
        resolved = resolve(
            loaded.settings, common.home, loaded.explicit, origins=loaded.origins, new=True
        )
        settings, folder, identity, mismatch = (
            resolved.settings,
            resolved.folder,
            resolved.identity,
            "",
        )
    except (IdentityError, SettingsError) as error:
        mismatch = str(error)
        folder, identity = _despite(common, name)
        settings = None
    holder = running(folder)
    known = _known(settings, folder, runs=holder is not None)
    return Row(
        name=name,
        venue=identity.venue,
        profile=identity.profile,
        live=identity.live,
        rest=identity.rest,
        exists=opened(folder),
        engine=None if holder is None else holder.pid,
        positions=None if known is None else known[0],
        orders=None if known is None else known[1],
        known_at=None if known is None else known[2],
        key=_key(identity, folder) if identity.live else "",
        mismatch=mismatch,
    )


def _known(settings: Settings | None, folder: Path, *, runs: bool) -> tuple[int, int, int] | None:
    """Positions and orders open when last known, and when: by the home's summary, or by its journal
    where that tells more, as after an engine that was killed between the two; None where neither
    tells.
    """
    summary = summaries.read(folder)
    told = None if summary is None else (len(summary.positions), len(summary.orders), summary.at)
    if settings is None or not (folder / "journal.sqlite").exists():
        return told
    try:
        if summary is not None and (runs or looking.last_seq(settings, folder) <= summary.seq):
            return told
        known = looking.last_known(settings, folder)
    except (JournalError, msgspec.MsgspecError, ValueError):
        return told
    held = [position for position in known.view.positions if not position.dust]
    return len(held), sum(1 for row in known.view.orders if not row.order.foreign), known.at


def _despite(common: Common, name: str) -> tuple[Path, Identity]:
    """What an account is by its home, whatever the settings say."""
    folder = Home.at(name, common.home).folder
    try:
        known = read(folder)
    except IdentityError:
        known = None
    return folder, known or Identity(account=name, venue="unknown", profile="unknown", currency="")


def _key(identity: Identity, folder: Path) -> str:
    try:
        found = find(identity.account, folder)
    except VenueError:
        return "missing"
    if identity.fingerprint and fingerprint(found.key) != identity.fingerprint:
        return f"another one than it was opened with ({found.origin})"
    return found.origin


def _lines(row: Row) -> list[str]:
    place = f" at {row.rest}" if row.rest else ""
    engine = "no engine runs" if row.engine is None else f"process {row.engine} holds it"
    if not row.exists:
        state = "never opened here"
    elif row.known_at is None:
        state = f"{engine}, what is open is not known"
    else:
        state = (
            f"{engine}, {counted(row.positions or 0, 'position')} and"
            f" {counted(row.orders or 0, 'order')} open at {_time(row.known_at)}"
        )
    key = f", key: {row.key}" if row.key else ""
    lines = [
        plain(
            f"{row.name} · {row.venue} · {'LIVE' if row.live else 'PAPER'}  {row.profile}{place} "
            f" {state}{key}"
        )
    ]
    if row.mismatch:
        lines.append(f"  ✗ {plain(row.mismatch)}")
    return lines


def _time(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at // 1_000_000_000))


# Confirming


def confirm(common: Common, name: str) -> int:
    """Take over an endpoint from the settings file, and the API key that is found; the exit code.

    Only what stands in the settings file is taken: what the environment or --set say is gone with
    the next command.
    """
    try:
        loaded, folder = _of(common, name), Home.at(name, common.home).folder
        if not opened(folder):
            # says which accounts there are
            resolve(loaded.settings, common.home, explicit=False, named=loaded.accounts)
        if (holder := running(folder)) is not None:
            say(f"flatout accounts confirm: {holder.text} holds {name}; end it first", err=True)
            return REFUSED
        return _confirm(loaded, folder)
    except (IdentityError, SettingsError, VenueError, OSError) as error:
        say(f"flatout accounts confirm: {error}", err=True)
        return UNUSABLE


def _confirm(loaded: Loaded, folder: Path) -> int:
    try:
        known = read(folder)
    except IdentityError:
        known = None  # a file that can't be read is replaced by what the settings file says
    settings = loaded.settings if known is None else filled(loaded.settings, known, loaded.origins)
    wanted = asked(settings)
    for key in KEYS:
        origin = loaded.origins.get(f"account.{key}", "")
        if origin == "--set" or origin.startswith(PREFIX):
            raise IdentityError(
                f"account.{key} comes from {origin}; write it into the settings file, into"
                f" [accounts.{wanted.account}]"
            )
    changed = () if known is None else differences(known, wanted, loaded.origins)
    never = [each for each in changed if each.key not in ENDPOINTS]
    if known is not None and never:
        told = "; ".join(each.text for each in never)
        text = (
            f"account {known.account} is {known.label()}: {told}; that never changes: open another"
            " account"
        )
        say(f"flatout accounts confirm: {text}", err=True)
        return REFUSED
    if known is None and not wanted.live and not (folder / "paper.sqlite").exists():
        refuse_older(folder, wanted, opening=False)
    used = fingerprint(find(wanted.account, folder).key) if wanted.live else ""
    write(folder, replace(wanted, fingerprint=used))
    _tell(wanted, known, changed, used)
    return DONE


def _tell(
    wanted: Identity, known: Identity | None, changed: tuple[Difference, ...], used: str
) -> None:
    lines = [
        f"  account.{each.key}: {each.known or 'unset'} → {each.asked or 'unset'}"
        for each in changed
    ]
    if known is None:
        lines.append(f"  it is {wanted.label()} from now on")
    elif known.fingerprint != used:
        lines.append(f"  key: {known.fingerprint or 'none yet'} → {used}")
    say(plain(f"{wanted.label()}: {'confirmed' if lines else 'nothing has changed'}"))
    for line in lines:
        say(plain(line))


@click.group("accounts", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the accounts that the settings file and this machine's homes know, with their state.

    Exit codes: 0 all is as it is said to be, 1 the settings say of one something else than it is, 2
    unusable.
    """
    if ctx.invoked_subcommand is None:
        sys.exit(show(ctx.obj, as_json=as_json))


@command.command("confirm")
@click.argument("name", shell_complete=completion.accounts)
@click.pass_obj
def confirm_command(common: Common, name: str) -> None:
    """Take over a changed endpoint from the settings file, and a rotated API key, for the account
    NAME.

    Exit codes: 0 done, 1 refused (what changed never changes, or an engine runs), 2 unusable.
    """
    sys.exit(confirm(common, name))
