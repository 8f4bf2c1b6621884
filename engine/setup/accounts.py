"""Which account the settings mean: the one that they describe, held against what its folder says
that it is.

`engine.account.identity` says why. This module creates nothing.
"""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from engine.account.home import Home, root
from engine.account.identity import (
    ENDPOINTS,
    KEYS,
    Difference,
    Identity,
    IdentityError,
    MismatchError,
    UnknownAccountError,
    accounts,
    differences,
    opened,
    read,
)
from engine.setup.sections import Settings


class Resolved(Struct, frozen=True, kw_only=True):
    """Which account a command is about."""

    account: str
    folder: Path
    """Its home; not there where `exists` is False."""
    exists: bool
    identity: Identity
    stored: bool
    """Whether the home itself says so; else the settings do."""
    settings: Settings
    """The effective settings: what nobody set is what the identity says."""

    def label(self) -> str:
        """For each line that is told about the account."""
        return self.identity.label()


def asked(settings: Settings) -> Identity:
    """The identity that the settings describe, without a key. A paper account has no endpoints."""
    account = settings.account
    live = account.venue != "paper"
    return Identity(
        account=account.name,
        venue=account.venue,
        profile=account.profile,
        rest=account.rest if live else None,
        ws=account.ws if live else None,
        currency=account.currency,
    )


def resolve(
    settings: Settings,
    home_root: Path | None,
    explicit: bool,
    *,
    origins: Mapping[str, str] | None = None,
    named: Iterable[str] = (),
    new: bool = False,
) -> Resolved:
    """Which account the settings mean. Creates nothing.

    `explicit` is `Loaded.explicit`, `origins` and `named` are `Loaded.origins` and
    `Loaded.accounts` (for the words of an error); `new` lets the account be one that does not exist
    yet. Raises UnknownAccountError, MismatchError or IdentityError.
    """
    account = settings.account.name
    folder = Home.at(account, home_root).folder
    exists, known = opened(folder), _known(folder, explicit=explicit and not new)
    if not exists and not explicit and not new:
        raise UnknownAccountError(_unknown(account, home_root, named))
    if known is None:
        wanted = asked(settings)
        if exists:
            refuse_older(folder, wanted, opening=new)
        return Resolved(
            account=account,
            folder=folder,
            exists=exists,
            identity=wanted,
            stored=False,
            settings=settings,
        )
    effective = settings if explicit and origins is None else filled(settings, known, origins)
    found = differences(known, asked(effective), origins or {})
    if found:
        raise MismatchError(_mismatch(known, found))
    return Resolved(
        account=account, folder=folder, exists=True, identity=known, stored=True, settings=effective
    )


def _known(folder: Path, *, explicit: bool) -> Identity | None:
    """What the home says. A file that can't be read keeps nobody from looking, or from flattening,
    where a venue was named.
    """
    try:
        return read(folder)
    except IdentityError:
        if explicit:
            return None
        raise


def filled(settings: Settings, known: Identity, origins: Mapping[str, str] | None) -> Settings:
    """What nobody set, as the account is. Without origins, a value at its default counts as set by
    nobody.
    """
    account = settings.account
    default = type(account)()
    unset = [
        key
        for key in KEYS
        if (
            f"account.{key}" not in origins
            if origins is not None
            else getattr(account, key) == getattr(default, key)
        )
    ]
    if "venue" not in unset:
        # somebody said where it is: what is not said beside it is meant as it stands
        return settings
    return replace(
        settings, account=replace(account, **{key: getattr(known, key) for key in unset})
    )


def _mismatch(known: Identity, found: tuple[Difference, ...]) -> str:
    told = "; ".join(each.text for each in found)
    if all(each.key in ENDPOINTS for each in found):
        remedy = (
            "if it moved, write that into the settings file and say `flatout accounts confirm"
            f" {known.account}`"
        )
    else:
        remedy = (
            f"name another account with --account, or write [accounts.{known.account}] into the"
            " settings file"
        )
    return f"account {known.account} is {known.label()}: {told}; {remedy}"


def refuse_older(folder: Path, wanted: Identity, *, opening: bool) -> None:
    """Refuse what an older home, which does not say what it is, proves wrong: only a paper account
    has paper.sqlite.

    A live venue that was named is asked in any case, and flattened; only `opening` a home that
    holds paper on it is refused.
    """
    journal, paper = (folder / "journal.sqlite").exists(), (folder / "paper.sqlite").exists()
    name = wanted.account
    if journal and not paper and not wanted.live:
        raise MismatchError(
            f"account {name} was traded at an exchange (its home holds a journal and no paper"
            f" account), and account.venue is paper; name its venue in [accounts.{name}] of the"
            " settings file, or with --set account.venue=..."
        )
    if opening and paper and wanted.live:
        raise MismatchError(
            f"account {name} is paper by its home ({folder / 'paper.sqlite'}), and account.venue is"
            f" {wanted.venue}; name another account with --account, or say `flatout accounts"
            f" confirm {name}`"
        )


def _unknown(account: str, home_root: Path | None, named: Iterable[str]) -> str:
    there = tuple(sorted({*accounts(home_root), *named}))
    near = difflib.get_close_matches(account, there, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    listed = f"accounts: {', '.join(there)}" if there else "there is none yet"
    opens = "flatout" if account == "paper" else f"flatout --account {account} --new"
    return (
        f"no account is called {account} in {root(home_root)}, and nobody said its"
        f" account.venue{hint}; {listed}; `{opens}` opens a new one"
    )
