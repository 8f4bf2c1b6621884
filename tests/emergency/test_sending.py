"""What the last exit has sent and not heard the end of."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.clock import SECOND
from engine.emergency.budget import Budget
from engine.emergency.gathering import Gathering
from engine.emergency.ours import Ours
from engine.emergency.sending import LATE, Fate, Sender, Sent
from engine.model.order import Order, OrderType, Role, Status, TimeInForce
from engine.model.side import Side
from engine.venues.protocol import OutcomeUnknownError
from tests.support.gates import open_gate
from tests.support.scene import ACCOUNT, BTC, ETH, D, Scene, play


def sender(scene: Scene) -> Sender:
    """Of one run at the scene's venue, with two orders whose end is not known: a stop that rests,
    and a close that never does.
    """
    budget = Budget(scene.profile.limit_model(0.0), scene.clock, scene.clock.now())
    gathering = Gathering(
        scene.venue.parts(), Ours(ACCOUNT, None, None), budget, scene.clock, lambda _: None
    )
    found = Sender(
        scene.venue,
        ACCOUNT,
        open_gate(),
        budget,
        gathering,
        None,
        scene.clock,
        0,
        scene.said.append,
    )
    rests = TimeInForce.GTC
    stop = Order(
        "stop",
        "",
        BTC,
        Side.SELL,
        OrderType.STOP,
        Role.STOP,
        D(1),
        trigger=D(50_000),
        time_in_force=rests,
    )
    close = Order(
        "close",
        "",
        ETH,
        Side.SELL,
        OrderType.LIMIT,
        Role.CLOSE,
        D(1),
        price=D(2_900),
        time_in_force=TimeInForce.IOC,
    )
    found.unresolved = {
        order.client_order_id: Sent(order, scene.clock.now() + SECOND) for order in (stop, close)
    }
    return found


@pytest.mark.hazard("H73")
@pytest.mark.parametrize(
    ("listed", "doubtful"),
    [
        ({"stop"}, {ETH}),
        ({"close"}, {BTC, ETH}),
        ({"stop", "close"}, {ETH}),
        (set[str](), {BTC, ETH}),
    ],
)
def test_a_stop_that_is_listed_is_in_no_doubt_and_a_close_is(
    listed: set[str], doubtful: set[str]
) -> None:
    async def tale(scene: Scene) -> None:
        sent = sender(scene)
        sent.rests(listed)
        assert {symbol for symbol in (BTC, ETH) if sent.is_in_doubt(symbol)} == doubtful

    play(tale)


@pytest.mark.hazard("H73")
def test_a_stop_that_the_venue_has_open_is_in_no_doubt_and_a_close_is_until_its_end_is_told() -> (
    None
):
    async def tale(scene: Scene) -> None:
        sent = sender(scene)
        for name in ("stop", "close"):
            sent.found(replace(sent.unresolved[name].order, status=Status.OPEN))
        assert (sent.is_in_doubt(BTC), sent.is_in_doubt(ETH)) == (False, True)
        sent.found(replace(sent.unresolved["close"].order, status=Status.CANCELLED))
        assert not sent.is_in_doubt(ETH)

    play(tale)


@pytest.mark.hazard("H112")
@pytest.mark.parametrize(
    ("listed", "doubtful"),
    [(set[str](), set[str]()), ({"close"}, {ETH}), ({"stop", "close"}, {BTC, ETH})],
)
def test_what_no_view_lists_is_asked_about_by_id_and_what_one_lists_is_not(
    listed: set[str], doubtful: set[str]
) -> None:
    async def tale(scene: Scene) -> None:
        sent = sender(scene)
        for one in sent.unresolved.values():
            one.ends_at = scene.clock.now() - LATE - SECOND
        await sent.doubts(listed)
        assert {symbol for symbol in (BTC, ETH) if sent.is_in_doubt(symbol)} == doubtful

    play(tale)


@pytest.mark.hazard("H112")
def test_of_one_symbol_each_order_in_doubt_is_asked_about() -> None:
    async def tale(scene: Scene) -> None:
        sent = sender(scene)
        for one in sent.unresolved.values():
            one.ends_at = scene.clock.now() - LATE - SECOND
        await sent.settle(ETH)
        assert (sent.is_in_doubt(BTC), sent.is_in_doubt(ETH)) == (True, False)

    play(tale)


@pytest.mark.hazard("H73")
@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])
@pytest.mark.parametrize("after", [-1, 1])
def test_an_order_that_the_venue_does_not_know_never_arrived_once_it_no_longer_can(
    profile: str, after: int
) -> None:
    """By its venue's id where that is cheaper, else by a query: both say the same."""

    async def tale(scene: Scene) -> None:
        sent = sender(scene)
        close = sent.unresolved["close"]
        close.ends_at = scene.clock.now() - LATE - after * SECOND
        assert await sent.look(close.order) is None
        assert sent.is_in_doubt(ETH) is (after < 0)
        assert ("close" in sent.ended) is (after > 0)
        if after > 0:
            assert (sent.ended["close"].status, sent.ended["close"].filled) == (
                Status.CANCELLED,
                D(0),
            )

    play(tale, profile=profile)


@pytest.mark.hazard("H112")
@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])
def test_an_order_that_is_asked_about_tells_its_executions(profile: str) -> None:
    async def tale(scene: Scene) -> None:
        sent = sender(scene)
        scene.sizes[BTC] = "0.1"
        scene.quote()
        order = scene.place(Side.BUY, "0.5", Role.ENTRY, price="60000.1")
        assert D(0) < order.filled < D("0.5")
        found = await sent.look(order)
        assert found is not None
        assert found.filled == order.filled
        assert (
            sum((fill.size for fill in sent._ours.fills_of(order.client_order_id)), D(0))
            == order.filled
        )
        assert order.client_order_id not in sent.ended, "it rests"

    play(tale, profile=profile)


@pytest.mark.hazard("H112")
def test_each_request_is_paid_for_before_it_leaves() -> None:
    async def tale(scene: Scene) -> None:
        sent = sender(scene)
        sent._budget.until = scene.clock.now() + 100 * SECOND
        counter = sent._budget._model.counter(BTC)
        order = scene.place(Side.BUY, "0.5", Role.ENTRY, price="40000")
        assert await sent.cancel(order)
        assert counter.used == pytest.approx(8), "an order within its first five seconds"
        assert sent.cancelled == 1
        assert not await sent.cancel(order) or sent.cancelled == 1, (
            "what is gone is not counted again"
        )
        before = counter.used
        assert (
            await sent.submit(
                replace(sent.unresolved["close"].order, client_order_id="another", symbol=BTC)
            )
            is Fate.RESTS
        )
        assert counter.used == pytest.approx(before + 1, abs=0.2)
        assert sent.closed == 1

    play(tale, coins="2")


@pytest.mark.hazard("H112")
def test_a_question_that_is_not_answered_is_asked_again_at_the_same_price_and_each_third_time_at_the_double() -> (
    None
):
    async def tale(scene: Scene) -> None:
        sent = sender(scene)
        sent._budget.until = scene.clock.now() + 100 * SECOND
        asked: list[str] = []
        look, send = sent._told.parts.look, scene.venue.send

        async def lost(order: Order, pay: Any) -> Any:
            asked.append("look")
            if len(asked) < 9:
                raise OutcomeUnknownError("no answer")
            return await look(order, pay)

        async def carry(request: Any) -> Any:
            asked.append(type(request).__name__)
            return await send(request)

        sent._told.parts.look = lost  # type: ignore[method-assign]
        scene.venue.send = carry  # type: ignore[method-assign]
        order = scene.place(Side.BUY, "0.5", Role.ENTRY, price="40000")
        found = [await sent.look(order) for _ in range(8)]
        assert asked == [
            "look",
            "look",
            "look",
            "Query",
            "look",
            "look",
            "look",
            "Query",
            "look",
            "look",
        ]
        assert [one is not None for one in found] == [
            False,
            False,
            True,
            False,
            False,
            True,
            True,
            True,
        ]

    play(tale)


@pytest.mark.hazard("H112")
@pytest.mark.parametrize(("lost", "known"), [(0, True), (1, True), (2, False)])
def test_the_end_of_an_order_is_asked_for_twice_where_nothing_is_urgent(
    lost: int, known: bool
) -> None:
    async def tale(scene: Scene) -> None:
        sent = sender(scene)
        sent._budget.until = scene.clock.now() + 100 * SECOND
        order = scene.place(Side.BUY, "0.5", Role.ENTRY)
        look, asked = sent._told.parts.look, list[int]()

        async def unheard(order: Order, pay: Any) -> Any:
            asked.append(scene.clock.now())
            if len(asked) <= lost:
                raise OutcomeUnknownError("no answer")
            return await look(order, pay)

        sent._told.parts.look = unheard  # type: ignore[method-assign]
        ended = await sent.end_of(order)
        assert (ended is not None) is known
        assert len(asked) == min(lost + 1, 2)
        if known:
            return
        ended = await sent.end_of(order, 10 * SECOND)
        assert ended is not None, "where it is urgent it is asked until it is known"

    play(tale)
