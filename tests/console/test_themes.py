"""Looks are data: valid, readable, and never the only way to tell two things apart."""

from pathlib import Path

import pytest
from textual.css.stylesheet import Stylesheet

import themes
from tests.console.conftest import Staged
from tests.support.terminal import console
from themes import Look

LOOKS = themes.load().looks


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, WCAG 2.2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_there_is_a_dark_and_a_light_one() -> None:
    assert themes.DEFAULT in LOOKS
    assert {look.dark for look in LOOKS.values()} == {True, False}
    assert not themes.load().errors


@pytest.mark.parametrize("look", LOOKS.values(), ids=lambda look: look.name)
def test_every_text_can_be_read_on_what_it_stands(look: Look) -> None:
    c = look.colours
    for name in ("text", "dim", "up", "down", "warn", "danger", "accent"):
        for ground in ("surface", "raised", "background", "selection"):
            needed = 3.0 if name == "dim" or ground == "selection" else 4.5
            assert contrast(getattr(c, name), getattr(c, ground)) >= needed, (name, ground)


def test_what_is_wrong_with_themes_is_gathered(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("name = 'a'\ndark = 3\n")
    (tmp_path / "b.toml").write_text("not toml")
    found = themes.load(tmp_path)
    assert len(found.errors) == 2
    assert "theme a.toml" in found.errors[0]
    assert set(found.looks) == set(LOOKS)


async def test_a_theme_that_is_not_there_is_one_message_and_the_default_is_used(
    staged: Staged, tmp_path: Path
) -> None:
    (tmp_path / "b.toml").write_text("not toml")
    async with staged(theme="neon", themes=tmp_path) as stage:
        await stage.shows("theme b.toml")
        await stage.press("a")
        await stage.shows("console.theme is 'neon': no theme is called so")
        await stage.press("a")
        assert "no theme is called so" not in stage.text.splitlines()[0]
        assert stage.app.palette.look.name == themes.DEFAULT


async def test_T_paints_with_the_next_look(staged: Staged) -> None:
    async with staged() as stage:
        for _ in LOOKS:
            await stage.press("T")
            await stage.shows(stage.app.palette.look.name)
        assert stage.app.theme == themes.DEFAULT


async def test_styles_are_parsed_once_for_the_first_paint_and_anew_for_other_colours(
    staged: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[dict[str, str]] = []
    parse = Stylesheet.reparse

    def counted(self: Stylesheet) -> None:
        parsed.append(self._variables)
        parse(self)

    monkeypatch.setattr(Stylesheet, "reparse", counted)
    async with staged() as stage:
        assert not parsed, "what was parsed for the first paint has the theme's colours"
        before = stage.app.get_css_variables()["background"]
        await stage.press("T")
        await stage.shows(stage.app.palette.look.name)
        assert parsed[-1]["background"] == stage.app.get_css_variables()["background"] != before
        assert stage.app.screen.styles.background.hex.lower() == parsed[-1]["background"].lower()


@pytest.mark.hazard("H108")
@pytest.mark.parametrize(
    "flag", [("--theme", "neon"), ("--set", "console.theme=neon"), ("--theme", "b.toml")]
)
def test_an_unknown_theme_on_the_command_line_is_one_sentence_and_exit_code_2(
    flag: tuple[str, str], tmp_path: Path
) -> None:
    (tmp_path / "b.toml").write_text("not toml")
    with console(tmp_path, *flag, ready=False, stderr=tmp_path / "err") as terminal:
        assert terminal.wait(20) == 2
    said = (tmp_path / "err").read_text()
    assert "neon" in said or "theme b.toml" in said
    assert "Traceback" not in said
    assert not (tmp_path / "f").exists(), "nothing was opened"
