"""What a preview says is what happens: its refusals are the answer's, and what it says of
afterwards comes true to the cent when the fill is as previewed. Over random states.
"""

import random
from decimal import Decimal
from typing import Any, get_args

import pytest

from engine.desk import figures, totals
from engine.desk.draft import Draft, draft
from engine.desk.intents import HANDLERS
from engine.desk.previews import CARDS, preview
from engine.desk.previews.card import money, unbounded
from engine.desk.rules import RiskRules, Rules
from engine.desk.state import encode_state
from engine.desk.stops_by_hand import held
from engine.model import intent as i
from engine.model.money import ONE, grouped
from engine.model.order import Order, OrderType, Role, Status, Trail
from engine.model.side import Side
from engine.model.view import SECTIONS, Preview
from tests.support.world import BTC, ETH, Story

D = Decimal
PROFILES = ("kraken-futures", "kraken-spot", "binance-spot")
SEEDS = 14
"""Random states per profile, each with some dozen intents."""
SIZES = {BTC: "0.1", ETH: "2"}
ROOMY = {
    "max_positions": 50,
    "max_position": D(50),
    "max_exposure": D(50),
    "max_order": D(50),
    "max_open_risk": D(50),
}


def stands(story: Story) -> str:
    return unbounded(totals.at_stops(story.ctx).shown)


def told(card: Preview, name: str) -> str:
    return next((line.after for line in card.lines if line.name == name), "")


class Played:
    """A desk, and a venue that does what it is asked at the prices that are quoted."""

    def __init__(self, profile: str, seed: int) -> None:
        self.draw = random.Random(f"{profile}/{seed}")
        bounds: dict[str, Any] = dict(ROOMY) if self.draw.random() < 0.8 else {}
        rules = Rules(risk=RiskRules(**bounds))
        self.story = Story(profile, rules, strict=self.draw.random() < 0.3)
        self.story.wait(1)

    # What the venue does

    def fill(self, order: Order, price: Decimal) -> None:
        instrument = self.story.state.instruments[order.symbol]
        rate, part = self.story.ctx.rates(instrument).taker, order.remaining
        coins = (
            instrument.fee_currency.value == "received"
            and instrument.moves_coins(order.leverage)
            and order.side is Side.BUY
        )
        fee = part * rate if coins else instrument.value(part, price) * rate
        currency = instrument.base if coins else "USD"
        self.story.fill(order, str(part), price=str(price), fee=str(fee), currency=currency)

    def settle(self, entry: Decimal | None = None) -> None:
        """All that was asked is done; market orders fill at the best price, or at `entry`."""
        story = self.story
        for _ in range(8):
            for name in list(story.state.orders):
                order = story.state.orders.get(name)
                if order is None or order.in_doubt:
                    continue
                if order.cancel_pending:
                    story.cancelled(order)
                elif order.amend_pending:
                    story.amended(order)
                elif order.type is OrderType.MARKET:
                    quote = story.ctx.quote(order.symbol)
                    assert quote is not None
                    best = quote.ask if order.side is Side.BUY else quote.bid
                    self.fill(order, best if order.role is Role.CLOSE or entry is None else entry)
                elif order.status is Status.PENDING:
                    story.accept(order)

    # What happens before

    def prepare(self) -> None:
        kinds = (self.enter, self.rest, self.drift, self.part, self.odd)
        for _ in range(self.draw.randint(1, 9)):
            self.draw.choices(kinds, (5, 3, 4, 2, 2))[0]()
            self.story.wait(1)

    def side(self) -> Side:
        spot = self.story.profile.name == "binance-spot"
        return Side.BUY if spot else self.draw.choice(list(Side))

    def enter(self) -> None:
        symbol = self.draw.choice((BTC, ETH))
        terms: dict[str, Any] = {
            "stop": self.draw.choice((None, i.Away(D("0.01")), i.Away(D("0.03")))),
            "target": self.draw.choice((None, i.Away(D("0.05")))),
        }
        if self.draw.random() < 0.2:
            terms["target"] = i.Away(D("0.08"))
            terms["partials"] = (i.PartialTarget(i.Away(D("0.02")), D("0.5")),)
        size = D(SIZES[symbol]) * self.draw.randint(1, 5)
        self.story.buy(str(size), symbol=symbol, side=self.side(), **terms)
        self.settle()

    def rest(self) -> None:
        """An entry that waits, as a limit or as a stop entry; not always confirmed."""
        symbol, side = self.draw.choice((BTC, ETH)), self.side()
        quote = self.story.ctx.quote(symbol)
        assert quote is not None
        below = quote.bid * (1 - side.sign * D("0.01"))
        above = quote.bid * (1 + side.sign * D("0.01"))
        terms: dict[str, Any] = (
            {"type": OrderType.LIMIT, "price": below.quantize(D(1))}
            if self.draw.random() < 0.6
            else {"type": OrderType.STOP, "trigger": above.quantize(D(1))}
        )
        stop = self.draw.choice((None, i.Away(D("0.02"))))
        self.story.buy(SIZES[symbol], symbol=symbol, side=side, stop=stop, **terms)
        if self.draw.random() < 0.8:
            self.settle()

    def drift(self) -> None:
        symbol = self.draw.choice((BTC, ETH))
        quote = self.story.ctx.quote(symbol)
        assert quote is not None
        bid = (quote.bid * (1 + D(self.draw.randint(-60, 60)) / 10_000)).quantize(D("0.1"))
        self.story.price(symbol, str(bid))
        self.settle()

    def part(self) -> None:
        names = [p.id for p in self.story.state.positions.values() if p.size > 0]
        if names:
            name = self.draw.choice(names)
            self.story.ask(i.ClosePosition(id=self.story.name(), position=name, part=D("0.5")))
            if self.draw.random() < 0.7:
                self.settle()

    def odd(self) -> None:
        """Blocks, a halt, an order of somebody else, a stop that goes."""
        story, what = self.story, self.draw.randint(0, 4)
        if what == 0:
            story.ask(i.Pause(id=story.name()))
        elif what == 1:
            story.ask(i.Halt(id=story.name()))
        elif what == 2:
            theirs = Order(
                "x", "", ETH, Side.BUY, OrderType.LIMIT, Role.ENTRY, D(1), price=D(2000),
                venue_order_id="X", status=Status.OPEN, foreign=True,
            )  # fmt: skip
            working = (order for order in story.state.orders.values() if order.is_working)
            story.now += 1
            story.picture(orders=(*working, theirs))
        elif what == 3 and story.state.positions:
            name = self.draw.choice(list(story.state.positions))
            story.ask(i.MoveStop(id=story.name(), position=name, stop=None, reason="a test"))
            self.settle()
        elif story.state.orders:
            order = self.draw.choice(list(story.state.orders.values()))
            if not order.in_doubt and order.is_working:
                story.ask(i.CancelOrder(id=story.name(), order=order.client_order_id))

    def calm(self) -> None:
        """What a trader does who wants to go on: entries pass, the desk acts."""
        story = self.story
        for reason in ("HALTED", "PAUSED"):
            if self.draw.random() < 0.8:
                story.ask(i.Resume(id=story.name(), reason=reason))
        self.settle()
        if story.state.flatten is not None and story.state.flatten.ended_at is None:
            story.witness()
        story.wait(1)
        while len(story.state.positions) < 3 and self.draw.random() < 0.7:
            self.enter()

    # What is asked then

    def place(self, around: Decimal, sign: int = -1) -> i.Place | None:
        """Often on the side that `sign` says."""
        kind = self.draw.randint(0, 9)
        if kind == 0:
            return None
        if kind < 3:
            return i.Away(D(self.draw.choice(("0.01", "0.004", "0", "NaN", "0.5"))))
        away = sign * self.draw.randint(-8, 40)
        at = around * (1 + D(away) / 1000)
        return i.At(at.quantize(D(self.draw.choice(("1", "0.1", "0.01")))))

    def intent(self) -> i.AnyIntent:
        draw, story, name = self.draw, self.story, self.story.name()
        state = story.state
        open_ = [p.id for p in state.positions.values() if p.size > 0]
        positions = [*open_ * 4, *state.positions, *list(state.closed)[-1:], "none"]
        orders = [*list(state.orders) * 4, *list(state.ended)[-1:], "none"]
        position, order = draw.choice(positions), draw.choice(orders)
        known = state.positions.get(position)
        eth = known is not None and known.symbol == ETH
        sign = 1 if known is None else known.side.sign
        around = D(3000) if eth else D(60_000)
        symbol = draw.choice((BTC, ETH, "NO/SUCH"))
        trail = draw.choice(
            (None, Trail(fraction=D("0.004")), Trail(amount=D(20)), Trail(D(30), after=D("0.01")))
        )
        reason, side = draw.choice(("", "a test")), draw.choice(list(Side))
        kinds: tuple[i.AnyIntent, ...] = (
            i.OpenBracket(
                id=name, symbol=symbol, side=side, stop=draw.choice((i.Away(D("0.01")), i.Away(D("0.02")), self.place(around))),
                size=draw.choice((i.Base(D(SIZES.get(symbol, "1"))), i.Base(D("1e6")), i.Notional(D(5000)), i.Risk(D(300)))),
            ),
            i.MoveStop(id=name, position=position, stop=self.place(around, -sign), reason=reason),
            i.MoveTarget(id=name, position=position, target=self.place(around, sign)),
            i.SetTrail(id=name, position=position, trail=trail),
            i.BreakEven(id=name, position=position),
            i.ClosePosition(
                id=name, position=position,
                part=draw.choice((ONE, ONE, D("0.5"), D("0.25"), D(0), D(2), D("1e-9"))),
            ),
            i.Reverse(id=name, position=position),
            i.AmendOrder(id=name, order=order, price=(around * (1 + D(draw.randint(-30, 30)) / 1000)).quantize(D(draw.choice(("1", "0.01"))))),
            i.CancelOrder(id=name, order=order),
            i.CancelSymbol(id=name, symbol=symbol),
            i.CancelAll(id=name, foreign=draw.random() < 0.5),
            i.Pause(id=name),
            i.Resume(id=name, reason=draw.choice(("PAUSED", "HALTED", "NAKED", "x"))),
            i.GoLive(id=name, account=draw.choice(("test", "other"))),
            i.Halt(id=name),
            i.Flatten(id=name),
            i.Acknowledge(id=name, alert=draw.choice([*state.alerts, "none"])),
            i.Annotate(id=name, position=position, note="n", tags=("t",)),
            i.Reconcile(id=name),
            i.Resolve(id=name, subject=draw.choice((BTC, "USD", "BTC", position)), action=draw.choice(list(i.Settlement))),
            i.Withdraw(id=name, asked=draw.choice(("never", "i1"))),
        )  # fmt: skip
        weights = [9, 5, 4, 4, 3, 6, 3, 4, 4, 2, 2, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1]
        return draw.choices(kinds, weights)[0]

    def waiting(self) -> i.AnyIntent:
        """What waits for a price: exits at a limit, and price alerts."""
        draw, state, name = self.draw, self.story.state, self.story.name()
        position = draw.choice([*(p.id for p in state.positions.values() if p.size > 0), "none"])
        symbol = state.positions[position].symbol if position in state.positions else BTC
        quote = self.story.board.quote(symbol)
        assert quote is not None
        price = (quote.bid * (1 + D(draw.randint(-10, 30)) / 1000)).quantize(D(1))
        part = draw.choice((ONE, D("0.5"), D("0.2"), D(0)))
        return draw.choice(
            (
                i.LeaveAt(id=name, position=position, part=part, price=price),
                i.LeaveAt(id=name, position=position, part=part, anchored=JOIN),
                i.SetPriceAlert(id=name, symbol=symbol, price=price),
                i.CancelPriceAlert(id=name, alert=next(iter(state.price_alerts), "none")),
            )
        )


JOIN = i.Anchored(i.Anchor.JOIN)


def check(played: Played, intent: i.AnyIntent, done: set[str]) -> None:
    story = played.story
    quiet = all(
        not (o.amend_pending or o.cancel_pending or o.in_doubt or o.status is Status.PENDING)
        for o in story.state.orders.values()
    ) and all(not p.closing for p in story.state.positions.values())
    before, standing = encode_state(story.state), stands(story)
    card = preview(story.ctx, intent)
    assert encode_state(story.state) == before, "a preview changes nothing"
    sections = [SECTIONS.index(line.section) for line in card.lines]
    assert sections == sorted(sections), "the parts of a card are in one order"
    position = held(story.ctx, getattr(intent, "position", ""))
    drafted = draft(story.ctx, intent) if isinstance(intent, i.OpenBracket) else None
    answer = story.ask(intent)
    assert card.refusals == answer.refusals, intent
    if answer.refusals or not quiet:
        return
    played.settle(drafted.expected.price if isinstance(drafted, Draft) else None)
    line = next((line for line in card.lines if line.name == "at stops"), None)
    if line is not None:
        assert line.before.partition(" of ")[0] == standing, (intent, card)
        assert line.after.partition(" of ")[0] == stands(story), (intent, card)
    done.add(type(intent).__name__)
    compare(played, intent, card, position.id if position is not None else "")


def compare(played: Played, intent: i.AnyIntent, card: Preview, name: str) -> None:
    """What the card said of the position, beside what it is now."""
    story = played.story
    position = story.state.positions.get(name)
    if isinstance(intent, i.OpenBracket):
        position = story.state.positions[next(reversed(story.state.positions))]
        unit = figures.one_r(story.ctx, position)
        if unit is not None:
            assert told(card, "risk (1R)").startswith(f"{unit:,.2f} "), card
    elif isinstance(intent, i.MoveStop | i.BreakEven | i.SetTrail) and position is not None:
        assert told(card, "stop") == ("none" if position.stop is None else grouped(position.stop))
        if position.stop is not None:
            result = figures.net(story.ctx, position, position.stop)
            assert told(card, "at stop") == money(result, position.settle)
    elif isinstance(intent, i.MoveTarget) and position is not None:
        assert told(card, "target") == (
            "none" if position.target is None else grouped(position.target)
        )
    elif isinstance(intent, i.LeaveAt) and position is not None:
        left = next((one.left for one in position.limits if one.id == intent.id), None)
        # one at the market's price may have left by now
        if left is not None:
            assert card.title.startswith(f"Leave {grouped(left)} {position.symbol} at"), card
    elif isinstance(intent, i.ClosePosition):
        assert told(card, "size") == grouped(D(0) if position is None else position.size)
        ended = story.state.closed.get(name)
        if intent.part == ONE and ended is not None:
            came = ended.realised_profit(story.ctx.instrument(ended))
            came += story.state.money_of(name).funding
            assert told(card, "net").startswith(money(came, ended.settle)), (card, came)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_refusals_and_what_comes_afterwards_are_as_previewed(profile: str) -> None:
    done: set[str] = set()
    for seed in range(SEEDS):
        played = Played(profile, seed)
        played.prepare()
        for _ in range(14):
            check(played, played.intent(), done)
            played.calm()
    assert {"OpenBracket", "MoveStop", "ClosePosition", "SetTrail", "CancelOrder"} <= done, done


@pytest.mark.parametrize("profile", PROFILES)
def test_what_waits_for_a_price_is_as_previewed(profile: str) -> None:
    done: set[str] = set()
    for seed in range(6):
        played = Played(profile, seed)
        played.prepare()
        for _ in range(6):
            check(played, played.waiting(), done)
            played.calm()
    assert {"LeaveAt", "SetPriceAlert", "CancelPriceAlert"} <= done, done


def test_every_intent_has_a_card() -> None:
    assert CARDS.keys() == HANDLERS.keys() == set(get_args(i.AnyIntent))
