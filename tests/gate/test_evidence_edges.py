"""Evidence at its edges: equal moments, the other side, the other asset, and what is remembered for
how long.
"""

import pytest
from msgspec.structs import replace

from engine.gate import Evidence
from engine.model import report as r
from engine.model.books import Books
from engine.model.order import Role, Status
from engine.model.request import Amend, Lane, Submit
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile
from tests.support.evidence import BTC, PREFIX, SECOND, Account, D

pytestmark = [pytest.mark.hazard("H74")]
ETH = "ETH/USD"


def amended(account: Account, name: str, size: str | None) -> None:
    request = Amend(name, BTC, Lane.PROTECT, size=None if size is None else D(size))
    account.gate.leaves(request, account.now)


# Pictures


def test_a_picture_of_the_moment_of_the_gap_counts_and_one_before_does_not() -> None:
    account = Account(long="0.4")
    account.picture("0.4", as_of=account.now - 1)
    assert not account.is_good()
    assert account.evidence.picture is None
    account.picture("0.4")
    assert account.is_good()


def test_an_older_picture_does_not_undo_a_newer_one_and_an_equal_one_replaces_it() -> None:
    account = Account(long="0.4")
    account.wait(2)
    account.picture("0.4")
    account.picture("0.1", as_of=account.now - SECOND)
    assert account.bound() == D("0.4")
    account.picture("0.2")
    assert account.bound() == D("0.2")


def test_a_picture_exactly_as_much_younger_as_views_may_lag_counts() -> None:
    account = Account(long="0.4", lag=20)
    account.sent("0.4", Role.ENTRY, Side.BUY)
    sent = account.now
    account.wait(60)
    account.evidence.void("a wake-up", sent)
    account.picture("0.4", as_of=sent + 20 * SECOND - 1)
    assert not account.is_good()
    account.picture("0.4", as_of=sent + 20 * SECOND)
    assert account.is_good()


def test_an_order_that_rests_shows_our_last_action_as_a_fill_does() -> None:
    account = Account(long="0.4", lag=20)
    stop = account.sent("0.4", Role.STOP)
    account.wait(1)
    account.evidence.void("a wake-up", account.now)
    resting = replace(stop, status=Status.OPEN, venue_order_id="V")
    account.picture("0.4", orders=(resting,))
    assert account.is_good()


def test_what_somebody_else_sent_for_us_must_be_shown_and_an_older_action_must_not() -> None:
    account = Account(long="0.4", lag=20)
    account.evidence.act("FOelse", account.now)
    account.evidence.act("FOolder", account.now - 1)
    account.evidence.void("a last exit", account.now)
    entry = account.order("0.4", Role.ENTRY)
    fill = account.fill(entry, "0.1")
    account.picture("0.4", fills=(replace(fill, client_order_id="FOolder"),))
    assert not account.is_good()
    account.picture("0.4", fills=(replace(fill, client_order_id="FOelse"),))
    assert account.is_good()


def test_of_two_actions_of_one_moment_the_later_told_must_be_shown() -> None:
    account = Account(long="0.4", lag=20)
    account.evidence.act("FOone", account.now)
    account.evidence.act("FOtwo", account.now)
    account.evidence.void("a last exit", account.now)
    fill = account.fill(account.order("0.4", Role.ENTRY), "0.1")
    account.picture("0.4", fills=(replace(fill, client_order_id="FOone"),))
    assert not account.is_good()


def test_the_last_action_of_an_earlier_process_must_be_shown() -> None:
    account = Account(long="0.4", lag=20)
    newer, older = account.order("0.1", Role.ENTRY), account.order("0.1", Role.ENTRY)
    older = replace(older, touched_at=account.now - SECOND)
    account.evidence.seed([newer, older])
    account.picture("0.4", fills=(account.fill(older, "0.1"),))
    assert not account.is_good()
    account.picture("0.4", fills=(account.fill(newer, "0.1"),))
    assert account.is_good()


def test_of_seeded_orders_of_one_moment_the_last_must_be_shown() -> None:
    account = Account(long="0.4", lag=20)
    first, last = account.order("0.1", Role.ENTRY), account.order("0.1", Role.ENTRY)
    account.evidence.seed([first, last])
    account.picture("0.4", fills=(account.fill(first, "0.1"),))
    assert not account.is_good()


def test_before_the_first_picture_it_is_told_why() -> None:
    account = Account(long="0.4")
    text = account.evidence.words("BTC", Side.SELL, account.books)
    assert text == "no picture since: nothing was heard from the venue since the start"
    account.hear(r.Disconnected("broken", account.now))
    text = account.evidence.words("BTC", Side.SELL, account.books)
    assert text == "no picture since: the stream broke: broken"


def test_the_words_name_each_part_of_the_bound_of_its_side() -> None:
    account = Account(long="0.4", short="0.3", baseline="1")
    account.picture("1.1")
    account.sent("0.1", Role.STOP)
    account.sent("0.2", Role.STOP, Side.BUY)
    assert account.evidence.words("BTC", Side.SELL, account.books) == (
        "the venue shows 1.1 BTC, ours are 0.4, 1 were there before, 0.1 may still leave"
    )
    assert account.evidence.words("BTC", Side.BUY, account.books) == (
        "the venue shows 1.1 BTC, ours are 0.3, 1 were there before, 0.2 may still leave"
    )


# Fills


def test_a_fill_of_the_moment_of_the_picture_is_in_it() -> None:
    account = Account(long="0.5")
    account.picture("0.5")
    entry = account.sent("0.5", Role.ENTRY, Side.BUY)
    account.filled(entry, "0.5")
    assert account.evidence.held("BTC") == D("0.5")
    account.filled(entry, "0.5", at=account.now + 1)
    assert account.evidence.held("BTC") == D(1)


def test_fills_heard_before_the_first_picture_count_where_they_are_younger() -> None:
    account = Account(long="0.5")
    entry = account.sent("0.6", Role.ENTRY, Side.BUY)
    account.filled(entry, "0.1")
    account.filled(entry, "0.2", at=account.now + 1)
    known = account.filled(entry, "0.3", at=account.now + 2)
    account.picture("1", fills=(known,))
    assert account.evidence.held("BTC") == D("1.2")


def test_a_fill_that_the_newest_picture_lists_is_not_counted_when_it_is_heard() -> None:
    account = Account(long="0.5")
    entry = account.sent("0.6", Role.ENTRY, Side.BUY)
    known, other = (account.fill(entry, "0.3", at=account.now + 1) for _ in range(2))
    account.picture("1", fills=(other, known))
    account.hear(r.Filled(known, account.now))
    assert account.evidence.held("BTC") == D(1)
    account.filled(entry, "0.3", at=account.now + 1)
    assert account.evidence.held("BTC") == D("1.3")


def test_what_is_sold_is_paid_for_in_the_quote_and_what_is_bought_costs_it() -> None:
    account = Account()
    account.picture("1")
    account.wait(1)
    account.filled(account.sent("0.5", Role.ENTRY, Side.BUY), "0.5", fee="7")
    assert account.evidence.held("USD") == D(-30_007)
    assert account.evidence.held("BTC") == D("1.5")
    assert account.evidence.held("ETH") == 0, "neither traded nor taken as a fee"
    account.filled(account.sent("0.25", Role.ENTRY, Side.SELL), "0.25")
    assert account.evidence.held("USD") == D(-15_007)
    assert account.evidence.held("BTC") == D("1.25")


def test_on_margin_the_symbol_moves_and_of_the_coins_only_a_fee() -> None:
    account = Account()
    account.picture("1", net="0.2")
    account.wait(1)
    entry = account.sent("0.5", Role.ENTRY, Side.BUY, leverage=D(2))
    account.filled(entry, "0.5", fee="0.01", currency="BTC")
    assert account.evidence.held(BTC) == D("0.7")
    assert account.evidence.held("BTC") == D("0.99")
    assert account.evidence.held("USD") == 0


def test_a_fill_of_what_is_not_listed_moves_nothing() -> None:
    account = Account()
    account.picture("1")
    account.wait(1)
    fill = account.fill(account.order("0.5", Role.ENTRY, Side.BUY), "0.5", fee="1", currency="BTC")
    account.hear(r.Filled(replace(fill, symbol="XYZ/USD"), account.now))
    assert account.evidence.held("BTC") == D(1)


def test_a_liquidation_is_a_fill_too() -> None:
    account = Account("kraken-futures", long="0.4")
    account.picture(net="0.4")
    account.wait(1)
    fill = account.fill(account.order("0.4"), "0.1")
    account.hear(r.Liquidated(BTC, fill, account.now))
    assert account.bound() == D("0.3")


def test_what_is_found_brings_its_fills_and_its_end() -> None:
    account = Account(long="0.4")
    account.picture("0.4")
    stop = account.sent("0.4", Role.STOP)
    account.wait(1)
    fills = tuple(account.fill(stop, "0.1") for _ in range(2))
    account.hear(
        r.Found(replace(stop, status=Status.CANCELLED, filled=D("0.2")), fills, account.now)
    )
    assert account.evidence.held("BTC") == D("0.2")
    assert not account.evidence.exits()


# Exits


def test_exits_count_for_their_own_side_and_asset_only() -> None:
    account = Account(long="0.4", short="0.4")
    other = instrument_for(load_profile("kraken-spot"), ETH, D("0.01"))
    account.evidence.list([other])
    account.sent("0.1", Role.STOP)
    account.sent("0.2", Role.STOP, Side.BUY)
    account.gate.leaves(Submit(replace(account.order("7"), symbol=ETH), Lane.PROTECT), account.now)
    assert account.evidence.leaving("BTC", Side.SELL) == D("0.1")
    assert account.evidence.leaving("BTC", Side.BUY) == D("0.2")
    assert account.evidence.leaving("ETH", Side.SELL) == D(7)


def test_an_exit_besides_itself_does_not_count() -> None:
    account = Account(long="0.4")
    stop = account.sent("0.1", Role.STOP)
    account.sent("0.2", Role.STOP)
    assert account.evidence.leaving("BTC", Side.SELL, stop.client_order_id) == D("0.2")


def test_an_exit_that_filled_whole_is_over_and_a_part_leaves_the_rest() -> None:
    account = Account(long="0.4")
    stop = account.sent("0.4", Role.STOP)
    account.filled(stop, "0.3")
    assert account.evidence.leaving("BTC", Side.SELL) == D("0.1")
    account.filled(stop, "0.1")
    assert not account.evidence.exits()


def test_a_fill_that_is_told_twice_is_counted_once() -> None:
    account = Account(long="0.4")
    stop = account.sent("0.4", Role.STOP)
    fill = account.filled(stop, "0.1")
    account.hear(r.Filled(fill, account.now))
    account.picture("0.3", fills=(fill,))
    assert account.evidence.leaving("BTC", Side.SELL) == D("0.3")


def test_a_fill_that_only_a_picture_tells_leaves_so_much_less_to_leave() -> None:
    account = Account(long="0.4")
    stop = account.sent("0.4", Role.STOP)
    account.picture("0.3", fills=(account.fill(stop, "0.1"),))
    assert account.evidence.leaving("BTC", Side.SELL) == D("0.3")


def test_an_amend_that_is_under_way_counts_with_the_larger_size_until_it_is_told() -> None:
    account = Account(long="9")
    stop = account.sent("0.2", Role.STOP)
    name = stop.client_order_id
    amended(account, name, None)
    amended(account, "FOunknown", "5")
    amended(account, name, "0.1")
    assert account.evidence.leaving("BTC", Side.SELL) == D("0.2")
    amended(account, name, "0.6")
    assert account.evidence.leaving("BTC", Side.SELL) == D("0.6")
    account.hear(r.Amended(name, D("0.5"), None, None, account.now))
    assert account.evidence.leaving("BTC", Side.SELL) == D("0.5")
    account.hear(r.Amended(name, D(0), None, None, account.now))
    assert account.evidence.leaving("BTC", Side.SELL) == D("0.5"), "a size of zero tells nothing"
    account.hear(r.Amended("FOunknown", D(3), None, None, account.now))
    assert account.evidence.leaving("BTC", Side.SELL) == D("0.5")


def test_a_refusal_ends_an_exit_and_a_duplicate_does_not() -> None:
    account = Account(long="0.4")
    stop = account.sent("0.4", Role.STOP)
    account.hear(r.Rejected(stop.client_order_id, "it exists", account.now, duplicate=True))
    assert account.evidence.leaving("BTC", Side.SELL) == D("0.4")
    account.hear(r.Rejected(stop.client_order_id, "no", account.now))
    assert not account.evidence.exits()


def test_an_end_of_which_nothing_more_filled_than_we_heard_is_over() -> None:
    account = Account(long="0.4")
    stop = account.sent("0.4", Role.STOP)
    account.filled(stop, "0.1")
    account.hear(r.Expired(stop.client_order_id, D("0.1"), account.now))
    assert not account.evidence.exits()
    account.hear(r.Cancelled("FOunknown", D(1), "", account.now))
    assert not account.evidence.exits()


def test_an_end_without_a_size_is_settled_by_the_first_picture_of_its_moment_or_later() -> None:
    account = Account(long="0.4")
    stop = account.sent("0.4", Role.STOP)
    account.wait(1)
    account.hear(r.Cancelled(stop.client_order_id, None, "", account.now))
    account.picture("0.4", as_of=account.now - 1)
    assert account.evidence.exits(), "it was taken before the end"
    account.picture("0.4")
    assert not account.evidence.exits()


def test_an_absence_at_the_very_deadline_is_one_too_early() -> None:
    account = Account(long="0.4")
    close = account.sent("0.4")
    account.wait(4)
    assert close.deadline == account.now
    for moment, left in ((0, True), (0, True), (1, False)):
        account.hear(r.Absent(close.client_order_id, account.now + moment))
        assert bool(account.evidence.exits()) is left


def test_without_a_deadline_an_order_may_be_on_its_way_for_six_seconds() -> None:
    account = Account(long="0.4")
    close = replace(account.order("0.4"), deadline=None)
    account.gate.leaves(Submit(close, Lane.PROTECT), account.now)
    account.wait(6)
    for moment, left in ((0, True), (0, True), (1, False)):
        account.hear(r.Absent(close.client_order_id, account.now + moment))
        assert bool(account.evidence.exits()) is left


def test_an_order_that_is_seen_again_must_be_absent_twice_anew() -> None:
    account = Account(long="0.4")
    close = account.sent("0.4")
    account.wait(9)
    account.hear(r.Absent(close.client_order_id, account.now))
    account.hear(r.Found(replace(close, status=Status.OPEN), (), account.now))
    account.hear(r.Absent(close.client_order_id, account.now))
    assert account.evidence.exits()
    account.hear(r.Absent("FOunknown", account.now))
    assert list(account.evidence.exits()) == [close.client_order_id]


def test_an_order_that_is_found_smaller_or_larger_counts_as_it_is() -> None:
    account = Account(long="0.4")
    stop = account.sent("0.4", Role.STOP)
    account.hear(r.Found(replace(stop, size=D("0.3"), status=Status.OPEN), (), account.now))
    assert account.evidence.leaving("BTC", Side.SELL) == D("0.3")


def test_what_an_earlier_process_left_counts_with_what_was_asked_and_what_had_filled() -> None:
    account = Account(long="0.9")
    stop = replace(account.order("0.4", Role.STOP), filled=D("0.1"), asked_size=D("0.6"))
    account.evidence.seed([stop])
    one = account.evidence.exits()[stop.client_order_id]
    assert (one.size, one.filled, one.open) == (D("0.6"), D("0.1"), D("0.5"))


def test_an_order_that_leaves_again_keeps_what_was_heard_of_it() -> None:
    account = Account(long="0.4")
    stop = account.sent("0.4", Role.STOP)
    account.filled(stop, "0.1")
    account.gate.leaves(Submit(stop, Lane.PROTECT), account.now)
    assert account.evidence.leaving("BTC", Side.SELL) == D("0.3")


def test_an_entry_of_ours_that_a_picture_lists_is_no_exit() -> None:
    account = Account(long="0.4")
    entry = account.sent("0.4", Role.ENTRY, Side.BUY)
    account.picture("0.4", orders=(replace(entry, status=Status.OPEN, venue_order_id="V"),))
    assert not account.evidence.exits()


def test_orders_of_somebody_else_are_none_of_our_exits() -> None:
    account = Account(long="0.4")
    theirs = replace(account.order("0.3", Role.STOP), client_order_id="web", status=Status.OPEN)
    account.picture("0.4", orders=(theirs,))
    assert not account.evidence.exits()


def test_a_stranger_that_is_listed_again_must_be_missed_twice_anew() -> None:
    account = Account(long="0.4")
    ours = account.sent("0.1", Role.STOP)
    stranger = replace(account.order("0.3", Role.ENTRY), status=Status.OPEN, venue_order_id="V")
    for orders in ((stranger,), (), (stranger,), ()):
        account.wait(1)
        account.picture("0.4", orders=orders)
        assert stranger.client_order_id in account.evidence.exits()
    account.wait(1)
    account.picture("0.4")
    assert list(account.evidence.exits()) == [ours.client_order_id], "ours is asked about by id"


def test_a_stranger_in_a_picture_that_does_not_count_is_an_exit_all_the_same() -> None:
    account = Account(long="0.4")
    stranger = replace(account.order("0.3", Role.STOP), status=Status.OPEN, venue_order_id="V")
    account.picture("0.4", orders=(stranger,), as_of=account.now - SECOND)
    assert account.evidence.leaving("BTC", Side.SELL) == D("0.3")
    account.picture("0.4")
    assert account.evidence.leaving("BTC", Side.SELL) == D("0.3"), "one picture is not enough"
    account.picture("0.4")
    assert not account.evidence.exits()


def test_the_end_of_ours_in_a_picture_is_believed() -> None:
    account = Account(long="0.4")
    stop = account.sent("0.4", Role.STOP)
    account.picture("0.4", orders=(replace(stop, status=Status.CANCELLED),))
    assert not account.evidence.exits()


# The bound


@pytest.mark.parametrize(
    ("held", "side", "bound"),
    [
        ("1.1", Side.SELL, "0.4"),
        ("1", Side.SELL, "0.3"),
        ("1.2", Side.SELL, "0.4"),
        ("0", Side.SELL, "0"),
        ("1.1", Side.BUY, "0.3"),
        ("1.2", Side.BUY, "0.2"),
        ("1", Side.BUY, "0.3"),
        ("9", Side.BUY, "0"),
    ],
)
def test_what_lacks_bounds_sales_and_what_is_too_much_bounds_purchases(
    held: str, side: Side, bound: str
) -> None:
    account = Account(long="0.4", short="0.3", baseline="1")
    account.picture(held)
    assert account.bound(side) == D(bound)


@pytest.mark.parametrize(
    ("held", "bound"),
    [("90", "100"), ("89.99", "89.99"), ("111", "100")],
    ids=["exactly the rounding", "more than the rounding", "more than ours is not ours"],
)
def test_a_difference_within_the_rounding_of_balances_is_none(held: str, bound: str) -> None:
    evidence = Evidence(PREFIX, 0, 0, D("0.1"))
    evidence.hear(r.Picture(0, (), (), {"BTC": D(held)}, {}, 0), 0)
    assert evidence.bound("BTC", Side.SELL, Books(long=D(100))) == D(bound)


def test_the_rounding_is_measured_by_the_larger_of_both() -> None:
    evidence = Evidence(PREFIX, 0, 0, D("0.1"))
    evidence.hear(r.Picture(0, (), (), {"BTC": D(111)}, {}, 0), 0)
    books = Books(short=D(5), baseline=D(105))
    assert evidence.bound("BTC", Side.BUY, books) == D(5), "11 of 111 are within the tenth"


def test_no_rounding_is_allowed_where_none_was_said() -> None:
    evidence = Evidence(PREFIX, 0, 0)
    evidence.hear(r.Picture(0, (), (), {"BTC": D("99.999")}, {}, 0), 0)
    assert evidence.bound("BTC", Side.SELL, Books(long=D(100))) == D("99.999")


# Bounds of memory


@pytest.mark.hazard("H62")
def test_twenty_thousand_executions_are_remembered_and_no_more() -> None:
    account = Account("kraken-futures", long="0.4")
    stop = account.sent("0.4", Role.STOP)
    known = account.filled(stop, "0.1")
    entry = account.order("0.4", Role.ENTRY, Side.BUY)
    for _ in range(19_999):
        account.filled(entry, "0.1")
    account.hear(r.Filled(known, account.now))
    assert account.evidence.leaving(BTC, Side.SELL) == D("0.3"), "it is remembered"
    account.filled(entry, "0.1")
    account.hear(r.Filled(known, account.now))
    assert account.evidence.leaving(BTC, Side.SELL) == D("0.2"), "it was forgotten"


@pytest.mark.hazard("H62")
def test_five_thousand_fills_without_a_picture_are_kept_and_no_more() -> None:
    account = Account()
    entry = account.order("1", Role.ENTRY, Side.BUY)
    for _ in range(5_001):
        account.filled(entry, "1", at=account.now + 1)
    account.picture("0")
    assert account.evidence.held("BTC") == D(5_000)
