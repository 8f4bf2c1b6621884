"""The board by itself: what a price crosses, at which price to the tick, in which order; and how
far a price went since a position opened.
"""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.desk.board import Board
from engine.desk.watches import Watch
from engine.model.instrument import Instrument
from engine.model.order import Trail
from engine.model.position import Position
from engine.model.quote import Quote
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile
from tests.support.world import BTC, ETH, SECOND, START, Story

D = Decimal
STEP = D("0.0005")
BITCOIN = instrument_for(load_profile("kraken-spot"), BTC, D("0.1"))


def position(side: Side = Side.BUY, name: str = "P", **terms: Any) -> Position:
    """One bitcoin, entered at 60000."""
    return Position(name, BTC, side, START, "USD", entry_size=D(1), entry_value=D(60_000), **terms)


def priced(
    board: Board, bid: str, ask: str | None = None, symbol: str = BTC, at: int = START
) -> list[Watch]:
    """A quote; a tick wide unless said otherwise."""
    best = D(bid)
    return board.on_quote(Quote(symbol, at, best, D(1), D(ask) if ask else best + D("0.1"), D(1)))


def watching(*positions: Position, target: bool = True, instrument: Instrument = BITCOIN) -> Board:
    board = Board()
    assert priced(board, "60000") == []
    for one in positions:
        board.watch(one, instrument, STEP, target=target)
    return board


# Stops and targets


def test_the_next_prices_that_somebody_waits_for_are_told_for_each_way() -> None:
    long = position(stop=D(59_400), target=D(61_200), trail=Trail(amount=D(500)), trailing=True)
    short = position(Side.SELL, "S", stop=D(60_600), target=D(58_800))
    board = watching(replace(long, best=D(60_000)), short)
    follows = D(59_400) + D("30.0") + 500  # a step of the stop, for a trail that is 500 away
    assert board.levels(BTC, True) == (min(D(61_200), follows), D(60_600))
    assert board.levels(BTC, False) == (D(59_500), D(58_800))
    assert board.levels(ETH, True) == (None, None)


def test_a_long_leaves_at_the_bid_and_is_told_once() -> None:
    board = watching(position(stop=D(59_400), target=D(61_200)))
    assert priced(board, "59400.1", "59400.1") == []
    assert priced(board, "59400", "65000") == [("P", "stop")]
    assert priced(board, "59000") == []
    assert priced(board, "61199.9", "65000") == []
    assert priced(board, "61200") == [("P", "target")]
    assert priced(board, "61300") == []


def test_a_short_leaves_at_the_ask_and_is_told_once() -> None:
    board = watching(position(Side.SELL, stop=D(60_600), target=D(58_800)))
    assert priced(board, "60599.9", "60599.9") == []
    assert priced(board, "50000", "60600") == [("P", "stop")]
    assert priced(board, "60700") == []
    assert priced(board, "50000", "58800.1") == []
    assert priced(board, "50000", "58800") == [("P", "target")]
    assert priced(board, "50000", "58000") == []


def test_a_target_that_rests_at_the_venue_is_not_watched() -> None:
    board = watching(position(stop=D(59_400), target=D(61_200)), target=False)
    assert priced(board, "61200") == []
    assert priced(board, "59400") == [("P", "stop")]


def test_a_stop_that_the_price_is_through_already_is_not_watched_again() -> None:
    held = position(stop=D(59_400), target=D(61_200))
    board = watching(replace(held, through_since=START))
    assert priced(board, "59400") == []
    assert priced(board, "61200") == [("P", "target")], "the rest is"
    board.watch(held, BITCOIN, STEP, target=True)
    assert priced(board, "59400") == [("P", "stop")]


def test_a_position_without_a_stop_or_target_waits_for_nothing() -> None:
    board = watching(position())
    assert priced(board, "1") == []
    assert priced(board, "1000000") == []


@pytest.mark.parametrize(
    ("closing", "watched"), [("0", True), ("0.9", True), ("1", False), ("1.1", False)]
)
def test_what_is_closed_as_a_whole_is_watched_no_more(closing: str, watched: bool) -> None:
    board = watching(position(stop=D(59_400), closing=D(closing)))
    assert priced(board, "59400") == ([("P", "stop")] if watched else [])


@pytest.mark.parametrize("exit_size", ["1", "1.1"])
def test_what_holds_nothing_is_not_watched(exit_size: str) -> None:
    board = watching(position(stop=D(59_400), exit_size=D(exit_size), exit_value=D(60_000)))
    assert priced(board, "59400") == []
    assert board.extremes(position(name="P")) is None


def test_what_changes_is_watched_as_it_is_now() -> None:
    board = watching(position(stop=D(59_400), target=D(61_200)))
    board.watch(position(stop=D(59_700), target=D(61_500)), BITCOIN, STEP, target=True)
    assert priced(board, "61200") == []
    assert priced(board, "61500") == [("P", "target")]
    assert priced(board, "59700") == [("P", "stop")]
    assert priced(board, "59400") == []


def test_what_has_ended_is_forgotten() -> None:
    board = watching(
        position(
            stop=D(59_400),
            target=D(61_200),
            trail=Trail(amount=D(300)),
            trailing=True,
            best=D(60_000),
        ),
        position(name="Q"),
    )
    board.forget("P")
    assert (priced(board, "61200"), priced(board, "59000")) == ([], [])
    assert board.extremes(position(name="P")) is None
    assert board.extremes(position(name="Q")) == (D(59_000), D(61_200))
    board.forget("P")
    board.forget("nobody")
    assert board.extremes(position(name="Q")) == (D(59_000), D(61_200))


def test_the_nearest_is_crossed_first_and_of_equals_the_first_that_waited() -> None:
    far, near = position(name="far", stop=D(59_000)), position(name="near", stop=D(59_500))
    board = watching(far, near, position(name="also", stop=D(59_500)))
    assert priced(board, "58000") == [("near", "stop"), ("also", "stop"), ("far", "stop")]


def test_what_one_price_crosses_acts_stops_first_then_trails_then_targets() -> None:
    """A wide quote: the bid falls through what longs wait for, the ask rises through what shorts
    wait for, and the other way about.
    """
    trail = Trail(amount=D(100))
    fallen = watching(
        position(name="trailing short", side=Side.SELL, trail=trail, trailing=True, best=D(60_000)),
        position(name="trailing long", trail=trail, trailing=True, best=D(60_000)),
        position(name="short", side=Side.SELL, stop=D(61_000)),
        position(name="long", stop=D(59_000)),
    )
    assert priced(fallen, "58000", "62000") == [
        ("long", "stop"),
        ("short", "stop"),
        ("trailing long", "trail"),
        ("trailing short", "trail"),
    ]
    crossed = watching(
        position(name="short", side=Side.SELL, target=D(59_000)),
        position(name="long", target=D(61_000)),
    )
    assert priced(crossed, "62000", "58000") == [("long", "target"), ("short", "target")]


def test_a_stop_acts_before_a_trail_and_before_a_target_of_the_other_side() -> None:
    board = watching(
        position(name="short", side=Side.SELL, target=D(59_000)),
        position(
            name="long", stop=D(59_400), trail=Trail(amount=D(300)), trailing=True, best=D(60_000)
        ),
    )
    assert priced(board, "58900", "58900") == [
        ("long", "stop"),
        ("long", "trail"),
        ("short", "target"),
    ]


# Trails


@pytest.mark.parametrize(
    ("side", "trail", "untouched", "fires"),
    [
        (Side.BUY, Trail(amount=D(300)), "59700.1", "59700"),
        (Side.SELL, Trail(amount=D(300)), "60299.9", "60300"),
        (Side.BUY, Trail(fraction=D("0.005")), "59700.1", "59700"),
        (Side.SELL, Trail(fraction=D("0.005")), "60299.9", "60300"),
    ],
)
def test_a_trail_fires_at_its_distance_from_the_best(
    side: Side, trail: Trail, untouched: str, fires: str
) -> None:
    board = watching(position(side, trail=trail, trailing=True, best=D(60_000)))

    def leaves_at(price: str) -> list[Watch]:
        return priced(board, price, "90000") if side is Side.BUY else priced(board, "1", price)

    assert leaves_at(untouched) == []
    assert leaves_at(fires) == [("P", "trail")]
    assert leaves_at(fires) == []


@pytest.mark.parametrize(
    ("side", "best", "untouched", "fires"),
    [(Side.BUY, "60600", "60300.1", "60300"), (Side.SELL, "59400", "59699.9", "59700")],
)
def test_a_trail_moves_with_the_best_and_goes_on_from_there_when_its_position_changes(
    side: Side, best: str, untouched: str, fires: str
) -> None:
    held = position(side, trail=Trail(amount=D(300)), trailing=True, best=D(60_000))
    board = watching(held)
    assert priced(board, best, best) == []
    board.watch(replace(held, note="n"), BITCOIN, STEP, target=True)
    assert priced(board, untouched, untouched) == []
    assert priced(board, fires, fires) == [("P", "trail")]


@pytest.mark.parametrize(
    ("side", "best", "fires"), [(Side.BUY, "61000", "60700"), (Side.SELL, "59000", "59300")]
)
def test_a_best_that_the_journal_knows_is_not_forgotten(side: Side, best: str, fires: str) -> None:
    held = position(side, trail=Trail(amount=D(300)), trailing=True, best=D(60_000))
    board = watching(held)
    board.watch(replace(held, best=D(best)), BITCOIN, STEP, target=True)
    assert priced(board, fires, fires) == [("P", "trail")]


def test_a_trail_that_an_earlier_process_left_goes_on_from_its_best_before_the_first_price() -> (
    None
):
    board = Board()
    board.watch(
        position(trail=Trail(amount=D(300)), trailing=True, best=D(61_000)),
        BITCOIN,
        STEP,
        target=True,
    )
    assert priced(board, "60700.1") == []
    assert priced(board, "60700") == [("P", "trail")]


def test_a_trail_that_is_set_anew_begins_at_its_own_best() -> None:
    held = position(trail=Trail(amount=D(300)), trailing=True, best=D(60_000))
    board = watching(held)
    assert priced(board, "61000") == []
    board.watch(replace(held, trail=None, trailing=False, best=None), BITCOIN, STEP, target=True)
    assert priced(board, "60000") == []
    board.watch(held, BITCOIN, STEP, target=True)
    assert priced(board, "59700.1") == []
    assert priced(board, "59700") == [("P", "trail")]


@pytest.mark.parametrize(
    ("side", "trail", "stop", "untouched", "follows"),
    [
        # a step is 0.05 % of 60000: 30. The stop is to be at 59730, so the best at 60030
        (Side.BUY, Trail(amount=D(300)), D(59_700), "60029.9", "60030"),
        (Side.SELL, Trail(amount=D(300)), D(60_300), "59970.1", "59970"),
        # 59730 / 0.995 = 60030.15; 60270 / 1.005 = 59970.149
        (Side.BUY, Trail(fraction=D("0.005")), D(59_700), "60030.1", "60030.2"),
        (Side.SELL, Trail(fraction=D("0.005")), D(60_300), "59970.2", "59970.1"),
    ],
)
def test_a_working_stop_follows_once_it_would_move_by_a_step(
    side: Side, trail: Trail, stop: Decimal, untouched: str, follows: str
) -> None:
    board = watching(position(side, trail=trail, trailing=True, best=D(60_000), stop=stop))
    assert priced(board, untouched, untouched) == []
    assert priced(board, follows, follows) == [("P", "follow")]
    assert priced(board, follows, follows) == []


def test_a_step_is_at_least_a_tick() -> None:
    coarse = replace(BITCOIN, tick=D(100))
    board = watching(
        position(trail=Trail(amount=D(300)), trailing=True, best=D(60_000), stop=D(59_700)),
        instrument=coarse,
    )
    assert priced(board, "60099.9") == []
    assert priced(board, "60100") == [("P", "follow")]


def test_a_trail_without_a_stop_has_nothing_to_follow_with() -> None:
    board = watching(position(trail=Trail(amount=D(300)), trailing=True, best=D(60_000)))
    assert priced(board, "70000") == []
    assert priced(board, "69700") == [("P", "trail")]


@pytest.mark.parametrize(
    ("side", "after", "untouched", "activates"),
    [
        (Side.BUY, "0.01", "60599.9", "60600"),
        (Side.SELL, "0.01", "59400.1", "59400"),
        (Side.BUY, None, "59999.9", "60000"),
        (Side.SELL, None, "60000.1", "60000"),
    ],
)
def test_a_trail_begins_at_its_profit(
    side: Side, after: str | None, untouched: str, activates: str
) -> None:
    trail = Trail(amount=D(300), after=None if after is None else D(after))
    board = Board()
    board.watch(position(side, trail=trail), BITCOIN, STEP, target=True)
    assert priced(board, untouched, untouched) == []
    assert priced(board, activates, activates) == [("P", "activate")]
    assert priced(board, activates, activates) == []


def test_a_trail_that_follows_but_has_seen_no_price_begins_anew() -> None:
    board = watching(position(trail=Trail(amount=D(300), after=D("0.01")), trailing=True))
    assert priced(board, "59000") == []
    assert priced(board, "60600") == [("P", "activate")]


# How far the price went


def test_extremes_are_on_the_side_that_a_position_leaves_at_since_it_was_watched() -> None:
    board = watching(position(name="P"))
    long, short = position(name="P"), position(Side.SELL, "Q")
    assert board.extremes(long) == (D(60_000), D(60_000))
    priced(board, "59000", "59500")
    priced(board, "60500", "61000")
    board.watch(short, BITCOIN, STEP, target=True)
    assert board.extremes(short) == (D(61_000), D(61_000))
    priced(board, "60600", "60700")
    assert (board.extremes(long), board.extremes(short)) == (
        (D(59_000), D(60_600)),
        (D(60_700), D(61_000)),
    )
    priced(board, "60400", "62000")
    assert (board.extremes(long), board.extremes(short)) == (
        (D(59_000), D(60_600)),
        (D(60_700), D(62_000)),
    )


def test_what_a_later_position_saw_belongs_to_the_earlier_one_too() -> None:
    board = watching(position(name="P"))
    board.watch(position(name="Q"), BITCOIN, STEP, target=True)
    priced(board, "58000")
    priced(board, "63000")
    board.forget("Q")
    assert (board.extremes(position(name="P")), board.extremes(position(name="Q"))) == (
        (D(58_000), D(63_000)),
        None,
    )
    priced(board, "57000")
    priced(board, "64000")
    assert board.extremes(position(name="P")) == (D(57_000), D(64_000))


def test_a_later_position_that_saw_less_takes_nothing_away() -> None:
    board = watching(position(name="P"))
    priced(board, "58000")
    priced(board, "63000")
    priced(board, "60000", "60001")
    board.watch(position(name="Q"), BITCOIN, STEP, target=True)
    board.forget("Q")
    assert board.extremes(position(name="P")) == (D(58_000), D(63_000))


def test_what_an_earlier_position_saw_ends_with_it() -> None:
    board = watching(position(name="P"))
    priced(board, "58000")
    priced(board, "63000")
    priced(board, "60000", "60001")
    board.watch(position(name="Q"), BITCOIN, STEP, target=True)
    board.forget("P")
    assert board.extremes(position(name="Q")) == (D(60_000), D(60_000))
    priced(board, "59000")
    priced(board, "61000")
    assert board.extremes(position(name="Q")) == (D(59_000), D(61_000))


def test_a_middle_position_leaves_what_it_saw_to_the_one_before() -> None:
    board = watching(position(name="P"))
    board.watch(position(name="Q"), BITCOIN, STEP, target=True)
    priced(board, "58000")
    priced(board, "63000")
    priced(board, "60000", "60001")
    board.watch(position(name="R"), BITCOIN, STEP, target=True)
    board.forget("Q")
    assert (board.extremes(position(name="P")), board.extremes(position(name="R"))) == (
        (D(58_000), D(63_000)),
        (D(60_000), D(60_000)),
    )
    priced(board, "59000")
    priced(board, "61000")
    assert (board.extremes(position(name="P")), board.extremes(position(name="R"))) == (
        (D(58_000), D(63_000)),
        (D(59_000), D(61_000)),
    )


def test_nothing_is_kept_of_positions_that_have_ended() -> None:
    board = watching()
    for number in range(20):
        board.watch(position(name=str(number), stop=D(1)), BITCOIN, STEP, target=True)
        board.watch(position(name=str(number), stop=D(2)), BITCOIN, STEP, target=True)
    for number in range(20):
        board.forget(str(number))
    here = board._symbols[BTC]
    assert (
        bool(here.ranges),
        [len(one) for one in here.ranges._extremes],
        board._since,
        board._watched,
    ) == (False, [0] * 4, {}, {})


def test_before_the_first_price_nothing_was_seen() -> None:
    board = Board()
    board.watch(position(name="P"), BITCOIN, STEP, target=True)
    assert board.extremes(position(name="P")) is None, "nothing is known"
    board.watch(position(name="Q", lowest=D(59_000), highest=D(61_000)), BITCOIN, STEP, target=True)
    assert board.extremes(position(name="Q")) is None, (
        "what the journal knows is added where it is asked for"
    )
    priced(board, "59500", "60000")
    assert (
        board.extremes(position(name="Q"))
        == board.extremes(position(name="P"))
        == (D(59_500), D(59_500))
    ), "and it is nobody else's"


def test_extremes_of_what_is_being_closed_go_on() -> None:
    board = watching(position(closing=D(1)))
    priced(board, "58000")
    priced(board, "63000")
    assert board.extremes(position(name="P")) == (D(58_000), D(63_000))


# Prices


def test_the_latest_quotes_stand_by_symbol() -> None:
    board = Board()
    assert (
        board.quote(BTC),
        board.quotes(),
        board.picture,
        board.sampled_at,
        board.restarted_at,
    ) == (None, [], None, None, 0)
    for symbol in ("XRP/USD", ETH, BTC):
        priced(board, "1", symbol=symbol)
    board.set_pace("NO/PRICE", 5)
    priced(board, "2", symbol=ETH, at=START + SECOND)
    assert [(quote.symbol, quote.bid) for quote in board.quotes()] == [
        (BTC, D(1)),
        (ETH, D(2)),
        ("XRP/USD", D(1)),
    ]
    assert board.quote("NO/PRICE") is None
    found = board.quote(ETH)
    assert found is not None
    assert found.at == START + SECOND


def test_symbols_do_not_cross_each_others_watches() -> None:
    story = Story("kraken-futures")
    story.opened()
    story.price(ETH, "1")
    assert not story.position().closing
    assert story.board.extremes(story.position()) == (D(60_000), D(60_000))
