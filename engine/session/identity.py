"""What an account is: its venue, endpoints, profile, currency and key. It stands in the account's home and in its journal.

Theory. Settings say where an account is each time that a command runs, and a command that runs once without them would open a live
account's journal on paper, "close" on paper and report flat. So the first opening writes down what the account is, and every later
one compares:

- a key that somebody set (file, environment, --set) and that differs is refused by name;
- where nobody said a venue, the account's own identity says all that nobody set: `--account main` is enough;
- an endpoint or a key changes only through `flatout accounts confirm NAME`; venue, profile and currency never change;
- whoever only looks, or flattens, gets an account that exists or a venue that somebody named, never a new account.

This module reads and writes one small file and imports no desk, no SQL and no venue: the last exit uses it.
"""

import contextlib
import difflib
import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from engine.home import Home, root

if TYPE_CHECKING:
    from engine.settings import Settings

FILE = "identity.json"
TRACES = (FILE, "journal.sqlite", "paper.sqlite", "summary.json", "lock")
"""Files of which a home that was opened has at least one; a folder with nothing but a key is no account yet."""
KEYS = ("venue", "profile", "rest", "ws", "currency")
"""Keys of [account] that make an identity."""
ENDPOINTS = ("rest", "ws")


class IdentityError(Exception):
    """The account that is asked for is not what it is said to be; the text names key, value and what the account is."""


class UnknownAccountError(IdentityError):
    """No account is called so, and nobody named a venue for it."""


class MismatchError(IdentityError):
    """The settings say something else than the account is."""


class KeyChangedError(IdentityError):
    """The API key is another one than the account was opened with."""


class Identity(Struct, frozen=True, kw_only=True):
    """What one account is."""

    version: int = 1
    account: str
    venue: str
    profile: str
    rest: str | None = None
    """Where a live venue is reached instead of the internet; None for paper."""
    ws: str | None = None
    fingerprint: str = ""
    """Of the API key, 12 hexadecimal digits; empty for paper, and until a key was used."""
    currency: str

    @property
    def live(self) -> bool:
        """Whether orders go to an exchange."""
        return self.venue != "paper"

    def label(self) -> str:
        """For each line that is told about it: "main · kraken · LIVE"."""
        return f"{self.account} · {self.venue} · {'LIVE' if self.live else 'PAPER'}"


class Resolved(Struct, frozen=True, kw_only=True):
    """Which account a command is about."""

    account: str
    folder: Path
    """Its home; not there where `exists` is False."""
    exists: bool
    identity: Identity
    stored: bool
    """Whether the home itself says so; else the settings do."""
    settings: "Settings"
    """The effective settings: what nobody set is what the identity says."""

    def label(self) -> str:
        """For each line that is told about the account."""
        return self.identity.label()


class Difference(Struct, frozen=True):
    """One key that the settings say otherwise."""

    key: str
    asked: str | None
    known: str | None
    origin: str

    @property
    def text(self) -> str:
        """For people."""
        return f"account.{self.key} is {self.asked or 'unset'} ({self.origin}), this account's is {self.known or 'unset'}"


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Identity).decode


def fingerprint(key: str) -> str:
    """A short hash that tells keys apart and gives none away."""
    return hashlib.blake2b(key.encode(), digest_size=6, person=b"flatout key").hexdigest() if key else ""


def asked(settings: "Settings") -> Identity:
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


def read(folder: Path) -> Identity | None:
    """What a home says that its account is; None where it says nothing. Raises IdentityError for a file that can't be read."""
    path = folder / FILE
    try:
        return _decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        remedy = f"restore it, or say `flatout accounts confirm {folder.name}`"
        raise IdentityError(f"account {folder.name}: {path} can't be read: {error}; {remedy}") from error


def write(folder: Path, identity: Identity) -> None:
    """Replace what a home says, and sync it; mode 0600. Raises OSError."""
    draft = folder / f"{FILE}.new"
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_encode(identity))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / FILE)


def accounts(home_root: Path | None) -> tuple[str, ...]:
    """The accounts that have a home, by name."""
    folder = root(home_root)
    try:
        return tuple(sorted(each.name for each in folder.iterdir() if each.is_dir() and opened(each)))
    except OSError:
        return ()


def opened(folder: Path) -> bool:
    """Whether an account was ever opened in a folder."""
    return any((folder / name).exists() for name in TRACES)


def resolve(
    settings: "Settings",
    home_root: Path | None,
    explicit: bool,
    *,
    origins: Mapping[str, str] | None = None,
    named: Iterable[str] = (),
    new: bool = False,
) -> Resolved:
    """Which account the settings mean. Creates nothing.

    `explicit` is `Loaded.explicit`, `origins` and `named` are `Loaded.origins` and `Loaded.accounts` (for the words of an error);
    `new` lets the account be one that does not exist yet. Raises UnknownAccountError, MismatchError or IdentityError.
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
        return Resolved(account=account, folder=folder, exists=exists, identity=wanted, stored=False, settings=settings)
    effective = settings if explicit and origins is None else filled(settings, known, origins)
    found = differences(known, asked(effective), origins or {})
    if found:
        raise MismatchError(_mismatch(known, found))
    return Resolved(account=account, folder=folder, exists=True, identity=known, stored=True, settings=effective)


def _known(folder: Path, *, explicit: bool) -> Identity | None:
    """What the home says. A file that can't be read keeps nobody from looking, or from flattening, where a venue was named."""
    try:
        return read(folder)
    except IdentityError:
        if explicit:
            return None
        raise


def filled(settings: "Settings", known: Identity, origins: Mapping[str, str] | None) -> "Settings":
    """What nobody set, as the account is. Without origins, a value at its default counts as set by nobody."""
    account = settings.account
    default = type(account)()
    unset = [key for key in KEYS if (f"account.{key}" not in origins if origins is not None else getattr(account, key) == getattr(default, key))]
    if "venue" not in unset:
        return settings  # somebody said where it is: what is not said beside it is meant as it stands
    return replace(settings, account=replace(account, **{key: getattr(known, key) for key in unset}))


def differences(known: Identity, wanted: Identity, origins: Mapping[str, str]) -> tuple[Difference, ...]:
    """What is asked for, and is not what the account is; the venue first. Keys of another venue are not compared."""
    found = []
    for key in KEYS:
        ours, theirs = getattr(wanted, key), getattr(known, key)
        if ours != theirs:
            found.append(Difference(key, ours, theirs, origins.get(f"account.{key}", "default")))
            if key == "venue":
                break
    return tuple(found)


def _mismatch(known: Identity, found: tuple[Difference, ...]) -> str:
    told = "; ".join(each.text for each in found)
    if all(each.key in ENDPOINTS for each in found):
        remedy = f"if it moved, write that into the settings file and say `flatout accounts confirm {known.account}`"
    else:
        remedy = f"name another account with --account, or write [accounts.{known.account}] into the settings file"
    return f"account {known.account} is {known.label()}: {told}; {remedy}"


def refuse_older(folder: Path, wanted: Identity, *, opening: bool) -> None:
    """Refuse what an older home, which does not say what it is, proves wrong: only a paper account has paper.sqlite.

    A live venue that was named is asked in any case, and flattened; only `opening` a home that holds paper on it is refused.
    """
    journal, paper = (folder / "journal.sqlite").exists(), (folder / "paper.sqlite").exists()
    name = wanted.account
    if journal and not paper and not wanted.live:
        raise MismatchError(
            f"account {name} was traded at an exchange (its home holds a journal and no paper account), and account.venue is paper;"
            f" name its venue in [accounts.{name}] of the settings file, or with --set account.venue=..."
        )
    if opening and paper and wanted.live:
        raise MismatchError(
            f"account {name} is paper by its home ({folder / 'paper.sqlite'}), and account.venue is {wanted.venue};"
            f" name another account with --account, or say `flatout accounts confirm {name}`"
        )


def _unknown(account: str, home_root: Path | None, named: Iterable[str]) -> str:
    there = tuple(sorted({*accounts(home_root), *named}))
    near = difflib.get_close_matches(account, there, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    listed = f"accounts: {', '.join(there)}" if there else "there is none yet"
    opens = "flatout" if account == "paper" else f"flatout --account {account} --new"
    return f"no account is called {account} in {root(home_root)}, and nobody said its account.venue{hint}; {listed}; `{opens}` opens a new one"


def check_key(identity: Identity, key: str) -> None:
    """Refuse an API key that the account was not opened with: it may be another account's, which would look flat.

    Raises KeyChangedError.
    """
    found = fingerprint(key)
    if identity.live and identity.fingerprint and found and found != identity.fingerprint:
        raise KeyChangedError(
            f"account {identity.account} ({identity.label()}): the API key {found} is not the one it was opened with, {identity.fingerprint};"
            f" if you rotated it, say `flatout accounts confirm {identity.account}`"
        )
