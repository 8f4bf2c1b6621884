"""`[accounts.NAME]`: what holds for one account, where it stands in the order, and mistakes that
name what is meant.
"""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.setup.settings import SettingsError, load

FILE = """
[account]
currency = "EUR"
limits = { tier = "intermediate" }

[accounts.main]
venue = "kraken"
rest = "http://127.0.0.1:8080"
ws = "ws://127.0.0.1:8080/ws"
limits = { tier = "pro" }
symbols = ["BTC/USD"]

[accounts.perps]
venue = "krakenfutures"
symbols = ["PF_XBTUSD"]
currency = "USD"

[accounts.play]
cash = { USD = 0.1 }

[accounts.play.risk]
max_positions = 2
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(FILE)
    return path


@pytest.mark.hazard("H128")
def test_the_name_is_enough(file: Path) -> None:
    loaded = load(file, ["account.name=main"], {})
    account = loaded.settings.account
    assert (account.venue, account.rest, account.ws) == (
        "kraken",
        "http://127.0.0.1:8080",
        "ws://127.0.0.1:8080/ws",
    )
    assert (account.profile, account.limits, account.currency) == (
        "kraken-spot",
        {"tier": "pro"},
        "EUR",
    )
    assert loaded.settings.market.symbols == ("BTC/USD",)
    assert loaded.accounts == ("main", "perps", "play")
    assert loaded.explicit


@pytest.mark.hazard("H128")
def test_a_table_is_about_its_own_account_alone(file: Path) -> None:
    other = load(file, ["account.name=mian"], {})
    assert (other.settings.account.venue, other.settings.account.rest) == ("paper", None)
    assert not other.explicit, "nobody said where this account is"


def test_an_exchange_has_its_own_profile_unless_another_is_named(file: Path) -> None:
    loaded = load(file, ["account.name=perps"], {})
    assert loaded.settings.account.profile == "kraken-futures"
    assert loaded.origins["account.profile"].startswith("account.venue (accounts.perps in ")
    named = load(file, ["account.name=perps", "account.profile=kraken-spot"], {})
    assert named.settings.account.profile == "kraken-spot"


def test_the_table_goes_over_the_sections_and_under_environment_and_flags(file: Path) -> None:
    assert load(file, ["account.name=play"], {}).settings.risk.max_positions == 2
    assert load(file, ["account.name=play"], {}).settings.account.cash == {"USD": Decimal("0.1")}
    environment = {"FLATOUT_ACCOUNT__NAME": "main", "FLATOUT_ACCOUNT__CURRENCY": "GBP"}
    loaded = load(file, ["account.currency=CHF", 'market.symbols=["ETH/USD"]'], environment)
    assert (loaded.settings.account.currency, loaded.settings.market.symbols) == (
        "CHF",
        ("ETH/USD",),
    )
    origins = {
        key: loaded.origins[key]
        for key in ("account.name", "account.venue", "account.currency", "market.symbols")
    }
    assert origins == {
        "account.name": "FLATOUT_ACCOUNT__NAME",
        "account.venue": f"accounts.main in {file}",
        "account.currency": "--set",
        "market.symbols": "--set",
    }


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("[accounts.main]\nvenu = 'kraken'", "unknown key accounts.main.venu; did you mean venue?"),
        ("[accounts.main]\nname = 'other'", "unknown key accounts.main.name"),
        (
            "[accounts.main.risk]\nmax_postions = 3",
            "unknown key accounts.main.risk.max_postions; did you mean max_positions?",
        ),
        ("[accounts.'a/b']\nvenue = 'paper'", "a name is 1 to 40 letters"),
        ("[accounts]\nmain = 'kraken'", "write a table for each account"),
        (
            "[accounts.main]\nvenue = 'mtgox'\n[account]\nname = 'main'",
            "Invalid enum value 'mtgox'",
        ),
    ],
)
def test_a_mistake_in_a_table_is_named_also_where_another_account_is_meant(
    table: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(table)
    with pytest.raises(SettingsError) as told:
        load(path, [], {})
    assert words in str(told.value)


@pytest.mark.parametrize(
    ("text", "flags", "explicit"),
    [
        ("[account]\nname = 'main'\nvenue = 'kraken'", [], True),
        ("[account]\nname = 'main'\nvenue = 'kraken'", ["account.name=main"], True),
        ("[account]\nname = 'main'\nvenue = 'kraken'", ["account.name=mian"], False),
        ("[account]\nvenue = 'kraken'", ["account.name=main"], False),
        ("[account]\nvenue = 'kraken'", [], True),
        ("", [], False),
        ("", ["account.name=mian", "account.venue=kraken"], True),
    ],
)
def test_whether_somebody_said_where_this_very_account_is(
    text: str, flags: list[str], explicit: bool, tmp_path: Path
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    assert load(path, flags, {}).explicit is explicit
