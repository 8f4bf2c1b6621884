"""The strict judge of paper's fills finds none that is optimistic, and finds those that are made so."""

import pytest
from msgspec.structs import replace

from engine.exchange import Exchange
from engine.market import RecordedMarket
from engine.model.fill import Fill
from engine.venues.profiles import instrument_for, load_profile
from tests.bench import paper_judge as judge
from tests.bench.paper_judge import Asked, D, Tape

SYMBOL, TICK = "BTC/USD", D("0.1")


@pytest.fixture(scope="module")
def day() -> tuple[Tape, list[Asked], dict[str, list[Fill]]]:
    files = judge.files_of(("kraken-spot_multi_20210405",))
    if not files:
        pytest.skip("kraken-spot_multi_20210405: recorded data not present")
    ticks = [tick for tick in RecordedMarket(files) if tick.symbol == SYMBOL]
    tape = Tape(ticks)
    profile = replace(load_profile("kraken-futures"), max_open_orders=1_000)
    venue = Exchange(profile, [instrument_for(profile, SYMBOL, TICK)], {"USD": D(10**12)}, "USD")
    asked = judge.orders_of(tape, SYMBOL, TICK, 160)
    fills, _ = judge.fills_of(ticks, asked, venue)
    assert len(fills) > 50
    return tape, asked, fills


def test_no_fill_is_optimistic(day: tuple[Tape, list[Asked], dict[str, list[Fill]]]) -> None:
    tape, asked, fills = day
    wrong = [
        why
        for one in asked
        for why in judge.judged(one, fills.get(one.order.client_order_id, []), tape)
    ]
    assert wrong == []


def test_a_fill_that_is_a_percent_better_is_found(
    day: tuple[Tape, list[Asked], dict[str, list[Fill]]],
) -> None:
    tape, asked, fills = day
    missed = []
    for one in asked:
        for fill in fills.get(one.order.client_order_id, [])[:1]:
            better = replace(fill, price=fill.price * (1 - fill.side.sign * D("0.01")))
            if not judge.judged(one, [better], tape):
                missed.append(one.order.client_order_id)
    assert missed == []


def test_a_resting_limit_that_is_filled_at_once_is_found(
    day: tuple[Tape, list[Asked], dict[str, list[Fill]]],
) -> None:
    tape, asked, _ = day
    rests = [one for one in asked if one.kind == "post-only" and one.order.price is not None]
    for one in rests:
        order = one.order
        assert order.price is not None
        fill = Fill(
            "x",
            order.client_order_id,
            SYMBOL,
            order.side,
            order.price,
            D(50),
            D(0),
            "USD",
            judge.MAKER,
            one.at + 1,
        )
        assert judge.judged(one, [fill], tape), order.client_order_id
    assert len(rests) == 20
