"""The parts of the ladder that know no screen: window, pictures, rows, presses, what keys mean."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model import intent as i
from engine.model.order import OrderType
from engine.model.side import Side
from engine.session.messages import DepthTold, Terms
from tests.console.sample import SampleSession
from tui.ladder.arming import Presses, too_large
from tui.ladder.drawing import MARKS, form_for, head, line_of, side_at
from tui.ladder.drawing import Look as Drawn
from tui.ladder.picture import Picture, Pictures
from tui.ladder.rows import Row, Shown, net_line, rows_of
from tui.ladder.sending import KEYS, UnsendableError, Wanted, intent_of
from tui.ladder.window import STILL, Window, first_group, next_group

D = Decimal
SEEN = i.Seen("BTC/USD", 7, 1, D("62063.3"), D("62063.4"))


def window(top: str = "62100", rows: int = 21, group: int = 100) -> Window:
    found = Window()
    found.tick, found.group, found.rows, found.top = D("0.1"), group, rows, D(top)
    found.cursor = D("62040")
    return found


# The window


@pytest.mark.parametrize(
    ("stop", "group"),
    # half of 1,267.3 in ten rows; half a per cent of the price where there is no stop
    [(D("60796"), 1000), (None, 500), (D("62063"), 1)],
)
def test_the_first_group_shows_half_the_way_to_the_stop(stop: Decimal | None, group: int) -> None:
    assert first_group(D("0.1"), 20, D("62063.3"), stop) == group


def test_groups_go_by_one_two_and_five() -> None:
    found = [1]
    while len(found) < 7:
        found.append(next_group(found[-1], 1))
    assert found == [1, 2, 5, 10, 20, 50, 100]
    assert next_group(1, -1) == 1


def test_bids_round_down_and_asks_up() -> None:
    here = window()
    assert (here.below(D("62063.3")), here.above(D("62063.4"))) == (D(62060), D(62070))
    assert (here.below(D(62060)), here.above(D(62060))) == (D(62060), D(62060))


def test_rows_stand_still_until_nobody_has_acted_for_a_while() -> None:
    here = window()
    top = here.top
    here.touched_at = 100.0
    assert not here.follow(D(63000), D(63001), 100.0 + STILL - 0.01)
    assert here.top == top
    assert here.follow(D(63000), D(63001), 100.0 + STILL)
    assert here.shows(D(63000))
    assert here.moved_at == 100.0 + STILL
    assert not here.follow(D(63050), D(63051), 200.0), "inside the inner part"


def test_the_cursor_takes_the_window_along_at_its_edges() -> None:
    here = window()
    here.move(6, 1.0)
    assert (here.cursor, here.top) == (D(62100), D(62100))
    here.move(1, 2.0)
    assert (here.cursor, here.top, here.moved_at) == (D(62110), D(62110), 2.0)
    here.move(-30, 3.0)
    assert here.cursor == here.bottom == D(61810)


def test_the_cursor_keeps_its_price_when_rows_are_grouped_anew() -> None:
    here = window()
    here.regroup(500, D(62063), 1.0)
    assert here.cursor == D(62050)
    assert here.shows(D(62050))


def test_what_is_off_the_screen_is_told_in_rows() -> None:
    here = window()
    assert (here.away(D("64584")), here.away(D("60796")), here.away(D(62000))) == (249, -111, 0)


# Pictures


def test_a_key_saw_what_stood_there_when_it_was_typed() -> None:
    pictures = Pictures()
    for at in (1.0, 2.0, 3.0):
        pictures.add(Picture(at, SEEN, D(int(at)), D(0), D(1)))
    found = [pictures.at(at) for at in (0.5, 1.0, 2.9, 9.0)]
    assert [one and one.top for one in found] == [None, D(1), D(2), D(3)]
    pictures.clear()
    assert pictures.at(9.0) is None


def test_only_a_row_of_the_picture_was_painted() -> None:
    picture = Picture(1.0, SEEN, D(62100), D(61900), D(10))
    assert [picture.painted(D(p)) for p in ("62100", "61900", "62110", "61890", "62005")] == [
        True, True, False, False, False,
    ]  # fmt: skip


# Rows


def told(**terms: Any) -> DepthTold:
    given: dict[str, Any] = {
        "bids": ((D("62063.3"), D(1)), (D("62061"), D(2)), (D("62055"), D(4)), (D(10), D(9))),
        "asks": ((D("62063.4"), D(3)), (D("62079"), D(5)), (D(99999), D(9))),
        "deep": True,
        "terms": Terms(D("0.1"), D("0.001"), D(1), inverse=False, quote="USD", rate=D(1)),
    }
    return DepthTold(1, **{**given, **terms})


def test_sizes_and_volume_are_summed_into_rows() -> None:
    here = told(volume=((D("62041"), D(2)), (D("62049.9"), D(1)), (D("62071"), D(7))))
    rows = {r.price: r for r in rows_of(Shown(window(), here, (), None, lambda _: None))}
    assert (rows[D(62060)].bid, rows[D(62050)].bid, rows[D(62040)].bid) == (D(3), D(4), None)
    assert (rows[D(62070)].ask, rows[D(62080)].ask) == (D(3), D(5))
    assert (rows[D(62040)].volume, rows[D(62080)].volume) == (D(3), D(7))
    assert len(rows) == 21


def test_marks_say_entry_stop_targets_and_liquidation() -> None:
    position = next(p for p in SampleSession().view().positions if p.symbol == "BTC/USD")
    wide = window("66000", rows=1000)
    rows = rows_of(Shown(wide, told(), (), position, lambda _: None))
    marks = {row.price: row.marks for row in rows if row.marks}
    assert (
        marks[wide.nearest(position.entry)].startswith("E")
        or "E" in marks[wide.nearest(position.entry)]
    )
    assert position.stop is not None
    assert "S" in marks[wide.nearest(position.stop)]


@given(st.integers(1, 200_000), st.booleans())
def test_the_net_of_a_row_is_exact_between_two(price: int, inverse: bool) -> None:
    def net(at: Decimal) -> Decimal:
        return D("-12.5") + D(3) * (1 / at if inverse else at)

    low, high = D(50_000), D(70_000)
    line = net_line(low, high, (net(low), net(high)), inverse=inverse)
    found = line(D(price))
    assert found is not None
    assert abs(found - net(D(price))) < D("1e-15")
    assert net_line(low, high, (), inverse=False)(D(1)) is None


@pytest.mark.parametrize("width", [44, 56, 78, 118])
def test_no_line_is_wider_than_its_pane_and_no_number_is_cut(width: int) -> None:
    row = Row(
        D("162040.1"), D("123456.789"), D("9.25"), D("0.25"), D("12345.678"), "ES◂", D(5),
        D("-1234567.89"), "3.1/9.25",
    )  # fmt: skip
    look = Drawn(D("0.1"), D("0.001"), D("162040.1"), None, D(5))
    line = "".join(text for text, _ in line_of(row, look, width, 9))
    titles = "".join(text for text, _ in head(width, 9, trades=True))
    assert len(titles) <= width
    assert len(line) <= width
    assert "162,040.1ES◂" in line
    assert ("3.1/9.25" in line) is (width >= 78)
    assert ("B 0.250" in line) is (width >= 56)
    assert "123,457" in line or "123.5k" in line
    assert [column.title for column in form_for(width, 9)[1]][:1] == ["ask"]


def test_a_click_means_the_side_of_the_price_it_lands_on() -> None:
    middle = next(x for x in range(78) if side_at(78, 8, x) == "price")
    assert [side_at(78, 8, x) for x in (0, middle - 1, middle, middle + 8 + MARKS + 2)] == [
        "bid", "bid", "price", "ask",
    ]  # fmt: skip


# Presses


def test_a_key_that_is_held_or_bounces_is_one_press() -> None:
    presses = Presses()
    assert not presses.is_repeat("h", 1.0)
    assert [presses.is_repeat("h", 1.0 + n * 0.03) for n in range(1, 50)] == [True] * 49
    assert not presses.is_repeat("l", 2.4), "another key is another press"
    assert not presses.is_repeat("h", 2.47 + 0.15)


@pytest.mark.parametrize(
    ("notional", "size", "cap", "usual", "large"),
    [
        (D(100), D(1), None, None, False),
        (D(100), D(1), D(100), None, False),
        (D("100.01"), D(1), D(100), None, True),
        (None, D(1), D(100), None, True),
        (D(1), D(3), None, D(1), False),
        (D(1), D("3.1"), None, D(1), True),
        (D(1), None, None, D(1), True),
    ],
)
def test_what_is_large_or_not_known_waits_for_a_second_key(
    notional: Decimal | None,
    size: Decimal | None,
    cap: Decimal | None,
    usual: Decimal | None,
    large: bool,
) -> None:
    assert bool(too_large(notional, size, cap, usual)) is large


# What keys mean


def wanted(what: str, **terms: Any) -> Wanted:
    picture = Picture(1.0, SEEN, D(62100), D(61900), D(10))
    position = next(p for p in SampleSession().view().positions if p.symbol == "BTC/USD")
    given = {
        "symbol": "BTC/USD", "cursor": D(62040), "size": i.Base(D("0.25")), "template": "",
        "picture": picture, "position": position,
    }  # fmt: skip
    return Wanted(KEYS[what], **{**given, **terms})


def made(what: str, **terms: Any) -> Any:
    return intent_of(wanted(what, **terms), "x", None)


@pytest.mark.parametrize(
    ("what", "side", "kind", "price", "trigger", "anchor"),
    [
        ("buy", Side.BUY, OrderType.LIMIT, D(62040), None, None),
        ("sell", Side.SELL, OrderType.LIMIT, D(62040), None, None),
        ("buy-stop", Side.BUY, OrderType.STOP, None, D(62040), None),
        ("sell-stop", Side.SELL, OrderType.STOP, None, D(62040), None),
        ("join-bid", Side.BUY, OrderType.LIMIT, None, None, i.Anchor.JOIN),
        ("join-ask", Side.SELL, OrderType.LIMIT, None, None, i.Anchor.JOIN),
        ("improve-bid", Side.BUY, OrderType.LIMIT, None, None, i.Anchor.IMPROVE),
        ("improve-ask", Side.SELL, OrderType.LIMIT, None, None, i.Anchor.IMPROVE),
        ("buy-market", Side.BUY, OrderType.MARKET, None, None, None),
        ("sell-market", Side.SELL, OrderType.MARKET, None, None, None),
    ],
)
def test_each_order_key_says_what_it_says(
    what: str, side: Side, kind: OrderType, price: Any, trigger: Any, anchor: Any
) -> None:
    intent = made(what, position=None)
    assert isinstance(intent, i.OpenBracket)
    assert (intent.side, intent.type, intent.price, intent.trigger) == (side, kind, price, trigger)
    assert (intent.anchored.anchor if intent.anchored else None) == anchor
    assert intent.seen == SEEN


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ({"picture": None}, "no book"),
        ({"size": None}, "no size"),
        ({"cursor": D(62110)}, "off the screen"),
        ({"cursor": D(62045)}, "off the screen"),
        ({"cursor": None}, "off the screen"),
    ],
)
def test_what_was_not_painted_is_not_sent(terms: dict[str, Any], says: str) -> None:
    with pytest.raises(UnsendableError, match=says):
        made("buy", position=None, **terms)


def test_an_order_against_what_is_held_leaves_and_never_more_than_that() -> None:
    held = wanted("sell-market").position
    assert held is not None
    assert held.side is Side.BUY
    some = made("sell-market")
    assert isinstance(some, i.ClosePosition)
    assert (some.position, some.size, some.seen) == (held.id, D("0.25"), SEEN)
    # a size and no share: what fills into the position meanwhile leaves no more than was meant
    assert some.part == 1
    assert made("sell-market", size=i.Base(D(100))).size == 100
    assert isinstance(made("sell-market", size=i.Base(D(100)), flip=True), i.Reverse)
    assert isinstance(made("sell-market", flip=True), i.ClosePosition), "less than is held"
    assert isinstance(made("buy-market"), i.OpenBracket), "with it, it is an entry"


def test_a_limit_against_what_is_held_is_an_exit_at_that_limit() -> None:
    held = wanted("sell").position
    assert held is not None
    some = made("sell", cursor=D(62090))
    assert isinstance(some, i.LeaveAt)
    assert (some.position, some.size, some.price) == (held.id, D("0.25"), D(62090))
    assert some.seen == SEEN
    # a size and no share, as at market: the desk cuts it to what is held
    assert made("sell", cursor=D(62090), size=i.Base(D(9))).size == 9


@pytest.mark.parametrize("word", ["join", "improve"])
def test_join_and_improve_are_told_by_the_desk_within_what_was_seen(word: str) -> None:
    some = made(f"{word}-ask")
    assert isinstance(some, i.LeaveAt)
    assert (some.price, some.anchored) == (None, i.Anchored(i.Anchor(word)))
    assert some.seen == SEEN


def test_a_limit_that_would_cross_leaves_only_within_the_spread() -> None:
    near = Picture(1.0, SEEN, D(62100), D(61900), D("0.1"))
    assert made("sell", cursor=SEEN.bid, picture=near).price == SEEN.bid
    with pytest.raises(UnsendableError, match="spread"):
        made("sell", cursor=D(62040))


@pytest.mark.parametrize(
    ("what", "terms", "says"),
    [("sell-stop", {}, "m moves it"), ("sell-market", {"size": i.Risk(D(100))}, "in units")],
)
def test_what_can_not_leave_so_says_what_to_do(what: str, terms: dict[str, Any], says: str) -> None:
    with pytest.raises(UnsendableError, match=says):
        made(what, **terms)
