"""Kraken spot: `/0/public`, `/0/private` and WebSocket v2, as documented and as recorded."""
