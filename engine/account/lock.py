"""The pen of one machine: an exclusive `flock` on the file `lock` in an account's home, which names
who holds it.

The kernel gives it to one process and takes it back when that process ends, however it ends. What
stands in the file is for people, and for the proof of who the holder is
(`engine/account/victim.py`); nobody gets the pen by writing it.
"""

import fcntl
import os
import secrets
import socket
import time
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

FILE = "lock"
SIZE = 1024
"""Bytes of the record: always written whole and in place, so that a full disk changes nothing."""
MOUNTS = Path("/proc/self/mountinfo")
NETWORK = ("nfs", "cifs", "smb", "ncpfs", "afs", "fuse.sshfs")
"""Beginnings of the names of file systems whose locks other machines may not see."""
INSTANCE = secrets.token_hex(8)
"""Of this process: drawn at its start."""

Kind = Literal["engine", "last exit"]


class PenError(Exception):
    """The lock can't be used here; the text says why and what is allowed."""


class Holder(Struct, frozen=True, omit_defaults=True):
    """Who holds an account. A lock of an older Flatout names process, host and time only."""

    pid: int
    host: str
    since: int
    """Nanoseconds since 1970 UTC."""
    kind: Kind = "engine"
    instance: str = ""
    started: int | None = None
    """When the process started, in ticks since the machine did: with the number, it is this process
    and no later one.
    """
    machine: str = ""
    """The running machine and its space of process numbers: a number means something only there."""
    beat: int = 0
    """When it last wrote this, wall clock: nanoseconds since 1970 UTC."""
    inode: int = 0
    """Of the file that this was written to: in a copy it is another one."""

    @property
    def text(self) -> str:
        """For people."""
        what = "the last exit, " if self.kind == "last exit" else ""
        return f"{what}process {self.pid} on {self.host}"

    @property
    def is_dead(self) -> bool:
        """Whether the process is proved to have ended; False too where that can't be known from
        here.
        """
        if not self.machine or self.machine != machine() or self.started is None:
            return False
        return started(self.pid) != self.started


UNKNOWN = Holder(0, "unknown", 0)


def started(pid: int) -> int | None:
    """When a process started (ticks since the machine did); None where there is none, or where
    nobody tells.
    """
    try:
        told = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = told.rpartition(b")")[2].split()  # the name before it may hold blanks and brackets
    return int(fields[19]) if fields[:1] != [b"Z"] else None


def machine() -> str:
    """The running machine and the space of process numbers that this process lives in; empty where
    nobody tells.
    """
    try:
        return (
            f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}"
            f" {Path('/proc/self/ns/pid').readlink()}"
        )
    except OSError:
        return ""


def myself(now: int, kind: Kind = "engine") -> Holder:
    """This process, as it signs; `now` is wall clock, nanoseconds."""
    pid = os.getpid()
    return Holder(pid, socket.gethostname(), now, kind, INSTANCE, started(pid), machine(), now)


def read(folder: Path) -> Holder:
    """Who wrote the lock of an account's folder last; `UNKNOWN` where nobody can tell."""
    for _ in range(3):  # read in the middle of a write: once more
        try:
            return _decode((folder / FILE).read_bytes())
        except OSError:
            break
        except msgspec.MsgspecError:
            continue
    return UNKNOWN


def _decode(content: bytes) -> Holder:
    return msgspec.json.decode(content.rstrip(b" \0"), type=Holder)


def file_system(folder: Path) -> str:
    """The kind of file system that a folder lies on; empty where nobody tells."""
    try:
        device = folder.stat().st_dev
        lines = MOUNTS.read_text().splitlines()
    except OSError:
        return ""
    wanted, found = f"{os.major(device)}:{os.minor(device)}", ""
    for line in lines:
        mount, _, source = line.partition(" - ")
        if mount.split()[2:3] == [wanted] and source:
            found = source.split()[0]
    return found


class Lock:
    """The pen, while this process holds it."""

    def __init__(self, folder: Path, descriptor: int, me: Holder, before: Holder | None) -> None:
        self.folder = folder
        self.me = me
        self.before = before
        """Who held it last, if that was written to this very file: it has let go of it, or is dead.
        """
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, folder: Path, now: int, kind: Kind = "engine") -> "Lock | Holder":
        """Take the lock of a folder, or say who has it; `now` is wall clock. Raises PenError on a
        network file system, or OSError.
        """
        kept = file_system(folder)
        if kept.startswith(NETWORK):
            raise PenError(
                f"it lies on a network file system ({kept}), where another machine may not see the"
                " lock; name a folder on a local disk"
            )
        while True:
            descriptor = os.open(
                folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
            )
            try:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    os.close(descriptor)
                    return read(folder)
                if not _is_at(descriptor, folder / FILE):  # removed between opening and locking
                    os.close(descriptor)
                    continue
                return cls._sign(folder, descriptor, now, kind)
            except OSError:
                os.close(descriptor)
                raise

    @classmethod
    def _sign(cls, folder: Path, descriptor: int, now: int, kind: Kind) -> "Lock":
        inode = os.fstat(descriptor).st_ino
        try:
            before: Holder | None = _decode(os.pread(descriptor, SIZE, 0))
        except msgspec.MsgspecError:
            before = None
        lock = cls(
            folder,
            descriptor,
            msgspec.structs.replace(myself(now, kind), inode=inode),
            before if before is not None and before.inode == inode else None,
        )
        os.ftruncate(descriptor, SIZE)
        lock._write()
        return lock

    def _write(self) -> None:
        assert self._descriptor is not None
        os.pwrite(self._descriptor, msgspec.json.encode(self.me).ljust(SIZE), 0)

    @property
    def in_place(self) -> bool:
        """Whether the file that we hold is still the one that others find: a folder that was
        removed or put back has another.
        """
        return self._descriptor is not None and _is_at(self._descriptor, self.folder / FILE)

    @property
    def is_there(self) -> bool:
        """Whether there is any lock where ours was."""
        return (self.folder / FILE).exists()

    def beat(self, now: int | None = None) -> None:
        """Write that we live (wall clock, nanoseconds), in place and without a sync. What the disk
        says against it changes nothing.
        """
        if self._descriptor is None:
            return
        self.me = msgspec.structs.replace(self.me, beat=time.time_ns() if now is None else now)
        try:
            self._write()
        except OSError:
            return  # it is for people; the lock itself is the kernel's

    def release(self) -> None:
        """Let go of it; nothing happens the second time."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _is_at(descriptor: int, path: Path) -> bool:
    ours = os.fstat(descriptor)
    try:
        theirs = path.stat(follow_symlinks=False)
    except OSError:
        return False
    return (ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino)
