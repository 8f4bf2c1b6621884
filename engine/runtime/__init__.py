"""A running engine: the loop that hands messages to the desk, and everything that it owns while it
runs.

Read `engine` first: it joins the parts and opens and closes them. A message goes through `inbox`
and `decider`; what the desk decided leaves through `outbox`; what the venue says comes in through
`hearing`. `heartbeat` is what happens by time alone, `marks` what a last exit left behind,
`reserve` what flattening costs. What is told: `overview`, `history` and `markets` to a console,
`teller` as the record of the session, which `log` passes on, `summaries` to the account's folder,
`stream` to whoever follows what is journaled, `snapshots` of positions to the journal.
`tasks` owns every task.
"""

from engine.runtime.decider import Hooks
from engine.runtime.engine import LIVE_LAG, Engine
from engine.runtime.log import Log

__all__ = ["LIVE_LAG", "Engine", "Hooks", "Log"]
