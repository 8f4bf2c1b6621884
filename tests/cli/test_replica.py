"""Fail-over to a database that is not the newest: a replica that lags, and one that is empty. The
engine that comes up on it believes what the exchange says, protects what is there, and opens
nothing (custody.md, section 5).
"""

import signal
import time
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tests.bench.rounds import truth as t
from tests.journal.conftest import server as server
from tests.support.standby import NAME, SYMBOL, Drill, Machine, until

pytestmark = [pytest.mark.hazard("H76"), pytest.mark.hazard("H115"), pytest.mark.long]


class Pair:
    """Two schemas of one server: what is written to the first comes to the other when it is told
    to.
    """

    def __init__(self, server: str) -> None:
        self._engine = create_engine(server, poolclass=NullPool)
        self._server = server
        name = uuid.uuid4().hex
        self._names = (f"primary_{name}", f"replica_{name}")
        for schema in self._names:
            self._execute(f"CREATE SCHEMA {schema}")

    def _execute(self, *statements: str) -> None:
        with self._engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    @property
    def urls(self) -> tuple[str, str]:
        sign = "&" if "?" in self._server else "?"
        first, second = (
            f"{self._server}{sign}options=-csearch_path%3D{name}" for name in self._names
        )
        return first, second

    def replicate(self) -> None:
        """The replica has what the primary has now."""
        primary, replica = self._names
        with self._engine.begin() as connection:
            tables = connection.exec_driver_sql(
                f"SELECT tablename FROM pg_tables WHERE schemaname = '{primary}'"
            )
            for (table,) in tables.fetchall():
                new, old = f"{replica}.{table}", f"{primary}.{table}"
                connection.exec_driver_sql(f"CREATE TABLE {new} (LIKE {old} INCLUDING ALL)")
                connection.exec_driver_sql(f"INSERT INTO {new} SELECT * FROM {old}")

    def drop(self) -> None:
        for schema in self._names:
            self._execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def pair(server: str) -> Iterator[Pair]:
    found = Pair(server)
    yield found
    found.drop()


def enter(one: Machine, name: str, size: str) -> dict[str, Any]:
    return one.ask(
        "open", id=name, symbol=SYMBOL, side="buy", size={"type": "base", "amount": size},
        stop={"type": "away", "fraction": "0.05"},
    )  # fmt: skip


def standing(truth: t.Truth) -> set[tuple[str, str, Decimal, str]]:
    return {(one.client, one.type, one.size, one.status) for one in truth.orders}


@pytest.mark.parametrize("empty", [False, True], ids=["lagging", "empty"])
def test_an_engine_on_a_replica_that_is_behind_does_not_believe_it(
    empty: bool, pair: Pair, tmp_path: Path
) -> None:
    primary, replica = pair.urls
    drill = Drill(tmp_path, primary, 7)
    try:
        first = drill.machine("first")
        until(lambda: first.is_open, 60, lambda: first.said)
        assert not first.ask("go_live", id="live", account=NAME).get("refusals")
        assert not enter(first, "e1", "0.01").get("refusals")
        until(lambda: first.guards, 60, first.view)
        if not empty:
            pair.replicate()
        assert not enter(first, "e2", "0.02").get("refusals")
        until(lambda: first.guards and len(first.view()["positions"]) == 2, 60, first.view)
        first.signal(signal.SIGKILL)
        first.process.wait()
        before = drill.truth()
        assert before.naked() == {}

        drill.flags = [word.replace(primary, replica) for word in drill.flags]
        second = drill.machine("second")
        until(lambda: second.is_open, 60, lambda: second.said)
        until(lambda: "UNEXPLAINED" in reasons(second), 30, second.view)
        second.ask("go_live", id="live", account=NAME)
        refused = enter(second, "e3", "0.03")["refusals"]
        assert refused, "what nobody can explain is held, and more was opened"
        time.sleep(3)  # whatever it would send has come
        after = drill.truth()
        assert standing(after) == standing(before), "what protects is left alone, nothing is sent"
        assert after.executions == before.executions
        assert after.naked() == {}
        view = second.view()
        told = [one for one in view["alerts"] if one["code"] == "UNEXPLAINED"]
        assert told
        explained = [one for one in view["positions"] if one["size"] == "0.01"]
        assert [one["protection"] for one in explained] == ([] if empty else ["venue"])

        second.ask("flatten", id="f")
        until(lambda: not any(drill.truth().net.values()), 60, second.view)
        time.sleep(2)
        drill.asked[SYMBOL] = {Decimal("0.01"), Decimal("0.02")}
        assert drill.broken() == [], "flat is one key away, and nothing is sold twice"
        assert not any(drill.truth().net.values())
    finally:
        drill.close()


def reasons(one: Machine) -> set[str]:
    return {reason["code"] for reason in one.view().get("reasons", ())}
