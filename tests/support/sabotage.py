"""Sabotages: switches that put the naive behaviour of a hazard back into the real engine, so that
its test can be seen to fail.

Each switch is a few lines over one function, method, table or constant of the engine, and names a
test that carries the mark of its row. `tests/hazards/test_sabotage.py` runs that test twice, as it
is and under the switch. By hand, for a whole session:

    FLATOUT_SABOTAGE=H02 python -m pytest -n 0 -p tests.support.sabotaged -m hazard
"""

import decimal
import importlib
import os
import pkgutil
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from msgspec import Struct, defstruct
from msgspec.structs import replace
from sqlalchemy import URL

import engine.model.fill
import engine.setup.sections
from engine.clock import SECOND
from engine.desk import (
    checks,
    custody,
    decide,
    desk,
    doubts,
    draft,
    entries,
    fills,
    flatten,
    intents,
    lockouts,
    ordering,
    protection,
    reconcile,
    reports,
    totals,
    unexplained,
)
from engine.desk import events as e
from engine.desk.board import Board
from engine.desk.checks import CHECKS, Check
from engine.desk.context import Context, Events
from engine.desk.desk import Decision, Desk
from engine.desk.draft import Draft
from engine.desk.entries import accept, refuse
from engine.desk.evolve import evolve
from engine.desk.messages import Message, Restarted
from engine.desk.ordering import again
from engine.desk.state import State, Totals, Touched
from engine.desk.watches import Watch
from engine.gateway.gateway import Gateway
from engine.gateway.queue import Waiting
from engine.journal import lease, shapes
from engine.journal.commit import Committer
from engine.journal.errors import LeaseLostError
from engine.journal.writer import Queue
from engine.model import limits, money
from engine.model import report as r
from engine.model.account import add_cash
from engine.model.figures import ExpectedEntry
from engine.model.fill import Fill
from engine.model.instrument import Instrument
from engine.model.intent import (
    At,
    Away,
    CancelOrder,
    ClosePosition,
    Flatten,
    Intent,
    MoveStop,
    Place,
    Size,
)
from engine.model.limits import Counter, TokenBucket, Window
from engine.model.money import ZERO
from engine.model.order import TRANSITIONS, Order, Status
from engine.model.position import Position
from engine.model.quote import Quote
from engine.model.refusal import Refusal
from engine.model.report import Picture
from engine.model.request import Lane, Request, Submit, subject
from engine.model.side import Side
from engine.outlets.addresses import Addresses
from engine.outlets.notsent import OutletError
from engine.runtime.decider import Decider
from engine.runtime.hearing import Hearing
from engine.runtime.outbox import Outbox
from engine.runtime.redaction import Redaction
from engine.runtime.tasks import Tasks
from engine.venues.paper import PaperVenue
from tests.support import sabotages

Patch = pytest.MonkeyPatch
Switch = Callable[[Patch], None]


class Sabotage(Struct, frozen=True):
    """One naive behaviour."""

    name: str
    hazard: str
    naive: str
    """What the engine does under it, in words."""
    test: str
    """The test that must fail under it; without brackets, one of its cases must."""
    apply: Switch

    def concerns(self, node: str) -> bool:
        """Whether a collected test is the one, or a case of it."""
        return node == self.test or node.startswith(f"{self.test}[")


SABOTAGES: dict[str, Sabotage] = {}
"""By the name of the switch."""


def sabotage(hazard: str, naive: str, *, test: str) -> Callable[[Switch], Switch]:
    """Register a switch."""

    def register(switch: Switch) -> Switch:
        name = switch.__name__
        assert name not in SABOTAGES, f"two sabotages are called {name}"
        SABOTAGES[name] = Sabotage(name, hazard, naive, test, switch)
        return switch

    return register


def named(wanted: str) -> list[Sabotage]:
    """The sabotages of a row, or the one of that name."""
    found = [one for one in SABOTAGES.values() if wanted in (one.name, one.hazard)]
    assert found, (
        f"no sabotage is called {wanted}; known:"
        f" {', '.join(sorted({one.hazard for one in SABOTAGES.values()}))}"
    )
    return found


def _nothing(*_: object, **__: object) -> Iterator[Any]:
    """A rule that says nothing."""
    yield from ()


def _without(name: str) -> tuple[Check, ...]:
    """The pre-flight checks but one."""
    left = tuple(check for check in CHECKS if check.__name__ != name)
    assert len(left) < len(CHECKS), f"no check is called {name}"
    return left


def _blind(patch: Patch) -> None:
    """The board watches everything but stops."""
    watch = Board.watch

    def blind(
        self: Board, position: Position, instrument: Instrument, step: Decimal, **more: Any
    ) -> None:
        watch(self, replace(position, stop=None), instrument, step, **more)

    patch.setattr(Board, "watch", blind)


def _lock(patch: Patch, kind: type[Intent]) -> None:
    """What locks entries out locks this out, too."""
    done = intents.HANDLERS[kind]

    def locked(ctx: Context, intent: Any) -> Events:
        if ctx.state.blocks:
            yield from refuse(ctx, intent, "ENTRIES_BLOCKED", ctx.state.block_texts())
        else:
            yield from done(ctx, intent)

    patch.setitem(intents.HANDLERS, kind, locked)


def _send_first(patch: Patch) -> None:
    """Requests leave while the journal is still being written."""
    write = Outbox.write

    def early(self: Outbox, decision: Decision, now: int) -> None:
        self._gateway.enqueue(decision.requests)
        write(self, replace(decision, requests=()), now)

    patch.setattr(Outbox, "write", early)


# A. Orders in flight


@sabotage(
    "H02",
    "a request leaves before it is journaled",
    test="tests/runtime/test_supervision.py::test_whatever_reaches_the_venue_is_in_the_journal_by_then",
)
def send_before_writing(patch: Patch) -> None:
    _send_first(patch)


@sabotage(
    "H02",
    "an entry does not wait for the disk",
    test="tests/runtime/test_supervision.py::test_an_entry_waits_for_a_slow_disk_and_then_leaves_once",
)
def enter_before_writing(patch: Patch) -> None:
    _send_first(patch)


@sabotage(
    "H03",
    "what was sent is not written by then, and forgotten with the process",
    test="tests/runtime/test_supervision.py::test_a_crash_before_the_commit_leaves_nothing_at_the_venue",
)
def forget_what_was_sent(patch: Patch) -> None:
    _send_first(patch)


@sabotage(
    "H02",
    "an unknown submit is given up and sent again at once",
    test="tests/desk/test_doubts.py::test_an_unknown_submit_is_asked_for_and_never_repeated",
)
def resubmit(patch: Patch) -> None:
    def on_unknown(ctx: Context, report: r.Unknown) -> Events:
        order = ctx.state.orders.get(report.client_order_id)
        if order is None or order.status is not Status.PENDING:
            return
        plan = ctx.state.plans[order.position]
        yield e.OrderRejected(ctx.now, order.client_order_id, "no answer", lost=True)
        yield again(ctx, order, plan.intent, plan.attempts + 1)

    patch.setitem(decide.HANDLERS, r.Unknown, on_unknown)


@sabotage(
    "H02",
    "a fill does not prove that the order arrived",
    test="tests/desk/test_doubts.py::test_a_fill_proves_that_it_arrived",
)
def doubt_what_filled(patch: Patch) -> None:
    patch.setattr(doubts, "completed", _nothing)


@sabotage(
    "H03",
    "a restart believes that what was on its way arrived",
    test="tests/desk/test_doubts.py::test_after_a_restart_everything_on_its_way_is_in_doubt",
)
def forget_on_restart(patch: Patch) -> None:
    patch.setitem(decide.HANDLERS, Restarted, lambda ctx, _: doubts.ask_account(ctx))


@sabotage(
    "H04",
    "the set of executions is not consulted",
    test="tests/desk/test_reports.py::test_duplicates_change_nothing",
)
def book_every_report(patch: Patch) -> None:
    def on_filled(ctx: Context, report: r.Filled) -> Events:
        ctx.state.executions.clear()
        return fills.on_filled(ctx, report)

    patch.setitem(decide.HANDLERS, r.Filled, on_filled)


@sabotage(
    "H05",
    "partial fills are ignored until the entry ends",
    test="tests/desk/test_entries.py::test_the_stop_covers_what_is_filled_and_no_more",
)
def wait_for_the_whole_fill(patch: Patch) -> None:
    entered = protection.entered

    def once_filled(ctx: Context, name: str) -> Events:
        if all(order.is_exit for order in ctx.state.orders_for(name)):
            yield from entered(ctx, name)

    patch.setattr("engine.desk.fills.entered", once_filled)


@sabotage(
    "H06",
    "a cancelled entry drops its bracket, whatever it filled",
    test="tests/desk/test_entries.py::test_what_filled_before_a_cancel_stays_and_is_protected",
)
def drop_what_was_cancelled(patch: Patch) -> None:
    def on_cancelled(ctx: Context, report: r.Cancelled) -> Events:
        order = ctx.state.orders[report.client_order_id]
        yield e.OrderCancelled(ctx.now, order.client_order_id, report.text)
        yield e.PositionDropped(ctx.now, order.position, order.symbol)

    patch.setitem(decide.HANDLERS, r.Cancelled, on_cancelled)


@sabotage(
    "H07",
    "a filled order may become anything",
    test="tests/desk/test_reports.py::test_the_table_refuses_and_changes_nothing",
)
def allow_every_transition(patch: Patch) -> None:
    patch.setitem(TRANSITIONS, Status.FILLED, frozenset(Status))


@sabotage(
    "H07",
    "a rejection of an order that works is believed",
    test=(
        "tests/desk/test_reports.py::test_a_rejection_of_a_working_order_is_alerted_and_asked_about"
    ),
)
def believe_rejections(patch: Patch) -> None:
    def on_rejected(ctx: Context, report: r.Rejected) -> Events:
        yield e.OrderRejected(ctx.now, report.client_order_id, report.text)

    patch.setitem(TRANSITIONS, Status.OPEN, frozenset(Status))
    patch.setitem(decide.HANDLERS, r.Rejected, on_rejected)


@sabotage(
    "H08",
    "an entry's lifetime is left to the venue",
    test="tests/desk/test_entries.py::test_an_entry_expires_here_and_keeps_what_filled",
)
def ignore_lifetimes(patch: Patch) -> None:
    entry_order = entries.entry_order

    def immortal(ctx: Context, drafted: Draft, position: str, attempt: int) -> e.OrderSubmitted:
        made = entry_order(ctx, drafted, position, attempt)
        return replace(made, order=replace(made.order, expires_at=None))

    patch.setattr("engine.desk.entries.entry_order", immortal)


@sabotage(
    "H09",
    "a rejection leaves no words",
    test="tests/desk/test_entries.py::test_a_rejected_entry_leaves_its_reason",
)
def reject_in_silence(patch: Patch) -> None:
    def on_rejected(ctx: Context, report: r.Rejected) -> Events:
        yield e.OrderRejected(ctx.now, report.client_order_id, "")

    patch.setitem(decide.HANDLERS, r.Rejected, on_rejected)


@sabotage(
    "H10",
    "every order on the account is taken for ours",
    test="tests/desk/test_reconcile.py::test_foreign_orders_are_told_shown_and_left_alone",
)
def own_everything(patch: Patch) -> None:
    patch.setattr(reconcile, "account_prefix", lambda account: "")


@sabotage(
    "H10",
    "a flatten cancels whatever rests on the account",
    test="tests/runtime/test_flows.py::test_somebody_elses_order_is_shown_and_survives_a_flatten",
)
def flatten_foreign_orders(patch: Patch) -> None:
    step = flatten.step

    def step_on_everything(ctx: Context) -> Events:
        yield from step(ctx)
        if ordering.flattening(ctx):
            for order in list(ctx.state.foreign.values()):
                yield e.OrphanCancelled(ctx.now, order)

    patch.setattr(flatten, "step", step_on_everything)


@sabotage(
    "H11",
    "an intent that comes again is decided again",
    test="tests/desk/test_exits.py::test_every_intent_asked_twice_is_done_once",
)
def decide_again(patch: Patch) -> None:
    handle = Desk.handle

    def forgetful(self: Desk, message: Message, now: int) -> Decision:
        if isinstance(message, Intent):
            self.state.answers.pop(message.id, None)
        return handle(self, message, now)

    patch.setattr(Desk, "handle", forgetful)


@sabotage(
    "H12",
    "the end leaves what was scheduled",
    test="tests/venues/test_trouble.py::test_after_the_end_of_the_world_nothing_is_scheduled",
)
def leave_timers(patch: Patch) -> None:
    patch.setattr(PaperVenue, "shut_down", lambda self: None)


@sabotage(
    "H12",
    "nobody hears a task die",
    test="tests/runtime/test_supervision.py::test_a_request_whose_task_dies_is_told_blocks_entries_and_is_asked_about",
)
def die_unheard(patch: Patch) -> None:
    patch.setattr(Hearing, "task_died", lambda self, name, error: None)


@sabotage(
    "H12",
    "the end leaves what runs",
    test="tests/runtime/test_supervision.py::test_after_the_end_no_task_is_left",
)
def leave_tasks(patch: Patch) -> None:
    async def close(self: Tasks) -> None:
        del self

    patch.setattr(Tasks, "close", close)


@sabotage(
    "H14",
    "tokens are taken when the answer comes, not when the request leaves",
    test="tests/gateway/test_limits.py::test_at_saturation_the_venue_never_refuses",
)
def spend_late(patch: Patch) -> None:
    land = Gateway._land

    def send(self: Gateway, waiting: Waiting, now: int) -> None:
        self._queue.remove(waiting)
        self._in_flight[subject(waiting.request)] = waiting.request
        self._spawn(subject(waiting.request), self._carry(waiting))

    def land_and_spend(self: Gateway, request: Request, outcome: str) -> None:
        land(self, request, outcome)
        limits.spend(self.model, request, self._clock.now())

    patch.setattr(Gateway, "_send", send)
    patch.setattr(Gateway, "_land", land_and_spend)


@sabotage(
    "H14",
    "the counter drains again for time that has been counted",
    test="tests/model/test_limits.py::test_a_counter_admits_as_one_that_is_replayed_from_the_beginning",
)
def forget_the_clock(patch: Patch) -> None:
    def settle(self: Counter, now: int) -> None:
        self.at = self.at or now
        self.used = max(0.0, self.used - self.drain * (now - self.at) / SECOND)

    patch.setattr(Counter, "settle", settle)


@sabotage(
    "H14",
    "the window begins anew when it is over",
    test="tests/model/test_limits.py::test_no_window_ever_holds_more_than_it_may",
)
def fixed_windows(patch: Patch) -> None:
    def settle(self: Window, now: int) -> None:
        if now - self.at >= self.seconds * SECOND:
            self.at, self.used = now, 0.0
            self._spent.clear()

    patch.setattr(Window, "settle", settle)


@sabotage(
    "H16",
    "a picture is taken for now, however old it is",
    test="tests/desk/test_reconcile.py::test_an_older_picture_undoes_nothing",
)
def believe_old_pictures(patch: Patch) -> None:
    patch.setitem(
        decide.HANDLERS,
        Picture,
        lambda ctx, picture: reconcile.on_picture(ctx, replace(picture, as_of=ctx.now)),
    )


@sabotage(
    "H16",
    "a line that is back is believed to have missed nothing",
    test="tests/desk/test_reconcile.py::test_a_broken_line_blocks_entries_and_asks_once_it_is_back",
)
def missed_nothing(patch: Patch) -> None:
    patch.setattr(reconcile, "ask", _nothing)


@sabotage(
    "H17",
    "a failed question is read as absence",
    test="tests/desk/test_doubts.py::test_a_question_that_fails_changes_nothing_and_is_asked_again_later",
)
def failure_is_absence(patch: Patch) -> None:
    patch.setitem(
        decide.HANDLERS,
        r.Unanswered,
        lambda ctx, report: doubts.on_absent(ctx, r.Absent(report.client_order_id, ctx.now)),
    )


@sabotage(
    "H17",
    "absence is believed at once",
    test="tests/desk/test_doubts.py::test_absence_is_believed_the_second_time_outside_the_window",
)
def believe_absence(patch: Patch) -> None:
    def on_absent(ctx: Context, report: r.Absent) -> Events:
        yield e.OrderRejected(
            ctx.now, report.client_order_id, "the venue does not know it", lost=True
        )

    patch.setitem(decide.HANDLERS, r.Absent, on_absent)


@sabotage(
    "H17",
    "what a list lacks is gone",
    test="tests/desk/test_reconcile.py::test_an_order_that_a_picture_lacks_is_asked_for_by_name_once_it_is_old_enough",
)
def unlisted_is_gone(patch: Patch) -> None:
    def ask(ctx: Context, order: Order) -> Events:
        yield e.OrderCancelled(ctx.now, order.client_order_id, "not listed")

    patch.setattr(doubts, "ask", ask)


@sabotage(
    "H19",
    "an entry is sent however late it is",
    test="tests/gateway/test_limits.py::test_an_entry_too_late_to_leave_is_rejected_and_never_sent",
)
def send_late(patch: Patch) -> None:
    patch.setattr(Gateway, "_drop", lambda self, waiting, now: None)


# B. Before sending


@sabotage(
    "H20",
    "a size is a number of coins, whatever was meant",
    test="tests/desk/test_entries.py::test_sizes_are_typed",
)
def untyped_sizes(patch: Patch) -> None:
    def base_size(ctx: Context, entry: ExpectedEntry, size: Size, *_: object) -> Decimal:
        return entry.instrument.round_size(size.amount)

    patch.setattr(draft, "base_size", base_size)


@sabotage(
    "H20",
    "a size is calculated from any price",
    test="tests/desk/test_bounds.py::test_no_size_is_calculated_from_a_stale_price",
)
def size_by_stale_prices(patch: Patch) -> None:
    patch.setattr(checks, "CHECKS", _without("_freshness"))


def _asked(place: Place, entry: Decimal, towards: Side) -> Decimal:
    """A price or a fraction, as it was asked."""
    assert isinstance(place, At | Away)
    return place.price if isinstance(place, At) else towards.worse(entry, place.fraction)


@sabotage(
    "H22",
    "a stop is judged as it was typed and rounded afterwards",
    test="tests/desk/test_bounds.py::test_a_stop_that_lands_on_its_entry_by_rounding_is_refused",
)
def judge_unrounded(patch: Patch) -> None:
    def typed(place: Place, entry: Decimal, side: Side, _: Instrument) -> Decimal:
        return _asked(place, entry, side.opposite)

    patch.setattr(draft, "stop_price", typed)


@sabotage(
    "H22",
    "a target goes to the nearest tick, be it the entry's",
    test="tests/desk/test_bounds.py::test_rounding_never_brings_a_target_back_to_its_entry",
)
def nearest_target(patch: Patch) -> None:
    def nearest(place: Place, entry: Decimal, side: Side, instrument: Instrument) -> Decimal:
        return instrument.round_price(_asked(place, entry, side))

    patch.setattr(draft, "target_price", nearest)
    patch.setattr(protection, "target_price", nearest)


@sabotage(
    "H22",
    "the sides of an entry are not compared",
    test="tests/desk/test_bounds.py::test_a_distance_smaller_than_a_tick_is_no_distance",
)
def any_side(patch: Patch) -> None:
    patch.setattr(checks, "CHECKS", _without("_sides"))


@sabotage(
    "H24",
    "only what has filled counts",
    test="tests/desk/test_entries.py::test_two_entries_that_race_each_other_both_count",
)
def count_what_is_open(patch: Patch) -> None:
    def slots(ctx: Context, _: Draft) -> Iterator[Refusal]:
        taken = sum(1 for position in ctx.state.positions.values() if position.is_open)
        if taken >= ctx.rules.risk.max_positions:
            yield Refusal("MAX_POSITIONS", str(taken), str(ctx.rules.risk.max_positions))

    patch.setattr(checks, "CHECKS", (*_without("_slots"), slots))


@sabotage(
    "H24",
    "an entry in flight has no notional",
    test="tests/desk/test_bounds.py::test_what_a_symbol_holds_and_awaits_counts_for_its_bound",
)
def commit_what_filled(patch: Patch) -> None:
    def held(ctx: Context, symbol: str | None = None) -> Decimal:
        total = ZERO
        for position in ctx.state.positions.values():
            instrument, price = ctx.instrument(position), ctx.mark(position)
            if position.size and price and symbol in (None, position.symbol):
                total += instrument.notional(abs(position.size), price)
        return total

    patch.setattr(totals, "committed", held)


@sabotage(
    "H25",
    "each entry is judged as if it were the only one",
    test=(
        "tests/desk/test_bounds.py::test_what_other_symbols_hold_and_await_counts_for_the_exposure"
    ),
)
def commit_nothing(patch: Patch) -> None:
    patch.setattr(totals, "committed", lambda *_: ZERO)


@sabotage(
    "H25",
    "no notional is bounded",
    test="tests/desk/test_refusals.py::test_each_code_is_given_by_a_story[MAX_ORDER_NOTIONAL]",
)
def any_notional(patch: Patch) -> None:
    patch.setattr(checks, "CHECKS", _without("_notionals"))


@sabotage(
    "H25",
    "28 digits are enough for any number",
    test="tests/model/test_money.py::test_a_number_too_long_for_any_grid_is_off_it_and_no_accident",
)
def few_digits(patch: Patch) -> None:
    patch.setattr(money, "_EXACT", decimal.Context(prec=28, traps=[]))


@sabotage(
    "H26",
    "a limit stands in the file and nothing reads it",
    test="tests/setup/test_settings.py::test_every_key_is_read_somewhere",
)
def limit_nobody_reads(patch: Patch) -> None:
    section = engine.setup.sections.SECTIONS["risk"]
    patch.setitem(
        engine.setup.sections.SECTIONS,
        "risk",
        defstruct(
            "RiskRules", [("most_wishes", int, 10)], bases=(section,), frozen=True, kw_only=True
        ),
    )


@sabotage(
    "H27",
    "losses are journaled and never judged",
    test="tests/desk/test_lockouts.py::test_a_daily_loss_locks_entries_out_until_the_next_day",
)
def never_judge(patch: Patch) -> None:
    patch.setattr(lockouts, "judge", _nothing)


@sabotage(
    "H27",
    "the streak is judged by this process alone",
    test="tests/desk/test_lockouts.py::test_a_lockout_survives_a_restart",
)
def forget_blocks(patch: Patch) -> None:
    made = Desk.__init__

    def fresh(self: Desk, state: State, *rest: Any) -> None:
        made(self, state, *rest)
        state.blocks.clear()

    patch.setattr(Desk, "__init__", fresh)


@sabotage(
    "H27",
    "losses in a row are not counted",
    test="tests/desk/test_lockouts.py::test_a_losing_streak_cools_down",
)
def no_streaks(patch: Patch) -> None:
    patch.setattr(lockouts, "after_loss", _nothing)


@sabotage(
    "H27",
    "a lockout locks closes, too",
    test="tests/desk/test_bounds.py::test_a_close_passes_every_lockout",
)
def lock_closes(patch: Patch) -> None:
    _lock(patch, ClosePosition)


@sabotage(
    "H29",
    "dust is a position like any other",
    test="tests/desk/test_exits.py::test_dust_is_said_once_and_left",
)
def dust_is_a_position(patch: Patch) -> None:
    patch.setattr(ordering, "tradable", lambda instrument, size, price: True)


# C. Protection


@sabotage(
    "H30",
    "a refused stop is told to nobody",
    test="tests/desk/test_protection.py::test_a_refused_stop_is_guarded_told_and_tried_again_with_backoff",
)
def refusals_pass_unseen(patch: Patch) -> None:
    patch.setattr(reports, "refused", _nothing)


@sabotage(
    "H30",
    "nobody watches where the venue refused",
    test="tests/desk/test_gaps.py::test_the_guard_of_a_refused_stop_acts",
)
def refused_and_unwatched(patch: Patch) -> None:
    _blind(patch)


@sabotage(
    "H32",
    "exits of several positions in a symbol count as linked",
    test=(
        "tests/desk/test_exits.py::test_siblings_on_a_netting_venue_never_rest_more_than_they_hold"
    ),
)
def link_siblings(patch: Patch) -> None:
    patch.setattr(
        ordering,
        "linked",
        lambda ctx, position: ordering.reduce_only(
            ctx, ctx.instrument(position), position.leverage
        ),
    )


@sabotage(
    "H32",
    "an over-close is left as it is",
    test="tests/desk/test_exits.py::test_an_over_close_is_undone_at_once",
)
def leave_the_excess(patch: Patch) -> None:
    keep = custody.keep

    def keep_longs(ctx: Context, name: str) -> Events:
        if name in ctx.state.positions and ctx.state.positions[name].size >= ZERO:
            yield from keep(ctx, name)

    patch.setattr(custody, "keep", keep_longs)


@sabotage(
    "H33",
    "a close goes at once, whatever the stop still holds",
    test="tests/desk/test_exits.py::test_a_close_on_spot_waits_for_the_stop_to_let_go",
)
def close_beside_the_stop(patch: Patch) -> None:
    patch.setattr(ordering, "linked", lambda ctx, position: True)


@sabotage(
    "H33",
    "a second close begins anew",
    test="tests/desk/test_bounds.py::test_a_second_close_is_told_that_the_first_one_is_under_way",
)
def close_anew(patch: Patch) -> None:
    def close(ctx: Context, intent: ClosePosition) -> Events:
        position = ctx.state.positions[intent.position]
        yield from accept(ctx, intent, "closing", position.id)
        yield e.ClosingBegan(ctx.now, position.id, position.size, "operator")

    patch.setitem(intents.HANDLERS, ClosePosition, close)


@sabotage(
    "H34",
    "what is closed leaves its stop and its target behind",
    test="tests/desk/test_exits.py::test_where_exits_reduce_only_a_close_goes_at_once",
)
def leave_the_exits(patch: Patch) -> None:
    cancel = ordering.cancel

    def lazy(ctx: Context, order: Order, reason: str, lane: Lane | None = None) -> Events:
        if reason != "position closed":
            yield from cancel(ctx, order, reason, lane)

    patch.setattr(custody, "cancel", lazy)


@sabotage(
    "H34",
    "closing leaves the other orders of the position",
    test="tests/desk/test_exits.py::test_closing_ends_what_is_left_of_the_entry",
)
def leave_the_entry(patch: Patch) -> None:
    cancel = ordering.cancel

    def lazy(ctx: Context, order: Order, reason: str, lane: Lane | None = None) -> Events:
        if order.is_exit:
            yield from cancel(ctx, order, reason, lane)

    patch.setattr(custody, "cancel", lazy)


@sabotage(
    "H34",
    "an orphan is told and left",
    test="tests/desk/test_reconcile.py::test_an_orphan_is_told_and_cancelled_where_nothing_is_held",
)
def leave_orphans(patch: Patch) -> None:
    patch.setattr(unexplained, "could_open", lambda *_: False)


@sabotage(
    "H35",
    "moving a stop changes our own number only",
    test="tests/desk/test_protection.py::test_moving_a_stop_amends_the_venues",
)
def move_here_only(patch: Patch) -> None:
    keep = custody.keep
    patch.setattr(
        custody,
        "keep",
        lambda ctx, name: (
            event for event in keep(ctx, name) if not isinstance(event, e.AmendAsked)
        ),
    )


@sabotage(
    "H35",
    "a refused amend is taken for done",
    test="tests/desk/test_protection.py::test_a_refused_amend_keeps_the_old_stop_and_says_so",
)
def refused_is_done(patch: Patch) -> None:
    def on_amend_rejected(ctx: Context, report: r.AmendRejected) -> Events:
        order = ctx.state.orders[report.client_order_id]
        stop = ctx.state.positions[order.position].stop
        yield e.OrderAmended(ctx.now, order.client_order_id, order.size, order.price, stop, ctx.now)

    patch.setitem(decide.HANDLERS, r.AmendRejected, on_amend_rejected)


@sabotage(
    "H36",
    "while a stop is replaced there is none, neither there nor here",
    test="tests/desk/test_protection.py::test_a_venue_that_cannot_amend_cancels_and_places_with_the_guard_armed",
)
def no_stop_in_the_gap(patch: Patch) -> None:
    cancel = ordering.cancel

    def cancel_and_forget(
        ctx: Context, order: Order, reason: str, lane: Lane | None = None
    ) -> Events:
        yield from cancel(ctx, order, reason, lane)
        if reason == "replaced":
            yield e.StopMoved(ctx.now, order.position, None, by="replacement")

    patch.setattr(custody, "cancel", cancel_and_forget)


@sabotage(
    "H36",
    "the guard is not armed in the gap",
    test=(
        "tests/desk/test_gaps.py::test_a_price_through_the_new_stop_while_it_is_replaced_is_closed"
    ),
)
def unwatched_gap(patch: Patch) -> None:
    _blind(patch)


@sabotage(
    "H37",
    "a trail overwrites the stop that stands",
    test="tests/desk/test_protection.py::test_a_tighter_manual_stop_is_not_overwritten_by_a_trail",
)
def trail_overwrites(patch: Patch) -> None:
    def follow(ctx: Context, name: str, best: Decimal) -> Events:
        position = ctx.state.positions[name]
        assert position.trail is not None
        distance = position.trail.distance(best) * position.side.sign
        yield e.TrailFollowed(
            ctx.now,
            name,
            best,
            ctx.instrument(position).round_stop(best - distance, position.exits_by),
        )

    patch.setattr("engine.desk.stops_by_hand.follow", follow)
    patch.setattr(protection, "follow", follow)


@sabotage(
    "H37",
    "a trail follows the price down as well",
    test="tests/desk/test_protection.py::test_a_trail_follows_every_price_and_never_loosens",
)
def trail_loosens(patch: Patch) -> None:
    on_quote = Board.on_quote

    def follow_all(self: Board, quote: Quote) -> list[Watch]:
        return [
            *on_quote(self, quote),
            *((name, "follow") for name, symbol in self._watched.items() if symbol == quote.symbol),
        ]

    trail_overwrites(patch)
    patch.setattr(Board, "on_quote", follow_all)


@sabotage(
    "H38",
    "stops are checked once a minute",
    test="tests/desk/test_protection.py::test_the_guard_acts_on_the_first_price_at_its_stop",
)
def check_once_a_minute(patch: Patch) -> None:
    on_quote = Board.on_quote
    checked: dict[str, int] = {}

    def now_and_then(self: Board, quote: Quote) -> list[Watch]:
        if quote.at - checked.get(quote.symbol, 0) < 60 * SECOND:
            self._symbol(quote.symbol).quote = quote
            return []
        checked[quote.symbol] = quote.at
        return on_quote(self, quote)

    patch.setattr(Board, "on_quote", now_and_then)


@sabotage(
    "H38",
    "the guard is said to watch, and watches nothing",
    test="tests/desk/test_protection.py::test_the_guard_acts_on_the_first_price_at_its_stop",
)
def guard_in_name_only(patch: Patch) -> None:
    watch = Board.watch

    def blind(
        self: Board, position: Position, instrument: Instrument, step: Decimal, **more: Any
    ) -> None:
        watch(self, replace(position, stop=None), instrument, step, **more)

    patch.setattr(Board, "watch", blind)


@sabotage(
    "H39",
    "the venue's stop is trusted to fire",
    test="tests/desk/test_protection.py::test_a_venue_stop_that_does_not_fire_is_taken_over_after_the_grace",
)
def trust_the_venue(patch: Patch) -> None:
    def grace_over(ctx: Context, position: Position) -> Events:
        yield e.StopCrossed(ctx.now, position.id, None)

    patch.setattr(protection, "grace_over", grace_over)


@sabotage(
    "H40",
    "stop and target both rest, also where the first reserves the coins",
    test="tests/desk/test_protection.py::test_a_target_is_watched_here_where_it_cannot_rest",
)
def rest_both(patch: Patch) -> None:
    patch.setattr(ordering, "rests_together", lambda ctx, position: True)
    patch.setattr(desk, "rests_together", lambda ctx, position: True)


@sabotage(
    "H41",
    "the target is looked at first",
    test="tests/desk/test_bounds.py::test_where_one_price_crosses_both_the_stop_wins",
)
def target_first(patch: Patch) -> None:
    on_quote = Board.on_quote
    patch.setattr(Board, "on_quote", lambda self, quote: on_quote(self, quote)[::-1])


@sabotage(
    "H41",
    "the last one crossed wins",
    test=(
        "tests/desk/test_protection.py::test_where_one_price_crosses_stop_and_target_the_stop_wins"
    ),
)
def last_one_wins(patch: Patch) -> None:
    def begin_closing(ctx: Context, position: Position, reason: str) -> Events:
        yield e.ClosingBegan(ctx.now, position.id, position.size, reason)

    patch.setattr(protection, "begin_closing", begin_closing)


@sabotage(
    "H42",
    "nothing is kept for a flatten",
    test="tests/gateway/test_limits.py::test_the_reserve_is_never_spent_by_what_can_wait",
)
def keep_no_reserve(patch: Patch) -> None:
    patch.setattr(
        Gateway, "_pause", lambda self, request, now: limits.wait(self.model, request, now, {})
    )


@sabotage(
    "H42",
    "a flatten waits in the lane of entries",
    test="tests/desk/test_flatten.py::test_everything_is_cancelled_closed_and_confirmed",
)
def flatten_in_line(patch: Patch) -> None:
    patch.setattr(ordering, "cancel_lane", lambda ctx: Lane.ENTRY)
    patch.setattr(ordering, "exit_lane", lambda ctx: Lane.ENTRY)


@sabotage(
    "H42",
    "each press flattens anew",
    test="tests/desk/test_flatten.py::test_pressing_again_and_again_is_harmless",
)
def flatten_anew(patch: Patch) -> None:
    patch.setattr(flatten, "flattening", lambda ctx: False)


@sabotage(
    "H42",
    "a flatten gives up what the venue refuses unread",
    test="tests/runtime/test_flows.py::test_flatten_through_a_rate_limit_storm",
)
def never_try_again(patch: Patch) -> None:
    patch.setattr(Gateway, "_try_again", lambda self, waiting: None)


@sabotage(
    "H45",
    "an open breaker refuses exits too",
    test="tests/gateway/test_limits.py::test_an_open_breaker_refuses_entries_and_lets_exits_pass_and_close_it",
)
def break_everything(patch: Patch) -> None:
    def drop(self: Gateway, waiting: Waiting, now: int) -> None:
        if self.breaker.is_open and isinstance(waiting.request, Submit):
            self._queue.remove(waiting)
            self._listener.report(
                r.Rejected(
                    waiting.request.order.client_order_id,
                    "the venue link is paused after errors",
                    now,
                )
            )

    patch.setattr(Gateway, "_drop", drop)


@sabotage(
    "H47",
    "a flatten closes what was held when it was pressed",
    test="tests/desk/test_flatten.py::test_an_entry_that_fills_meanwhile_is_closed_too",
)
def flatten_a_snapshot(patch: Patch) -> None:
    begin_closing = protection.begin_closing
    held: dict[str, set[str]] = {}

    def once(ctx: Context, position: Position, reason: str) -> Events:
        assert ctx.state.flatten is not None
        names = held.setdefault(
            ctx.state.flatten.intent,
            {one.id for one in ctx.state.positions.values() if one.is_open},
        )
        if position.id in names:
            yield from begin_closing(ctx, position, reason)

    patch.setattr(custody, "begin_closing", once)


@sabotage(
    "H45",
    "a trouble stops stops, too",
    test="tests/desk/test_bounds.py::test_a_stop_is_moved_under_every_lockout",
)
def lock_stops(patch: Patch) -> None:
    _lock(patch, MoveStop)


@sabotage(
    "H45",
    "a trouble stops cancels, too",
    test="tests/desk/test_bounds.py::test_an_entry_is_cancelled_under_every_lockout",
)
def lock_cancels(patch: Patch) -> None:
    _lock(patch, CancelOrder)


@sabotage(
    "H45",
    "a trouble stops a flatten, too",
    test="tests/desk/test_bounds.py::test_everything_is_flattened_under_every_lockout",
)
def lock_flattens(patch: Patch) -> None:
    _lock(patch, Flatten)


@sabotage(
    "H45",
    "a trouble stops whatever is asked for",
    test="tests/runtime/test_supervision.py::test_what_blocks_entries_lets_every_exit_through_to_the_venue",
)
def lock_everything(patch: Patch) -> None:
    for kind in (ClosePosition, MoveStop, CancelOrder):
        _lock(patch, kind)


# D. Positions, P&L, prices


@sabotage(
    "H50",
    "the result is booked by the fills and again by the close",
    test="tests/desk/test_exits.py::test_profit_is_counted_once_and_net_of_fees",
)
def book_twice(patch: Patch) -> None:
    def twice(state: State, event: e.AnyEvent) -> Touched:
        touched = evolve(state, event)
        if isinstance(event, e.PositionClosed):
            closed = state.closed[event.position]
            profit = closed.realised_profit(state.instruments[closed.symbol])
            state.totals = Totals(
                add_cash(state.totals.realised, closed.settle, profit), state.totals.fees
            )
        return touched

    patch.setattr("engine.desk.desk.evolve", twice)


@sabotage(
    "H51",
    "fees are not counted",
    test="tests/desk/test_reports.py::test_every_fee_is_kept_in_its_currency",
)
def ignore_fees(patch: Patch) -> None:
    patch.setattr(fills, "fill_value", lambda ctx, fill: (ZERO, True))


@sabotage(
    "H52",
    "a fee in coins leaves the position as large as the fill",
    test=(
        "tests/desk/test_exits.py::test_a_fee_in_base_makes_the_position_smaller_and_the_exit_fits"
    ),
)
def hold_the_fee(patch: Patch) -> None:
    patch.setattr(
        Fill, "base_change", lambda self, instrument, leverage=None: self.size * self.side.sign
    )


@sabotage(
    "H54",
    "sizes and prices below zero are taken",
    test="tests/model/test_position.py::test_an_execution_that_can_t_be_is_refused",
)
def any_number(patch: Patch) -> None:
    patch.setattr(engine.model.fill, "ZERO", Decimal("-Infinity"))


@sabotage(
    "H55",
    "no price is ever stale",
    test="tests/desk/test_protection.py::test_a_guard_without_fresh_prices_is_naked_and_told",
)
def never_stale(patch: Patch) -> None:
    patch.setattr(Context, "is_stale", lambda self, symbol, seconds: False)


@sabotage(
    "H55",
    "sizing takes any price",
    test="tests/desk/test_bounds.py::test_no_size_is_calculated_from_a_stale_price",
)
def size_by_any_price(patch: Patch) -> None:
    patch.setattr(checks, "CHECKS", _without("_freshness"))


@sabotage(
    "H56",
    "the venue's balances are taken over in silence",
    test="tests/desk/test_reconcile.py::test_a_difference_stands_until_it_is_gone",
)
def adopt_balances(patch: Patch) -> None:
    def on_picture(ctx: Context, picture: Picture) -> Events:
        yield e.CashReported(ctx.now, picture.balances)
        yield from reconcile.on_picture(ctx, picture)

    patch.setitem(decide.HANDLERS, Picture, on_picture)


@sabotage(
    "H56",
    "fills that the stream missed stay missed",
    test="tests/desk/test_reconcile.py::test_fills_that_the_stream_missed_come_with_the_picture",
)
def miss_fills(patch: Patch) -> None:
    patch.setitem(
        decide.HANDLERS,
        Picture,
        lambda ctx, picture: reconcile.on_picture(ctx, replace(picture, fills=())),
    )


@sabotage(
    "H57",
    "a price of the model is a float",
    test="tests/model/test_money.py::test_no_money_of_the_model_is_a_float",
)
def float_in_the_model(patch: Patch) -> None:
    guess = defstruct("Guess", [("price", float)], module="engine.model.fill")
    patch.setattr(engine.model.fill, "Guess", guess, raising=False)


@sabotage(
    "H57",
    "money comes back from the database through a float",
    test="tests/journal/test_round_trip.py::test_money_is_exact[sqlite-1E-8]",
)
def float_in_the_database(patch: Patch) -> None:
    patch.setattr(shapes, "Decimal", lambda text: Decimal(float(text)))


# E. Limits, memory, faults


@sabotage(
    "H60",
    "after a restart the bucket is full",
    test="tests/runtime/test_flows.py::test_rate_limit_levels_survive_a_restart",
)
def forget_levels(patch: Patch) -> None:
    patch.setattr(Gateway, "restore", lambda self, levels: None)


@sabotage(
    "H60",
    "what leaves with a decision is not counted",
    test="tests/gateway/test_limits.py::test_counters_go_on_where_an_earlier_run_left_them",
)
def forget_what_leaves(patch: Patch) -> None:
    patch.setattr(Gateway, "levels_after", lambda self, requests: self.levels())


@sabotage(
    "H61",
    "one bucket for all that the venue counts",
    test="tests/gateway/test_limits.py::test_at_saturation_the_venue_never_refuses",
)
def one_bucket(patch: Patch) -> None:
    made = Gateway.__init__

    def make(self: Gateway, *args: Any) -> None:
        made(self, *args)
        self.model = TokenBucket(60, 1)

    patch.setattr(Gateway, "__init__", make)


@sabotage(
    "H63",
    "what could not be written is given up",
    test="tests/journal/test_trouble.py::test_a_full_disk_heals",
)
def give_up_writing(patch: Patch) -> None:
    commit_group = Queue.commit_group

    def once(self: Queue, limit: int | None) -> bool:
        done = commit_group(self, limit)
        self._group = []
        return done

    patch.setattr(Queue, "commit_group", once)


@sabotage(
    "H63",
    "exits wait for a disk that fails",
    test="tests/runtime/test_supervision.py::test_while_the_journal_fails_exits_stops_and_cancels_leave_at_once",
)
def hold_exits(patch: Patch) -> None:
    patch.setattr(Outbox, "release_exits", lambda self: None)


@sabotage(
    "H63",
    "the guard waits for a disk that fails",
    test="tests/runtime/test_supervision.py::test_the_guard_closes_while_the_journal_fails",
)
def hold_the_guard(patch: Patch) -> None:
    patch.setattr(Outbox, "release_exits", lambda self: None)


@sabotage(
    "H63",
    "a disk that fails is nobody's business",
    test="tests/runtime/test_supervision.py::test_while_the_journal_fails_entries_are_refused_and_it_is_told_until_it_is_over",
)
def fail_in_silence(patch: Patch) -> None:
    patch.setattr(Decider, "journal_trouble", lambda self, text: None)


@sabotage(
    "H63",
    "entries leave without being written, like exits",
    test="tests/runtime/test_supervision.py::test_an_entry_decided_as_the_disk_failed_waits_for_it_and_is_never_late",
)
def release_everything(patch: Patch) -> None:
    patch.setattr(Outbox, "release_exits", lambda self: self.durable(sys.maxsize))


@sabotage(
    "H65",
    "what failed is tried again at once",
    test="tests/gateway/test_limits.py::test_retries_double_their_pause_up_to_a_bound",
)
def no_backoff(patch: Patch) -> None:
    def try_again(self: Gateway, waiting: Waiting) -> None:
        self.statistics.retried += 1
        self._queue.put_back(waiting)

    patch.setattr(Gateway, "_try_again", try_again)


@sabotage(
    "H68",
    "the database's address is told with its password",
    test="tests/journal/test_opening.py::test_a_bad_url",
)
def tell_the_password(patch: Patch) -> None:
    render = URL.render_as_string
    patch.setattr(
        URL, "render_as_string", lambda self, hide_password=True: render(self, hide_password=False)
    )
    patch.setattr("engine.journal.engines.masked", str)


@sabotage(
    "H68",
    "the log writes what it gets",
    test="tests/hazards/test_secrets.py::test_a_secret_that_somebody_types_stays_out_of_the_log",
)
def log_everything(patch: Patch) -> None:
    patch.setattr(Redaction, "filter", lambda self, record: True)


@sabotage(
    "H68",
    "a notification that fails is told with its address",
    test="tests/hazards/test_secrets.py::test_a_session_in_which_everything_fails_tells_no_secret[sqlite]",
)
def tell_the_address(patch: Patch) -> None:
    made = Addresses.__init__

    def make(self: Addresses, variable: str) -> None:
        made(self, variable)
        self.failure = f"{self.failure}: {os.environ[variable]}"

    patch.setattr(Addresses, "__init__", make)


@sabotage(
    "H68",
    "an address is repeated where it is wrong",
    test="tests/hazards/test_secrets.py::test_an_address_that_cannot_be_notified_is_told_by_its_number",
)
def repeat_the_address(patch: Patch) -> None:
    made = Addresses.__init__

    def make(self: Addresses, variable: str) -> None:
        try:
            made(self, variable)
        except OutletError as error:
            raise OutletError(f"{error}: {os.environ[variable]}") from error

    patch.setattr(Addresses, "__init__", make)


@sabotage(
    "H68",
    "a journal that can't be opened is told with its password",
    test="tests/hazards/test_secrets.py::test_a_journal_that_cannot_be_opened_is_told_without_its_password",
)
def open_with_the_password(patch: Patch) -> None:
    render = URL.render_as_string
    patch.setattr(
        URL, "render_as_string", lambda self, hide_password=True: render(self, hide_password=False)
    )
    patch.setattr("engine.journal.engines.masked", str)


@sabotage(
    "H69",
    "text is shown as it comes",
    test="tests/console/test_foreign_text.py::test_an_engine_that_cant_open_says_so_literally",
)
def obey_text(patch: Patch) -> None:
    import tui.app
    from tui.plain import plain

    assert tui.app
    for name, module in list(sys.modules.items()):
        if name.startswith("tui.") and getattr(module, "plain", None) is plain:
            patch.setattr(module, "plain", str)


@sabotage(
    "H70",
    "who lost the lease does not mind",
    test="tests/runtime/test_supervision.py::test_who_loses_the_lease_falls_silent",
)
def mind_no_lease(patch: Patch) -> None:
    patch.setattr(Decider, "lose", lambda self, *_: None)


@sabotage(
    "H70",
    "the second to open takes over",
    test="tests/journal/test_lease.py::test_the_second_is_told_who_holds_it[sqlite]",
)
def take_over(patch: Patch) -> None:
    take = lease.take

    def grab(store: Any, holder: str, now: int, **terms: Any) -> Any:
        return take(store, holder, now, **{**terms, "only_if_free": False})

    patch.setattr(lease, "take", grab)


@sabotage(
    "H70",
    "who lost the lease goes on writing",
    test="tests/journal/test_lease.py::test_a_claim_fences_the_former_holder[sqlite]",
)
def write_without_a_lease(patch: Patch) -> None:
    held = Committer._held

    def believe(self: Committer, cursor: Any) -> Any:
        try:
            return held(self, cursor)
        except LeaseLostError:
            return self.head

    patch.setattr(Committer, "_held", believe)


# The second list: a file per room registers its own.

for _room in pkgutil.iter_modules(sabotages.__path__):
    importlib.import_module(f"{sabotages.__name__}.{_room.name}")
