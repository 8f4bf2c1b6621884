"""Where in the settings file a key stands, for the words of an error: `settings.toml:12` instead of
`settings.toml`.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

_HEADER = re.compile(r"^\s*\[([^\[\]]+)\]\s*(#.*)?$")
_KEY = re.compile(
    r"""^\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*="""
)
_ACCOUNT = re.compile(r"^accounts\.(\S+) in (.+)$")


def located(origin: str, path: tuple[str, ...]) -> str:
    """The origin of a setting with its line, where `origin` is a file that holds the key `path`;
    else the origin as it is.
    """
    account = _ACCOUNT.match(origin)
    file = Path(account[2] if account else origin)
    wanted = (
        [("accounts", account[1], *path), ("accounts", account[1], *path[1:])]
        if account
        else [path]
    )
    try:
        text = file.read_text(encoding="utf-8") if file.suffix else ""
    except (OSError, UnicodeDecodeError, ValueError):
        return origin
    line = next((number for one in wanted if (number := line_of(text, one))), 0)
    return f"{origin}:{line}" if line else origin


def line_of(text: str, path: tuple[str, ...]) -> int:
    """The line, from one on, on which a key stands; 0 where it can't be told. Raises nothing."""
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _names(f"[{header[1]}]")
            if table == path:
                return number
        elif (key := _KEY.match(line)) and (*table, *_names(f"{key[1]} = 0")) == path:
            return number
    return 0


def _names(text: str) -> tuple[str, ...]:
    """The parts of a header or a key, as TOML reads them."""
    try:
        inner: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return ()
    found = []
    while isinstance(inner, dict) and inner:
        name, inner = next(iter(inner.items()))
        found.append(name)
    return tuple(found)
