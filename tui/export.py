"""Rows as text for the clipboard and as CSV for a spreadsheet."""

import csv
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tui.plain import plain

_FORMULA = ("=", "@", "\t", "\r")


def harmless(cell: str) -> str:
    """A cell that a spreadsheet shows and does not run: foreign text may begin with `=`. A signed number stays a number."""
    text = plain(cell)
    begins = text.startswith(_FORMULA) or (text[:1] in "+-" and not text[1:2].isdigit() and len(text) > 1)
    return f"'{text}" if begins else text


def write(home: Path, name: str, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    """Write a new CSV file that only its owner reads, in `home`/exports; returns where."""
    folder = home / "exports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.csv"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(titles)
        writer.writerows([harmless(cell) for cell in row] for row in rows)
    return path
