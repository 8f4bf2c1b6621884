"""What the last exit does to each order and holding, and when: in virtual time, so that a second
more or less is seen.
"""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from engine.account.summary import HeldPosition
from engine.clock import SECOND
from engine.exchange import Faults
from engine.model import report as r
from engine.model.order import Order, OrderType, Role
from engine.model.request import Cancel, Request, Submit
from engine.model.side import Side
from engine.venues.parts import Row, Working
from engine.venues.protocol import NotSentError, OutcomeUnknownError, RateLimitedError
from tests.support.scene import BTC, ETH, Scene, play

D = Decimal
BOTH = pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])
CLOSES = "EService:Market in post_only mode"


def listening(scene: Scene) -> list[tuple[float, Request]]:
    """All requests that reach the venue from now on, with the seconds since."""
    sent: list[tuple[float, Request]] = []
    send, began = scene.venue.send, scene.clock.now()

    async def carry(request: Request) -> Any:
        sent.append(((scene.clock.now() - began) / SECOND, request))
        return await send(request)

    scene.venue.send = carry  # type: ignore[method-assign]
    return sent


def refusing(
    scene: Scene,
    text: str,
    until: float,
    wanted: Callable[[Order], bool] = lambda order: order.role is Role.CLOSE,
) -> None:
    """The venue refuses these orders for so many seconds."""
    end = scene.clock.now() + int(until * SECOND)
    scene.venue._refusal = (  # type: ignore[method-assign]
        lambda request: (
            text
            if isinstance(request, Submit) and wanted(request.order) and scene.clock.now() < end
            else ""
        )
    )


def seconds(scene: Scene) -> float:
    """Since the exit began."""
    return (scene.clock.now() - scene.began) / SECOND


# Entries


@pytest.mark.hazard("H112")
def test_many_young_entries_are_cancelled_within_the_limits() -> None:
    """Each costs eight points of sixty within its first seconds; at a starter tier one comes back
    each second.
    """

    async def tale(scene: Scene) -> None:
        for number in range(12):
            scene.rest(scene.place(Side.BUY, "0.1", Role.ENTRY, price=str(40_000 + number)))
        counter = scene.exchange.limits.counter(BTC)
        told = scene.summary()
        assert counter.used < 60
        refused: list[str] = []
        carried = scene.venue._carried

        async def carry(act: Any) -> Any:
            try:
                return await carried(act)
            except RateLimitedError as error:
                refused.append(str(error))
                raise

        scene.venue._carried = carry  # type: ignore[method-assign]
        result = await scene.exit(told)
        assert result.flat, result.lines
        assert not scene.resting
        assert not refused, "the venue's limits were overrun"
        assert sum("cancel entry buy 0.1 BTC/USD" in line for line in scene.said) == 12

    play(tale, tier="starter")


def test_an_entry_that_a_late_view_still_lists_is_cancelled_once_in_a_while() -> None:
    async def tale(scene: Scene) -> None:
        scene.rest(scene.place(Side.BUY, "0.1", Role.ENTRY, price="40000"))
        for _ in range(12):
            scene.venue._remember()
            await scene.clock.sleep(SECOND)
        scene.lie()
        sent = listening(scene)
        result = await scene.exit(scene.summary(), lag=4 * SECOND)
        assert result.flat, result.lines
        cancels = [at for at, one in sent if isinstance(one, Cancel)]
        assert len(cancels) == 1, cancels

    play(tale, faults=Faults(rest_lag=4 * SECOND))


@BOTH
def test_a_row_that_can_not_be_read_is_cancelled_by_its_ids(profile: str) -> None:
    async def tale(scene: Scene) -> None:
        entry = scene.place(Side.BUY, "0.1", Role.ENTRY, price="40000")
        parts = scene.venue.parts

        def half_read() -> Any:
            told = parts()
            working = told.working

            async def asked(pay: Any) -> Working:
                found = await working(pay)
                return replace(
                    found,
                    rows=tuple(
                        Row(row.venue_order_id, row.client_order_id, row.symbol, None, "?")
                        for row in found.rows
                    ),
                )

            told.working = asked  # type: ignore[method-assign]
            return told

        scene.venue.parts = half_read  # type: ignore[method-assign]
        sent = listening(scene)
        result = await scene.exit(scene.summary())
        assert result.flat, result.lines
        assert not scene.resting
        (cancel,) = [one for _, one in sent if isinstance(one, Cancel)]
        assert (cancel.client_order_id, cancel.venue_order_id, cancel.symbol) == (
            entry.client_order_id,
            entry.venue_order_id,
            BTC,
        )

    play(tale, profile=profile)


def test_what_opens_goes_first_and_what_protects_stays_until_its_close() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1")
        scene.rest(scene.place(Side.BUY, "0.1", Role.ENTRY, price="40000"))
        scene.rest(scene.place(Side.BUY, "0.2", Role.ENTRY, price="41000"))
        await scene.clock.sleep(60 * SECOND)
        sent = listening(scene)
        result = await scene.exit(scene.summary())
        assert result.flat, result.lines
        assert scene.held == 0
        orders = [
            (one, one.order if isinstance(one, Submit) else one)
            for _, one in sent
            if isinstance(one, Submit | Cancel)
        ]
        words = [f"{type(one).__name__} {order.client_order_id[-4:]}" for one, order in orders]
        entries = {one.client_order_id[-4:] for one in scene.orders if one.role is Role.ENTRY}
        (stop,) = [one.client_order_id[-4:] for one in scene.orders if one.role is Role.STOP]
        assert {word.split()[1] for word in words[:2]} == entries, words
        assert words[2] == f"Cancel {stop}", words
        assert words[3].startswith("Submit"), words
        assert len(words) == 4, words

    play(tale)


# Stops


@pytest.mark.hazard("H112")
def test_a_stop_goes_only_for_the_close_of_its_own_symbol() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1")
        scene.hold("3", symbol=ETH, stop="2000")
        await scene.clock.sleep(60 * SECOND)
        sent = listening(scene)
        result = await scene.exit(scene.summary())
        assert result.flat, result.lines
        order = [
            (type(one), one.symbol if isinstance(one, Cancel) else one.order.symbol)
            for _, one in sent
            if isinstance(one, Cancel | Submit)
        ]
        assert order == [(Cancel, BTC), (Submit, BTC), (Cancel, ETH), (Submit, ETH)], (
            "what is worth most first, each with its own stop"
        )

    play(tale)


@pytest.mark.hazard("H112")
@pytest.mark.parametrize(
    ("side", "stop", "bid"), [(Side.BUY, "50000", "50000"), (Side.SELL, "70000", "69999.9")]
)
def test_a_stop_that_the_price_stands_at_is_put_back_beyond_it(
    side: Side, stop: str, bid: str
) -> None:
    """Put back where it stood it would fire at once: a close without a bound."""

    async def tale(scene: Scene) -> None:
        scene.hold("1", side=side, stop=stop)
        await scene.clock.sleep(60 * SECOND)
        refusing(scene, CLOSES, 10)
        sent, send = listening(scene), scene.venue.send

        async def carry(request: Request) -> Any:
            answer = await send(request)
            if isinstance(request, Cancel):
                scene.bids[BTC] = bid
                scene.quote()
            return answer

        scene.venue.send = carry  # type: ignore[method-assign]
        result = await scene.exit(scene.summary())
        stops = [
            one.order.trigger
            for _, one in sent
            if isinstance(one, Submit) and one.order.type is OrderType.STOP
        ]
        assert stops, "no stop was put back"
        wanted = D("48500") if side is Side.BUY else D("72100")
        assert stops[0] == wanted, "three hundredths away from the price"
        assert result.flat, result.lines
        assert scene.held == 0

    play(tale)


@pytest.mark.hazard("H112")
def test_a_stop_that_was_taken_away_goes_back_where_it_stood() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", stop="55000")
        await scene.clock.sleep(60 * SECOND)
        refusing(scene, CLOSES, 1000)
        sent = listening(scene)
        result = await scene.exit(scene.summary())
        assert not result.flat
        stops = [
            one.order
            for _, one in sent
            if isinstance(one, Submit) and one.order.type is OrderType.STOP
        ]
        assert stops
        assert {(one.trigger, one.size, one.price, one.side, one.role) for one in stops} == {
            (D(55_000), D(1), None, Side.SELL, Role.STOP)
        }
        (resting,) = scene.resting
        assert resting.trigger == D(55_000)

    play(tale)


@pytest.mark.hazard("H112")
def test_a_stop_whose_trigger_the_venue_does_not_tell_goes_back_where_the_home_says() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", stop="55000")
        await scene.clock.sleep(60 * SECOND)
        refusing(scene, CLOSES, 1000)
        parts = scene.venue.parts

        def untold() -> Any:
            told = parts()
            working = told.working

            async def asked(pay: Any) -> Working:
                found = await working(pay)
                rows = (
                    replace(
                        row, order=None if row.order is None else replace(row.order, trigger=None)
                    )
                    for row in found.rows
                )
                return replace(found, rows=tuple(rows))

            told.working = asked  # type: ignore[method-assign]
            return told

        scene.venue.parts = untold  # type: ignore[method-assign]
        sent = listening(scene)
        assert not (await scene.exit(scene.summary(), seconds=30)).flat
        stops = [
            one.order.trigger
            for _, one in sent
            if isinstance(one, Submit) and one.order.type is OrderType.STOP
        ]
        assert stops
        assert set(stops) == {D(55_000)}

    play(tale)


@pytest.mark.hazard("H112")
def test_refusals_are_tried_again_less_and_less_often() -> None:
    """Each try takes the stop away for a moment: 2, 4, 8, 16 and then each 20 seconds."""

    async def tale(scene: Scene) -> None:
        scene.hold("1")
        await scene.clock.sleep(60 * SECOND)
        refusing(scene, CLOSES, 1000)
        sent = listening(scene)
        result = await scene.exit(scene.summary())
        assert not result.flat
        tries = [at for at, one in sent if isinstance(one, Submit) and one.order.role is Role.CLOSE]
        pauses = [later - before for before, later in pairwise(tries)]
        assert [round(pause) for pause in pauses] == [2, 4, 8, 16, 20, 20, 20], pauses

    play(tale)


@pytest.mark.hazard("H112")
def test_tokens_that_come_too_late_leave_the_stop_where_it_is() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1")
        await scene.clock.sleep(30 * SECOND)
        counter = scene.exchange.limits.counter(BTC)
        # the engine was refused again and again
        counter.spend(120 - counter.used, scene.clock.now())
        sent = listening(scene)
        result = await scene.exit(scene.summary(), seconds=16)
        assert not result.flat
        assert [one for _, one in sent if isinstance(one, Cancel)] == [], (
            "the stop was taken away, and nothing could follow"
        )
        assert seconds(scene) <= 16.5
        assert [order.type for order in scene.resting] == [OrderType.STOP]

    play(tale, tier="starter")


@pytest.mark.hazard("H112")
@BOTH
@pytest.mark.parametrize("known", ["51000", None])
def test_a_position_without_a_stop_gets_one_once_its_close_is_refused_again(
    profile: str, known: str | None
) -> None:
    """Nothing stood under it before, and nothing would for a hundred seconds."""

    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        scene.positions[0] = replace(scene.positions[0], stop=None if known is None else D(known))
        await scene.clock.sleep(60 * SECOND)
        refusing(scene, "EOrder:Market in cancel_only mode", 1000)
        sent = listening(scene)
        result = await scene.exit(scene.summary())
        assert not result.flat
        stops = [
            (at, one.order)
            for at, one in sent
            if isinstance(one, Submit) and one.order.type is OrderType.STOP
        ]
        assert stops[0][0] < 4, "after the second refusal"
        assert {order.trigger for _, order in stops} == {D(known or 58_200)}, (
            "where the home says that it stood, else a little away"
        )
        assert {order.reduce_only for _, order in stops} == {profile == "kraken-futures"}
        assert [order.type for order in scene.resting] == [OrderType.STOP], "one, and no more"
        assert (
            len(
                [one for _, one in sent if isinstance(one, Submit) and one.order.role is Role.CLOSE]
            )
            > 5
        ), "it is tried on"

    play(tale, profile=profile)


@pytest.mark.hazard("H112")
def test_a_close_that_was_refused_once_is_tried_again_before_a_stop_costs_its_tokens() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        await scene.clock.sleep(60 * SECOND)
        refusing(scene, CLOSES, 1)
        sent = listening(scene)
        assert (await scene.exit(scene.summary())).flat
        assert not [
            one for _, one in sent if isinstance(one, Submit) and one.order.type is OrderType.STOP
        ]

    play(tale)


@pytest.mark.hazard("H112")
@BOTH
def test_the_last_fifteen_seconds_are_for_stops(profile: str) -> None:
    """The venue takes neither close nor stop until then."""

    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        await scene.clock.sleep(60 * SECOND)
        began = scene.clock.now()
        send = scene.venue.send
        refusing(scene, "EService:Unavailable", 105, lambda order: True)

        async def carry(request: Request) -> Any:
            if isinstance(request, Submit) and request.order.role is Role.CLOSE:
                return (
                    r.Rejected(
                        request.order.client_order_id,
                        "EOrder:Market in cancel_only mode",
                        scene.clock.now(),
                    ),
                )
            return await send(request)

        scene.venue.send = carry  # type: ignore[method-assign]
        sent = listening(scene)
        result = await scene.exit(scene.summary())
        assert not result.flat
        (resting,) = scene.resting
        assert resting.type is OrderType.STOP
        stops = [
            at
            for at, one in sent
            if isinstance(one, Submit) and one.order.client_order_id == resting.client_order_id
        ]
        assert 105 <= stops[0] < 110
        assert scene.clock.now() - began <= 115 * SECOND

    play(tale, profile=profile)


@pytest.mark.hazard("H112")
@BOTH
def test_out_of_time_a_stop_whose_answer_is_lost_is_asked_about_and_tried_again(
    profile: str,
) -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        await scene.clock.sleep(60 * SECOND)
        refusing(
            scene,
            "EOrder:Market in cancel_only mode",
            1000,
            lambda order: order.role is Role.CLOSE or not lost,
        )
        send, lost = scene.venue.send, list[Request]()

        async def carry(request: Request) -> Any:
            if (
                isinstance(request, Submit)
                and request.order.type is OrderType.STOP
                and seconds(scene) > 105
                and not lost
            ):
                lost.append(request)
                raise OutcomeUnknownError("the request may be lost")
            return await send(request)

        scene.venue.send = carry  # type: ignore[method-assign]
        result = await scene.exit(scene.summary())
        assert lost
        assert [order.type for order in scene.resting] == [OrderType.STOP], result.lines
        assert any("a stop rests at the venue" in line for line in result.lines), result.lines

    play(tale, profile=profile)


# How long nothing stands under it


def longest_naked(scene: Scene) -> Callable[[], float]:
    """Watch bitcoin; seconds of the longest time that it was held without a stop."""
    longest, since = 0.0, 0

    async def watch() -> None:
        nonlocal longest, since
        while True:
            stop = any(
                order.type is OrderType.STOP and order.symbol == BTC for order in scene.resting
            )
            if scene.held and not stop:
                since = since or scene.clock.now()
                longest = max(longest, (scene.clock.now() - since) / SECOND)
            else:
                since = 0
            await scene.clock.sleep(SECOND // 20)

    task = asyncio.get_running_loop().create_task(watch())

    def told() -> float:
        task.cancel()
        return longest

    return told


@pytest.mark.hazard("H112")
@pytest.mark.parametrize("tier", ["starter", "pro"])
@pytest.mark.parametrize("lag", [0, 5])
@pytest.mark.parametrize("lost", ["cancel", "close", "both"])
def test_a_lost_answer_leaves_it_without_a_stop_for_seconds(tier: str, lag: int, lost: str) -> None:
    """A starter tier, and two more positions that want questions: what became of the stop, and of
    the close, comes before all of them.
    """

    async def tale(scene: Scene) -> None:
        scene.hold("1")
        scene.hold("3", symbol=ETH, stop="2000")
        scene.rest(scene.place(Side.BUY, "0.1", Role.ENTRY, price="40000"))
        await scene.clock.sleep(60 * SECOND)
        rest = scene.exchange.limits.counter("rest")
        rest.spend(rest.capacity - 6, scene.clock.now())
        send, failed = scene.venue.send, list[type]()

        async def carry(request: Request) -> Any:
            kind = type(request)
            wanted = {Cancel: ("cancel", "both"), Submit: ("close", "both")}.get(kind, ())
            entry = (
                isinstance(request, Cancel)
                and request.symbol == BTC
                and request.client_order_id == scene.orders[-1].client_order_id
            )
            if lost in wanted and failed.count(kind) < 1 and not entry:
                failed.append(kind)
                if kind is Cancel:
                    await send(request)
                raise OutcomeUnknownError("no answer")
            return await send(request)

        scene.venue.send = carry  # type: ignore[method-assign]
        told = longest_naked(scene)
        result = await scene.exit(scene.summary(), lag=lag * SECOND)
        assert result.flat, result.lines
        # a close that was lost may arrive for four seconds, two more pass before its absence is
        # believed, and views lag
        bound = 2 if lost == "cancel" else 4 + 2 + lag + (4 if tier == "starter" else 1.5)
        assert told() <= bound, scene.said

    play(tale, tier=tier, faults=Faults(rest_lag=lag * SECOND))


@pytest.mark.hazard("H112")
def test_a_stop_goes_only_where_the_gate_would_let_the_close_leave() -> None:
    """No picture is to be had after this process stood still: the stop stays, whatever else is
    asked.
    """

    async def tale(scene: Scene) -> None:
        scene.hold("1")
        await scene.clock.sleep(60 * SECOND)
        parts, stood = scene.venue.parts, list[int]()

        def silent() -> Any:
            told = parts()
            holdings, working = told.holdings, told.working

            async def held(pay: Any, *, on_margin: bool) -> Any:
                if stood:
                    raise OutcomeUnknownError("no holdings")
                return await holdings(pay, on_margin=on_margin)

            async def listed(pay: Any) -> Any:
                if not stood:
                    stood.append(scene.clock.now())
                    scene.clock.catch_up(3 * SECOND)
                return await working(pay)

            told.holdings, told.working = held, listed  # type: ignore[method-assign]
            return told

        scene.venue.parts = silent  # type: ignore[method-assign]
        told, sent = longest_naked(scene), listening(scene)
        result = await scene.exit(scene.summary(), seconds=60)
        assert not result.flat
        assert not [one for _, one in sent if isinstance(one, Cancel)], scene.said
        assert told() == 0
        assert [order.type for order in scene.resting] == [OrderType.STOP]

    play(tale)


# Closes


@BOTH
def test_a_close_is_a_market_order_with_a_bound_that_never_rests(profile: str) -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        await scene.clock.sleep(60 * SECOND)
        sent = listening(scene)
        assert (await scene.exit(scene.summary())).flat
        (order,) = [one.order for _, one in sent if isinstance(one, Submit)]
        assert (order.type, order.role, order.side, order.size, order.price) == (
            OrderType.MARKET,
            Role.CLOSE,
            Side.SELL,
            D(1),
            D(59_400),
        )
        assert (order.time_in_force.value, order.leverage) == ("ioc", None)
        assert any(line.endswith("close sell 1 BTC/USD, at worst 59400") for line in scene.said), (
            scene.said
        )
        assert order.reduce_only is (profile == "kraken-futures")
        if scene.profile.deadline:
            assert order.deadline == order.touched_at + 4 * SECOND

    play(tale, profile=profile)


@pytest.mark.parametrize("any_price", [True, False])
def test_only_on_the_operators_word_the_last_attempts_are_unbounded(any_price: bool) -> None:
    """Nothing is bid within any bound: four attempts meet the market and miss."""

    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        await scene.clock.sleep(60 * SECOND)
        sent, send = listening(scene), scene.venue.send

        async def carry(request: Request) -> Any:
            """The best price is gone each time that a bounded order arrives."""
            if isinstance(request, Submit) and request.order.price is not None:
                before, scene.bids[BTC] = scene.bids[BTC], str(request.order.price - 1000)
                scene.quote()
                answer = await send(request)
                scene.bids[BTC] = before
                scene.quote()
                return answer
            return await send(request)

        scene.venue.send = carry  # type: ignore[method-assign]
        result = await scene.exit(scene.summary(), any_price=any_price, seconds=40)
        prices = [
            one.order.price
            for _, one in sent
            if isinstance(one, Submit) and one.order.role is Role.CLOSE
        ]
        assert prices[:4] == [D(59_400), D(58_200), D(54_600), D(45_000)]
        assert result.flat is any_price, result.lines
        assert (prices[-1] is None) is any_price
        assert set(prices[4:]) == ({None} if any_price else {D(45_000)})

    play(tale)


def test_without_a_price_nothing_is_closed_and_that_is_told() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        await scene.clock.sleep(60 * SECOND)
        parts = scene.venue.parts

        def silent() -> Any:
            told = parts()

            async def quotes(_: object) -> tuple[()]:
                return ()

            told.quotes = quotes  # type: ignore[assignment,method-assign]
            return told

        scene.venue.parts = silent  # type: ignore[method-assign]
        sent = listening(scene)
        result = await scene.exit(scene.summary(), seconds=30)
        assert not result.flat
        assert not [one for _, one in sent if isinstance(one, Submit)]
        assert any("no price is known" in line for line in result.lines), result.lines

    play(tale)


# When it is over


@pytest.mark.hazard("H113")
@pytest.mark.parametrize("lag", [0, 3])
@BOTH
def test_what_our_books_have_and_the_venue_lacks_is_gone_after_a_minute(
    profile: str, lag: int
) -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        if profile == "kraken-spot":
            scene.venue.withdraw("BTC", D(1))
        else:
            scene.exchange.ledger.holdings.clear()
        told = scene.summary()
        result = await scene.exit(told, lag=lag * SECOND)
        assert result.flat, result.lines
        assert 60 <= seconds(scene) < 60.9
        assert any("1 that our books have is not at the venue" in line for line in result.lines)

    play(tale, profile=profile)


@pytest.mark.hazard("H113")
def test_what_nobody_can_attribute_after_a_sale_is_looked_at_for_half_a_minute() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        scene.venue.withdraw("BTC", D(-1))
        await scene.clock.sleep(60 * SECOND)
        result = await scene.exit(scene.summary())
        assert not result.flat
        assert 30 <= seconds(scene) < 32
        assert any(
            "1 BTC (about 60,000.05 USD) is unattributable" in line for line in result.lines
        ), result.lines

    play(tale)


def test_an_account_with_nothing_in_it_is_flat_at_once() -> None:
    async def tale(scene: Scene) -> None:
        result = await scene.exit(scene.summary())
        assert result.flat
        assert seconds(scene) < 1
        assert result.lines == (
            f"the venue says flat: 0 closes sent, 0 orders cancelled, in {seconds(scene):.1f} s",
        )

    play(tale)


@pytest.mark.hazard("H113")
def test_after_a_close_a_lagging_venue_is_asked_when_it_can_tell() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        await scene.clock.sleep(60 * SECOND)
        result = await scene.exit(scene.summary(), lag=6 * SECOND)
        assert result.flat, result.lines
        assert 6 <= seconds(scene) < 8, "no sooner than a view can show it, and not much later"

    play(tale)


def test_coins_that_may_not_be_sold_are_not_waited_for() -> None:
    """Another process may still send for this account."""

    async def tale(scene: Scene) -> None:
        scene.hold("1")
        await scene.clock.sleep(60 * SECOND)
        sent = listening(scene)
        result = await scene.exit(scene.summary(), coins=False, seconds=40)
        assert not result.flat
        assert not [one for _, one in sent if isinstance(one, Submit | Cancel)]
        assert any(
            "another process may still send for this account: coins are not sold" in line
            for line in result.lines
        )
        assert [order.type for order in scene.resting] == [OrderType.STOP]

    play(tale)


def test_without_a_stop_coins_that_may_not_be_sold_end_it_at_once() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        await scene.clock.sleep(60 * SECOND)
        result = await scene.exit(scene.summary(), coins=False)
        assert not result.flat
        assert seconds(scene) < 2

    play(tale)


@pytest.mark.hazard("H112")
def test_what_the_summary_proves_goes_before_the_executions_are_known() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1")
        await scene.clock.sleep(60 * SECOND)
        parts = scene.venue.parts

        def silent() -> Any:
            told = parts()

            async def executions(*_: object) -> Any:
                raise OutcomeUnknownError("no history")

            told.executions = executions  # type: ignore[assignment,method-assign]
            return told

        scene.venue.parts = silent  # type: ignore[method-assign]
        sent = listening(scene)
        result = await scene.exit(scene.summary(), seconds=30)
        assert scene.held == 0
        assert next(at for at, one in sent if isinstance(one, Submit)) < 1
        assert not result.flat, "what else was bought is not known"
        assert "executions not answered: no history" in result.lines

    play(tale)


@pytest.mark.parametrize("stop", ["50000", None])
def test_nothing_is_asked_that_could_not_count_yet(stop: str | None) -> None:
    """Pictures that a view can't show the close in cost tokens, and prove nothing."""

    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=stop)
        await scene.clock.sleep(60 * SECOND)
        parts, asked = scene.venue.parts, list[float]()

        def counting() -> Any:
            told = parts()
            holdings = told.holdings

            async def held(pay: Any, *, on_margin: bool) -> Any:
                asked.append(seconds(scene))
                return await holdings(pay, on_margin=on_margin)

            told.holdings = held  # type: ignore[method-assign]
            return told

        scene.venue.parts = counting  # type: ignore[method-assign]
        result = await scene.exit(scene.summary(), lag=6 * SECOND)
        assert result.flat, result.lines
        assert [round(at) for at in asked] == [0, 6, 6], asked

    play(tale)


# On our own books


@pytest.mark.hazard("H113")
def test_without_a_picture_that_counts_a_close_leaves_on_our_books_and_says_so() -> None:
    """This process stood still for three seconds after it had taken the stop away, and then the
    venue tells no holdings.
    """

    async def tale(scene: Scene) -> None:
        scene.hold("1")
        await scene.clock.sleep(60 * SECOND)
        send, parts, stood = scene.venue.send, scene.venue.parts, list[int]()

        async def carry(request: Request) -> Any:
            answer = await send(request)
            if isinstance(request, Cancel) and not stood:
                stood.append(scene.clock.now())
                scene.clock.catch_up(3 * SECOND)
            return answer

        def silent() -> Any:
            told = parts()
            holdings = told.holdings

            async def asked(pay: Any, *, on_margin: bool) -> Any:
                if stood and scene.clock.now() < stood[0] + 40 * SECOND:
                    raise OutcomeUnknownError("no holdings")
                return await holdings(pay, on_margin=on_margin)

            told.holdings = asked  # type: ignore[method-assign]
            return told

        scene.venue.send, scene.venue.parts = carry, silent  # type: ignore[method-assign]
        longest = longest_naked(scene)
        result = await scene.exit(scene.summary())
        assert result.flat, result.lines
        assert scene.held == 0
        told = [line for line in scene.said if "sent on our books" in line]
        assert told, scene.said
        assert "BTC/USD: no picture counts; sent on our books" in told[0]
        assert longest() < 15

    play(tale)


# Answers


@pytest.mark.parametrize(("late", "known"), [(11.5, True), (12.5, False)])
def test_an_answer_counts_for_twelve_seconds(late: float, known: bool) -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        await scene.clock.sleep(60 * SECOND)
        send = scene.venue.send

        async def carry(request: Request) -> Any:
            answer = await send(request)
            if isinstance(request, Submit):
                await scene.clock.sleep(int(late * SECOND))
            return answer

        scene.venue.send = carry  # type: ignore[method-assign]
        result = await scene.exit(scene.summary())
        assert result.flat, result.lines
        assert scene.held == 0
        assert any("submit: no answer in time" in line for line in scene.said) is not known
        assert result.lines[0].startswith(
            "the venue says flat: 1 close sent" if known else "the venue says flat: 0 closes sent"
        )

    play(tale)


@pytest.mark.parametrize(
    "error",
    [
        NotSentError("no line"),
        RateLimitedError("EAPI:Rate limit exceeded"),
        OutcomeUnknownError("cut"),
    ],
)
def test_a_close_that_never_left_is_sent_again_and_one_in_doubt_is_asked_about(
    error: Exception,
) -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        await scene.clock.sleep(60 * SECOND)
        sent, send, failed = listening(scene), scene.venue.send, list[Request]()

        async def carry(request: Request) -> Any:
            if isinstance(request, Submit) and not failed:
                failed.append(request)
                if isinstance(error, OutcomeUnknownError):
                    await send(request)
                raise error
            return await send(request)

        scene.venue.send = carry  # type: ignore[method-assign]
        result = await scene.exit(scene.summary())
        assert result.flat, result.lines
        assert scene.held == 2, "sold twice, or not at all"
        submits = [one for _, one in sent if isinstance(one, Submit)]
        assert len(submits) == 1
        assert any(f"submit: {error}" in line for line in scene.said)

    play(tale, coins="2")


def test_an_answer_that_our_code_can_not_read_is_a_line_and_the_order_is_asked_about() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        await scene.clock.sleep(60 * SECOND)
        send, failed = scene.venue.send, list[Request]()

        async def carry(request: Request) -> Any:
            answer = await send(request)
            if isinstance(request, Submit) and not failed:
                failed.append(request)
                raise KeyError("txid")
            return answer

        scene.venue.send = carry  # type: ignore[method-assign]
        result = await scene.exit(scene.summary())
        assert result.flat, result.lines
        assert scene.held == 2
        assert len(failed) == 1
        assert any("submit: KeyError: 'txid'" in line for line in scene.said)

    play(tale, coins="2")


@pytest.mark.hazard("H112")
def test_a_close_in_doubt_keeps_no_other_symbol_waiting() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        scene.hold("3", symbol=ETH, stop=None)
        await scene.clock.sleep(60 * SECOND)
        sent, send = listening(scene), scene.venue.send

        async def carry(request: Request) -> Any:
            if (
                isinstance(request, Submit)
                and request.order.symbol == BTC
                and scene.clock.now() < scene.began + SECOND
            ):
                raise OutcomeUnknownError("the request is lost")
            return await send(request)

        scene.venue.send = carry  # type: ignore[method-assign]
        result = await scene.exit(scene.summary())
        assert result.flat, result.lines
        (closed,) = [at for at, one in sent if isinstance(one, Submit) and one.order.symbol == ETH]
        assert closed < 2, "it waited for what became of the other one"
        again = [at for at, one in sent if isinstance(one, Submit) and one.order.symbol == BTC]
        assert again == [at for at in again if at > 5], (
            "sent again while the first may still arrive"
        )

    play(tale, profile="kraken-futures")


def test_a_duplicate_is_no_refusal() -> None:
    async def tale(scene: Scene) -> None:
        scene.hold("1", stop=None)
        await scene.clock.sleep(60 * SECOND)
        send = scene.venue.send

        async def carry(request: Request) -> Any:
            answer = await send(request)
            if isinstance(request, Submit):
                return (
                    r.Rejected(
                        request.order.client_order_id,
                        "EOrder:Duplicate",
                        scene.clock.now(),
                        duplicate=True,
                    ),
                )
            return answer

        scene.venue.send = carry  # type: ignore[method-assign]
        result = await scene.exit(scene.summary())
        assert result.flat, result.lines
        assert not any("refused" in line for line in scene.said)

    play(tale)


# What the summary knows of positions


def test_a_position_in_a_symbol_that_the_settings_do_not_list_is_looked_for() -> None:
    async def tale(scene: Scene) -> None:
        widened: list[tuple[str, ...]] = []
        parts = scene.venue.parts

        def widening() -> Any:
            told = parts()

            async def widen(symbols: Any) -> None:
                widened.append(tuple(symbols))
                raise NotSentError("no line")

            told.widen = widen  # type: ignore[method-assign]
            return told

        scene.venue.parts = widening  # type: ignore[method-assign]
        scene.positions.append(
            HeldPosition(
                id="X", symbol="XRP/USD", side=Side.BUY, size=D(1), opened_at=scene.clock.now()
            )
        )
        await scene.exit(scene.summary(), seconds=20)
        assert widened[0] == ("XRP/USD",)
        assert any("XRP/USD: no line" in line for line in scene.said)

    play(tale)
