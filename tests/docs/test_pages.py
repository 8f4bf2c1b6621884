"""The pages: short enough, their links lead somewhere, their tables are made from the code, and
their commands work.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.docs import settings_page

TOP = Path(__file__).parents[2]
PAGES = sorted(
    path
    for folder in (TOP, TOP / "docs")
    for path in folder.rglob("*.md")
    if folder != TOP or path.parent == TOP
)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
NAMES = {str(path.relative_to(TOP)) for path in PAGES}


def test_the_readme_is_short() -> None:
    assert len((TOP / "README.md").read_text(encoding="utf-8").split()) < 1_300


@pytest.mark.parametrize("page", sorted(NAMES))
def test_each_link_leads_somewhere(page: str) -> None:
    path = TOP / page
    links = [link for link in LINK.findall(path.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_table_of_settings_is_that_of_the_code() -> None:
    assert settings_page.PAGE.read_text(encoding="utf-8") == settings_page.page(), (
        "say `python -m tests.docs.settings_page`"
    )


RUN = re.compile(r"^```(sh|console|toml)$", re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    sorted(
        str(path.relative_to(TOP))
        for path in PAGES
        if path.is_relative_to(TOP / "docs") and RUN.search(path.read_text(encoding="utf-8"))
    ),
)
def test_the_commands_of_a_page_work_as_they_stand(page: str, tmp_path: Path) -> None:
    flatout = tmp_path / "flatout"
    flatout.write_text(f'#!/bin/sh\nexec {sys.executable} -m tui.cli "$@"\n')
    flatout.chmod(0o755)
    command = [sys.executable, str(TOP / ".ci" / "readme.py"), "run", str(tmp_path), page]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP), "HOME": str(tmp_path)}
    told = subprocess.run(
        command, capture_output=True, text=True, timeout=600, env=environment, check=False
    )
    assert told.returncode == 0, told.stdout[-2_000:] + told.stderr[-2_000:]


def test_the_lock_pins_every_dependency_within_its_bounds() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (TOP / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    pinned = {canonicalize_name(pin.name): next(iter(pin.specifier)) for pin in pins}
    assert all(one.operator == "==" for one in pinned.values())
    assert not any(pin.url for pin in pins), (
        "names and versions alone: where they come from is the machine's to say"
    )
    for wanted in map(
        Requirement, (*project["dependencies"], *project["optional-dependencies"]["dev"])
    ):
        assert wanted.specifier.contains(pinned[canonicalize_name(wanted.name)].version), wanted


def names_of_files(page: str) -> list[str]:
    """The paths that a page names, without those that are patterns or what a person would write."""
    text = re.sub(r"```.*?```", "", (TOP / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    named = re.findall(r"`((?:engine|tui|themes|tests|docs|\.ci)/[\w./-]*)(?:::\w+)?`", text)
    return [name for name in named if "*" not in name and "NAME" not in name]


@pytest.mark.parametrize("page", sorted(NAMES - {"CHANGELOG.md"}))
def test_each_file_that_a_page_names_is_there(page: str) -> None:
    assert [name for name in names_of_files(page) if not (TOP / name).exists()] == []
