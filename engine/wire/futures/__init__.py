"""Kraken Futures: `/derivatives/api/v3`, `/api/history`, `/api/charts` and the WebSocket v1, as
documented and as recorded.
"""
