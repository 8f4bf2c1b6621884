"""The shape of what the journal keeps: the fields of every event, of the state, and of all that
they are made of.

`python -m tests.golden.shapes` writes the table of this program's version, `shapes-N.json`. The
tables of versions that are out are never written again; `tests/journal/test_versions.py` says what
to do when the program and its table disagree.
"""

import json
import re
import sys
from enum import Enum
from inspect import isclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from msgspec import Struct
from msgspec.structs import fields

from engine.desk.events import AnyEvent
from engine.desk.state import State

FOLDER = Path(__file__).parent

Shapes = dict[str, dict[str, str] | list[str]]
"""By tag or class name: the fields with their types in words; of an enumeration, its values."""


def name_of(kind: type) -> str:
    """What an event is called in the journal; anything else goes by its class."""
    tag = kind.__struct_config__.tag if issubclass(kind, Struct) else None
    return tag if isinstance(tag, str) and kind in get_args(AnyEvent) else kind.__name__


def shapes(*roots: type) -> Shapes:
    """The table of `roots`, or of all that this program's journal keeps."""
    found: Shapes = {}
    waiting: list[Any] = list(roots) or [*get_args(AnyEvent), State]
    while waiting:
        kind = waiting.pop()
        if not isclass(kind):
            waiting.extend(get_args(kind))
        elif issubclass(kind, Struct) and name_of(kind) not in found:
            hints, config = get_type_hints(kind), kind.__struct_config__
            tagged = {} if config.tag is None else {str(config.tag_field): f"= {config.tag}"}
            found[name_of(kind)] = tagged | {
                field.encode_name: _words(hints[field.name]) for field in fields(kind)
            }
            waiting.extend(hints[field.name] for field in fields(kind))
        elif issubclass(kind, Enum):
            found[kind.__name__] = [str(one.value) for one in kind]
    return dict(sorted(found.items()))


def _words(hint: Any) -> str:
    text = hint.__name__ if isclass(hint) else str(hint)
    # modules may move; what is written does not change with them
    return re.sub(r"(?:\w+\.)+", "", text)


def table(version: int) -> Path:
    """Where the table of a version is kept."""
    return FOLDER / f"shapes-{version}.json"


def write(version: int) -> None:
    """Write this program's table."""
    table(version).write_text(json.dumps(shapes(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(int(sys.argv[1]))
