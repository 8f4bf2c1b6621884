"""The folder of an account, looked at each time it is opened: whose it is, who else may enter it,
and that nothing in it leads elsewhere.

Lock, log, journal, paper account and sockets are opened by their names. Somebody who can put
a symbolic link in their place, or can write the folder, decides what this program overwrites, which
orders it believes in, and who gives it orders.
"""

import contextlib
import os
import re
import stat
from pathlib import Path

ELSEWHERE = frozenset({"keys.toml", "exports"})
"""What may be a symbolic link: a person put it there, and it is only read, or only gets new files.
"""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,39}")


class FolderError(Exception):
    """The folder, or the account's name, can't be used; the text says what is wrong and what to do
    about it.
    """


def check_name(account: str) -> None:
    """Raise FolderError unless `account` may name an account: it becomes the name of a folder."""
    if not _NAME.fullmatch(account):
        raise FolderError(
            f"account {account[:60]!r}: an account's name is 1 to 40 letters, digits, _ . or -, and"
            " begins with a letter, a digit or _"
        )


def check(folder: Path) -> None:
    """Raise FolderError unless `folder` belongs to this user, nobody else may enter it, and what it
    holds is its own.
    """
    try:
        _check_folder(folder)
        _check_entries(folder)
    except OSError as error:
        raise FolderError(
            f"home {folder}: it can't be looked at: {error.strerror}; name another folder"
        ) from error


def _check_folder(folder: Path) -> None:
    found = folder.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise FolderError(
            f"home {folder}: it is a symbolic link to {folder.readlink()}; name that folder itself"
        )
    if not stat.S_ISDIR(found.st_mode):
        raise FolderError(f"home {folder}: it is not a folder; remove it, or name another one")
    if found.st_uid != os.getuid():
        raise FolderError(
            f"home {folder}: it belongs to user {found.st_uid}, not to {os.getuid()}; name a folder"
            " of your own"
        )
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        raise FolderError(
            f"home {folder}: others may enter it (mode {mode:04o}); say chmod 700 {folder}"
        )


def _check_entries(folder: Path) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name in ELSEWHERE:
                continue
            path = folder / entry.name
            if entry.is_symlink():
                raise FolderError(
                    f"home {folder}: {entry.name} is a symbolic link to {path.readlink()}; remove"
                    " the link"
                )
            try:
                owner = entry.stat(follow_symlinks=False).st_uid
            except (
                FileNotFoundError
            ):  # a process beside us has just removed it, as SQLite does with its -wal
                continue
            if owner != os.getuid():
                raise FolderError(
                    f"home {folder}: {entry.name} belongs to user {owner}, not to {os.getuid()};"
                    " remove it"
                )


def put(file: Path, content: bytes) -> bool:
    """Replace a file of an account's folder, without a sync; whether that worked. A full disk
    leaves the one before.
    """
    draft = file.with_name(f"{file.name}.new")
    try:
        descriptor = os.open(
            draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        with os.fdopen(descriptor, "wb") as written:
            written.write(content)
        draft.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        return False
    return True
