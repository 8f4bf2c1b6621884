"""The timeline of an id: of a position from the wish to its end, of an order, of a wish; by a
running engine, after a restart, and from the journal alone.
"""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from engine.clock import SECOND
from engine.desk import codec
from engine.desk import events as e
from engine.desk.events import AnyEvent
from engine.inspection import looking
from engine.journal import Journal
from engine.model import intent as i
from engine.model.place import BreakEvenAt
from engine.model.timeline import Step
from engine.records import timelines
from engine.records.steps import Teller
from engine.session import messages as m
from engine.session.queries import Queries
from engine.setup.settings import load
from tests.journal.test_versions import SINCE_0_1_0, STORIES, golden
from tests.support.world import World, play

D = Decimal
SILENT = {
    e.InstrumentListed, e.CashReported, e.NumbersSkipped, e.Unexplained, e.Explained,
    e.HoldingUnexplained, e.LeftAlone, e.MarkFound, e.MarkBooked, e.StoodIn, e.StandInUsed,
    e.LeftElsewhere, e.NetSettled, e.FlattenAsked, e.AccountAsked, e.Reconciled, e.Sampled,
    e.NetSeen, e.PeriodBegan, e.Rebased, e.DayBegan, e.OrphanCancelled,
}  # fmt: skip
"""Events that are no step of an order, a position or an intent."""
SOMETIMES = {e.StopRetrySet, e.DustLeft}
"""Events that are a step only where something follows from them."""


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual time waits for no thread."""

    async def here(read: Any, *what: Any) -> Any:
        return read(*what)

    monkeypatch.setattr(asyncio, "to_thread", here)


def texts(steps: tuple[Step, ...]) -> list[str]:
    return [f"{step.kind}: {step.text}" for step in steps]


async def told(world: World, about: str) -> tuple[Step, ...]:
    world.engine.save()
    found = await Queries(world.engine, world.engine.view).answer(m.Timeline(about))
    assert isinstance(found, m.TimelineTold)
    assert found.complete
    return found.steps


async def lived(world: World) -> tuple[str, str]:
    """A position that was opened, whose stop was moved, and that was closed: its id, its stop's."""
    position = await world.opened("0.5")
    (stop,) = world.orders("stop")
    at = world.position().stop
    assert at is not None
    await world.ask(i.MoveStop(id="tui-m", position=position.id, stop=i.At(at + 10)))
    await world.wait(2)
    await world.ask(i.ClosePosition(id="do-c", position=position.id))
    await world.until(lambda: position.id in world.state.closed)
    return position.id, stop.client_order_id


def test_a_positions_timeline_has_every_step_in_order(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position, stop = await lived(world)
        steps = await told(world, position)
        kinds = [step.kind for step in steps]
        assert kinds[0] == "asked"
        assert kinds[-1] == "end"
        assert [step.at for step in steps] == sorted(step.at for step in steps)
        order = ["asked", "decided", "request", "answer", "fill", "stop", "protection", "end"]
        assert [kind for kind in dict.fromkeys(kinds) if kind in order] == order
        said = texts(steps)
        assert any("place stop sell 0.5 BTC/USD trigger" in text for text in said)
        assert any(text.startswith("answer: amended stop sell") for text in said)
        moved = next(step for step in steps if step.who == "you, at the console")
        assert moved.text.startswith("move stop")
        assert any(step.who == "you, by a command" for step in steps)
        for step in steps:
            if step.kind == "request":
                assert step.lane, step
                # the age of what is cancelled makes it free
                assert step.tokens or step.text.startswith("cancel"), step
                assert step.waited == 0, "nothing was in its way"
            if step.text.startswith(("confirmed", "amended")):
                assert step.took is not None
                assert 0 < step.took < SECOND
        assert sum(step.since for step in steps) == steps[-1].at - steps[0].at
        assert stop in {step.about for step in steps}

    play(tale, tmp_path)


def test_a_stops_timeline_has_its_history_and_no_other_order(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        _, stop = await lived(world)
        steps = await told(world, stop)
        assert {step.kind for step in steps} >= {"request", "answer", "stop", "protection"}
        assert any("by the entry" in step.text for step in steps)
        assert any("by you" in step.text for step in steps)
        assert not any("close sell" in step.text for step in steps)
        venue = next(o for o in (world.state.ended[stop],)).venue_order_id
        assert venue
        assert await told(world, venue) == steps, "by the venue's name of it, too"

    play(tale, tmp_path)


def test_a_wish_has_what_came_of_it(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position, _ = await lived(world)
        steps = await told(world, "tui-m")
        assert [step.kind for step in steps][:3] == ["asked", "stop", "request"]
        assert steps[-1].text.startswith("amended")
        assert not any(step.kind == "fill" for step in steps)
        await world.ask(i.Pause(id="tui-p"))
        assert texts(await told(world, "tui-p"))[0].startswith("asked: pause")
        await world.ask(i.ClosePosition(id="tui-x", position=position))
        assert (await told(world, "tui-x"))[0].kind == "refused"
        assert await told(world, "nothing is called so") == ()

    play(tale, tmp_path)


def test_what_is_open_ends_with_what_is_so_now(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position = await world.opened("0.5")
        steps = await told(world, position.id)
        now = [step.text for step in steps if step.kind == "now"]
        assert any(text.startswith("stop sell 0.5 BTC/USD trigger") for text in now)
        assert any(text == "buy 0.5 BTC/USD: VENUE" for text in now)

    play(tale, tmp_path)


@pytest.mark.parametrize("crash", [False, True])
def test_it_is_the_same_after_a_restart_but_for_what_only_the_process_knew(
    tmp_path: Path, crash: bool
) -> None:
    async def tale(world: World) -> None:
        position, stop = await lived(world)
        before = {name: texts(await told(world, name)) for name in (position, stop, "tui-m")}
        await world.restart(crash=crash)
        for name, known in before.items():
            steps = await told(world, name)
            assert texts(steps)[: len(known)] == known
            assert all(step.waited is None for step in steps), "who sent it is gone"

    play(tale, tmp_path)


def test_a_stopped_account_tells_it_from_its_journal(tmp_path: Path) -> None:
    names: list[str] = []
    known: list[list[str]] = []

    async def tale(world: World) -> None:
        position, stop = await lived(world)
        names.extend((position, stop))
        known.extend([texts(await told(world, name)) for name in names])

    play(tale, tmp_path)
    settings = load(None, ["account.name=world"]).settings
    for name, before in zip(names, known, strict=True):
        found = looking.timeline(settings, tmp_path, name)
        assert texts(found.steps)[: len(before)] == before
        assert not found.cut


def test_more_than_is_kept_is_said_to_be_cut(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position, _ = await lived(world)
        world.engine.save()
        journal = world.engine.journal
        assert len(journal.about([position], 0, 3)) == 3
        assert journal.about([position], 0, 3)[-1].kind == "position-closed", "the newest"

    play(tale, tmp_path)


@pytest.mark.parametrize("story", STORIES)
def test_the_journals_of_a_release_are_told(story: str, tmp_path: Path) -> None:
    path = golden("0.1.0", story, tmp_path)
    journal = Journal.open(path, "scenario", "reader", now=0, inline=True)
    try:
        events = [codec.decode(stored.body) for stored in journal.events()]
        names = [one.position.id for one in events if isinstance(one, e.PositionPlanned)]
        assert names
        for name in names[:5]:
            found = timelines.timeline(lambda ids, after: journal.about(ids, after, 5000), name)
            assert found.steps[0].kind in ("asked", "decided")
            assert found.steps[-1].kind in ("end", "alert", "decided"), found.steps[-1]
    finally:
        journal.close()


@pytest.mark.parametrize(
    ("rule", "by", "text"),
    [
        (BreakEvenAt(D(61_250)), "entry", "break-even rule at 61,250, by the entry"),
        (
            BreakEvenAt(D(61_250)),
            "later",
            "the stop can't stand at break-even yet; waits for 61,250",
        ),
        (None, "fired", "break-even rule fired"),
        (None, "operator", "break-even rule removed"),
    ],
)
def test_what_becomes_of_a_break_even_rule_is_told(
    rule: BreakEvenAt | None, by: str, text: str
) -> None:
    step = Teller(None, {}).step(1, e.BreakEvenSet(1, "p", rule, by=by))
    assert step is not None
    assert (step.kind, step.text, step.about) == ("stop", text, "p")


def test_every_kind_of_event_is_told_or_known_to_be_no_step(tmp_path: Path) -> None:
    found: dict[type, bool] = {}
    events: list[AnyEvent] = list(SINCE_0_1_0.values())
    for story in STORIES:
        path = golden("0.1.0", story, tmp_path)
        journal = Journal.open(path, "scenario", "reader", now=0, inline=True)
        events += [codec.decode(stored.body) for stored in journal.events()]
        journal.close()
    teller = Teller(None, {})
    for one in events:
        step = teller.step(1, one)
        assert step is None or step.text
        found[type(one)] = found.get(type(one), False) or step is not None
    assert {kind for kind, is_told in found.items() if not is_told} <= SILENT | SOMETIMES
    assert {kind for kind, is_told in found.items() if is_told}.isdisjoint(SILENT)
    assert set(get_args(AnyEvent)) >= SILENT | SOMETIMES
