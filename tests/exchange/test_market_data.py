"""What each kind of market data does to orders that take and orders that rest."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from engine.model.side import Side

if TYPE_CHECKING:
    from tests.exchange.conftest import Open, Venue

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


def test_a_taker_walks_assumed_levels_beyond_the_displayed_size(spot: Venue) -> None:
    spot.quote("9999", "10000", ask_size="1")
    order = spot.submit(BUY, "2.5")
    assert spot.traded(order) == [(D(1), D(10000)), (D(1), D(10001)), (D("0.5"), D(10002))]


def test_what_we_took_is_not_there_again_until_that_side_changes(spot: Venue) -> None:
    spot.quote("9999", "10000")
    spot.submit(BUY, "0.6")
    spot.quote("9998", "10000")  # only the bid is news
    assert spot.traded(spot.submit(BUY, "0.5")) == [(D("0.4"), D(10000)), (D("0.1"), D(10001))]
    spot.quote("9998", "10000", ask_size="2")
    assert spot.traded(spot.submit(BUY, "0.5")) == [(D("0.5"), D(10000))]


def test_a_side_that_says_the_same_for_a_second_has_been_filled_up(spot: Venue) -> None:
    spot.quote("9999", "10000")
    spot.submit(BUY, "1")
    spot.later(1).quote("9999", "10000")
    assert spot.traded(spot.submit(BUY, "1")) == [(D(1), D(10000))]


def test_a_market_order_without_a_bound_goes_on_with_the_next_quotes(spot: Venue) -> None:
    spot.quote("10000", "10001", bid_size="0.1")
    order = spot.submit(SELL, "2")
    assert sum(size for size, _ in spot.traded(order)) == D("1.0")  # ten levels
    spot.quote("9990", "9991", bid_size="5")
    assert spot.traded(order)[-1] == (D("1.0"), D(9990))
    assert spot.status(order) == "filled"


def test_a_resting_limit_fills_at_its_price_up_to_the_size_that_reaches_it(spot: Venue) -> None:
    spot.quote("9999", "10000")
    order = spot.limit(BUY, "1", "9990")
    spot.quote("9980", "9989.9", ask_size="0.3")
    spot.quote("9980", "9990", ask_size="5")
    assert spot.traded(order) == [(D("0.3"), D(9990)), (D("0.7"), D(9990))]
    assert {fill.liquidity for fill in spot.fills(order)} == {"maker"}


def test_resting_limits_are_served_by_price_then_time(spot: Venue) -> None:
    spot.quote("9999", "10000")
    first, second, best = (spot.limit(BUY, "1", price) for price in ("9990", "9990", "9991"))
    spot.quote("9980", "9989", ask_size="1.5")
    spot.quote("9980", "9989", ask_size="1")
    assert [fill.client_order_id for fill in spot.fills()] == [best, first, first, second]


def test_a_print_through_a_limit_fills_it_once_up_to_its_size(spot: Venue) -> None:
    spot.quote("9999", "10000")
    first, second = spot.limit(BUY, "1", "9995"), spot.limit(BUY, "1", "9994")
    spot.trade("9990", "1.4", SELL)
    assert spot.traded(first) == [(D(1), D(9995))]
    assert spot.traded(second) == [(D("0.4"), D(9994))]


def test_a_print_at_the_limit_serves_the_queue_first(spot: Venue) -> None:
    spot.quote("9999", "10000", bid_size="3")
    order = spot.limit(BUY, "1", "9999")
    spot.trade("9999", "2", SELL)
    assert spot.traded(order) == []
    spot.trade("9999", "1.5", SELL)
    assert spot.traded(order) == [(D("0.5"), D(9999))]


def test_a_deeper_limit_queues_behind_what_is_shown_when_it_is_the_best(spot: Venue) -> None:
    spot.quote("9999", "10000")
    order = spot.limit(BUY, "1", "9990")
    spot.quote("9990", "9995", bid_size="4")
    spot.trade("9990", "4", SELL)
    assert spot.traded(order) == []
    spot.trade("9990", "4", SELL)
    assert spot.traded(order) == [(D(1), D(9990))]


def test_a_print_by_a_buyer_does_not_fill_a_resting_buy(spot: Venue) -> None:
    spot.quote("9999", "10000", bid_size="0.1")
    order = spot.limit(BUY, "1", "9999.5")
    spot.trade("9999.5", "5", BUY)
    assert spot.traded(order) == []


def test_only_trades_make_quotes_and_a_print_is_used_once(spot: Venue) -> None:
    spot.trade("10000", "2")
    assert (spot.quotes[-1].bid, spot.quotes[-1].ask) == (D(9999), D(10001))
    order = spot.limit(BUY, "3", "9990")
    spot.trade("9980", "1")
    assert spot.traded(order) == [(D(1), D(9990))]


def test_a_stop_touched_by_the_first_lower_trade_sells_there_and_not_at_the_old_price(
    spot: Venue,
) -> None:
    spot.trade("10000", "2")
    order = spot.stop(SELL, "1", "9900")
    spot.trade("9800", "2")
    assert spot.traded(order) == [(D(1), D("9799.0"))]


def test_depth_is_walked_level_by_level(spot: Venue) -> None:
    spot.depth(
        (BUY, "9999", "1"),
        (SELL, "10000", "0.2"),
        (SELL, "10005", "0.3"),
        (SELL, "10050", "9"),
        snapshot=True,
    )
    assert spot.traded(spot.submit(BUY, "1")) == [
        (D("0.2"), D(10000)),
        (D("0.3"), D(10005)),
        (D("0.5"), D(10050)),
    ]


def test_depth_tells_its_best_when_it_changes(spot: Venue) -> None:
    spot.depth((BUY, "9999", "1"), (SELL, "10000", "1"), (SELL, "10010", "2"), snapshot=True)
    spot.depth((SELL, "10000", "0"))
    spot.depth((BUY, "9990", "7"))  # not the best
    assert [quote.ask for quote in spot.quotes] == [D(10000), D(10010)]
    spot.depth((BUY, "10020", "1"))  # crossed for a moment
    assert len(spot.quotes) == 2


def test_a_candle_plays_its_four_prices_at_their_own_times(spot: Venue) -> None:
    begin = spot.now
    spot.candle("10000", "10100", "9900", "10050", "40")
    assert spot.exchange.next_due() == begin + 15_000_000_000
    spot.later(60)
    assert [(quote.at - begin) // 1_000_000_000 for quote in spot.quotes] == [0, 15, 30, 45]
    assert [quote.mid for quote in spot.quotes] == [D(10000), D(9900), D(10100), D(10050)]
    assert spot.quotes[0].ask_size == D(4)


def test_candles_of_two_symbols_are_played_side_by_side(at: Open) -> None:
    venue = at("kraken-spot", "BTC/USD", "ETH/USD", USD="1000")
    venue.candle("100", "110", "90", "105", "10")
    venue.candle("10", "11", "9", "10.5", "10", symbol="ETH/USD")
    venue.later(20)
    assert [quote.symbol for quote in venue.quotes] == ["BTC/USD", "ETH/USD", "BTC/USD", "ETH/USD"]


def test_the_stop_wins_over_the_target_inside_one_candle(at: Open) -> None:
    venue = at("kraken-futures", "BTC/USD", USD="100000")
    venue.candle("10000", "10000", "10000", "10000", "100")
    venue.later(60)
    venue.submit(SELL, "1")  # short: the high is played first
    stop = venue.stop(BUY, "1", "10100", reduce_only=True)
    target = venue.limit(BUY, "1", "9900", reduce_only=True)
    venue.candle("10000", "10200", "9800", "9900", "100")
    venue.later(60)
    assert (venue.status(stop), venue.status(target)) == ("filled", "cancelled")
    assert venue.held() == 0


def test_a_limit_is_not_filled_by_a_candle_that_only_touches_it(spot: Venue) -> None:
    spot.candle("10000", "10000", "10000", "10000", "100")
    spot.later(60)
    order = spot.limit(BUY, "1", "9901")  # the synthetic ask at a price of 9900 is 9901
    spot.candle("10000", "10000", "9900", "10000", "100")
    spot.later(60)
    assert spot.traded(order) == []
    spot.candle("10000", "10000", "9899", "10000", "100")
    spot.later(60)
    assert spot.traded(order) == [(D(1), D(9901))]


def test_a_candle_without_volume_trades_nothing(spot: Venue) -> None:
    spot.candle("10000", "10100", "9900", "10000", "0")
    order = spot.submit(BUY, "1")
    spot.later(60)
    assert spot.traded(order) == []


def test_candles_are_ignored_once_there_are_real_quotes(spot: Venue) -> None:
    spot.candle("10000", "10100", "5000", "10000", "100")
    spot.quote("10000", "10001")
    order = spot.limit(BUY, "1", "9000")
    spot.later(60)
    spot.candle("10000", "10100", "5000", "10000", "100")
    assert spot.traded(order) == []
    assert len(spot.quotes) == 2
