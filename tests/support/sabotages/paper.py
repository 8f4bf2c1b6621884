"""Sabotages of section J: a paper venue that flatters, or slanders."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.desk import lockouts
from engine.desk.board import Board
from engine.desk.context import Context
from engine.desk.views import Views
from engine.exchange import candles
from engine.exchange.book import Book
from engine.exchange.candles import Bar, Candles
from engine.exchange.exchange import Exchange
from engine.market import times
from engine.model import currencies
from engine.model import report as r
from engine.model.money import ZERO
from engine.model.position import Position
from engine.model.side import Side
from engine.model.view import AccountView
from engine.venues import profiles
from engine.venues.paper import PaperVenue
from tests.support.sabotage import Patch, sabotage

FILLS = "tests/exchange/test_honest_fills.py"


@sabotage(
    "H122",
    "a queue that nobody has seen is an empty one",
    test=f"{FILLS}::test_a_print_at_a_limit_deeper_than_the_best_does_not_fill_it",
)
def think_an_unseen_queue_empty(patch: Patch) -> None:
    queue = Book._queue

    def empty(self: Book, side: Side, price: Decimal) -> Decimal:
        return queue(self, side, price) or ZERO

    patch.setattr(Book, "_queue", empty)


@sabotage(
    "H122",
    "what a book was cut off at is taken for its end",
    test=f"{FILLS}::test_below_a_truncated_book_nobody_knows_the_queue",
)
def think_a_truncated_book_whole(patch: Patch) -> None:
    queue = Book._queue

    def whole(self: Book, side: Side, price: Decimal) -> Decimal | None:
        seen = queue(self, side, price)
        return ZERO if seen is None and self._levels.known(side) else seen

    patch.setattr(Book, "_queue", whole)


@sabotage(
    "H123",
    "a stop fills at the quote which the print that fired it disproved",
    test=f"{FILLS}::test_a_stop_fills_nowhere_better_than_the_print_that_fired_it",
)
def believe_the_old_quote(patch: Patch) -> None:
    offered = Book.offered

    def stale(self: Book, *terms: Any) -> Iterator[tuple[Decimal, Decimal]]:
        self.print = None
        return offered(self, *terms)

    patch.setattr(Book, "offered", stale)


@sabotage(
    "H125",
    "a liquidation takes any size at the best price",
    test=f"{FILLS}::test_a_liquidation_walks_the_book",
)
def liquidate_at_the_best(patch: Patch) -> None:
    def at_best(self: Exchange, book: Book, now: int) -> None:
        held, quote = self.ledger.on_margin(book.instrument.symbol), book.quote
        if held and quote is not None:
            side = Side.SELL if held > ZERO else Side.BUY
            price = quote.bid if side is Side.SELL else quote.ask
            leverage = book.instrument.max_leverage
            fill = self._settle(
                book.instrument, "", side, abs(held), price, now, maker=False, leverage=leverage
            )
            self._tell(r.Liquidated(book.instrument.symbol, fill, now))

    patch.setattr(Exchange, "_liquidate", at_best)


PATHS = "tests/exchange/test_candle_paths.py"
LEVELS = "tests/rehearsal/scenario/test_candle_levels.py::test_a_level_is_left_at_its_own_price"


@sabotage(
    "H124",
    "what a candle crosses acts at its extreme",
    test=f"{PATHS}::test_a_stop_fills_at_its_own_price_and_not_at_the_extreme",
)
def jump_to_the_extreme(patch: Patch) -> None:
    patch.setattr(candles, "next_stop", lambda *_: None)


@sabotage(
    "H124",
    "the better extreme comes after an entry whatever led to it",
    test=f"{PATHS}::test_a_market_entry_within_a_candle_gets_nothing_of_the_better_extreme",
)
def give_the_entry_the_whole_candle(patch: Patch) -> None:
    patch.setattr(Candles, "entered", lambda *_, **__: None)


@sabotage(
    "H124",
    "the better extreme comes first",
    test=f"{PATHS}::test_the_stop_is_first_where_a_candle_reaches_stop_and_target",
)
def see_the_target_first(patch: Patch) -> None:
    first = Bar._first

    def better(self: Bar, held: Decimal) -> Side:
        return first(self, held).opposite

    patch.setattr(Bar, "_first", better)


@sabotage("H124", "a target that the console watches is stepped over", test=LEVELS)
def ask_no_console(patch: Patch) -> None:
    patch.setattr(PaperVenue, "watch", lambda *_: None)


FILES = "tests/market/test_foreign_files.py"


@sabotage(
    "H126",
    "any number is a time in the unit that a column says",
    test=f"{FILES}::test_milliseconds_in_a_column_of_nanoseconds_are_refused_by_name",
)
def believe_any_time(patch: Patch) -> None:
    patch.setattr(times, "EARLIEST", 0)


@sabotage(
    "H126",
    "prices of the day after tomorrow are played",
    test=f"{FILES}::test_a_time_after_tomorrow_is_refused_by_name",
)
def believe_the_future(patch: Patch) -> None:
    begin = times.Times.__init__

    def without_bound(self: times.Times, unit: str | None = None, tomorrow: int = 0) -> None:
        del tomorrow
        begin(self, unit)

    patch.setattr(times.Times, "__init__", without_bound)


@sabotage(
    "H126",
    "a quote that is not known is dollars",
    test=f"{FILES}::test_a_quote_that_cannot_be_told_is_asked_for_and_never_dollars",
)
def take_dollars(patch: Patch) -> None:
    pair_of = currencies.pair_of

    def in_dollars(text: str) -> currencies.Pair:
        return pair_of(text) or currencies.Pair(text, "USD")

    patch.setattr(profiles, "pair_of", in_dollars)


EXCURSIONS = "tests/desk/test_excursions.py"


@sabotage(
    "H127",
    "excursions go from the lowest bid to the highest ask, whoever could have closed there",
    test=f"{EXCURSIONS}::test_excursions_are_on_the_side_that_one_could_have_closed_at",
)
def take_the_outer_prices(patch: Patch) -> None:
    def outer(self: Board, position: Position) -> tuple[Decimal, Decimal] | None:
        ranges = self._symbols[position.symbol].ranges
        bids, asks = ranges.bids(position.id), ranges.asks(position.id)
        return None if bids is None or asks is None else (bids[0], asks[1])

    patch.setattr(Board, "extremes", outer)


@sabotage(
    "H127",
    "how far a price went stays in memory",
    test=f"{EXCURSIONS}::test_a_restart_loses_no_more_than_the_second_that_was_not_over",
)
def journal_no_extremes(patch: Patch) -> None:
    patch.setattr(lockouts, "_extremes", lambda _: {})


@sabotage(
    "H127",
    "a fee in coins is valued at the price of now",
    test=f"{EXCURSIONS}::test_a_fee_in_coins_is_valued_once_at_the_price_of_its_fill",
)
def value_fees_anew(patch: Patch) -> None:
    account = Views.account

    def anew(self: Views, ctx: Context) -> AccountView:
        told = account(self, ctx)
        known = [
            ctx.to_account(amount, currency) for currency, amount in ctx.state.totals.fees.items()
        ]
        return replace(told, fees=sum((one for one in known if one is not None), ZERO))

    patch.setattr(Views, "account", anew)
