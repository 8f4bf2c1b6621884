"""What people ask in SQL: numbers and times of the database's own types, snapshots, views; in both
databases, also in a journal of before.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from engine.desk import codec
from engine.desk.events import IntentTaken
from engine.journal import Batch, Record
from engine.journal.chain import genesis, link
from engine.journal.schema import HEAD, migrate
from engine.journal.statements import FORGOTTEN
from engine.journal.store import open_store
from engine.model.codes import RefusalCode
from engine.model.figures import PositionMoney
from engine.model.intent import ClosePosition
from engine.model.position_snapshot import PositionSnapshot
from engine.model.refusal import Refusal
from engine.model.view import Answer

if TYPE_CHECKING:
    from tests.journal.conftest import Place, Samples

D = Decimal
DAY = 86_400_000_000_000
AT = 20_000 * DAY + 5_000
"""A moment of 2024-10-04, five microseconds after midnight."""


def snapshot(at: int, size: str = "0.5") -> PositionSnapshot:
    return PositionSnapshot(
        at, "p1", "BTC/USD", "buy", D(size), D(60000), D("60100.5"), D("50.25"), D(59000), None,
        "naked", "USD",
    )  # fmt: skip


def before(place: Place) -> None:
    """A journal of revision 0005 with a row of each kind, and two samples in one microsecond."""
    store = open_store(place.path or place.url, read_only=False)
    with store.writing() as connection:
        migrate(connection, "0005")
    last = link(genesis("paper"), 1, 1, 5, "opened", b"{}").hex()
    start = f"X'{last}'" if place.is_sqlite else f"'\\x{last}'::bytea"
    body = "X'7B7D'" if place.is_sqlite else "'\\x7B7D'::bytea"
    no = "0" if place.is_sqlite else "false"
    place.execute(
        f"INSERT INTO event VALUES (1, 1, 5, 'opened', {body}, {start})",
        f"INSERT INTO meta VALUES (1, 'paper', 5, 1, 1, 1, {start}, 'one')",
        "INSERT INTO lease (id, holder, epoch, since) VALUES (1, '', 4, 5)",
        "INSERT INTO positions VALUES ('p1', 'one', 'BTC/USD', 'buy', '0', '0.50', '62100.10',"
        f" '62200', '-3.20', '3.20', 'USD', {AT}, {AT + 1000}, {AT + 2000}, 'stop', '61000', NULL,"
        " 'venue', 7, 'NaN', 'kept', '[]', '1E-7', '1E+3')",
        "INSERT INTO orders VALUES ('o1', NULL, 'p1', 'BTC/USD', 'buy', 'limit', 'entry', '0.50',"
        f" '0', NULL, '62100.10', NULL, {no}, 'open', {AT}, NULL, '', '')",
        "INSERT INTO fills VALUES ('x1', 'o1', 'p1', 'BTC/USD', 'buy', '62100.10', '0.50', '0.10',"
        f" 'USD', '0.10', 'maker', {AT + 3000})",
        f"INSERT INTO alerts VALUES ({AT}, 'NAKED:p1', 'critical', 'NAKED', 'p1', 'x', 1, {AT},"
        " NULL, NULL, 'p1')",
        f"INSERT INTO equity VALUES ({AT}, '100000.00'), ({AT + 7}, '100000.01')",
    )


def test_a_journal_of_before_keeps_its_rows_in_the_new_types(place: Place) -> None:
    before(place)
    journal = place.open()
    (position,) = journal.rows("positions")
    assert (position["entry_price"], position["realised_pnl"]) == (D("62100.10"), D("-3.20"))
    assert (position["mae"], position["mfe"]) == (D("1E-7"), D(1000))
    assert str(position["r_multiple"]) == "NaN"
    assert (position["created_at"], position["closed_at"]) == (AT, AT + 2000)
    (order,), (fill,), (alert,) = (journal.rows(name) for name in ("orders", "fills", "alerts"))
    assert (order["price"], order["created_at"], order["closed_at"]) == (D("62100.10"), AT, None)
    assert (fill["at"], fill["fee"]) == (AT + 3000, D("0.10"))
    assert (alert["at"], alert["cured_at"]) == (AT, None)
    assert [row["amount"] for row in journal.rows("equity")][-1] == D("100000.01")
    assert [row["id"] for row in journal.rows("trades")] == ["p1"]
    assert journal.verify() == []
    assert place.ask("SELECT version_num FROM alembic_version") == [(HEAD,)]


def test_postgres_has_numbers_and_times_of_its_own(place: Place) -> None:
    if place.is_sqlite:
        pytest.skip("SQLite has no such types")
    place.open()
    told = place.ask(
        "SELECT table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name NOT IN"
        " ('event', 'snapshot', 'meta', 'lease', 'identity', 'level', 'alembic_version')"
    )
    types = {(str(table), str(column)): kind for table, column, kind in told}
    times = {name for name, kind in types.items() if kind == "timestamp with time zone"}
    money = {name for name, kind in types.items() if kind == "numeric"}
    assert {name for name in types if name[1] == "at" or name[1].endswith("_at")} - {
        ("position_snapshots", "at_stop")
    } == times
    assert {("fills", "price"), ("positions", "realised_pnl"), ("equity", "amount")} <= money
    assert {("position_snapshots", "unrealised"), ("daily_pnl", "realised_pnl")} <= money
    assert {kind for kind in types.values() if kind in ("double precision", "real")} == set()


def test_the_database_adds_up_and_compares_times_by_itself(place: Place, samples: Samples) -> None:
    if place.is_sqlite:
        pytest.skip("SQLite has no such types")
    journal = place.open()
    journal.append(
        Batch(fills=((samples.fill("x1", AT), D("0.1")), (samples.fill("x2", AT + 1000), D("0.2"))))
    )
    assert journal.flush()
    [(total, first)] = place.ask("SELECT SUM(fee_value), MIN(at) FROM fills")
    assert total == D("0.3")
    assert first == datetime(2024, 10, 4, 0, 0, 0, 5, tzinfo=UTC)


def test_snapshots_come_back(place: Place) -> None:
    journal = place.open()
    journal.append(Batch(snapshots=(snapshot(AT), snapshot(AT + 60_000_000_000, "0"))))
    journal.append(Batch(snapshots=(snapshot(AT),)))
    assert journal.flush()
    rows = list(journal.rows("position_snapshots"))
    assert [row["at"] for row in rows] == [AT, AT + 60_000_000_000]
    assert rows[0] == msgspec.to_builtins(snapshot(AT), builtin_types=(D,))
    assert list(journal.rows("position_snapshots", position="nobody")) == []


def test_a_number_that_no_database_takes_blocks_nothing(place: Place, samples: Samples) -> None:
    journal = place.open()
    journal.append(Batch((Record(1, "x", b"{}"),), equity=((AT, D("1E+200000")),)))
    assert journal.flush()
    (row,) = journal.rows("equity")
    assert str(row["amount"]) == "NaN"


def ended(samples: Samples, name: str, value: str, closed: int) -> Batch:
    position = samples.position(
        name, exit_value=D(value), closed_at=closed, opened_at=closed - 1000
    )
    return Batch(positions=((position, samples.instrument, PositionMoney()),))


def test_the_views_say_what_the_rows_add_up_to(place: Place, samples: Samples) -> None:
    journal = place.open()
    for name, value, closed in (
        ("a", "30500.0", AT),
        ("b", "29900.1", AT + DAY - 6000),
        ("c", "30100.2", AT + DAY),
    ):
        journal.append(ended(samples, name, value, closed))
    journal.append(
        Batch(
            positions=(
                (
                    samples.position("open", exit_size=D(0), exit_value=D(0)),
                    samples.instrument,
                    PositionMoney(),
                ),
            )
        )
    )
    journal.append(
        Batch(fills=((samples.fill("x1", AT), D("0.1")), (samples.fill("x2", AT), D("0.2"))))
    )
    assert journal.flush()
    trades = list(journal.rows("trades"))
    assert [row["id"] for row in trades] == ["a", "b", "c"]
    assert [row["realised_pnl"] for row in trades] == [D("474.5"), D("-125.4"), D("74.7")]
    assert trades[0]["tags"] == ("news", "breakout")
    assert [row["id"] for row in journal.rows("trades", since=AT + 1000, until=AT + DAY)] == ["b"]
    first, second = journal.rows("daily_pnl")
    assert (first["day"], second["day"]) in (
        ("2024-10-04", "2024-10-05"),
        (date(2024, 10, 4), date(2024, 10, 5)),
    )
    assert (first["trades"], first["wins"], first["losses"]) == (2, 1, 1)
    assert (first["realised_pnl"], first["fees"]) == (D("349.1"), D("51.0"))
    assert (first["best"], first["worst"]) == (D("474.5"), D("-125.4"))
    (fees,) = journal.rows("fees_by_symbol")
    assert (fees["symbol"], fees["fills"], fees["taker"]) == ("BTC/USD", 2, 2)
    assert (fees["fee"], fees["fee_value"]) == (D("25.0"), D("0.3"))


def test_refusals_are_read_from_the_events(place: Place) -> None:
    refusals = (
        Refusal(RefusalCode.NO_TOKENS, "5 s", "in 9 s"),
        Refusal(RefusalCode.READ_ONLY, 'a "quoted" name', ""),
    )
    refused = IntentTaken(AT, ClosePosition(id="do-1", position="p1"), Answer("do-1", refusals))
    taken = IntentTaken(AT + 1000, ClosePosition(id="do-2", position="p1"), Answer("do-2"))
    journal = place.open()
    journal.append(
        Batch(
            (
                Record(AT, "opened", b"\xff"),
                Record(AT, "intent-taken", codec.encode(refused)),
                Record(AT + 1000, "intent-taken", codec.encode(taken)),
            )
        )
    )
    assert journal.flush()
    rows = list(journal.rows("refusals"))
    assert [(row["seq"], row["at"], row["intent"], row["position"]) for row in rows] == [
        (2, AT, "do-1", "p1")
    ] * 2
    assert {(row["code"], row["value"], row["bound"]) for row in rows} == {
        ("NO_TOKENS", "5 s", "in 9 s"),
        ("READ_ONLY", 'a "quoted" name', ""),
    }
    assert rows[0]["asked"] == msgspec.json.decode(codec.encode(taken))["intent"]["intent"]


def test_old_snapshots_go_a_bounded_number_at_a_time(place: Place) -> None:
    journal = place.open()
    minute = 60_000_000_000
    journal.append(Batch(snapshots=tuple(snapshot(AT + n * minute) for n in range(FORGOTTEN + 8))))
    assert journal.flush()
    cut = AT + (FORGOTTEN + 5) * minute
    counted = "SELECT COUNT(*) FROM position_snapshots"
    journal.append(Batch(stale_before=cut))
    assert journal.flush()
    assert place.ask(counted) == [(8,)], "the oldest, and no more of them than a commit may take"
    journal.append(Batch(stale_before=cut))
    assert journal.flush()
    assert [row["at"] for row in journal.rows("position_snapshots")] == [
        cut, cut + minute, cut + 2 * minute,
    ]  # fmt: skip
