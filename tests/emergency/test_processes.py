"""The command beside real processes: a console that hangs, wakes or dies, another last exit, and a
lock that lies.
"""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.account.lock import Holder, Lock, machine, started
from engine.emergency import holder
from engine.emergency.marking import Marker
from tests.support import processes

D = Decimal
PRO = ("--set", 'account.limits={ tier = "pro" }')
Run = Callable[..., subprocess.CompletedProcess[str]]

HOLD = """
import asyncio, signal, sys
from decimal import Decimal
from engine.session.opening import open_session
from engine.model.intent import Away, Base, OpenBracket
from engine.model.side import Side
from engine.setup.settings import load

async def main():
    session = await open_session(load(None, sys.argv[1:]).settings)
    while any(reason.code == "STARTING" for reason in session.view().reasons) or not session.view().feeds:
        await asyncio.sleep(0.05)
    answer = await session.ask(OpenBracket(id="t1", symbol="BTC/USD", side=Side.BUY, size=Base(Decimal("0.05")), stop=Away(Decimal("0.05"))))
    assert answer.ok, answer
    while not any(row.protection.value == "venue" for row in session.view().positions):
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    print("holding", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""

UNUSED = HOLD.replace(
    "    answer = await session.ask(",
    "    print('holding', flush=True)\n    await asyncio.Event().wait()\n    answer = await"
    " session.ask(",
)
"""The same, before anything was bought."""

REFUSE = """
import asyncio, sys, time
from pathlib import Path
from engine.session.server import ControlServer
from engine.account.home import Home
from engine.model.refusal import Refusal
from engine.model.view import Answer

class Session:
    read_only = True
    async def ask(self, intent):
        return Answer(intent.id, (Refusal("READ_ONLY", "somebody"),))

async def main():
    home = Home(Path(sys.argv[1]))
    assert home.hold(time.time_ns()) is None
    await ControlServer(Session(), home.control).start()
    print("holding", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""

SLOW = """
import asyncio, sys
from engine.session import local
from engine.session.opening import open_session
from engine.setup.settings import load

journal = local.LocalSession._open_journal

async def late(self, *terms):
    print("holding", flush=True)
    await asyncio.sleep(float(sys.argv[1]))
    return await journal(self, *terms)

local.LocalSession._open_journal = late

async def main():
    session = await open_session(load(None, sys.argv[2:]).settings)
    await asyncio.Event().wait()

asyncio.run(main())
"""
"""An engine whose journal lies on a slow disk."""

BLOCKED = """
import sys
BLOCKED = ("sqlmodel", "sqlalchemy", "alembic", "textual", "rich")
BLOCKED += ("engine.desk", "engine.journal", "engine.session", "engine.gateway", "engine.runtime")
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if any(name == one or name.startswith(one + ".") for one in BLOCKED):
            raise ImportError(f"{name} is blocked")
        return None
sys.meta_path.insert(0, Blocker())
from tui.cli import main
main()
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def environment(home: Path, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "FLATOUT_HOME": str(home),
        "FLATOUT_SETTINGS": str(tmp_path / "settings.toml"),
    }


@pytest.fixture
def flatten(environment: dict[str, str]) -> Run:
    def run(*words: str, code: str | None = None) -> subprocess.CompletedProcess[str]:
        begin = [sys.executable, "-m", "tui.cli"] if code is None else [sys.executable, "-c", code]
        # what may not be loaded must be loaded by nobody before
        told = (processes.run if code is None else subprocess.run)(
            [*begin, *PRO, "flatten", "--yes", *words],
            capture_output=True,
            text=True,
            env=environment,
            timeout=140,
        )
        assert "Traceback" not in told.stdout + told.stderr, told.stderr
        assert all("PAPER" in line and "paper" in line for line in told.stdout.splitlines()), (
            told.stdout
        )
        return told

    return run


@pytest.fixture
def starting(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts processes that say `holding`, and ends them."""
    begun: list[subprocess.Popen[str]] = []

    def start(code: str, *words: str) -> subprocess.Popen[str]:
        process = processes.Popen(
            [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True, env=environment
        )
        begun.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "holding"
        return process

    yield start
    for process in begun:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def holding(starting: Callable[..., subprocess.Popen[str]]) -> subprocess.Popen[str]:
    return starting(HOLD, PRO[1])


def truth(home: Path) -> tuple[Decimal, Decimal, int]:
    """What the venue has: bitcoin held, bitcoin sold, orders that rest."""
    database = sqlite3.connect(home / "paper" / "paper.sqlite")
    try:
        account = json.loads(
            database.execute("select body from fact where name = 'account'").fetchone()[0]
        )
        fills = [json.loads(body) for (body,) in database.execute("select body from fills")]
        (resting,) = database.execute("select count(*) from orders where open").fetchone()
    finally:
        database.close()
    sold = sum((D(str(fill["size"])) for fill in fills if fill["side"] == "sell"), D(0))
    return D(str(account["cash"].get("BTC", 0))), sold, resting


@pytest.mark.hazard("H73")
@pytest.mark.hazard("H103")
@pytest.mark.slow
def test_beside_a_console_that_hangs_and_wakes(
    holding: subprocess.Popen[str], flatten: Run, home: Path
) -> None:
    holding.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    told = flatten()
    spent = time.monotonic() - began
    holding.send_signal(signal.SIGCONT)
    time.sleep(2)
    assert told.returncode == 0, told.stdout
    assert truth(home) == (D(0), D("0.05"), 0), "sold once, and nothing rests"
    assert "the engine does not answer" in told.stdout
    assert spent < 40, f"{spent:.0f} s"


@pytest.mark.hazard("H73")
@pytest.mark.slow
def test_beside_a_console_that_wakes_while_it_works(
    holding: subprocess.Popen[str], flatten: Run, home: Path, environment: dict[str, str]
) -> None:
    holding.send_signal(signal.SIGSTOP)
    command = [sys.executable, "-m", "tui.cli", *PRO, "flatten", "--yes"]
    process = processes.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    time.sleep(2.5)
    holding.send_signal(signal.SIGCONT)
    said, _ = process.communicate(timeout=140)
    time.sleep(1)
    assert process.returncode == 0, said
    held, sold, resting = truth(home)
    assert (held, sold) == (D(0), D("0.05")), said
    assert resting == 0


@pytest.mark.hazard("H73")
@pytest.mark.slow
def test_beside_a_console_that_died(
    holding: subprocess.Popen[str], flatten: Run, home: Path
) -> None:
    holding.kill()
    holding.wait()
    told = flatten()
    assert told.returncode == 0, told.stdout
    assert truth(home) == (D(0), D("0.05"), 0)


@pytest.mark.hazard("H103")
@pytest.mark.slow
def test_an_engine_that_is_still_opening_is_waited_for(
    holding: subprocess.Popen[str],
    starting: Callable[..., subprocess.Popen[str]],
    flatten: Run,
    home: Path,
) -> None:
    holding.kill()
    holding.wait()
    slow = starting(SLOW, "4", PRO[1])
    told = flatten()
    assert told.returncode == 0, told.stdout
    assert "the engine is starting, step 2 of 5: journal" in told.stdout, told.stdout
    assert "going to the venue directly" not in told.stdout
    assert slow.poll() is None, "an engine was ended that was just opening"
    assert truth(home) == (D(0), D("0.05"), 0)


@pytest.mark.hazard("H103")
@pytest.mark.slow
def test_an_engine_that_does_not_get_open_is_passed_over(
    holding: subprocess.Popen[str],
    starting: Callable[..., subprocess.Popen[str]],
    flatten: Run,
    home: Path,
) -> None:
    holding.kill()
    holding.wait()
    stuck = starting(SLOW, "600", PRO[1])
    began = time.monotonic()
    told = flatten()
    assert told.returncode == 0, told.stdout
    assert "the engine does not get open" in told.stdout, told.stdout
    assert stuck.wait(5) == -signal.SIGKILL
    assert truth(home) == (D(0), D("0.05"), 0)
    assert 14 < time.monotonic() - began < 45


@pytest.mark.hazard("H113")
@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_an_account_in_which_nothing_ever_happened_is_flat(
    how: signal.Signals, starting: Callable[..., subprocess.Popen[str]], flatten: Run
) -> None:
    console = starting(UNUSED, PRO[1])
    console.send_signal(how)
    told = flatten()
    assert told.returncode == 0, told.stdout
    assert "the venue says flat" in told.stdout


@pytest.mark.hazard("H113")
@pytest.mark.slow
def test_a_paper_account_that_lost_its_balances_is_not_called_flat(
    holding: subprocess.Popen[str], flatten: Run, home: Path
) -> None:
    holding.kill()
    holding.wait()
    with sqlite3.connect(home / "paper" / "paper.sqlite") as database:
        database.execute("delete from fact where name = 'account'")
    database.close()
    told = flatten()
    assert told.returncode == 1, told.stdout
    assert "there is no account in it" in told.stdout


@pytest.mark.hazard("H73")
@pytest.mark.slow
def test_several_at_once_sell_once(
    holding: subprocess.Popen[str], home: Path, environment: dict[str, str]
) -> None:
    holding.send_signal(signal.SIGSTOP)
    command = [sys.executable, "-m", "tui.cli", *PRO, "flatten", "--yes"]
    began = [
        processes.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(4)
    ]
    said = [process.communicate(timeout=140)[0] for process in began]
    assert [process.returncode for process in began] == [0] * 4, said
    assert truth(home) == (D(0), D("0.05"), 0), "one holding was sold twice"
    assert sum("following it" in one for one in said) >= 1, said


@pytest.mark.hazard("H103")
@pytest.mark.hazard("H114")
@pytest.mark.slow
def test_a_refusal_is_not_waited_out(
    holding: subprocess.Popen[str],
    starting: Callable[..., subprocess.Popen[str]],
    flatten: Run,
    home: Path,
) -> None:
    holding.kill()
    holding.wait()
    starting(REFUSE, str(home / "paper"))
    began = time.monotonic()
    told = flatten()
    spent = time.monotonic() - began
    assert told.returncode == 0, told.stdout
    assert "the engine refuses" in told.stdout
    assert truth(home)[0] == 0
    assert spent < 40, f"{spent:.0f} s were spent on a refusal"


@pytest.mark.hazard("H103")
@pytest.mark.slow
def test_it_works_without_desk_database_and_screen(
    holding: subprocess.Popen[str], flatten: Run, home: Path
) -> None:
    holding.send_signal(signal.SIGSTOP)
    told = flatten(code=BLOCKED)
    assert told.returncode == 0, told.stdout + told.stderr
    assert truth(home) == (D(0), D("0.05"), 0)


def forge(folder: Path, pid: int) -> None:
    """Let the lock name another process, as a file that somebody restored may."""
    now = time.time_ns()
    lie = Holder(pid, "here", now, "engine", "x", started(pid), machine(), now)
    (folder / "lock").write_bytes(msgspec.json.encode(lie).ljust(1024))


@pytest.mark.hazard("H73")
@pytest.mark.slow
def test_nobody_is_ended_whom_the_lock_names_without_proof(
    holding: subprocess.Popen[str], flatten: Run, home: Path
) -> None:
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(200)"])
    try:
        holding.send_signal(signal.SIGSTOP)
        forge(home / "paper", innocent.pid)
        told = flatten()
        assert innocent.poll() is None, "a process was ended that did not hold the account"
        assert holding.poll() is None
        assert told.returncode == 1, told.stdout
        assert "can't be proved: nobody is ended" in told.stdout
        assert truth(home)[1] == 0, "coins were sold beside an engine that may wake"
    finally:
        innocent.kill()
        innocent.wait()


@pytest.mark.hazard("H73")
def test_the_victim_is_proved(tmp_path: Path) -> None:
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(200)"])
    try:
        forge(tmp_path, innocent.pid)
        said: list[str] = []
        assert not holder.end(tmp_path, said.append)
        time.sleep(0.1)
        assert innocent.poll() is None, "a process was ended that did not hold the account"
    finally:
        innocent.kill()
        innocent.wait()


@pytest.mark.hazard("H73")
async def test_another_last_exit_is_followed_and_never_ended(tmp_path: Path) -> None:
    lock = Lock.take(tmp_path, time.time_ns(), "last exit")
    assert isinstance(lock, Lock)
    said: list[str] = []
    marker = Marker(tmp_path, "i", lock.me.instance, os.getpid(), said.append)
    marker.begin()
    assert not holder.end(tmp_path, said.append)
    following = asyncio.get_running_loop().create_task(
        holder.follow(tmp_path, lock.me, said.append)
    )
    await asyncio.sleep(0.4)
    marker.tells("BTC/USD: sold")
    marker.end("flat")
    mark = await following
    lock.release()
    assert mark is not None
    assert mark.outcome == "flat"
    assert "BTC/USD: sold" in said


def test_an_account_that_nobody_knows_is_not_made(flatten: Run, home: Path) -> None:
    told = flatten()
    assert told.returncode == 2
    assert "no account is called paper" in told.stderr
    assert not home.exists()
