"""Where an account lives on disk, and the lock that says which process holds it."""

import fcntl
import hashlib
import os
import socket
import tempfile
from pathlib import Path

import msgspec
import platformdirs
from msgspec import Struct

from engine.session.folder import FolderError, check, check_name


class HomeError(Exception):
    """The home can't be used; the text says what, where and what is allowed."""


class Holder(Struct, frozen=True):
    """Who holds an account."""

    pid: int
    host: str
    since: int
    """Nanoseconds since 1970 UTC."""

    @property
    def text(self) -> str:
        """For people."""
        return f"process {self.pid} on {self.host}"


class Home:
    """The folder of one account: journal, paper account, lock and control socket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: int | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise HomeError(f"home {folder}: it can't be made: {error.strerror}; name a folder that is writable") from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise HomeError(f"home {folder}: it is not writable; name a folder that is")
        try:
            check(folder)
        except FolderError as error:
            raise HomeError(str(error)) from error

    @classmethod
    def of(cls, account: str, folder: Path | None = None) -> "Home":
        """The home of an account: `folder`, else `FLATOUT_HOME`, else the platform's place for data, each by account name."""
        named = os.environ.get("FLATOUT_HOME")
        root = folder or (Path(named) if named else Path(platformdirs.user_data_dir("flatout")))
        try:
            check_name(account)
        except FolderError as error:
            raise HomeError(str(error)) from error
        return cls(root / account)

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
        """The control socket. A path that is too long for one lives in a private folder beside the temporary files."""
        path = self.folder / "control.sock"
        if len(os.fsencode(path)) < 100:
            return path
        short = hashlib.blake2b(os.fsencode(self.folder.resolve()), digest_size=8).hexdigest()
        private = Path(tempfile.gettempdir()) / f"flatout-{os.getuid()}"
        private.mkdir(mode=0o700, exist_ok=True)
        try:
            check(private)
        except FolderError as error:
            raise HomeError(str(error)) from error
        return private / f"{short}.sock"

    def hold(self, now: int) -> Holder | None:
        """Lock the account for this process; who holds it, where that fails."""
        path = self.folder / "lock"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return self.holder()
            self._lock = descriptor
            me = Holder(os.getpid(), socket.gethostname(), now)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, msgspec.json.encode(me), 0)
        except OSError as error:
            self.let_go()
            raise HomeError(f"home {self.folder}: the lock can't be written: {error.strerror}; free some space, or name another folder") from error
        return None

    def holder(self) -> Holder:
        """Who wrote the lock last."""
        try:
            return msgspec.json.decode((self.folder / "lock").read_bytes(), type=Holder)
        except (OSError, msgspec.MsgspecError):
            return Holder(0, "unknown", 0)

    def let_go(self) -> None:
        """Unlock; nothing happens where we don't hold it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
