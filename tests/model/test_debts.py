"""Whose sale took a balance below zero."""

from decimal import Decimal

import pytest

from engine.model.debts import Move, debt, made_by_us

D = Decimal
BOUGHT = Move(1, D("0.5"), ours=True)
SOLD = Move(3, D("-0.5"), ours=True, closes=True)


def theirs(at: int, change: str) -> Move:
    return Move(at, D(change), ours=False)


def made(*moves: Move, before: str = "0", known: str = "0") -> Decimal:
    """From an account that held, and whose books said, so much `before`."""
    there = D(before) + sum(move.change for move in moves)
    own = D(before) + sum(move.change for move in moves if move.ours)
    return made_by_us(there, own, moves, D(known))


@pytest.mark.parametrize(("there", "own", "owed"), [("1", "1", "0"), ("-1", "0", "1"),
    ("-1", "-1", "0"), ("-1", "-0.4", "0.6"), ("-1", "3", "1"), ("0", "-1", "0")])  # fmt: skip
def test_a_debt_is_what_our_own_books_do_not_explain(there: str, own: str, owed: str) -> None:
    assert debt(D(there), D(own)) == D(owed)


@pytest.mark.parametrize(
    ("moves", "owed"),
    [
        ((BOUGHT, theirs(2, "-0.3"), SOLD), "0.3"),
        ((BOUGHT, theirs(3, "-0.3"), SOLD), "0.3"),
        ((theirs(2, "-0.3"), SOLD), "0.3"),
        ((BOUGHT, SOLD, theirs(4, "-0.3")), "0"),
        ((theirs(0, "-0.3"), BOUGHT, SOLD), "0"),
        ((BOUGHT, theirs(2, "-0.3"), SOLD, theirs(4, "-0.2")), "0.3"),
        ((BOUGHT, theirs(2, "-0.8"), SOLD), "0.5"),
        ((BOUGHT, SOLD), "0"),
        ((BOUGHT, theirs(2, "-0.3"), SOLD, theirs(4, "0.1"), theirs(5, "-0.4")), "0.2"),
        ((BOUGHT, theirs(2, "-0.3"), SOLD, Move(4, D("0.1"), ours=True)), "0.3"),
        ((Move(1, D("-0.5"), ours=True), theirs(2, "-0.3")), "0"),
    ],
)
def test_a_debt_belongs_to_the_sale_that_came_second(moves: tuple[Move, ...], owed: str) -> None:
    books = "0.5" if BOUGHT not in moves and SOLD in moves else "0"
    assert made(*moves, before=books) == D(owed)


def test_coins_that_lay_there_are_no_debt() -> None:
    assert made(BOUGHT, theirs(2, "-0.3"), SOLD, before="2") == 0


def test_what_was_missing_before_is_theirs() -> None:
    """They owed 1.8 when we bought 1; we sell that again, and they owe 1.8."""
    assert made_by_us(D("-1.8"), D(0), (SOLD, theirs(4, "-0.5")), D(0)) == 0
    assert made_by_us(D("-1.8"), D(0), (BOUGHT, SOLD), D(0)) == 0


def test_a_debt_that_was_told_stays_ours_once_its_sale_is_listed_no_more() -> None:
    assert made_by_us(D("-0.3"), D(0), (), D("0.3")) == D("0.3")
    assert made_by_us(D("-0.5"), D(0), (theirs(9, "-0.2"),), D("0.3")) == D("0.3")
