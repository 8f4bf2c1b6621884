"""The order of the last exit's steps, in this process, beside locks and sockets of real ones: who
is asked, who is followed, who is ended.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.account import mark as marks
from engine.account import summary as summaries
from engine.account.lock import Lock
from engine.account.summary import HeldPosition, OpenOrder, Summary
from engine.clock import Clock
from engine.emergency import Wanted, asking, holder, last_exit, steps
from engine.emergency.marking import Marker
from engine.emergency.opening import lag_of, opened
from engine.emergency.paper import can_read_paper
from engine.model.ids import client_order_id, is_of_last_exit
from engine.model.intent import AnyIntent, Withdraw
from engine.model.order import Order, OrderType, Role
from engine.model.quote import Quote
from engine.model.refusal import Refusal
from engine.model.request import Lane, Submit
from engine.model.side import Side
from engine.model.view import Answer, FlattenLine, FlattenView
from engine.session.messages import HandedOver
from engine.session.server import ControlServer
from engine.setup.sections import AccountSettings, MarketSettings, Settings
from engine.venues.paper import PaperVenue
from engine.venues.protocol import NotSentError
from tests.console.sample import SampleSession
from tests.support import processes

D = Decimal
BTC = "BTC/USD"
LABEL = "main · PAPER"
SETTINGS = Settings(
    account=AccountSettings(name="main", limits={"tier": "pro"}),
    market=MarketSettings(symbols=(BTC,)),
)

HOLDER = """
import sys, time
from pathlib import Path
from engine.account.lock import Lock
kind, age = sys.argv[2], int(float(sys.argv[3]) * 1e9)
lock = Lock.take(Path(sys.argv[1]), time.time_ns() - age, kind)
assert isinstance(lock, Lock), lock
print("holding", flush=True)
time.sleep(100)
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PROGRESS", 0.6)
    monkeypatch.setattr(asking, "ACKNOWLEDGED", 0.3)
    monkeypatch.setattr(asking, "WITHDRAWN", 0.3)
    monkeypatch.setattr(asking, "LOOK", 0.05)
    monkeypatch.setattr(holder, "LOOK", 0.05)
    monkeypatch.setattr(steps, "YOUNG", 0.2)


async def dead_engine(folder: Path) -> None:
    """Bought 0.05 on paper, with its stop; the home's summary knows it."""
    clock = Clock(asyncio.get_running_loop())
    entry = Order(
        client_order_id("main", "i", "leg", 1),
        "P",
        BTC,
        Side.BUY,
        OrderType.MARKET,
        Role.ENTRY,
        D("0.05"),
    )
    stop = Order(
        client_order_id("main", "i", "leg", 2),
        "P",
        BTC,
        Side.SELL,
        OrderType.STOP,
        Role.STOP,
        D("0.05"),
        trigger=D(50_000),
    )
    async with opened(SETTINGS, folder, clock, ()) as venue:
        assert isinstance(venue, PaperVenue)
        venue.feed(Quote(BTC, clock.now(), D(60_000), D(5), D(60_001), D(5)))
        await venue.send(Submit(entry, Lane.ENTRY))
        await venue.send(Submit(stop, Lane.PROTECT))
        booked = tuple(fill.execution_id for fill in venue.exchange.fills)
        assert [order.client_order_id for order in venue.exchange.orders.values()] == [
            stop.client_order_id
        ]
    now = clock.now()
    known = OpenOrder(
        client_order_id=stop.client_order_id,
        venue_order_id=None,
        symbol=BTC,
        side=Side.SELL,
        role=Role.STOP,
        size=D("0.05"),
        filled=D(0),
        trigger=D(50_000),
        touched_at=now - 60_000_000_000,
    )
    position = HeldPosition(
        id="P", symbol=BTC, side=Side.BUY, size=D("0.05"), opened_at=now - 60_000_000_000
    )
    summaries.write(
        folder,
        Summary(
            account="main",
            seq=1,
            at=now,
            executions=booked,
            positions=(position,),
            orders=(known,),
            baseline={"BTC": D(0)},
        ),
    )


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """The home of an engine that was killed."""
    await dead_engine(tmp_path)
    return tmp_path


async def truth(folder: Path) -> tuple[Decimal, int, int]:
    """What the venue has: bitcoin, sales, orders that rest."""
    async with opened(SETTINGS, folder, Clock(asyncio.get_running_loop()), ()) as venue:
        assert isinstance(venue, PaperVenue)
        sold = [fill for fill in venue.exchange.fills if fill.side is Side.SELL]
        return venue.exchange.ledger.cash.get("BTC", D(0)), len(sold), len(venue.exchange.orders)


UNTOUCHED, CLOSED = (D("0.05"), 0, 1), (D(0), 1, 0)


async def leave(folder: Path, **terms: Any) -> tuple[int, list[str]]:
    """Run the last exit; its code and what it says."""
    said: list[str] = []
    code = await last_exit(
        Wanted(settings=SETTINGS, folder=folder, label=LABEL, **terms), said.append
    )
    assert all(line.startswith(f"{LABEL}: ") for line in said), said
    return code, [line.removeprefix(f"{LABEL}: ") for line in said]


@pytest.fixture
def holds(folder: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts processes that hold the account's lock and do nothing else, and ends them."""
    begun: list[subprocess.Popen[str]] = []

    def start(kind: str = "engine", age: float = 100) -> subprocess.Popen[str]:
        process = processes.Popen(
            [sys.executable, "-c", HOLDER, str(folder), kind, str(age)],
            stdout=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        return process

    yield start
    for process in begun:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


class Desk(SampleSession):
    """The engine behind the socket, which answers as it is told to."""

    def __init__(
        self,
        *views: FlattenView,
        refusals: tuple[Refusal, ...] = (),
        slow: bool = False,
        taken: bool = False,
    ) -> None:
        super().__init__()
        self.views, self.refusals, self.slow, self.taken = list(views), refusals, slow, taken
        self.asked: list[AnyIntent] = []
        self.intent = ""

    async def ask(self, intent: AnyIntent) -> Answer:
        self.asked.append(intent)
        if isinstance(intent, Withdraw):
            return Answer(
                intent.id,
                (Refusal("TOO_LATE", "", "the flatten is under way"),) if self.taken else (),
            )
        self.intent = intent.id
        if self.slow:
            await asyncio.sleep(60)
        return Answer(intent.id, self.refusals, text="flattening everything")

    def view(self) -> Any:
        flat = None
        if self.views and self.intent:
            flat = replace(
                self.views.pop(0) if len(self.views) > 1 else self.views[0], intent=self.intent
            )
        return replace(super().view(), flatten=flat, at=10)


WORKING = FlattenView(5, None, (FlattenLine(BTC, D("0.05"), 1, "closing"),), ())
DONE = FlattenView(5, 9, (), ("the receipt",))
READ_ONLY = Refusal("READ_ONLY", "somebody")


@asynccontextmanager
async def engine(folder: Path, desk: Desk, hands_over: bool = False) -> AsyncIterator[list[str]]:
    """An engine in this process that holds the lock; the list names who asked for it."""
    lock = Lock.take(folder, time.time_ns() - 100_000_000_000)
    assert isinstance(lock, Lock)
    wanted: list[str] = []

    async def hand_over(who: str) -> HandedOver:
        wanted.append(who)
        if hands_over:
            asyncio.get_running_loop().call_later(0.3, lock.release)
        return HandedOver(ok=hands_over, text="")

    server = ControlServer(desk, folder / "control.sock", hand_over)
    await server.start()
    try:
        yield wanted
    finally:
        await server.close()
        lock.release()


# Nobody holds it


@pytest.mark.hazard("H73")
async def test_what_a_dead_engine_left_is_closed_and_the_mark_says_so(folder: Path) -> None:
    code, said = await leave(folder)
    assert (code, await truth(folder)) == (0, CLOSED), said
    mark = marks.read(folder)
    assert mark is not None
    assert (mark.outcome, len(mark.orders)) == ("flat", 1)
    assert is_of_last_exit(mark.orders[0].client_order_id)
    assert list(mark.lines) == said
    assert any(
        line.startswith("the venue says flat: 1 close sent, 1 order cancelled") for line in said
    )
    taken = Lock.take(folder, 1)
    assert isinstance(taken, Lock), "the lock was kept"
    taken.release()


@pytest.mark.hazard("H73")
async def test_an_account_that_never_was_has_nothing_to_close_and_gets_no_mark(
    tmp_path: Path,
) -> None:
    (tmp_path / "home").mkdir()
    await dead_engine(tmp_path / "home")
    missing = tmp_path / "missing"
    code, said = await leave(missing)
    assert code == 1, said
    assert "can't be read" in said[0]
    assert not missing.exists()


@pytest.mark.hazard("H113")
async def test_what_can_not_be_closed_in_time_is_not_flat(folder: Path) -> None:
    code, said = await leave(folder, seconds=15.0)  # the time that is kept for putting stops back
    assert (code, await truth(folder)) == (1, UNTOUCHED), said
    assert said[0].startswith("NOT FLAT")
    mark = marks.read(folder)
    assert mark is not None
    assert mark.outcome == "not flat"


async def test_a_terminal_that_is_gone_stops_nothing(folder: Path) -> None:
    def gone(line: str) -> None:
        raise BrokenPipeError(line)

    assert await last_exit(Wanted(settings=SETTINGS, folder=folder, label=LABEL), gone) == 0
    assert await truth(folder) == CLOSED
    mark = marks.read(folder)
    assert mark is not None
    assert any("flat" in line for line in mark.lines)


async def test_what_nobody_foresaw_is_a_line_and_no_traceback(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(steps, "can_read_paper", broken)
    code, said = await leave(folder)
    assert code == 1
    assert said == [
        "NOT FLAT: ZeroDivisionError: a bug",
        "nobody watches this now: look at it at the venue",
    ]


async def test_a_lock_that_can_not_be_taken_is_told_and_a_free_account_closed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that became read-only: nobody living is named in the lock."""

    def read_only(*_: object) -> Lock:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Lock, "take", read_only)
    code, said = await leave(folder)
    assert "the account's lock can't be taken: [Errno 30] Read-only file system" in said
    assert (code, await truth(folder)) == (1, UNTOUCHED), (
        "paper has one owner: without the lock it is not opened"
    )
    assert "coins are not sold" in said[-1]


# An engine that answers


@pytest.mark.hazard("H114")
async def test_an_engine_that_gets_flat_is_believed_and_the_venue_left_alone(folder: Path) -> None:
    desk = Desk(WORKING, DONE)
    async with engine(folder, desk) as wanted:
        code, said = await leave(folder)
    assert (code, wanted, len(desk.asked)) == (0, [], 1)
    assert said == [
        "the engine: flattening everything",
        "BTC/USD: 0.05 held, 1 order, closing",
        "the receipt",
    ]
    assert await truth(folder) == UNTOUCHED
    assert marks.read(folder) is None


@pytest.mark.hazard("H103")
async def test_an_engine_that_refuses_is_asked_for_the_account(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        holder, "end", lambda *_: pytest.fail("it was ended though it hands the account over")
    )
    desk = Desk(refusals=(READ_ONLY,))
    async with engine(folder, desk, hands_over=True) as wanted:
        code, said = await leave(folder)
    assert (code, wanted, await truth(folder)) == (0, ["the last exit"], CLOSED), said
    assert said[:2] == ["the engine refuses: READ_ONLY somebody", "going to the venue directly"]
    assert any("hands the account over" in line for line in said)
    assert any(isinstance(one, Withdraw) for one in desk.asked), "the intent was not withdrawn"


@pytest.mark.hazard("H103")
async def test_an_engine_that_keeps_the_account_is_ended(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is this very process: what ends it only says that it would."""
    ended: list[Path] = []
    monkeypatch.setattr(holder, "end", lambda folder, _: ended.append(folder))
    async with engine(folder, Desk(refusals=(READ_ONLY,))) as wanted:
        code, said = await leave(folder)
    assert (wanted, ended) == (["the last exit"], [folder])
    assert not any("hands the account over" in line for line in said)
    assert (code, await truth(folder)) == (1, UNTOUCHED), said


@pytest.mark.hazard("H103")
async def test_an_engine_that_is_slow_and_has_taken_it_is_followed(folder: Path) -> None:
    desk = Desk(WORKING, DONE, slow=True, taken=True)
    async with engine(folder, desk) as wanted:
        code, said = await leave(folder)
    assert (code, wanted, await truth(folder)) == (0, [], UNTOUCHED), said
    assert said == [
        "the engine is slow, and has taken it all the same",
        "BTC/USD: 0.05 held, 1 order, closing",
        "the receipt",
    ]


@pytest.mark.hazard("H103")
@pytest.mark.parametrize("taken", [True, False])
async def test_an_engine_that_does_not_answer_is_not_asked_to_hand_over(
    folder: Path, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holder, "end", lambda *_: False)
    desk = Desk(WORKING, slow=True, taken=taken)
    async with engine(folder, desk) as wanted:
        code, said = await leave(folder)
    assert code == 1
    assert wanted == ([] if not taken else ["the last exit"]), said  # one that took it answers
    assert ("the engine does not answer" in said) is not taken
    assert (
        said[-1] == "NOT FLAT: another process may still send for this account; coins are not sold"
    )


@pytest.mark.hazard("H103")
async def test_what_nobody_listens_to_is_not_withdrawn(
    folder: Path, holds: Callable[..., subprocess.Popen[str]], monkeypatch: Any
) -> None:
    monkeypatch.setattr(asking, "withdraw", lambda *_: pytest.fail("nobody listens"))
    process = holds()
    began = time.monotonic()
    code, said = await leave(folder)
    assert (code, await truth(folder)) == (0, CLOSED), said
    assert said[:2] == ["no engine listens", "going to the venue directly"]
    assert f"ending process {process.pid}" in said[2]
    assert process.wait(5) == -9
    assert time.monotonic() - began < 10


# Another last exit


@pytest.mark.hazard("H73")
@pytest.mark.parametrize(("outcome", "code"), [("flat", 0), ("not flat", 1)])
async def test_another_last_exit_is_followed_to_its_end(
    folder: Path, outcome: Any, code: int
) -> None:
    lock = Lock.take(folder, time.time_ns(), "last exit")
    assert isinstance(lock, Lock)
    marker = Marker(folder, "i", lock.me.instance, 1, print)
    marker.begin()
    leaving = asyncio.get_running_loop().create_task(leave(folder))
    await asyncio.sleep(0.3)
    marker.tells("BTC/USD: sold")
    marker.end(outcome)
    found, said = await leaving
    lock.release()
    assert found == code
    assert said[0].startswith("another last exit is at work (the last exit, process ")
    assert said[1:] == ["BTC/USD: sold", f"it says {outcome if code == 0 else 'NOT FLAT'}"]
    assert await truth(folder) == UNTOUCHED


@pytest.mark.hazard("H73")
async def test_another_last_exit_that_has_stopped_moving_is_taken_over(
    folder: Path, holds: Callable[..., subprocess.Popen[str]]
) -> None:
    process = holds("last exit", 11)
    code, said = await leave(folder)
    assert (code, await truth(folder)) == (0, CLOSED), said
    assert "it has stopped moving: taking over" in said
    assert process.wait(5) == -9


@pytest.mark.hazard("H73")
async def test_another_last_exit_that_dies_is_taken_over(
    folder: Path, holds: Callable[..., subprocess.Popen[str]]
) -> None:
    process = holds("last exit", 0)
    leaving = asyncio.get_running_loop().create_task(leave(folder))
    await asyncio.sleep(0.5)
    assert not leaving.done()
    process.kill()
    process.wait()
    code, said = await leaving
    assert (code, await truth(folder)) == (0, CLOSED), said
    assert not any("ending" in line for line in said)


@pytest.mark.hazard("H73")
async def test_an_account_that_others_take_again_and_again_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another last exit has it each time that this one looks, and each of those stops moving."""
    monkeypatch.setattr(steps, "TURN", 0.01)
    monkeypatch.setattr(holder, "end", lambda *_: False)
    lock = Lock.take(folder, time.time_ns() - 11_000_000_000, "last exit")
    assert isinstance(lock, Lock)
    free = steps.LastExit._free
    monkeypatch.setattr(steps.LastExit, "_free", lambda self, _: free(self, 0.0))
    code, said = await leave(folder)
    lock.release()
    assert code == 1
    assert said[-1] == "NOT FLAT: other processes took the account again and again"
    assert sum("taking over" in line for line in said) == steps.TURNS
    assert await truth(folder) == UNTOUCHED


# What is opened


def test_the_lag_of_a_venue_is_the_settings_or_its_kind() -> None:
    assert lag_of(AccountSettings()) == 0
    assert lag_of(AccountSettings(venue="kraken")) == 5_000_000_000
    assert lag_of(AccountSettings(venue="kraken", lag=0.0)) == 0
    assert lag_of(AccountSettings(lag=1.5)) == 1_500_000_000


def test_a_paper_account_is_looked_at_before_it_is_taken(tmp_path: Path) -> None:
    with pytest.raises(NotSentError, match="can't be read"):
        can_read_paper(tmp_path)
    assert not (tmp_path / "paper.sqlite").exists()


async def test_paper_prices_stand_and_are_quoted_anew(folder: Path) -> None:
    clock = Clock(asyncio.get_running_loop())
    async with opened(SETTINGS, folder, clock, ()) as venue:
        assert isinstance(venue, PaperVenue)
        (first,) = await venue.parts().quotes([BTC])
        await asyncio.sleep(0.7)
        (second,) = await venue.parts().quotes([BTC])
        assert (second.bid, second.ask) == (first.bid, first.ask) == (D(60_000), D(60_001))
        assert second.at - first.at > 0.4e9
