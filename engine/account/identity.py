"""What an account is: its venue, endpoints, profile, currency and key. It stands in the account's
home and in its journal.

Theory. Settings say where an account is each time that a command runs, and a command that runs once
without them would open a live account's journal on paper, "close" on paper and report flat. So the
first opening writes down what the account is, and every later one compares:

- a key that somebody set (file, environment, --set) and that differs is refused by name;
- where nobody said a venue, the account's own identity says all that nobody set: `--account main`
  is enough;
- an endpoint or a key changes only through `flatout accounts confirm NAME`; venue, profile and
  currency never change;
- whoever only looks, or flattens, gets an account that exists or a venue that somebody named, never
  a new account.

This module reads and writes one small file and imports no desk, no SQL and no venue: the last exit
uses it.
"""

import contextlib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from engine.account.home import root

FILE = "identity.json"
TRACES = (FILE, "journal.sqlite", "paper.sqlite", "summary.json", "lock")
"""Files of which a home that was opened has at least one; a folder with nothing but a key is no
account yet.
"""
KEYS = ("venue", "profile", "rest", "ws", "currency")
"""Keys of [account] that make an identity."""
ENDPOINTS = ("rest", "ws")


class IdentityError(Exception):
    """The account that is asked for is not what it is said to be; the text names key, value and
    what the account is.
    """


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


class Difference(Struct, frozen=True):
    """One key that the settings say otherwise."""

    key: str
    asked: str | None
    known: str | None
    origin: str

    @property
    def text(self) -> str:
        """For people."""
        return (
            f"account.{self.key} is {self.asked or 'unset'} ({self.origin}), this account's is"
            f" {self.known or 'unset'}"
        )


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Identity).decode


def fingerprint(key: str) -> str:
    """A short hash that tells keys apart and gives none away."""
    return (
        hashlib.blake2b(key.encode(), digest_size=6, person=b"flatout key").hexdigest()
        if key
        else ""
    )


def read(folder: Path) -> Identity | None:
    """What a home says that its account is; None where it says nothing. Raises IdentityError for a
    file that can't be read.
    """
    path = folder / FILE
    try:
        return _decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        remedy = f"restore it, or say `flatout accounts confirm {folder.name}`"
        raise IdentityError(
            f"account {folder.name}: {path} can't be read: {error}; {remedy}"
        ) from error


def write(folder: Path, identity: Identity) -> None:
    """Replace what a home says, and sync it; mode 0600. Raises OSError."""
    draft = folder / f"{FILE}.new"
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    descriptor = os.open(
        draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
    )
    with os.fdopen(descriptor, "wb") as file:
        file.write(_encode(identity))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / FILE)


def accounts(home_root: Path | None) -> tuple[str, ...]:
    """The accounts that have a home, by name."""
    folder = root(home_root)
    try:
        return tuple(
            sorted(each.name for each in folder.iterdir() if each.is_dir() and opened(each))
        )
    except OSError:
        return ()


def opened(folder: Path) -> bool:
    """Whether an account was ever opened in a folder."""
    return any((folder / name).exists() for name in TRACES)


def differences(
    known: Identity, wanted: Identity, origins: Mapping[str, str]
) -> tuple[Difference, ...]:
    """What is asked for, and is not what the account is; the venue first. Keys of another venue are
    not compared.
    """
    found = []
    for key in KEYS:
        ours, theirs = getattr(wanted, key), getattr(known, key)
        if ours != theirs:
            found.append(Difference(key, ours, theirs, origins.get(f"account.{key}", "default")))
            if key == "venue":
                break
    return tuple(found)


def check_key(identity: Identity, key: str) -> None:
    """Refuse an API key that the account was not opened with: it may be another account's, which
    would look flat.

    Raises KeyChangedError.
    """
    found = fingerprint(key)
    if identity.live and identity.fingerprint and found and found != identity.fingerprint:
        raise KeyChangedError(
            f"account {identity.account} ({identity.label()}): the API key {found} is not the one"
            f" it was opened with, {identity.fingerprint}; if you rotated it, say `flatout accounts"
            f" confirm {identity.account}`"
        )
