"""`flatout settings --path`, `--init` and `--schema`, and what a shell offers: all made from the
definitions, so that none can lie.
"""

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine.setup.describing import describe
from engine.setup.sections import SECTIONS, Settings
from engine.setup.settings import load
from engine.venues.exchanges import EXCHANGES
from tests.support.custody import Place
from tui.cli import main
from tui.cli.settings import schema, template


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A home and a settings file that are not there yet."""
    place = Place(tmp_path / "home", tmp_path / "folder" / "settings.toml")
    monkeypatch.setenv("FLATOUT_HOME", str(place.home))
    monkeypatch.setenv("FLATOUT_SETTINGS", str(place.settings))
    return place


def say(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def offered(monkeypatch: pytest.MonkeyPatch, *words: str) -> list[str]:
    """What bash is offered for the last of the words."""
    monkeypatch.setenv("COMP_WORDS", " ".join(("flatout", *words)))
    monkeypatch.setenv("COMP_CWORD", str(len(words)))
    told = CliRunner().invoke(
        main, [], prog_name="flatout", env={"_FLATOUT_COMPLETE": "bash_complete"}
    )
    return [line.removeprefix("plain,") for line in told.output.splitlines()]


def test_the_path_is_that_of_the_file_that_is_read(place: Place, tmp_path: Path) -> None:
    assert say("settings", "--path").output == f"{place.settings}\n"
    other = tmp_path / "other.toml"
    assert say("--settings", str(other), "settings", "--path").output == f"{other}\n"
    assert not place.settings.exists()


def test_a_file_is_written_that_only_its_owner_reads_and_that_changes_nothing(place: Place) -> None:
    told = say("settings", "--init")
    assert (told.exit_code, told.output) == (0, f"wrote {place.settings}\n")
    assert stat.S_IMODE(place.settings.stat().st_mode) == 0o600
    loaded = load(place.settings, environment={})
    assert (loaded.settings, loaded.origins) == (Settings(), {})


def test_a_file_that_is_there_is_never_written_over(place: Place) -> None:
    place.settings.parent.mkdir()
    place.settings.write_text("[risk]\nmax_positions = 3\n")
    told = say("settings", "--init")
    assert told.exit_code == 1
    assert "is there already" in told.output
    assert place.settings.read_text() == "[risk]\nmax_positions = 3\n"


def test_a_folder_that_can_not_be_written_is_one_sentence(place: Place) -> None:
    place.settings.parent.write_text("a file")
    told = say("settings", "--init")
    assert told.exit_code == 1
    assert "can't be written" in told.output


def test_the_file_names_every_key_with_its_default(place: Place) -> None:
    text = template()
    named = {key.partition(".")[2] for key in describe()}
    assert {match[1] for match in re.finditer(r"^# (\w+) =", text, flags=re.MULTILINE)} == named
    place.settings.parent.mkdir()
    said = re.sub(r"^# (\w+ = )", r"\1", text.partition("# [symbols")[0], flags=re.MULTILINE)
    place.settings.write_text(said)
    assert load(place.settings, environment={}).settings == Settings()


def test_the_schema_knows_the_keys_of_the_settings_and_their_bounds(place: Place) -> None:
    told: dict[str, Any] = json.loads(say("settings", "--schema").output)
    assert told == json.loads(json.dumps(schema()))
    tables = told["$defs"]
    for section, kind in SECTIONS.items():
        assert list(tables[section]["properties"]) == list(kind.__struct_fields__)
        assert told["properties"][section] == {"$ref": f"#/$defs/{section}"}
    assert tables["risk"]["properties"]["day_hour"] | {"description": ""} == {
        "type": "integer", "minimum": 0, "maximum": 23, "default": 0, "description": "",
    }  # fmt: skip
    assert tables["symbol"]["properties"]["stop"]["exclusiveMaximum"] == 1
    assert tables["account"]["properties"]["venue"]["enum"] == ["paper", *EXCHANGES]
    assert "name" not in tables["own"]["properties"]
    assert told["additionalProperties"] is False


def test_two_of_them_at_once_are_a_mistake(place: Place) -> None:
    assert say("settings", "--path", "--schema").exit_code == 2


def test_a_shell_offers_accounts_profiles_themes_and_keys(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place.home / "main").mkdir(parents=True)
    (place.home / "main" / "journal.sqlite").touch()
    (place.settings.parent / "themes").mkdir(parents=True)
    shipped = Path(__file__).parents[2] / "themes" / "flatout-dark.toml"
    (place.settings.parent / "themes" / "mine.toml").write_text(
        shipped.read_text().replace('name = "flatout-dark"', 'name = "mine"')
    )
    place.settings.write_text('[accounts.margin]\nvenue = "kraken"\n')
    assert offered(monkeypatch, "--account", "ma") == ["main", "margin"]
    assert offered(monkeypatch, "accounts", "confirm", "mai") == ["main"]
    assert offered(monkeypatch, "--profile", "kraken") == ["kraken-futures", "kraken-spot"]
    assert offered(monkeypatch, "--theme", "m") == ["mine"]
    assert offered(monkeypatch, "--set", "risk.max_positions_") == [
        "risk.max_positions_per_symbol="
    ]
    assert [file.name for file in (place.home / "main").iterdir()] == ["journal.sqlite"], (
        "a tab opens nothing"
    )


def test_a_settings_file_that_is_no_use_offers_the_homes_all_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place.home / "main").mkdir(parents=True)
    (place.home / "main" / "journal.sqlite").touch()
    place.settings.parent.mkdir()
    place.settings.write_text("[nothing]\nat = 'all'\n")
    assert offered(monkeypatch, "--account", "") == ["main"]
