"""What Prometheus scrapes is what the engine knows: each figure and count is compared with the
engine's own, as a real client's parser reads them.
"""

import asyncio
import json
import re
import socket
from math import isnan
from pathlib import Path
from typing import Any

import aiohttp
import pytest

pytest.importorskip("prometheus_client", reason="prometheus_client is an extra")
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from engine.clock import SECOND
from engine.exchange import Faults
from engine.inspection import outside
from engine.inspection.findings import BadError
from engine.model import intent as i
from engine.model.order import OrderType
from engine.model.request import Lane
from engine.model.side import Side
from engine.outlets.metrics import Metrics
from engine.outlets.outlet import Outlet
from engine.outlets.spool import Line, Spool
from engine.session.local import LocalSession
from engine.session.opening import open_session
from tests.outlets.test_notify import line, settings, until
from tests.support.world import BTC, D, World, play

DASHBOARD = Path(__file__).parents[2] / "docs" / "grafana.json"


class Read:
    """One scrape."""

    def __init__(self, text: str) -> None:
        self.values: dict[str, dict[tuple[str, ...], float]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = dict(sample.labels)
                if sample.name.endswith("_created"):
                    continue
                assert labels.pop("account"), sample
                key = tuple(labels[name] for name in sorted(labels))
                self.values.setdefault(sample.name, {})[key] = sample.value

    def __call__(self, name: str, *labels: str) -> float:
        return self.values[f"flatout_{name}"][labels]


def read(metrics: Metrics) -> Read:
    return Read(generate_latest(metrics.registry).decode())


def watched(world: World) -> Metrics:
    metrics = Metrics(world.engine, [])
    before = world.engine.hooks.decided

    def decided(decision: Any, now: int) -> None:
        metrics.decided(decision, now)
        if before is not None:
            before(decision, now)

    world.engine.hooks.decided = decided
    return metrics


def test_figures_are_those_of_the_engine(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        metrics = watched(world)
        await world.opened("0.5")
        await world.wait(2)
        view, told = world.engine.view(), read(metrics)
        account = view.account
        assert account.equity is not None
        assert account.at_stops is not None
        assert told("equity") == pytest.approx(float(account.equity))
        assert told("at_stops") == pytest.approx(float(account.at_stops))
        assert told("drawdown_ratio") == pytest.approx(float(account.drawdown))
        assert told("positions") == 1
        assert told("positions_naked") == 0
        assert told("orders") == len(view.orders) > 0
        assert told("connected") == 1
        assert told("feed_age_seconds", BTC) == view.feeds[0].age / SECOND
        for limit in view.limits:
            name = limit.level.name
            assert told("tokens_capacity", name) == limit.level.capacity
            assert told("tokens_used", name) == pytest.approx(limit.level.used, abs=0.1)
            assert told("tokens_reserve", name) == limit.reserve
        assert {key[0] for key in told.values["flatout_lane_waiting"]} == {
            lane.name.lower() for lane in Lane
        }
        assert told("reconciles_total", "differs") == 0

    play(tale, tmp_path)


def test_a_position_without_a_stop_is_naked_and_its_loss_unbounded(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        metrics = watched(world)
        naked = i.OpenBracket(id="n", symbol=BTC, side=Side.BUY, size=i.Base(D("0.1")))
        assert (await world.ask(naked)).ok
        await world.until(lambda: any(one.size for one in world.state.positions.values()))
        told = read(metrics)
        assert told("positions_naked") == 1
        assert isnan(told("at_stops"))
        assert told("alerts", "critical") == len(
            [one for one in world.engine.view().alerts if one.stands and one.severity == 3]
        )

    play(tale, tmp_path)


def test_requests_and_their_times_are_counted_by_what_became_of_them(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        metrics = watched(world)
        await world.opened("0.5")
        await world.wait(2)
        sent, told = world.engine.gateway.statistics, read(metrics)
        assert told("requests_total", "submit", "answered") == sent.submit == 2
        assert told("wire_to_answer_seconds_count", "submit") == 2
        assert told("wire_to_answer_seconds_sum", "submit") >= 0.02, "the venue takes 20 ms"
        assert told("intent_to_wire_seconds_count", "entry") == 1
        assert told("intent_to_wire_seconds_count", "protect") == 1
        world.venue.faults = Faults(lose_reply=1.0)
        position = world.position()
        await world.ask(i.ClosePosition(id="c", position=position.id))
        await world.until(lambda: world.engine.gateway.statistics.unknown > 0)
        told = read(metrics)
        assert (
            sum(
                value
                for (kind, outcome), value in told.values["flatout_requests_total"].items()
                if outcome == "unknown" and kind != "queryaccount"
            )
            >= world.engine.gateway.statistics.unknown
        )
        world.venue.faults = Faults()
        await world.until(lambda: position.id in world.state.closed, 120)
        compared = read(metrics)("reconciles_total", "agrees")
        await world.ask(i.Reconcile(id="r"))
        await world.until(lambda: read(metrics)("reconciles_total", "agrees") > compared)

    play(tale, tmp_path)


def test_what_waits_for_tokens_is_seen_in_its_lane(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        metrics = watched(world)
        await world.opened("0.5")
        for number in range(80):
            entry = i.OpenBracket(
                id=f"w{number}",
                symbol=BTC,
                side=Side.BUY,
                size=i.Base(D("0.001")),
                type=OrderType.LIMIT,
                price=D(50_000),
                stop=i.Away(D("0.05")),
            )
            if not (await world.ask(entry)).ok:  # it would wait too long for tokens
                break
        waiting = world.engine.gateway.lanes[Lane.ENTRY]
        assert read(metrics)("lane_waiting", "entry") == waiting > 0

    play(tale, tmp_path, values={"requests.entry_deadline": 60.0})


async def scraped(
    port: int, host: str = "127.0.0.1", accept: str = "text/plain"
) -> tuple[int, str, str]:
    headers = {"accept": accept, "host": f"{host}:{port}"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics", headers=headers) as answer,
    ):
        return answer.status, await answer.text(), answer.headers["content-type"]


async def test_an_account_is_scraped_at_its_port_of_this_machine_alone(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    gone = port  # nobody listens for the webhook
    made = settings(
        account__name="mine", market__symbols=["BTC/USD"], outlets__metrics=port,
        notify__webhook=f"http://127.0.0.2:{gone}/hook", notify__outside=["info", "warning"],
    )  # fmt: skip
    session = await open_session(made, tmp_path)
    assert isinstance(session, LocalSession)
    try:
        await until(lambda: session.view().feeds and not session.view().reasons)
        stop = i.Away(D("0.05"))
        size = i.Base(D("0.05"))
        await session.ask(i.OpenBracket(id="a", symbol=BTC, side=Side.BUY, size=size, stop=stop))
        await until(lambda: session.view().positions and session.view().account.naked == 0)
        # reports are heard before the answers to their requests have come
        gateway = session.engine.gateway
        await until(lambda: gateway.statistics.submit >= 2 and gateway.idle)
        status, text, kind = await scraped(port)
        told = Read(text)
        assert (status, kind.split(";")[0]) == (200, "text/plain")
        assert told("positions") == 1
        assert told("requests_total", "submit", "answered") >= 2
        assert told("journal_seq") > 0
        assert told("outlet_failures_total", "webhook") > 0
        _, _, kind = await scraped(port, accept="application/openmetrics-text; version=1.0.0")
        assert kind.startswith("application/openmetrics-text")
        assert (await scraped(port, "evil.example"))[0] == 403
        said = await outside.metrics(made)
        assert said == f"the engine that runs answers at port {port}"
        other = settings(account__name="min", outlets__metrics=port)
        with pytest.raises(BadError, match=f"port {port} is taken by another program, or another"):
            await outside.metrics(other)
        with pytest.raises(OSError):  # noqa: PT012 - both are one attempt
            _, writer = await asyncio.open_connection("127.0.0.2", port)
            writer.close()
        named = set(re.findall(r"flatout_[a-z_]+", DASHBOARD.read_text(encoding="utf-8")))
        assert named
        assert named <= told.values.keys(), "the dashboard shows what there is"
    finally:
        await session.close()
    with pytest.raises(aiohttp.ClientError):
        await scraped(port)
    assert await outside.metrics(made) == f"port {port} is free: the engine listens there"


async def test_a_port_that_is_taken_is_an_alert_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.outlets.listening.AGAIN", 0.1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        made = settings(account__name="mine", market__symbols=["BTC/USD"], outlets__metrics=port)
        monkeypatch.setattr("engine.inspection.outside.PATIENCE", 0.1)
        with pytest.raises(BadError, match=f"port {port} is taken, and nothing answers: no answer"):
            await outside.metrics(made)
        session = await open_session(made, tmp_path)
        try:
            [alert] = await until(
                lambda: [one for one in session.view().alerts if one.code == "OUTLET_FAILING"]
            )
            assert f"port {port} can't be listened at" in alert.text
            await until(lambda: not session.view().reasons)
            taken.close()
            await until(
                lambda: (
                    not any(
                        one.stands for one in session.view().alerts if one.code == "OUTLET_FAILING"
                    )
                )
            )
            assert (await scraped(port))[0] == 200
        finally:
            await session.close()


def test_the_dashboard_is_one_that_grafana_reads() -> None:
    told = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    assert told["title"]
    ids = [panel["id"] for panel in told["panels"]]
    assert len(ids) == len(set(ids))
    for panel in told["panels"]:
        assert panel["title"], panel
        assert panel["targets"], panel
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24


def test_an_outlet_counts_what_arrived_and_what_did_not(tmp_path: Path) -> None:
    async def send(_: Line) -> None:
        """Arrives."""

    async def tale() -> tuple[int, int]:
        outlet = Outlet("one", send, lambda name, why: None, Spool(tmp_path / "one"))
        task = asyncio.create_task(outlet.run())
        for number in range(3):
            outlet.put(line("naked", "x", number))
        await outlet.rest(5)
        task.cancel()
        return outlet.sent, outlet.waiting

    assert asyncio.run(tale()) == (3, 0)
