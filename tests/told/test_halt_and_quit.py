"""A halt that can be ended, by name; what acts while it lasts; and what the quit sheet says ends
with the process.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest

from engine.clock import SECOND
from engine.model import intent as i
from engine.model.order import OrderType, Trail
from engine.model.position import Protection
from engine.model.side import Side
from tests.support.told import Theatre, theatre
from tests.support.world import BTC, ETH, Story, World, play

D = Decimal
LIMIT = OrderType.LIMIT
SIZES = [(120, 40), (80, 24)]


@pytest.mark.hazard("H101")
def test_while_halted_a_target_and_a_trail_are_watched_by_nobody_and_said_so() -> None:
    story = Story()
    story.opened(target=i.Away(D("0.02")), trail=Trail(fraction=D("0.01"), after=D("0.01")))
    (view,) = story.views.positions(story.ctx)
    assert (view.protection, view.target_where, view.trail_where) == (
        Protection.VENUE,
        "local",
        "local",
    )
    assert view.protection_text == "a stop rests at the venue"
    story.ask(i.Halt(id="h"))
    (view,) = story.views.positions(story.ctx)
    assert (view.protection, view.target_where, view.trail_where) == (
        Protection.VENUE,
        "off",
        "off",
    )
    assert view.protection_text == "halted: target and trail not watched"
    story.price(BTC, "61300")
    assert not story.position().closing, "and indeed nobody does"
    story.ask(i.Resume(id="r", reason="HALTED"))
    (view,) = story.views.positions(story.ctx)
    assert (view.target_where, view.trail_where) == ("local", "local")


def test_a_target_at_the_venue_acts_while_halted() -> None:
    story = Story("kraken-futures")
    story.opened(target=i.Away(D("0.02")))
    story.ask(i.Halt(id="h"))
    (view,) = story.views.positions(story.ctx)
    assert view.target_where == "venue"


def test_a_stop_that_only_this_process_watches_is_naked_while_halted() -> None:
    story = Story()
    story.buy(stop=i.Away(D("0.01")))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry)
    assert story.views.positions(story.ctx)[0].protection is Protection.GUARDED
    story.ask(i.Halt(id="h"))
    (view,) = story.views.positions(story.ctx)
    assert view.protection is Protection.NAKED
    assert view.protection_text == "halted: stop not watched"


def test_a_price_that_is_too_old_is_watched_by_nobody() -> None:
    story = Story()
    story.opened(target=i.Away(D("0.02")))
    story.wait(62, fresh=False)
    (view,) = story.views.positions(story.ctx)
    assert (view.target_where, view.protection_text) == ("off", "price too old: target not watched")


def test_a_halt_is_a_reason_that_names_its_end() -> None:
    story = Story()
    story.ask(i.Halt(id="h"))
    mode, reasons = story.views.mode(story.ctx)
    assert (mode, [(reason.code, reason.clears) for reason in reasons]) == (
        "HALTED",
        [("HALTED", "unhalt")],
    )
    assert story.buy().refusals[0].text == "halted by you: nothing opens; :unhalt ends it"


@pytest.mark.hazard("H101")
def test_a_flatten_works_while_halted(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await world.opened("0.5", target=i.Away(D("0.02")))
        await world.ask(i.Halt(id="h"))
        await world.ask(i.Flatten(id="f"))
        await world.until(
            lambda: world.state.flatten is not None and world.state.flatten.ended_at is not None
        )
        assert world.held == 0
        assert not world.resting

    play(tale, tmp_path)


async def _type(t: Theatre, text: str) -> None:
    await t.pilot.press(*text)


@pytest.mark.hazard("H101")
@pytest.mark.parametrize("size", SIZES)
async def test_a_halt_is_ended_on_the_screen_by_the_accounts_name(
    size: tuple[int, int], tmp_path: Path
) -> None:
    async with theatre(tmp_path, size=size) as t:
        await t.world.opened("0.5", target=i.Away(D("0.02")))
        await t.press("colon")
        await _type(t, "halt")
        await t.rest(0.5)
        await t.press("enter")
        await t.until(lambda: "HALTED: :unhalt" in t.text)
        await t.until(lambda: "VENUE, rest off" in t.text)
        await t.press("colon")
        await _type(t, "unhalt")
        await t.rest(0.5)
        await t.press("enter")
        await t.until(lambda: "END THE HALT" in t.text)
        assert "target 61,200." in t.text
        await t.rest(0.6)
        await _type(t, "wrong")
        await t.press("enter")
        await t.until(lambda: "type world, the account's name" in t.text)
        assert t.world.state.halted
        await t.pilot.press(*["backspace"] * 5)
        await _type(t, "world")
        await t.press("enter")
        await t.until(lambda: not t.world.state.halted)
        await t.until(lambda: any("the halt has ended" in line.text for line in t.lines))
        t.world.price(BTC, "61300")
        await t.until(lambda: not t.world.state.positions)


async def test_resume_says_how_a_halt_is_ended_and_ends_none(tmp_path: Path) -> None:
    async with theatre(tmp_path) as t:
        await t.world.ask(i.Halt(id="h"))
        await t.rest(0.3)
        t.app.main.run("resume")
        await t.until(lambda: "halted by you: :unhalt ends it" in t.text)
        assert t.world.state.halted


# quitting


async def _targeted(t: Theatre) -> None:
    await t.world.opened("0.5", target=i.Away(D("0.02")))


async def _trailed(t: Theatre) -> None:
    await t.world.opened("0.5", trail=Trail(fraction=D("0.01")))


async def _bare(t: Theatre) -> None:
    await t.world.buy("0.5", stop=None)
    await t.until(lambda: "NAKED" in t.world.told())


async def _entry(t: Theatre) -> None:
    await t.world.buy("0.25", type=LIMIT, price=D(59_000), expires_in=3600 * SECOND)
    await t.until(lambda: bool(t.world.resting))


QUITS: list[tuple[Callable[[Theatre], Awaitable[None]], tuple[str, ...], bool]] = [
    (_targeted, ("BTC/USD target 61,200.", "BTC/USD stop 59,40"), False),
    (_trailed, ("BTC/USD trail: its stop follows no more", "BTC/USD stop 59,40"), True),
    (_bare, ("BTC/USD long 0.500 has no stop at all",), True),
    (
        _entry,
        (
            "BTC/USD entry buy 0.250 at 59,000.0: its expiry at",
            "BTC/USD entry buy 0.250 at 59,000.0",
            "c cancels the entries first",
        ),
        False,
    ),
]


@pytest.mark.hazard("H107")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("begin", "says", "word"), QUITS, ids=["target", "trail", "naked", "entry"]
)
async def test_the_quit_sheet_lists_what_ends_and_what_goes_on(
    begin: Callable[[Theatre], Awaitable[None]],
    says: tuple[str, ...],
    word: bool,
    size: tuple[int, int],
    tmp_path: Path,
) -> None:
    async with theatre(tmp_path, size=size) as t:
        await begin(t)
        await t.rest(0.5)
        left: list[int] = []
        t.app.leave = lambda: left.append(1)  # type: ignore[method-assign]
        await t.press("q")
        await t.until(lambda: "stops working now, with this process" in t.text)
        for text in (
            *says,
            "goes on at the venue",
            "paper: its orders rest until the next start",
            "alerts, the record, notifications",
        ):
            await t.shows(text)
        await t.rest(0.6)
        await t.press("enter")
        await t.rest(0.2)
        if word:
            assert not left
            assert "type quit" in t.text
            await _type(t, "quit")
            await t.press("enter")
            await t.rest(0.2)
        assert left == [1]


@pytest.mark.hazard("H107")
async def test_what_the_sheet_says_is_what_happens(tmp_path: Path) -> None:
    """The target that was LOCAL is not taken while nobody runs; the stop that goes on at the venue
    is.
    """
    async with theatre(tmp_path) as t:
        await _targeted(t)
        await t.world.engine.abandon()
        t.world.price(BTC, "61400")
        await t.world.wait(2)
        assert t.world.held == D("0.5"), "nobody watched the target"
        t.world.price(BTC, "59300")
        await t.world.wait(2)
        assert t.world.held == 0, "the stop at the venue went on"


async def test_c_cancels_the_entries_and_stays(tmp_path: Path) -> None:
    async with theatre(tmp_path) as t:
        await _entry(t)
        await t.world.buy("1", symbol=ETH, type=LIMIT, price=D(2_900), side=Side.BUY)
        await t.rest(0.5)
        await t.press("q")
        await t.rest(0.6)
        await t.press("c")
        await t.until(lambda: not t.world.resting)
        await t.until(lambda: "nothing is open" in t.text)
