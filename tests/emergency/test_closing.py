"""The last exit against a paper venue whose truth is known: what it closes, what it leaves alone,
and when it says flat.
"""

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from engine.account import mark as marks
from engine.account.summary import HeldPosition
from engine.clock import SECOND
from engine.emergency import marking
from engine.exchange import Faults
from engine.model.ids import account_prefix, is_of_last_exit
from engine.model.order import Order, OrderType, Role
from engine.model.request import Cancel, Query, Request, Submit
from engine.model.side import Side
from engine.venues.protocol import RateLimitedError
from tests.support.scene import ACCOUNT, BTC, ETH, Scene, play

D = Decimal
BOTH = pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])


def listening(scene: Scene) -> list[Request]:
    """All requests that reach the venue from now on."""
    sent: list[Request] = []
    send = scene.venue.send

    async def carry(request: Request) -> Any:
        sent.append(request)
        return await send(request)

    scene.venue.send = carry  # type: ignore[method-assign]
    return sent


@pytest.mark.hazard("H113")
@BOTH
def test_a_position_of_last_year_is_closed(profile: str) -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", days=400)
        result = await scene.exit(scene.summary())
        assert scene.held == 0, "exit 0 with a position of last year"
        assert result.flat, result.lines
        assert not scene.resting

    play(tale, profile=profile)


@pytest.mark.hazard("H113")
@BOTH
def test_an_adopted_position_is_closed(profile: str) -> None:
    async def tale(scene: Scene) -> None:
        scene.foreign(Side.BUY, "0.7")
        scene.hold("0.3")
        scene.positions.append(replace(scene.positions[0], id="A", size=D("0.7"), adopted=True))
        result = await scene.exit(scene.summary())
        assert scene.held == 0, "what was adopted is ours, too"
        assert result.flat, result.lines

    play(tale, profile=profile)


@pytest.mark.hazard("H113")
def test_own_coins_and_foreign_orders_stay_and_are_named() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1")
        resting = scene.foreign(Side.SELL, "0.5", price="90000")
        result = await scene.exit(scene.summary())
        assert result.flat, result.lines
        assert scene.held == 2
        assert [order.client_order_id for order in scene.resting] == [resting.client_order_id]
        told = "\n".join(result.lines)
        assert "BTC/USD: 2 BTC is not ours and was left alone" in told
        assert "not ours, left alone: sell 0.5 BTC/USD" in told

    play(tale, coins="2")


@pytest.mark.hazard("H113")
@BOTH
@pytest.mark.parametrize("honest", [True, False])
def test_views_that_lag_do_not_say_flat(profile: str, honest: bool) -> None:
    """The engine bought five seconds ago, its home is lost, and the venue's views are twenty
    seconds old.
    """

    async def tale(scene: Scene) -> None:
        scene.venue._remember()
        if not honest:
            scene.lie()
        scene.hold("1", stop=None)
        await scene.clock.sleep(5 * SECOND)
        result = await scene.exit(None, lag=0 if honest else 20 * SECOND)
        assert scene.held == 0, "two pictures that agree about the past"
        assert result.flat, result.lines

    play(tale, profile=profile, faults=Faults(rest_lag=20 * SECOND))


@pytest.mark.hazard("H113")
def test_lists_that_are_empty_are_not_believed_while_our_stop_is_known_by_its_id() -> None:
    """The venue lists nothing at all, for as long as it is asked: neither position nor orders nor
    executions. Asked for our stop by its id, it says that it rests.
    """

    async def tale(scene: Scene) -> None:
        scene.hold("1")
        _blank(scene, 600)
        result = await scene.exit(scene.summary())
        assert scene.held == 1
        assert not result.flat, result.lines
        assert any("by its id, our stop rests" in line for line in result.lines), result.lines
        assert scene.clock.now() - scene.began <= 125 * SECOND

    play(tale, profile="kraken-futures")


@pytest.mark.hazard("H113")
def test_what_was_said_of_empty_lists_is_over_once_they_tell_again() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1")
        _blank(scene, 75)
        result = await scene.exit(scene.summary())
        assert scene.held == 0
        assert result.flat, result.lines
        assert not any("by its id" in line for line in result.lines), result.lines

    play(tale, profile="kraken-futures")


def _blank(scene: Scene, seconds: int) -> None:
    """For so long the venue lists nothing."""
    parts, until = scene.venue.parts(), scene.clock.now() + seconds * SECOND
    look = parts._look

    async def nothing(cost: Any, since: int) -> Any:
        told = await look(cost, since)
        blank = scene.clock.now() < until
        return replace(told, net={}, orders=(), fills=()) if blank else told

    parts._look = nothing
    scene.venue.parts = lambda: parts  # type: ignore[method-assign]


@pytest.mark.hazard("H113")
@BOTH
def test_what_was_sold_and_is_still_listed_is_looked_at_again(profile: str) -> None:
    """Views lag by twenty seconds, and the settings do not say so: what a view lists is what this
    exit has just sold, and nobody's.
    """

    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        for _ in range(30):
            scene.venue._remember()
            await scene.clock.sleep(SECOND)
        scene.lie()
        result = await scene.exit(scene.summary())
        assert scene.held == 0
        assert result.flat, f"it gave up on what it had sold: {result.lines}"

    play(tale, profile=profile, faults=Faults(rest_lag=20 * SECOND))


@pytest.mark.hazard("H113")
def test_contracts_that_the_operator_left_alone_stay_and_are_named() -> None:
    async def tale(scene: Scene) -> None:
        scene.foreign(Side.BUY, "0.3")
        await scene.clock.sleep(60 * SECOND)
        scene.hold("1")
        scene.baseline[BTC] = D("0.3")
        result = await scene.exit(scene.summary())
        assert result.flat, result.lines
        assert scene.held == D("0.3")
        assert "BTC/USD: 0.3 BTC/USD is not ours and was left alone" in result.lines

    play(tale, profile="kraken-futures")


@pytest.mark.hazard("H113")
def test_what_nobody_can_attribute_is_never_passed_over() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1")
        result = await scene.exit(None)
        assert scene.held == 2, "the owner's coins"
        assert not result.flat, "two bitcoin that nobody can attribute were passed over"
        assert any(
            "2 BTC (about 120,000.10 USD) is unattributable" in line for line in result.lines
        ), result.lines
        assert not scene.resting

    play(tale, coins="2")


@pytest.mark.hazard("H75")
@BOTH
def test_a_stop_over_what_nobody_can_attribute_stays(profile: str) -> None:
    """The journal was set back: its summary knows neither the position nor its stop, which may be
    all that protects it.
    """

    async def tale(scene: Scene) -> None:
        scene.hold("1")
        await scene.clock.sleep(60 * SECOND)
        known = replace(scene.summary(), positions=(), orders=())
        result = await scene.exit(known)
        assert not result.flat
        assert scene.held == 1
        assert [(order.side, order.trigger) for order in scene.resting] == [
            (Side.SELL, D(50_000))
        ], "it took the stop away and left the coins"
        assert any("is unattributable" in line for line in result.lines), result.lines
        assert any("rests" in line for line in result.lines), result.lines

    play(tale, profile=profile)


@pytest.mark.hazard("H113")
def test_a_coin_that_another_pair_is_priced_in_is_no_money() -> None:
    """The home is lost, and ETH/BTC is traded, too: bitcoin that nobody can attribute are no less
    to be told.
    """

    async def tale(scene: Scene) -> None:
        result = await scene.exit(None)
        assert scene.held == 2
        assert not result.flat, "two bitcoin that nobody can attribute were passed over"
        assert any("unattributable" in line for line in result.lines), result.lines

    play(tale, coins="2", crosses=("ETH/BTC",))


@pytest.mark.hazard("H113")
def test_all_of_a_symbol_is_closed_where_the_operator_says_so() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1")
        result = await scene.exit(None, all_of=(BTC,))
        assert scene.held == 0
        assert result.flat, result.lines

    play(tale, coins="2")


@pytest.mark.hazard("H113")
@BOTH
def test_a_lost_home_still_closes_what_our_executions_prove(profile: str) -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1")
        await scene.clock.sleep(60 * SECOND)
        result = await scene.exit(None)
        assert scene.held == 0
        assert result.flat, result.lines

    play(tale, profile=profile)


@pytest.mark.hazard("H113")
@BOTH
def test_what_filled_after_the_summary_counts(profile: str) -> None:
    """The home is older than the last orders: a disk was full."""

    async def tale(scene: Scene) -> None:
        scene.hold("1")
        told = scene.summary()
        await scene.clock.sleep(3600 * SECOND)
        scene.place(Side.BUY, "0.5", Role.ENTRY)
        await scene.clock.sleep(60 * SECOND)
        result = await scene.exit(told)
        assert scene.held == 0
        assert result.flat, result.lines

    play(tale, profile=profile)


@pytest.mark.hazard("H113")
@BOTH
def test_a_position_that_ended_just_before_the_summary_counts_once(profile: str) -> None:
    """Each position numbers its own orders: the close of the one before bears a higher number than
    anything that is open now.
    """

    async def tale(scene: Scene) -> None:
        scene.place(Side.BUY, "0.7", Role.ENTRY, number=1)
        scene.place(Side.SELL, "0.7", Role.CLOSE, number=3)
        await scene.clock.sleep(30 * SECOND)
        scene.place(Side.BUY, "0.4", Role.ENTRY, number=1)
        scene.positions.append(
            HeldPosition(
                id="P", symbol=BTC, side=Side.BUY, size=D("0.4"), opened_at=scene.clock.now()
            )
        )
        scene.rest(scene.place(Side.SELL, "0.4", Role.STOP, trigger="50000", number=1))
        result = await scene.exit(scene.summary())
        assert scene.held == (D(2) if profile == "kraken-spot" else 0), (
            "what an earlier position closed was counted again"
        )
        assert result.flat, result.lines

    play(tale, profile=profile, coins="2" if profile == "kraken-spot" else "0")


@pytest.mark.hazard("H113")
@BOTH
def test_what_fills_after_the_summary_counts_whatever_its_number(profile: str) -> None:
    """The entry of a new position bears number one, below the newest exit of an old one."""

    async def tale(scene: Scene) -> None:
        scene.number = 400
        scene.hold("1")
        await scene.clock.sleep(60 * SECOND)
        told = scene.summary()
        scene.number = 0
        await scene.clock.sleep(SECOND // 2)
        scene.place(Side.BUY, "0.5", Role.ENTRY)
        await scene.clock.sleep(5 * SECOND)
        result = await scene.exit(told)
        assert scene.held == D("2" if profile == "kraken-spot" else "0"), scene.said
        assert result.flat, result.lines

    play(tale, profile=profile, coins="2")


@pytest.mark.hazard("H113")
@BOTH
def test_what_an_entry_filled_unheard_before_the_summary_counts(profile: str) -> None:
    """A market order eats three levels in one moment: the engine booked the first, wrote its
    summary a moment later, and died.
    """

    async def tale(scene: Scene) -> None:
        scene.sizes[BTC] = "0.2"
        scene.quote()
        entry = scene.place(Side.BUY, "0.5", Role.ENTRY)
        fills = [
            fill for fill in scene.exchange.fills if fill.client_order_id == entry.client_order_id
        ]
        assert len(fills) > 1
        await scene.clock.sleep(SECOND // 20)
        scene.positions.append(
            HeldPosition(
                id="P", symbol=BTC, side=Side.BUY, size=fills[0].size, opened_at=scene.clock.now()
            )
        )
        scene.rest(entry, filled=fills[0].size)
        told = replace(scene.summary(), executions=(fills[0].execution_id,))
        scene.sizes[BTC] = "1000"
        await scene.clock.sleep(5 * SECOND)
        result = await scene.exit(told)
        assert scene.held == 0, (
            "what filled before the summary was written, and was not in it, is ours"
        )
        assert result.flat, result.lines

    play(tale, profile=profile)


@pytest.mark.hazard("H73")
def test_nothing_is_sold_while_a_sale_of_the_dead_engine_may_arrive() -> None:
    """Its close was on the wire when it died. It arrives two seconds later; own coins lie in the
    same heap.
    """

    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        late = Order(
            scene.name(),
            "P",
            BTC,
            Side.SELL,
            OrderType.MARKET,
            Role.CLOSE,
            D(1),
            deadline=scene.clock.now() + 4 * SECOND,
        )
        scene.rest(
            replace(late, touched_at=scene.clock.now()),
            venue_order_id=None,
            in_doubt=True,
            deadline=late.deadline,
        )
        scene.clock.call_at(scene.clock.now() + 2 * SECOND, lambda: scene.arrive(late))
        result = await scene.exit(scene.summary())
        await scene.clock.sleep(5 * SECOND)
        assert scene.held == 2, "one holding was sold twice"
        assert result.flat, result.lines

    play(tale, coins="2")


@pytest.mark.hazard("H73")
def test_an_entry_of_the_dead_engine_that_arrives_late_is_closed() -> None:
    async def tale(scene: Scene) -> None:
        late = Order(
            scene.name(),
            "P",
            BTC,
            Side.BUY,
            OrderType.MARKET,
            Role.ENTRY,
            D(1),
            deadline=scene.clock.now() + 5 * SECOND,
        )
        scene.rest(
            replace(late, touched_at=scene.clock.now()),
            venue_order_id=None,
            in_doubt=True,
            deadline=late.deadline,
        )
        scene.clock.call_at(scene.clock.now() + 4 * SECOND, lambda: scene.arrive(late))
        result = await scene.exit(scene.summary())
        assert scene.held == 0
        assert result.flat, result.lines

    play(tale)


@pytest.mark.hazard("H112")
def test_how_much_of_a_cancelled_stop_had_filled_is_learned() -> None:
    """The stop fires between the picture and its cancel, and fills in part. The views are five
    seconds old, and don't say so; own coins lie there.
    """

    async def tale(scene: Scene) -> None:
        scene.hold("1")
        await scene.clock.sleep(60 * SECOND)
        scene.lie()
        sent, send = listening(scene), scene.venue.send

        async def carry(request: Request) -> Any:
            if isinstance(request, Cancel) and not any(isinstance(one, Cancel) for one in sent):
                scene.bids[BTC], scene.sizes[BTC] = "50000", "0.04"  # ten levels
                scene.quote()
                scene.sizes[BTC] = "1000"
            return await send(request)

        scene.venue.send = carry  # type: ignore[method-assign]
        result = await scene.exit(scene.summary(), lag=5 * SECOND)
        assert scene.held == 2, "it assumed how much of the stop had filled"
        assert result.flat, result.lines

    play(tale, coins="2", faults=Faults(rest_lag=5 * SECOND))


@pytest.mark.hazard("H112")
def test_a_stop_is_taken_away_only_when_its_close_can_be_paid_for() -> None:
    """A starter tier, and the engine has used the pair's counter up. The position is naked for a
    moment, not for a minute.
    """

    async def tale(scene: Scene) -> None:
        scene.hold("1")
        await scene.clock.sleep(20 * SECOND)
        counter = scene.exchange.limits.counter(BTC)
        counter.spend(60 - counter.used - 4.5, scene.clock.now())
        scene.exchange.limits.counter("rest").spend(14, scene.clock.now())
        times: dict[type, int] = {}
        send = scene.venue.send

        async def carry(request: Request) -> Any:
            answer = await send(request)
            if isinstance(request, Cancel | Submit):
                times[type(request)] = scene.clock.now()
            return answer

        scene.venue.send = carry  # type: ignore[method-assign]
        result = await scene.exit(scene.summary())
        assert result.flat, result.lines
        naked = (times[Submit] - times[Cancel]) / SECOND
        assert naked < 1, f"naked for {naked:.1f} s, for want of tokens"

    play(tale, tier="starter")


@pytest.mark.hazard("H112")
@pytest.mark.parametrize("tier", ["starter", "intermediate", "pro"])
def test_it_keeps_within_the_limits_of_its_tier(tier: str) -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1")
        scene.hold("3", symbol=ETH, stop="2000")
        await scene.clock.sleep(30 * SECOND)
        rest = scene.exchange.limits.counter("rest")
        rest.spend(rest.capacity - 3, scene.clock.now())
        refused: list[str] = []
        carried = scene.venue._carried

        async def carry(act: Any) -> Any:
            try:
                return await carried(act)
            except RateLimitedError as error:
                refused.append(str(error))
                raise

        scene.venue._carried = carry  # type: ignore[method-assign]
        result = await scene.exit(scene.summary())
        assert result.flat, result.lines
        assert not refused, "the venue's limits were overrun"

    play(tale, tier=tier)


@pytest.mark.hazard("H112")
def test_a_refused_close_puts_the_stop_back_at_once() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1")
        await scene.clock.sleep(60 * SECOND)
        naked: list[float] = []
        gone = 0

        def refusal(request: Request) -> str:
            closing = isinstance(request, Submit) and request.order.role is Role.CLOSE
            return (
                "EService:Market in post_only mode" if closing and scene.clock.now() < until else ""
            )

        until = scene.clock.now() + 40 * SECOND
        scene.venue._refusal = refusal  # type: ignore[method-assign]
        send = scene.venue.send

        async def carry(request: Request) -> Any:
            nonlocal gone
            answer = await send(request)
            stop = any(order.type is OrderType.STOP for order in scene.resting)
            if not stop and not gone:
                gone = scene.clock.now()
            elif stop and gone:
                naked.append((scene.clock.now() - gone) / SECOND)
                gone = 0
            return answer

        scene.venue.send = carry  # type: ignore[method-assign]
        result = await scene.exit(scene.summary())
        assert naked, "the stop was never put back"
        assert max(naked) < 2, f"naked for {max(naked):.1f} s"
        assert scene.held == 0
        assert result.flat, result.lines

    play(tale)


@pytest.mark.hazard("H112")
@BOTH
def test_out_of_time_a_stop_rests_under_all_that_is_left(profile: str) -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None if profile == "kraken-futures" else "50000")
        await scene.clock.sleep(60 * SECOND)
        began = scene.clock.now()

        def refusal(request: Request) -> str:
            return (
                "EOrder:Market in cancel_only mode"
                if isinstance(request, Submit) and request.order.role is Role.CLOSE
                else ""
            )

        scene.venue._refusal = refusal  # type: ignore[method-assign]
        result = await scene.exit(scene.summary())
        assert not result.flat
        assert scene.clock.now() - began <= 125 * SECOND
        assert [(order.type, order.size) for order in scene.resting] == [(OrderType.STOP, D(1))], (
            scene.resting
        )
        assert is_of_last_exit(scene.resting[0].client_order_id)
        told = "\n".join(result.lines)
        assert "still held: 1 of ours; a stop rests at the venue" in told
        assert "cancel_only" in told
        assert "nobody watches this now" in told

    play(tale, profile=profile)


@pytest.mark.hazard("H112")
@BOTH
def test_closes_carry_a_bound_that_widens(profile: str) -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", days=1, stop=None)
        sent, send = listening(scene), scene.venue.send

        async def carry(request: Request) -> Any:
            """The market falls by a fiftieth, each time that an order is on its way."""
            if (
                isinstance(request, Submit)
                and len([one for one in sent if isinstance(one, Submit)]) < 2
            ):
                scene.bids[BTC] = str(int(D(scene.bids[BTC]) * D("0.98")))
                scene.quote()
            return await send(request)

        scene.venue.send = carry  # type: ignore[method-assign]
        result = await scene.exit(scene.summary())
        assert scene.held == 0
        assert result.flat, result.lines
        closes = [one.order for one in sent if isinstance(one, Submit)]
        assert len(closes) > 1
        assert all(order.price is not None for order in closes), "a close without a bound"
        bounds = [order.price for order in closes if order.price is not None]
        assert bounds[0] == D(59400)
        assert bounds[1] <= D(58800) * D("0.97"), "the second bound is no wider"

    play(tale, profile=profile)


@pytest.mark.hazard("H73")
@BOTH
def test_the_mark_tells_each_order_before_it_leaves(profile: str, tmp_path: Path) -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1")
        send = scene.venue.send
        unmarked: list[str] = []

        async def carry(request: Request) -> Any:
            if isinstance(request, Submit):
                told = marks.read(tmp_path)
                known = [] if told is None else [order.client_order_id for order in told.orders]
                if request.order.client_order_id not in known:
                    unmarked.append(request.order.client_order_id)
                assert is_of_last_exit(request.order.client_order_id)
                assert request.order.client_order_id.startswith(account_prefix(ACCOUNT))
            return await send(request)

        scene.venue.send = carry  # type: ignore[method-assign]
        result = await scene.exit(scene.summary(), tmp_path)
        assert result.flat, result.lines
        assert unmarked == [], "an order left that no mark tells"
        marked = marks.read(tmp_path)
        assert marked is not None
        assert [order.size for order in marked.orders] == [D(1)]

    play(tale, profile=profile)


@pytest.mark.hazard("H73")
def test_a_second_exit_counts_what_the_first_one_sold(tmp_path: Path) -> None:
    """The summary is from before both; nobody has booked the first one's sale yet."""

    async def first(scene: Scene) -> None:
        scene.hold("1")
        told = scene.summary()
        shut, scene.venue.shut_down = scene.venue.shut_down, lambda: None  # type: ignore[method-assign]
        result = await scene.exit(told, tmp_path)
        assert result.flat, result.lines
        scene.venue.shut_down = shut  # type: ignore[method-assign]
        result = await scene.exit(told, tmp_path)
        assert result.flat, result.lines
        assert scene.held == 2, "one holding was sold twice"

    play(first, coins="2")


@pytest.mark.hazard("H73")
@pytest.mark.parametrize("marked", [True, False])
def test_a_second_exit_does_not_sell_the_coins_that_the_owner_brought(
    marked: bool, tmp_path: Path
) -> None:
    """The first one sold ours and could not say flat, because more lies there than before. The
    summary is from before both.
    """

    async def tale(scene: Scene) -> None:
        scene.hold("1")
        told, folder = scene.summary(), tmp_path if marked else None
        scene.venue.withdraw("BTC", D("-1.5"))
        shut, scene.venue.shut_down = scene.venue.shut_down, lambda: None  # type: ignore[method-assign]
        result = await scene.exit(told, folder)
        assert not result.flat, "coins that nobody can attribute"
        assert scene.held == D("3.5")
        await scene.clock.sleep(60 * SECOND)
        scene.venue.shut_down = shut  # type: ignore[method-assign]
        result = await scene.exit(told, folder)
        assert scene.held == D("3.5"), "the owner's coins were sold"
        assert not result.flat

    play(tale, coins="2")


@pytest.mark.hazard("H73")
def test_what_an_earlier_exit_sold_counts_until_an_engine_has_booked_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Minutes later an engine began, wrote a summary, and ended before it had heard what the exit
    had sold.
    """

    async def tale(scene: Scene) -> None:
        # the mark and the venue have one clock
        monkeypatch.setattr(marking, "time", SimpleNamespace(time_ns=scene.clock.now))
        scene.hold("1")
        scene.venue.withdraw("BTC", D("-1.5"))
        shut, scene.venue.shut_down = scene.venue.shut_down, lambda: None  # type: ignore[method-assign]
        told = scene.summary()
        await scene.exit(told, tmp_path)
        assert scene.held == D("3.5")
        await scene.clock.sleep(300 * SECOND)
        scene.venue.shut_down = shut  # type: ignore[method-assign]
        await scene.exit(replace(scene.summary(), executions=told.executions), tmp_path)
        assert scene.held == D("3.5"), "the owner's coins were sold"

    play(tale, coins="2")


@pytest.mark.hazard("H73")
@pytest.mark.parametrize("seed", range(6))
@BOTH
def test_faults_on_the_way_neither_double_nor_hide_anything(profile: str, seed: int) -> None:
    async def tale(scene: Scene) -> None:
        from random import Random

        scene.hold("1")
        scene.hold("3", symbol=ETH, stop="2000")
        await scene.clock.sleep(60 * SECOND)
        scene.venue._random = Random(seed)
        scene.venue.faults = Faults(lose_reply=0.2, lose_request=0.1)
        result = await scene.exit(scene.summary())
        assert scene.held == D(0 if scene.profile.derivatives else 2)
        assert result.flat, result.lines
        assert not scene.resting

    play(tale, profile=profile, coins="2" if profile == "kraken-spot" else "0")


def test_queries_are_not_wasted_where_a_picture_tells_the_same() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        await scene.clock.sleep(60 * SECOND)
        scene.exchange.limits.counter("rest").spend(12, scene.clock.now())
        sent = listening(scene)
        result = await scene.exit(scene.summary())
        assert result.flat, result.lines
        assert not [one for one in sent if isinstance(one, Query)]

    play(tale, tier="starter")


@pytest.mark.hazard("H112")
def test_a_stop_that_is_put_back_does_not_fire_at_once() -> None:
    """The market fell through the stop while its close was refused: put back where it was, it would
    be a close without a bound.
    """

    async def tale(scene: Scene) -> None:
        scene.hold("1")
        await scene.clock.sleep(60 * SECOND)
        stops: list[Decimal] = []
        until = scene.clock.now() + 10 * SECOND

        def refusal(request: Request) -> str:
            if isinstance(request, Submit) and request.order.trigger is not None:
                stops.append(request.order.trigger)
            closing = isinstance(request, Submit) and request.order.role is Role.CLOSE
            return (
                "EService:Market in post_only mode" if closing and scene.clock.now() < until else ""
            )

        scene.venue._refusal = refusal  # type: ignore[method-assign]
        send = scene.venue.send

        async def carry(request: Request) -> Any:
            answer = await send(request)
            if isinstance(request, Cancel):
                scene.bids[BTC] = "49000"
                scene.quote()
            return answer

        scene.venue.send = carry  # type: ignore[method-assign]
        result = await scene.exit(scene.summary())
        assert stops, "no stop was put back"
        assert max(stops) < 49000, "it fires at once"
        assert result.flat, result.lines
        assert scene.held == 0

    play(tale)
