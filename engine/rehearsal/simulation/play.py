"""Playing a story: a market, a paper venue, and an engine that is killed and started again, under
virtual time; all of it audited.

When the story is over the faults end, everything has time to settle, and the end is judged: ours
equals the venue's, one key makes it flat, the journal tells the state, and no task is left.
"""

import shutil
import tempfile
from decimal import Decimal
from pathlib import Path

from msgspec.structs import replace

from engine.clock import SECOND, run_virtual
from engine.desk import State
from engine.exchange import Faults
from engine.model import intent as i
from engine.model.codes import AlertCode, BlockCode
from engine.model.order import Order, Role, Status
from engine.records import replay, state_of
from engine.rehearsal.simulation import draw, keys
from engine.rehearsal.simulation import story as s
from engine.rehearsal.simulation.fates import Fates
from engine.rehearsal.simulation.power import FaultyJournal
from engine.rehearsal.simulation.stage import ACCOUNT, MS, Outcome

CALM = 400 * SECOND
"""How long everything may take to settle."""
RESOLVES = 80
"""Quarters of a second between two looks of the operator at what is unexplained, while a flatten
waits for that.
"""
MEMORY = Path("/dev/shm")  # noqa: S108 - where there is one, journals of stories need no real disk


def play(story: s.Story, home: Path | None = None) -> Outcome:
    """Tell a story; `home` keeps the journal where one is given."""
    place = home or Path(
        tempfile.mkdtemp(prefix="flatout-story-", dir=MEMORY if MEMORY.is_dir() else None)
    )
    try:
        return run_virtual(_Player(story, place).main())
    finally:
        if home is None:
            shutil.rmtree(place, ignore_errors=True)


class _Player(Fates):
    async def main(self) -> Outcome:
        self._open_world()
        await self._boot()
        for number, step in enumerate(self.story.steps):
            await self._take(step)
            if self.power.off:
                await self._reboot()
            self.keys = number + 1
        await self._end()
        self.outcome.violations = self.auditor.violations
        self.outcome.checked = self.auditor.checked
        return self.outcome

    async def _take(self, step: s.AnyStep) -> None:
        match step:
            case s.Wait(ms=ms, silent=silent):
                await self._wait(ms, silent=silent)
            case s.Move(symbol=symbol, bp=bp):
                self.prices[symbol] = self.instruments[symbol].round_price(
                    self.prices[symbol] * (1 + Decimal(bp) / 10_000)
                )
                self._quote()
            case s.Disk(does=does, ms=ms):
                self.disk.fails, self.disk.delay = does == "fails", ms * MS
            case s.Hang(ms=ms):
                self.clock.hang(ms * MS)
            case s.Crash(at=at, count=count):
                self.power.arm(at, count)
            case s.Restart():
                await self._restart()
            case (
                s.Pause()
                | s.Jump()
                | s.Withdraw()
                | s.Backup()
                | s.Lose()
                | s.Second()
                | s.LastExit()
            ):
                await self._befall(step)
            case s.External():
                self._meddle(step)
            case s.Resolve(action=action):
                await self._resolve(action)
            case s.Mash(count=count):
                await self._mash(count)
            case _:
                await self._operate(step)

    async def _mash(self, count: int) -> None:
        """Keys in a row, some of them a moment apart."""
        for _ in range(count):
            self.pressed += 1
            await self._operate(draw.key(self.random))
            await self._wait(self.random.choice((0, 0, 1, 30)))
            if self.power.off:
                return

    async def _resolve(self, action: str) -> None:
        self.pressed += 1
        for number, alert in enumerate(list(self.engine.state.alerts.values())):
            if alert.code in (
                AlertCode.DIFFERENCE,
                AlertCode.UNKNOWN_ORDER,
                AlertCode.UNEXPLAINED,
                AlertCode.FOREIGN_ORDER,
            ):
                settlement = i.Settlement(action)
                await self._ask(
                    i.Resolve(
                        id=f"{self._key()}.{number}",
                        subject=alert.target or alert.subject,
                        action=settlement,
                    )
                )

    async def _operate(self, step: s.AnyStep) -> None:
        """A key that the operator presses."""
        key = self._key()
        match step:
            case s.Open():
                intent = keys.bracket(
                    step, key, self.prices[step.symbol], self.instruments[step.symbol]
                )
                for _ in range(step.presses):
                    await self._ask(intent)
            case s.Await():
                await self._await(step, key)
            case s.CancelAll(foreign=foreign):
                await self._ask(i.CancelAll(id=key, foreign=foreign))
            case s.CancelEntry(which=which):
                orders = list(self.engine.state.orders)
                if orders:
                    await self._ask(i.CancelOrder(id=key, order=orders[which % len(orders)]))
            case s.Flatten(presses=presses):
                for number in range(presses):
                    await self._ask(i.Flatten(id=f"{key}.{number}"))
            case s.Mode(to=to):
                await self._mode(to, key)
            case s.Reconcile():
                await self._ask(i.Reconcile(id=key))
            case (
                s.Close()
                | s.LeaveAt()
                | s.MoveStop()
                | s.MoveTarget()
                | s.Trail()
                | s.BreakEven()
                | s.Reverse()
            ):
                position = self._position(step.which)
                if position is not None:
                    price = self.prices[position.symbol]
                    await self._ask(
                        keys.about(step, key, position, price, self.instruments[position.symbol])
                    )

    async def _await(self, step: s.Await, key: str) -> None:
        """A price alert is set, and the oldest one cancelled where the step says so."""
        price = self.prices[step.symbol] * (1 + Decimal(step.bp) / 10_000)
        await self._ask(
            i.SetPriceAlert(
                id=key, symbol=step.symbol, price=self.instruments[step.symbol].round_price(price)
            )
        )
        oldest = next(iter(self.engine.state.price_alerts), None)
        if step.cancels and oldest is not None:
            await self._ask(i.CancelPriceAlert(id=f"{key}.cancel", alert=oldest))

    async def _mode(self, to: str, key: str) -> None:
        if to == "pause":
            await self._ask(i.Pause(id=key))
        elif to == "halt":
            await self._ask(i.Halt(id=key))
        else:
            reasons = [
                *self.engine.state.blocks,
                *([BlockCode.HALTED] if self.engine.state.halted else []),
            ]
            for number, reason in enumerate(reasons):
                await self._ask(i.Resume(id=f"{key}.{number}", reason=reason))

    # The end

    async def _end(self) -> None:
        """Everything works again; now it has to come right."""
        self.power.disarm()
        self.disk.fails, self.disk.delay = False, 0
        self.venue.faults = Faults(
            disconnect=(
                replace(self.story.faults.disconnect, lasts=0)
                if self.story.faults.disconnect
                else None
            )
        )
        self.keys += 1
        if self.meddled:
            await self._reconcile("meddled")
            await self._ask(i.CancelAll(id=f"{self._key()}.foreign", foreign=True))
        await self._settle()
        if self.auditor.violations:
            await self._close()
            return
        await self._flatten()
        await self._close()

    def _moving(self) -> list[str]:
        """What is still under way."""
        engine, state = self.engine, self.engine.state
        engine.save()
        found = [f"doubt about {name}" for name in state.doubts]
        held = [order for order in state.orders.values() if self._is_held(order)]
        found.extend(
            f"{order.role} {order.client_order_id} {order.status}"
            for order in state.orders.values()
            if order.role is Role.CLOSE
            or not order.is_working
            or order.in_doubt
            or order.amend_pending
            or order.cancel_pending
            if order not in held
        )
        waiting = sum(engine.gateway.lanes.values())
        if waiting > len(held) or not (waiting or engine.gateway.idle):
            found.append(f"requests on the line, waiting {waiting}")
        if BlockCode.STARTING in state.blocks:
            found.append("recovery")
        if self.journal.waiting:
            found.append(f"{self.journal.waiting} batches to be written")
        return found

    def _is_held(self, order: Order) -> bool:
        """Whether the gate holds an exit back, and says so: what it is for was taken by somebody
        else, and it stays so until a person acts.
        """
        told = f"{AlertCode.HELD_BACK}:{order.position}" in self.engine.state.alerts
        return (
            self.meddled
            and told
            and order.role is not Role.ENTRY
            and order.status is Status.PENDING
        )

    async def _settle(self) -> None:
        quiet = 0
        for _ in range(2 * CALM // SECOND):  # counted: the clock may be set forward meanwhile
            await self._wait(500)
            moving = self._moving()
            quiet = 0 if moving else quiet + 1
            if quiet == 8:
                break
        else:
            self.fail("0 settles", ", ".join(moving))
            return
        await self._compare("settled")

    async def _compare(self, when: str) -> None:
        """Ask the venue while nothing happens, and judge."""
        for _ in range(5):
            before = len(self.exchange.fills)
            await self._wait(6_000, silent=True)
            moved = self._moving()  # what moves while the picture is taken is not compared by it
            await self._reconcile(when)
            moved += self._moving()
            await self._wait(1_000, silent=True)
            if self.exchange.ledger.cash != self.engine.state.cash:
                await self._reconcile(when)  # what lending cost is booked by a second picture
                await self._wait(1_000, silent=True)
            # a report that was late may have led to more
            if len(self.exchange.fills) == before and not moved and not self._moving():
                break
        self._judge(when)
        if when == "settled":
            held = [p for p in self.engine.state.positions.values() if p.is_open]
            self.outcome.held = {p.symbol: p.signed_size for p in held}
            self.outcome.ended = len(self.engine.state.closed)

    async def _reconcile(self, when: str) -> None:
        """Until the venue has answered."""
        await self._ask(i.Reconcile(id=f"{self._key()}.{when}"))
        asked_at = self.clock.now()
        while self.engine.state.reconciled_at <= asked_at and self.clock.now() < asked_at + CALM:
            await self._wait(1_000, silent=True)

    def _judge(self, when: str) -> None:
        """What must hold at rest."""
        state, now = self.engine.state, self.clock.now()
        self.auditor.against(
            state, self.exchange.picture(now, 0), now, averaged=self.meddled, told=self.unexplained
        )
        self.auditor.bounds(state, now)
        for alert in state.price_alerts.values():
            quote = self.engine.board.quote(alert.symbol)
            if quote is not None and (
                quote.bid >= alert.price if alert.rises else quote.ask <= alert.price
            ):
                self.fail("11 told", f"{when}: {alert.symbol} is {alert.words}, and nobody is told")
        told = any(alert.code == AlertCode.DIFFERENCE for alert in state.alerts.values())
        if told and not self.meddled:
            texts = [
                alert.text for alert in state.alerts.values() if alert.code == AlertCode.DIFFERENCE
            ]
            self.fail("9 differences", f"{when}: nobody else traded, and yet: {texts}")

    async def _flatten(self) -> None:
        """One key, and it is flat."""
        began = self.clock.now()
        await self._resolve("flatten" if self.unexplained else "forget")
        await self._ask(i.Flatten(id=f"{self._key()}.flatten"))
        flatten = self.engine.state.flatten
        looked = 0
        while flatten is None or flatten.ended_at is None:
            await self._wait(250)
            looked += 1
            if self.unexplained and not looked % RESOLVES:
                await self._resolve("flatten")
            if self.clock.now() > began + CALM:
                alerts = [alert.text for alert in self.engine.state.alerts.values()]
                self.fail(
                    "0 flat",
                    f"not flat after {CALM // SECOND} s: {alerts}, positions"
                    f" {list(self.engine.state.positions)}",
                )
                return
            flatten = self.engine.state.flatten
        self.outcome.seconds_to_flat = (flatten.ended_at - began) / SECOND
        await self._compare("flat")
        ours = [
            name
            for name, order in self.exchange.orders.items()
            if not order.foreign and name not in self.auditor.left_alone
        ]
        if ours:
            self.fail("0 flat", f"the venue still has {ours}")
        net = self.exchange.picture(self.clock.now(), 0).net
        if any(net.values()) and not self.meddled:
            self.fail("0 flat", f"the venue still holds {net}")

    async def _close(self) -> None:
        await self.engine.close()
        if len(self.engine.tasks):
            self.fail("10 tasks", f"{len(self.engine.tasks)} tasks outlived the engine")
        self._judge_limits()
        self._replay()
        self.venue.shut_down()
        self.outcome.requests = self.line.sent
        self.outcome.counts["commits"] += self.disk.commits
        self.outcome.counts["failed commits"] += self.disk.failures

    def _replay(self) -> None:
        """Invariant 8: from the newest snapshot, and from zero."""
        now = self.clock.now()
        journal = FaultyJournal.open(
            self.home / "journal.sqlite", ACCOUNT, "simulation", now=now, read_only=True
        )
        state = state_of(journal, ACCOUNT, "USD", self.engine.complain)
        self.auditor.replay(self.engine.state, state, now, "the newest snapshot")
        state = replay(State(ACCOUNT, "USD"), journal.events())
        self.auditor.replay(self.engine.state, state, now, "the journal from zero")
        journal.close()
