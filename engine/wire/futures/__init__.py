"""Kraken Futures: `/derivatives/api/v3` and the WebSocket v1, as documented and as recorded."""
