"""What an engine shows: one view of everything, and what an intent would do, made when somebody
looks.
"""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.desk import Views, preview, requests_for
from engine.gateway import Gateway
from engine.model.codes import BlockCode
from engine.model.intent import AnyIntent, Flatten
from engine.model.request import Lane, Request, Submit
from engine.model.view import LaneView, LimitView, Notice, Preview, PreviewLine, View
from engine.runtime.heartbeat import Heartbeat
from engine.runtime.outbox import Outbox
from engine.runtime.reserve import Reserve


class Overview:
    """Puts the desk's rows beside the state of the line, the clock and the journal."""

    def __init__(
        self,
        views: Views,
        gateway: Gateway,
        reserve: Reserve,
        outbox: Outbox,
        heartbeat: Heartbeat,
        clock: Clock,
    ) -> None:
        self.progress: Callable[[], float] | None = None
        self.replay: Callable[[], str] = lambda: ""
        """How far a recorded market has been played."""
        self._views = views
        self._gateway = gateway
        self._reserve = reserve
        self._outbox = outbox
        self._heartbeat = heartbeat
        self._clock = clock

    def view(self, notices: tuple[Notice, ...]) -> View:
        """Everything, now."""
        now, views = self._clock.now(), self._views
        ctx = views.context(now)
        mode, reasons = views.mode(ctx)
        return View(
            at=now,
            account=views.account(ctx),
            mode=mode,
            reasons=reasons,
            positions=views.positions(ctx),
            orders=views.orders(ctx),
            alerts=views.alerts(ctx),
            closed=views.closed(ctx),
            limits=self._limits(),
            lanes=tuple(LaneView(lane.name, count) for lane, count in self._gateway.lanes.items()),
            breaker=self._gateway.breaker.state,
            feeds=views.feeds(ctx),
            lag=self._heartbeat.lag,
            connected=BlockCode.DISCONNECTED not in ctx.state.blocks,
            journal_failing=self._outbox.failing,
            flatten=views.flatten(ctx),
            notices=notices,
            truth=views.truth(ctx),
            price_alerts=tuple(ctx.state.price_alerts.values()),
            progress=None if self.progress is None else self.progress(),
            replay=self.replay(),
        )

    def _limits(self) -> tuple[LimitView, ...]:
        costs = self._reserve.costs()
        found = []
        for level in self._gateway.levels():
            cost = costs.get(level.name, 0.0)
            found.append(LimitView(level, min(cost, level.capacity), cost))
        return tuple(found)

    def preview(self, intent: AnyIntent) -> Preview:
        """What the intent would do, without doing it; what it would cost of the venue's counters
        comes last.
        """
        late = 0 if intent.not_after is None else self._clock.wall() - intent.not_after
        ctx = self._views.context(self._clock.now())
        told = preview(ctx, intent, max(late, 0))
        if not told.lines:
            return told
        if isinstance(intent, Flatten):
            tokens = self._tokens(dict(self._reserve.costs()), ())
        else:
            tokens = self._tokens({}, requests_for(ctx, intent))
        return replace(told, lines=(*told.lines, *tokens))

    def _tokens(self, needed: dict[str, float], requests: Sequence[Request]) -> list[PreviewLine]:
        """What is needed of each of the venue's counters, what is free, and when the last of it may
        leave.
        """
        now, model = self._clock.now(), self._gateway.model
        for request in requests:
            for name, cost in model.charges(request, now):
                needed[name] = needed.get(name, 0.0) + cost
        entry = any(
            isinstance(request, Submit) and request.lane is Lane.ENTRY for request in requests
        )
        keep = self._reserve.costs() if entry else {}
        lines = []
        for name, cost in sorted(needed.items()):
            if not cost:
                continue
            counter = model.counter(name)
            wait = counter.wait(cost, now, min(keep.get(name, 0.0), counter.capacity - cost))
            free = counter.capacity - counter.used
            left = f"{free:.0f} of {counter.capacity:.0f} free"
            when = "now" if wait <= 0 else f"in {wait / SECOND:.1f} s"
            tone = "plain" if wait <= 0 else "bad"
            lines.append(
                PreviewLine(
                    f"tokens {name}", f"{cost:.0f} needed", f"{left}: {when}", tone, "tokens"
                )
            )
        nothing = PreviewLine("tokens", "", "none: the venue is asked nothing", section="tokens")
        return lines or [nothing]
