"""An incident out of a journal: what was asked, sent, answered and filled, and what was naked for
how long, by the events alone.
"""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from engine.clock import SECOND
from engine.desk import events as e
from engine.exchange import Faults
from engine.inspection import reports
from engine.model import intent as i
from engine.model.incident import Incident
from engine.model.side import Side
from engine.records import incidents
from engine.records.thinning import Points, thinned
from engine.setup.settings import load
from tests.support.world import BTC, World, play

D = Decimal
DAY = "2026-01-01"


def reported(world: World, what: str = "") -> Incident:
    world.engine.save()
    settings = load(None, ["account.name=world"]).settings
    return reports.report(settings, world.home, what)


def test_a_position_without_a_stop_is_naked_to_the_nanosecond(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        answer = await world.buy("0.5", stop=None, label="bare")
        await world.wait(3)
        held = world.position()
        await world.ask(i.MoveStop(id="tui-1", position=held.id, stop=i.At(D(59000)), reason="now"))
        await world.wait(5)
        covered = world.position()
        assert covered.protection.value == "venue"
        await world.ask(i.ClosePosition(id="do-1", position=held.id))
        await world.until(lambda: held.id in world.state.closed)
        told = reported(world)
        assert told.bare == {answer.created: world.state.closed[held.id].naked_ns}
        assert told.bare[answer.created] > 2 * SECOND
        words = [cover.word for cover in told.covers]
        assert list(dict.fromkeys(words)) == ["naked", "guarded", "venue"]
        (track,) = told.tracks
        assert (track.label, track.size, track.left) == ("bare", D("0.5"), D(0))
        assert [stop for _, stop in track.stops] == [None, D(59000)]
        assert track.profit == world.state.closed[held.id].realised_profit(
            world.state.instruments[BTC]
        )
        kinds = {kind for kind, count in told.counts.items() if count}
        assert {"asked", "request", "answer", "fill", "protection", "alert", "end"} <= kinds
        assert reported(world, answer.created).bare == told.bare
        assert reported(world, "last").about == reported(world, "do-1").about

    play(tale, tmp_path)


def test_a_stop_that_a_killed_engine_watched_was_watched_by_nobody(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position = await world.buy("0.5")
        await world.wait(2)
        assert world.position().protection.value == "guarded"
        world.engine.save()
        last = max(event.at for event in world.events)
        await world.engine.abandon()
        world.engine.journal.close(0)
        await world.clock.sleep(40 * SECOND)
        again = world.clock.now()
        await world.open()
        await world.wait(1)
        told = reported(world)
        (gone,) = [cover for cover in told.covers if cover.word == "unwatched"]
        assert (gone.position, gone.since, gone.until) == (position.created, last, again)
        assert told.engines == ((last, again),)
        assert told.bare[position.created] >= 40 * SECOND

    play(tale, tmp_path, faults=Faults(reject_stop=1.0))


def test_a_day_is_told_by_itself_and_by_nothing_before_it(tmp_path: Path) -> None:
    """Whatever stood when the day began is known by name, and what happened before is not told."""

    async def tale(world: World) -> None:
        position = await world.opened("0.5")
        await world.wait(2)
        begins = int(datetime(2026, 1, 2, tzinfo=UTC).timestamp()) * SECOND
        await world.engine.close()
        await world.clock.sleep_until(begins + 5 * SECOND)
        await world.open()
        await world.wait(1)
        await world.ask(i.ClosePosition(id="do-1", position=position.id))
        await world.until(lambda: position.id in world.state.closed)
        first, second = reported(world, DAY), reported(world, "2026-01-02")
        assert max(step.at for step in first.steps) < begins <= second.since
        assert min(step.at for step in second.steps) >= begins
        assert not [step for step in second.steps if step.kind == "asked" and "buy" in step.text]
        said = [step.text for step in second.steps]
        assert any(text.startswith("cancel stop sell 0.5 BTC/USD") for text in said), said
        assert second.covers[0].since == second.since, "it was covered when the day began"
        assert second.tracks[0].entry is not None
        with pytest.raises(reports.NothingThereError, match="nothing happened on 2026-01-03"):
            reported(world, "2026-01-03")

    play(tale, tmp_path)


def test_a_large_day_has_a_bound_and_keeps_what_is_grave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incidents, "MOST_STEPS", 20)
    monkeypatch.setattr(incidents, "MOST_POINTS", 10)
    monkeypatch.setattr(incidents, "MOST_STOPS", 5)
    monkeypatch.setattr(incidents, "MOST_TRACKS", 1)

    async def tale(world: World) -> None:
        await world.buy("0.1", stop=None, label="bare")
        await world.wait(1)
        position = await world.opened("0.5")
        for number in range(30):
            stop = i.At(D(59500) + number)
            await world.ask(i.MoveStop(id=f"m{number}", position=position.id, stop=stop))
            world.price(BTC, str(60000 + number % 7))
            await world.wait(1)
        told = reported(world)
        assert told.left_out > 0
        assert len(told.steps) + told.left_out == sum(told.counts.values())
        assert len([step for step in told.steps if step.kind not in incidents.GRAVE]) == 20
        fills = [step for step in told.steps if step.kind == "fill"]
        assert len(fills) == told.counts["fill"]
        assert [track.label for track in told.tracks] == ["bare"], "what was naked stays"
        assert told.tracks_left == 1
        assert len(told.tracks[0].prices) <= 10

    play(tale, tmp_path)


def test_the_result_of_a_day_is_that_of_all_its_positions_and_of_nothing_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the venue's fills say it: which positions the page has room for changes no money."""
    monkeypatch.setattr(incidents, "MOST_TRACKS", 1)

    async def tale(world: World) -> None:
        held = await world.opened("0.5")
        await world.wait(1)
        begins = int(datetime(2026, 1, 2, tzinfo=UTC).timestamp()) * SECOND
        await world.engine.close()
        await world.clock.sleep_until(begins + 5 * SECOND)
        await world.open()
        await world.wait(1)
        for label in ("one", "two"):
            await world.buy("0.1", label=label)
            await world.wait(1)
        for position in list(world.state.positions.values()):
            await world.ask(i.ClosePosition(id=f"c{position.id}", position=position.id))
        await world.until(lambda: not world.state.positions)
        sums = {DAY: D(0), "2026-01-02": D(0)}
        paid = D(0)
        for fill in (event.fill for event in world.seen(e.OrderFilled)):
            day = "2026-01-02" if fill.at >= begins else DAY
            if fill.position == held.id and fill.side is Side.BUY:
                paid += fill.size * fill.price
                sums[day] -= fill.fee
            else:
                sums[day] += -fill.side.sign * fill.size * fill.price - fill.fee
        sums["2026-01-02"] -= paid
        assert held.id in world.state.closed
        for day, amount in sums.items():
            told = reported(world, day)
            assert told.results == {"USD": amount}, day
        assert told.tracks_left == 2

    play(tale, tmp_path)


def test_thinned_points_keep_both_extremes() -> None:
    points = [(n, D(n * 7919 % 1009)) for n in range(5_000)]
    kept = thinned(points, 40)
    assert len(kept) <= 40
    values = [value for _, value in points]
    assert {min(values), max(values)} <= {value for _, value in kept}
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert [at for at, _ in kept] == sorted(at for at, _ in kept)
    streamed = Points(40)
    for point in points:
        streamed.add(point)
    assert len(streamed.all()) <= 40
    assert {min(values), max(values)} <= {value for _, value in streamed.all()}
