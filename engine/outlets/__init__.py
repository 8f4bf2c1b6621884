"""What leaves the engine for the rest of the trader's world: notifications, a webhook, metrics, a
stream of events. It tells and never hears: nothing that comes back trades, and nothing in the
engine waits for it.

Read `outlet` first: one way out, with what waits for it, its pauses and its alert. `addresses` and
`webhook` are ways, `ways` makes those that the settings name, `outlets` joins them to an engine.
`metrics` is what Prometheus scrapes, `scrape` where, `scripts` the WebSocket, `listening` what both
have in common. `relay` passes the journal's events to a JetStream (`jetstream`).
"""

from engine.outlets.notsent import NotSentError, OutletError
from engine.outlets.outlets import Outlets
from engine.outlets.relay import relay_of
from engine.outlets.ways import tried, ways_of

__all__ = ["NotSentError", "OutletError", "Outlets", "relay_of", "tried", "ways_of"]
