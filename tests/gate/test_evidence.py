"""Evidence: the exit bound is arithmetic over what the venue told and what may have left since."""

import pytest
from msgspec.structs import replace

from engine.model import report as r
from engine.model.order import Role, Status
from engine.model.request import Amend, Lane
from engine.model.side import Side
from tests.support.evidence import BTC, SECOND, Account, D

pytestmark = [pytest.mark.hazard("H74")]


def test_what_is_ours_may_leave_and_no_more() -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    assert account.bound() == D("0.4")


def test_what_the_venue_lacks_may_not_leave() -> None:
    account = Account(long="0.4")
    account.picture("0.1")
    assert account.bound() == D("0.1")


def test_coins_that_lay_there_before_are_not_ours_to_sell() -> None:
    account = Account(long="0.4", baseline="1")
    account.picture("1.4")
    assert account.bound() == D("0.4")
    account.picture("1")  # ours have gone without our hearing it
    assert account.bound() == 0


def test_fills_since_the_picture_count() -> None:
    account = Account(long="0.9")
    account.picture("0.4")
    account.wait(1)
    entry = account.sent("0.5", Role.ENTRY, Side.BUY)
    account.filled(entry, "0.5")
    assert account.bound() == D("0.9")


def test_a_fee_taken_from_the_coins_counts() -> None:
    account = Account(long="0.499")
    account.picture("0")
    account.wait(1)
    account.filled(account.sent("0.5", Role.ENTRY, Side.BUY), "0.5", fee="0.001", currency="BTC")
    assert account.evidence.held("BTC") == D("0.499")


def test_a_fill_that_the_picture_knows_is_not_counted_twice() -> None:
    account = Account(long="0.5")
    entry = account.sent("0.5", Role.ENTRY, Side.BUY)
    account.wait(2)
    fill = account.fill(entry, "0.5")
    account.picture("0.5", fills=(fill,), as_of=account.now - SECOND)
    account.hear(r.Filled(fill, account.now))
    assert account.evidence.held("BTC") == D("0.5")


def test_working_and_doubtful_exits_may_have_left_already() -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    stop = account.sent("0.3", Role.STOP)
    assert account.bound() == D("0.1")
    account.hear(r.Unknown(stop.client_order_id, "submit", "?", account.now))
    assert account.bound() == D("0.1")
    account.hear(r.Cancelled(stop.client_order_id, D(0), "", account.now))
    assert account.bound() == D("0.4")


def test_the_end_of_an_exit_is_believed_with_its_fills() -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    stop = account.sent("0.4", Role.STOP)
    account.hear(r.Cancelled(stop.client_order_id, D("0.3"), "", account.now))
    assert account.bound() == D("0.1"), "0.3 were sold, and their fills are on their way"
    account.wait(1)
    account.books = type(account.books)(long=D("0.1"))
    account.filled(stop, "0.3")
    assert account.bound() == D("0.1")


def test_an_end_that_does_not_say_how_much_filled_waits_for_a_picture() -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    stop = account.sent("0.4", Role.STOP)
    account.hear(r.Cancelled(stop.client_order_id, None, "", account.now))
    assert account.bound() == 0
    account.wait(1)
    account.picture("0.4")
    assert account.bound() == D("0.4")


def test_an_absence_is_believed_the_second_time_and_after_the_deadline() -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    close = account.sent("0.4")
    for _ in range(3):
        account.hear(r.Absent(close.client_order_id, account.now))
        assert account.bound() == 0, "it may still be on its way"
    account.wait(5)
    account.hear(r.Absent(close.client_order_id, account.now))
    assert account.bound() == D("0.4")


def test_one_absence_after_the_deadline_is_not_enough() -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    close = account.sent("0.4")
    account.wait(5)
    account.hear(r.Absent(close.client_order_id, account.now))
    assert account.bound() == 0


def test_orders_with_our_prefix_that_we_do_not_know_count_as_exits() -> None:
    account = Account(long="0.4")
    stranger = account.order("0.3", Role.ENTRY)
    account.picture("0.4", orders=(replace(stranger, status=Status.OPEN, venue_order_id="V"),))
    assert account.bound() == D("0.1")


@pytest.mark.parametrize(
    "report",
    [r.Disconnected("broken", 0), r.Connected(0)],
    ids=["a lost line", "a line that begins anew"],
)
def test_a_gap_voids_the_picture(report: r.VenueReport) -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    assert account.is_good()
    account.wait(1)
    account.hear(report)
    assert not account.is_good()
    account.picture("0.4", as_of=account.now - 1)
    assert not account.is_good(), "it was taken before the gap"
    account.picture("0.4")
    assert account.is_good()


def test_after_a_gap_a_picture_must_show_our_last_action_or_be_younger_than_the_lag() -> None:
    account = Account(long="0.4", lag=20)
    account.picture("0.4")
    entry = account.sent("0.4", Role.ENTRY, Side.BUY)
    account.wait(1)
    account.evidence.void("a wake-up", account.now)
    account.picture("0.4")
    assert not account.is_good(), "two pictures that lag agree about the past"
    account.picture("0.4")
    assert not account.is_good()
    account.picture("0.4", fills=(account.fill(entry, "0.4", at=account.now - SECOND),))
    assert account.is_good()
    account.evidence.void("another", account.now)
    account.wait(20)
    account.picture("0.4")
    assert account.is_good()


def test_a_report_that_makes_no_sense_voids_and_kills_nothing() -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    stop = account.sent("0.4", Role.STOP)
    account.wait(1)
    account.hear(r.Cancelled(stop.client_order_id, D("NaN"), "", account.now))
    assert not account.is_good()


def test_what_an_earlier_process_left_open_may_have_filled() -> None:
    account = Account(long="0.4")
    stop = account.order("0.4", Role.STOP)
    account.evidence.seed([stop])
    account.picture("0.4")
    assert account.bound() == 0


def test_fills_that_an_earlier_process_knew_are_not_counted_again() -> None:
    account = Account(long="0.4")
    stop = account.order("0.4", Role.STOP, filled=D("0.1"))
    old = account.fill(stop, "0.1")
    account.evidence.seed([stop], [old.execution_id])
    account.picture("0.4", fills=(old,))
    assert account.bound() == D("0.1")


def test_a_stranger_that_two_pictures_do_not_list_is_over() -> None:
    account = Account(long="0.4")
    stranger = replace(account.order("0.3", Role.ENTRY), status=Status.OPEN, venue_order_id="V")
    account.picture("0.4", orders=(stranger,))
    for bound in ("0.1", "0.4"):
        account.wait(1)
        account.picture("0.4")
        assert account.bound() == D(bound), "nobody asks about it by id"


def test_an_exit_that_is_being_made_larger_may_take_that_much() -> None:
    account = Account(long="1")
    account.picture("1")
    stop = account.sent("0.2", Role.STOP)
    account.evidence.leaves(
        Amend(stop.client_order_id, BTC, Lane.PROTECT, size=D("0.5")), account.now
    )
    assert account.bound() == D("0.5"), "whether the venue took it is not known yet"
    account.hear(r.Amended(stop.client_order_id, D("0.3"), None, None, account.now))
    assert account.bound() == D("0.7")


@pytest.mark.parametrize("late", [False, True])
def test_an_exit_that_filled_before_it_could_be_made_larger_takes_no_more(late: bool) -> None:
    account = Account(long="1")
    account.picture("1")
    stop = account.sent("0.2", Role.STOP)
    account.wait(1)
    account.gate.leaves(Amend(stop.client_order_id, BTC, Lane.PROTECT, size=D("0.5")), account.now)
    said: list[r.VenueReport] = [r.Filled(account.fill(stop, "0.2"), account.now)]
    said.append(r.AmendRejected(stop.client_order_id, "EOrder:Unknown order", account.now))
    for report in reversed(said) if late else said:
        account.hear(report)
    assert account.bound() == D("0.8"), "the venue has 0.8, and no order of ours"


def test_a_refusal_says_nothing_of_an_earlier_change_or_of_one_that_never_left() -> None:
    account = Account(long="1")
    account.picture("1")
    stop = account.sent("0.2", Role.STOP)
    account.wait(1)
    account.gate.leaves(Amend(stop.client_order_id, BTC, Lane.PROTECT, size=D("0.5")), account.now)
    account.hear(
        r.AmendRejected(stop.client_order_id, "superseded by a cancel", account.now, withdrawn=True)
    )
    assert account.bound() == D("0.5")
    account.hear(r.Unknown(stop.client_order_id, "amend", "no answer", account.now))
    account.hear(r.AmendRejected(stop.client_order_id, "EOrder:Unknown order", account.now))
    assert account.bound() == D("0.5"), "the first answer was lost: it may be larger by now"
    account.wait(1)
    account.hear(r.Amended(stop.client_order_id, D("0.5"), None, None, account.now))
    account.hear(r.AmendRejected(stop.client_order_id, "EOrder:no", account.now))
    assert account.bound() == D("0.5"), "that it has grown was told"


def test_what_somebody_else_sent_for_us_must_be_shown_or_be_long_ago() -> None:
    account = Account(lag=5, long="0.4")
    account.picture("0.4")
    account.wait(1)
    theirs = account.order("0.4")
    account.evidence.act(theirs.client_order_id, account.now)
    account.evidence.void("a last exit was at work here", account.now)
    account.wait(1)
    account.picture("0.4")
    assert not account.is_good(), "it may lack what the last exit sold"
    account.picture("0", fills=(account.fill(theirs, "0.4"),))
    assert account.is_good()


def test_an_exit_that_was_asked_about_ends_with_the_fills_that_it_is_told_with() -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    account.wait(1)
    exit_ = account.sent("0.4")
    fill = account.fill(exit_, "0.1")
    account.wait(1)
    account.hear(
        r.Found(replace(exit_, status=Status.CANCELLED, filled=D("0.1")), (fill,), account.now)
    )
    assert account.evidence.leaving("BTC", Side.SELL) == 0
    assert account.evidence.held("BTC") == D("0.3")


def test_a_fill_moves_both_currencies_of_a_pair_and_one_contract() -> None:
    spot = Account(long="0.4")
    spot.picture("0.4")
    spot.wait(1)
    spot.filled(spot.sent("0.1"), "0.1", fee="2")
    assert (spot.evidence.held("BTC"), spot.evidence.held("USD")) == (D("0.3"), D(5_998))
    futures = Account("kraken-futures", long="0.4")
    futures.picture(net="0.4")
    futures.wait(1)
    futures.filled(futures.sent("0.1"), "0.1", fee="2")
    assert (futures.evidence.held(BTC), futures.evidence.held("USD")) == (D("0.3"), D(-2))


def test_an_execution_of_a_symbol_that_nobody_listed_moves_nothing() -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    account.wait(1)
    strange = replace(account.fill(account.order("0.1"), "0.1"), symbol="NOT/LISTED")
    account.hear(r.Filled(strange, account.now))
    assert account.evidence.held("BTC") == D("0.4")


def test_terms_from_before_our_last_change_make_no_exit_smaller() -> None:
    """The stop was amended to 0.3 and then to 0.5; what the stream says of the first change comes
    late.
    """
    account = Account(long="0.5")
    account.picture("0.5")
    stop = account.sent("0.2", Role.STOP)
    first = account.now
    account.wait(1)
    account.gate.leaves(Amend(stop.client_order_id, BTC, Lane.PROTECT, size=D("0.5")), account.now)
    account.hear(r.Amended(stop.client_order_id, D("0.3"), None, D(50_000), first))
    assert account.bound() == 0, "0.5 may fill by now"
    account.picture(
        "0.5",
        orders=(replace(stop, status=Status.OPEN, size=D("0.3"), venue_order_id="V"),),
        as_of=first,
    )
    assert account.bound() == 0, "a view from before the change"
    account.wait(1)
    account.hear(r.Amended(stop.client_order_id, D("0.4"), None, D(50_000), account.now))
    assert account.bound() == D("0.1")
