"""The end of a run: what is under way ends, and ours is held against what the venue says."""

from engine.clock import SECOND
from engine.desk import Decision
from engine.desk import events as e
from engine.model.report import Picture
from engine.rehearsal.auditor import Auditor
from engine.rehearsal.scenario.worlds import World
from engine.runtime import LIVE_LAG, Engine

SETTLE = 20 * SECOND
"""How long the end waits for what is under way."""
CHANGES = (
    e.OrderAccepted,
    e.OrderFilled,
    e.OrderTriggered,
    e.OrderAmended,
    e.OrderCancelled,
    e.OrderExpired,
    e.OrderRejected,
)
"""After one of these a picture of before shows another account."""


class Ending:
    """Asks until the venue has told what can be compared."""

    def __init__(self, world: World, lag: float | None, rest_lag: int) -> None:
        """`lag`: seconds by which the account's settings say that views may be late; `rest_lag`:
        nanoseconds by which the script makes them late.
        """
        self._world = world
        told = lag if lag is not None else LIVE_LAG if world.patience else 0.0
        self._lag = int(told * SECOND)
        self._patience = SETTLE + 2 * rest_lag + world.patience
        self._changed_at = 0

    def decided(self, decision: Decision, now: int) -> None:
        """Hear what the engine decided."""
        if any(isinstance(event, CHANGES) for event in decision.events):
            self._changed_at = now

    async def settle(self, engine: Engine, auditor: Auditor) -> None:
        """Let what is under way come to its end, without another price, and judge."""
        clock = engine.clock
        await self._come_to_rest(engine)
        settled = clock.now()
        engine.reconcile()
        await clock.sleep(SECOND)
        deadline = clock.now() + self._patience
        while clock.now() < deadline and not self._equal(engine, settled):
            engine.reconcile()
            await clock.sleep(2 * SECOND)
        # what no execution explains of its money is told, or booked, once nothing moves
        if self._world.patience:
            await self._looked_again(engine, deadline)
        # a stop may have filled meanwhile
        while (truth := self._truth(engine)) is None and clock.now() < deadline:
            engine.reconcile()
            await clock.sleep(2 * SECOND)
        if truth is None:
            auditor.unsaid(clock.now())
        else:
            auditor.against(engine.state, truth, clock.now(), averaged=True)
        auditor.bounds(engine.state, clock.now())

    async def _come_to_rest(self, engine: Engine) -> None:
        deadline = engine.clock.now() + SETTLE + self._world.patience
        while engine.clock.now() < deadline:
            await engine.clock.sleep(SECOND // 4)
            busy = any(
                o.status.value == "pending" or o.in_doubt or o.amend_pending or o.cancel_pending
                for o in engine.state.orders.values()
            )
            if engine.gateway.idle and not engine.state.doubts and not busy:
                return

    async def _looked_again(self, engine: Engine, deadline: int) -> None:
        """Return once the venue has told two more pictures, each newer than what was asked for."""
        for _ in range(2):
            asked = engine.clock.now()
            while engine.clock.now() < deadline and (
                (told := engine.board.picture) is None or told.as_of < asked
            ):
                engine.reconcile()
                await engine.clock.sleep(SECOND)

    def _truth(self, engine: Engine) -> Picture | None:
        """The venue's own word, unless its views may be older than what we know: an execution, or a
        change of an order.
        """
        told, state = self._world.truth(engine.board.picture), engine.state
        known = max(
            [
                self._changed_at if self._world.patience else 0,
                state.last_fill_at,
                *(order.terms_at for order in state.orders.values()),
            ]
        )
        return told if told is not None and told.as_of >= known + self._lag else None

    def _equal(self, engine: Engine, since: int) -> bool:
        """Before a view of that time, the engine can have told of no difference."""
        truth, heard = self._truth(engine), engine.board.picture
        if truth is None or heard is None or heard.as_of + self._world.patience < since:
            return False
        theirs = {order.client_order_id for order in truth.orders if not order.foreign}
        return theirs == {name for name, order in engine.state.orders.items() if order.is_working}
