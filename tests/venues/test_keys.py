"""Where keys come from, and that they are told nowhere."""

from pathlib import Path

import pytest

from engine.venues.live.keys import Credentials, KeysError, find


def _file(home: Path, text: str, mode: int = 0o600) -> None:
    path = home / "keys.toml"
    path.write_text(text)
    path.chmod(mode)


def test_the_environment_is_asked_first_by_the_accounts_name(tmp_path: Path) -> None:
    _file(tmp_path, 'key = "F"\nsecret = "FS"\n')
    named = {
        "FLATOUT_KEY_MY_MAIN": "N",
        "FLATOUT_SECRET_MY_MAIN": "NS",
        "FLATOUT_KEY": "P",
        "FLATOUT_SECRET": "PS",
    }
    assert find("my-main", tmp_path, named).key == "N"
    assert find("other", tmp_path, named).key == "P"
    assert find("other", tmp_path, {"FLATOUT_KEY": "half"}).key == "F"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    _file(tmp_path, 'key = "F"\nsecret = "FS"\n', mode)
    with pytest.raises(KeysError, match=f"{mode:04o}.*chmod 600"):
        find("main", tmp_path, {})


@pytest.mark.parametrize(
    "text",
    [
        "key = hunter2secret",
        'key = "only"',
        'key = 1\nsecret = "hunter2secret"',
        "\x00hunter2secret",
    ],
)
def test_a_file_that_makes_no_sense_is_an_error_that_quotes_nothing(
    tmp_path: Path, text: str
) -> None:
    _file(tmp_path, text)
    with pytest.raises(KeysError) as told:
        find("main", tmp_path, {})
    assert "hunter2secret" not in str(told.value)
    assert "keys.toml" in str(told.value)


def test_no_key_says_where_one_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "keyring", None)
    with pytest.raises(KeysError, match=r"FLATOUT_KEY_MAIN.*keys\.toml.*keyring"):
        find("main", tmp_path, {})


def test_credentials_print_nothing_of_themselves() -> None:
    told = Credentials("the-key", "the-secret", "a test")
    assert "the-" not in repr(told)
    assert "the-" not in str([told])
