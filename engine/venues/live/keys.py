"""API keys: from the environment, a file that only its owner may read, or the system's keyring;
never from the settings or the command line.

Names are derived from the account: `FLATOUT_KEY_MAIN` and `FLATOUT_SECRET_MAIN` for the account
`main`, else `FLATOUT_KEY` and `FLATOUT_SECRET`, which are also a scenario's; the file is
`keys.toml` in the account's home, with mode 0600; in the keyring the service is `flatout` and the
users are `main key` and `main secret`.
"""

import importlib
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from engine.model.secrets import remember
from engine.venues.protocol import VenueError

FILE = "keys.toml"
SERVICE = "flatout"
PLAIN = ("FLATOUT_KEY", "FLATOUT_SECRET")


class KeysError(VenueError):
    """No key can be used; the text says where it was looked for and what is wrong."""


class Credentials(Struct, frozen=True):
    """One API key. Its text form tells nothing."""

    key: str
    secret: str
    origin: str
    """Where it was found."""

    def __repr__(self) -> str:
        return f"Credentials(from {self.origin})"


def variables(account: str) -> tuple[str, str]:
    """The environment variables of an account's key and secret."""
    name = re.sub(r"[^A-Za-z0-9]", "_", account).upper()
    return f"FLATOUT_KEY_{name}", f"FLATOUT_SECRET_{name}"


def find(account: str, home: Path, environment: Mapping[str, str] | None = None) -> Credentials:
    """The key of an account: from the environment, then the file, then the keyring. It is told
    nowhere from then on. Raises KeysError.
    """
    found = _find(account, home, environment)
    remember((found.key, found.secret))
    return found


def _find(account: str, home: Path, environment: Mapping[str, str] | None) -> Credentials:
    environment = os.environ if environment is None else environment
    for key, secret in (variables(account), PLAIN):
        if environment.get(key) and environment.get(secret):
            return Credentials(environment[key], environment[secret], f"the environment ({key})")
    path = home / FILE
    if path.exists():
        return _from_file(path)
    found = _from_keyring(account)
    if found is not None:
        return found
    key, secret = variables(account)
    raise KeysError(
        f"account {account}: there is no API key; set {key} and {secret}, or write {path} with mode"
        " 0600 (key = ..., secret = ...),"
        f' or put it into the keyring: keyring set {SERVICE} "{account} key" and keyring set'
        f' {SERVICE} "{account} secret"'
    )


def _from_file(path: Path) -> Credentials:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise KeysError(f"{path} may be read by others (mode {mode:04o}); say chmod 600 {path}")
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        # the parser's words may quote the secret
        raise KeysError(f"{path} can't be read as TOML with key = ... and secret = ...") from None
    if not (isinstance(told.get("key"), str) and isinstance(told.get("secret"), str)):
        raise KeysError(f"{path}: key and secret must both be there, as text")
    return Credentials(told["key"], told["secret"], str(path))


def _from_keyring(account: str) -> Credentials | None:
    try:
        keyring = importlib.import_module("keyring")
        key, secret = (
            keyring.get_password(SERVICE, f"{account} {what}") for what in ("key", "secret")
        )
    except Exception:
        return None
    return Credentials(key, secret, "the keyring") if key and secret else None
