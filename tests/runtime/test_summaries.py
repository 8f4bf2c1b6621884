"""The home's summary: written after each commit, never ahead of the journal, a few times a second
at most.
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from time import monotonic, sleep

import pytest

from engine.account import summary as summaries
from engine.account import witness
from engine.account.keeper import Keeper
from engine.account.summary import Summary
from engine.exchange import Faults
from engine.model import intent as i
from engine.model.order import Order, OrderType, Role
from engine.model.side import Side
from tests.support.world import BTC, SECOND, World, play

D = Decimal

pytestmark = pytest.mark.hazard("H115")


def told(world: World) -> list[Summary]:
    """What the next engines tell the home."""
    kept: list[Summary] = []
    world.summary = kept.append
    return kept


def fits(known: Summary, world: World) -> str:
    journal = world.engine.journal
    return witness.set_back(
        known, journal.durable.seq, journal.hash_at, journal.knows_order, journal.id
    )


def test_the_home_knows_positions_orders_and_counters(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        kept = told(world)
        await world.restart()
        position = await world.opened("0.5", target=i.Away(D("0.02")))
        await world.wait(1)
        known = kept[-1]
        assert (known.account, known.seq, known.journal) == (
            "world",
            world.engine.journal.durable.seq,
            world.engine.journal.id,
        )
        assert known.hash == world.engine.journal.hash_at(known.seq)
        (held,) = known.positions
        assert (held.id, held.symbol, held.side, held.size) == (
            position.id,
            BTC,
            Side.BUY,
            D("0.5"),
        )
        assert (held.stop, held.adopted, held.opened_at) == (
            position.stop,
            False,
            position.opened_at,
        )
        (stop,) = known.orders
        assert (stop.role, stop.trigger, stop.size, stop.in_doubt) == (
            Role.STOP,
            position.stop,
            D("0.5"),
            False,
        )
        assert stop.venue_order_id == next(iter(world.state.orders.values())).venue_order_id
        assert known.newest_order == stop.client_order_id
        assert [level.name for level in known.counters] == [
            level.name for level in world.engine.gateway.levels()
        ]
        world.price(BTC, "59300")
        await world.until(lambda: not world.state.positions)
        await world.wait(1)
        assert (kept[-1].positions, kept[-1].orders) == ((), ())

    play(tale, tmp_path)


def test_what_was_adopted_is_said_to_be_so_even_under_another_note(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        kept = told(world)
        await world.restart()
        bought = await world.opened("0.5")
        await world.ask(i.Halt(id="h"))
        world.exchange.ledger.cash["BTC"] += D("0.25")
        await world.ask(i.Reconcile(id="r"))
        await world.wait(12)
        await world.ask(i.Resolve(id="a", subject="BTC", action=i.Settlement.ADOPT))
        await world.wait(1)
        (adopted,) = [name for name in world.state.positions if name != bought.id]
        await world.ask(i.Annotate(id="n", position=adopted, note="mine now"))
        await world.wait(1)
        assert {held.id: held.adopted for held in kept[-1].positions} == {
            bought.id: False,
            adopted: True,
        }

    play(tale, tmp_path)


@pytest.mark.hazard("H113")
def test_what_was_left_alone_on_purpose_is_told(tmp_path: Path) -> None:
    """Somebody else's contracts, which the operator said to leave: a last exit names them, and may
    say flat.
    """

    async def tale(world: World) -> None:
        kept = told(world)
        await world.restart()
        world.venue.external(
            Order(
                "SOMEBODY", "", BTC, Side.BUY, OrderType.MARKET, Role.ENTRY, D("0.3"), foreign=True
            )
        )
        world.engine.reconcile()
        await world.until(lambda: f"DIFFERENCE:{BTC}" in world.state.alerts)
        assert (await world.ask(i.Resolve(id="left", subject=BTC, action=i.Settlement.FORGET))).ok
        await world.wait(1)
        assert kept[-1].baseline.get(BTC) == D("0.3"), (
            "nobody can tell afterwards that it was left on purpose"
        )

    play(tale, tmp_path, profile="kraken-futures")


@pytest.mark.hazard("H74")
def test_an_engine_that_has_not_compared_the_account_says_nothing(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        kept = told(world)
        world.venue.faults = Faults(lose_reply=1.0)
        await world.engine.abandon()
        world.engine.journal.close(0)
        for path in world.home.glob("journal.sqlite*"):
            path.unlink()
        await world.open()
        assert "STARTING" in world.state.blocks
        assert kept == [], "a home that knew more would be written over"
        world.venue.faults = Faults()
        await world.until(lambda: "STARTING" not in world.state.blocks, 60)
        await world.wait(1)
        assert kept[-1].compared_at == world.state.reconciled_at

    play(tale, tmp_path)


def test_no_summary_ever_knows_what_the_journal_does_not(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        kept: list[Summary] = []
        wrong: list[str] = []

        def write(summary: Summary) -> None:
            kept.append(summary)
            wrong.append(fits(summary, world))

        world.summary = write
        await world.restart()
        for turn in range(6):
            await world.until(lambda: not world.state.blocks, 60)
            world.price(BTC, "60000")
            position = await world.opened("0.1")
            await world.ask(i.ClosePosition(id=f"c{turn}", position=position.id))
            await world.until(lambda: not world.state.positions)
            await world.restart(crash=turn % 2 == 0)
            assert kept[-1].seq <= world.engine.journal.durable.seq
            assert fits(kept[-1], world) == ""
        assert len(kept) > 20
        assert set(wrong) == {""}

    play(tale, tmp_path, values={"risk.losing_streak": 0})


def test_an_order_that_still_waits_for_the_disk_is_not_told(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        kept = told(world)
        await world.restart()
        await world.opened("0.5")
        journal, summariser = world.engine.journal, world.engine.summaries
        assert summariser is not None
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(journal, "flush", lambda: False)
            summariser.tell()
            before = kept[-1]
            await world.buy("0.1")
            assert journal.waiting
            summariser.tell()
        assert (kept[-1].seq, kept[-1].newest_order) == (before.seq, before.newest_order)
        assert fits(kept[-1], world) == ""
        assert journal.flush()
        await world.wait(1)
        assert kept[-1].newest_order != before.newest_order

    play(tale, tmp_path)


def test_they_come_ten_times_a_second_at_most_and_the_newest_always(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        kept = told(world)
        await world.restart()
        await world.wait(1)
        before, began = len(kept), world.clock.now()
        for turn in range(200):
            await world.ask(i.Pause(id=f"p{turn}") if turn % 2 else i.Resume(id=f"r{turn}"))
            await world.clock.sleep(SECOND // 100)
        await world.clock.sleep(SECOND // 10)
        seconds = (world.clock.now() - began) / SECOND
        assert 10 <= len(kept) - before <= 10 * seconds + 1
        assert all(
            later.at - earlier.at >= SECOND // 10
            for earlier, later in zip(kept[before:], kept[before + 1 :], strict=False)
        )
        assert kept[-1].seq == world.engine.journal.durable.seq

    play(tale, tmp_path)


def test_an_orderly_end_is_the_last_that_the_home_hears(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        kept = told(world)
        await world.restart()
        await world.opened("0.5")
        ended = world.engine
        world.summary = None
        await world.restart()
        assert kept[-1].seq == ended.state.seq
        assert fits(kept[-1], world) == ""

    play(tale, tmp_path)


# The thread that writes


def until(reached: Callable[[], object], seconds: float = 5.0) -> bool:
    deadline = monotonic() + seconds
    while not reached() and monotonic() < deadline:
        sleep(0.002)
    return bool(reached())


def test_the_newest_is_written_beside_the_loop_and_a_slow_disk_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = summaries.write

    def slow(folder: Path, summary: Summary) -> bool:
        sleep(0.05)
        return write(folder, summary)

    monkeypatch.setattr(summaries, "write", slow)
    kept = Keeper(tmp_path, pytest.fail)
    began = monotonic()
    for seq in range(1, 101):
        kept.offer(Summary(account="main", seq=seq))
    assert monotonic() - began < 0.05, "whoever offers waits for no disk"
    kept.close(5)
    found = summaries.read(tmp_path)
    assert found is not None
    assert found.seq == 100


def test_a_summary_that_cant_be_written_is_told_once_until_one_can(tmp_path: Path) -> None:
    texts: list[str] = []
    kept = Keeper(tmp_path / "gone", texts.append)
    for seq in (1, 2):
        kept.offer(Summary(account="main", seq=seq))
        assert until(lambda: texts)
        sleep(0.02)
    assert len(texts) == 1
    assert "the summary can't be written" in texts[0]
    (tmp_path / "gone").mkdir()
    kept.offer(Summary(account="main", seq=3))
    kept.close(5)
    found = summaries.read(tmp_path / "gone")
    assert found is not None
    assert found.seq == 3
