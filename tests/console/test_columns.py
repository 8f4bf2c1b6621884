"""Columns go whole, by priority; what is shown of a number is all of it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.clock import SECOND
from engine.model.side import Side
from engine.model.view import FeedView, PositionView
from tests.console.sample import T0, SampleSession, some_orders, some_positions
from tests.console.sample import position as given_position
from tui import figures
from tui.columns import GAP, fit, placed
from tui.panes.limits import financing_lines
from tui.panes.orders import ORDERS
from tui.panes.positions import POSITIONS, liquidation_of, side_of
from tui.plain import clip
from tui.status import pieces


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
    bare: PositionView = replace(
        some_positions()[0],
        mark=None,
        unrealised=None,
        in_account=None,
        r=None,
        stop=None,
        stop_wanted=None,
        target=None,
        stop_away=None,
    )
    for column in POSITIONS:
        text, tone = column.cell(bare, T0)
        assert "None" not in text
        assert tone


@pytest.mark.parametrize(
    ("leverage", "liquidation", "side", "told", "tone"),
    [
        (None, None, "LONG", "", "dim"),
        ("3", "45000", "LONG 3×", "45,000.0 29%", "dim"),
        ("2.50", "58000", "LONG 2.5×", "58,000.0 8%", "danger"),
        (None, "100", "LONG", "100.0 100%", "dim"),
        ("20", "130000", "LONG 20×", "", "dim"),  # twice as high: nobody has to know
    ],
)
def test_what_is_on_margin_says_how_much_and_how_far_its_liquidation_is(
    leverage: str | None, liquidation: str | None, side: str, told: str, tone: str
) -> None:
    given_leverage = None if leverage is None else Decimal(leverage)
    given_liquidation = None if liquidation is None else Decimal(liquidation)
    view = given_position(
        "P",
        "BTC/USD",
        Side.BUY,
        "0.5",
        "63000",
        "63000",
        None,
        leverage=given_leverage,
        liquidation=given_liquidation,
    )
    assert side_of(view) == (side, "up")
    assert liquidation_of(view) == (told, tone)


def test_a_column_in_which_nobody_says_anything_is_not_there() -> None:
    assert "liq" not in [column.title for column, _ in fit(POSITIONS, {}, 200)]
    assert "liq" in [column.title for column, _ in fit(POSITIONS, {"liq": 12}, 120)]


def test_the_strip_says_how_much_is_bound() -> None:
    session = SampleSession()

    def told(margin: str | None) -> tuple[str, str] | None:
        session.margin = None if margin is None else Decimal(margin)
        parts = [
            line for _, line in pieces(session.view(), read_only="") if line[0][0] == "margin "
        ]
        return parts[0][1] if parts else None

    assert told("0") is None
    assert told("0.38") == ("38%", "plain")
    assert told("0.81") == ("81%", "danger")
    assert told(None) == ("—", "danger")


def test_what_holding_on_credit_costs_is_told_where_it_costs_anything() -> None:
    view = SampleSession().view()

    def told(feed: FeedView) -> list[str]:
        return [
            "".join(text for text, _ in line)
            for line in financing_lines(replace(view, feeds=(feed,)))
        ]

    quiet = view.feeds[0]
    assert told(quiet) == [" funding, loans  ▼1.24"]
    paying = replace(
        quiet,
        funding=Decimal("0.0001"),
        funding_at=view.at + 23 * 60 * SECOND,
        funding_pays=Decimal("-6.2"),
    )
    assert told(paying) == [" funding, loans  ▼1.24", "   BTC/USD ▼6.20 in 23m0s, 0.0100% an hour"]
