"""What an account is: written once, compared at each opening, and never made by looking."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.account import identity as identities
from engine.account.identity import (
    Identity,
    IdentityError,
    KeyChangedError,
    MismatchError,
    UnknownAccountError,
    check_key,
    fingerprint,
)
from engine.journal import Journal
from engine.session.establish import establish
from engine.setup.accounts import Resolved, resolve
from engine.setup.settings import Loaded, load

NOWHERE = Path("/nowhere/settings.toml")
REST, WS = "http://127.0.0.1:8080", "ws://127.0.0.1:8080/ws"
LIVE = ["account.name=main", "account.venue=kraken", f"account.rest={REST}", f"account.ws={WS}"]
MAIN = Identity(
    account="main",
    venue="kraken",
    profile="kraken-spot",
    rest=REST,
    ws=WS,
    fingerprint=fingerprint("K"),
    currency="USD",
)


def told(flags: list[str], environment: Mapping[str, str] | None = None) -> Loaded:
    return load(None, flags, {"FLATOUT_SETTINGS": str(NOWHERE)} | dict(environment or {}))


def found(loaded: Loaded, root: Path) -> Resolved:
    return resolve(
        loaded.settings, root, loaded.explicit, origins=loaded.origins, named=loaded.accounts
    )


@pytest.fixture(autouse=True)
def no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLATOUT_SETTINGS", str(NOWHERE))


@pytest.fixture
def main(tmp_path: Path) -> Path:
    folder = tmp_path / "main"
    folder.mkdir()
    identities.write(folder, MAIN)
    return folder


def test_an_identity_is_read_as_it_was_written_by_its_owner_alone(main: Path) -> None:
    assert identities.read(main) == MAIN
    assert (main / identities.FILE).stat().st_mode & 0o777 == 0o600
    assert "K" not in (main / identities.FILE).read_text().replace("kraken", "")
    assert MAIN.label() == "main · kraken · LIVE"
    assert replace(MAIN, account="x", venue="paper").label() == "x · paper · PAPER"


@pytest.mark.hazard("H128")
@pytest.mark.parametrize(
    ("flags", "environment", "words"),
    [
        (
            ["account.name=main", "account.venue=paper"],
            {},
            ("account.venue is paper (--set)", "is kraken"),
        ),
        (
            ["account.name=main"],
            {"FLATOUT_ACCOUNT__VENUE": "paper"},
            ("account.venue is paper (FLATOUT_ACCOUNT__VENUE)", "is kraken"),
        ),
        (
            [*LIVE, "account.rest=http://127.0.0.1:9"],
            {},
            ("account.rest is http://127.0.0.1:9 (--set)", REST, "accounts confirm main"),
        ),
        (
            ["account.name=main", "account.venue=kraken"],
            {},
            ("account.rest is unset (default)", REST),
        ),
        (
            [*LIVE, "account.profile=kraken-futures"],
            {},
            ("account.profile is kraken-futures (--set)", "is kraken-spot"),
        ),
        (
            LIVE,
            {"FLATOUT_ACCOUNT__CURRENCY": "EUR"},
            ("account.currency is EUR (FLATOUT_ACCOUNT__CURRENCY)", "is USD"),
        ),
        (
            ["account.name=main", "account.currency=EUR"],
            {},
            ("account.currency is EUR (--set)", "is USD"),
        ),
    ],
)
def test_what_differs_is_refused_by_name(
    main: Path, flags: list[str], environment: dict[str, str], words: tuple[str, ...]
) -> None:
    with pytest.raises(MismatchError) as refused:
        found(told(flags, environment), main.parent)
    for word in ("account main is main · kraken · LIVE", *words):
        assert word in str(refused.value)


@pytest.mark.hazard("H128")
def test_what_nobody_set_is_what_the_account_is(main: Path) -> None:
    resolved = found(told(["account.name=main"]), main.parent)
    account = resolved.settings.account
    assert (account.venue, account.profile, account.rest, account.ws) == (
        "kraken",
        "kraken-spot",
        REST,
        WS,
    ), "it opened elsewhere"
    assert resolved.label() == "main · kraken · LIVE"


@pytest.mark.hazard("H128")
def test_a_name_that_nobody_knows_is_an_error_and_not_an_account(main: Path) -> None:
    root = main.parent
    with pytest.raises(UnknownAccountError) as refused:
        found(told(["account.name=mian"]), root)
    assert "no account is called mian" in str(refused.value)
    assert "did you mean main?" in str(refused.value)
    assert [each.name for each in root.iterdir()] == ["main"], "looking made a folder"


@pytest.mark.hazard("H128")
def test_with_a_venue_that_somebody_named_that_venue_is_meant_and_nothing_is_made(
    tmp_path: Path,
) -> None:
    resolved = found(told(LIVE), tmp_path / "none")
    assert (resolved.exists, resolved.stored, resolved.label()) == (
        False,
        False,
        "main · kraken · LIVE",
    )
    assert not (tmp_path / "none").exists(), "looking made a folder"


def test_a_folder_with_nothing_but_a_key_is_no_account_yet(tmp_path: Path) -> None:
    (tmp_path / "main").mkdir()
    (tmp_path / "main" / "keys.toml").touch(mode=0o600)
    assert identities.accounts(tmp_path) == ()
    with pytest.raises(UnknownAccountError):
        found(told(["account.name=main"]), tmp_path)


@pytest.mark.hazard("H128")
def test_an_older_home_that_was_traded_live_does_not_open_on_paper(tmp_path: Path) -> None:
    (tmp_path / "main").mkdir()
    (tmp_path / "main" / "journal.sqlite").touch()
    with pytest.raises(MismatchError, match="was traded at an exchange"):
        found(told(["account.name=main"]), tmp_path)
    assert found(told(LIVE), tmp_path).label() == "main · kraken · LIVE"
    assert not (tmp_path / "main" / identities.FILE).exists(), "looking wrote an identity"
    (tmp_path / "main" / "paper.sqlite").touch()
    assert found(told(["account.name=main"]), tmp_path).label() == "main · paper · PAPER"
    with pytest.raises(MismatchError, match="is paper by its home"):
        resolve(told(LIVE).settings, tmp_path, True, new=True)
    assert found(told(LIVE), tmp_path).label() == "main · kraken · LIVE", (
        "a live venue that was named is looked at all the same"
    )


@pytest.mark.hazard("H128")
def test_another_key_is_not_taken_for_the_account_s_own() -> None:
    check_key(MAIN, "K")
    check_key(replace(MAIN, fingerprint=""), "other")
    with pytest.raises(KeyChangedError) as refused:
        check_key(MAIN, "other")
    assert "flatout accounts confirm main" in str(refused.value)
    assert "other" not in str(refused.value).replace("another", "")


def test_an_identity_that_can_not_be_read_is_told_and_blocks_no_flatten(main: Path) -> None:
    (main / identities.FILE).write_text("{")
    with pytest.raises(IdentityError, match="accounts confirm main"):
        found(told(["account.name=main"]), main.parent)
    assert found(told(LIVE), main.parent).label() == "main · kraken · LIVE"


# The journal's copy


def journal(path: Path) -> Journal:
    return Journal.open(path / "journal.sqlite", "main", "test", now=1, inline=True)


@pytest.mark.hazard("H128")
def test_the_first_opening_writes_it_into_home_and_journal(tmp_path: Path) -> None:
    kept = journal(tmp_path)
    establish(tmp_path, kept, MAIN, 5)
    assert identities.read(tmp_path) == MAIN
    written = kept.identity()
    assert written is not None, "the journal does not know what the account is"
    assert (written["venue"], written["rest"], written["fingerprint"]) == (
        "kraken",
        REST,
        MAIN.fingerprint,
    )
    kept.close()


@pytest.mark.hazard("H128")
def test_a_journal_of_another_venue_is_refused_also_in_a_new_home(tmp_path: Path) -> None:
    kept, home = journal(tmp_path), tmp_path / "home"
    home.mkdir()
    establish(tmp_path, kept, MAIN, 5)
    with pytest.raises(
        MismatchError, match=r"main · kraken · LIVE by its journal: account\.venue is paper"
    ):
        establish(
            home,
            kept,
            Identity(account="main", venue="paper", profile="kraken-spot", currency="USD"),
            6,
        )
    with pytest.raises(MismatchError, match=r"account\.rest is http://127\.0\.0\.1:9"):
        establish(home, kept, replace(MAIN, rest="http://127.0.0.1:9"), 6)
    with pytest.raises(KeyChangedError, match="accounts confirm main"):
        establish(home, kept, replace(MAIN, fingerprint=fingerprint("other")), 6)
    assert identities.read(home) is None
    kept.close()


def test_what_was_confirmed_in_the_home_comes_into_the_journal(tmp_path: Path) -> None:
    kept = journal(tmp_path)
    establish(tmp_path, kept, MAIN, 5)
    moved = replace(MAIN, rest="http://127.0.0.1:9", fingerprint=fingerprint("other"))
    identities.write(tmp_path, moved)
    establish(tmp_path, kept, moved, 6)
    written = kept.identity()
    assert written is not None
    assert (written["rest"], written["fingerprint"]) == (moved.rest, moved.fingerprint)
    kept.close()
