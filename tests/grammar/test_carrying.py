"""A line on its way, without anybody who does something: what is next, and how it ends."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.grammar.around import Around
from engine.grammar.card import card
from engine.grammar.carry import Ask, Carrying, Ended, Look, Outcome, Perform
from engine.grammar.parser import parse
from engine.grammar.resolve import Confirm, confirmation, plan
from engine.grammar.wrong import Wrong
from engine.model import intent as i
from engine.model.order import OrderType, Role, Status
from engine.model.refusal import Refusal
from engine.model.side import Side
from engine.model.view import Answer, FlattenView, OrderView, View
from tests.console.sample import SECOND, SampleSession, order, position

D = Decimal
START = SampleSession().view()


def carrying(text: str, view: View = START) -> Carrying:
    def around(view: View) -> Around:
        return Around(view=view, focus="BTC/USD")

    line = parse(text, around(view).vocabulary).line
    assert line is not None
    return Carrying(line, "k", around)


class Play:
    """Drives a line by hand: each look is a tenth of a second later."""

    def __init__(self, text: str, view: View = START) -> None:
        self.line = carrying(text, view)
        self.view = view
        self.asked: list[i.AnyIntent] = []

    def look(self, seconds: float = 0.1) -> object:
        self.view = replace(self.view, at=self.view.at + int(seconds * SECOND))
        return self.line.next(self.view)

    def answer(self, *refusals: Refusal, created: str = "") -> None:
        told = self.line.next(self.view)
        assert isinstance(told, Ask), told
        self.asked.append(told.intent)
        self.line.answered(Answer(told.intent.id, refusals, created=created))

    def ended(self) -> Ended:
        told = self.line.next(self.view)
        assert isinstance(told, Ended), told
        return told

    def fresh(self) -> object:
        """What is next once the views are fresh."""
        for _ in range(5):
            self.look()
        return self.line.next(self.view)


def test_each_part_is_asked_under_a_key_of_its_own_and_a_refusal_ends_the_line() -> None:
    play = Play("pause; cancel all; close all")
    play.answer()
    play.answer(Refusal("NOTHING_TO_DO", "no entry is open"))
    play.answer()
    play.answer(Refusal("ALREADY_CLOSING", "x"))
    play.answer()
    ended = play.ended()
    assert (ended.outcome, ended.part) == (Outcome.REFUSED, 3)
    assert ended.text.startswith(Refusal("ALREADY_CLOSING", "x").text)
    assert [one.id for one in play.asked] == ["k.1", "k.2", "k.3.P1", "k.3.P2", "k.3.P3"]


def test_what_closes_has_the_key_of_its_position_whatever_else_is_open() -> None:
    play = Play("close all 50%")
    play.view = replace(play.view, positions=play.view.positions[1:2])
    play.answer()
    assert [one.id for one in play.asked] == ["k.1.P2"], "a second time it is known"


@pytest.mark.parametrize(
    ("text", "asked"), [("all", i.CancelAll), ("btc", i.CancelSymbol), ("buys", None)]
)
def test_a_cancel_of_all_is_asked_though_the_view_shows_no_entry(
    text: str, asked: type | None
) -> None:
    """A view that is older than the entry shows none."""
    play = Play(f"buy 0.1 at 62,000 stop -1%; cancel {text}")
    play.answer(created="P7")
    play.view = replace(play.view, orders=())
    if asked is None:
        assert isinstance(play.look(), Look), "it waits for a view that knows the entry"
        play.view = with_order(working())(play.view)
        play.fresh()
        play.answer()
        assert play.asked[-1] == i.CancelOrder(id="k.2.FOEEE9", order="FOEEE9")
        return
    play.answer(Refusal("NOTHING_TO_DO", "no entry is open"))
    assert type(play.asked[-1]) is asked
    assert play.ended().outcome is Outcome.DONE


def test_an_entry_of_an_earlier_part_that_is_in_doubt_ends_the_line() -> None:
    play = Play("buy 0.1 at 62,000; pause; close eth")
    play.answer(created="P7")
    play.answer()
    play.view = with_order(working(doubt=True))(play.view)
    assert play.ended().outcome is Outcome.UNKNOWN


def test_a_flatten_between_two_parts_ends_the_line_and_its_own_does_not() -> None:
    play = Play("pause; target eth 2r")
    play.answer()
    play.view = replace(play.view, flatten=FlattenView(play.view.at + 1, None, (), ()))
    play.look()
    assert play.ended().outcome is Outcome.STOPPED
    play = Play("flatten; wait flat")
    play.answer()
    play.view = replace(
        play.view, flatten=FlattenView(play.view.at + 1, None, (), ()), positions=()
    )
    play.fresh()
    assert play.ended().outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("text", "price", "outcome"),
    [
        ("amend #14 at 61,000", "61000", Outcome.DONE),
        ("amend #14 at 61,000", "61500", Outcome.REFUSED),
        ("cancel #14", "61500", Outcome.REFUSED),
        ("stop btc 61,000", "60796", Outcome.RAN_OUT),
        ("stop btc 61,000", "61000", Outcome.DONE),
    ],
)
def test_what_the_venue_left_as_it_was_is_not_done(text: str, price: str, outcome: Outcome) -> None:
    """The orders at the end have this price or trigger, and none is under way any more."""
    play = Play(text)
    play.answer()
    assert play.ended().outcome is Outcome.DONE
    play.line.settle(10)
    rows = [
        replace(row, order=replace(row.order, price=D(price), trigger=D(price)))
        for row in play.view.orders
    ]
    held = [replace(p, stop=D(61_000)) if p.id == "P1" else p for p in play.view.positions]
    play.view = replace(play.view, orders=tuple(rows), positions=tuple(held))
    for _ in range(12):
        play.look(1)
    assert play.ended().outcome is outcome


def test_what_was_asked_under_this_key_before_is_told_so() -> None:
    play = Play("pause")
    told = play.line.next(play.view)
    assert isinstance(told, Ask)
    play.line.answered(Answer(told.intent.id, text="entries paused", repeated=True))
    assert play.ended().text == "entries paused (asked before)"


def test_no_answer_is_an_unknown_outcome() -> None:
    play = Play("pause; close all")
    assert isinstance(play.look(), Ask)
    play.line.answered(ConnectionError("hung up"))
    assert play.ended() == Ended(Outcome.UNKNOWN, "no answer: hung up", 1)


def working(status: Status = Status.OPEN, *, doubt: bool = False) -> OrderView:
    row = order(
        "FOEEE9", "BTC/USD", Side.BUY, OrderType.LIMIT, Role.ENTRY, "0.1", price="62000", of="P7"
    )
    return replace(
        row, order=replace(row.order, status=status, in_doubt=doubt), evidence="no reply"
    )


Change = Callable[[View], View]


def with_order(row: OrderView) -> Change:
    return lambda view: replace(view, orders=(row,))


def held(view: View) -> View:
    there = position("P7", "BTC/USD", Side.BUY, "0.1", "62000", "62063.3", "61000")
    return replace(view, orders=(), positions=(*view.positions, there))


@pytest.mark.parametrize(
    ("until", "change", "over"),
    [
        ("accepted", with_order(working(Status.PENDING)), False),
        ("accepted", with_order(working()), True),
        ("filled", with_order(working()), False),
        ("filled", held, True),
        ("accepted", held, True),
    ],
)
def test_what_an_entry_waits_for(until: str, change: Change, over: bool) -> None:
    play = Play(f"buy 0.1 at 62,000; wait {until}; pause")
    play.answer(created="P7")
    play.view = change(play.view)
    assert isinstance(play.fresh(), Ask if over else Look)


def test_a_wait_believes_no_view_that_may_be_older_than_the_answer() -> None:
    play = Play("close eth; wait filled; pause")
    play.answer()
    assert isinstance(play.look(), Look), "it does not say yet that it is closing"
    play.view = replace(
        play.view, positions=tuple(replace(p, closing=p.id == "P2") for p in play.view.positions)
    )
    assert isinstance(play.fresh(), Look)
    play.view = replace(play.view, positions=play.view.positions[:1])
    assert isinstance(play.fresh(), Ask)


def test_an_entry_that_ends_without_a_fill_ends_the_line() -> None:
    play = Play("buy 0.1 at 62,000; wait filled; trail 0.4%")
    play.answer(created="P7")
    play.view = replace(play.view, orders=())
    assert isinstance(play.look(), Look)
    play.look(2)
    play.look(2)
    assert play.ended().outcome is Outcome.REFUSED
    assert "ended without a fill" in play.ended().text


def test_an_order_in_doubt_ends_the_line_before_its_next_part() -> None:
    play = Play("buy 0.1 at 62,000; pause")
    play.answer(created="P7")
    play.view = with_order(working(doubt=True))(play.view)
    assert play.line.next(play.view) == Ended(Outcome.UNKNOWN, "UNKNOWN: an order: no reply", 2)


def test_waits_run_out_end_with_a_flatten_and_can_be_stopped() -> None:
    play = Play("wait flat within 5s; pause")
    assert isinstance(play.look(), Look)
    assert play.line.waiting
    play.look(6)
    assert play.ended().outcome is Outcome.RAN_OUT
    play = Play("wait flat; pause")
    play.look()
    play.view = replace(
        play.view, flatten=FlattenView(play.view.at + 1, None, (), ()), positions=()
    )
    play.look()
    assert play.ended().text == "a flatten ended the line"
    play = Play("wait 10s; pause")
    play.look()
    play.line.stop("ended with esc")
    assert play.ended() == Ended(Outcome.STOPPED, "ended with esc", 1)
    play = Play("wait 10s; pause")
    play.look()
    assert isinstance(play.look(11), Ask)


def test_the_end_waits_for_the_venue() -> None:
    play = Play("buy 0.1 at 62,000")
    play.answer(created="P7")
    assert play.ended().outcome is Outcome.DONE
    play.line.settle(10)
    play.view = with_order(working(Status.PENDING))(play.view)
    assert isinstance(play.fresh(), Look)
    play.view = with_order(working())(play.view)
    assert isinstance(play.fresh(), Ended)
    assert play.ended().outcome is Outcome.DONE


def test_what_is_about_the_screen_is_performed_by_who_drives() -> None:
    play = Play("export orders; pause")
    assert isinstance(play.look(), Perform)
    play.line.performed("exported")
    play.answer()
    assert play.ended().text == "exported; pause"
    play = Play("export orders; pause")
    play.look()
    play.line.performed(wrong="the disk is full")
    assert play.ended() == Ended(Outcome.REFUSED, "the disk is full", 1)


def test_what_is_set_is_known_to_later_parts_and_a_named_symbol_is_meant() -> None:
    play = Play("set @lot = 0.25; buy eth @lot stop -1%; be")
    play.answer(created="P8")
    play.answer()
    entry, even = play.asked
    assert isinstance(entry, i.OpenBracket)
    assert (entry.symbol, entry.size) == ("ETH/USD", i.Base(Decimal("0.25")))
    assert isinstance(even, i.BreakEven)
    assert even.position == "P2", "of ETH/USD, which the part before named"
    assert set(play.line.variables) == {"lot"}


def test_a_part_may_name_the_symbol_that_one_before_it_adds() -> None:
    play = Play("watch add doge; buy doge 100; close doge")
    told = play.look()
    assert isinstance(told, Perform), told
    play.line.performed("DOGE/USD is watched")
    told = play.look()
    assert told == Look("a price of doge"), "nobody knows yet which symbol that is"
    feed = replace(play.view.feeds[0], symbol="DOGE/USD", bid=D("0.1"), ask=D("0.11"))
    play.view = replace(play.view, feeds=(*play.view.feeds, feed))
    play.answer(created="P9")
    [asked] = play.asked
    assert isinstance(asked, i.OpenBracket)
    assert asked.symbol == "DOGE/USD"


def test_a_symbol_that_never_comes_ends_the_line() -> None:
    play = Play("watch add doge; buy doge 100")
    play.look()
    play.line.performed("DOGE/USD is watched")
    assert play.look() == Look("a price of doge")
    play.look(31.0)
    assert play.ended().outcome is Outcome.REFUSED
    assert "no price of doge is known yet" in play.ended().text
    assert play.asked == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("watch add doge; buy dogge 100", "unknown symbol “dogge”"),
        ("buy doge 100; watch add doge", "unknown symbol “doge”"),
        ("watch add doge; buy doge 0,5", "use a point for decimals: 0.5"),
        ("watch add doge; buy doge 1; clos", "unknown command “clos”; did you mean close?"),
    ],
)
def test_the_rest_of_such_a_line_is_read_before_its_first_part_leaves(
    line: str, wrong: str
) -> None:
    found = parse(line, Around(view=START, focus="BTC/USD").vocabulary).wrong
    assert found is not None
    assert wrong in found.text


def test_the_card_of_such_a_line_says_what_it_waits_for() -> None:
    around = Around(view=START, focus="BTC/USD")
    line = parse("watch add doge; buy DOGE/USD 100", around.vocabulary).line
    assert line is not None
    steps = plan(line, around, "k")
    assert not isinstance(steps, Wrong)
    assert [card(one, []).waits for one in steps] == ["", "once doge is watched"]
    assert confirmation(steps) is Confirm.CARD
