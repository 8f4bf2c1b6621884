"""The pen of one machine: who holds it, who has lost it, who is proved to hold it, and what a
process that stood still may do.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.account import lock
from engine.account.beat import Beat
from engine.account.home import Home, HomeError
from engine.account.lock import Holder, Lock
from engine.account.pen import AlwaysPermit, HomePermit, LeasePermit, boottime
from engine.account.victim import prove
from engine.clock import SECOND
from engine.gate import Standing
from tests.support import processes

pytestmark = pytest.mark.hazard("H76")

HOLD = """
import sys, time
from pathlib import Path
from engine.account.lock import Lock
taken = Lock.take(Path(sys.argv[1]), time.time_ns(), sys.argv[2])
assert isinstance(taken, Lock), taken
print("holding", flush=True)
sys.stdin.read()
"""
OPEN = """
import sys
with open(sys.argv[1], "r+b") as file:
    print("open", flush=True)
    sys.stdin.read()
"""

Child = subprocess.Popen[str]
Start = Callable[..., Child]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a program in a process of its own, and returns once it has said a word."""
    children: list[Child] = []

    def begin(program: str, *words: object) -> Child:
        command = [sys.executable, "-c", program, *map(str, words)]
        child = processes.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline()
        return child

    yield begin
    for child in children:
        child.kill()
        child.communicate()


class Boot:
    """A clock that goes on while the machine sleeps."""

    def __init__(self) -> None:
        self.at = 1_000 * SECOND

    def __call__(self) -> int:
        return self.at


def held(folder: Path) -> Lock:
    taken = Lock.take(folder, time.time_ns())
    assert isinstance(taken, Lock)
    return taken


def forge(folder: Path, **changes: object) -> None:
    """Write something else into the lock's file, past the lock."""
    told = json.loads((folder / lock.FILE).read_bytes())
    with (folder / lock.FILE).open("r+b") as file:
        file.write(json.dumps({**told, **changes}).encode().ljust(lock.SIZE))


# The lock


def test_the_lock_names_who_holds_it_since_when_and_that_it_lives(
    tmp_path: Path, start: Start
) -> None:
    child = start(HOLD, tmp_path, "last exit")
    holder = Lock.take(tmp_path, time.time_ns())
    assert isinstance(holder, Holder), "another process has it"
    assert (holder.kind, holder.pid, holder.started) == (
        "last exit",
        child.pid,
        lock.started(child.pid),
    )
    assert holder.text == f"the last exit, process {child.pid} on {holder.host}"
    assert 0 <= time.time_ns() - holder.since < 30 * SECOND
    assert len(holder.instance) >= 16
    assert not holder.is_dead
    child.kill()
    child.communicate()
    assert lock.read(tmp_path).is_dead, "the kernel says so"
    mine = held(tmp_path)
    assert mine.before is not None
    assert mine.before.pid == child.pid, "who had it before is told"
    mine.beat(77)
    assert lock.read(tmp_path).beat == 77
    assert (tmp_path / lock.FILE).stat().st_size == lock.SIZE, "written in place"
    mine.release()


def test_a_lock_of_an_older_flatout_is_read(tmp_path: Path) -> None:
    (tmp_path / lock.FILE).write_text('{"pid":17,"host":"desk","since":5}')
    home = Home(tmp_path)
    assert home.holder().text == "process 17 on desk"
    assert not home.holder().is_dead, "nothing proves it"
    assert home.hold(9) is None, "nobody holds it"
    assert home.pen is not None
    assert home.pen.before is None, "whether it was this very file it does not say"
    home.let_go()


def test_no_child_of_a_holder_inherits_the_lock(tmp_path: Path, start: Start) -> None:
    mine = held(tmp_path)
    start("print('lives', flush=True); import sys; sys.stdin.read()")
    mine.release()
    held(tmp_path).release()


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "smb3", "fuse.sshfs"])
def test_a_network_file_system_is_refused_with_a_sentence(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = tmp_path.stat().st_dev
    table = tmp_path / "mounts"
    table.write_text(
        f"36 35 {os.major(device)}:{os.minor(device)} / /mnt rw - {kind} server:/share rw\n"
    )
    monkeypatch.setattr(lock, "MOUNTS", table)
    with pytest.raises(
        HomeError, match=rf"network file system \({kind}\).*name a folder on a local disk"
    ):
        Home(tmp_path / "home").hold(1)


def test_the_file_system_of_a_folder_is_found(tmp_path: Path) -> None:
    assert lock.file_system(tmp_path)


# The permit


def test_a_process_that_stood_still_is_void_whatever_it_looks_at_first(tmp_path: Path) -> None:
    boot = Boot()
    permit = HomePermit(held(tmp_path), 0, boottime=boot)
    assert permit.beat(0, SECOND) is Standing.HELD
    assert permit.check(3 * SECOND) is Standing.HELD, "two seconds late is not a gap"
    assert permit.check(3 * SECOND + 1) is Standing.VOID
    assert permit.check(2 * SECOND) is Standing.VOID, "until the pen has been looked at"
    assert permit.beat(4 * SECOND, 5 * SECOND) is Standing.VOID, (
        "the beat that ends a gap tells of it"
    )
    assert permit.check(4 * SECOND) is Standing.HELD


def test_a_beat_that_comes_first_after_a_gap_tells_of_it(tmp_path: Path) -> None:
    for permit in (HomePermit(held(tmp_path), 0, boottime=Boot()), AlwaysPermit(0), Beat()):
        permit.beat(0, SECOND)
        assert permit.beat(90 * SECOND, 91 * SECOND) is Standing.VOID
        assert permit.check(90 * SECOND) is Standing.HELD


def test_a_laptop_that_slept_is_void_though_its_own_clock_stood_still(tmp_path: Path) -> None:
    boot = Boot()
    permit = HomePermit(held(tmp_path), 0, boottime=boot)
    permit.beat(0, SECOND)
    boot.at += 3 * SECOND + 1
    assert permit.check(1) is Standing.VOID


def test_a_market_played_fast_makes_no_gap_of_a_moment(tmp_path: Path) -> None:
    permit = HomePermit(held(tmp_path), 0, speed=1_000.0, boottime=Boot())
    permit.beat(0, SECOND)
    assert permit.check(1_000 * SECOND) is Standing.HELD, "a second of ours"
    assert permit.check(2_002 * SECOND) is Standing.VOID


def test_a_market_whose_pace_changes_makes_no_gap(tmp_path: Path) -> None:
    boot = Boot()
    permit = HomePermit(held(tmp_path), 0, boottime=boot)
    permit.beat(0, SECOND)
    permit.paced(1_000.0, 0)
    assert permit.check(1_000 * SECOND) is Standing.HELD, "a second of ours"
    permit.beat(1_000 * SECOND, 1_001 * SECOND)
    permit.paced(0.1, 1_000 * SECOND)
    boot.at += 12 * SECOND
    assert permit.check(1_001 * SECOND) is Standing.HELD, "ten seconds of ours for one, and two"
    boot.at += SECOND
    assert permit.check(1_001 * SECOND) is Standing.VOID


def test_a_market_that_is_frozen_makes_no_gap_but_a_process_that_stood_still_does(
    tmp_path: Path,
) -> None:
    boot = Boot()
    permit = HomePermit(held(tmp_path), 0, boottime=boot)
    permit.beat(0, SECOND)
    for _ in range(60):
        permit.stood(1)
        boot.at += SECOND
    assert permit.check(1) is Standing.HELD
    boot.at += 3 * SECOND
    permit.stood(1)
    assert permit.check(1) is Standing.VOID


def test_a_stopped_process_is_void_when_it_wakes(tmp_path: Path, start: Start) -> None:
    program = """
import sys, time
from pathlib import Path
from engine.account.lock import Lock
from engine.account.pen import HomePermit
permit = HomePermit(Lock.take(Path(sys.argv[1]), 1), time.monotonic_ns())
while True:
    now = time.monotonic_ns()
    print(permit.check(now).value, flush=True)
    if sys.stdin.readline() != "look\\n":
        permit.beat(now, now + 10**9)
"""
    child = start(program, tmp_path)
    assert child.stdin is not None
    assert child.stdout is not None

    def say(word: str) -> str:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(f"{word}\n")
        child.stdin.flush()
        return child.stdout.readline().strip()

    assert say("beat") == "held"
    child.send_signal(signal.SIGSTOP)
    time.sleep(3.3)
    child.send_signal(signal.SIGCONT)
    assert say("look") == "void"
    assert say("look") == "void"
    assert say("beat") == "held"


@pytest.mark.parametrize("how", ["removed", "copied", "put back"])
def test_a_home_that_is_not_the_one_that_others_find_loses_the_pen(
    how: str, tmp_path: Path, start: Start
) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    permit = HomePermit(held(folder), 0, boottime=Boot())
    assert permit.beat(0, SECOND) is Standing.HELD
    if how == "removed":
        shutil.rmtree(folder)
    elif how == "copied":
        shutil.copytree(folder, tmp_path / "copy")
        shutil.rmtree(folder)
        (tmp_path / "copy").rename(folder)
    else:
        folder.rename(tmp_path / "moved")
        folder.mkdir()
        child = start(HOLD, folder, "engine")
    assert permit.beat(SECOND, 2 * SECOND) is Standing.LOST
    assert permit.check(SECOND) is Standing.LOST
    assert "removed or put back" in permit.lost
    assert (
        permit.winner
        == {
            "removed": "nobody (its folder is gone)",
            "copied": "nobody (another copy of its folder lies there)",
            "put back": f"process {child.pid} on {socket.gethostname()}"
            if how == "put back"
            else "",
        }[how]
    )
    if how == "put back":
        child.kill()
        child.communicate()
        shutil.rmtree(folder)
        (tmp_path / "moved").rename(folder)
    assert permit.beat(2 * SECOND, 3 * SECOND) is Standing.LOST, (
        "for good, even where the folder is back"
    )


# The permit of a shared journal


def test_a_renewal_is_good_from_its_sending(tmp_path: Path) -> None:
    boot = Boot()
    permit = LeasePermit(held(tmp_path), 0, boot.at, boottime=boot)

    def beat() -> Standing:
        now = boot.at - 1_000 * SECOND
        return permit.beat(now, now + SECOND)

    for _ in range(8):
        assert beat() is Standing.HELD
        boot.at += SECOND
    sent = boot.at
    assert beat() is Standing.HELD
    for _ in range(2):
        boot.at += SECOND
        assert beat() is Standing.ORPHANED, "the database is silent: only what reduces leaves"
    permit.renewed(sent)  # answered two seconds after it was sent
    assert beat() is Standing.HELD
    for _ in range(6):
        boot.at += SECOND
        assert beat() is Standing.HELD
    boot.at += SECOND
    assert beat() is Standing.ORPHANED, "eight seconds from its sending, not from its answer"


def test_after_a_gap_longer_than_the_lease_only_a_new_renewal_counts(tmp_path: Path) -> None:
    boot = Boot()
    permit = LeasePermit(held(tmp_path), 0, boot.at, boottime=boot)
    permit.beat(0, SECOND)
    sent = boot.at
    boot.at += 60 * SECOND
    assert permit.check(60 * SECOND) is Standing.VOID
    permit.renewed(sent)  # an answer that waited in the socket while nobody ran
    assert permit.beat(60 * SECOND, 61 * SECOND) is Standing.VOID
    assert permit.check(60 * SECOND) is Standing.VOID, "somebody may have been let in meanwhile"
    permit.renewed(boot.at)
    assert permit.check(60 * SECOND) is Standing.HELD
    permit.lose("epoch 2", "process 9 on other")
    permit.renewed(boot.at + SECOND)
    assert permit.check(60 * SECOND) is Standing.LOST
    assert (permit.lost, permit.winner) == ("epoch 2", "process 9 on other")


def test_after_a_gap_that_the_lease_outlasts_nobody_can_have_been_let_in(tmp_path: Path) -> None:
    boot = Boot()
    permit = LeasePermit(held(tmp_path), 0, boot.at, boottime=boot)
    permit.beat(0, SECOND)
    boot.at += 4 * SECOND
    assert permit.beat(4 * SECOND, 5 * SECOND) is Standing.VOID
    assert permit.check(4 * SECOND) is Standing.HELD


def test_the_clock_that_counts_sleep_goes_on() -> None:
    before = boottime()
    assert boottime() >= before > 0


# The proof of the victim


@pytest.mark.hazard("H112")
def test_a_hung_holder_is_proved_and_ended_and_the_lock_is_free(
    tmp_path: Path, start: Start
) -> None:
    child = start(HOLD, tmp_path, "engine")
    child.send_signal(signal.SIGSTOP)
    victim = prove(tmp_path)
    assert victim is not None
    assert victim.holder.pid == child.pid
    assert victim.end(5.0)
    assert child.wait(5) == -signal.SIGKILL
    victim.close()
    held(tmp_path).release()


@pytest.mark.hazard("H112")
def test_nobody_is_proved_by_the_number_of_a_process_alone(tmp_path: Path, start: Start) -> None:
    """A number used again: the same one, another start. The process even has the file open."""
    held(tmp_path).release()
    child = start(OPEN, tmp_path / lock.FILE)
    began = lock.started(child.pid)
    assert began is not None
    forge(tmp_path, pid=child.pid, started=began - 1)
    assert prove(tmp_path) is None, "it started at another time"
    forge(tmp_path, pid=child.pid, started=began)
    found = prove(tmp_path)
    assert found is not None, "only the start was wrong"
    found.close()
    forge(tmp_path, pid=child.pid, started=None)
    assert prove(tmp_path) is None, "a lock of an older Flatout proves nobody"
    assert child.poll() is None


@pytest.mark.hazard("H112")
def test_a_copied_lock_makes_nobody_a_victim(tmp_path: Path, start: Start) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    first.mkdir()
    second.mkdir()
    child = start(HOLD, first, "engine")
    shutil.copy2(first / lock.FILE, second / lock.FILE)
    assert prove(second) is None, "it does not have this file open"
    assert child.poll() is None
    mine = held(second)
    assert mine.before is None, "and nothing says that it has let go"


@pytest.mark.hazard("H112")
def test_nobody_is_proved_where_nobody_lives(tmp_path: Path, start: Start) -> None:
    assert prove(tmp_path) is None
    child = start(HOLD, tmp_path, "engine")
    forge(tmp_path, machine="another machine")
    assert prove(tmp_path) is None, "the number means somebody else there"
    child.kill()
    child.communicate()
    assert prove(tmp_path) is None
