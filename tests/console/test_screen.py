"""What the main screen shows, at each size."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.clock import SECOND
from engine.model.alert import Alert
from engine.model.codes import BlockCode
from engine.model.intent import ClosePosition
from engine.model.view import Reason
from tests.console.conftest import Stage, Staged
from tests.console.sample import T0, SampleSession
from tui.ladder.arming import Situation, against
from tui.status import OFF


async def test_the_three_questions_are_answered_at_a_glance(stage: Stage) -> None:
    strip = stage.text.splitlines()[0]
    for said in (
        "PAPER",
        "NAKED 1",
        "eq 9,980.52",
        "day ▼19.48",
        "at stops UNBOUNDED",
        "feed 51ms",
        "lag 1ms",
        "⚠ 2",
    ):
        assert said in strip


async def test_the_five_panes_show_the_view(stage: Stage) -> None:
    for said in (
        "1 Positions", "2 Orders", "3 P&L  [day] session all", "8 Activity", "4 Chart  BTC/USD", "7 Limits",
        "60,796.0  VENUE", "3,491.80  LOCAL", "NO STOP  NAKED ✗", "▼43.17", "▼24.44", "UNBOUNDED", "Σ net ▼93.94",
        "41/60", "flatten now", "SOL/USD has no stop", "stop 60,796.0", "entry 62,100.0",
    ):  # fmt: skip
        await stage.shows(said)


async def test_80_by_24_has_positions_above_one_tabbed_pane(staged: Staged) -> None:
    async with staged((80, 24)) as stage:
        await stage.shows("60,796.0  VENUE")
        await stage.shows("61,000.0")
        await stage.shows("7 Limits")
        assert "41/60" not in stage.text
        await stage.press("7")
        await stage.shows("41/60")
        assert "61,000.0" not in stage.text
        await stage.press("8")
        await stage.shows("order rejected")
        assert all(len(line) <= 80 for line in stage.text.splitlines())


async def test_a_tiny_terminal_says_so_in_one_line_and_still_flattens(staged: Staged) -> None:
    async with staged((60, 12)) as stage:
        await stage.shows("60×12: needs 60×16. F F9 still flattens")
        assert "Positions" not in stage.text
        await stage.open("F")
        await stage.type("FLATTEN")
        await stage.press("enter")
        assert [type(intent).__name__ for intent in stage.asked] == ["Flatten"]
        await stage.shows("0 of 3 flat")


async def test_resizing_rearranges_a_living_screen(staged: Staged) -> None:
    async with staged((120, 40)) as stage:
        for size, said in (
            ((80, 24), "7 Limits"),
            ((60, 10), "needs 60×16"),
            ((120, 40), "41/60"),
            ((160, 50), "41/60"),
        ):
            await stage.pilot.resize_terminal(*size)
            await stage.frames(0.3)
            await stage.shows(said)


@pytest.mark.hazard("H55")
async def test_a_stale_price_is_marked_and_its_profit_is_not_shown_as_true(stage: Stage) -> None:
    stage.session.change("P1", stale=True)
    await stage.frames()
    await stage.shows("62,063.3 STALE")


@pytest.mark.hazard("H35")
async def test_a_stop_asked_for_and_not_yet_confirmed_stands_beside_the_one_that_works(
    stage: Stage,
) -> None:
    stage.session.change("P1", stop_wanted=Decimal("61250.0"))
    await stage.frames()
    await stage.shows("60,796.0→61,250.0")


async def test_reducing_lists_its_reasons(stage: Stage) -> None:
    stage.session.reasons.append(Reason("PAUSED", "paused by hand", T0, "p"))
    await stage.frames()
    assert "ENTRIES OFF: paused" in stage.text.splitlines()[0]


async def test_an_empty_account_says_what_empty_means(
    staged: Staged, session: SampleSession
) -> None:
    session.positions, session.orders, session.alerts = [], [], []
    async with staged() as stage:
        for said in (
            "No open positions",
            "no open order",
            "no alerts",
            "naked 0",
        ):
            await stage.shows(said)


async def test_notices_come_in_order_and_none_is_skipped(stage: Stage) -> None:
    said: list[str] = []
    plain_say = stage.app.main.say

    def say(text: str, tone: str = "plain") -> None:
        said.append(text)
        plain_say(text, tone)

    stage.app.main.say = say  # type: ignore[method-assign]
    for i in range(40):
        stage.session.tell(f"fill {i}", "good")
        if i % 9 == 0:
            await stage.frames(0.05)
    await stage.frames()
    assert said == [f"fill {i}" for i in range(40)]
    await stage.shows("fill 39")


async def test_notices_that_left_the_view_before_a_frame_are_admitted(stage: Stage) -> None:
    stage.session.tell("first")
    await stage.shows("· first")
    for i in range(80):
        stage.session.tell(f"n{i}")
    await stage.frames()
    await stage.shows("30 notices went by too fast")


async def test_at_most_three_toasts_and_repeated_ones_are_merged(stage: Stage) -> None:
    for text in ("a", "b", "b", "c", "d", "b"):
        stage.session.tell(f"refused {text}", "bad", kind="refused")
        await stage.frames(0.15)
    toasts = stage.app.main.toasts
    assert [(t.text, t.count) for t in toasts.toasts] == [
        ("refused c", 1),
        ("refused d", 1),
        ("refused b", 3),
    ]


async def test_a_critical_alert_rings_three_times_and_again_each_minute_until_it_is_acknowledged(
    stage: Stage,
) -> None:
    before = stage.app.main.bells
    alert = Alert("STOP_REFUSED", "BTC/USD", "insufficient margin", T0, target="P1")
    stage.session.alerts = [alert]
    stage.session.tell(alert.text, "bad", kind="stop_refused")
    await stage.frames(0.3)
    assert stage.app.main.bells == before + 3
    for minute, rings in ((55, 3), (62, 6), (110, 6), (125, 9)):
        stage.session.later = minute * SECOND
        await stage.frames(0.2)
        assert stage.app.main.bells == before + rings, minute
    stage.session.alerts = [replace(alert, acknowledged_at=T0)]
    stage.session.later = 300 * SECOND
    await stage.frames(0.2)
    assert stage.app.main.bells == before + 9
    await stage.shows("the venue refused the stop of BTC/USD")


async def test_for_a_screen_reader_nothing_moves_but_the_last_line_which_is_whole(
    staged: Staged,
) -> None:
    async with staged((80, 24), screen_reader=True) as stage:
        await stage.shows("BTC/USD")
        await stage.frames(1.2)  # the last key is a second ago
        stage.session.change("P2", stop=Decimal("3499.9"))
        words = " ".join(f"word{number}" for number in range(30))
        stage.session.tell(f"refused {words}", "bad", kind="refused")
        await stage.shows("word29")
        assert all(word in stage.text for word in words.split())
        assert not stage.app.main.toasts.display
        assert "3,499.9" not in stage.text
        await stage.press("j")
        await stage.shows("3,499.9")
        await stage.open("x")
        before = stage.session.looks
        await stage.shows("enter closes ETH/USD")
        await stage.shows("of equity")  # the card is there
        await stage.frames(1.3)
        shown = stage.text
        stage.session.change("P1", net=Decimal(-99))
        await stage.frames(0.5)
        assert stage.text == shown
        assert stage.session.looks > before
        await stage.press("enter")
        assert isinstance(await stage.one_asked(), ClosePosition)
    assert "nothing moves here" in against(Situation(stage.session.view(), "BTC/USD", still=True))


async def test_only_changed_lines_are_painted_again(stage: Stage) -> None:
    await stage.frames(0.3)
    grid = stage.app.main.board.positions
    before = grid.repainted
    await stage.frames(0.3)
    assert grid.repainted == before
    stage.session.change("P2", net=Decimal(-9))
    await stage.frames()
    assert grid.repainted == before + 1


def test_every_reason_that_blocks_entries_has_words_in_the_first_line() -> None:
    assert set(OFF) == set(BlockCode) - {BlockCode.HALTED}, "a halt has a line of its own"
