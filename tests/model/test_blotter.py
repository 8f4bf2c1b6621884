"""The statistics of closed positions, each figure worked out by hand."""

from decimal import Decimal

from engine.model import blotter
from engine.model.blotter import Statistics
from engine.model.side import Side
from engine.model.view import ClosedView

D = Decimal
HOUR = 3_600_000_000_000
MONDAY = 1_767_571_200_000_000_000
"""2026-01-05T00:00:00Z."""


def ended(
    profit: str,
    r: str | None = None,
    *,
    at: int = 1,
    symbol: str = "BTC/USD",
    currency: str = "USD",
    tags: tuple[str, ...] = (),
) -> ClosedView:
    """A position that was opened on Monday at midnight and closed `at` hours later."""
    return ClosedView(
        id=f"P{at}", symbol=symbol, label="", side=Side.BUY, size=D(1), currency=currency,
        entry=D(100), exit=D(101), profit=D(profit), fees=D(2), r=None if r is None else D(r),
        opened_at=MONDAY, closed_at=MONDAY + at * HOUR, reason="stop", note="", tags=tags,
    )  # fmt: skip


def test_every_figure() -> None:
    closed = (
        ended("-40", "-1", at=4),
        ended("100", "2", at=1),
        ended("20", None, at=2),
        ended("-10", "-0.5", at=3),
        ended("0", "0", at=5),
    )
    assert blotter.statistics("all", closed) == (
        Statistics(
            name="all",
            currency="USD",
            trades=5,
            wins=2,
            losses=2,
            net=D(70),
            fees=D(10),
            win_rate=D("0.4"),
            expectancy=D("0.125"),  # (2 - 0.5 - 1 + 0) / 4
            profit_factor=D("2.4"),  # 120 / 50
            average_win=D(2),
            average_loss=D("-0.75"),
            best_streak=2,  # by the time of their close
            worst_streak=2,
            fee_share=D(10) / D(172),  # gross 102, 22, 8, 38, 2
            held=3 * HOUR,
        ),
    )


def test_nothing_is_nothing() -> None:
    assert blotter.statistics("all", ()) == ()
    (only,) = blotter.statistics("all", (ended("5"),))
    assert (only.profit_factor, only.expectancy, only.average_loss) == (None, None, None)


def test_currencies_are_never_summed() -> None:
    found = blotter.statistics("all", (ended("5"), ended("7", currency="EUR")))
    assert [(one.currency, one.net) for one in found] == [("USD", D(5)), ("EUR", D(7))]


def test_groups() -> None:
    closed = (
        ended("5", tags=("a", "b")),
        ended("-7", symbol="ETH/USD", tags=("a",)),
        ended("1"),
    )
    by_symbol = blotter.by(blotter.symbols, closed)
    assert [(one.name, one.trades) for one in by_symbol] == [("BTC/USD", 2), ("ETH/USD", 1)]
    by_tag = blotter.by(blotter.tags, closed)
    assert [(one.name, one.trades) for one in by_tag] == [("a", 2), ("b", 1), ("no tag", 1)]
    assert [one.name for one in blotter.by(blotter.hours, closed)] == ["00:00"]
    assert [one.name for one in blotter.by(blotter.weekdays, closed)] == ["1 Mon"]
