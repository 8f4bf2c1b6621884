"""`F` in a console that only looks on: typed, then a process of its own, whose lines are shown."""

import sys

import pytest

from tests.console.conftest import Staged


@pytest.mark.hazard("H103")
@pytest.mark.parametrize(("code", "words"), [(0, "✓ flat"), (1, "NOT FLAT: read each line")])
async def test_a_read_only_console_runs_the_last_exit(
    staged: Staged, code: int, words: str
) -> None:
    script = f"import sys; print('main · LIVE: sold 1 BTC/USD'); sys.exit({code})"
    async with staged(last_exit=(sys.executable, "-c", script)) as stage:
        stage.session.read_only = True
        await stage.frames(0.2)
        await stage.open("F")
        await stage.type("flat")
        await stage.press("enter")
        await stage.shows("type FLATTEN, then enter")
        await stage.type("ten")
        await stage.press("enter")
        await stage.shows("sold 1 BTC/USD")
        await stage.shows(words)
        assert not stage.asked, "nothing was asked of a session that refuses"


async def test_the_console_of_an_account_knows_its_own_command() -> None:
    from tui.cli.common import Common
    from tui.cli.console import last_exit_command

    command = last_exit_command(
        Common(None, ("account.venue=kraken", "account.name=main"), None), "main"
    )
    assert command[1:] == (
        "-m", "tui.cli", "--set", "account.venue=kraken", "--set", "account.name=main", "--account", "main", "flatten", "--yes",
    )  # fmt: skip
