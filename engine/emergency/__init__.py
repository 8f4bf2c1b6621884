"""The last exit: flat without the engine, its desk and its journal, from the home's summary and the
venue's word alone.

It imports the model, the clock, the venues, the gate with its evidence, the account's folder and
its keys; a paper account's store only for a paper account. No desk, no SQL, no session server: it
works when none of them does.

Read `steps` first (what is done, in order: ask, prove the holder, gather, act), then `acting` with
`closing` and `guarding`, and `ours` and `holding` for whose coins they are.
"""

from engine.emergency.flat import Emergency, NotFlatError, close_account
from engine.emergency.steps import Wanted, last_exit

__all__ = ["Emergency", "NotFlatError", "Wanted", "close_account", "last_exit"]
