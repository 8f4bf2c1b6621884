"""An exchange's own protocol around the matching engine, on loopback: REST and WebSocket as the
exchange speaks them, with faults on demand.

The room knows the exchange and the market, and nothing of the desk: whoever speaks the protocol may
trade here.
"""
