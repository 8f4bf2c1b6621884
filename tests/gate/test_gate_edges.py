"""The gate at its edges: exact moments, exact sizes, and what each verdict says of when to look
again.
"""

from decimal import Decimal

import pytest

from engine.gate import Admitted, Held, Reason, Standing
from engine.model import report as r
from engine.model.order import Order, Role
from engine.model.request import Amend, Cancel, Lane, Submit
from engine.model.side import Side
from tests.support.evidence import BTC, SECOND, Account, D

pytestmark = [pytest.mark.hazard("H74")]
SOON = 100_000_000
"""Nanoseconds until what waits is looked at again."""


def held(verdict: object) -> Held:
    assert isinstance(verdict, Held), verdict
    return verdict


def judged(account: Account, order: Order, since: int | None) -> object:
    return account.gate.admit(Submit(order, Lane.PROTECT), account.now, since)


def soon(account: Account, verdict: object, reason: Reason, *, picture: bool) -> bool:
    one = held(verdict)
    return (one.reason, one.until, one.picture) == (reason, account.now + SOON, picture)


def test_an_entry_needs_no_picture_after_an_ordinary_start() -> None:
    account = Account()
    assert account.submit(account.order("1", Role.ENTRY, Side.BUY)) == Admitted()


def test_what_a_picture_proves_is_not_told_as_sent_on_our_books() -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    assert account.submit(account.order("0.4")) == Admitted(on_our_books=False)


def test_after_a_last_exit_even_an_entry_waits_for_a_picture_and_only_for_the_first() -> None:
    account = Account(long="0.4")
    account.gate.blind = True
    entry = account.order("1", Role.ENTRY, Side.BUY)
    assert soon(account, account.submit(entry), Reason.EVIDENCE, picture=True)
    assert "a last exit" in held(account.submit(entry)).text
    account.picture("0.4")
    assert account.submit(entry) == Admitted()
    account.wait(1)
    account.evidence.void("a wake-up", account.now)
    assert account.submit(entry) == Admitted(), "the picture after the last exit was enough"


def test_after_a_standstill_it_is_looked_at_again_soon_with_a_picture() -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    account.wait(1)
    account.pen.standing = Standing.VOID
    assert soon(account, account.submit(account.order("0.4")), Reason.EVIDENCE, picture=True)
    account.pen.standing = Standing.HELD
    assert "this process stood still" in held(account.submit(account.order("0.4"))).text


def test_a_standstill_of_which_nothing_was_known_keeps_the_first_reason() -> None:
    account = Account(long="0.4")
    account.evidence.void("a hand-over", account.now)
    account.wait(1)
    account.pen.standing = Standing.VOID
    account.submit(account.order("0.4"))
    account.picture("0.4", as_of=account.now - SECOND // 2)
    assert account.is_good(), "a picture after the first gap counts: nothing was sent since"


def test_what_the_venue_does_not_list_waits_without_asking_for_a_picture() -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    order = Order("FOx", "P1", "XYZ/USD", Side.SELL, account.order("1").type, Role.CLOSE, D(1))
    assert soon(account, account.submit(order), Reason.EVIDENCE, picture=False)


def test_an_exit_without_a_picture_is_looked_at_again_soon_with_one() -> None:
    account = Account(long="0.4")
    assert soon(account, account.submit(account.order("0.4")), Reason.EVIDENCE, picture=True)


def test_a_size_is_a_verdict_once_a_picture_was_taken_since_and_not_before() -> None:
    account = Account(long="0.4")
    account.picture("0.3")
    order = account.order("0.4")
    assert soon(account, judged(account, order, None), Reason.SIZE, picture=True)
    account.wait(1)
    taken = account.now - SECOND
    assert soon(account, judged(account, order, taken + 1), Reason.SIZE, picture=True)
    last = held(judged(account, order, taken))
    assert (last.reason, last.until, last.picture) == (Reason.SIZE, None, False)
    assert last.text.startswith("sell 0.4 BTC/USD: the venue shows 0.3 BTC, ours are 0.4, ")


def test_a_size_that_waited_exactly_the_patience_is_decided_anew() -> None:
    account = Account(long="0.4")
    account.picture("0.3")
    account.wait(60)
    order = account.order("0.4")
    assert held(judged(account, order, account.now - 5 * SECOND)).until is None
    assert held(judged(account, order, account.now - 5 * SECOND + 1)).until == account.now + SOON
    assert held(judged(account, order, None)).until == account.now + SOON


@pytest.mark.parametrize(
    ("ours", "side", "reason"),
    [
        ("long", Side.SELL, Reason.SIZE),
        ("long", Side.BUY, Reason.REPAIR),
        ("short", Side.BUY, Reason.SIZE),
        ("short", Side.SELL, Reason.REPAIR),
    ],
    ids=[
        "sells what is ours",
        "buys though nothing is owed",
        "buys what is owed",
        "sells though nothing is ours",
    ],
)
def test_what_nothing_of_ours_asks_for_is_a_repair(ours: str, side: Side, reason: Reason) -> None:
    account = Account(long="0.4") if ours == "long" else Account(short="0.4")
    account.picture("0")
    verdict = held(judged(account, account.order("9", side=side), account.now))
    assert (verdict.reason, verdict.until) == (reason, None)


def test_on_our_books_after_exactly_the_patience() -> None:
    account = Account(long="0.4")
    order = account.order("0.4")
    account.wait(60)
    assert soon(
        account, judged(account, order, account.now - 5 * SECOND + 1), Reason.EVIDENCE, picture=True
    )
    assert judged(account, order, account.now - 5 * SECOND) == Admitted(on_our_books=True)


def test_a_picture_that_proved_an_exit_gives_the_books_their_turn_back() -> None:
    account = Account(long="0.4")
    account.wait(60)
    first = account.now - 5 * SECOND
    assert judged(account, account.order("0.4"), first) == Admitted(on_our_books=True)
    assert isinstance(judged(account, account.order("0.4"), first), Held)
    account.picture("0.4")
    assert judged(account, account.order("0.4"), None) == Admitted()
    account.wait(10)
    account.evidence.void("a wake-up", account.now)
    account.wait(5)
    since = account.now - 5 * SECOND
    assert judged(account, account.order("0.4"), since) == Admitted(on_our_books=True)


def test_a_change_that_makes_nothing_larger_needs_no_picture() -> None:
    account = Account(long="0.4")
    stop = account.sent("0.2", Role.STOP)
    trigger = Amend(stop.client_order_id, BTC, Lane.PROTECT, trigger=Decimal(51_000))
    assert account.gate.admit(trigger, account.now) == Admitted()
    assert account.amend(stop, "0.2") == Admitted()
    assert account.amend(account.order("9"), "10") == Admitted(), "no exit of ours"


def test_what_is_reduce_only_grows_without_a_picture() -> None:
    account = Account("kraken-futures", long="0.4")
    stop = account.sent("0.2", Role.STOP, reduce_only=True)
    assert account.amend(stop, "9") == Admitted()
    account.tokens = False
    assert account.cancel(stop) == Admitted(), "on a derivative no stop holds what a close needs"


def test_an_exit_may_grow_to_what_is_proved_and_what_it_filled() -> None:
    account = Account(long="0.3")
    stop = account.sent("0.2", Role.STOP)
    assert soon(account, account.amend(stop, "0.3"), Reason.EVIDENCE, picture=True)
    account.picture("0.4")
    account.wait(1)
    account.filled(stop, "0.1")
    assert account.evidence.held("BTC") == D("0.3")
    assert account.amend(stop, "0.4") == Admitted()
    assert soon(account, account.amend(stop, "0.5"), Reason.SIZE, picture=True)


def test_a_larger_size_is_a_verdict_once_a_picture_was_taken_since() -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    stop = account.sent("0.2", Role.STOP)
    taken = account.now
    account.wait(1)
    request = Amend(stop.client_order_id, BTC, Lane.PROTECT, size=D(1))
    for since, until in ((taken, None), (taken + 1, account.now + SOON)):
        verdict = held(account.gate.admit(request, account.now, since))
        assert (verdict.reason, verdict.until) == (Reason.SIZE, until)


@pytest.mark.hazard("H112")
def test_a_stop_that_cannot_be_paid_for_yet_is_looked_at_again_soon() -> None:
    account = Account(long="0.4")
    stop = account.sent("0.4", Role.STOP)
    account.tokens = False
    assert soon(account, account.cancel(stop), Reason.PROTECTION, picture=False)


def test_the_pace_ends_at_its_moment() -> None:
    account = Account("kraken-futures", long="0.4")
    name = account.sent("0.4", reduce_only=True).client_order_id
    account.hear(r.Rejected(name, "no", account.now))
    account.now += 250_000_000 - 1
    verdict = held(account.submit(account.order("0.4", reduce_only=True)))
    assert (verdict.reason, verdict.until) == (Reason.PACE, account.now + 1)
    assert "1 failure in a row" in verdict.text
    account.now += 1
    assert account.submit(account.order("0.4", reduce_only=True)) == Admitted()


def test_the_pace_is_of_one_position_and_one_purpose() -> None:
    account = Account("kraken-futures", long="0.4")
    name = account.sent("0.4", reduce_only=True).client_order_id
    account.hear(r.Rejected(name, "no", account.now))
    assert account.submit(account.order("0.4", Role.STOP, reduce_only=True)) == Admitted()
    account.gate.pace.relieve("P2")
    assert held(account.submit(account.order("0.4", reduce_only=True))).reason is Reason.PACE


def test_a_refused_entry_slows_nothing_down() -> None:
    account = Account("kraken-futures", long="0.4")
    name = account.sent("0.4", Role.ENTRY, Side.BUY).client_order_id
    account.hear(r.Rejected(name, "no", account.now))
    assert account.submit(account.order("0.4", Role.ENTRY, Side.BUY)) == Admitted()
    assert account.gate.pace.until(account.order("0.4", Role.ENTRY)) == (0, 0)


def test_one_failure_is_counted_once() -> None:
    account = Account("kraken-futures", long="0.4")
    name = account.sent("0.4", reduce_only=True).client_order_id
    for _ in range(2):
        account.hear(r.Rejected(name, "no", account.now))
    assert account.gate.pace.until(account.order("0.4")) == (1, account.now + 250_000_000)


@pytest.mark.parametrize(
    "late", [False, True], ids=["the fill is told first", "the end is told first"]
)
def test_a_close_that_filled_in_part_begins_the_pace_anew(late: bool) -> None:
    account = Account("kraken-futures", long="0.4")
    for _ in range(3):
        name = account.sent("0.4", reduce_only=True).client_order_id
        account.hear(r.Rejected(name, "no", account.now))
    assert account.gate.pace.until(account.order("0.4"))[0] == 3
    close = account.sent("0.4", reduce_only=True)
    filled, ended = (
        r.Filled(account.fill(close, "0.1"), account.now),
        r.Cancelled(close.client_order_id, D("0.1"), "", account.now),
    )
    for report in (ended, filled) if late else (filled, ended):
        account.hear(report)
    assert account.gate.pace.until(account.order("0.4")) == (1, account.now + 250_000_000), (
        "not at once, for the book is thin; and not in a second"
    )


def test_an_execution_that_comes_after_an_end_that_told_none_is_progress_too() -> None:
    account = Account("kraken-futures", long="0.4")
    for _ in range(2):
        name = account.sent("0.4", reduce_only=True).client_order_id
        account.hear(r.Rejected(name, "no", account.now))
    close = account.sent("0.4", reduce_only=True)
    account.hear(r.Cancelled(close.client_order_id, None, "", account.now))
    assert account.gate.pace.until(account.order("0.4"))[0] == 3
    account.hear(r.Filled(account.fill(close, "0.1"), account.now))
    assert account.gate.pace.until(account.order("0.4"))[0] == 1


def test_an_unknown_cancel_is_no_failure_of_an_exit() -> None:
    account = Account("kraken-futures", long="0.4")
    name = account.sent("0.4", reduce_only=True).client_order_id
    account.hear(r.Unknown(name, "cancel", "?", account.now))
    assert account.gate.pace.until(account.order("0.4")) == (0, 0)


def test_an_end_that_was_asked_for_is_no_failure() -> None:
    account = Account("kraken-futures", long="0.4")
    stop = account.sent("0.4", Role.STOP, reduce_only=True)
    account.gate.leaves(Cancel(stop.client_order_id, BTC, Lane.CANCEL), account.now)
    account.hear(r.Cancelled(stop.client_order_id, D(0), "", account.now))
    assert account.gate.pace.until(account.order("0.4", Role.STOP)) == (0, 0)


@pytest.mark.hazard("H62")
def test_five_thousand_exits_are_remembered_and_no_more() -> None:
    account = Account("kraken-futures", long="0.4")
    names = [account.sent("0.4", reduce_only=True).client_order_id for _ in range(5_001)]
    account.hear(r.Rejected(names[0], "no", account.now))
    assert account.gate.pace.until(account.order("0.4")) == (0, 0)
    account.hear(r.Rejected(names[1], "no", account.now))
    assert account.gate.pace.until(account.order("0.4"))[0] == 1
