"""How the last exit opens a live venue."""

import asyncio
from pathlib import Path

import pytest

from engine.clock import Clock, run_virtual
from engine.emergency.opening import TIMEOUT, _live
from engine.model.rules import GatewayRules
from engine.setup.sections import AccountSettings, Settings

pytestmark = pytest.mark.hazard("H112")


@pytest.mark.parametrize(
    ("patience", "waits"), [(TIMEOUT / 2, TIMEOUT / 2), (TIMEOUT, TIMEOUT), (TIMEOUT * 10, TIMEOUT)]
)
def test_no_request_waits_longer_than_an_exit_can_afford(
    patience: float, waits: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A patience that the settings give the console is not the last exit's; a shorter one is."""
    monkeypatch.setenv("FLATOUT_KEY", "key")
    monkeypatch.setenv("FLATOUT_SECRET", "c2VjcmV0")
    settings = Settings(
        account=AccountSettings(name="main", venue="kraken"), gateway=GatewayRules(timeout=patience)
    )

    async def timeout() -> float:

        return float(_live(settings, tmp_path, Clock(asyncio.get_running_loop()), ()).rest._timeout)

    assert run_virtual(timeout()) == waits
