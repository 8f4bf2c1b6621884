"""Kraken spot, spoken as its pages say: REST for orders and questions, WebSocket v2 for prices and
for what becomes of orders.

Read `venue` first (what joins the parts), then `forms` and `orders` (a request's fields, an
answer's meaning), `questions` and `pictures` with `rows` (how rows are read), `stream` with
`executions` (the private one) and `prices` (the public one), `parts` (a picture asked for in
pieces), `modes` (pairs that take no orders now), `described`, `fills`, `owners` and `deadlines`.
`base` is what these may ask of their venue.
"""

from engine.venues.live.kraken_spot.venue import KrakenSpot

__all__ = ["KrakenSpot"]
