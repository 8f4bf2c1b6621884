"""The settings that a scenario runs with: its own over the defaults."""

from decimal import Decimal
from pathlib import Path

from engine.model.rules import REHEARSED
from engine.rehearsal.scenario import worlds
from engine.rehearsal.scenario.script import Script
from engine.rehearsal.scenario.words import ScenarioError
from engine.setup.sections import AccountSettings, Settings
from engine.setup.settings import SettingsError, with_values


def settings_of(script: Script, home: Path) -> Settings:
    """The scenario's settings over the defaults; the account's currency is that of its cash, or of
    its first symbol.
    """
    account = script.account
    currency = account.currency
    if currency is None:
        currency = next(iter(account.cash)) if account.cash else "USD"
    cash = account.cash if account.cash is not None else {currency: Decimal(100_000)}
    live = account.venue != "paper"
    base = Settings(
        account=AccountSettings(
            name=worlds.live_account(home) if live else "scenario",
            venue=account.venue,
            profile=account.profile,
            currency=currency,
            cash=cash,
            rest=account.rest,
            ws=account.ws,
        ),
        risk=REHEARSED,
        templates=script.templates.by_name,
    )
    try:
        return with_values(base, script.settings, f"{script.path}: [settings]")
    except SettingsError as error:
        raise ScenarioError(str(error)) from error
