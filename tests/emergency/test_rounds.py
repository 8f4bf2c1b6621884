"""The search of `tests/bench/killing.py`: that its judge sees what it is for, and a small share of
its rounds.
"""

from collections.abc import Callable
from decimal import Decimal

import pytest

from engine.model.ids import client_order_id
from tests.bench.killing import Search
from tests.bench.rounds import truth as t
from tests.bench.rounds.place import NAME

D = Decimal
BTC = "BTC/USD"
ASKED = {BTC: {D("0.01")}}
OWN = {"BTC": D("0.5")}


def name(number: int) -> str:
    return client_order_id(NAME, "i", "leg", number)


def row(
    number: int,
    side: str,
    *,
    kind: str = "market",
    size: str = "0.01",
    filled: str = "0.01",
    status: str = "filled",
) -> t.Row:
    return t.Row(name(number), BTC, side, kind, D(size), D(filled), status, 0)


def fill(number: int, side: str, size: str = "0.01") -> t.Execution:
    return t.Execution(name(number), BTC, side, D(size), number)


def stop(number: int, size: str = "0.01") -> t.Row:
    return row(number, "sell", kind="stop", size=size, filled="0", status="open")


def truth(*rows: t.Row, fills: tuple[t.Execution, ...] = (), coins: str = "0.51") -> t.Truth:
    return t.Truth(rows, fills, {"BTC": D(coins)}, {})


def test_an_account_in_order_is_in_order() -> None:
    seen = truth(row(1, "buy"), stop(2), fills=(fill(1, "buy"),))
    assert t.broken(seen, ASKED, OWN) == []
    assert seen.naked() == {}
    assert len(seen.left()) == 2, "held and guarded is not flat"
    closed = truth(
        row(1, "buy"), row(2, "sell"), fills=(fill(1, "buy"), fill(2, "sell")), coins="0.5"
    )
    assert t.broken(closed, ASKED, OWN) == []
    assert closed.left() == []


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("doubled", lambda: truth(row(1, "buy"), row(1, "buy"), fills=(fill(1, "buy"),))),
        (
            "doubled",
            lambda: truth(row(1, "buy"), row(2, "buy"), fills=(fill(1, "buy"), fill(2, "buy"))),
        ),
        (
            "unasked",
            lambda: truth(
                row(1, "buy", size="0.02", filled="0.02"), fills=(fill(1, "buy", "0.02"),)
            ),
        ),
        (
            "oversold",
            lambda: truth(row(1, "buy"), fills=(fill(1, "buy"), fill(2, "sell"), fill(3, "sell"))),
        ),
        ("oversold", lambda: truth(row(1, "buy"), fills=(fill(2, "sell"), fill(1, "buy")))),
        ("own coins", lambda: truth(coins="0.49")),
    ],
)
def test_the_judge_sees_what_must_not_be(kind: str, seen: Callable[[], t.Truth]) -> None:
    assert kind in [found for found, _ in t.broken(seen(), ASKED, OWN)]


def test_half_a_stop_is_no_stop() -> None:
    assert set(truth(row(1, "buy"), stop(2, "0.005"), fills=(fill(1, "buy"),)).naked()) == {BTC}
    assert set(truth(row(1, "buy"), fills=(fill(1, "buy"),)).naked()) == {BTC}


@pytest.mark.hazard("H73")
@pytest.mark.hazard("H103")
@pytest.mark.hazard("H114")
@pytest.mark.slow
def test_a_few_rounds_break_nothing() -> None:
    paper = Search(6, 12, 40.0, ("paper",), None)
    paper.run(2)
    wire = Search(3, 8, 40.0, ("spot", "futures"), None)  # its time begins here
    wire.run(2)
    rounds = paper.tally.rounds + wire.tally.rounds
    assert paper.tally.violations | wire.tally.violations == {}, "\n".join(
        [*paper.tally.lines(), *wire.tally.lines()]
    )
    assert set(rounds) == {"paper", "spot", "futures"}
    assert any("flat" in how for how in paper.tally.exits | wire.tally.exits)
