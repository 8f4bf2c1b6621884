"""The name that an order was sent under, as rows of an exchange tell it."""

from collections.abc import Mapping
from typing import Any

from engine.model.ids import as_sent

FIELDS = ("cl_ord_id", "cliOrdId", "cli_ord_id", "clientId")
"""What Kraken's spot and futures views call it."""


def client_in(row: Mapping[str, Any]) -> str:
    """The client order id of a row, one of ours as we sent it; empty where it tells none."""
    told = next((row[field] for field in FIELDS if row.get(field)), "")
    return as_sent(str(told))
