"""A matching engine with an account, fees, margin, limits and faults: the other side, whole, without a network.

It knows nothing of the desk.
"""

from engine.exchange.exchange import Exchange, RateLimit
from engine.exchange.faults import Delay, Faults, Interval
from engine.exchange.matching import ArchiveError
from engine.exchange.store import Store, StoreError, StoreTakenError

__all__ = ["ArchiveError", "Delay", "Exchange", "Faults", "Interval", "RateLimit", "Store", "StoreError", "StoreTakenError"]
