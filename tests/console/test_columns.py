"""Columns go whole, by priority; what is shown of a number is all of it."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.model.view import PositionView
from tests.console.sample import T0, some_orders, some_positions
from tui import figures
from tui.columns import GAP, fit, placed
from tui.panes.orders import ORDERS
from tui.panes.positions import POSITIONS
from tui.plain import clip


@given(st.integers(20, 200))
def test_whatever_the_width_no_number_is_cut(width: int) -> None:
    for position in some_positions():
        widths = {c.title: max(c.width, len(c.cell(position, T0)[0])) for c in POSITIONS}
        fitted = fit(POSITIONS, widths, width)
        for column, given_width in fitted:
            text = column.cell(position, T0)[0]
            if not column.flexible:
                assert text in placed(column, text, given_width)
        if width >= 70:
            assert sum(w + GAP for _, w in fitted) - GAP <= width


def test_what_protects_a_position_goes_last() -> None:
    kept = [column.title for column, _ in fit(POSITIONS, {}, 50)]
    assert {"symbol", "side", "size", "stop", "where"} <= set(kept)
    assert "notes" not in kept
    assert "age" not in kept


def test_what_an_order_is_goes_last() -> None:
    kept = [column.title for column, _ in fit(ORDERS, {}, 40)]
    assert {"symbol", "side", "size", "price"} <= set(kept)
    assert some_orders()


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4))
def test_a_sign_stands_beside_the_colour(value: Decimal) -> None:
    text = figures.signed(value)
    assert (text[0] == "▲") == (value > 0 and text.strip("▲▼0.,") != "")
    assert (text[0] == "▼") == (value < 0 and text.strip("▲▼0.,") != "")


@given(st.text("0123456789,.", min_size=1, max_size=12), st.integers(0, 20))
def test_clipping_leaves_a_number_whole_or_out(digits: str, width: int) -> None:
    clipped = clip(f"trail {digits}", width)
    assert len(clipped) <= width
    assert clipped.endswith(digits) or not any(c.isdigit() for c in clipped)


def test_prices_keep_their_grid_and_stops_are_exact() -> None:
    assert figures.price(Decimal(62100), Decimal("0.1")) == "62,100.0"
    assert figures.exact(Decimal("60796.05"), Decimal("0.1")) == "60,796.05"
    assert figures.price(None, Decimal("0.1")) == "—"
    assert figures.size(Decimal("0.50000000"), Decimal("0.00000001")) == "0.500"
    assert figures.size(Decimal("0.12345678"), Decimal("0.00000001")) == "0.12345678"


def test_every_column_says_something_of_a_bare_position() -> None:
    from msgspec.structs import replace

    bare: PositionView = replace(
        some_positions()[0], mark=None, unrealised=None, in_account=None, r=None, stop=None, stop_wanted=None, target=None, stop_away=None
    )
    for column in POSITIONS:
        text, tone = column.cell(bare, T0)
        assert "None" not in text
        assert tone
