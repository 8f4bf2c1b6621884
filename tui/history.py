"""What was said on the command line of an account, kept in its folder for the next session."""

import contextlib
import os
from pathlib import Path

from engine.model.secrets import masked

NAME = "commands.history"
MOST = 500
"""Lines that are kept."""


class History:
    """The lines, oldest first. A folder that can't be written loses them, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def lines(self) -> list[str]:
        """All of them."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return []
        return [line for line in text.split("\n") if line][-MOST:]

    def add(self, text: str) -> None:
        """Keep a line, unless it is the newest already."""
        lines = self.lines()
        line = masked(" ".join(text.split()))
        if not line or lines[-1:] == [line]:
            return
        body = "\n".join([*lines, line][-MOST:]) + "\n"
        with contextlib.suppress(OSError):
            fresh = self._path.with_suffix(".new")
            fresh.unlink(missing_ok=True)
            number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(body)
            fresh.replace(self._path)
