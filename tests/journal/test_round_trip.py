"""What was written is read back exactly, from both databases."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Float

from engine.journal import Batch, JournalError, Record, StoredEvent
from engine.journal.tables import METADATA
from engine.model.order import Status

if TYPE_CHECKING:
    from tests.journal.conftest import Place, Samples

EXACT = (
    "1E-8",
    "-0",
    "0E+3",
    "1.2300",
    "1234567890123456789012345678",
    "0.1234567890123456789012345678",
    "1E+20",
)


def test_everything_comes_back(place: Place, samples: Samples) -> None:
    journal = place.open()
    assert journal.append(samples.everything()) == 1
    assert journal.last_seq == 2
    assert journal.flush()

    reader = place.open(read_only=True)
    assert list(reader.events()) == [
        StoredEvent(1, 1, 1, "opened", b'{"a":1}'),
        StoredEvent(2, 1, 2, "filled", b"\x00\xff"),
    ]
    assert reader.tail(1) == [StoredEvent(2, 1, 2, "filled", b"\x00\xff")]
    assert reader.levels() == (samples.level(),)
    (order,) = reader.rows("orders")
    assert order["price"] == Decimal("62100.10")
    assert str(order["price"]) == "62100.10"
    assert (order["reduce_only"], order["status"], order["venue_order_id"]) == (False, "open", None)
    (fill,) = reader.rows("fills")
    assert (fill["execution_id"], fill["fee_value"], fill["liquidity"]) == (
        "x1",
        Decimal("12.5"),
        "taker",
    )
    (alert,) = reader.rows("alerts")
    assert (alert["severity"], alert["text"]) == ("critical", samples.alert().text)
    assert list(reader.rows("equity")) == [{"at": 50_000, "amount": Decimal("100000.00")}]


def test_position_row_tells_its_result(place: Place, samples: Samples) -> None:
    journal = place.open()
    journal.append(samples.everything())
    journal.flush()
    (row,) = journal.rows("positions")
    assert row["realised_pnl"] == Decimal("474.5")  # 500 less 25.5 of fees
    assert row["entry_price"] == 60000
    assert row["exit_price"] == 61000
    # 500 at risk, 12 for entering, and 0.05 % of 29500 for leaving
    assert row["r_multiple"] == Decimal("474.5") / Decimal("526.75")
    assert (row["mae"], row["mfe"]) == (500, 1200)
    assert row["tags"] == ("news", "breakout")


@pytest.mark.parametrize("text", EXACT)
@pytest.mark.hazard("H57")
def test_money_is_exact(place: Place, text: str) -> None:
    journal = place.open()
    journal.append(Batch(equity=((1, Decimal(text)),)))
    journal.flush()
    (row,) = journal.rows("equity")
    assert row["amount"] == Decimal(text)
    if place.is_sqlite:
        assert str(row["amount"]) == str(Decimal(text)), "and each digit is kept"


@pytest.mark.hazard("H57")
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    amounts=st.lists(st.decimals(allow_nan=False, allow_infinity=False), min_size=1, max_size=40)
)
def test_any_money_is_exact(place: Place, amounts: list[Decimal]) -> None:
    journal = place.opened[0] if place.opened else place.open()
    journal.append(Batch(equity=tuple((at * 1_000, amount) for at, amount in enumerate(amounts))))
    assert journal.flush()
    read = [row["amount"] for row in journal.rows("equity", until=len(amounts) * 1_000)]
    assert read == amounts
    if place.is_sqlite:
        assert [str(amount) for amount in read] == [str(amount) for amount in amounts]


@pytest.mark.hazard("H57")
def test_no_column_but_the_limit_counters_is_a_float() -> None:
    floats = {
        f"{table.name}.{column.name}"
        for table in METADATA.tables.values()
        for column in table.columns
        if isinstance(column.type, Float)
    }
    assert floats == {"level.used", "level.capacity"}


def test_rows_are_ordered_and_chosen(place: Place, samples: Samples) -> None:
    journal = place.open()
    orders = tuple(
        samples.order(
            f"o{n}",
            created_at=1_000 * (100 - n),
            symbol="ETH/USD" if n % 2 else "BTC/USD",
            position=f"p{n % 3}",
        )
        for n in range(10)
    )
    journal.append(Batch(orders=orders))
    journal.flush()

    def times(**chosen: int | str) -> list[object]:
        return [row["created_at"] for row in journal.rows("orders", **chosen)]  # type: ignore[arg-type] # by name

    assert times() == list(range(91_000, 101_000, 1_000))
    assert times(since=95_000, until=97_000) == [95_000, 96_000]
    assert times(newest=2) == [99_000, 100_000]
    assert times(symbol="ETH/USD", newest=2) == [97_000, 99_000]
    assert times(position="p0") == [91_000, 94_000, 97_000, 100_000]
    with pytest.raises(JournalError, match="equity has no symbol"):
        list(journal.rows("equity", symbol="BTC/USD"))
    with pytest.raises(JournalError, match="allowed: orders, fills"):
        list(journal.rows("event"))  # type: ignore[arg-type] # on purpose


def test_foreign_text_cannot_block_the_journal(place: Place, samples: Samples) -> None:
    journal = place.open()
    ended = samples.order(reason="venue said \0 \ud800 [red]×", status=Status.REJECTED)
    journal.append(Batch((Record(1, "rejected", b"{}"),), orders=(ended,)))
    assert journal.flush()
    (row,) = journal.rows("orders")
    assert row["reason"] == "venue said \ufffd ? [red]×"


def test_read_while_writing(place: Place, samples: Samples) -> None:
    journal = place.open()
    journal.append(samples.events(3_000))
    journal.flush()
    reader = place.open(read_only=True)
    events = reader.events()
    first = next(events)

    journal.append(samples.events(5, 3_000))
    assert journal.flush()
    assert [first.seq, *(event.seq for event in events)] == list(range(1, 3_001))
    assert reader.last_seq == 3_005
    assert [event.seq for event in reader.events(3_003)] == [3_004, 3_005]
