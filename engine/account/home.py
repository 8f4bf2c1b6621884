"""Where an account lives on disk, and the lock that says which process holds it."""

import hashlib
import os
import tempfile
from pathlib import Path

import platformdirs

from engine.account import lock
from engine.account.lock import Holder, Kind, Lock, PenError

__all__ = ["Holder", "Home", "HomeError"]

from engine.account.folder import FolderError, check, check_name


class HomeError(Exception):
    """The home can't be used; the text says what, where and what is allowed."""


def root(folder: Path | None = None) -> Path:
    """The folder that holds the homes of all accounts: `folder`, else `FLATOUT_HOME`, else the
    platform's place for data.
    """
    named = os.environ.get("FLATOUT_HOME")
    return folder or (Path(named) if named else Path(platformdirs.user_data_dir("flatout")))


class Home:
    """The folder of one account: journal, paper account, lock and sockets."""

    def __init__(self, folder: Path, *, create: bool = True) -> None:
        self.folder = folder
        self.pen: Lock | None = None
        """The lock, while this process holds it."""
        if create:
            self._create()

    def _create(self) -> None:
        folder = self.folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise HomeError(
                f"home {folder}: it can't be made: {error.strerror}; name a folder that is writable"
            ) from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise HomeError(f"home {folder}: it is not writable; name a folder that is")
        try:
            check(folder)
        except FolderError as error:
            raise HomeError(str(error)) from error

    @classmethod
    def of(cls, account: str, folder: Path | None = None) -> "Home":
        """The home of an account: `folder`, else `FLATOUT_HOME`, else the platform's place for
        data, each by account name.
        """
        try:
            check_name(account)
        except FolderError as error:
            raise HomeError(str(error)) from error
        return cls(root(folder) / account)

    @classmethod
    def at(cls, account: str, folder: Path | None = None) -> "Home":
        """The same home to look at: nothing is created, and it may not be there."""
        return cls(root(folder) / account, create=False)

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.folder / "journal.sqlite"

    @property
    def paper(self) -> Path:
        """The paper account's file: the venue's truth, not ours."""
        return self.folder / "paper.sqlite"

    @property
    def log(self) -> Path:
        """What happened, a line each; rotates."""
        return self.folder / "flatout.log"

    @property
    def control(self) -> Path:
        """The control socket: a line of JSON per question."""
        return self._socket("control.sock", ".sock")

    @property
    def session(self) -> Path:
        """The socket of attached consoles."""
        return self._socket("session.sock", ".session.sock")

    def _socket(self, name: str, ending: str) -> Path:
        """A path that is too long for a socket lives in a private folder beside the temporary
        files. By whatever name the folder is called, it is the same socket.
        """
        folder = self.folder.resolve()
        path = folder / name
        if len(os.fsencode(path)) < 100:
            return path
        short = hashlib.blake2b(os.fsencode(folder), digest_size=8).hexdigest()
        private = Path(tempfile.gettempdir()) / f"flatout-{os.getuid()}"
        private.mkdir(mode=0o700, exist_ok=True)
        try:
            check(private)
        except FolderError as error:
            raise HomeError(str(error)) from error
        return private / f"{short}{ending}"

    def hold(self, now: int, kind: Kind = "engine") -> Holder | None:
        """Lock the account for this process; who holds it, where that fails. `now` is wall clock,
        nanoseconds. Raises HomeError.
        """
        try:
            taken = Lock.take(self.folder, now, kind)
        except PenError as error:
            raise HomeError(f"home {self.folder}: {error}") from error
        except OSError as error:
            raise HomeError(
                f"home {self.folder}: the lock can't be written: {error.strerror}; free some space,"
                " or name another folder"
            ) from error
        if isinstance(taken, Holder):
            return taken
        self.pen = taken
        return None

    def holder(self) -> Holder:
        """Who wrote the lock last."""
        return lock.read(self.folder)

    def let_go(self) -> None:
        """Unlock; nothing happens where we don't hold it."""
        if self.pen is not None:
            self.pen.release()
            self.pen = None
