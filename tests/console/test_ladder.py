"""The price ladder at a real engine: locked it sends nothing, armed a key is one order, and it locks
by itself.
"""

import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual import events

from engine.model import intent as i
from engine.model.order import OrderType
from engine.model.quote import Depth, Level
from engine.model.rules import LadderRules
from engine.model.side import Side
from tests.support.ladder import TICK, LadderStage, ladder_stage
from tests.support.world import BTC, ETH
from tui.flows.cancel import Cancel
from tui.flows.ladder import ArmSheet, SizeLine
from tui.flows.stop import Move
from tui.flows.target import Target
from tui.flows.ticket import Ticket
from tui.ladder import mousing
from tui.layouts.model import Layout, Variant

D = Decimal
ORDER_KEYS = ("h", "l", "H", "L", "d", "u", "D", "U", "W", "O")


def key(stage: LadderStage, name: str) -> None:
    """A key, handled at once: it was typed at what is on the screen now."""
    stage.app.main.take_key(events.Key(name, name if len(name) == 1 else None))


# Locked


async def test_it_is_locked_at_every_start_and_order_keys_open_the_ticket(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path) as stage:
        assert "locked" in stage.text
        assert "ARMED" not in stage.text
        for name in ORDER_KEYS:
            await stage.press(name)
            ticket = stage.app.screen
            assert isinstance(ticket, Ticket), name
            fields = ticket.fields
            assert (fields.amount.value, fields.unit.value) == ("0.1", "size")
            kind = {"h": "limit", "l": "limit", "H": "stop", "L": "stop", "W": "market"}
            assert fields.type.value == kind.get(name, fields.type.value)
            prices = {"h": "60000.0", "d": "join", "U": "improve", "W": ""}
            assert fields.price.value == prices.get(name, fields.price.value)
            buys = name in "hHdDW"
            assert ticket.side.value == ("buy" if buys else "sell")
            await stage.press("escape")
        assert not stage.asked


async def test_a_preset_by_risk_fills_the_ticket(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path) as stage:
        await stage.press("4", "h")
        ticket = stage.app.screen
        assert isinstance(ticket, Ticket)
        assert (ticket.fields.amount.value, ticket.fields.unit.value) == ("0.5%", "risk")


# Armed


async def test_each_order_key_is_one_order_as_it_was_seen(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path, rules=LadderRules(cap=D(1_000_000))) as stage:
        await stage.arm()
        assert " ARMED " in stage.text
        assert stage.pane.has_class("-armed")
        for name in ("h", "d", "D"):
            await stage.press(name)
        await stage.press("k", "k", "l", "L", "u", "U")
        entries = [one for one in stage.asked if isinstance(one, i.OpenBracket)]
        assert len(entries) == len(stage.asked) == 7
        assert all(one.seen is not None and one.seen.bid == D(60_000) for one in entries)
        assert all(one.template == "scalp" and one.stop == i.Away(D("0.005")) for one in entries)
        assert [one.anchored.anchor for one in entries if one.anchored] == [
            i.Anchor.JOIN, i.Anchor.IMPROVE, i.Anchor.JOIN, i.Anchor.IMPROVE,
        ]  # fmt: skip
        limits = [one for one in entries if one.price is not None]
        step = stage.pane.ladder.window.step
        assert [one.price for one in limits] == [D(60_000), D(60_000) + 2 * step]
        assert len({one.id for one in entries}) == 7
        await stage.until(lambda: len(stage.sent) == 3)  # the other side waits for these


async def test_a_market_order_is_protected_by_the_template_and_does_not_lock(
    tmp_path: Path,
) -> None:
    async with ladder_stage(tmp_path) as stage:
        await stage.arm()
        await stage.press("W")
        await stage.until(
            lambda: any(one.role.value == "stop" and one.is_working for one in orders(stage))
        )
        await stage.rest(0.5)
        assert stage.armed, "a stop that is on its way is not a missing one"
        await stage.until(lambda: "E" in stage.text.split("net there")[1])


def orders(stage: LadderStage) -> list[Any]:
    return list(stage.world.state.orders.values())


async def test_a_key_that_is_held_down_is_one_order(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path) as stage:
        await stage.arm()
        await stage.seen()
        for _ in range(30):
            key(stage, "h")
        await stage.rest(0.4)
        assert len(stage.asked) == 1
        await stage.press("h")
        assert len(stage.asked) == 2


async def test_an_entry_without_a_stop_is_refused(tmp_path: Path) -> None:
    values = {"risk.require_stop": True}
    async with ladder_stage(tmp_path, values=values) as stage:
        await stage.press("B", "B")  # scalp, then none
        assert stage.pane.ladder.template == "none"
        await stage.arm()
        await stage.press("h")
        await stage.until(lambda: "needs a stop" in stage.said)
        assert not stage.sent


async def test_a_size_is_typed_and_chosen(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path) as stage:
        await stage.press("2")
        assert stage.pane.ladder.size() == i.Base(D("0.25"))
        await stage.press("0")
        assert isinstance(stage.app.screen, SizeLine)
        await stage.pilot.press("0", ".", "7", "enter")
        await stage.rest()
        assert stage.pane.ladder.size() == i.Base(D("0.7"))
        assert stage.pane.ladder.size_text == "0.7"


async def said(stage: LadderStage, text: str) -> None:
    """Type it into the command line, at a market that goes on."""
    for sign in ":" + text:
        stage.fresh()
        await stage.pilot.press({":": "colon", " ": "space"}.get(sign, sign))


async def test_a_line_with_a_bang_skips_its_card_while_armed_and_below_the_cap(
    tmp_path: Path,
) -> None:
    async with ladder_stage(tmp_path, rules=LadderRules(cap=D(50_000))) as stage:
        await stage.arm()
        await said(stage, "buy 0.1 at cursor !")
        await stage.until(lambda: "does it" in stage.text)
        assert stage.armed, "the line locked the ladder that it is for"
        await stage.pilot.press("enter")
        await stage.until(lambda: stage.asked)
        [entry] = stage.asked
        assert isinstance(entry, i.OpenBracket)
        assert (entry.price, entry.size) == (stage.pane.ladder.window.cursor, i.Base(D("0.1")))
        await stage.until(lambda: stage.app.screen is stage.app.main)
        await said(stage, "buy 2 !")
        await stage.pilot.press("enter")
        await stage.until(lambda: "ladder.cap is 50,000" in stage.text)
        assert len(stage.asked) == 1


# It locks by itself

Cause = Callable[[LadderStage], Awaitable[None]]


async def _focus(stage: LadderStage) -> None:
    stage.app.main.board.listen("positions")


async def _blurred(stage: LadderStage) -> None:
    stage.app.app_focus = False


async def _screen(stage: LadderStage) -> None:
    await stage.press("f4")


async def _layout(stage: LadderStage) -> None:
    variant = Variant((60, 16), ("1fr",), ("1fr", "2fr"), ("positions", "ladder"))
    stage.app.main.board.take(Layout((variant,)))


async def _symbol(stage: LadderStage) -> None:
    stage.app.main.board.focus_on(stage.app.main.link.view, ETH)


async def _stale(stage: LadderStage) -> None:
    quote = stage.world.engine.board.quote(BTC)
    assert quote is not None
    late = replace(quote, at=quote.at - 60_000_000_000)
    stage.world.engine.board.on_quote(late)


async def _crossed(stage: LadderStage) -> None:
    rows = (Level(Side.BUY, D(60_010), D(1)),)
    for _ in range(10):
        stage.world.venue.feed(Depth(BTC, stage.world.clock.now(), rows, snapshot=False))
        await stage.rest(0.05)


async def _empty(stage: LadderStage) -> None:
    rows = (Level(Side.BUY, D(60_000), D(1)),)
    stage.world.venue.feed(Depth(BTC, stage.world.clock.now(), rows, snapshot=True))


async def _disconnected(stage: LadderStage) -> None:
    from engine.model.report import Disconnected

    stage.world.engine.hearing.report(Disconnected("the line broke", stage.world.clock.now()))


async def _naked(stage: LadderStage) -> None:
    stage.world.settings = replace(stage.world.settings)
    answer = await stage.world.buy("0.1", symbol=ETH, stop=None)
    assert answer.ok, answer.refusals


async def _paused(stage: LadderStage) -> None:
    await stage.world.ask(i.Pause(id="p"))


async def _halted(stage: LadderStage) -> None:
    await stage.world.ask(i.Halt(id="h"))


async def _read_only(stage: LadderStage) -> None:
    stage.session.read_only = True


async def _gone(stage: LadderStage) -> None:
    stage.session.silent = 3.0


async def _idle(stage: LadderStage) -> None:
    stage.pane.ladder.arming.touch(time.monotonic() - 600)


CAUSES: dict[str, tuple[Cause, str]] = {
    "focus": (_focus, "the focus is elsewhere"),
    "terminal": (_blurred, "the focus is elsewhere"),
    "screen": (_screen, "another screen"),
    "layout": (_layout, "another layout"),
    "symbol": (_symbol, "another symbol"),
    "stale": (_stale, "is old"),
    "crossed": (_crossed, "crossed"),
    "empty": (_empty, "a side of the book is empty"),
    "disconnected": (_disconnected, "DISCONNECTED"),
    "naked": (_naked, "NAKED"),
    "paused": (_paused, "entries are off: paused"),
    "halted": (_halted, "halted"),
    "read-only": (_read_only, "read-only"),
    "gone": (_gone, "has shown nothing"),
    "idle": (_idle, "no key for 10 min"),
    "key": (lambda stage: stage.press("A"), "by you"),
}


@pytest.mark.parametrize("name", CAUSES)
async def test_it_locks_by_itself_says_why_and_sends_nothing(name: str, tmp_path: Path) -> None:
    cause, why = CAUSES[name]
    async with ladder_stage(tmp_path) as stage:
        await stage.arm()
        before = len(stage.asked)
        said: list[str] = []
        say = stage.app.main.say

        def hears(text: str, tone: str = "plain") -> None:
            said.append(text)
            say(text, tone)

        stage.app.main.say = hears  # type: ignore[method-assign]
        await cause(stage)
        for _ in range(100):
            if not stage.armed:
                break
            await stage.rest(0.05)
        assert not stage.armed
        assert any("ladder locked" in text and why in text for text in said), said
        stage.pane.typed_at = time.monotonic()
        for what in ("buy", "sell-market", "join-bid"):
            stage.pane.do(what)
        await stage.rest(0.2)
        assert len(stage.asked) == before


@pytest.mark.parametrize("name", ["paused", "naked", "disconnected", "read-only", "gone"])
async def test_what_locks_it_refuses_to_arm_it(name: str, tmp_path: Path) -> None:
    cause, _ = CAUSES[name]
    async with ladder_stage(tmp_path) as stage:
        await cause(stage)
        await stage.rest(0.4)
        stage.fresh()
        await stage.pilot.press("A")
        await stage.rest(0.2)
        assert not stage.armed
        assert "arming is refused" in stage.said


async def test_a_reason_that_no_frame_has_shown_yet_still_sends_nothing(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path) as stage:
        await stage.arm()
        await stage.seen()
        stage.session.read_only = True
        stage.pane.typed_at = time.monotonic()
        stage.pane.do("join-bid")
        await stage.rest(0.1)
        assert not stage.asked
        assert not stage.armed


async def test_its_own_cards_do_not_lock_it(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path) as stage:
        await stage.world.opened("0.5")
        await stage.arm()
        for name, card in (("m", Move), ("M", Target), ("0", SizeLine)):
            await stage.press(name)
            assert isinstance(stage.app.screen, card)
            stage.fresh()
            await stage.rest(0.3)
            assert stage.armed
            await stage.press("escape")
        assert stage.armed


# Large orders and live accounts


async def test_an_order_above_the_cap_waits_for_enter(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path, rules=LadderRules(cap=D(7_000))) as stage:
        await stage.arm()
        await stage.press("h")
        assert len(stage.asked) == 1, "6,000 USD are below it"
        await stage.press("2", "d")
        assert len(stage.asked) == 1
        assert "ladder.cap is 7,000. enter sends it" in stage.lines
        await stage.press("escape", "enter")
        assert len(stage.asked) == 1
        stage.app.main.board.listen("ladder")
        await stage.until(lambda: stage.pane.has_focus)
        await stage.arm()
        await stage.press("d", "enter")
        assert len(stage.asked) == 2
        await stage.press("enter")
        assert len(stage.asked) == 2


async def test_a_live_account_is_not_armed_without_a_cap(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path) as stage:
        stage.session.live = True
        await stage.rest(0.3)
        await stage.press("A")
        assert "ladder.cap" in stage.said


async def test_a_live_account_is_armed_on_a_card(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path, rules=LadderRules(cap=D(20_000))) as stage:
        stage.session.live = True
        await stage.rest(0.3)
        await stage.press("A")
        card = stage.app.screen
        assert isinstance(card, ArmSheet)
        for words in ("world", BTC, "20,000 USD", "0.1"):
            assert words in stage.text
        assert not stage.armed
        await stage.until(lambda: card.armed(time.monotonic()))
        stage.fresh()
        await stage.pilot.press("enter")
        await stage.until(lambda: stage.armed)


# Leaving, moving, cancelling


async def test_an_order_against_the_position_leaves(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path) as stage:
        position = await stage.world.opened("0.3")
        await stage.arm()
        await stage.press("O")
        await stage.until(lambda: stage.world.state.positions[position.id].size == D("0.2"))
        await stage.press("2", "O")
        await stage.until(lambda: position.id not in stage.world.state.positions)
        assert not stage.world.state.positions, "nothing was opened on the other side"


async def test_a_stop_is_moved_by_one_amend_however_many_rows(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path, rules=LadderRules()) as stage:
        position = await stage.world.opened("0.3", stop=i.At(D(59_700)))
        stage.pane.ladder.window.regroup(500, D(60_000), 0.0)
        await stage.rest(0.3)
        window = stage.pane.ladder.window
        window.cursor = D(59_700)
        await stage.press("enter", *["k"] * 4)
        assert "59,700.0 → 59,900.0" in stage.lines
        assert stage.pane.ladder.grab is not None
        await stage.press("enter")
        await stage.until(lambda: stage.world.state.positions[position.id].stop == D(59_900))
        await stage.rest(0.3)
        assert len(stage.amends) == 1
        assert len(stage.asked) == 1


async def test_a_wider_stop_needs_its_card_and_esc_lets_go(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path) as stage:
        await stage.world.opened("0.3", stop=i.At(D(59_900)))
        stage.pane.ladder.window.regroup(500, D(60_000), 0.0)
        await stage.rest(0.3)
        stage.pane.ladder.window.cursor = D(59_900)
        await stage.press("enter", "j", "j", "escape")
        assert "nothing was changed" in stage.said
        stage.pane.ladder.window.cursor = D(59_900)
        await stage.press("enter", "j", "j", "enter")
        assert isinstance(stage.app.screen, Move)
        assert not stage.asked


async def test_an_entry_is_moved_and_cancelled_at_the_cursor(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path) as stage:
        assert (await stage.world.buy("0.1", type=OrderType.LIMIT, price=D(59_900))).ok
        await stage.until(lambda: orders(stage) and orders(stage)[0].is_working)
        stage.pane.ladder.window.regroup(500, D(60_000), 0.0)
        await stage.rest(0.3)
        stage.pane.ladder.window.cursor = D(59_900)
        await stage.press("enter", "j", "enter")
        await stage.until(lambda: orders(stage)[0].price == D(59_850))
        assert len(stage.amends) == 1
        await stage.press("c")
        assert isinstance(stage.app.screen, Cancel), "locked: with its card"
        await stage.press("escape")
        await stage.arm()
        await stage.press("c")
        await stage.until(lambda: not orders(stage))


async def test_a_stop_is_never_cancelled_without_its_card(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path) as stage:
        await stage.world.opened("0.3", stop=i.At(D(59_900)))
        stage.pane.ladder.window.regroup(500, D(60_000), 0.0)
        await stage.rest(0.3)
        stage.pane.ladder.window.cursor = D(59_900)
        await stage.arm()
        await stage.press("c")
        assert isinstance(stage.app.screen, Cancel)
        assert not stage.asked


# The mouse


async def click(stage: LadderStage, price: Decimal, x: int, button: int = 1) -> None:
    """A click on the row of a price."""
    window = stage.pane.ladder.window
    y = window.prices().index(price) + 4
    await stage.pilot.click("#ladder", offset=(x, y), button=button)
    await stage.rest(0.2)


async def test_a_click_trades_only_while_it_is_armed(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path) as stage:
        window = stage.pane.ladder.window
        below, above = (window.below(D(60_000)) + n * window.step for n in (-2, 2))
        await stage.rest(0.4)
        await click(stage, below, 10)
        assert window.cursor == below
        assert not stage.asked
        await stage.arm()
        await stage.rest(0.4)
        await click(stage, below, 10)
        await click(stage, above, 60)
        await click(stage, above, 34)
        assert [(one.side, one.price) for one in stage.asked if isinstance(one, i.OpenBracket)] == [
            (Side.BUY, below), (Side.SELL, above),
        ]  # fmt: skip
        await stage.until(lambda: [o for o in orders(stage) if o.is_working])
        await stage.rest(0.3)
        await click(stage, below, 10, button=3)
        await stage.until(lambda: not orders(stage))


async def test_a_click_on_a_row_that_has_just_moved_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mousing, "MOVED", 30.0)
    async with ladder_stage(tmp_path) as stage:
        await stage.arm()
        window = stage.pane.ladder.window
        await stage.rest(0.4)
        window.scroll(1, time.monotonic())
        await click(stage, window.top - 12 * window.step, 10)
        assert not stage.asked
        assert "moved under the pointer" in stage.said


# What the market does meanwhile


async def test_no_order_leaves_outside_the_drift_or_at_a_price_that_was_not_painted(
    tmp_path: Path,
) -> None:
    """The best moves 1 to 50 ticks between the picture and the key."""
    # sells leave what buys opened, at a loss each time
    values = {"risk.max_open_risk": 100, "risk.losing_streak": 1_000}
    async with ladder_stage(tmp_path, values=values) as stage:
        await stage.arm()
        stage.pane.ladder.window.regroup(1, D(60_000), 0.0)
        allowed = refused = 0
        for ticks in (1, 2, 4, 5, 6, 7, 12, 25, 50, -1, -5, -6, -30, -50):
            for name in ("h", "d", "D", "u", "W"):
                await stage.press("space")
                picture = stage.pane.ladder.pictures.at(time.monotonic())
                assert picture is not None
                stage.pane.ladder.window.cursor = picture.seen.bid - 3 * TICK
                before = len(stage.sent)
                stage.book(picture.seen.bid + ticks * TICK)
                key(stage, name)
                await stage.rest(0.05)
                for order in stage.sent[before:]:
                    assert abs(ticks) <= 5, (ticks, name)
                    assert order.price is not None
                    if name != "W":
                        painted = picture.seen.ask if name == "u" else picture.seen.bid
                        assert abs(order.price - painted) <= 5 * TICK
                    if name == "h":
                        assert picture.painted(order.price)
                allowed += len(stage.sent) > before
                refused += len(stage.sent) == before
                assert stage.armed
                await stage.world.ask(i.CancelAll(id=stage.world.name()))
                stage.book(D(60_000))
        assert allowed > 0
        assert refused > 0


# How it looks


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40), (200, 60)])
async def test_it_fits_every_terminal(size: tuple[int, int], tmp_path: Path) -> None:
    async with ladder_stage(tmp_path, size=size) as stage:
        await stage.world.opened("0.3")
        stage.trade(D("60000"), "2")
        await stage.until(lambda: "◂" in stage.text)
        lines = stage.text.splitlines()
        assert all(len(line) <= size[0] for line in lines)
        assert "60,000.0" in stage.text
        assert "best only" not in stage.text
        if size[0] >= 80:
            assert "net there" in stage.text
            assert "F9 FLATTEN" in stage.text


async def test_where_only_the_best_is_known_nothing_else_is_drawn(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path) as stage:
        stage.app.main.board.focus_on(stage.app.main.link.view, ETH)
        await stage.until(lambda: "best only" in stage.text)
        told = stage.pane.ladder.told
        assert told is not None
        assert (len(told.bids), len(told.asks)) == (1, 1)


async def test_the_net_there_is_the_net_of_the_positions_pane(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path) as stage:
        await stage.world.opened("0.3")
        await stage.until(lambda: stage.pane.ladder.told and stage.pane.ladder.told.net)
        ladder = stage.pane.ladder
        assert ladder.told is not None
        (held,) = stage.app.main.link.view.positions
        assert held.mark is not None
        net = ladder.shown(ladder.told).net(held.mark)
        assert net is not None
        assert held.net is not None
        assert abs(net - held.net) < D("1e-9")
