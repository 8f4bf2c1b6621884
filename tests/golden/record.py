"""Record the golden journals of this release: `python -m tests.golden.record FOLDER`, once, before
the release is tagged.

Each story (`*.toml` beside this file) is played by the scenario runner under virtual time, so that
a recording can be repeated to the byte. What a scenario can't say (an amended entry, a settled
difference, an alert that was read) is asked here, at its own time. A recording is never made again
for a release that is out: later programs must read what that one wrote. See README.md.
"""

import asyncio
import gzip
import json
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

from engine.clock import SECOND, run_virtual
from engine.desk import events as e
from engine.desk.codec import encode
from engine.desk.state import State, encode_state
from engine.journal import Journal
from engine.model import intent as i
from engine.model.order import Order, OrderType, Role
from engine.model.side import Side
from engine.records import replay
from engine.rehearsal.scenario import worlds
from engine.rehearsal.scenario.run import Run
from engine.rehearsal.scenario.script import read

HERE = Path(__file__).parent
STORIES = ("spot", "futures")
ACCOUNT = "scenario"

Asked = Callable[[State, str], Iterator[i.AnyIntent]]


def amend(state: State, name: str) -> Iterator[i.AnyIntent]:
    """The first limit entry that rests, a little lower."""
    for order in list(state.orders.values()):
        if not order.is_exit and order.price is not None and order.is_working:
            tick = state.instruments[order.symbol].tick
            yield i.AmendOrder(id=name, order=order.client_order_id, price=order.price - 10 * tick)
            return


def settle(action: i.Settlement) -> Asked:
    """Each difference that is told, and where it is to end, each order that is not ours."""

    def asked(state: State, name: str) -> Iterator[i.AnyIntent]:
        for number, alert in enumerate(list(state.alerts.values())):
            if alert.code == "DIFFERENCE":
                yield i.Resolve(id=f"{name}.{number}", subject=alert.target, action=action)
        for order in state.foreign if action is i.Settlement.FLATTEN else ():
            yield i.Resolve(id=f"{name}/{order}", subject=order, action=action)

    return asked


def acknowledge(state: State, name: str) -> Iterator[i.AnyIntent]:
    """Each alert that stands."""
    for number, key in enumerate(list(state.alerts)):
        yield i.Acknowledge(id=f"{name}.{number}", alert=key)


def ask_twice(state: State, name: str) -> Iterator[i.AnyIntent]:
    """One intent comes twice under its id: the second time nothing happens."""
    del state
    for _ in range(2):
        yield i.Reconcile(id=name)


BESIDE: dict[str, tuple[tuple[int, Asked], ...]] = {
    "spot": (
        (35, acknowledge),
        (33, amend),
        (250, amend),
        (480, settle(i.Settlement.ADOPT)),
        (520, settle(i.Settlement.FORGET)),
        (530, settle(i.Settlement.FORGET)),
        (606, acknowledge),
        (700, ask_twice),
        (1090, amend),
        (1300, settle(i.Settlement.FLATTEN)),
    ),
    "futures": ((310, settle(i.Settlement.FORGET)), (600, acknowledge)),
}
"""By story: what is asked beside its script, by second."""


class Recording(Run):
    """A run that also asks what no script can say."""

    async def _act(self) -> None:
        beside = asyncio.get_running_loop().create_task(self._beside())
        await super()._act()
        await beside

    async def _beside(self) -> None:
        for number, (at, asked) in enumerate(
            sorted(BESIDE[Path(self.script.path).stem], key=lambda step: step[0])
        ):
            await self.clock.sleep_until(self.world.start + at * SECOND)
            async with self._restarting:
                for intent in asked(self.engine.state, f"beside{number}.{self._begin_at}"):
                    await self.engine.ask(intent)


UNTOLD: tuple[e.AnyEvent, ...] = (
    e.AmendRefused(at=7, order="FOXQ4S", text="EOrder:Order not found"),
    e.CancelRefused(at=8, order="FOXQ4S", text="EOrder:Unknown order"),
    e.DustLeft(at=10, position="PQ", dust=True),
    e.OrderRecovered(
        at=9,
        order=Order(
            "FOXQ4T",
            "PQ",
            "BTC/USD",
            Side.SELL,
            OrderType.STOP,
            Role.STOP,
            Decimal("0.50"),
            trigger=Decimal("59000.0"),
        ),
        version=4,
    ),
)
"""Events that no story leads to: one body of each is kept beside the journals."""


def record(story: str, folder: Path) -> None:
    """Play a story; leave its journal and the state that it replays to."""
    with tempfile.TemporaryDirectory() as home:
        run = Recording(read(HERE / f"{story}.toml"), Path(home))
        report = run_virtual(run.main())
        assert not report["invariants"]["violations"], report["invariants"]["violations"]
        plain = Path(home) / "plain.sqlite"
        with sqlite3.connect(Path(home) / "journal.sqlite") as connection:
            connection.execute("VACUUM INTO ?", (str(plain),))
        with sqlite3.connect(plain) as connection:  # its own id is random
            connection.execute("UPDATE meta SET journal = ?", (f"golden {story}",))
        journal = Journal.open(plain, ACCOUNT, "recorder", now=0, read_only=True)
        kinds = Counter(stored.kind for stored in journal.events())
        state = replay(State(ACCOUNT, run.engine.state.currency), journal.events())
        journal.close()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{story}.sqlite.gz").write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
        told = json.loads(encode_state(state))
        (folder / f"{story}.state.json.gz").write_bytes(
            gzip.compress(json.dumps(told, indent=1).encode(), mtime=0)
        )
    for kind, count in sorted(kinds.items()):
        print(f"{story}: {count:>5} {kind}")


if __name__ == "__main__":
    worlds.SIMULATION_START -= 20 * 60 * SECOND  # a day begins in the middle of the stories
    for name in STORIES:
        record(name, Path(sys.argv[1]))
    bodies = b"\n".join(encode(event) for event in UNTOLD)
    (Path(sys.argv[1]) / "untold.jsonl").write_bytes(bodies + b"\n")
