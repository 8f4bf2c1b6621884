"""Rounding to a venue's grid never adds to what is risked; money is never a float."""

import importlib
import pkgutil
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine.model
from engine.model.instrument import FeeTier, Instrument, Kind
from engine.model.money import DOWN, NEAREST, UP, grouped, is_on_grid, on_grid, plain
from engine.model.side import Side

STEPS = st.sampled_from(
    ["0.1", "0.5", "1", "0.01", "0.00001", "0.00000001", "0.25", "5", "0.3"]
).map(Decimal)
VALUES = st.decimals(
    min_value="0.00000001", max_value="1000000000", allow_nan=False, allow_infinity=False
)
SIDES = st.sampled_from(Side)
FLOATS_THAT_ARE_NO_MONEY = {
    ("Level", "used"),
    ("Charged", "cost"),
    ("Level", "capacity"),
    ("LimitView", "reserve"),
    ("LimitView", "flatten"),
    ("View", "progress"),
}


def instrument(step: Decimal, kind: Kind = Kind.SPOT) -> Instrument:
    return Instrument(
        "X/Y",
        "X",
        "Y",
        kind,
        step,
        step,
        step,
        Decimal(0),
        (FeeTier(Decimal(0), Decimal(0), Decimal(0)),),
    )


@given(value=VALUES, step=STEPS)
def test_a_size_is_rounded_down_by_less_than_a_lot(value: Decimal, step: Decimal) -> None:
    size = instrument(step).round_size(value)
    assert size <= value < size + step
    assert is_on_grid(size, step)


@given(value=VALUES, step=STEPS, exits_by=SIDES)
def test_a_stop_is_rounded_toward_the_entry_by_less_than_a_tick(
    value: Decimal, step: Decimal, exits_by: Side
) -> None:
    stop = instrument(step).round_stop(value, exits_by)
    # a stop that sells belongs to a long: nearer is higher
    nearer = (stop - value) * exits_by.opposite.sign
    assert 0 <= nearer < step
    assert is_on_grid(stop, step)


@given(value=VALUES, step=STEPS, side=SIDES)
def test_a_bound_is_rounded_to_no_worse_a_price(value: Decimal, step: Decimal, side: Side) -> None:
    bound = instrument(step).round_bound(value, side)
    assert 0 <= (value - bound) * side.sign < step
    assert is_on_grid(bound, step)


@given(value=VALUES, step=STEPS)
def test_the_nearest_step_is_at_most_half_a_step_away(value: Decimal, step: Decimal) -> None:
    assert abs(on_grid(value, step, NEAREST) - value) * 2 <= step


@given(value=VALUES, step=STEPS, rounding=st.sampled_from([DOWN, UP, NEAREST]))
def test_what_is_on_the_grid_stays(value: Decimal, step: Decimal, rounding: str) -> None:
    rounded = on_grid(value, step, rounding)
    assert on_grid(rounded, step, rounding) == rounded


@pytest.mark.hazard("H25")
def test_a_number_too_long_for_any_grid_is_off_it_and_no_accident() -> None:
    assert is_on_grid(Decimal("1e25"), Decimal("1e-8"))
    assert not is_on_grid(Decimal("1e200"), Decimal("1e-8"))
    assert not is_on_grid(Decimal("NaN"), Decimal(1))
    assert on_grid(Decimal("0.9999999999999999999999999999"), Decimal("0.5")) == Decimal("0.5")


@given(
    value=st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=8
    )
)
def test_a_number_is_told_exactly(value: Decimal) -> None:
    assert Decimal(plain(value)) == value
    assert Decimal(grouped(value).replace(",", "")) == value
    assert "E" not in plain(value)


def structs() -> list[type[msgspec.Struct]]:
    """Every struct of the model."""
    found = set()
    for module in pkgutil.iter_modules(engine.model.__path__):
        for thing in vars(importlib.import_module(f"engine.model.{module.name}")).values():
            if (
                isinstance(thing, type)
                and issubclass(thing, msgspec.Struct)
                and thing.__module__.startswith("engine.model")
            ):
                found.add(thing)
    return sorted(found, key=lambda struct: struct.__name__)


def says_float(hint: Any) -> bool:  # an annotation may be anything
    return hint is float or any(says_float(part) for part in get_args(hint))


@pytest.mark.hazard("H57")
def test_no_money_of_the_model_is_a_float() -> None:
    # their times are told apart in tests/hazards
    known = [struct for struct in structs() if struct.__module__ != "engine.model.rules"]
    assert len(known) > 50
    floats = {
        (struct.__name__, name)
        for struct in known
        for name, hint in get_type_hints(struct).items()
        if says_float(hint)
    }
    assert floats == FLOATS_THAT_ARE_NO_MONEY
