"""What was recorded of Kraken's replies, and how a reply of ours is held against it: key by key,
type by type.
"""

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.support.wire import RECORDED, Json

Kinds = dict[str, set[str]]
"""From the path of a key to the types that it was seen with."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_SAID = re.compile(r"[A-Z][a-z]{2}, [ \d]\d [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \+0000")
_ID = re.compile(r"[A-Z0-9]{6}-[A-Z0-9]{5}-[A-Z0-9]{6}")


def load(name: str) -> Any:
    """A recorded payload."""
    return json.loads((RECORDED / name).read_text())


def result(name: str) -> Any:
    return load(name)["result"]


def replies(method: str) -> list[Any]:
    """Results of ccxt's own recordings of a method; their numbers were turned into text."""
    return [
        case["httpResponse"]["result"]
        for case in load("ccxt/response.kraken.json")["cases"]
        if case["method"] == method
    ]


def frames(channel: str, kind: str = "") -> list[Json]:
    """Recorded messages of a channel of WebSocket v2."""
    told = [row["message"] for row in load("ccxt/ws.kraken.json")["messages"]]
    return [
        message
        for message in told
        if message.get("channel") == channel
        and message.get("type", "") == (kind or message.get("type", ""))
    ]


def answers(method: str, channel: str = "") -> list[Json]:
    """Recorded answers to a method of WebSocket v2."""
    told = [row["message"] for row in load("ccxt/ws.kraken.json")["messages"]]
    return [
        m
        for m in told
        if m.get("method") == method and (not channel or m["result"]["channel"] == channel)
    ]


def captured_pairs() -> list[Json]:
    """The rows of the AssetPairs reply of 17 April 2021."""
    with gzip.open(RECORDED / "captures" / "KRAKEN.0.jsonl.gz", "rt") as lines:
        return list(json.loads(json.loads(next(lines))["raw"])["result"].values())


def kind(value: object) -> str:
    """What a value is, as a client's parser cares: text that is a number is not text."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "bool", False: "bool"}[value]
    if isinstance(value, int | float):
        return "number"
    if not isinstance(value, str):
        return "list" if isinstance(value, list) else "object"
    for name, pattern in (("time", _TIME), ("said time", _SAID), ("id", _ID)):
        if pattern.fullmatch(value):
            return name
    try:
        Decimal(value)
    except InvalidOperation:
        return "text"
    return "decimal"


def walk(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every path with its type. What a list holds is told for all of its elements at once, a row of
    mixed ones by place.
    """
    yield path, kind(value)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from walk(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        mixed = len({kind(inner) for inner in value}) > 1
        for place, inner in enumerate(value):
            yield from walk(inner, f"{path}[{place if mixed else ''}]")


def kinds(rows: Iterable[object]) -> Kinds:
    told: Kinds = {}
    for row in rows:
        for path, found in walk(row):
            told.setdefault(path, set()).add(found)
    return told


def differences(recorded: Iterable[object], ours: Iterable[object]) -> dict[str, str]:
    """What a client could stumble over, by path."""
    theirs, mine = kinds(recorded), kinds(ours)
    assert theirs, "nothing was recorded of this"
    assert mine, "nothing of this was said"
    told = {
        path: f"only the exchange says it ({', '.join(sorted(theirs[path]))})"
        for path in theirs.keys() - mine.keys()
    }
    told |= dict.fromkeys(mine.keys() - theirs.keys(), "only we say it")
    for path in mine.keys() & theirs.keys():
        odd = mine[path] - theirs[path]
        if odd:
            told[path] = (
                f"{', '.join(sorted(odd))} where the exchange says"
                f" {', '.join(sorted(theirs[path]))}"
            )
    return told


def check(
    recorded: Iterable[object], ours: Iterable[object], excused: Mapping[str, str] | None = None
) -> None:
    """Nothing differs but what is excused, and everything that is excused does."""
    excused, found = excused or {}, differences(recorded, ours)
    unexplained = "\n".join(
        f"{path}: {text}" for path, text in sorted(found.items()) if path not in excused
    )
    assert not unexplained, unexplained
    assert excused.keys() - found.keys() == set(), "these need no excuse any more"


def missing(recorded: Iterable[object], ours: Iterable[object]) -> list[str]:
    """The keys that only the recordings have: for those whose types were lost."""
    return sorted(kinds(recorded).keys() - kinds(ours).keys())
