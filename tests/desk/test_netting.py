"""Money by the venue's own arithmetic: several entries of a symbol, partial closes, reversals;
funding exactly; other programs by name (H97).
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk import totals
from engine.desk.rules import RiskRules, Rules
from engine.exchange.ledger import Ledger
from engine.model import intent as i
from engine.model.fill import Fill, Liquidity
from engine.model.order import Order, OrderType, Role, TimeInForce
from engine.model.position import Position
from engine.model.side import Side
from tests.support.world import BTC, ETH, SECOND, Story, World, play

D = Decimal
FUTURES = "kraken-futures"
HOUR = 3600

pytestmark = pytest.mark.hazard("H97")


def pictures(story: Story, *changes: str, fills: tuple[Fill, ...] = (), **told: Any) -> None:
    """The venue's money is by so much another than we believe, picture after picture."""
    for change in changes:
        story.now += 60 * SECOND
        money = story.money()
        story.picture({**money, "USD": money["USD"] + D(change)}, fills=fills, **told)


def booked(story: Story) -> list[Decimal]:
    return [event.amount for event in story.seen(e.Financed)]


def two(story: Story) -> tuple[Position, Position]:
    """Half a bitcoin at 60,000 and half at 60,100."""
    return story.opened("0.5", stop=None), story.opened("0.5", price="60100", stop=None)


def closed(story: Story, position: Position, price: str, part: str = "1") -> None:
    story.ask(i.ClosePosition(id=story.name(), position=position.id, part=D(part)))
    story.fill(
        next(order for order in story.orders("close") if order.position == position.id), price=price
    )


def foreign(
    story: Story, side: Side, price: str, size: str = "1", symbol: str = BTC, name: str = "web-1"
) -> Fill:
    story.count += 1
    return Fill(
        f"F{story.count}",
        name,
        symbol,
        side,
        D(price),
        D(size),
        D(3),
        "USD",
        Liquidity.TAKER,
        story.now,
    )


# Two entries


def test_the_venue_realises_at_the_average_of_both_and_we_at_the_price_of_the_one_that_was_closed() -> (
    None
):
    story = Story(FUTURES)
    first, second = two(story)
    cash = story.state.cash["USD"]
    closed(story, first, "60100")
    assert story.state.cash["USD"] - cash == 50
    assert story.state.gap("USD") == -25, "it has closed half of both"
    assert story.views.account(story.ctx).cash["USD"] == cash + 25, "what the venue has"
    closed(story, second, "60200")
    assert story.state.cash["USD"] - cash == 100
    assert story.state.nets == {}, "and in the end it is the same"
    story.replays()


@pytest.mark.parametrize(("paid", "told"), [("-20", -20), ("7.5", D("7.5"))])
def test_funding_is_booked_exactly_between_the_two(paid: str, told: Decimal) -> None:
    story = Story(FUTURES)
    first, _ = two(story)
    closed(story, first, "60100", "0.5")
    realised = D("12.5")  # a quarter at 50 above the average, where ours is 100 above its price
    for amount in (D(0), D(paid), D(paid), D(paid), D(paid)):
        story.now += 60 * SECOND
        story.picture({"USD": 1_000_000 + realised + amount})
    assert booked(story) == [told]
    assert "DIFFERENCE" not in story.told()
    story.replays()


# Others trade on the account


def test_a_foreign_loss_is_told_and_is_no_funding() -> None:
    story = Story(FUTURES)
    story.opened("0.5", stop=None)
    story.now += 30 * SECOND
    theirs = (
        foreign(story, Side.BUY, "60010", symbol=ETH),
        foreign(story, Side.SELL, "59990", symbol=ETH),
    )
    pictures(story, "-26", "-26", "-26", fills=theirs)
    assert not booked(story)
    assert {"DIFFERENCE", "FOREIGN_TRADES"} <= story.standing()
    (told,) = [alert for alert in story.state.alerts.values() if alert.code == "FOREIGN_TRADES"]
    assert (
        told.text
        == "another program trades here: sell 1 ETH/USD at 59990 and 1 more; until USD is settled,"
        " nothing in it counts as funding"
    )
    pictures(story, "-26", "-27", "-27")
    assert not booked(story), (
        "nor when its executions are no longer listed, and funding has come on top"
    )
    before = story.money()["USD"]
    story.now += 60 * SECOND
    story.picture({"USD": before - 27})
    assert story.ask(i.Resolve(id="all", subject="USD", action=i.Settlement.FORGET)).ok
    assert story.money()["USD"] == before - 27
    assert not {"DIFFERENCE", "FOREIGN_TRADES"} & story.standing()
    pictures(story, "-2", "-2")
    assert booked(story) == [D(-2)], "from now on funding is funding"
    story.replays()


def test_a_foreign_trade_that_changes_no_money_is_told_to_nobody() -> None:
    story = Story(FUTURES)
    story.opened("0.5", stop=None)
    story.now += 30 * SECOND
    pictures(story, "0", fills=(foreign(story, Side.BUY, "60000"),))
    assert "FOREIGN_TRADES" not in story.told()


def test_what_others_traded_before_a_settlement_is_settled_with_it() -> None:
    story = Story(FUTURES)
    story.opened("0.5", stop=None)
    story.now += 30 * SECOND
    theirs = (
        foreign(story, Side.BUY, "60010", symbol=ETH),
        foreign(story, Side.SELL, "59990", symbol=ETH),
    )
    pictures(story, "-26", fills=theirs)
    assert story.ask(i.Resolve(id="all", subject="USD", action=i.Settlement.FORGET)).ok
    pictures(story, "-2", "-2", fills=theirs)
    assert booked(story) == [D(-2)]
    assert "FOREIGN_TRADES" not in story.standing()


def test_others_that_moved_the_average_of_what_we_hold() -> None:
    """They bought one at 60,000 beside our half at 58,000 and sold it at 59,000: the venue counts
    ours as entered at 59,333.33.
    """
    story = Story(FUTURES)
    story.price(BTC, "58000")
    position = story.opened("0.5", price="58000", stop=None)
    story.now += 30 * SECOND
    theirs = (foreign(story, Side.BUY, "60000"), foreign(story, Side.SELL, "59000"))
    average = D(89_000) / D("1.5")
    taken = D(59_000) - average
    equity, before = totals.equity(story.ctx)[0], story.money()["USD"]
    for _ in range(2):
        story.now += 60 * SECOND
        story.picture({"USD": before + taken - 6}, fills=theirs, entered={BTC: average})
    assert not booked(story)
    assert story.ask(i.Resolve(id="all", subject="USD", action=i.Settlement.FORGET)).ok
    assert totals.equity(story.ctx)[0] - equity == pytest.approx(D(-1006)), (
        "they lost a thousand, and paid six"
    )
    cash = story.money()["USD"]
    assert cash == pytest.approx(before + taken - 6)
    closed(story, position, "59500")
    assert story.money()["USD"] - cash == pytest.approx((D(59_500) - average) / 2), (
        "so much the venue pays for ours"
    )
    assert story.state.nets == {}
    story.replays()


def test_what_was_taken_over_is_counted_at_the_price_that_the_venue_says() -> None:
    story = Story(FUTURES)
    story.opened("0.5", stop=None)
    story.now += 60 * SECOND
    entered = {BTC: D("59900")}
    story.picture({"USD": story.money()["USD"]}, net={BTC: D("0.7")}, entered=entered)
    assert story.ask(i.Resolve(id="all", subject=BTC, action=i.Settlement.ADOPT)).ok
    cash = story.money()["USD"]
    pictures(story, "0", "0", net={BTC: D("0.7")}, entered=entered)
    assert not booked(story)
    for position in list(story.state.positions.values()):
        closed(story, position, "60000")
    assert story.money()["USD"] - cash == 70
    assert story.state.nets == {}
    story.replays()


# Any story


Step = tuple[str, int, int, int]
CALM = Rules(risk=RiskRules(losing_streak=0, daily_loss=None, max_drawdown=None))
kinds = st.sampled_from(["buy", "sell", "close", "pay"])
steps = st.lists(
    st.tuples(kinds, st.integers(0, 3), st.integers(1, 20), st.integers(-200, 200)),
    min_size=4,
    max_size=18,
)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_any_story_of_entries_and_partial_closes_has_the_money_of_the_venue(
    told: list[Step],
) -> None:
    """The venue counts its one position by itself; now and then it pays funding, and all that is
    booked as such is what it paid.
    """
    story = Story(FUTURES, CALM)
    instrument, venue = story.state.instruments[BTC], Ledger(dict(story.state.cash), "USD")
    paid = list[Decimal]()

    def executed(order: Order, price: Decimal) -> None:
        story.price(BTC, str(price))
        fill = story.fill(order, price=str(price), fee="0.5")
        venue.book(instrument, fill, lambda _, __: D(1))

    for what, which, size, move in told:
        story.now += SECOND
        price = D(60_000 + move)
        story.price(BTC, str(price))
        held = [position for position in story.state.positions.values() if position.is_open]
        if (
            what in ("buy", "sell")
            and story.buy(str(D(size) / 10), side=Side(what), stop=None, label=story.name()).ok
        ):
            order = next(order for order in story.orders("entry"))
            story.accept(order)
            executed(order, price)
        elif what == "close" and held:
            position = held[which % len(held)]
            story.ask(i.ClosePosition(id=story.name(), position=position.id, part=D(size) / 20))
            for order in [
                order for order in story.orders("close") if order.position == position.id
            ]:
                story.accept(order)
                executed(order, price)
        elif what == "pay" and held and abs(move) > 10:
            amount = D(move) / 5
            venue.cash["USD"] += amount
            paid.append(amount)
            for _ in range(2):
                story.now += 60 * SECOND
                story.picture({"USD": venue.cash["USD"]}, net={BTC: venue.on_margin(BTC)})
        assert abs(story.money()["USD"] - venue.cash["USD"]) < D("0.000001")
    assert booked(story) == pytest.approx(paid)
    assert abs(story.state.totals.financing.get("USD", D(0)) - sum(paid, D(0))) < D("0.000001")
    assert "DIFFERENCE" not in story.told()
    story.replays()


# A whole engine on a paper venue


def test_two_entries_a_partial_close_and_funding_on_a_paper_account(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        world.exchange.fund(D("0.0001"), world.clock.now())
        first = await world.opened("0.5", label="one")
        world.price(BTC, "60500")
        await world.opened("0.7", label="two")
        assert (await world.ask(i.ClosePosition(id="c", position=first.id, part=D("0.4")))).ok
        await world.wait(HOUR + 200)
        (payment,) = world.exchange.funding.paid
        assert [event.amount for event in world.seen(e.Financed)] == pytest.approx([payment.amount])
        assert world.engine.view().account.cash["USD"] == pytest.approx(
            world.exchange.ledger.cash["USD"]
        )
        assert not world.told() & {"DIFFERENCE", "FOREIGN_TRADES"}
        for position in list(world.state.positions):
            await world.ask(i.ClosePosition(id=f"c{position}", position=position))
        await world.until(lambda: not world.state.positions)
        assert world.state.cash["USD"] == pytest.approx(world.exchange.ledger.cash["USD"])
        assert world.state.nets == {}

    play(tale, tmp_path, profile=FUTURES)


@pytest.mark.parametrize("which", ["one", "two"])
def test_two_loans_of_a_pair_of_which_one_is_paid_back_on_a_paper_account(
    which: str, tmp_path: Path
) -> None:
    """The venue pays back the older one, and what lending costs is booked exactly beside it."""

    async def tale(world: World) -> None:
        money = world.exchange.ledger
        await world.opened("0.5", label="one", leverage=D(2))
        world.price(BTC, "60500")
        await world.opened("0.7", label="two", leverage=D(2))
        position = next(p for p in world.state.positions.values() if p.label == which)
        assert (await world.ask(i.ClosePosition(id="c", position=position.id))).ok
        await world.wait(200)
        assert world.engine.view().account.cash["USD"] == pytest.approx(money.cash["USD"])
        lent = [payment.amount for payment in world.exchange.funding.paid]
        assert sum(event.amount for event in world.seen(e.Financed)) == pytest.approx(sum(lent))
        assert not world.told() & {"DIFFERENCE", "FOREIGN_TRADES"}
        for name in list(world.state.positions):
            await world.ask(i.ClosePosition(id=f"c{name}", position=name))
        await world.until(lambda: not world.state.positions)
        await world.wait(200)
        assert world.state.cash["USD"] == pytest.approx(money.cash["USD"])
        assert world.state.nets == {}

    play(tale, tmp_path, profile="kraken-spot")


def test_another_key_that_loses_on_a_paper_account_is_told_by_name(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await world.opened("0.5")
        await world.wait(61)
        for side in (Side.BUY, Side.SELL):
            order = Order(
                f"web-{side.value}",
                "",
                ETH,
                side,
                OrderType.MARKET,
                Role.ENTRY,
                D(2),
                created_at=world.clock.now(),
            )
            world.venue.external(replace(order, time_in_force=TimeInForce.IOC))
            world.price(ETH, "2990")
        await world.wait(200)
        assert world.seen(e.Financed) == []
        assert {"DIFFERENCE", "FOREIGN_TRADES"} <= {
            alert.code for alert in world.state.alerts.values()
        }
        assert (await world.ask(i.Resolve(id="all", subject="USD", action=i.Settlement.FORGET))).ok
        assert world.engine.view().account.cash["USD"] == pytest.approx(
            world.exchange.ledger.cash["USD"]
        )

    play(tale, tmp_path, profile=FUTURES)
