"""Kraken spot as it is documented: naive venues that an ordinary day would never find out."""

from decimal import Decimal
from typing import Any

from engine.desk import custody, protection
from engine.model.position import Protection
from engine.venues.live import kraken_names, rest, venue
from engine.venues.live.kraken_spot import KrakenSpot
from engine.venues.live.kraken_spot import executions as kraken_spot_executions
from engine.venues.live.kraken_spot import forms as kraken_spot_forms
from engine.venues.live.kraken_spot import modes as kraken_spot_modes
from engine.venues.live.kraken_spot import parts as kraken_spot_parts
from engine.venues.live.kraken_spot import pictures as kraken_spot_pictures
from engine.venues.live.kraken_spot import questions as kraken_spot_questions
from engine.venues.live.kraken_spot.deadlines import SpotClocks
from engine.venues.live.kraken_spot.fills import Listed
from engine.venues.live.kraken_spot.forms import Forms
from engine.venues.live.kraken_spot.modes import Modes
from engine.venues.live.kraken_spot.prices import PublicStream
from engine.venues.live.kraken_spot.questions import SpotQuestions
from engine.venues.live.kraken_spot.rows import SpotRows
from engine.venues.live.kraken_spot.stream import PrivateStream
from engine.venues.live.pages import PageError
from tests.support.sabotage import Patch, sabotage

SPOT = "tests/venues/test_spot_documented.py"
MODES = "tests/desk/test_modes.py"


@sabotage(
    "H77",
    "a taker's executions are taken as the exchange merges them",
    test=f"{SPOT}::test_what_rest_tells_is_what_the_stream_told",
)
def merged(patch: Patch) -> None:
    for module in (kraken_names, kraken_spot_pictures, kraken_spot_questions, kraken_spot_parts):
        patch.setattr(module, "EACH", {})


@sabotage(
    "H77",
    "a row of an id that is not known is a new execution",
    test=f"{SPOT}::test_what_rest_merges_all_the_same_is_what_the_stream_told",
)
def by_id_alone(patch: Patch) -> None:
    patch.setattr(Listed, "_apart", lambda _, fill, __: (fill,))


@sabotage(
    "H77",
    "the stream's ids are new executions",
    test=f"{SPOT}::test_what_the_stream_tells_of_a_merged_execution_is_not_told_again",
)
def told_again(patch: Patch) -> None:
    patch.setattr(Listed, "covers", lambda *_: False)


@sabotage(
    "H81",
    "an exit says nothing of self-trades",
    test=f"{SPOT}::test_an_exit_goes_through_an_order_of_its_own_account",
)
def end_the_newest(patch: Patch) -> None:
    patch.setattr(kraken_spot_forms, "PREVENTION", "cancel-newest")


@sabotage(
    "H83",
    "the list of pairs tells no mode",
    test=f"{SPOT}::test_the_mode_is_known_from_the_list_of_pairs",
)
def always_online(patch: Patch) -> None:
    patch.setattr(Modes, "listed", lambda *_: None)


@sabotage(
    "H83",
    "a refusal that names the mode is a refusal like any",
    test=f"{SPOT}::test_a_refusal_that_names_the_mode_is_believed_until_the_list_says_otherwise",
)
def no_mode_in_words(patch: Patch) -> None:
    patch.setattr(Modes, "refused", lambda *_: None)


@sabotage(
    "H83", "every mode takes closes", test=f"{SPOT}::test_a_mode_that_the_streams_tell_is_told_on"
)
def never_shut(patch: Patch) -> None:
    patch.setattr(kraken_spot_modes, "SHUT", frozenset())


@sabotage(
    "H83",
    "the stop makes way whatever the mode",
    test=f"{MODES}::test_the_stop_is_not_taken_away_for_a_close_that_nobody_would_take",
)
def make_way(patch: Patch) -> None:
    honest = custody._exits

    def blind(ctx: Any, *more: Any) -> Any:
        modes, ctx.board.modes = ctx.board.modes, {}
        yield from honest(ctx, *more)
        ctx.board.modes = modes

    patch.setattr(custody, "_exits", blind)


@sabotage(
    "H83", "what could not act guards", test=f"{MODES}::test_a_guard_that_could_not_act_is_none"
)
def guard_anyhow(patch: Patch) -> None:
    honest = protection.protection
    patch.setattr(
        protection,
        "protection",
        lambda ctx, position: (
            Protection.GUARDED if position.symbol in ctx.board.modes else honest(ctx, position)
        ),
    )


@sabotage(
    "H84",
    "a refusal for the time is a refusal like any",
    test=f"{SPOT}::test_an_exit_is_sent_without_a_deadline_where_the_exchange_refuses_it",
)
def believe_the_clock(patch: Patch) -> None:
    async def never(*_: object) -> None:
        return None

    patch.setattr(SpotClocks, "refused", never)


@sabotage(
    "H84",
    "a jump leaves the skew as it was",
    test=f"{SPOT}::test_after_a_jump_of_our_own_clock_the_next_order_does_not_carry_the_old_skew",
)
def no_jump(patch: Patch) -> None:
    patch.setattr(SpotClocks, "doubtful", property(lambda _: False))


@sabotage(
    "H86",
    "a row that can't be read ends the stream",
    test=f"{SPOT}::test_rows_that_lack_fields_silence_nothing",
)
def all_or_nothing(patch: Patch) -> None:
    def strict(self: PrivateStream, rows: Any) -> None:
        for row in rows:
            for report in self.executions.reports(row):
                self._venue.tell(report)

    def raises(_: object, __: str, error: Exception) -> None:
        raise error

    patch.setattr(PrivateStream, "_rows", strict)
    patch.setattr(kraken_spot_executions, "tell_skipped", raises)


@sabotage(
    "H86",
    "a row of ours that was skipped is forgotten",
    test=f"{SPOT}::test_a_row_of_ours_that_cant_be_read_is_asked_for",
)
def skip_and_forget(patch: Patch) -> None:
    async def nothing(*_: object) -> None:
        return None

    patch.setattr(PrivateStream, "_ask", nothing)


@sabotage(
    "H86",
    "a refused subscription is passed over",
    test=f"{SPOT}::test_a_refused_subscription_is_told",
)
def passed_over(patch: Patch) -> None:
    honest = PublicStream._heard
    patch.setattr(
        PublicStream,
        "_heard",
        lambda self, frame: None if frame.get("success") is False else honest(self, frame),
    )


@sabotage(
    "H86",
    "a line that breaks again and again is healed in silence",
    test=f"{SPOT}::test_a_line_that_keeps_breaking_is_told",
)
def heal_in_silence(patch: Patch) -> None:
    patch.setattr(venue.LiveVenue, "broke", lambda *_: None)


@sabotage(
    "H87",
    "a page is JSON that makes no sense",
    test=f"{SPOT}::test_a_page_is_told_by_its_status_and_first_line",
)
def pages_are_json(patch: Patch) -> None:
    patch.setattr(rest, "is_answer", lambda _: True)


@sabotage(
    "H87",
    "a page that says 429 leaves the outcome open",
    test=f"{SPOT}::test_a_page_is_told_by_its_status_and_first_line",
)
def no_limit_in_pages(patch: Patch) -> None:
    honest = PageError.__init__

    def unlimited(self: PageError, status: int, body: str) -> None:
        honest(self, status, body)
        self.limited = False

    patch.setattr(PageError, "__init__", unlimited)


@sabotage(
    "H88",
    "an expiry is kept here",
    test=f"{SPOT}::test_an_entry_that_expires_ends_at_the_exchange_though_nobody_is_here",
)
def expire_here(patch: Patch) -> None:
    patch.setattr(Forms, "_in_force", lambda *_: {})


@sabotage(
    "H89",
    "executions are asked for as far as one question goes",
    test=f"{SPOT}::test_an_order_with_more_executions_than_one_question_may_name_is_told_whole",
)
def one_question(patch: Patch) -> None:
    honest = KrakenSpot.private_call

    async def first_only(self: KrakenSpot, method: str, params: Any, lane: int) -> Any:
        if method == "private_post_querytrades" and getattr(self, "asked_once", False):
            return {}
        if method == "private_post_querytrades":
            self.asked_once = True  # type: ignore[attr-defined]
        return await honest(self, method, params, lane)

    patch.setattr(KrakenSpot, "private_call", first_only)


@sabotage(
    "H89",
    "fees of several currencies are added",
    test=f"{SPOT}::test_a_fee_in_several_currencies_is_not_added_up",
)
def add_them_up(patch: Patch) -> None:
    def naive(told: Any, quote: str) -> Any:
        return (
            sum((Decimal(str(row["qty"])) for row in told), Decimal(0)),
            str(told[0]["asset"]),
        ) if told else (Decimal(0), quote), ""

    patch.setattr(kraken_spot_executions, "_fee", naive)


@sabotage(
    "H89",
    "a fee that is not told is zero",
    test=f"{SPOT}::test_an_execution_without_a_fee_is_told_with_the_one_that_rest_tells",
)
def absent_is_zero(patch: Patch) -> None:
    honest = kraken_spot_executions._fee
    patch.setattr(
        kraken_spot_executions,
        "_fee",
        lambda told, quote: honest(told or [{"asset": quote, "qty": 0}], quote),
    )


@sabotage(
    "H89",
    "a liquidation in the history is a fill of nobody's",
    test=f"{SPOT}::test_a_liquidation_that_the_stream_did_not_tell_is_told_as_one",
)
def no_liquidations(patch: Patch) -> None:
    patch.setattr(SpotRows, "tell_liquidations", lambda *_: None)


@sabotage(
    "H90", "a question has one way", test=f"{SPOT}::test_a_question_that_fails_is_asked_another_way"
)
def one_way(patch: Patch) -> None:
    async def by_id(self: SpotQuestions, name: str, lane: int) -> Any:
        identity = self._venue.known.venue_id_of(name)
        if identity is None:
            return None
        told = await self._venue.private_call(
            "private_post_queryorders", {"txid": identity, "trades": "true"}, lane
        )
        return identity, told[identity]

    patch.setattr(SpotQuestions, "_by_id", by_id)
