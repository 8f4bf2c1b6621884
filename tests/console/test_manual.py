"""F1: the manual is the pages of docs/, shipped, rendered and searched."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.console.conftest import Stage, Staged
from tui import manual
from tui.commands import COMMANDS
from tui.flows.markdown import render

TOP = Path(__file__).parents[2]


def test_each_page_is_the_page_of_docs_and_is_shipped() -> None:
    for name in manual.PAGES:
        page = (TOP / "docs" / f"{name}.md").read_text(encoding="utf-8")
        lines = [line for line in page.split("\n") if line]
        shown = [line for line in manual.text(name).split("\n") if line]
        assert shown == [line for line in lines if not line.startswith("![")]
    there = {file.stem for file in (TOP / "tui" / "manual").glob("*.md")}
    assert there == set(manual.PAGES)
    data = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    assert "manual/*.md" in data["tool"]["setuptools"]["package-data"]["tui"]


def test_a_checkout_without_links_shows_the_pages_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "tui" / "manual"
    here.mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "paper.md").write_text("# Paper\n")
    (here / "paper.md").write_text("../../docs/paper.md")  # as git writes a link there
    monkeypatch.setattr(manual, "__file__", str(here / "__init__.py"))
    manual.text.cache_clear()
    assert manual.text("paper") == "# Paper\n"
    manual.text.cache_clear()


@pytest.mark.parametrize("room", [40, 74, 110, 190])
@pytest.mark.parametrize("name", manual.PAGES)
def test_no_line_of_a_page_is_wider_than_the_screen_and_no_word_is_lost(
    name: str, room: int
) -> None:
    text = manual.text(name)
    lines = render(text, room)
    code = {
        line.strip()
        for block in re.findall(r"```[^\n]*\n(.*?)```", text, re.DOTALL)
        for line in block.split("\n")
    }
    for line in lines:
        said = "".join(part for part, _ in line)
        longest = max((len(word) for word in said.split()), default=0)
        assert len(said.rstrip()) <= room or said.strip() in code or longest > room - 24, said
    shown = set(re.findall(r"[A-Za-z]{4,}", " ".join("".join(p for p, _ in ln) for ln in lines)))
    bare = re.sub(r"\]\([^)]*\)", "]", re.sub(r"```\w*", "", text))
    wanted = set(re.findall(r"[A-Za-z]{4,}", bare))
    assert len(wanted - shown) <= (len(wanted) // 20 if room < 50 else 3), wanted - shown


async def test_help_opens_with_the_keys_and_turns_the_pages(stage: Stage) -> None:
    await stage.press("f1")
    await stage.shows("flatten everything")
    await stage.press("right")
    await stage.shows("The first position")
    await stage.press("left", "left")
    await stage.shows("Settings")


async def test_a_search_names_page_and_heading_of_what_it_finds(staged: Staged) -> None:
    async with staged((80, 24)) as stage:
        await stage.press("?", "/")
        await stage.type("slippage is told")
        await stage.shows("Protections: What a stop can't do")
        await stage.press("escape")
        await stage.shows("Getting started")
        await stage.press("escape")
        assert type(stage.app.screen).__name__ == "MainScreen"


async def test_a_search_that_finds_nothing_says_so(stage: Stage) -> None:
    await stage.press("?", "/")
    await stage.type("xyzzy")
    await stage.shows("the manual has no “xyzzy”")


async def test_a_page_is_opened_by_its_name(stage: Stage) -> None:
    await stage.open(":")
    await stage.type("help glossary")
    await stage.press("enter")
    await stage.shows("client order id")


def test_every_word_of_a_status_is_in_the_glossary() -> None:
    glossary = manual.text("glossary") + manual.text("protections")
    for word in (
        "VENUE",
        "LOCAL",
        "PARTIAL",
        "NAKED",
        "UNKNOWN",
        "UNBOUNDED",
        "HALTED",
    ):
        assert word in glossary, word
    assert COMMANDS
