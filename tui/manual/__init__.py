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


LINK = re.compile(r"\.\./\.\./docs/[a-z-]+\.md")
"""All that stands in a file which git could not make a link."""


@cache
def text(name: str) -> str:
    """A page as Markdown, without its pictures. Raises OSError where it was not shipped."""
    whole = _followed(Path(__file__).parent / f"{name}.md")
    return PICTURE.sub("", whole)


def _followed(page: Path) -> str:
    """What a page says; where a checkout has no symbolic links, git leaves the path in their place."""
    told = page.read_text(encoding="utf-8")
    return (page.parent / told).read_text(encoding="utf-8") if LINK.fullmatch(told) else told
