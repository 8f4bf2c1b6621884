"""Our own books by asset: what the gate takes for ours, and what for somebody else's."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk.books import books_of
from engine.desk.state import State
from engine.model.books import Books
from engine.model.position import Position
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile
from tests.support.evidence import BTC, D

pytestmark = [pytest.mark.hazard("H74")]
ETH = "ETH/USD"


def state_of(profile: str = "kraken-spot") -> State:
    venue = load_profile(profile)
    instruments = {
        BTC: instrument_for(venue, BTC, D("0.1")),
        ETH: instrument_for(venue, ETH, D("0.01")),
    }
    return State("test", "USD", instruments=instruments)


def hold(
    state: State,
    size: str,
    side: Side = Side.BUY,
    symbol: str = BTC,
    leverage: Decimal | None = None,
) -> None:
    name = f"P{len(state.positions)}"
    state.positions[name] = Position(
        name, symbol, side, 1, "USD", entry_size=D(size), leverage=leverage
    )


def test_coins_are_those_of_every_position_and_the_rest_lay_there_before() -> None:
    state = state_of()
    hold(state, "0.4")
    hold(state, "0.3")
    hold(state, "5", symbol=ETH)
    state.cash = {"BTC": D("1.7"), "ETH": D(5)}
    assert books_of(state, "BTC") == Books(D("0.7"), D(0), D(1))
    assert books_of(state, "ETH") == Books(D(5), D(0), D(0))


def test_what_a_position_has_sold_is_not_ours_any_more() -> None:
    state = state_of()
    hold(state, "0.4")
    state.positions["P0"] = replace(state.positions["P0"], exit_size=D("0.3"))
    assert books_of(state, "BTC").long == D("0.1")


def test_more_sold_than_bought_is_owed() -> None:
    state = state_of()
    hold(state, "0.4")
    state.positions["P0"] = replace(state.positions["P0"], exit_size=D("0.6"))
    hold(state, "0.5")
    state.cash = {"BTC": D("1.3")}
    assert books_of(state, "BTC") == Books(D("0.5"), D("0.2"), D(1))


def test_contracts_are_by_symbol_and_what_is_not_ours_is_what_was_said_and_what_was_left() -> None:
    state = state_of("kraken-futures")
    hold(state, "0.4")
    hold(state, "0.3", Side.SELL)
    hold(state, "9", symbol=ETH)
    state.elsewhere, state.dust = {BTC: D("0.2")}, {BTC: D("-0.05")}
    state.cash = {BTC: D(77)}
    assert books_of(state, BTC) == Books(D("0.4"), D("0.3"), D("0.15"))
    assert books_of(state, ETH) == Books(D(9), D(0), D(0))


def test_what_is_on_margin_is_no_coin() -> None:
    state = state_of()
    hold(state, "0.4", leverage=D(2))
    hold(state, "0.1")
    state.cash = {"BTC": D("0.1")}
    assert books_of(state, "BTC") == Books(D("0.1"), D(0), D(0))
    assert books_of(state, BTC).long == D("0.4")


def test_a_position_that_holds_nothing_asks_for_no_instrument() -> None:
    state = state_of()
    hold(state, "0", symbol="GONE/USD")
    assert books_of(state, "BTC") == Books()
