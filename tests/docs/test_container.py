"""The container's files say what is there: what they copy, install, and run."""

import re
import tomllib
from pathlib import Path

from tui.cli.commands import COMMANDS

TOP = Path(__file__).parents[2]
IMAGE = (TOP / "docs" / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (TOP / "docs" / "compose.yaml").read_text(encoding="utf-8")


def test_what_the_image_copies_is_there_and_what_the_package_needs_is_copied() -> None:
    copied = [
        name
        for words in re.findall(r"^COPY (.+) \S+$", IMAGE, re.MULTILINE)
        for name in words.split()
    ]
    assert all((TOP / name).exists() for name in copied)
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {name.removesuffix("*") for name in packages} <= set(copied)
    assert {project["project"]["readme"], "LICENSE", "pyproject.toml"} <= set(copied)
    (extras,) = re.findall(r"/src\[([\w,]+)\]", IMAGE)
    assert set(extras.split(",")) <= set(project["project"]["optional-dependencies"])
    (python,) = re.findall(r"^FROM python:(\S+)-slim$", IMAGE, re.MULTILINE)
    assert f"Programming Language :: Python :: {python}" in project["project"]["classifiers"]


def test_what_both_files_call_is_a_command() -> None:
    """After `flatout`, `engine` (compose's name of it) and an account comes a command."""
    after = re.compile(r"(?=(?:flatout|engine)(?: --account main)? ([a-z]+)(?: |$))", re.MULTILINE)
    called = set(after.findall(IMAGE + COMPOSE))
    called |= set(re.findall(r'"main", "([a-z]+)"', COMPOSE))
    called |= set(re.findall(r'^CMD \["([a-z]+)"\]$', IMAGE, re.MULTILINE))
    called -= {"flatout", "in"}  # exec's own word, and the sentence above
    assert called == {"serve", "attach", "flatten", "settings", "status"}
    assert called <= set(COMMANDS)


def test_nothing_listens_and_no_secret_stands_there() -> None:
    for text in (IMAGE, COMPOSE):
        assert "ports:" not in text
        assert "EXPOSE" not in text
        assert not re.search(r"(KEY|SECRET|PASSWORD)\s*[=:]", text)
    assert "/data" in IMAGE
    assert "data:/data" in COMPOSE
    assert "dockerfile: docs/Dockerfile" in COMPOSE
