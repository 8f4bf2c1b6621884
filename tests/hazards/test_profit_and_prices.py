"""Profit and prices: in the account's money or marked, at a cost that does not grow, with the
trader's own words kept beside them.
"""

import csv
import io
import sys
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import FrameType

import pytest

from engine.desk.board import Board
from engine.desk.context import Context
from engine.desk.desk import Desk
from engine.desk.messages import Crossed
from engine.desk.rules import RiskRules, Rules
from engine.desk.views import Views
from engine.journal.export import write_csv, write_json
from engine.model import intent as i
from engine.model.position import Position
from engine.model.quote import Quote
from engine.model.request import Submit
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile
from tests.support.world import BTC, ETH, Story, World, play

D = Decimal
CROSS = "XRP/BTC"

# H53: profit in a currency that is not the account's


def _cross(profile: str) -> Story:
    """A USD account that trades XRP against BTC."""
    known = load_profile(profile)
    story = Story(
        known,
        listed=[
            instrument_for(known, BTC, D("0.1")),
            instrument_for(known, CROSS, D("0.00000001")),
        ],
    )
    story.price(CROSS, "0.00001000", "0.00001001", size="10000000")
    return story


def _held(profile: str) -> tuple[Story, Position]:
    """100,000 XRP bought for 1 BTC while a BTC costs 60,000 USD; the price has gone up by a
    tenth.
    """
    story = _cross(profile)
    story.price(BTC, "59999.9", "60000.1")
    leverage = None if profile == "kraken-futures" else D(2)
    answer = story.buy("100000", symbol=CROSS, leverage=leverage, stop=i.Away(D("0.1")))
    assert answer.ok, answer.refusals
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, price="0.00001", currency="BTC")
    story.price(CROSS, "0.00001100", "0.00001101", size="10000000")
    return story, story.position()


PROFILES = ("kraken-spot", "kraken-futures")


@pytest.mark.hazard("H53")
@pytest.mark.parametrize("profile", PROFILES)
def test_profit_is_converted_with_the_rate_of_now(profile: str) -> None:
    story, position = _held(profile)
    (view,) = story.views.positions(story.ctx)
    assert (view.currency, view.unrealised) == ("BTC", D("0.1"))
    assert view.in_account == D(6000), "0.1 BTC is not 0.1 USD"
    assert story.views.account(story.ctx).unrealised == D(6000)
    story.price(BTC, "49999.9", "50000.1")
    (view,) = story.views.positions(story.ctx)
    assert (view.unrealised, view.in_account) == (D("0.1"), D(5000))
    assert story.views.account(story.ctx).unrealised == D(5000)
    assert position.settle == "BTC"


def _without_rates(story: Story) -> tuple[Views, Context]:
    """The same desk, looked at by a process that has heard no price but the position's own."""
    board = Board()
    desk = Desk(story.state, story.rules, story.profile, board)
    for quote in story.board.quotes():
        if quote.symbol == CROSS:
            board.on_quote(quote)
    views = Views(desk, "paper", live=False)
    return views, views.context(story.now)


@pytest.mark.hazard("H53")
@pytest.mark.parametrize("profile", PROFILES)
def test_without_a_rate_profit_stays_in_its_own_currency_and_is_marked(profile: str) -> None:
    story, _ = _held(profile)
    views, ctx = _without_rates(story)
    (view,) = views.positions(ctx)
    assert (view.currency, view.unrealised, view.in_account) == ("BTC", D("0.1"), None)
    account = views.account(ctx)
    assert account.unrealised == 0, (
        "what can't be converted is left out of the sum, and not added as if it were USD"
    )
    assert account.equity is None, "a total that lacks something is not shown as the total"
    assert account.day == 0, "it is measured on what has a price"
    assert account.unpriced


@pytest.mark.hazard("H53")
@pytest.mark.parametrize("profile", PROFILES)
def test_realised_profit_is_converted_too(profile: str) -> None:
    story, position = _held(profile)
    story.ask(i.ClosePosition(id="c", position=position.id))
    for stop in story.orders("stop"):
        story.cancelled(stop)
    story.fill(story.order("close"), price="0.000011", currency="BTC")
    assert story.state.totals.realised == {"BTC": D("0.1")}
    assert story.views.closed(story.ctx)[0].currency == "BTC"
    assert story.views.account(story.ctx).realised == D(6000)
    views, ctx = _without_rates(story)
    assert views.account(ctx).realised == 0
    assert "BTC" in views.account(ctx).unpriced


@pytest.mark.hazard("H53")
def test_risk_in_the_accounts_money_is_converted_before_it_is_a_size() -> None:
    story = _cross("kraken-futures")
    refused = story.buy(symbol=CROSS, size=i.Risk(D(600)), stop=i.Away(D("0.1")))
    assert {refusal.code for refusal in refused.refusals} == {"NO_RATE"}
    story.price(BTC, "59999.9", "60000.1")
    assert story.buy(symbol=CROSS, size=i.Risk(D(600)), stop=i.Away(D("0.1"))).ok
    entry = story.order("entry")
    loss = entry.size * (D("0.00001001") - D("0.00000901")) * 60_000
    assert D(590) < loss <= D(600)


@pytest.mark.hazard("H53")
def test_an_entry_whose_worth_nobody_can_tell_is_refused() -> None:
    story = _cross("kraken-futures")
    answer = story.buy("100000", symbol=CROSS, stop=i.Away(D("0.1")))
    assert "NO_RATE" in {refusal.code for refusal in answer.refusals}
    assert story.sent(Submit) == []


# H58: the cost of a price


def _crowd(count: int, symbol: str = ETH) -> Story:
    """A desk with so many positions in a symbol, their stops one beside the other, and one in
    bitcoin.
    """
    rules = RiskRules(
        max_positions=10_000,
        max_order=D(1000),
        max_position=D(1000),
        max_exposure=D(1000),
        max_open_risk=D(1000),
    )
    story = Story("kraken-futures", Rules(risk=rules))
    story.opened("0.01")
    for index in range(count):
        price = "60000" if symbol == BTC else "3000"
        story.opened(
            "0.1",
            symbol=symbol,
            price=price,
            stop=i.Away(D("0.1") + D(index) / 10_000),
            label=f"p{index}",
        )
    return story


def _calls(work: Callable[[], object]) -> int:
    """How many functions are called, ours and Python's: a cost that no busy machine changes."""
    counted: Counter[str] = Counter()

    def count(_: FrameType, what: str, __: object) -> None:
        if what in ("call", "c_call"):
            counted[what] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return counted.total()


@pytest.mark.hazard("H58")
@pytest.mark.parametrize("symbol", [BTC, ETH])
def test_a_price_that_touches_nothing_costs_the_same_for_any_number_of_positions(
    symbol: str,
) -> None:
    costs = []
    for count in (1, 200):
        story = _crowd(count, symbol)
        seq = story.state.seq
        quotes = [
            Quote(BTC, story.now, D(60_000 - step), D(1), D(60_001 - step), D(1))
            for step in range(50)
        ]
        costs.append(
            _calls(
                lambda story=story, quotes=quotes: [story.board.on_quote(quote) for quote in quotes]  # type: ignore[misc]
            )
        )
        assert story.state.seq == seq, "a price is no event"
        assert not any(story.board.on_quote(quote) for quote in quotes)
    assert costs[0] == costs[1]


@pytest.mark.hazard("H58")
def test_a_price_that_fires_one_stop_looks_at_that_position_alone() -> None:
    costs = []
    for count in (1, 200):
        story = _crowd(count)
        position = next(iter(story.state.positions.values()))
        # not yet at the venue: the guard acts
        story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_990))))
        quote = Quote(BTC, story.now, D(59_980), D(1), D(59_981), D(1))
        crossed = story.board.on_quote(quote)
        assert crossed == [(position.id, "stop")]
        message = Crossed(BTC, tuple(crossed))
        costs.append(_calls(lambda story=story, message=message: story.tell(message)))  # type: ignore[misc]
        assert story.state.positions[position.id].closing == D("0.01")
    assert costs[1] <= costs[0] * 1.2


@pytest.mark.hazard("H58")
def test_marks_are_computed_when_somebody_looks() -> None:
    story = _crowd(3, BTC)
    for step in range(100):
        story.price(BTC, str(60_000 + step))
    before = story.views.positions(story.ctx)
    assert {view.mark for view in before} == {D(60_099)}
    story.price(BTC, "60200")
    assert {view.mark for view in before} == {D(60_099)}, (
        "what was looked at does not change under one's eyes"
    )
    assert {view.mark for view in story.views.positions(story.ctx)} == {D(60_200)}


# H59: notes and tags


def _words(world: World, name: str) -> tuple[str, tuple[str, ...]]:
    view = world.engine.view()
    found = [(held.note, held.tags) for held in view.positions if held.id == name]
    found += [(ended.note, ended.tags) for ended in view.closed if ended.id == name]
    assert len(found) == 1
    return found[0]


@pytest.mark.hazard("H59")
@pytest.mark.parametrize("crash", [False, True])
def test_a_note_and_its_tags_live_as_long_as_the_position_and_longer(
    crash: bool, tmp_path: Path
) -> None:
    async def tale(world: World) -> None:
        position = await world.opened(
            "0.5", note="breakout, “first” try; 50 %\nsecond line", tags=("swing", "é")
        )
        assert _words(world, position.id) == (
            "breakout, “first” try; 50 %\nsecond line",
            ("swing", "é"),
        )
        await world.restart(crash=crash)
        assert _words(world, position.id)[0].startswith("breakout")
        await world.ask(
            i.Annotate(id="a", position=position.id, note="edited", tags=("swing", "late"))
        )
        assert _words(world, position.id) == ("edited", ("swing", "late"))
        await world.restart(crash=crash)
        world.price(BTC, "59300")
        await world.until(lambda: position.id in world.state.closed)
        assert _words(world, position.id) == ("edited", ("swing", "late"))
        await world.ask(
            i.Annotate(id="b", position=position.id, note="lesson learnt", tags=("mistake",))
        )
        await world.restart(crash=crash)
        assert _words(world, position.id) == ("lesson learnt", ("mistake",))

    play(tale, tmp_path)


@pytest.mark.hazard("H59")
def test_notes_and_tags_are_exported(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await world.opened("0.5", label="one", note="a, note\nwith a line", tags=("swing", "é"))
        await world.wait(1)
        world.engine.save()
        rows = list(world.engine.journal.rows("positions"))
        assert [(row["note"], row["tags"]) for row in rows] == [
            ("a, note\nwith a line", ("swing", "é"))
        ]
        table, notation = io.StringIO(newline=""), io.StringIO()
        write_csv(rows, table)
        write_json(rows, notation)
        (read,) = csv.DictReader(io.StringIO(table.getvalue(), newline=""))
        assert (read["note"], read["tags"]) == (r"a, note\u000awith a line", "swing é"), (
            "a table has a line for each row"
        )
        assert "é" in notation.getvalue()
        position = world.position()
        await world.ask(i.Annotate(id="a", position=position.id, note="", tags=()))
        world.engine.save()
        (row,) = world.engine.journal.rows("positions")
        assert (row["note"], row["tags"]) == ("", ()), "and can be taken back"

    play(tale, tmp_path)


@pytest.mark.hazard("H59")
def test_a_reversal_takes_the_words_along_and_a_stranger_gets_none() -> None:
    story = Story("kraken-futures")
    position = story.opened("0.5", note="fade", tags=("range",))
    story.ask(i.Reverse(id="r", position=position.id))
    story.fill(story.order("close"))
    for order in story.orders("stop"):
        story.cancelled(order)
    turned = story.position()
    assert (turned.side, turned.note, turned.tags) == (Side.SELL, "fade", ("range",))
    assert not story.ask(i.Annotate(id="a", position="nobody", note="lost", tags=())).ok
    story.replays()
