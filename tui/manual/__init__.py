"""The manual that the console shows: the pages of docs/ themselves, shipped with the package.

The files here are links into docs/; a built package has copies of them.
"""

import re
from functools import cache
from pathlib import Path

PAGES: dict[str, str] = {
    "getting-started": "Getting started",
    "console": "Console",
    "command-line": "Command line",
    "protections": "Protections",
    "paper": "Paper",
    "live": "Going live",
    "drills": "Drills",
    "runbook": "Runbook",
    "glossary": "Glossary",
    "commands": "Commands",
    "settings": "Settings",
}
"""From a file's name to what it is called, in the order of the manual."""

PICTURE = re.compile(r"^!\[.*\n\n?", re.MULTILINE)
"""A line with a picture, which a terminal can't show."""


@cache
def text(name: str) -> str:
    """A page as Markdown, without its pictures. Raises OSError where it was not shipped."""
    whole = (Path(__file__).parent / f"{name}.md").read_text(encoding="utf-8")
    return PICTURE.sub("", whole)
