"""The gate: what may leave, what waits, and what never leaves."""

import pytest
from msgspec.structs import replace

from engine.gate import AGAIN, PATIENCE, Admitted, Held, Reason, Standing
from engine.model import report as r
from engine.model.order import Role
from engine.model.request import Cancel, Lane, Query, QueryAccount
from engine.model.side import Side
from tests.support.evidence import BTC, SECOND, Account, D

pytestmark = [pytest.mark.hazard("H74")]


def held(verdict: object) -> Held:
    assert isinstance(verdict, Held), verdict
    return verdict


def test_an_exit_that_is_proved_leaves() -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    assert account.submit(account.order("0.4")) == Admitted()


def test_an_exit_beyond_the_proof_waits_for_one_more_picture_and_then_never_leaves() -> None:
    account = Account(long="0.4")
    account.picture("0.3")
    first = held(account.submit(account.order("0.4")))
    assert (first.reason, first.picture) == (Reason.SIZE, True)
    assert first.until is not None
    account.wait(1)
    account.picture("0.3")
    last = held(account.submit(account.order("0.4"), waited=0.5))
    assert (last.reason, last.until) == (Reason.SIZE, None)
    assert "0.3 BTC" in last.text
    assert "0.4" in last.text


def test_a_size_that_no_picture_settles_is_decided_anew_after_a_while() -> None:
    account = Account(long="0.4")
    account.picture("0.3")
    account.wait(6)
    assert held(account.submit(account.order("0.4"), waited=5)).until is None


def test_questions_always_leave() -> None:
    account = Account()
    account.pen.standing = Standing.LOST
    for question in (Query("x", BTC), QueryAccount(0)):
        assert account.gate.admit(question, account.now) == Admitted()


@pytest.mark.hazard("H76")
def test_without_the_pen_nothing_leaves() -> None:
    account = Account("kraken-futures", long="0.4")
    account.pen.standing = Standing.LOST
    for order in (account.order("0.4", reduce_only=True), account.order("1", Role.ENTRY, Side.BUY)):
        lost = held(account.submit(order))
        assert (lost.reason, lost.until) == (Reason.PERMIT, account.now + AGAIN), (
            "the next beat ends what waits"
        )
    assert held(account.cancel(account.order("0.4"))).reason is Reason.PERMIT


def test_after_a_gap_in_the_beat_nothing_leaves_and_the_picture_is_void() -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    account.wait(10)
    account.pen.standing = Standing.VOID
    assert held(account.submit(account.order("0.4"))).reason is Reason.EVIDENCE
    account.pen.standing = Standing.HELD
    assert held(account.submit(account.order("0.4"))).reason is Reason.EVIDENCE
    account.picture("0.4")
    assert account.submit(account.order("0.4")) == Admitted()


@pytest.mark.hazard("H76")
def test_while_the_shared_database_is_silent_nothing_opens_and_exits_go() -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    account.pen.standing = Standing.ORPHANED
    assert held(account.submit(account.order("1", Role.ENTRY, Side.BUY))).reason is Reason.PERMIT
    assert account.submit(account.order("0.4")) == Admitted()


@pytest.mark.hazard("H76")
def test_nothing_leaves_once_somebody_may_have_been_let_in() -> None:
    account = Account("kraken-futures", long="0.4")
    account.picture("0.4")
    account.pen.standing = Standing.EXPIRED
    assert held(account.submit(account.order("1", Role.ENTRY, Side.BUY))).reason is Reason.PERMIT
    verdict = held(account.submit(account.order("0.4", reduce_only=True)))
    assert verdict.reason is Reason.PERMIT
    assert verdict.until is not None, "it is looked at again"
    account.pen.standing = Standing.HELD
    assert account.submit(account.order("0.4", reduce_only=True)) == Admitted()


def test_what_is_reduce_only_needs_no_picture() -> None:
    account = Account("kraken-futures", long="0.4")
    assert account.submit(account.order("0.4", reduce_only=True)) == Admitted()
    assert held(account.submit(account.order("0.4"))).reason is Reason.EVIDENCE


def test_on_cash_there_is_no_over_close_to_repair() -> None:
    account = Account(long="0")
    account.picture("0")
    account.wait(1)
    account.picture("0")
    verdict = held(account.submit(account.order("0.4", side=Side.BUY), waited=0.5))
    assert (verdict.reason, verdict.until) == (Reason.REPAIR, None)


def test_a_repair_leaves_where_the_venue_shows_the_excess() -> None:
    account = Account(short="0.2")
    account.picture("-0.2")
    assert account.submit(account.order("0.2", side=Side.BUY)) == Admitted()


def test_after_five_seconds_without_a_picture_an_exit_goes_on_our_books_once() -> None:
    account = Account(long="0.4")
    assert held(account.submit(account.order("0.4"))).reason is Reason.EVIDENCE
    assert held(account.submit(account.order("0.4"), waited=4)).reason is Reason.EVIDENCE
    assert account.submit(account.order("0.4"), waited=PATIENCE / SECOND) == Admitted(
        on_our_books=True
    )
    assert (
        held(account.submit(account.order("0.4"), waited=PATIENCE / SECOND)).reason
        is Reason.EVIDENCE
    ), "once per position"


def test_coins_of_the_trader_are_never_sold_on_our_books() -> None:
    account = Account(long="0.4", baseline="1")
    assert held(account.submit(account.order("0.4"), waited=60)).reason is Reason.EVIDENCE


def test_nothing_goes_on_our_books_while_an_exit_of_ours_is_not_accounted_for() -> None:
    account = Account(long="0.4")
    account.evidence.seed([account.order("0.4", Role.STOP)])
    assert held(account.submit(account.order("0.4"), waited=60)).reason is Reason.EVIDENCE


def test_making_an_exit_smaller_needs_no_picture_and_making_it_larger_does() -> None:
    account = Account(long="0.4")
    stop = account.sent("0.2", Role.STOP)
    assert account.amend(stop, "0.1") == Admitted()
    assert held(account.amend(stop, "0.4")).reason is Reason.EVIDENCE
    account.picture("0.4")
    assert account.amend(stop, "0.4") == Admitted()
    assert held(account.amend(stop, "0.5")).reason is Reason.SIZE


@pytest.mark.hazard("H112")
def test_a_stop_goes_only_when_what_follows_is_paid_for() -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    stop = account.sent("0.4", Role.STOP)
    account.tokens = False
    assert held(account.cancel(stop)).reason is Reason.PROTECTION
    account.tokens = True
    assert account.cancel(stop) == Admitted()


def test_cancelling_an_entry_needs_nothing() -> None:
    account = Account()
    account.tokens = False
    assert account.cancel(account.sent("1", Role.ENTRY, Side.BUY)) == Admitted()


@pytest.mark.parametrize("way", ["refused", "expired", "cancelled unfilled", "unknown"])
def test_one_pace_over_all_ways_of_failing(way: str) -> None:
    account = Account("kraken-futures", long="0.4")

    def fail() -> None:
        name = account.sent("0.4", reduce_only=True).client_order_id
        told: dict[str, r.VenueReport] = {
            "refused": r.Rejected(name, "no", account.now),
            "expired": r.Expired(name, D(0), account.now),
            "cancelled unfilled": r.Cancelled(name, D(0), "self trade", account.now),
            "unknown": r.Unknown(name, "submit", "?", account.now),
        }
        account.hear(told[way])

    pauses = []
    for _ in range(7):
        fail()
        verdict = held(account.submit(account.order("0.4", reduce_only=True)))
        assert verdict.reason is Reason.PACE
        assert verdict.until is not None
        pauses.append((verdict.until - account.now) / SECOND)
    assert pauses == [0.25, 0.5, 1, 2, 4, 5, 5]
    account.gate.pace.relieve("P1")
    assert account.submit(account.order("0.4", reduce_only=True)) == Admitted()


def test_a_fill_ends_the_failures_and_an_end_that_we_asked_for_is_none() -> None:
    account = Account("kraken-futures", long="0.4")
    first = account.sent("0.4", reduce_only=True)
    account.hear(r.Rejected(first.client_order_id, "no", account.now))
    second = account.sent("0.4", reduce_only=True)
    account.filled(second, "0.1")
    assert account.submit(account.order("0.3", reduce_only=True)) == Admitted()
    assert account.cancel(second) == Admitted()
    account.gate.leaves(Cancel(second.client_order_id, BTC, Lane.CANCEL), account.now)
    account.hear(r.Cancelled(second.client_order_id, D("0.1"), "", account.now))
    assert account.submit(account.order("0.3", reduce_only=True)) == Admitted()


@pytest.mark.hazard("H74")
def test_books_that_are_known_to_be_old_let_nothing_leave_before_their_first_picture() -> None:
    """A copy of the journal was put back: what it holds may have been closed since."""
    account = Account(long="0.4")
    account.books = replace(account.books, behind=True)
    order = account.order("0.4")
    assert held(account.submit(order, waited=60)).reason is Reason.EVIDENCE
    account.books = replace(account.books, confirmed=(order.position,))
    assert account.submit(order, waited=60) == Admitted(on_our_books=True), "on the operator's word"


@pytest.mark.hazard("H74")
def test_books_that_were_old_and_have_been_compared_are_books_again() -> None:
    account = Account(long="0.4")
    account.books = replace(account.books, behind=True)
    account.picture("0.4")
    account.wait(1)
    account.hear(r.Disconnected("gone", account.now))
    assert account.submit(account.order("0.4"), waited=60) == Admitted(on_our_books=True)
