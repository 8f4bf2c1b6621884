"""`flatout accounts`, confirming an endpoint or a key, and names that are nearly right."""

import json
import os
import pty
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine.account import identity as identities
from engine.account import summary as summaries
from engine.account.identity import Identity, fingerprint
from engine.account.summary import Summary
from tests.support.custody import FLATOUT, Place, exchange, holding, truth
from tui.cli import main
from tui.cli.console import looks_like_a_typo

pytestmark = pytest.mark.slow

REST, WS = "http://127.0.0.1:8080", "ws://127.0.0.1:8080/ws"
MAIN = Identity(
    account="main",
    venue="kraken",
    profile="kraken-spot",
    rest=REST,
    ws=WS,
    fingerprint=fingerprint("old"),
    currency="USD",
)
TABLE = f'[accounts.main]\nvenue = "kraken"\nrest = "{REST}"\nws = "{WS}"\n'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A home with the account main, and settings that name it."""
    place = Place(tmp_path / "home", tmp_path / "settings.toml")
    monkeypatch.setenv("FLATOUT_HOME", str(place.home))
    monkeypatch.setenv("FLATOUT_SETTINGS", str(place.settings))
    folder = place.home / "main"
    folder.mkdir(parents=True, mode=0o700)
    # there is no terminal in a test; what is refused here is refused before one is needed
    monkeypatch.setattr("tui.cli.console.unfit", lambda: "")
    identities.write(folder, MAIN)
    place.settings.write_text(TABLE)
    return place


def say(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def key(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("FLATOUT_KEY_MAIN", name)
    monkeypatch.setenv("FLATOUT_SECRET_MAIN", "c2VjcmV0")


def known(place: Place) -> Identity:
    found = identities.read(place.home / "main")
    assert found is not None
    return found


def test_accounts_are_listed_from_homes_and_settings_with_their_state(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    key(monkeypatch, "old")
    (place.home / "only-a-key").mkdir()
    place.settings.write_text(TABLE + '[accounts.next]\nvenue = "krakenfutures"\n')
    summaries.write(
        place.home / "main", Summary(account="main", seq=3, at=1_700_000_000_000_000_000)
    )
    told = say("accounts", "--json")
    assert told.exit_code == 0, told.output
    rows = {row["name"]: row for row in json.loads(told.output)}
    assert sorted(rows) == ["main", "next"]
    main_row, following = rows["main"], rows["next"]
    assert (main_row["venue"], main_row["live"], main_row["engine"], main_row["positions"]) == (
        "kraken",
        True,
        None,
        0,
    )
    assert main_row["key"] == "the environment (FLATOUT_KEY_MAIN)"
    assert (following["profile"], following["exists"], following["key"]) == (
        "kraken-futures",
        False,
        "missing",
    )
    lines = say("accounts").output.splitlines()
    assert lines[0].startswith(
        "main · kraken · LIVE  kraken-spot at http://127.0.0.1:8080  no engine runs, 0 positions"
        " and 0 orders open at 2023-"
    )


@pytest.mark.hazard("H128")
def test_an_account_that_the_settings_say_otherwise_is_listed_with_what_differs(
    place: Place,
) -> None:
    place.settings.write_text('[accounts.main]\nvenue = "paper"\n')
    told = say("accounts")
    assert told.exit_code == 1
    assert "main · kraken · LIVE" in told.output
    assert "account.venue is paper (accounts.main in" in told.output


def test_an_engine_that_runs_is_listed_with_its_process(place: Place) -> None:
    with holding(place, "paper") as engine:
        rows = {row["name"]: row for row in json.loads(say("accounts", "--json").output)}
        assert rows["paper"]["engine"] == engine.pid
        refused = say("accounts", "confirm", "paper")
        assert (refused.exit_code, "holds paper; end it first" in refused.output) == (1, True)
    rows = {row["name"]: row for row in json.loads(say("accounts", "--json").output)}
    assert (rows["paper"]["engine"], rows["paper"]["positions"], rows["paper"]["orders"]) == (
        None,
        1,
        1,
    )


def test_what_a_killed_engine_had_no_time_to_summarise_is_told_by_its_journal(
    place: Place,
) -> None:
    with holding(place, "paper"):
        pass
    folder = place.home / "paper"
    newest = summaries.read(folder)
    assert newest is not None
    summaries.write(folder, Summary(account="paper", seq=1, at=newest.at))
    (row,) = [row for row in json.loads(say("accounts", "--json").output) if row["name"] == "paper"]
    assert (row["engine"], row["positions"], row["orders"]) == (None, 1, 1)


def test_what_is_exported_of_a_killed_engine_is_as_its_events_say(place: Place) -> None:
    with holding(place, "paper"):
        pass
    base = sqlite3.connect(place.home / "paper" / "journal.sqlite")
    with base:  # as the rows are for half a second after the events
        base.execute("UPDATE positions SET size = '0', protection = 'naked', stop = NULL")
        base.execute("DELETE FROM orders WHERE role = 'stop'")
    base.close()
    (position,) = exported("positions")
    assert (position["size"], position["protection"]) == ("0.1", "venue")
    assert position["stop"] is not None
    orders = {row["role"]: row for row in exported("orders")}
    assert (orders["stop"]["status"], orders["stop"]["position"]) == ("open", position["id"])
    assert orders["entry"]["status"] == "filled"


def exported(what: str) -> list[dict[str, Any]]:
    told = say("--account", "paper", "export", what, "--format", "json")
    assert told.exit_code == 0, told.output
    found: list[dict[str, Any]] = json.loads(told.output)
    return found


@pytest.mark.hazard("H128")
def test_a_rotated_key_is_refused_until_it_is_confirmed_by_name(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    key(monkeypatch, "new")
    for words in (
        ("--account", "main", "status", "--venue"),
        ("--account", "main", "flatten", "--yes"),
        ("--account", "main"),
    ):
        told = say(*words)
        assert "if you rotated it, say `flatout accounts confirm main`" in told.output, words
        assert told.exit_code == 2, told.output
    confirmed = say("accounts", "confirm", "main")
    assert confirmed.exit_code == 0, confirmed.output
    assert known(place).fingerprint == fingerprint("new")
    assert "main · kraken · LIVE: confirmed" in confirmed.output
    assert "nothing has changed" in say("accounts", "confirm", "main").output


@pytest.mark.hazard("H128")
def test_an_endpoint_changes_only_by_the_settings_file_and_by_name(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    key(monkeypatch, "old")
    moved = "http://127.0.0.1:9090"
    by_flag = say("--set", f"account.rest={moved}", "accounts", "confirm", "main")
    assert (
        by_flag.exit_code,
        "account.rest comes from --set; write it into the settings file" in by_flag.output,
    ) == (2, True), by_flag.output
    place.settings.write_text(TABLE.replace("8080", "9090"))
    refused = say("--account", "main", "status")
    assert refused.exit_code == 2
    assert f"account.rest is {moved} (accounts.main in" in refused.output
    assert say("accounts", "confirm", "main").exit_code == 0
    assert (known(place).rest, known(place).ws) == (moved, "ws://127.0.0.1:9090/ws")
    assert say("--account", "main", "status").exit_code != 2


@pytest.mark.hazard("H128")
@pytest.mark.parametrize(
    "line", ['venue = "krakenfutures"', 'profile = "binance-spot"', 'currency = "EUR"']
)
def test_venue_profile_and_currency_are_never_confirmed(
    place: Place, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    key(monkeypatch, "old")
    place.settings.write_text(
        TABLE.replace('venue = "kraken"\n', "")
        + ('venue = "kraken"\n' if not line.startswith("venue") else "")
        + line
        + "\n"
    )
    told = say("accounts", "confirm", "main")
    assert (told.exit_code, "never changes: open another account" in told.output) == (
        1,
        True,
    ), told.output
    assert known(place) == MAIN


def test_confirming_makes_no_account(place: Place) -> None:
    told = say("accounts", "confirm", "mian")
    assert (told.exit_code, "did you mean main?" in told.output) == (2, True), told.output
    assert [each.name for each in place.home.iterdir()] == ["main"]


@pytest.mark.hazard("H128")
def test_the_console_takes_a_slip_of_the_hand_for_one(place: Place) -> None:
    told = say("--account", "mian")
    assert told.exit_code == 2
    assert "did you mean main?" in told.output
    assert "flatout --account mian --new" in told.output
    assert [each.name for each in place.home.iterdir()] == ["main"], (
        "the console made a paper account of a typo"
    )


@pytest.mark.hazard("H128")
def test_the_console_does_not_open_a_live_account_on_paper(place: Place) -> None:
    told = say("--account", "main", "--set", "account.venue=paper")
    assert told.exit_code == 2
    assert "account main is main · kraken · LIVE: account.venue is paper (--set)" in told.output
    assert [each.name for each in (place.home / "main").iterdir()] == ["identity.json"], (
        "the console opened it"
    )


@pytest.mark.parametrize(
    ("name", "there", "typo"),
    [
        ("mian", {"main"}, True),
        ("mainn", {"main"}, True),
        ("main", {"main", "mains"}, False),
        ("main2", {"main"}, False),
        ("a-1", {"a-2"}, False),
        ("rehearsal", {"main", "paper"}, False),
    ],
)
def test_numbers_tell_accounts_apart_and_letters_are_mistyped(
    name: str, there: set[str], typo: bool
) -> None:
    assert looks_like_a_typo(name, there) is typo


@pytest.mark.hazard("H128")
@pytest.mark.parametrize("words", [("status",), ("flatten", "--yes"), ("export", "fills")])
def test_a_name_that_nobody_knows_is_no_account_here(place: Place, words: tuple[str, ...]) -> None:
    told = say("--account", "mian", *words)
    assert "no account is called mian" in told.output
    assert told.exit_code == 2
    assert [each.name for each in place.home.iterdir()] == ["main"], "an account was made"


@pytest.mark.hazard("H128")
def test_a_flatten_without_the_settings_that_opened_the_account_acts_where_the_account_is(
    place: Place,
) -> None:
    with exchange("--symbols", "BTC/USD", "--tier", "pro") as ready:
        (place.home / "main" / identities.FILE).unlink()
        place.settings.write_text(
            TABLE.replace(REST, ready["rest"]).replace(WS, ready["ws"]) + 'symbols = ["BTC/USD"]\n'
        )
        with holding(place, "main") as engine:
            engine.kill()
            engine.wait()
        assert known(place).rest == ready["rest"]
        place.settings.write_text("")
        words = ("--account", "main", "--set", 'market.symbols=["BTC/USD"]')
        on_paper = place.flatout(*words, "--set", "account.venue=paper", "flatten", "--yes")
        assert (
            on_paper.returncode,
            "account.venue is paper (--set), this account's is kraken" in on_paper.stderr,
        ) == (2, True), on_paper.stderr
        assert truth(ready)["accounts"]["cash"]["BTC"] > 0
        assert not (place.home / "main" / "paper.sqlite").exists(), (
            "the live account was opened on paper"
        )
        flat = place.flatout(*words, "flatten", "--yes", timeout=200)
        assert flat.returncode == 0, flat.stdout + flat.stderr
        assert truth(ready)["accounts"]["cash"].get("BTC", 0) == 0, (
            "it exited 0, and the position is held"
        )


@pytest.mark.hazard("H128")
def test_an_older_home_is_told_what_it_is_by_the_console_and_not_by_looking(place: Place) -> None:
    file = place.home / "paper" / identities.FILE
    with holding(place, "paper"):
        pass
    file.unlink()
    for words in (("status",), ("accounts",), ("flatten",)):
        say(*words)
        assert not file.exists(), f"{words} wrote an identity"
    with holding(place, "paper"):
        found = identities.read(file.parent)
    assert found is not None
    assert found.label() == "paper · paper · PAPER"


@pytest.mark.hazard("H128")
def test_a_rotated_key_is_confirmed_at_a_terminal_by_typing_the_name(place: Place) -> None:
    master, slave = pty.openpty()
    environment = place.environment | {"FLATOUT_KEY": "new", "TERM": "xterm-256color"}
    console = subprocess.Popen(
        [*FLATOUT, "--account", "main"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
    )
    os.close(slave)
    try:
        seen, deadline = b"", time.monotonic() + 30
        while b"type main to confirm the new key" not in seen:
            assert time.monotonic() < deadline, seen.decode()
            seen += os.read(master, 4096)
        assert known(place) == MAIN, "it was taken without a word"
        os.write(master, b"main\r")
        while known(place) == MAIN:
            assert time.monotonic() < deadline, "the name was typed, and nothing came of it"
            time.sleep(0.1)
    finally:
        console.kill()
        console.wait()
        os.close(master)
    assert known(place).fingerprint == fingerprint("new")
