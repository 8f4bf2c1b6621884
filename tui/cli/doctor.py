"""`flatout doctor`: a line per thing, as it is found out. It places no order: its door can only
validate.
"""

import asyncio
import sys

import click

from engine.inspection.doctor import Doctor
from engine.inspection.findings import Finding
from engine.setup.sections import Settings
from tui.cli.chosen import account_of, settings_of
from tui.cli.common import Common
from tui.cli.output import say
from tui.plain import plain


def doctor(common: Common) -> int:
    """Look at everything; 0 where nothing is wrong."""
    loaded = settings_of(common)
    # on a fresh machine there is nothing to mistake another account for
    unnamed = "account.name" not in loaded.origins
    resolved = account_of(common, loaded, new=unnamed, command="doctor")
    settings = resolved.settings
    say(
        f"settings       ✓ account {settings.account.name} on {settings.account.venue}, prices:"
        f" {_prices(settings)}"
    )

    async def look() -> int:
        wrong = 0
        async for finding in Doctor(resolved).look():
            _tell(finding)
            wrong += not finding.ok
        return wrong

    try:
        wrong = asyncio.run(look())
    except ValueError as error:
        say(f"flatout doctor: {error}", err=True)
        return 2
    say("nothing is wrong" if not wrong else f"{wrong} to be mended")
    return 1 if wrong else 0


def _prices(settings: Settings) -> str:
    return settings.market.source if settings.account.venue == "paper" else settings.account.venue


def _tell(finding: Finding) -> None:
    say(f"{finding.what:<14} {'✓' if finding.ok else '✗'} {plain(finding.detail)}")
    if finding.remedy:
        say(f"{'':<16} → {plain(finding.remedy)}")


@click.command("doctor")
@click.pass_obj
def command(common: Common) -> None:
    """Look at everything that a session needs, and say what to mend: home, disk, journal, key,
    permissions, clock, streams.

    Places no order. Exit codes: 0 nothing is wrong, 1 something is, 2 the settings can't be used.
    """
    sys.exit(doctor(common))
