"""How requests leave: lanes in order of urgency, the venue's limits with a reserve for exits, retries, a breaker, and what is in flight."""

from engine.gateway.breaker import Breaker
from engine.gateway.gateway import Gateway, Statistics
from engine.gateway.rules import GatewayRules

__all__ = ["Breaker", "Gateway", "GatewayRules", "Statistics"]
