"""Kraken Futures, spoken as its pages say: REST v3 for orders and questions, WebSocket v1 for
prices and for what becomes of orders.

Read `venue` first (what joins the parts), then `forms` and `orders` (a request's fields, an
answer's meaning), `stream` (the private one) and `prices` (the public one), `questions` (what
became of an order) with `history` (executions), `holdings`, `budget` (what questions cost) and
`rows` (how rows are read), `parts` (a picture asked for in pieces), `listing`, `modes` and
`deadlines`. `base` is what these may ask of their venue.
"""

from engine.venues.live.kraken_futures.venue import KrakenFutures

__all__ = ["KrakenFutures"]
