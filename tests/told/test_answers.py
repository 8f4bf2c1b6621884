"""Every question that a key asks ends in an answer on screen: what a comparison found, and what the
venue said to an order, a change, a close.
"""

import re
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest

from engine.model import report as r
from engine.model.order import Order, OrderType, Role
from engine.model.request import Amend, Cancel, QueryAccount, Request, Submit
from engine.model.side import Side
from engine.venues.protocol import NotSentError
from tests.support.told import Theatre, change, submit, theatre
from tests.support.world import BTC

D = Decimal
LIMIT = OrderType.LIMIT
SIZES = [(120, 40), (80, 24)]
pytestmark = pytest.mark.hazard("H111")


@pytest.mark.parametrize("size", SIZES)
async def test_the_result_of_a_comparison_is_told(size: tuple[int, int], tmp_path: Path) -> None:
    async with theatre(tmp_path, size=size) as t:
        await t.world.opened("0.5")
        await t.press("R")
        await t.until(
            lambda: re.search(
                r"compared with the venue as of \d\d:\d\d:\d\d: no difference", t.text
            )
        )
        assert "compared" in {line.kind for line in t.lines}


@pytest.mark.parametrize("size", SIZES)
async def test_the_sheet_says_what_it_asked_and_what_was_found(
    size: tuple[int, int], tmp_path: Path
) -> None:
    async with theatre(tmp_path, size=size) as t:
        t.world.venue.external(
            Order(
                "SOMEBODY", "", BTC, Side.BUY, OrderType.MARKET, Role.ENTRY, D("0.3"), foreign=True
            )
        )
        await t.rest(0.5)
        await t.press("V")
        await t.until(lambda: "2 differences" in t.text)
        assert "Compare" in t.text
        await t.rest(0.6)
        await t.press("f")
        await t.until(
            lambda: "asking the venue" not in t.text and "…" not in t.text.splitlines()[-8]
        )
        t.world.line.next.clear()
        await t.press("R")
        await t.until(lambda: re.search(r"1 difference:|no difference", t.text))


async def test_a_venue_that_does_not_answer_is_told_too(tmp_path: Path) -> None:
    def silent(_: Request) -> tuple[r.VenueReport, ...]:
        raise NotSentError("the cable is out")

    async with theatre(tmp_path) as t:
        send = t.world.line.send

        async def refuse(request: Request) -> tuple[r.VenueReport, ...]:
            return silent(request) if isinstance(request, QueryAccount) else await send(request)

        t.world.line.send = refuse  # type: ignore[method-assign]
        await t.press("V")
        await t.until(lambda: "asking the venue" in t.text)
        await t.until(lambda: "the venue has not answered for 10 s" in t.text, 30)


async def _ticket(t: Theatre) -> None:
    t.world.line.next[Submit] = submit(
        lambda q: r.Rejected(
            q.order.client_order_id, "EOrder:Margin is insufficient", t.world.clock.now()
        )
    )
    await t.press("n")
    await t.rest(0.6)
    await t.pilot.press("tab", *"0.25", "tab", "s")
    await t.rest(0.3)
    await t.press("enter")
    await t.rest(0.6)
    await t.press("enter")


async def _move(t: Theatre) -> None:
    await t.world.opened("0.5")
    await t.rest(0.3)
    t.world.line.next[Amend] = change(
        lambda q: r.AmendRejected(
            q.client_order_id, "EOrder:Margin is insufficient", t.world.clock.now()
        )
    )
    await t.press("m")
    await t.rest(0.6)
    await t.pilot.press("up")
    await t.rest(0.3)
    await t.press("enter")


async def _cancel(t: Theatre) -> None:
    await t.world.buy("0.25", type=LIMIT, price=D(59_000))
    await t.until(lambda: bool(t.world.resting))
    await t.rest(0.3)
    t.world.line.next[Cancel] = change(
        lambda q: r.CancelRejected(
            q.client_order_id, "EOrder:Margin is insufficient", t.world.clock.now()
        )
    )
    await t.press("2")
    await t.press("c")
    await t.rest(0.6)
    await t.press("enter")


@pytest.mark.parametrize("act", [_ticket, _move, _cancel])
async def test_what_the_venue_refuses_is_said_in_the_dialog_that_asked(
    act: Callable[[Theatre], Awaitable[None]], tmp_path: Path
) -> None:
    async with theatre(tmp_path) as t:
        await act(t)
        await t.until(
            lambda: (
                re.search(r"rejected: .*EOrder:Margin", t.text.replace("\n", " "))
                and "╭─ " in t.text
            )
        )
        assert t.app.screen is not t.app.main, "it is still the dialog that says so"


async def test_a_target_that_is_typed_as_a_distance_ends_in_its_answer(tmp_path: Path) -> None:
    async with theatre(tmp_path) as t:
        await t.world.opened("0.5")
        await t.rest(0.3)
        await t.press("M")
        await t.rest(0.6)
        await t.pilot.press("2", "percent_sign")
        await t.rest(0.4)
        await t.press("enter")
        await t.until(lambda: "✓ sent → " in t.text or t.app.screen is t.app.main)
        assert t.world.position().target == D("61200.2")


async def test_settling_is_answered_in_the_sheet(tmp_path: Path) -> None:
    async with theatre(tmp_path) as t:
        t.world.venue.external(
            Order(
                "SOMEBODY", "", BTC, Side.BUY, OrderType.MARKET, Role.ENTRY, D("0.3"), foreign=True
            )
        )
        await t.rest(0.5)
        await t.press("V")
        await t.until(lambda: "2 differences" in t.text)
        await t.rest(0.6)
        await t.press("f")
        answer = next(
            line
            for line in t.world.engine.notices
            if line.kind == "asked" and line.intent.startswith("tui-") and "asking" not in line.text
        )
        await t.until(lambda: answer.text[:40] in t.text)


def test_a_comparison_counts_what_it_saw() -> None:
    from engine.desk import events as e
    from engine.desk.telling import compared
    from tests.support.world import START, Story

    story = Story()
    story.opened("0.5")
    told = compared(e.Reconciled(START, START, (), ()), story.state, "x")
    assert told.text.endswith("no difference (1 position, 1 order)")
    told = compared(
        e.Reconciled(START, START, (), ("BTC: ours 1, the venue's 2",)), story.state, "x"
    )
    assert (told.tone, told.intent) == ("bad", "x")
    assert told.text.endswith("1 difference: BTC: ours 1, the venue's 2")
