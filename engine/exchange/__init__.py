"""A matching engine with an account, fees, margin, limits and faults: the other side, whole,
without a network.

It knows nothing of the desk. Read `exchange` first (one account at one exchange), then `answers`
(what is asked), `orders`, `matching`, `book` and `shown` (who trades with whom), `candles` and
`path` (prices between those that a candle has), `admission` (what is refused), `ledger` and
`funding` (whose money it is), `faults` (what goes wrong on purpose) and `store`.
"""

from engine.exchange.answers import RateLimit
from engine.exchange.archive import ArchiveError
from engine.exchange.exchange import Exchange
from engine.exchange.faults import Delay, Faults, Interval
from engine.exchange.funding import Lending
from engine.exchange.path import Watched
from engine.exchange.store import Changes, Store, StoreError, StoreTakenError

__all__ = [
    "ArchiveError",
    "Changes",
    "Delay",
    "Exchange",
    "Faults",
    "Interval",
    "Lending",
    "RateLimit",
    "Store",
    "StoreError",
    "StoreTakenError",
    "Watched",
]
