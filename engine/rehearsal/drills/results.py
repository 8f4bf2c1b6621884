"""What came of drills, kept beside the accounts: a line of JSON each, so that one sees oneself
become better.
"""

import os
from pathlib import Path

import msgspec

from engine.account.home import root
from engine.rehearsal.drills.grade import Grade

NAME = ".drills"
"""A folder of the data folder that can't be an account: no account's name begins with a dot."""
MOST = 10_000
"""Results that are read, the newest."""


def folder(home: Path | None) -> Path:
    """Where results and reports are kept; it is made where it is not there."""
    found = root(home) / NAME
    found.mkdir(parents=True, exist_ok=True, mode=0o700)
    return found


def keep(home: Path | None, grade: Grade) -> None:
    """Add a result. Raises OSError."""
    path = folder(home) / "results.jsonl"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        file.write(msgspec.json.encode(grade) + b"\n")


def results(home: Path | None) -> dict[str, list[Grade]]:
    """The results by drill, oldest first; a line that can't be read is passed over."""
    path = root(home) / NAME / "results.jsonl"
    found: dict[str, list[Grade]] = {}
    try:
        lines = path.read_bytes().splitlines()[-MOST:]
    except OSError:
        return found
    for line in lines:
        try:
            grade = msgspec.json.decode(line, type=Grade)
        except msgspec.MsgspecError:
            continue
        found.setdefault(grade.drill, []).append(grade)
    return found
