"""Every figure that is shown or that limits judge by: recomputed from fills alone, and equal
wherever it stands (H96).
"""

import random
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk import figures
from engine.desk.board import Board
from engine.desk.desk import Desk, Work
from engine.desk.messages import Wake
from engine.desk.previews import preview
from engine.desk.rules import RiskRules, Rules
from engine.desk.state import decode_state, encode_state
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import Order, Role
from engine.model.side import Side
from engine.model.view import AccountView, PeriodView, View
from engine.rehearsal.scenario import report
from tests.desk.recomputed import Deal, close
from tests.support.world import BTC, ETH, Story
from tui import status
from tui.commands import COMMANDS
from tui.costs import Told
from tui.keys import KeyMap
from tui.panes import limits, positions

pytestmark = pytest.mark.hazard("H96")

D = Decimal
F = Fraction
CENT = F(1, 100)
PROFILES = ("kraken-futures", "kraken-spot", "binance-spot")
BLOCKS, ALWAYS = 12, 4
"""Of six stories each, per profile; and how many of them always run."""
PRICES = {BTC: D(60_000), ETH: D(3_000)}
SIZES = {BTC: D("0.1"), ETH: D(2)}


class Played:
    """A story at random, and the same told by its fills alone."""

    def __init__(self, profile: str, seed: int) -> None:
        self.draw = random.Random(seed)
        bounds = RiskRules(
            losing_streak=0,
            daily_loss=None,
            max_drawdown=None,
            max_positions=50,
            max_position=D(50),
            max_exposure=D(50),
            max_order=D(50),
        )
        self.story = Story(profile, Rules(risk=bounds))
        self.story.wait(1)
        self.deals: dict[str, Deal] = {}
        self.cash = F(1_000_000)
        self.funding = F(0)
        self.peak, self.fall = F(1_000_000), F(0)
        self.bids = dict(PRICES)
        self.turned = 0
        """Reversals so far."""

    # The same from fills alone

    def mark(self, deal: Deal) -> Decimal:
        return self.bids[deal.symbol] if deal.sign > 0 else self.bids[deal.symbol] + D("0.1")

    def equity(self) -> Fraction:
        return (
            F(1_000_000)
            + self.funding
            + sum(
                (deal.flow + deal.held * F(self.mark(deal)) for deal in self.deals.values()), F(0)
            )
        )

    def look(self) -> None:
        """A judgement: what the equity and each net are now."""
        equity = self.equity()
        self.peak = max(self.peak, equity)
        self.fall = max(self.fall, self.peak - equity)

    def see(self, symbol: str) -> None:
        for deal in self.deals.values():
            if deal.symbol == symbol and deal.held:
                deal.see(self.mark(deal))

    # What happens

    def price(self, symbol: str) -> None:
        self.bids[symbol] = (
            self.bids[symbol] * (1 + D(self.draw.randint(-80, 80)) / 10_000)
        ).quantize(D("0.1"))
        self.story.price(symbol, str(self.bids[symbol]))
        self.see(symbol)

    def fill(self, order: Order, part: Decimal) -> None:
        instrument = self.story.state.instruments[order.symbol]
        bid = self.bids[order.symbol]
        price = bid + D("0.1") if order.side is Side.BUY else bid
        coins = (
            instrument.fee_currency.value == "received"
            and instrument.moves_coins(order.leverage)
            and order.side is Side.BUY
        )
        rate = instrument.fee_tiers[0].taker
        fee = part * rate if coins else part * price * rate
        deal = self.deals.get(order.position)
        if deal is None:
            sign = order.side.sign
            deal = self.deals[order.position] = Deal(order.symbol, sign, F(rate), coins)
        self.story.fill(
            order,
            str(part),
            price=str(price),
            fee=str(fee),
            currency=instrument.base if coins else "USD",
        )
        deal.fill(order.side.sign, part, price, fee, coins)
        self.see(order.symbol)
        position = self.story.state.positions.get(order.position)
        if order.role is Role.ENTRY and position is not None and position.stop is not None:
            deal.first_stop = F(position.stop)
        self.look()

    def enter(self) -> None:
        symbol = self.draw.choice((BTC, ETH))
        side = (
            Side.BUY if self.story.profile.name == "binance-spot" else self.draw.choice(list(Side))
        )
        stop = self.draw.choice((None, i.Away(D("0.01")), i.Away(D("0.03"))))
        size = SIZES[symbol] * self.draw.randint(1, 9)
        self.look()
        answer = self.story.buy(str(size), symbol=symbol, side=side, stop=stop)
        if not answer.ok:
            return
        (order,) = [
            order for order in self.story.orders("entry") if order.position == answer.created
        ]
        self.story.accept(order)
        for _ in range(self.draw.randint(1, 2)):
            self.fill(order, size / 2)
            if self.draw.random() < 0.5:
                self.price(symbol)
        self.settle()

    def settle(self) -> None:
        """The venue does what it was asked."""
        for order in list(self.story.state.orders.values()):
            if order.role is Role.ENTRY and order.filled:
                self.story.cancelled(order)
        for order in list(self.story.state.orders.values()):
            if order.is_exit and order.venue_order_id is None and order.role is not Role.CLOSE:
                self.story.accept(order)
            elif order.amend_pending:
                self.story.amended(order)
            elif order.cancel_pending:
                self.story.cancelled(order)

    def close_some(self) -> None:
        held = [p for p in self.story.state.positions.values() if p.size > 0 and not p.closing]
        if not held:
            return
        position = self.draw.choice(held)
        part = self.draw.choice((D(1), D("0.5")))
        if not self.story.ask(
            i.ClosePosition(id=self.story.name(), position=position.id, part=part)
        ).ok:
            return
        for _ in range(4):
            self.settle()
            for order in [
                order for order in self.story.orders("close") if order.position == position.id
            ]:
                self.fill(order, order.remaining)
        self.settle()

    def turn_round(self) -> None:
        """A position is closed, and another of the other side opened in its place."""
        held = [p for p in self.story.state.positions.values() if p.size > 0 and not p.closing]
        if not held:
            return
        position = self.draw.choice(held)
        self.look()
        if not self.story.ask(i.Reverse(id=self.story.name(), position=position.id)).ok:
            return
        for _ in range(4):
            self.settle()
            for order in [
                order for order in self.story.orders("close") if order.position == position.id
            ]:
                self.fill(order, order.remaining)
        for order in [
            order for order in self.story.orders("entry") if order.position not in self.deals
        ]:
            self.story.accept(order)
            self.turned += 1
            for _ in range(2):
                self.fill(order, order.size / 2)
        self.settle()

    def move(self) -> None:
        held = [p for p in self.story.state.positions.values() if p.size > 0 and not p.closing]
        if not held:
            return
        position = self.draw.choice(held)
        mark = self.story.ctx.mark(position) or D(0)
        wanted = mark * (1 - position.side.sign * D(self.draw.randint(5, 30)) / 1000)
        place = None if self.draw.random() < 0.2 else i.At(wanted.quantize(D(1)))
        if self.story.ask(
            i.MoveStop(id=self.story.name(), position=position.id, stop=place, reason="a test")
        ).ok:
            deal = self.deals[position.id]
            if place is not None and deal.first_stop is None:
                deal.first_stop = F(place.price)
            self.settle()

    def pay(self) -> None:
        """Funding, as the venue's money says it."""
        ctx = self.story.ctx
        lent = [
            p
            for p in self.story.state.positions.values()
            if p.size > 0 and not ctx.instrument(p).moves_coins(p.leverage)
        ]
        if not lent:
            return
        amount = D(self.draw.randint(-900, 900)) / 100
        event = e.Financed(self.story.now, "USD", amount, figures.shares(ctx, "USD", amount))
        work = Work(ctx, Wake())
        self.story.desk._apply(work, iter((event,)))
        self.story.events.extend(work.events)
        worth = {p.id: abs(self.deals[p.id].held) * F(self.mark(self.deals[p.id])) for p in lent}
        for name, value in worth.items():
            self.deals[name].funding += F(amount) * value / sum(worth.values())
            self.deals[name].see(self.mark(self.deals[name]))
        self.funding += F(amount)

    def restart(self) -> None:
        """A crash: what the journal has is all that is left."""
        story = self.story
        story.wait(1)
        self.look()
        story.replays()
        story.board = Board(story.now)
        story.desk = Desk(
            decode_state(encode_state(story.state)), story.rules, story.profile, story.board
        )
        for symbol, bid in self.bids.items():
            story.price(symbol, str(bid))
        story.wait(1)
        self.look()

    def turn(self) -> None:
        kinds = (
            self.enter,
            self.close_some,
            self.turn_round,
            self.move,
            self.pay,
            self.restart,
            self._drift,
        )
        self.draw.choices(kinds, (5, 3, 2, 3, 1, 1, 6))[0]()
        self.story.wait(1)
        self.look()

    def _drift(self) -> None:
        for _ in range(self.draw.randint(1, 4)):
            self.price(self.draw.choice((BTC, ETH)))

    # What is compared

    def view(self) -> View:
        story = self.story
        views, ctx = story.views, story.ctx
        return View(
            at=story.now, account=views.account(ctx), mode=views.mode(ctx)[0], reasons=views.mode(ctx)[1], positions=views.positions(ctx),
            orders=views.orders(ctx), alerts=views.alerts(ctx), closed=views.closed(ctx), limits=(), lanes=(), breaker="closed",
            feeds=views.feeds(ctx), lag=0, connected=True, journal_failing="", flatten=None, notices=(), progress=None,
        )  # fmt: skip


def period(view: View, name: str) -> PeriodView:
    (found,) = [one for one in view.account.periods if one.name == name]
    return found


def compare(played: Played) -> None:
    """Each figure of each position, of what ended, and of the account."""
    view = played.view()
    for row in view.positions:
        deal = played.deals[row.id]
        mark = played.mark(deal)
        assert row.mark == mark
        assert close(row.net, deal.net(mark)), "net"
        assert close(row.realised, deal.realised()), "realised"
        assert close(row.unrealised, deal.unrealised(mark)), "unrealised"
        assert close(row.fees, deal.fees), "fees"
        assert close(row.funding, deal.funding), "funding"
        assert close(row.one_r, deal.one_r()), "1R"
        unit = deal.one_r()
        assert close(row.r, None if unit is None else deal.net(mark) / unit), "R"
        assert close(
            row.mae, None if unit is None or deal.lowest is None else deal.lowest / unit
        ), "MAE"
        assert close(
            row.mfe, None if unit is None or deal.highest is None else deal.highest / unit
        ), "MFE"
        assert row.unbounded is (row.stop_wanted is None)
        assert close(
            row.at_stop, None if row.unbounded or row.stop is None else deal.net(row.stop)
        ), "at stop"
    for ended in view.closed:
        deal = played.deals[ended.id]
        assert close(ended.profit, deal.net(D(0))), "net of what ended"
        unit = deal.one_r()
        assert close(ended.r, None if unit is None else deal.net(D(0)) / unit), "R of what ended"
        assert close(
            ended.mae, None if unit is None or deal.lowest is None else deal.lowest / unit
        ), "MAE of what ended"
    _compare_account(played, view.account)


def _compare_account(played: Played, account: AccountView) -> None:
    deals = played.deals.values()
    assert close(account.equity, played.equity()), "equity"
    assert close(account.realised, sum((deal.realised() for deal in deals), F(0)))
    assert close(
        account.unrealised, sum((deal.unrealised(played.mark(deal)) for deal in deals), F(0))
    )
    assert close(account.fees, sum((deal.fees for deal in deals), F(0)))
    everything = next(one for one in account.periods if one.name == "all")
    assert close(everything.result, played.equity() - 1_000_000), "change of the equity"
    assert close(everything.drawdown, played.peak - played.equity()), "drawdown"
    assert close(everything.deepest, played.fall), "deepest drawdown"
    leaving = sum((abs(deal.held) * F(played.mark(deal)) * deal.taker for deal in deals), F(0))
    assert close(everything.exit_fees, leaving)


def identities(view: View) -> None:
    """What section 6 of the console's brief says of the figures among each other, to the cent."""
    for one in view.account.periods:
        assert (
            abs(F(one.realised + one.unrealised - one.fees + one.funding + one.other - one.result))
            < CENT
        )
        assert abs(one.other) < CENT, f"{one.name}: nothing is held but by positions"
        assert abs(F(one.if_flat - (one.result - one.exit_fees))) < CENT
        unattributed = one.funding - sum((row.funding for row in one.symbols), D(0))
        assert (
            abs(F(sum((row.if_flat for row in one.symbols), D(0)) + unattributed - one.if_flat))
            < CENT
        )
    assert view.account.day == period(view, "day").result
    rows = [row for row in view.positions if not row.dust]
    assert view.account.unbounded is any(row.unbounded for row in rows)
    if view.account.at_stops is not None:
        assert abs(
            view.account.at_stops - sum((min(row.at_stop or D(0), D(0)) for row in rows), D(0))
        ) < D("0.01")
    assert (
        sum((row.net_in_account or D(0) for row in rows), D(0))
        - sum((row.net or D(0) for row in rows), D(0))
        == 0
    )


def shown(view: View) -> None:
    """Each figure of a name is the same on strip, panes, `status --json` and in the report."""
    account = view.account
    strip = "".join(text for _, line in status.pieces(view, "") for text, _ in line)
    pane = " ".join(
        "".join(text for text, _ in line)
        for line in limits.limit_lines(view, Told(), KeyMap(COMMANDS, {}))
    )
    said = "UNBOUNDED" if account.unbounded else f"{abs(account.at_stops or D(0)):,.2f}"
    for text in (strip, pane):
        assert said in text.partition("at stops")[2]
    if account.unbounded:
        assert not any(mark in strip.partition("at stops")[2][:14] for mark in "0123456789")
    cells = {column.title: column for column in positions.POSITIONS}
    for row in view.positions:
        assert (
            cells["net"].cell(row, view.at)[0].lstrip("▲▼")
            == f"{abs(row.net or D(0)).quantize(D('0.01')):,}"
        )
        assert (cells["at stop"].cell(row, view.at)[0] == "UNBOUNDED") is row.unbounded
    plain = msgspec.json.decode(msgspec.json.encode(view))
    assert plain["account"]["at_stops"] == (
        None if account.at_stops is None else str(account.at_stops)
    )
    assert plain["account"]["unbounded"] is account.unbounded


def reported(played: Played) -> None:
    told = report.account(played.view().account, played.story.state)
    account = played.view().account
    assert (told["at_stops"] is None) is account.unbounded
    assert account.unbounded or D(told["at_stops"]) == account.at_stops
    for one in account.periods:
        assert D(told["periods"][one.name]["result"]) == one.result
        assert D(told["periods"][one.name]["if_flat"]) == one.if_flat
    assert D(told["realised_pnl"]) == account.realised - account.fees


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "block",
    [
        pytest.param(block, marks=() if block < ALWAYS else pytest.mark.long)
        for block in range(BLOCKS)
    ],
)
def test_a_thousand_states_recomputed_from_fills_alone(profile: str, block: int) -> None:
    """216 stories of 15 turns, a third of them always (1,080 states) and the others with `pytest -m
    long`.

    In each: scaling in, partial closes, reversals, moved stops, funding, fees in coins, both sides,
    crashes and restarts.
    """
    turned = 0
    for seed in range(block * 6, block * 6 + 6):
        played = Played(profile, seed)
        for _ in range(15):
            played.turn()
            view = played.view()
            compare(played)
            identities(view)
            shown(view)
        reported(played)
        played.story.replays()
        turned += played.turned
    assert bool(turned) is (profile != "binance-spot"), "where nothing is lent nobody turns round"


@pytest.mark.hazard("H95")
def test_a_removed_stop_is_unbounded_everywhere_in_one_frame_and_refuses_entries() -> None:
    story = Story("kraken-futures", strict=True)
    position = story.opened()
    played = Played.__new__(Played)
    played.story = story
    bounded = played.view()
    shown(bounded)
    assert bounded.account.at_stops == D("-314.85")
    assert story.ask(i.MoveStop(id="m", position=position.id, stop=None, reason="none")).ok
    view = played.view()
    shown(view)
    (row,) = view.positions
    assert (row.at_stop, row.unbounded, view.account.at_stops, view.account.unbounded) == (
        None,
        True,
        None,
        True,
    )
    assert view.account.open_risk == D(30_000) > bounded.account.open_risk
    story.cancelled(story.order("stop"))
    assert story.buy("0.1", symbol=ETH).ok, "a stop that is on its way has two seconds"
    story.wait(3)
    answer = story.buy("0.1", symbol=ETH)
    assert [refusal.code for refusal in answer.refusals] == ["ENTRIES_BLOCKED"]
    assert "BTC/USD has no working stop (risk.naked_blocks)" in answer.refusals[0].text
    assert [reason.code for reason in played.view().reasons] == ["NAKED"]
    assert story.ask(i.MoveStop(id="n", position=position.id, stop=i.At(D(59_000)))).ok
    assert "NAKED" not in story.state.blocks, "it opens entries at once"


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("profile", PROFILES)
def test_what_was_typed_is_what_is_lost_at_the_stop(profile: str, side: Side) -> None:
    if profile == "binance-spot" and side is Side.SELL:
        return
    story = Story(profile)
    risk, lot = D(500), story.state.instruments[BTC].lot
    answer = story.buy(size=i.Risk(risk), side=side, stop=i.Away(D("0.01")))
    assert answer.ok, answer.refusals
    order = story.order("entry")
    instrument = story.state.instruments[BTC]
    price = D("60000.1") if side is Side.BUY else D(60_000)
    coins = instrument.fee_currency.value == "received" and side is Side.BUY
    rate = instrument.fee_tiers[0].taker
    fee = order.size * rate * (1 if coins else price)
    story.fill(order, price=str(price), fee=str(fee), currency="BTC" if coins else "USD")
    (row,) = story.views.positions(story.ctx)
    assert row.one_r is not None
    assert risk - lot * 1_500 <= row.one_r <= risk, "to the lot"
    assert row.at_stop == -row.one_r


def test_a_crash_loses_no_peak_no_trough_and_no_excursion() -> None:
    story = Story("kraken-futures")
    story.opened("10", stop=i.Away(D("0.05")))
    for bid in ("61000", "59000", "60500"):
        story.price(BTC, bid)
        story.wait(1)
    before = story.views.account(story.ctx).periods
    (row,) = story.views.positions(story.ctx)
    story.board = Board(story.now)
    story.desk = Desk(
        decode_state(encode_state(story.state)), story.rules, story.profile, story.board
    )
    story.price(BTC, "60500")
    story.price(ETH, "3000")
    story.wait(1)
    after = {one.name: one for one in story.views.account(story.ctx).periods}
    for one in before:
        if one.name != "session":
            assert (after[one.name].deepest, after[one.name].drawdown, after[one.name].result) == (
                one.deepest,
                one.drawdown,
                one.result,
            )
    assert after["day"].deepest == D(20_000)
    assert after["session"].result == 0, "a new process begins a session"
    (again,) = story.views.positions(story.ctx)
    assert (again.mae, again.mfe) == (row.mae, row.mfe)


@pytest.mark.hazard("H94")
def test_a_loss_is_judged_before_the_next_entry_and_within_a_second() -> None:
    story = Story("kraken-futures", Rules(risk=RiskRules(daily_loss=D("0.05"), max_drawdown=None)))
    story.wait(1)
    story.opened("10", stop=None)
    story.price(BTC, "51000")  # 9 % of a million
    assert "DAILY_LOSS" not in story.state.blocks
    assert [refusal.code for refusal in story.buy("0.1", symbol=ETH).refusals] == [
        "ENTRIES_BLOCKED"
    ]
    story = Story("kraken-futures", Rules(risk=RiskRules(daily_loss=D("0.05"), max_drawdown=None)))
    story.wait(1)
    story.opened("10", stop=None)
    story.price(BTC, "51000")
    story.wait(1)
    assert "DAILY_LOSS" in story.state.blocks


@pytest.mark.hazard("H94")
def test_a_loss_is_judged_with_the_fill_that_makes_it() -> None:
    story = Story("kraken-futures", Rules(risk=RiskRules(daily_loss=D("0.05"), max_drawdown=None)))
    story.wait(1)
    story.opened("10")
    story.fill(story.order("stop"), price="54000")
    assert "DAILY_LOSS" in story.state.blocks


@pytest.mark.hazard("H94")
def test_a_peak_between_two_samples_counts() -> None:
    story = Story("kraken-futures", Rules(risk=RiskRules(daily_loss=None, max_drawdown=D("0.05"))))
    story.opened("10", stop=None)
    story.wait(1)
    for bid in ("66000", "60000"):
        story.price(BTC, bid)
        story.wait(1)
    assert "DRAWDOWN" in story.state.blocks


@pytest.mark.hazard("H94")
def test_who_resumes_after_the_days_loss_is_not_locked_out_again_by_the_same_loss() -> None:
    story = Story("kraken-futures", Rules(risk=RiskRules(daily_loss=D("0.05"), max_drawdown=None)))
    story.wait(1)
    story.opened("10", stop=None)
    story.price(BTC, "54000")
    story.wait(1)
    assert story.ask(i.Resume(id="r", reason="DAILY_LOSS")).ok
    story.wait(30)
    assert "DAILY_LOSS" not in story.state.blocks
    story.price(BTC, "49000")
    story.wait(1)
    assert "DAILY_LOSS" in story.state.blocks, "another limit's worth was lost"


@pytest.mark.hazard("H93")
def test_a_restart_waits_for_the_prices_of_what_was_counted() -> None:
    story = Story("kraken-spot", Rules(risk=RiskRules(daily_loss=D("0.05"), max_drawdown=None)))
    story.opened("10")
    story.wait(1)
    story.board = Board(story.now)
    story.desk = Desk(
        decode_state(encode_state(story.state)), story.rules, story.profile, story.board
    )
    story.price(ETH, "3000")
    story.wait(1)
    assert "DAILY_LOSS" not in story.state.blocks, "a price that has not come yet is no loss"
    assert "LIMITS_UNKNOWN" in {refusal.code for refusal in story.buy("0.1", symbol=ETH).refusals}
    story.price(BTC, "54000")
    story.wait(1)
    assert "DAILY_LOSS" in story.state.blocks, "what was lost while nobody looked counts"


@pytest.mark.hazard("H95")
def test_an_entry_needs_a_stop_by_default() -> None:
    story = Story("kraken-futures", strict=True)
    assert [
        refusal.code for refusal in story.buy(stop=None).refusals if refusal.code == "STOP_REQUIRED"
    ]
    assert Rules().risk.require_stop
    assert Rules().risk.naked_blocks


def test_the_rate_of_a_fee_has_its_source() -> None:
    story = Story("kraken-futures")
    instrument = story.state.instruments[BTC]
    assert (story.ctx.rates(instrument).taker, story.ctx.rates(instrument).source) == (
        D("0.0005"),
        "assumed",
    )
    story.rules = story.desk.rules = replace(story.rules, volume_30d=D(10_000_000))
    volume = story.ctx.rates(instrument)
    assert (volume.taker, volume.source) == (
        instrument.fees_at(D(10_000_000)).taker,
        "30-day volume",
    )
    story.buy()
    story.fill(story.order("entry"), fee="9.0001")  # 0.03 % of 30000, rounded by the venue
    paid = story.ctx.rates(instrument)
    assert (paid.taker, paid.source, paid.maker_source) == (
        D("0.0003"),
        "last fill",
        "30-day volume",
    )
    story.tell(r.FeesTold(BTC, D("0.0001"), D("0.00035"), story.now))
    told = story.ctx.rates(instrument)
    assert (told.maker, told.taker, told.maker_source, told.source) == (
        D("0.0001"),
        D("0.00035"),
        "venue",
        "venue",
    )
    assert story.ctx.rates(story.state.instruments[ETH]).source == "30-day volume", (
        "of this symbol, and of no other"
    )


def test_size_from_risk_and_every_figure_take_what_the_venue_says_that_this_account_pays() -> None:
    sizes = {}
    for rate in (None, D("0.001"), D("0.0001")):
        story = Story("kraken-futures")
        if rate is not None:
            story.tell(r.FeesTold(BTC, rate, rate, story.now))
        intent = i.OpenBracket(
            id="x", symbol=BTC, side=Side.BUY, size=i.Risk(D(100)), stop=i.At(D(59_900))
        )
        (line,) = [
            line.after for line in preview(story.ctx, intent).lines if line.name == "exit fee"
        ]
        assert line.endswith("assumed" if rate is None else "venue"), (
            "where it is known from is said"
        )
        assert story.ask(intent).ok
        order = story.order("entry")
        story.accept(order)
        story.fill(
            order, price="60000.1", fee=str(order.size * D("60000.1") * (rate or D("0.0005")))
        )
        (row,) = story.views.positions(story.ctx)
        assert row.taker_source == ("last fill" if rate is None else "venue")
        sizes[rate] = order.size
        assert row.at_stop is not None
        assert 0 <= row.at_stop + 100 < D(1), "what was typed is what is lost at the stop"
    assert sizes[D("0.001")] < sizes[None] < sizes[D("0.0001")]


@pytest.mark.parametrize("side", list(Side))
def test_a_point_is_what_a_unit_of_price_changes(side: Side) -> None:
    story = Story("kraken-futures")
    assert story.buy(size=i.Base(D(2)), side=side, stop=i.Away(D("0.01"))).ok
    story.fill(story.order("entry"), price="60000")
    (before,) = story.views.positions(story.ctx)
    story.price(BTC, "60100")
    (after,) = story.views.positions(story.ctx)
    assert before.point is not None
    assert before.mark is not None
    assert after.mark is not None
    assert before.unrealised is not None
    assert after.unrealised is not None
    moved = (after.mark - before.mark) * side.sign
    assert after.unrealised - before.unrealised == moved * before.point
    assert before.point_in_account == before.point, "dollars"
