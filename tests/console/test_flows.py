"""Each flow: keys in, the intent that reached the session, then what the screen says."""

from decimal import Decimal

import pytest
from textual import events

from engine.model.intent import (
    Acknowledge,
    AmendOrder,
    Annotate,
    At,
    Away,
    Base,
    CancelAll,
    CancelOrder,
    CancelSymbol,
    ClosePosition,
    Default,
    Flatten,
    InR,
    MoveStop,
    MoveTarget,
    OpenBracket,
    PartialTarget,
    Pause,
    Reconcile,
    Resume,
    Reverse,
    Risk,
    SetTrail,
    Ticks,
    Worth,
)
from engine.model.order import OrderType
from engine.model.refusal import Refusal
from engine.model.side import Side
from engine.model.view import Preview, PreviewLine
from tests.console.conftest import Stage, Staged
from tests.console.sample import SampleSession
from tui.flows.card import preview_lines
from tui.flows.dialog import Dialog

SIZES = [(120, 40), (80, 24)]


@pytest.mark.parametrize("size", SIZES)
async def test_close_is_one_enter(staged: Staged, size: tuple[int, int]) -> None:
    async with staged(size) as stage:
        await stage.open("x")
        await stage.shows("closes BTC/USD at market")
        await stage.press("enter")
        intent = await stage.one_asked()
        assert isinstance(intent, ClosePosition)
        assert (intent.position, intent.part) == ("P1", Decimal(1))
        await stage.frames()
        await stage.shows("sent → ClosePosition confirmed by the venue in 142 ms")


async def test_part_close_takes_a_quarter_a_half_or_three_quarters(stage: Stage) -> None:
    await stage.open("X")
    await stage.open("right")
    await stage.press("enter")
    intent = await stage.one_asked()
    assert isinstance(intent, ClosePosition)
    assert intent.part == Decimal("0.75")


async def test_a_tighter_stop_is_one_enter(stage: Stage) -> None:
    await stage.open("m")
    await stage.press("up", "up", "shift+up")
    await stage.press("enter")
    intent = await stage.one_asked()
    assert isinstance(intent, MoveStop)
    assert (intent.position, intent.stop) == ("P1", At(Decimal("60797.2")))
    await stage.frames(0.2)
    assert "60,797.2  VENUE" in stage.text or "confirmed" in stage.text


async def test_a_wider_stop_takes_a_reason_and_a_second_enter_on_a_red_line(stage: Stage) -> None:
    await stage.open("m")
    await stage.press("shift+down")
    await stage.shows("WIDENS the stop: more can be lost")
    await stage.press("enter")
    assert not stage.asked
    await stage.shows("needs a reason")
    await stage.type("below the swing low")
    early = events.Key("enter", "\r")
    await stage.press("enter")
    assert not stage.asked
    await stage.shows("enter again does it")
    stage.app.post_message(early)
    await stage.frames()
    assert not stage.asked, "the second enter was typed before the red line was armed"
    await stage.frames(0.4)
    await stage.press("enter")
    intent = await stage.one_asked()
    assert isinstance(intent, MoveStop)
    assert intent.reason == "below the swing low"
    assert intent.stop == At(Decimal("60795.0"))


async def test_no_stop_at_all_takes_the_same(stage: Stage) -> None:
    await stage.open("m")
    await stage.clear()
    await stage.frames(0.3)
    await stage.shows("REMOVES the stop")
    await stage.press("enter")
    assert not stage.asked
    await stage.shows("needs a reason")


async def test_a_price_off_the_tick_is_offered_the_nearest(stage: Stage) -> None:
    stage.session.suggestion = Decimal("61000.1")
    stage.session.preview_refusals = (Refusal("STOP_OFF_TICK", "61000.13", "61000.1"),)
    await stage.open("m")
    await stage.clear()
    await stage.type("61000.13")
    await stage.frames(0.3)
    await stage.shows("the nearest allowed price is 61,000.1")
    await stage.press("enter")
    assert not stage.asked
    await stage.shows("off the tick")
    stage.session.preview_refusals = ()
    await stage.press("f2")
    await stage.press("enter")
    assert isinstance(stage.asked[0], MoveStop)
    assert stage.asked[0].stop == At(Decimal("61000.1"))


async def test_a_number_that_means_two_things_is_refused(stage: Stage) -> None:
    await stage.open("m")
    await stage.clear()
    await stage.type("61,5")
    await stage.press("enter")
    await stage.shows("'61,5' is not a number")
    assert not stage.asked


async def test_unknown_says_so_and_never_closes_itself(stage: Stage) -> None:
    stage.session.outcome = "break"
    await stage.open("m")
    await stage.press("up", "enter")
    await stage.frames(2.0)
    await stage.shows("UNKNOWN: the engine did not answer")
    await stage.shows("Move the stop")
    await stage.press("enter")
    assert len(stage.asked) == 1


async def test_an_order_in_doubt_shows_its_evidence_in_the_dialog(stage: Stage) -> None:
    from msgspec.structs import replace

    stage.session.outcome = "unknown"
    await stage.open("m")
    await stage.press("up", "enter")
    first = stage.session.orders[0]
    stage.session.orders[0] = replace(
        first,
        order=replace(first.order, in_doubt=True),
        state="UNKNOWN",
        evidence="asked twice, no answer",
    )
    await stage.frames(2.0)
    await stage.shows("UNKNOWN, asking the venue: asked twice")
    await stage.shows("Move the stop")


async def test_rejected_says_why_and_stays(stage: Stage) -> None:
    stage.session.outcome = "reject"
    await stage.open("m")
    await stage.press("up", "enter")
    await stage.frames(1.9)
    await stage.shows("rejected: the venue said: err [code=-2019] Margin is insufficient")


async def test_refused_at_once_says_why_and_may_be_changed_under_a_new_id(stage: Stage) -> None:
    stage.session.outcome = "refuse"
    stage.session.refusals = (Refusal("STOP_WOULD_FIRE", "62100", "62063.3"),)
    await stage.open("m")
    await stage.press("up", "enter")
    await stage.shows("the stop 62100 would fire at once")
    stage.session.outcome = "confirm"
    await stage.press("up", "enter")
    first, second = stage.asked
    assert first.id != second.id


async def test_break_even_is_a_prefilled_move_that_covers_the_fees(stage: Stage) -> None:
    await stage.open("b")
    await stage.shows("62,149.7")
    await stage.press("enter")
    assert isinstance(stage.asked[0], MoveStop)
    assert stage.asked[0].stop == At(Decimal("62149.7"))


async def test_trail_on_and_off(stage: Stage) -> None:
    await stage.open("t")
    await stage.press("enter")
    await stage.frames(2.0)
    await stage.open("t")
    await stage.clear()
    await stage.press("enter")
    on, off = stage.asked
    assert isinstance(on, SetTrail)
    assert isinstance(off, SetTrail)
    assert on.trail is not None
    assert on.trail.fraction == Decimal("0.008")
    assert off.trail is None


async def test_reverse_cancel_amend_and_cancel_symbol(stage: Stage) -> None:
    await stage.open("v")
    await stage.press("enter", "escape")
    await stage.open("2", "j", "j", "c")
    await stage.shows("cancels it")
    await stage.press("enter")
    await stage.press("escape")
    await stage.open("j", "C")
    await stage.shows("stops and targets of open positions stay")
    await stage.press("enter")
    assert [type(i).__name__ for i in stage.asked] == [
        kind.__name__ for kind in (Reverse, CancelOrder, CancelSymbol)
    ]
    assert isinstance(stage.asked[1], CancelOrder)
    assert stage.asked[1].order == "FOAAA3ENTRY"


async def test_m_on_an_entry_amends_it(stage: Stage) -> None:
    await stage.open("2", "j", "j", "m")
    await stage.press("down", "enter")
    intent = await stage.one_asked()
    assert isinstance(intent, AmendOrder)
    assert (intent.order, intent.price) == ("FOAAA3ENTRY", Decimal("60999.9"))


@pytest.mark.parametrize("size", SIZES)
async def test_the_ticket_previews_and_places_on_the_second_enter(
    staged: Staged, size: tuple[int, int]
) -> None:
    async with staged(size) as stage:
        await stage.open("n")
        await stage.press("tab")
        await stage.type("320")
        await stage.press("tab", "tab")
        await stage.type("1%")
        await stage.press("tab")
        await stage.type("64584")
        await stage.frames(0.3)
        await stage.shows("break-even")
        await stage.shows("! a fill below 0.0001 BTC could not be protected")
        await stage.press("enter")
        assert not stage.asked
        await stage.shows("BUY BTC/USD: enter again places it")
        await stage.frames(0.4)
        await stage.press("enter")
        intent = await stage.one_asked()
        assert isinstance(intent, OpenBracket)
        assert intent.symbol == "BTC/USD"
        assert intent.side is Side.BUY
        assert intent.type is OrderType.MARKET
        assert intent.size == Risk(Decimal(320))
        assert intent.stop == Away(Decimal("0.01"))
        assert intent.target == At(Decimal(64584))


async def test_the_ticket_places_a_limit_by_size_and_short(stage: Stage) -> None:
    await stage.open("n")
    await stage.press("s", "tab")
    await stage.type("0.25")
    await stage.press("tab", "s", "tab")
    await stage.type("65000")
    await stage.press("tab", "tab", "l", "tab")
    await stage.type("63,000.5")
    await stage.open("enter")
    await stage.press("enter")
    intent = await stage.one_asked()
    assert isinstance(intent, OpenBracket)
    assert (intent.side, intent.type, intent.price) == (
        Side.SELL,
        OrderType.LIMIT,
        Decimal("63000.5"),
    )
    assert intent.size == Base(Decimal("0.25"))
    assert intent.stop == At(Decimal(65000))


async def test_the_ticket_takes_targets_of_parts_and_declines_defaults(stage: Stage) -> None:
    await stage.open("n")
    await stage.press("tab")
    await stage.type("320")
    await stage.press("tab", "tab")
    await stage.type("none")
    await stage.press("tab")
    await stage.type("half@1% 2%")
    await stage.frames(0.3)
    await stage.shows("'half@1%' is no target of a part such as 50%@1%")
    await stage.clear()
    await stage.type("50%@1% 25%@64000 2%")
    await stage.open("enter")
    await stage.press("enter")
    intent = await stage.one_asked()
    assert isinstance(intent, OpenBracket)
    assert (intent.stop, intent.target) == (None, Away(Decimal("0.02")))
    assert intent.partials == (
        PartialTarget(Away(Decimal("0.01")), Decimal("0.5")),
        PartialTarget(At(Decimal(64000)), Decimal("0.25")),
    )
    assert intent.without == (Default.STOP,)


async def test_on_a_screen_without_a_chart_the_ticket_still_knows_what_is_traded(
    staged: Staged, session: SampleSession
) -> None:
    session.positions.clear()
    session.orders.clear()
    async with staged((80, 24)) as stage:
        await stage.open("n")
        await stage.shows("symbol    BTC/USD")


async def test_the_ticket_takes_a_leverage(stage: Stage) -> None:
    await stage.open("n")
    await stage.press("s", "tab")
    await stage.type("0.25")
    await stage.press(*["tab"] * 7)
    await stage.type("a lot")
    await stage.frames(0.3)
    await stage.shows("leverage: 'a lot' is not a number")
    await stage.clear()
    await stage.type("3x")
    await stage.open("enter")
    await stage.press("enter")
    intent = await stage.one_asked()
    assert isinstance(intent, OpenBracket)
    assert intent.leverage == 3


async def test_what_the_venue_would_refuse_is_refused_in_the_ticket(stage: Stage) -> None:
    stage.session.preview_refusals = (Refusal("SIZE_BELOW_MINIMUM", "0.00001", "0.0001"),)
    await stage.open("n")
    await stage.press("tab")
    await stage.type("1")
    await stage.frames(0.3)
    await stage.shows("✗ the size 0.00001 is below the venue's minimum of 0.0001")
    await stage.open("enter")
    await stage.press("enter")
    assert not stage.asked


async def test_flatten_is_typed_then_a_sheet_then_a_receipt(stage: Stage) -> None:
    await stage.open("F")
    await stage.press("enter")
    assert not stage.asked
    await stage.type("flat")
    await stage.press("enter")
    assert not stage.asked
    await stage.type("TEN")
    await stage.armed()
    await stage.press("enter")
    assert isinstance(await stage.one_asked(), Flatten)
    await stage.shows("under way")
    await stage.shows("cancelling")
    await stage.press("escape")
    assert "under way" not in stage.text
    await stage.press("F")
    await stage.frames(0.3)
    await stage.shows("under way")
    stage.session.end_flatten()
    await stage.frames(0.4)
    await stage.shows("flat after 4s")
    await stage.shows("the venue says flat")
    assert len(stage.asked) == 1


async def test_pause_needs_no_confirmation_and_toggles(stage: Stage) -> None:
    await stage.press("p")
    await stage.frames()
    await stage.shows("ENTRIES OFF: paused")
    await stage.press("p")
    assert [type(i) for i in stage.asked] == [Pause, Resume]


async def test_acknowledge_and_reconcile(stage: Stage) -> None:
    await stage.press("8", "j", "a")
    await stage.press("R")
    first, second = stage.asked
    assert isinstance(first, Acknowledge)
    assert first.alert == "ORDER_REJECTED:P3"
    assert isinstance(second, Reconcile)


async def test_the_command_line_runs_what_is_typed_and_nothing_ambiguous(stage: Stage) -> None:
    await stage.open(":")
    await stage.type("c")
    await stage.press("enter")
    await stage.shows("which one")
    await stage.type("ancel-all")
    await stage.press("enter")
    await stage.frames()
    assert [type(i) for i in stage.asked] == [CancelAll]


async def test_the_palette_runs_commands_too(stage: Stage) -> None:
    await stage.press("ctrl+p")
    await stage.frames(0.3)
    await stage.type("pause or")
    await stage.frames(0.6)
    await stage.press("enter")
    await stage.frames(0.4)
    if not stage.asked:
        await stage.press("enter")
        await stage.frames(0.4)
    assert [type(i) for i in stage.asked] == [Pause]


async def test_quit_lists_what_stays_open_and_leaves_in_order(stage: Stage) -> None:
    await stage.open("q")
    await stage.shows("SOL/USD long 1.500 has no stop at all")
    await stage.shows("ETH/USD short 1.000 stop 3,491.80 LOCAL")
    await stage.shows("goes on at the venue")
    await stage.press("enter")
    await stage.shows("something that protects ends here: type quit, then enter")
    closed = stage.session.closed
    assert closed is False
    await stage.press("escape")
    assert stage.app.screen is stage.app.main
    await stage.open("q")
    await stage.type("quit")
    await stage.pilot.press("enter")
    await stage.pilot.pause(0.2)
    assert stage.session.closed
    assert stage.app.return_code == 0


async def test_export_writes_a_file_and_says_where(stage: Stage) -> None:
    await stage.press("e")
    [path] = list((stage.app.options.home / "exports").glob("positions-*.csv"))
    await stage.shows("exported 3 positions to")
    assert path.read_text().splitlines()[1].startswith("BTC/USD,LONG,0.500")
    assert path.stat().st_mode & 0o777 == 0o600


async def test_copy_puts_the_row_on_the_clipboard(stage: Stage) -> None:
    await stage.press("y")
    assert stage.app.clipboard.startswith("BTC/USD\tLONG\t0.500")


async def test_read_only_says_who_holds_the_account(staged: Staged) -> None:
    async with staged() as stage:
        stage.session.read_only = True
        await stage.frames()
        await stage.shows("READ-ONLY pid 4242 on desk-2")
        await stage.press("x")
        await stage.shows("read-only: pid 4242 on desk-2 holds the account")
        await stage.press("p")
        assert not stage.asked


async def test_target_and_note(stage: Stage) -> None:
    await stage.open("M")
    await stage.press("up", "enter")
    await stage.press("escape")
    await stage.open("N")
    await stage.type("held over the news")
    await stage.press("tab")
    await stage.type("news swing")
    await stage.press("enter", "escape")
    await stage.open("2", "j", "m")
    await stage.shows("Move the target")
    moved, noted = stage.asked
    assert isinstance(moved, MoveTarget)
    assert moved.target == At(Decimal("64584.1"))
    assert isinstance(noted, Annotate)
    assert (noted.note, noted.tags) == ("held over the news", ("news", "swing"))


@pytest.mark.parametrize("key", ["x", "X", "m", "M", "b", "t", "v", "w", "F", "N", ":"])
async def test_in_the_smallest_terminal_each_dialog_says_its_keys_and_turns_its_pages(
    staged: Staged, key: str
) -> None:
    async with staged((60, 16)) as stage:
        await stage.open(key)
        dialog = stage.app.screen
        assert isinstance(dialog, Dialog)
        await stage.frames(0.3)
        assert "esc" in stage.text
        if dialog.frame.max_scroll_y:
            await stage.shows("pgdn more")
            for _ in range(4):
                await stage.press("pagedown")
            await stage.shows("pgup more")
            assert dialog.frame.scroll_offset.y == dialog.frame.max_scroll_y
            assert "esc" in stage.text


def test_a_card_without_room_for_columns_cuts_no_figure() -> None:
    card = Preview(
        "",
        (
            PreviewLine("at stops", "−111.50 of 24,995.02", "−77.87 of 24,995.15"),
            PreviewLine("limit of the first order", "", "61,515.9"),
        ),
    )
    for room in (40, 56, 74):
        text = "\n".join("".join(part for part, _ in line) for line in preview_lines(card, room))
        told = " ".join(text.split())
        for said in ("−111.50 of 24,995.02 →", "24,995.15", "limit of the first order 61,515.9"):
            assert said in told, text
        assert max(map(len, text.splitlines())) <= room


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("40t", Ticks(Decimal(40))),
        ("0.5r", InR(Decimal("0.5"))),
        ("300$", Worth(Decimal(300))),
        ("1%", Away(Decimal("0.01"))),
    ],
)
async def test_a_stop_is_moved_by_ticks_r_or_money(stage: Stage, typed: str, place: object) -> None:
    await stage.open("m")
    await stage.clear()
    await stage.type(typed)
    await stage.press("enter")
    intent = await stage.one_asked()
    assert isinstance(intent, MoveStop)
    assert intent.stop == place
