"""The end of a run is judged by a comparison that had its time: answers may take seconds, and views
may lag.
"""

from collections.abc import Callable
from typing import Any

import pytest

Report = dict[str, Any]
SLOW = """
name = "slow"
seed = 7
until = "60s"
[account]
profile = "kraken-futures"
[market]
source = "simulated"
symbols = ["PF_XBTUSD"]
volatility = 0.001
[faults]
{fault}
[[do]]
at = "5s"
id = "e1"
open = {{ symbol = "PF_XBTUSD", side = "buy", type = "market", size = "0.1", stop = "5%" }}
[[do]]
at = "{at}"
external = {{ symbol = "PF_XBTUSD", side = "buy", type = "market", size = "0.1" }}
"""


@pytest.mark.parametrize(
    ("at", "fault"),
    [
        ("59.5s", 'delay = { p50 = "1800ms", p99 = "1900ms" }'),
        ("30s", 'rest_lag = "20s"'),
        ("58s", 'rest_lag = "20s"'),
    ],
)
def test_what_somebody_else_holds_is_told_before_the_run_is_judged(
    run: Callable[..., Report], at: str, fault: str
) -> None:
    report = run(SLOW.format(at=at, fault=fault))
    assert report["invariants"]["violations"] == []
    assert ("DIFFERENCE", "PF_XBTUSD") in [
        (alert["code"], alert["subject"]) for alert in report["alerts"]
    ]
