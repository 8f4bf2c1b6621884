"""Kraken Futures as it is: naive venues that believe each answer, read what is absent as zero, and
send what they always sent.
"""

from typing import Any

from engine.venues.live.known import Known
from engine.venues.live.kraken_futures import KrakenFutures, history
from engine.venues.live.kraken_futures.deadlines import FuturesClocks
from engine.venues.live.kraken_futures.history import FuturesExecutions
from engine.venues.live.kraken_futures.modes import Modes
from engine.venues.live.kraken_futures.orders import FuturesOrders
from engine.venues.live.kraken_futures.prices import Ladder, PublicStream
from engine.venues.live.kraken_futures.questions import FuturesQuestions
from engine.venues.live.kraken_futures.stream import PrivateStream
from engine.venues.live.socket import StreamError
from tests.support.sabotage import Patch, sabotage

ENDS = "tests/venues/test_futures_ends.py"
FUTURES = "tests/venues/test_futures_as_it_is.py"


@sabotage(
    "H77",
    "each view has executions of its own",
    test=f"{ENDS}::test_an_execution_has_one_id_whatever_the_history_calls_it[True]",
)
def futures_two_of_one(patch: Patch) -> None:
    patch.setattr(Known, "once", lambda self, fill, view: fill)


@sabotage(
    "H77", "what is alike is one", test=f"{ENDS}::test_two_executions_that_are_alike_stay_two"
)
def futures_one_of_two(patch: Patch) -> None:
    honest = Known.once

    def once(self: Known, fill: Any, view: str) -> Any:
        self._paired.clear()
        return honest(self, fill, view)

    patch.setattr(Known, "once", once)


@sabotage(
    "H79",
    "an end is believed as it is told",
    test=f"{ENDS}::test_an_order_that_is_told_cancelled_had_executed_and_the_history_knows",
)
def futures_believe_the_end(patch: Patch) -> None:
    patch.setattr(FuturesQuestions, "_is_believed", lambda *_: True)


@sabotage(
    "H79",
    "an end that nobody else knows is not waited for",
    test=f"{ENDS}::test_an_end_without_executions_is_waited_for_while_no_view_knows_better",
)
def futures_wait_for_nothing(patch: Patch) -> None:
    patch.setattr(FuturesQuestions, "_is_settled", lambda *_: True)


@sabotage(
    "H81",
    "a refusal names nobody",
    test=f"{FUTURES}::test_the_order_that_a_close_would_meet_is_named",
)
def futures_name_nobody(patch: Patch) -> None:
    patch.setattr(FuturesOrders, "_why", lambda self, order, word: word)


@sabotage(
    "H83",
    "the ticker's mode is not read",
    test=f"{FUTURES}::test_the_mode_of_a_market_is_told_before_anything_is_tried[post_only-post_only-marketIsPostOnly]",
)
def futures_read_no_mode(patch: Patch) -> None:
    patch.setattr(PublicStream, "_mode", lambda *_: None)


@sabotage(
    "H83",
    "a refusal says nothing of the market",
    test=f"{FUTURES}::test_a_refusal_tells_the_mode_before_the_ticker_does",
)
def futures_ignore_the_refusal(patch: Patch) -> None:
    patch.setattr(Modes, "refused", lambda *_: None)


@sabotage(
    "H84",
    "a deadline vetoes an exit",
    test=f"{FUTURES}::test_an_exit_goes_without_a_deadline_that_the_exchange_takes_for_past",
)
def futures_insist_on_the_deadline(patch: Patch) -> None:
    async def refused(*_: Any) -> None:
        return None

    patch.setattr(FuturesClocks, "late", refused)


@sabotage(
    "H84",
    "a clock that jumps is trusted",
    test=f"{FUTURES}::test_after_a_jump_of_our_clock_the_exchanges_is_asked_first",
)
def futures_trust_the_clock(patch: Patch) -> None:
    patch.setattr(FuturesClocks, "doubtful", property(lambda _: False))


@sabotage(
    "H85",
    "a trigger without a size does not exist",
    test=f"{FUTURES}::test_a_stop_that_was_not_touched_is_listed_with_its_size",
)
def futures_no_size_is_zero(patch: Patch) -> None:
    async def nothing(*_: Any) -> list[Any]:
        return []

    patch.setattr(FuturesQuestions, "_by_id", nothing)


@sabotage(
    "H85",
    "an order that nobody can size is passed over in silence",
    test=f"{FUTURES}::test_an_order_whose_size_nobody_tells_is_told_and_left_out",
)
def futures_skip_in_silence(patch: Patch) -> None:
    patch.setattr(KrakenFutures, "skipped", lambda *_: None)


@sabotage(
    "H86",
    "one row ends the stream",
    test=f"{FUTURES}::test_a_row_of_the_stream_that_can_not_be_read_ends_nothing",
)
def futures_end_with_the_row(patch: Patch) -> None:
    def unreadable(*_: Any) -> None:
        raise StreamError("a frame that makes no sense")

    patch.setattr(PrivateStream, "_unreadable", unreadable)


@sabotage(
    "H86",
    "what can't be read is not asked for",
    test=f"{FUTURES}::test_an_execution_that_can_not_be_read_is_asked_for",
)
def futures_never_look_again(patch: Patch) -> None:
    patch.setattr(KrakenFutures, "look_again", lambda *_: None)


@sabotage(
    "H89",
    "a fee that is not told is guessed",
    test=f"{FUTURES}::test_the_fee_that_the_list_does_not_tell_is_asked_for",
)
def futures_guess_the_fee(patch: Patch) -> None:
    async def nothing(*_: Any) -> dict[str, Any]:
        return {}

    patch.setattr(FuturesExecutions, "_with_fees", nothing)


@sabotage(
    "H89",
    "a page is all there is",
    test=f"{FUTURES}::test_more_executions_than_a_page_are_all_listed",
)
def futures_one_page(patch: Patch) -> None:
    patch.setattr(history, "FULL", 10**6)


@sabotage(
    "H89",
    "a liquidation is a fill like others",
    test=f"{FUTURES}::test_a_liquidation_that_only_the_list_tells_is_told_as_one",
)
def futures_no_liquidation(patch: Patch) -> None:
    patch.setattr(FuturesExecutions, "_tell_liquidation", lambda *_: None)


@sabotage(
    "H90",
    "there is one way to ask",
    test=f"{FUTURES}::test_an_order_is_found_whatever_way_there_is_to_ask[methods1]",
)
def futures_one_way(patch: Patch) -> None:
    async def only(self: FuturesQuestions, fields: Any, lane: int, budget: Any) -> list[Any]:
        told = await self._venue.signed("private_post_orders_status", fields, lane)
        return list(told["orders"])

    patch.setattr(FuturesQuestions, "_states", only)


@sabotage(
    "H90",
    "a size is sent, whatever it may mean",
    test=f"{FUTURES}::test_a_size_is_changed_to_the_same_whatever_the_exchange_means_by_it[documented]",
)
def futures_send_the_total(patch: Patch) -> None:
    call = KrakenFutures.signed

    async def without(self: KrakenFutures, method: str, params: Any, lane: int) -> Any:
        return await call(
            self, method, {name: value for name, value in params.items() if name != "qtyMode"}, lane
        )

    patch.setattr(KrakenFutures, "signed", without)


@sabotage(
    "H91",
    "prices wait for the ticker",
    test=f"{FUTURES}::test_a_price_comes_from_the_book_before_the_ticker_says_it",
)
def futures_wait_for_the_ticker(patch: Patch) -> None:
    patch.setattr(PublicStream, "_level", lambda *_: None)


@sabotage(
    "H91", "a book with a gap goes on", test=f"{FUTURES}::test_a_book_with_a_gap_is_asked_for_anew"
)
def futures_go_on_with_the_gap(patch: Patch) -> None:
    patch.setattr(Ladder, "change", lambda *_: False)


@sabotage(
    "H91", "every price is new", test=f"{FUTURES}::test_a_price_is_as_old_as_the_exchange_says"
)
def futures_every_price_is_new(patch: Patch) -> None:
    patch.setattr(PublicStream, "_at", lambda self, _: self._venue.clock.now())
