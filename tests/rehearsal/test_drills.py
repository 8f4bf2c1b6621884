"""Drills: each can be won by whoever knows what to do, none by doing nothing; the grade is the
venue's own truth, and the person's keys.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.account.home import Home
from engine.exchange import Exchange
from engine.model import intent as i
from engine.model.order import Order, OrderType, Role
from engine.model.quote import Quote
from engine.model.side import Side
from engine.rehearsal.drills.drill import Drill, DrillError, drills, read
from engine.rehearsal.drills.grade import Grade, Wrong, graded
from engine.rehearsal.drills.judge import Judge, Truth, truth_of
from engine.rehearsal.drills.results import NAME, keep, results
from engine.rehearsal.drills.world import ACCOUNT, DrillEnvironment, DrillSession, settings_of
from engine.setup.sections import Settings
from engine.venues.profiles import instrument_for
from tests.support.world import BTC, START, lending

D = Decimal
SECOND = 1_000_000_000
ALL = drills()
Hand = Callable[[DrillSession], Awaitable[None]]


@pytest.fixture(autouse=True)
def _faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DrillEnvironment, "SPEED", 4.0)


async def flatten(session: DrillSession) -> None:
    await session.ask(i.Flatten(id="f9"))


async def close(session: DrillSession) -> None:
    await session.ask(i.ClosePosition(id="x", position=session.view().positions[0].id))


async def protect(session: DrillSession) -> None:
    name = session.view().positions[0].id
    await session.ask(i.MoveStop(id="m", position=name, stop=i.Away(D("0.02")), reason="now"))


async def after_the_sale(session: DrillSession) -> None:
    assert truth_of(session.venue.exchange, BTC).held == D("0.2"), "nobody sold anything"
    await flatten(session)


async def nothing(session: DrillSession) -> None:
    """Whoever waits for a miracle."""


HANDS: dict[str, Hand] = {
    "lost-reply": close,
    "stop-refused": close,
    "crash": close,
    "hung-venue": flatten,
    "post-only": flatten,
    "partial-fill": flatten,
    "frozen-feed": flatten,
    "foreign-sale": after_the_sale,
    "no-tokens": flatten,
    "take-over": protect,
}


async def played(drill: Drill, folder: Path, hand: Hand) -> tuple[Grade, DrillSession]:
    home = Home.of(ACCOUNT, folder)
    assert home.hold(time.time_ns()) is None
    session = DrillSession(drill, settings_of(drill, Settings()), home)
    await session.open()
    try:
        await session.prepare()
        session.begin()
        async with asyncio.timeout(90):
            while not session.judge.began:  # noqa: ASYNC110 - a drill tells nobody
                await asyncio.sleep(0.02)
            await hand(session)
            while session.grade is None:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)
    finally:
        await session.close()
    assert session.grade is not None
    return session.grade, session


def test_there_are_ten_and_each_says_what_it_needs() -> None:
    assert [drill.number for drill in ALL.values()] == list(range(1, 11))
    assert set(HANDS) == set(ALL)
    for drill in ALL.values():
        assert drill.faults[-1].second + drill.limit < 150, "five minutes with the briefing"
        for text in (drill.briefing, drill.lesson, drill.keys):
            assert text.strip(), drill.name
        assert len(drill.briefing.split()) < 75, "a briefing is read at once"


@pytest.mark.slow
@pytest.mark.parametrize("name", list(HANDS))
async def test_who_knows_what_to_do_gets_an_a(name: str, tmp_path: Path) -> None:
    grade, session = await played(ALL[name], tmp_path, HANDS[name])
    assert grade.met, grade
    assert grade.letter == "A", grade
    assert grade.wrong == ()
    truth = truth_of(session.venue.exchange, BTC)
    assert truth.flat if grade.goal == "flat" else not truth.bare


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lost-reply", "crash", "foreign-sale", "take-over"])
async def test_who_does_nothing_fails(name: str, tmp_path: Path) -> None:
    drill = replace(ALL[name], limit=18.0)
    grade, _ = await played(drill, tmp_path, nothing)
    assert (grade.met, grade.letter, grade.points) == (False, "F", 0)


@pytest.mark.slow
async def test_what_helps_nothing_is_counted(tmp_path: Path) -> None:
    async def clumsy(session: DrillSession) -> None:
        buy = i.OpenBracket(
            id="more", symbol=BTC, side=Side.BUY, size=i.Base(D("0.01")), stop=i.Away(D("0.02"))
        )
        await session.ask(buy)
        await session.ask(i.ClosePosition(id="no", position="nobody"))
        await flatten(session)
        await session.ask(i.Flatten(id="again"))

    grade, _ = await played(ALL["post-only"], tmp_path, clumsy)
    told = [one.text for one in grade.wrong]
    assert len(told) == 3, told
    assert any("opened more" in text for text in told), told
    assert any(text.startswith("refused: ") for text in told), told
    assert any("while a flatten was under way" in text for text in told), told
    assert grade.letter != "A"


# The venue's own truth


def venue() -> Exchange:
    profile = lending("kraken-spot")
    exchange = Exchange(
        profile, (instrument_for(profile, BTC, D("0.1")),), {"USD": D(100_000)}, "USD"
    )
    exchange.on_tick(Quote(BTC, START, D(60_000), D(5), D("60000.1"), D(5)))
    return exchange


def order(name: str, side: Side, size: str, **terms: object) -> Order:
    kind = (
        OrderType.STOP
        if "trigger" in terms
        else OrderType.LIMIT
        if "price" in terms
        else OrderType.MARKET
    )
    role = Role.STOP if "trigger" in terms else Role.ENTRY
    known = Order(name, "P", BTC, side, kind, role, D(size))
    return replace(known, **terms)


def test_the_judge_counts_only_what_covers_at_the_venue() -> None:
    exchange = venue()
    assert truth_of(exchange, BTC) == Truth(D(0), D(0), 0)
    exchange.submit(order("a", Side.BUY, "1"), START)
    assert truth_of(exchange, BTC).bare
    exchange.submit(order("b", Side.SELL, "0.4", trigger=D(59_000)), START)
    assert truth_of(exchange, BTC) == Truth(D(1), D("0.4"), 0)
    exchange.submit(order("c", Side.SELL, "0.6", trigger=D(58_000)), START)
    assert not truth_of(exchange, BTC).bare
    exchange.submit(order("d", Side.BUY, "0.1", price=D(50_000)), START)
    assert truth_of(exchange, BTC).entries == 1
    foreign = order("e", Side.BUY, "0.1", price=D(50_000), foreign=True)
    exchange.submit(foreign, START)
    assert truth_of(exchange, BTC).entries == 1, "what somebody else wants is not ours"


def test_a_moment_of_flat_is_not_flat() -> None:
    judge = Judge()
    judge.begin(100)
    bare, flat = Truth(D(1), D(0), 0), Truth(D(0), D(0), 0)
    for at, truth in ((100, bare), (200, flat), (250, bare), (300, flat)):
        judge.hear(truth, at, takes=at >= 200)
    judge.end(400)
    assert (judge.met("flat"), judge.best) == (300, 200)
    assert (judge.naked, judge.spells) == (150, [(100, 200), (250, 300)])


@pytest.mark.parametrize(
    ("flat", "best", "wrong", "letter"),
    [
        (5, 1, 0, "A"),
        (8, 1, 0, "A"),
        (30, 25, 0, "A"),
        (5, 1, 2, "B"),
        (30, 1, 0, "D"),
        (None, 1, 0, "F"),
    ],
)
def test_a_grade_is_time_beyond_the_best_possible_and_wrong_keys(
    flat: int | None, best: int, wrong: int, letter: str
) -> None:
    drill, judge = ALL["crash"], Judge()
    judge.begin(1)
    judge.hear(Truth(D(1), D(0), 0), 1, takes=False)
    judge.hear(Truth(D(1), D(0), 0), 1 + best * SECOND, takes=True)
    if flat is not None:
        judge.hear(Truth(D(0), D(0), 0), 1 + flat * SECOND, takes=True)
    judge.end(60 * SECOND)
    grade = graded(drill, judge, (Wrong(0, "x"),) * wrong, 0, 0.0)
    assert grade.letter == letter, grade
    assert grade.best == best
    assert grade.flat == flat


# What is kept


def test_results_are_kept_and_a_broken_line_is_passed_over(tmp_path: Path) -> None:
    grade = Grade("crash", 1, "flat", True, 1.0, 1.0, 0.0, 1.0, (), 90, "A")
    keep(tmp_path, grade)
    path = tmp_path / NAME / "results.jsonl"
    path.write_bytes(path.read_bytes() + b"not json\n")
    keep(tmp_path, replace(grade, at=2))
    assert [one.at for one in results(tmp_path)["crash"]] == [1, 2]
    assert path.stat().st_mode & 0o077 == 0
    assert results(tmp_path / "nowhere") == {}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ('goal = "rich"', "goal"),
        ("par = 0", "par"),
        ("faults = []", "at least one"),
        ("colour = 3", "colour"),
    ],
)
def test_a_drill_that_can_not_be_used_is_said(tmp_path: Path, change: str, says: str) -> None:
    kept = Path(drills.__code__.co_filename).with_name("crash.toml").read_text()
    key = change.split(" ")[0]
    lines = [line for line in kept.split("\n") if not line.startswith(f"{key} =")]
    if key == "faults":
        lines = kept[: kept.index("faults =")].split("\n")
    path = tmp_path / "bad.toml"
    path.write_text("\n".join([change, *lines]))
    with pytest.raises(DrillError, match=f"bad.toml: .*{says}"):
        read(path)
