"""A template written into the settings file: nothing else of the file changes."""

import stat
from decimal import Decimal
from pathlib import Path

import pytest

from engine.model.templates import TemplateSettings
from engine.setup.setting_values import SettingsError
from engine.setup.settings import load
from engine.setup.template_file import keep

SCALP = TemplateSettings(
    size="risk 0.5%",
    type="limit",
    price="bid-2t",
    stop="0.5%",
    targets=("1r 50%", "2r rest"),
    be="after 1r +2t",
    trail="0.4% after 2r",
    expire="10m",
    post=True,
    leverage=Decimal("2.5"),
    tags=("fast",),
    note='a "quoted" \\ word',
)
FILE = """# mine
[risk]
max_positions = 3   # few

[templates.scalp]
# what I do in the morning
size = "0.1"  # small
targets = [
  "1%",   # near
]
stop = "2%"

[templates.swing]   # another one
stop = "5%"
"""


def test_a_file_that_is_not_there_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "settings.toml"
    keep(path, "scalp", SCALP)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load(path, (), {}).settings.templates == {"scalp": SCALP}


def test_another_one_is_written_behind_what_stands_there(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(FILE)
    path.chmod(0o640)
    keep(path, "own", SCALP)
    assert path.read_text().startswith(FILE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    loaded = load(path, (), {})
    assert loaded.settings.templates["own"] == SCALP
    assert not loaded.faults
    assert [each.name for each in tmp_path.iterdir()] == ["settings.toml"], (
        "nothing is left beside it"
    )


def test_one_of_that_name_is_replaced_and_its_comments_stay(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(FILE)
    keep(path, "scalp", SCALP)
    text = path.read_text()
    for comment in (
        "# mine",
        "# few",
        "# what I do in the morning",
        "# size: small",
        "# another one",
    ):
        assert comment in text
    loaded = load(path, (), {})
    assert loaded.settings.templates["scalp"] == SCALP
    assert loaded.settings.templates["swing"] == TemplateSettings(stop="5%")
    assert loaded.settings.risk.max_positions == 3
    keep(path, "scalp", TemplateSettings(stop="1%"))
    assert load(path, (), {}).settings.templates["scalp"] == TemplateSettings(stop="1%")


@pytest.mark.parametrize(
    ("text", "name", "template", "words"),
    [
        ("", "Scalp", SCALP, "a name is 1 to 24 small letters"),
        ("", "x", TemplateSettings(stop="soon"), "templates.x.stop is 'soon'"),
        ('templates = { x = { stop = "1%" } }\n', "x", SCALP, "can't be"),
        ("[risk\n", "x", SCALP, "can't be written"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(
    tmp_path: Path, text: str, name: str, template: TemplateSettings, words: str
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=words):
        keep(path, name, template)
    assert path.read_text() == text
