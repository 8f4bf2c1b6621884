"""What Prometheus scrapes: figures of the engine as they are when it asks, and counts and times
since the start.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from math import nan
from typing import TYPE_CHECKING, Protocol

from engine.clock import SECOND
from engine.desk import Decision, keep_last
from engine.desk import events as e
from engine.model.request import Request, subject
from engine.model.view import View
from engine.outlets.notsent import OutletError
from engine.runtime import Engine

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Bounds of both histograms, seconds: from a commit on a good disk to a wait for tokens."""
DECIDED = 5_000
"""Requests that were decided and have not left, of which the time is kept."""


class Counted(Protocol):
    """What an outlet counts since the start."""

    name: str
    sent: int
    failures: int
    dropped: int

    @property
    def waiting(self) -> int:
        """How many have not arrived."""
        ...


class Metrics:
    """Everything of one account. Raises OutletError without the library."""

    def __init__(self, engine: Engine, outlets: Sequence[Counted]) -> None:
        try:
            import prometheus_client as prometheus
        except ImportError as error:
            raise OutletError(
                "outlets.metrics needs prometheus_client: pip install 'flatout[prometheus]'"
            ) from error
        self._engine = engine
        self._outlets = outlets
        self._decided: dict[tuple[str, str], int] = {}
        self.registry = prometheus.CollectorRegistry()
        self._account = engine.state.account

        def counter(name: str, words: str, *labels: str) -> prometheus.Counter:
            return prometheus.Counter(name, words, ("account", *labels), registry=self.registry)

        def histogram(name: str, words: str, label: str) -> prometheus.Histogram:
            labels = ("account", label)
            return prometheus.Histogram(name, words, labels, registry=self.registry, buckets=FAST)

        self._requests = counter(
            "flatout_requests", "Requests that left, by what became of them", "kind", "outcome"
        )
        self._to_wire = histogram(
            "flatout_intent_to_wire_seconds", "From the decision to the line, by lane", "lane"
        )
        self._to_answer = histogram(
            "flatout_wire_to_answer_seconds", "From the line to the outcome, by kind", "kind"
        )
        self._compared = counter(
            "flatout_reconciles", "Comparisons with the venue, by result", "result"
        )
        for result in ("agrees", "differs"):
            self._compared.labels(self._account, result)
        self.registry.register(_Now(self))
        engine.gateway.departures.watch = self

    # What is counted as it happens

    def decided(self, decision: Decision, now: int) -> None:
        """A decision was applied."""
        for request in decision.requests:
            self._decided[_key(request)] = now
        keep_last(self._decided, DECIDED)
        for event in decision.events:
            if isinstance(event, e.Reconciled):
                result = "differs" if event.differences else "agrees"
                self._compared.labels(self._account, result).inc()

    def left(self, request: Request, now: int) -> None:
        """A request leaves; one that is tried again is measured once."""
        since = self._decided.pop(_key(request), None)
        if since is not None:
            lane = request.lane.name.lower()
            self._to_wire.labels(self._account, lane).observe((now - since) / SECOND)

    def landed(self, request: Request, outcome: str, took: int) -> None:
        """A request has its outcome."""
        kind = _kind(request)
        self._requests.labels(self._account, kind, outcome).inc()
        self._to_answer.labels(self._account, kind).observe(took / SECOND)

    # What is so now

    def collect(self) -> "Iterator[Metric]":
        """One family after the other."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        for name, words, label, values in (*_figures(self._engine), *_waiting(self._outlets)):
            family = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            made = family(name, words, labels=("account", *([label] if label else [])))
            for key, value in values:
                made.add_metric((self._account, *([key] if label else [])), float(value))
            yield made


class _Now:
    """The collector that the registry asks."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> "Iterator[Metric]":
        yield from self._metrics.collect()

    def describe(self) -> "Iterable[Metric]":
        """Nothing: names are known once it is asked."""
        return ()


Row = tuple[str, str, str, list[tuple[str, float | Decimal]]]
"""Name, words, label (empty for none), and the value of each label."""


def _figures(engine: Engine) -> Iterator[Row]:
    view = engine.view()
    yield from _money(view)
    yield from _state(view)
    yield from _line(view)
    yield (
        "flatout_requests_retried_total",
        "Requests that were tried again",
        "",
        [("", engine.gateway.statistics.retried)],
    )
    yield "flatout_journal_seq", "Number of the newest event", "", [("", engine.state.seq)]


def _money(view: View) -> Iterator[Row]:
    account = view.account

    def figure(name: str, words: str, value: Decimal | None) -> Row:
        return f"flatout_{name}", words, "", [("", nan if value is None else value)]

    yield figure("equity", "Equity, in the account's currency; NaN unpriced", account.equity)
    yield figure("drawdown_ratio", "From the highest equity", account.drawdown)
    yield figure("day_result", "Change of the equity since the day began", account.day)
    yield figure("unrealised", "Gross profit of what is held, at the mark", account.unrealised)
    yield figure(
        "at_stops", "Lost if every stop is hit, zero or below; NaN unbounded", account.at_stops
    )
    yield figure("open_risk", "What the limits count of it, zero or above", account.open_risk)
    yield figure(
        "loss_limit_left", "What may be lost today; NaN without a limit", account.loss_limit_left
    )


def _state(view: View) -> Iterator[Row]:
    def number(name: str, words: str, value: float) -> Row:
        return f"flatout_{name}", words, "", [("", value)]

    stands = [alert.severity.name.lower() for alert in view.alerts if alert.stands]
    yield number("positions", "Open positions", len(view.positions))
    yield number("positions_naked", "Positions that are NAKED or PARTIAL", view.account.naked)
    yield number("orders", "Open orders", len(view.orders))
    yield number("loop_lag_seconds", "By which the last beat was late", view.lag / SECOND)
    yield number("connected", "Whether the venue's private stream is up", view.connected)
    yield number("entries_blocked", "Why nothing opens: how many reasons", len(view.reasons))
    yield number(
        "journal_failing", "Whether the journal can't be written", bool(view.journal_failing)
    )
    yield (
        "flatout_alerts",
        "Alerts that stand, by severity",
        "severity",
        [(name, stands.count(name)) for name in ("info", "warning", "critical")],
    )


def _line(view: View) -> Iterator[Row]:
    yield (
        "flatout_feed_age_seconds",
        "Age of the newest price",
        "symbol",
        [(feed.symbol, feed.age / SECOND) for feed in view.feeds],
    )
    yield (
        "flatout_lane_waiting",
        "Requests that wait to leave, by lane",
        "lane",
        [(lane.name.lower(), lane.queued) for lane in view.lanes],
    )
    for name, words in (
        ("used", "Tokens that the venue counts as used"),
        ("capacity", "Tokens of each of the venue's counters"),
    ):
        yield (
            f"flatout_tokens_{name}",
            words,
            "counter",
            [(limit.level.name, getattr(limit.level, name)) for limit in view.limits],
        )
    yield (
        "flatout_tokens_reserve",
        "Tokens that are kept for exits",
        "counter",
        [(limit.level.name, limit.reserve) for limit in view.limits],
    )


def _waiting(outlets: Sequence[Counted]) -> Iterator[Row]:
    for name, words, field in (
        ("sent_total", "What arrived", "sent"),
        ("failures_total", "Tries that failed", "failures"),
        ("dropped_total", "What was given up", "dropped"),
        ("waiting", "What waits to be sent", "waiting"),
    ):
        yield (
            f"flatout_outlet_{name}",
            words,
            "outlet",
            [(outlet.name, getattr(outlet, field)) for outlet in outlets],
        )


def _kind(request: Request) -> str:
    return type(request).__name__.lower()


def _key(request: Request) -> tuple[str, str]:
    return _kind(request), subject(request)
