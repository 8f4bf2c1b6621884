"""How requests leave: lanes in order of urgency, the venue's limits with a reserve for exits,
retries, a breaker, and what is in flight.

Read `gateway` first (a request's way), then `queue` (the lanes) and `breaker`. What the limits cost
is the model's (`engine.model.limits`).
"""

from engine.gateway.breaker import Breaker
from engine.gateway.gateway import Gateway
from engine.gateway.listener import Listener
from engine.gateway.rules import GatewayRules
from engine.gateway.tokens import Statistics

__all__ = ["Breaker", "Gateway", "GatewayRules", "Listener", "Statistics"]
