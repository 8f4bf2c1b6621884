"""What the last exit has sent and not heard the end of."""

import pytest

from engine.clock import SECOND
from engine.emergency.budget import Budget
from engine.emergency.gathering import Gathering
from engine.emergency.ours import Ours
from engine.emergency.sending import Sender, Sent
from engine.model.order import Order, OrderType, Role, TimeInForce
from engine.model.side import Side
from tests.support.gates import open_gate
from tests.support.scene import ACCOUNT, BTC, ETH, D, Scene, play


def sender(scene: Scene) -> Sender:
    """Of one run at the scene's venue, with two orders whose end is not known: a stop that rests, and a close that never does."""
    budget = Budget(scene.profile.limit_model(0.0), scene.clock, scene.clock.now())
    gathering = Gathering(scene.venue.parts(), Ours(ACCOUNT, None, None), budget, scene.clock, lambda _: None)
    found = Sender(scene.venue, ACCOUNT, open_gate(), budget, gathering, None, scene.clock, 0, scene.said.append)
    rests = TimeInForce.GTC
    stop = Order("stop", "", BTC, Side.SELL, OrderType.STOP, Role.STOP, D(1), trigger=D(50_000), time_in_force=rests)
    close = Order("close", "", ETH, Side.SELL, OrderType.LIMIT, Role.CLOSE, D(1), price=D(2_900), time_in_force=TimeInForce.IOC)
    found.unresolved = {order.client_order_id: Sent(order, scene.clock.now() + SECOND) for order in (stop, close)}
    return found


@pytest.mark.hazard("H73")
@pytest.mark.parametrize(
    ("listed", "doubtful"),
    [({"stop"}, {ETH}), ({"close"}, {BTC, ETH}), ({"stop", "close"}, {ETH}), (set[str](), {BTC, ETH})],
)
def test_a_stop_that_is_listed_is_in_no_doubt_and_a_close_is(listed: set[str], doubtful: set[str]) -> None:
    async def tale(scene: Scene) -> None:
        sent = sender(scene)
        sent.rests(listed)
        assert {symbol for symbol in (BTC, ETH) if sent.is_in_doubt(symbol)} == doubtful

    play(tale)
