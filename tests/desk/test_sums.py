"""The kept sums are those of the long way, after every event of any story."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import settings as using
from hypothesis import strategies as st

from engine.desk import totals
from engine.desk.board import Board
from engine.desk.context import Context, Events
from engine.desk.desk import Desk, Work
from engine.desk.evolve import evolve
from engine.desk.kept import kept
from engine.desk.ranges import Ranges
from engine.desk.revisions import REMEMBERED, Revisions
from engine.desk.state import State, decode_state, encode_state
from engine.model import intent as i
from engine.model.figures import Sums
from engine.model.order import OrderType
from engine.model.quote import Quote
from engine.model.side import Side
from tests.desk import long_way
from tests.desk.test_figures import PROFILES, Played
from tests.support.world import BTC, ETH, START, Story

D = Decimal
NEAR = Fraction(1, 10**12)
PROFILE = st.sampled_from(PROFILES)


def near(one: Decimal | None, other: Decimal | None) -> bool:
    """Whether they differ by no more than the last digits of a Decimal."""
    if one is None or other is None:
        return one is other
    return abs(Fraction(one) - Fraction(other)) <= NEAR * (1 + abs(Fraction(other)))


def compare(ctx: Context) -> None:
    """Every sum that a rule asks for, beside the long way."""
    equity, missing = totals.equity(ctx)
    expected, expected_missing = totals.equity_without(ctx, frozenset())
    assert near(equity, expected), f"equity {equity}, not {expected}"
    assert missing == expected_missing
    unrealised, expected_unrealised = totals.unrealised(ctx), totals._unrealised(ctx)
    assert near(unrealised[0], expected_unrealised[0])
    assert unrealised[1] == expected_unrealised[1]
    stops, (shown, counted) = totals.at_stops(ctx), long_way.at_stops(ctx)
    assert near(stops.shown, shown), "at stops"
    assert near(stops.counted, counted), "open risk"
    everything = long_way.committed(ctx)
    assert near(totals.committed(ctx), sum(everything.values(), D(0))), "exposure"
    for symbol in ctx.state.instruments:
        assert near(totals.committed(ctx, symbol), everything.get(symbol, D(0))), (
            "exposure of a symbol"
        )
        assert totals.borrowed(ctx, symbol) == long_way.borrowed(ctx, symbol)
        known = kept(ctx).symbols.get(symbol)
        held = ctx.state.positions_in(symbol)
        assert (0 if known is None else known.slots) == sum(not position.dust for position in held)
        for side in Side:
            assert (0 if known is None else known.sides[side]) == sum(
                position.side is side for position in held
            )
    assert near(totals.margin_used(ctx), long_way.margin_used(ctx)), "margin"
    assert near(totals.reserved(ctx, "USD"), long_way.reserved(ctx, "USD"))
    told, long = totals.by_symbol(ctx), long_way.by_symbol(ctx)
    assert told.keys() == long.keys()
    for symbol, sums in told.items():
        for name in Sums.__struct_fields__:
            assert near(getattr(sums, name), getattr(long[symbol], name)), f"{symbol}: {name}"
    now = kept(ctx)
    exceeding = {name for symbol in now.symbols.values() for name in symbol.exceeding}
    slots, opened, naked, over, exceeds, borrowed = long_way.counts(ctx)
    assert (now.slots, now.open, set(now.naked), set(now.over), exceeding) == (
        slots,
        opened,
        naked,
        over,
        exceeds,
    )
    assert now.credits == len(borrowed)


class Watched(Played):
    """A story at random, with entries that rest, too; all its sums are compared after each
    event.
    """

    def __init__(self, profile: str, seed: int) -> None:
        super().__init__(profile, seed)
        self.watch()

    def watch(self) -> None:
        desk = self.story.desk
        apply = desk._apply

        def watched(work: Work, decided: Events) -> None:
            def each() -> Events:
                for event in decided:
                    yield event
                    compare(work.ctx)

            apply(work, each())
            compare(work.ctx)

        desk._apply = watched  # type: ignore[method-assign]

    def restart(self) -> None:
        super().restart()
        self.watch()
        compare(self.story.ctx)

    def rest(self) -> None:
        """An entry that waits at a limit or for a trigger; now and then one that waits is
        cancelled.
        """
        symbol = self.draw.choice((BTC, ETH))
        waiting = [order for order in self.story.orders("entry") if order.is_working]
        if waiting and self.draw.random() < 0.4:
            order = self.draw.choice(waiting)
            self.story.ask(i.CancelOrder(id=self.story.name(), order=order.client_order_id))
            self.story.cancelled(order)
            return
        if self.draw.random() < 0.6:
            terms = {
                "type": OrderType.LIMIT,
                "price": (self.bids[symbol] * D("0.97")).quantize(D("0.1")),
            }
        else:
            terms = {
                "type": OrderType.STOP,
                "trigger": (self.bids[symbol] * D("1.02")).quantize(D("0.1")),
            }
        stop = self.draw.choice((None, i.Away(D("0.02"))))
        answer = self.story.buy("0.3", symbol=symbol, stop=stop, **terms)
        if answer.ok:
            (order,) = [
                order for order in self.story.orders("entry") if order.position == answer.created
            ]
            self.story.accept(order)

    def turn(self) -> None:
        if self.draw.random() < 0.3:
            self.rest()
        else:
            super().turn()
        compare(self.story.ctx)

    def settle(self) -> None:
        """The venue does what it was asked, but leaves entries that rest alone."""
        resting = {
            order.client_order_id
            for order in self.story.orders("entry")
            if order.type is not OrderType.MARKET
        }
        for order in list(self.story.state.orders.values()):
            if order.client_order_id in resting:
                continue
            if not order.is_exit and order.filled:
                self.story.cancelled(order)
            elif order.is_exit and order.venue_order_id is None and order.role.value != "close":
                self.story.accept(order)
            elif order.amend_pending:
                self.story.amended(order)
            elif order.cancel_pending:
                self.story.cancelled(order)


@using(max_examples=25)
@given(profile=PROFILE, seed=st.integers(0, 10_000))
def test_the_sums_are_those_of_the_long_way_after_every_event(profile: str, seed: int) -> None:
    story = Watched(profile, seed)
    for _ in range(10):
        story.turn()


@using(max_examples=15)
@given(profile=PROFILE, seed=st.integers(0, 10_000))
def test_sums_made_of_a_state_are_those_that_were_kept(profile: str, seed: int) -> None:
    """Replayed event by event with another board, which sees the same last prices: nothing is left
    over of what came and went.
    """
    played = Played(profile, seed)
    for _ in range(8):
        played.turn()
    story = played.story
    replayed = State("test", "USD")
    for event in story.events:
        evolve(replayed, event)
        if replayed.instruments and replayed.seq % 7 == 0:
            board = Board(story.now)
            compare(Context(replayed, story.rules, story.profile, board, story.now))
    fresh = Board(story.now)
    for quote in story.board.quotes():
        fresh.on_quote(quote)
    for instrument in replayed.instruments.values():
        fresh.list(instrument)
    one, other = (
        kept(story.ctx),
        kept(
            Context(
                decode_state(encode_state(replayed)), story.rules, story.profile, fresh, story.now
            )
        ),
    )
    assert one.parts == other.parts
    for symbol, known in one.symbols.items():
        for key, group in known.groups.items():
            made = other.symbols[symbol].groups[key]
            assert all(
                getattr(group, name) == getattr(made, name) for name in type(group).__slots__
            ), "what came and went left nothing"


def test_what_was_closed_too_much_counts() -> None:
    for profile in ("kraken-futures", "kraken-spot"):
        story = Story(profile)
        story.opened("0.5")
        story.opened("0.2")
        story.fill(story.orders("stop")[0], "0.7", price="60000")
        compare(story.ctx)
        assert kept(story.ctx).over
        story.price(BTC, "61000")
        compare(story.ctx)


def test_dust_takes_no_slot_and_a_restart_counts_the_same() -> None:
    story = Story()
    story.cheapened()
    story.price(BTC, "4000")
    compare(story.ctx)
    assert kept(story.ctx).slots == 0
    board = Board(story.now)
    Desk(decode_state(encode_state(story.state)), story.rules, story.profile, board)
    board.on_quote(Quote(BTC, story.now, D(4_000), D(1), D("4000.1"), D(1)))
    compare(Context(story.state, story.rules, story.profile, board, story.now))


def test_a_symbol_without_a_price_and_a_rate_that_is_missing_are_told_the_long_way() -> None:
    story = Story("kraken-futures")
    story.opened("0.5")
    ctx = Context(story.state, story.rules, story.profile, Board(story.now), story.now)
    compare(ctx)
    assert totals.equity(ctx)[1] == {BTC}


# Revisions


def test_who_looked_sees_what_has_changed_since_the_newest_first() -> None:
    revisions = Revisions()
    for name in ("a", "b", "a", "c"):
        revisions.mark(name)
    assert revisions.since(0) == ["c", "a", "b"]
    assert revisions.since(2) == ["c", "a"]
    assert revisions.since(revisions.last) == []
    assert (revisions.of("a"), revisions.of("b"), revisions.of("z")) == (3, 2, 0)


def test_who_looked_too_long_ago_takes_everything_for_changed() -> None:
    revisions = Revisions()
    for number in range(REMEMBERED + 1):
        revisions.mark(str(number))
    assert revisions.since(0) is None
    assert revisions.since(1) is not None
    assert revisions.of("0") == 0


# Ranges

STEP = st.one_of(st.integers(1, 30), st.sampled_from(("begin", "again", "end", "look")))


@given(st.lists(STEP, max_size=120))
def test_ranges_are_the_lowest_and_highest_since_each_began(steps: list[int | str]) -> None:
    """Beside a list of every price since each began."""
    ranges, seen = Ranges(), dict[str, list[Decimal]]()
    last: Decimal | None = None
    before: dict[str, tuple[Decimal, Decimal] | None] = {}
    count = 0
    for step in steps:
        if isinstance(step, int):
            last = D(step)
            for prices in seen.values():
                prices.append(last)
            if ranges:
                ranges.see(last, last + 1)
        elif step == "end" and seen:
            name = list(seen)[step.count("e") * len(seen) // 7]
            del seen[name]
            before.pop(name, None)
            ranges.end(name)
        elif step in ("begin", "again"):
            count += step == "begin"
            name = f"p{count if step == 'begin' else count // 2}"
            seen[name] = [] if last is None else [last]
            before.pop(name, None)
            ranges.begin(
                name, None if last is None else Quote("X", START, last, D(1), last + 1, D(1))
            )
        elif step == "look":
            wider = set(ranges.widened())
            now = {
                name: (min(prices), max(prices)) if prices else None
                for name, prices in seen.items()
            }
            assert wider >= {name for name in now if now[name] != before.get(name)}, (
                "each that has gone further is told"
            )
            before = dict(now)
        for name, prices in seen.items():
            assert ranges.bids(name) == ((min(prices), max(prices)) if prices else None)
            assert ranges.asks(name) == ((min(prices) + 1, max(prices) + 1) if prices else None)
    assert bool(ranges) is bool(seen)


@pytest.mark.parametrize("way", [1, -1])
def test_a_thousand_moments_on_a_price_that_only_rises_or_falls_keep_a_row_that_is_bounded(
    way: int,
) -> None:
    ranges = Ranges()
    for number in range(1_000):
        ranges.begin(
            f"p{number}",
            Quote("X", START, D(5_000 + way * number), D(1), D(5_001 + way * number), D(1)),
        )
        if number >= 10:
            ranges.end(f"p{number - 10}")
    assert max(len(extreme) for extreme in ranges._extremes) < 60
    assert ranges.bids("p995") == ((D(5_995), D(5_999)) if way > 0 else (D(4_001), D(4_005)))
