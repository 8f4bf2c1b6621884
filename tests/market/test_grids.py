"""The grid that a recording was written on."""

import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from engine.market import Kind, PriceGrid, grid

D = Decimal

Write = Callable[[str, str], Path]

QUOTES = "ts_ns,symbol,bid,bid_size,ask,ask_size\n"


def test_the_finest_decimals_that_are_used_are_the_steps(write: Write) -> None:
    rows = "1,BTC/USD,61837.50000000,3.78,61838.00,0\n2,BTC/USD,61837.60,1.250,61838,1\n3,ADA/BTC,2.853e-5,36304,3E-5,1\n"
    assert grid([write("q.csv", QUOTES + rows)]) == {
        "BTC/USD": PriceGrid(D("0.1"), D("0.01"), Kind.QUOTES),
        "ADA/BTC": PriceGrid(D("0.00000001"), D(1), Kind.QUOTES),
    }


def test_whole_prices_have_the_step_one(write: Write) -> None:
    assert grid([write("q.csv", QUOTES + "1,X,3000,10,3100,10\n")]) == {
        "X": PriceGrid(D(1), D(1), Kind.QUOTES)
    }


def test_several_files_add_to_one_grid(write: Write) -> None:
    quotes = write("q.csv", QUOTES + "1,X,3000,10,3100,10\n")
    candles = write(
        "c.csv",
        "ts_ns,symbol,open,high,low,close,volume\n1,X,1.5,1.5,1.5,1.5,2.25\n1,Y,1,1,1,1,1\n",
    )
    assert grid([candles, quotes]) == {
        "X": PriceGrid(D("0.1"), D("0.01"), Kind.QUOTES),
        "Y": PriceGrid(D(1), D(1), Kind.CANDLES),
    }


def test_sizes_that_a_float_made_do_not_ask_for_seventeen_digits(write: Write) -> None:
    assert grid([write("q.csv", QUOTES + "1,X,1,6.1153319800000006,2,1\n")])["X"].lot == D(
        "0.00000001"
    )


def test_a_symbol_that_comes_late_is_found_quickly(write: Write) -> None:
    rows = "".join(f"{at},EARLY,10.{at % 100},1,11,1\n" for at in range(100_000))
    path = write("q.csv", QUOTES + rows + "bad row\n100000,LATE,1.125,1,2,1\n")
    begun = time.perf_counter()
    found = grid([path], rows=50)
    assert time.perf_counter() - begun < 1
    assert found["LATE"].tick == D("0.001")
    assert found["EARLY"].tick == D("0.01")
