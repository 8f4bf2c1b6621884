"""The last exit: what it believes, what it takes away, what it sends twice."""

import time
from typing import Any

import pytest
from msgspec.structs import replace

from engine.account import victim
from engine.desk import marked, reconcile
from engine.desk.context import Context, Events
from engine.emergency import asking, guarding, sending
from engine.emergency.budget import Budget
from engine.emergency.closing import Closing
from engine.emergency.holding import Holding
from engine.emergency.marking import Marker
from engine.emergency.ours import MARGIN, Ours
from engine.emergency.sending import Sender
from engine.gate import Evidence
from engine.gate.exits import Exits
from engine.model.fill import Fill
from engine.model.ids import number_of
from engine.model.money import ZERO
from engine.model.order import Order, Status
from engine.model.report import Picture
from engine.runtime.summaries import Summaries
from tests.support.sabotage import Patch, sabotage

CLOSING = "tests/emergency/test_closing.py"
ACTING = "tests/emergency/test_acting.py"
ASKING = "tests/emergency/test_asking.py"
SHORTS = "tests/emergency/test_shorts.py"
PROCESSES = "tests/emergency/test_processes.py"
FATES = "tests/rehearsal/simulation/test_fates.py"
BEHIND = "test_a_last_exit_beside_an_engine_that_knows_little_closes_what_is_ours_and_no_coin_of_the_owners"


@sabotage(
    "H113",
    "one picture is enough, however old it is",
    test=f"{CLOSING}::test_views_that_lag_do_not_say_flat",
)
def believe_one_picture(patch: Patch) -> None:
    patch.setattr(Closing, "_counts", lambda self, more: True)


@sabotage(
    "H113",
    "executions of thirty days are all that is ours",
    test=f"{CLOSING}::test_a_position_of_last_year_is_closed",
)
def only_thirty_days(patch: Patch) -> None:
    patch.setattr(Ours, "positions", ())
    patch.setattr(Ours, "since", 0)
    patch.setattr(Ours, "_is_booked", lambda self, fill: False)


@sabotage(
    "H113", "adopted positions are forgotten", test=f"{CLOSING}::test_an_adopted_position_is_closed"
)
def forget_adopted(patch: Patch) -> None:
    patch.setattr(
        Ours,
        "positions",
        property(lambda self: tuple(one for one in self.summary.positions if not one.adopted)),
    )
    patch.setattr(
        Ours,
        "foreign",
        lambda self, instrument, *, on_margin: self.size(instrument, on_margin=on_margin) * 100,
    )


@sabotage(
    "H113",
    "what nobody can attribute is passed over",
    test=f"{CLOSING}::test_what_nobody_can_attribute_is_never_passed_over",
)
def pass_over(patch: Patch) -> None:
    lefts = Holding.lefts
    patch.setattr(
        Holding, "lefts", lambda self: [replace(left, beyond=ZERO) for left in lefts(self)]
    )


@sabotage(
    "H113",
    "an order with a higher number is younger",
    test=f"{CLOSING}::test_a_position_that_ended_just_before_the_summary_counts_once",
)
def believe_numbers(patch: Patch) -> None:
    def booked(self: Ours, fill: Fill) -> bool:
        newest = (
            max((order.client_order_id for order in self.summary.orders), key=number_of)
            if self.summary
            else ""
        )
        return bool(newest) and number_of(fill.client_order_id) <= number_of(newest)

    patch.setattr(Ours, "_is_booked", booked)


@sabotage(
    "H113",
    "a lost home means that nothing is ours",
    test=f"{CLOSING}::test_a_lost_home_still_closes_what_our_executions_prove",
)
def nothing_without_a_home(patch: Patch) -> None:
    patch.setattr(Ours, "size", lambda self, instrument, *, on_margin: ZERO)
    patch.setattr(Holding, "_left", _unjudged(Holding._left))


def _unjudged(left: Any) -> Any:
    def judge(self: Holding, *terms: Any) -> Any:
        return replace(left(self, *terms), beyond=ZERO)

    return judge


@sabotage(
    "H113",
    "what only executions call a short is nobody's",
    test=f"{SHORTS}::test_what_only_executions_call_a_short_is_told_by_name_and_its_stop_stays",
)
def pass_over_shorts(patch: Patch) -> None:
    init = Holding.__init__

    def blind(self: Holding, *terms: Any, **more: Any) -> None:
        init(self, *terms, **(more | {"lends": False}))

    patch.setattr(Holding, "__init__", blind)


@sabotage(
    "H113",
    "what was oversold is bought back",
    test=f"{SHORTS}::test_what_a_stop_and_a_close_sold_twice_is_not_bought_back_and_is_told",
)
def repair_on_cash(patch: Patch) -> None:
    patch.setattr(Holding, "_sold_short", lambda self, listed: True)


@sabotage("H113", "a summary that was just written knows everything", test=f"{FATES}::{BEHIND}")
def believe_a_young_summary(patch: Patch) -> None:
    patch.setattr(
        Ours,
        "since",
        property(lambda self: 0 if self.summary is None else max(self.summary.at - MARGIN, 0)),
    )


@sabotage(
    "H74",
    "an engine that knows nothing of the account tells the home so",
    test=f"{FATES}::{BEHIND}",
)
def tell_the_home_nothing(patch: Patch) -> None:
    def tell(summaries: Summaries) -> None:
        summaries.cancel()
        summaries._write(summaries._summary())

    patch.setattr(Summaries, "tell", tell)


@sabotage(
    "H113",
    "an order that lacks a field is no order",
    test="tests/emergency/test_wire.py::test_an_order_whose_size_is_unknown_is_an_order",
)
def skip_half_orders(patch: Patch) -> None:
    from engine.venues.live.kraken_futures.parts import FuturesParts

    working = FuturesParts.working

    async def whole(self: FuturesParts, pay: Any) -> Any:
        told = await working(self, pay)
        return replace(told, rows=tuple(row for row in told.rows if row.order is not None))

    patch.setattr(FuturesParts, "working", whole)


@sabotage(
    "H112",
    "the stop is cancelled whether or not its close can be paid for",
    test=f"{CLOSING}::test_a_stop_is_taken_away_only_when_its_close_can_be_paid_for",
)
def cancel_without_tokens(patch: Patch) -> None:
    async def aside(*_: Any) -> bool:
        return True

    patch.setattr(Closing, "_set_aside", aside)
    patch.setattr(Closing, "_affordable", lambda self, request: True)


@sabotage(
    "H112",
    "a cancelled stop had filled nothing",
    test=f"{CLOSING}::test_how_much_of_a_cancelled_stop_had_filled_is_learned",
)
def assume_unfilled(patch: Patch) -> None:
    async def end_of(self: Sender, order: Order, urgent: int = 0) -> Order:
        del urgent
        self.unresolved.pop(order.client_order_id, None)
        return replace(order, status=Status.CANCELLED)

    patch.setattr(Sender, "end_of", end_of)
    patch.setattr(Exits, "ended", lambda self, name, filled, at: self.forget(name))


@sabotage(
    "H112",
    "the limits of the tier are not kept",
    test=f"{CLOSING}::test_it_keeps_within_the_limits_of_its_tier",
)
def spend_without_counting(patch: Patch) -> None:
    async def pay(*_: Any) -> None:
        return None

    patch.setattr(Budget, "pay", pay)
    patch.setattr(Budget, "leave", pay)


@sabotage(
    "H112",
    "a stop that was taken away stays away when its close is refused",
    test=f"{CLOSING}::test_a_refused_close_puts_the_stop_back_at_once",
)
def leave_it_naked(patch: Patch) -> None:
    async def nothing(*_: Any) -> None:
        return None

    patch.setattr(Closing, "_put_back", nothing)


@sabotage(
    "H112",
    "out of time it ends, whatever is left",
    test=f"{ACTING}::test_the_last_fifteen_seconds_are_for_stops",
)
def end_without_a_stop(patch: Patch) -> None:
    async def nothing(*_: Any) -> None:
        return None

    patch.setattr(Closing, "_guard", nothing)


@sabotage(
    "H112",
    "a stop goes though the gate will hold its close",
    test=f"{ACTING}::test_a_stop_goes_only_where_the_gate_would_let_the_close_leave",
)
def take_it_away_blindly(patch: Patch) -> None:
    exchange = Closing._exchange

    async def blind(self: Closing, left: Any) -> Any:
        with pytest.MonkeyPatch.context() as now:
            now.setattr(Evidence, "good", property(lambda _: True))
            return await exchange(self, left)

    patch.setattr(Closing, "_exchange", blind)


@sabotage(
    "H112",
    "what became of a stop is asked in its turn",
    test=f"{ACTING}::test_a_lost_answer_leaves_it_without_a_stop_for_seconds",
)
def ask_in_turn(patch: Patch) -> None:
    patch.setattr(Closing, "_urgent", lambda self: 0)
    patch.setattr(sending, "CHEAP", 1)


@sabotage(
    "H112",
    "a position that never had a stop gets none while its close is refused",
    test=f"{ACTING}::test_a_position_without_a_stop_gets_one_once_its_close_is_refused_again",
)
def leave_it_as_it_was(patch: Patch) -> None:
    patch.setattr(guarding, "REFUSED_ONCE", 1 << 62)


@sabotage(
    "H103",
    "an engine that is opening is ended",
    test=f"{ASKING}::test_an_engine_that_is_opening_is_asked_until_it_is_open",
)
def end_who_opens(patch: Patch) -> None:
    patch.setattr(asking, "OPENING", 0.0)


@sabotage("H112", "closes carry no bound", test=f"{CLOSING}::test_closes_carry_a_bound_that_widens")
def close_at_any_price(patch: Patch) -> None:
    close = Closing._close

    def unbounded(self: Closing, left: Any) -> Any:
        order = close(self, left)
        return None if order is None else replace(order, price=None)

    patch.setattr(Closing, "_close", unbounded)


@sabotage(
    "H73", "nothing is marked", test=f"{CLOSING}::test_the_mark_tells_each_order_before_it_leaves"
)
def leave_no_mark(patch: Patch) -> None:
    patch.setattr(Marker, "sends", lambda self, order: None)


@sabotage(
    "H73",
    "what was on the wire when the engine died is forgotten",
    test=f"{CLOSING}::test_nothing_is_sold_while_a_sale_of_the_dead_engine_may_arrive",
)
def forget_the_wire(patch: Patch) -> None:
    seed = Closing._seed

    def forget(self: Closing) -> None:
        seed(self)
        self._sender.unresolved.clear()
        self._evidence._exits.known.clear()

    patch.setattr(Closing, "_seed", forget)


@sabotage(
    "H73",
    "a last exit's executions are shared out before our own are booked",
    test="tests/desk/test_marked.py::test_what_our_own_close_did_is_booked_before_what_the_last_exit_shared_out",
)
def share_out_first(patch: Patch) -> None:
    missed = reconcile._missed_fills

    def both(ctx: Context, picture: Picture) -> Events:
        yield from marked.book(ctx, picture)
        yield from missed(ctx, picture)

    patch.setattr(reconcile, "_missed_fills", both)


@sabotage(
    "H73",
    "executions are read from the summary on, whatever an exit did before",
    test=f"{CLOSING}::test_what_an_earlier_exit_sold_counts_until_an_engine_has_booked_it",
)
def read_from_the_summary(patch: Patch) -> None:
    patch.setattr(Ours, "since", property(lambda self: self.summary.at if self.summary else 0))


@sabotage(
    "H73",
    "the summary alone proves a sale",
    test=f"{CLOSING}::test_a_second_exit_does_not_sell_the_coins_that_the_owner_brought",
)
def sell_on_the_summary(patch: Patch) -> None:
    patch.setattr(Closing, "_is_kept", lambda self, left: True)


@sabotage(
    "H73",
    "what an earlier exit sold is not counted",
    test=f"{CLOSING}::test_a_second_exit_counts_what_the_first_one_sold",
)
def forget_earlier_exits(patch: Patch) -> None:
    booked = Ours._is_booked

    def all_but_known(self: Ours, fill: Any) -> bool:
        return booked(self, fill) or not (
            fill.client_order_id in self._own or fill.client_order_id in self._orders
        )

    patch.setattr(Ours, "_is_booked", all_but_known)
    patch.setattr(Holding, "_base", lambda self, asset, ours: ZERO)


@sabotage(
    "H73",
    "whom the lock names is ended without proof",
    test=f"{PROCESSES}::test_the_victim_is_proved",
)
def end_without_proof(patch: Patch) -> None:
    patch.setattr(victim, "_bears_out", lambda holder, wanted: True)


@sabotage(
    "H73",
    "another last exit is ended",
    test=f"{PROCESSES}::test_another_last_exit_is_followed_and_never_ended",
)
def end_another_exit(patch: Patch) -> None:
    from engine.account.victim import Victim
    from engine.emergency import holder

    patch.setattr(holder, "_lives", lambda one, mark: False)
    patch.setattr(Victim, "end", lambda self, timeout: True)


@sabotage("H114", "any receipt will do", test=f"{ASKING}::test_an_older_receipt_says_nothing")
def believe_any_receipt(patch: Patch) -> None:
    def counts(flat: Any, intents: Any) -> list[str]:
        del intents
        return [str(line) for line in flat.get("receipt") or ()] if flat.get("ended_at") else []

    patch.setattr(asking, "counts", counts)


@sabotage(
    "H114",
    "only the receipt of one's own intent counts",
    test=f"{ASKING}::test_a_receipt_that_another_exit_s_has_replaced_counts",
)
def know_only_oneself(patch: Patch) -> None:
    follow = asking.follow
    patch.setattr(
        asking, "follow", lambda path, intent, say, asked_at: follow(path, intent, say, 1 << 63)
    )


@sabotage("H103", "a refusal is waited out", test=f"{ASKING}::test_a_refusal_is_not_waited_out")
def wait_on_a_refusal(patch: Patch) -> None:
    ask = asking.ask

    async def patient(path: Any, intent: str, say: Any, young: float = 0.0) -> Any:
        asked_at = time.time_ns()
        found = await ask(path, intent, say, young)
        return (
            await asking.follow(path, intent, say, asked_at)
            if found is asking.Asked.REFUSED
            else found
        )

    patch.setattr(asking, "ask", patient)


@sabotage(
    "H103",
    "the holder is ended before it is known that the exit can act",
    test=(
        "tests/emergency/test_wire.py::test_nobody_is_ended_for_an_exit_that_cannot_reach_the_venue"
    ),
)
def end_before_it_can_act(patch: Patch) -> None:
    from engine.emergency import holder
    from engine.emergency.steps import LastExit

    directly = LastExit._directly

    async def first(self: LastExit, lock: Any, other: Any) -> Any:
        holder.end(self._wanted.folder, self.say)
        return await directly(self, lock, other)

    patch.setattr(LastExit, "_directly", first)


@sabotage(
    "H113",
    "a summary contains no execution",
    test=f"{CLOSING}::test_a_position_that_ended_just_before_the_summary_counts_once",
)
def forget_what_is_booked(patch: Patch) -> None:
    patch.setattr(Ours, "_is_booked", lambda self, fill: False)


@sabotage(
    "H113",
    "what filled before the summary is in it",
    test=f"{CLOSING}::test_what_an_entry_filled_unheard_before_the_summary_counts",
)
def believe_times(patch: Patch) -> None:
    patch.setattr(
        Ours,
        "_is_booked",
        lambda self, fill: self.summary is not None and fill.at <= self.summary.at,
    )


@sabotage(
    "H113",
    "whatever prices another pair is money",
    test=f"{CLOSING}::test_a_coin_that_another_pair_is_priced_in_is_no_money",
)
def call_it_money(patch: Patch) -> None:
    patch.setattr(
        "engine.emergency.flat._money",
        lambda instruments, *, known: {one.quote for one in instruments},
    )
