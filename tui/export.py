"""Rows as text for the clipboard and as CSV for a spreadsheet."""

import csv
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from engine.model.secrets import masked
from engine.model.text import cell


def write(home: Path, name: str, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    """Write a new CSV file that only its owner reads, in `home`/exports; returns where."""
    folder = home / "exports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.csv"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(titles)
        writer.writerows([cell(masked(text)) for text in row] for row in rows)
    return path
