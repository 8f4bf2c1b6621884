"""The event stream: every event has a topic or is left out on purpose, and who reads it misses
nothing, by an engine, over its socket, or from the journal alone.
"""

import asyncio
import json
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
from engine.model.happening import Happening, Topic
from engine.model.secrets import remember
from engine.records.steps import Teller
from engine.records.stream import KINDS, TOPICS, happening
from engine.session import messages as m
from engine.session.queries import Queries
from engine.setup.settings import load
from tests.journal.test_versions import SINCE_0_1_0, STORIES, golden
from tests.support.world import World, play

LEFT_OUT = {
    e.InstrumentListed, e.NumbersSkipped, e.AccountAsked, e.Reconciled, e.Sampled, e.NetSeen,
    e.PeriodBegan,
}  # fmt: skip
"""Events that change no order, position, protection, money or alert by themselves."""


RARE = {"amend-refused", "cancel-refused", "dust-left", "order-recovered"}
"""Kinds that no sample has."""


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual time waits for no thread."""

    async def here(read: Any, *what: Any) -> Any:
        return read(*what)

    monkeypatch.setattr(asyncio, "to_thread", here)


async def read(world: World, after: int | None, count: int, wait: float = 0.0) -> m.EventsTold:
    world.engine.save()
    found = await Queries(world.engine, world.engine.view).answer(m.Events(after, count, wait))
    assert isinstance(found, m.EventsTold)
    return found


async def lived(world: World) -> str:
    position = await world.opened("0.5")
    at = world.position().stop
    assert at is not None
    await world.ask(i.MoveStop(id="tui-m", position=position.id, stop=i.At(at + 10)))
    await world.wait(2)
    await world.ask(i.ClosePosition(id="do-c", position=position.id))
    await world.until(lambda: position.id in world.state.closed)
    return position.id


def test_every_event_has_a_topic_or_is_left_out_on_purpose() -> None:
    kinds = set(get_args(AnyEvent))
    assert set(TOPICS) | LEFT_OUT == kinds
    assert not set(TOPICS) & LEFT_OUT


def test_every_kind_of_event_is_told_in_words_with_whatever_it_names(tmp_path: Path) -> None:
    seen: dict[str, Happening] = {}
    teller = Teller(None, {})
    samples: list[AnyEvent] = list(SINCE_0_1_0.values())
    for story in STORIES:
        path = golden("0.1.0", story, tmp_path)
        journal = Journal.open(path, "scenario", "reader", now=0, inline=True)
        samples += [codec.decode(stored.body) for stored in journal.events()]
        journal.close()
    for seq, event in enumerate(samples, 1):
        if type(event) in TOPICS:
            one = happening(seq, event, codec.encode(event), teller, lambda _: None)
            seen[one.kind] = one
            assert one.text, event
            assert json.loads(one.body)["type"] == one.kind
    assert {kind for kind in KINDS if kind not in seen} == RARE
    filled = seen["order-filled"]
    assert filled.topic is Topic.ORDER
    assert all((filled.symbol, filled.order, filled.position))


def test_a_reader_in_small_steps_reads_what_a_reader_of_all_reads(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position = await lived(world)
        every = await read(world, 0, 1_000)
        steps: list[Happening] = []
        after = 0
        while (told := await read(world, after, 3)).events:
            steps += told.events
            after = told.last
        assert tuple(steps) == every.events
        seqs = [one.seq for one in steps]
        assert seqs == sorted(set(seqs))
        assert every.last == world.engine.journal.last_seq
        own = [one for one in steps if one.position == position]
        assert {one.topic for one in own} >= {Topic.ORDER, Topic.POSITION, Topic.PROTECTION}
        assert {"order-filled", "stop-moved", "position-closed"} <= {one.kind for one in own}
        assert {one.symbol for one in own if one.order} == {"BTC/USD"}
        newest = await read(world, None, 5)
        assert newest.events == every.events[-5:]

    play(tale, tmp_path)


def test_who_waits_is_told_with_the_next_event_and_after_the_time_without_one(
    tmp_path: Path,
) -> None:
    async def tale(world: World) -> None:
        position = await world.opened("0.5")
        await world.wait(2)
        told = await read(world, world.engine.journal.last_seq, 100)
        began = world.clock.now()
        empty = await read(world, told.last, 100, wait=2.0)
        assert (empty.events, world.clock.now() - began) == ((), 2 * SECOND)
        waiting = asyncio.ensure_future(read(world, empty.last, 100, wait=4.0))
        await world.wait(0.1)
        await world.ask(i.ClosePosition(id="do-c", position=position.id))
        world.engine.save()
        found = await waiting
        assert found.events[0].kind == "intent-taken"
        assert found.events[0].intent == "do-c"

    play(tale, tmp_path)


def test_the_journal_alone_tells_the_same(tmp_path: Path) -> None:
    told: list[Happening] = []

    async def tale(world: World) -> None:
        await lived(world)
        told.extend((await read(world, 0, 1_000)).events)

    play(tale, tmp_path)
    settings = load(None, ["account.name=world"]).settings
    found = looking.happenings(settings, tmp_path, 0, 1_000)
    assert found.events[: len(told)] == tuple(told)
    late = looking.happenings(settings, tmp_path, told[-5].seq, 1_000).events
    assert [one.seq for one in late[:4]] == [one.seq for one in told[-4:]]
    assert all(one.symbol for one in late if one.order), "an order of before is known by its row"


def test_a_secret_leaves_no_trace_and_what_is_left_is_json() -> None:
    remember(["hunter2-of-the-stream", '"Cured","at":5'])
    teller = Teller(None, {})
    said = e.OutcomeUnknown(1, "o", "submit", "refused for hunter2-of-the-stream", 2)
    one = happening(1, said, codec.encode(said), teller, lambda _: None)
    assert "hunter2" not in one.text + one.body
    assert json.loads(one.body)["order"] == "o"
    whole = happening(1, said, b'{"key":"Cured","at":5}', teller, lambda _: None)
    assert json.loads(whole.body) == {"masked": True}
