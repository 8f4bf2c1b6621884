"""Whatever is secret is masked by one function, wherever it is printed; and what an account's
folder must be before it is opened.
"""

import io
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from rich.traceback import Traceback
from sqlalchemy.exc import OperationalError

from engine.account.home import Home, HomeError
from engine.exchange import Store
from engine.journal import Journal, JournalError
from engine.journal.errors import explain
from engine.model.secrets import MASK, masked, remember
from engine.setup.settings import SettingsError, load
from engine.venues.live.keys import find
from tests.support import processes

pytestmark = pytest.mark.hazard("H119")

PASSWORD = "hunter2+more"
CARRIERS = {
    "a URL": f"postgresql://flat:{PASSWORD}@db.example/flat",
    "a password with an @ and a slash": f"postgresql://flat:x@y/{PASSWORD}@db.example/flat",
    "a query": f"postgresql://db.example/flat?user=flat&password={PASSWORD}",
    "a key's password": (
        f"postgresql://db.example/flat?sslmode=verify-full&sslpassword={PASSWORD}&sslkey=k"
    ),
    "an encoded name": f"postgresql://db.example/flat?p%61ssword={PASSWORD}",
    "a DSN": f"host=db.example password={PASSWORD} dbname=flat",
    "a quoted DSN": f"host=db.example password='a \\' {PASSWORD}' dbname=flat",
    "JSON": f'{{"password": "{PASSWORD}", "host": "db.example"}}',
    "a dictionary": f"{{'password': '{PASSWORD}', 'host': 'db.example'}}",
    "headers": f"API-Key: {PASSWORD} API-Sign: {PASSWORD}, db.example",
}


@pytest.mark.parametrize("text", CARRIERS.values(), ids=CARRIERS)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    shown = masked(f"it failed: {text}")
    assert PASSWORD not in shown
    assert MASK in shown
    assert "db.example" in shown, "the rest is told"


PLAIN = (
    "http://127.0.0.1:8080/0/private/Balance?cl_ord_id=a@b",
    "write keys.toml with mode 0600 (key = ..., secret = ...)",
    "12 tokens of 60 used; stop = 1",
    "postgresql://flat@db.example/flat",
)


@pytest.mark.parametrize("text", PLAIN)
def test_what_holds_no_secret_is_told_as_it_is(text: str) -> None:
    assert masked(text) == text


def test_what_is_known_to_be_secret_is_masked_in_each_of_its_forms() -> None:
    remember(['do"not\\tell me', "postgres"])
    for text in (
        'do"not\\tell me',
        'do\\"not\\\\tell me',
        "do%22not%5Ctell%20me",
        "do%22not%5Ctell+me",
    ):
        assert masked(f"<{text}>") == f"<{MASK}>"
    assert masked("postgresql as postgres") == f"postgresql as {MASK}", (
        "a word that holds a short secret is another word"
    )


@pytest.mark.parametrize("word", ["secret", "tokens", "keys"])
def test_a_word_that_was_a_password_elsewhere_is_a_word_here(word: str) -> None:
    """Each begins with nothing remembered, whatever ran before it in this process."""
    assert masked(word) == word
    remember([word])
    assert masked(word) == MASK


URLS = {key: text for key, text in CARRIERS.items() if "://" in text}


@pytest.mark.parametrize("url", URLS.values(), ids=URLS)
def test_settings_are_printed_without_it(url: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "FLATOUT_HOME": str(tmp_path),
        "FLATOUT_SETTINGS": str(tmp_path / "none.toml"),
    }
    command = [sys.executable, "-m", "tui.cli", "--set", f'journal.url="{url}"', "settings"]
    told = processes.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert "db.example" in told.stdout, told.stderr
    assert PASSWORD not in told.stdout + told.stderr


@pytest.mark.parametrize("url", URLS.values(), ids=URLS)
def test_a_server_that_is_away_is_told_without_it(url: str) -> None:
    pytest.importorskip("psycopg", reason="psycopg is an extra")
    away = url.replace("db.example", "127.0.0.1:1")
    with pytest.raises(JournalError) as caught:
        Journal.open(away, "main", "test", now=1)
    assert PASSWORD not in str(caught.value)


def test_a_password_that_is_not_encoded_is_refused_with_how_to_write_it() -> None:
    """Its second half would be taken for a host, sent to a resolver and be told as one."""
    with pytest.raises(JournalError, match="as %40") as caught:
        Journal.open(f"postgresql://flat:x@{PASSWORD}@db.example/flat", "main", "test", now=1)
    assert PASSWORD not in str(caught.value)


def test_a_driver_that_repeats_it_is_told_without_it() -> None:
    error = OperationalError(
        "SELECT 1", {}, Exception(f'missing "=" in "host=db.example password={PASSWORD}"')
    )
    assert PASSWORD not in str(explain(error, "x"))


def test_a_traceback_with_what_was_at_hand_holds_none() -> None:
    settings = load(
        flags=[f"journal.url=postgresql://flat:{PASSWORD}@db.example/flat"], environment={}
    ).settings
    console = Console(width=200, record=True, file=io.StringIO())
    try:
        kept = settings.journal
        raise RuntimeError(repr(kept))
    except RuntimeError:
        console.print(Traceback(show_locals=True, locals_max_string=500))
        text = console.export_text() + traceback.format_exc()
    assert "db.example" in text
    assert PASSWORD not in text


def test_a_key_that_was_found_is_told_nowhere(tmp_path: Path) -> None:
    environment = {"FLATOUT_KEY": "abcdefgh-API-key", "FLATOUT_SECRET": "c2VjcmV0IGluZGVlZA=="}
    find("main", tmp_path, environment)
    assert (
        masked("EAPI:Invalid key: abcdefgh-API-key; c2VjcmV0IGluZGVlZA==")
        == f"EAPI:Invalid key: {MASK}; {MASK}"
    )


# The folder


def _readable(folder: Path) -> None:
    folder.chmod(0o755)


def _group(folder: Path) -> None:
    folder.chmod(0o710)


def _link(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to(folder.with_name("elsewhere"))


def _linked(name: str) -> Callable[[Path], None]:
    def link(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(folder.parent / "victim")

    return link


def _foreign(folder: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(folder, 12345, -1)


WRONG = {
    "mode 0755": (_readable, "0755.*chmod 700"),
    "mode 0710": (_group, "0710.*chmod 700"),
    "a link": (_link, "symbolic link"),
    "of somebody else": (_foreign, "belongs to user 12345"),
    **{
        f"{name} is a link": (_linked(name), f"{name} is a symbolic link")
        for name in (
            "lock",
            "flatout.log",
            "flatout.log.1",
            "journal.sqlite",
            "paper.sqlite",
            "control.sock",
            "session.sock",
            "emergency.mark",
            "nonce",
        )
    },
}


@pytest.mark.parametrize(("spoil", "told"), WRONG.values(), ids=WRONG)
def test_a_folder_that_others_could_have_touched_is_not_opened(
    spoil: Callable[[Path], None], told: str, tmp_path: Path
) -> None:
    folder = Home.of("main", tmp_path / "home").folder
    (tmp_path / "victim").write_text("left as it was")
    assert Home.of("main", tmp_path / "home").folder == folder, "a second time too"
    spoil(folder)
    with pytest.raises(HomeError, match=told):
        Home.of("main", tmp_path / "home")


def test_the_commands_say_so_in_a_sentence(tmp_path: Path) -> None:
    home = Home.of("paper", tmp_path)
    folder = home.folder
    Store(home.paper).close()
    (folder / "flatout.log").symlink_to(tmp_path / "victim")
    environment = {
        **os.environ,
        "FLATOUT_HOME": str(tmp_path),
        "FLATOUT_SETTINGS": str(tmp_path / "none.toml"),
    }
    for words in (("status",), ("doctor",), ("journal", "tail"), ("flatten", "--yes")):
        told = processes.run(
            [sys.executable, "-m", "tui.cli", *words],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
        )
        # a flatten says it and goes on: nothing is held
        assert told.returncode == (0 if words[0] == "flatten" else 2), told.stdout
        assert "flatout.log is a symbolic link" in told.stderr, words
        assert "Traceback" not in told.stderr
    assert not (tmp_path / "victim").exists()


NAMES = ("..", ".", "", ".hidden", "-x", "a/b", "a\n", "a" * 41, "a b", "../paper", "é")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_leads_elsewhere_makes_no_folder(name: str, tmp_path: Path) -> None:
    outcome = "it was opened"
    try:
        Home.of(name, tmp_path / "root")
    except HomeError as error:
        outcome = str(error)
    assert outcome.startswith(f"account {name[:60]!r}: an account's name is"), outcome
    assert not list(tmp_path.iterdir()), "nothing was made"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_leads_elsewhere_is_no_setting(name: str, tmp_path: Path) -> None:
    told = name.replace("\n", "\\n")
    (tmp_path / "s.toml").write_text(f'[account]\nname = "{told}"\n', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"account\.name"):
        load(tmp_path / "s.toml", environment={})
