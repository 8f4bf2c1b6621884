"""A journal of years: what every release wrote is read by all later ones, field by field, and
nothing is read by luck (H110).
"""

import gzip
import json
import shutil
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from msgspec import Struct

from engine.clock import SECOND
from engine.desk import codec
from engine.desk import events as e
from engine.desk.codec import Codec, NewerError, adds
from engine.desk.state import State, encode_state
from engine.journal import Batch, Journal, JournalDamagedError, JournalError, Record, StoredEvent
from engine.model.figures import Period, Sums
from engine.model.fill import Fill, Liquidity
from engine.model.intent import AnyIntent
from engine.model.mark import MarkedOrder
from engine.model.netting import Loan, Net
from engine.model.place import BreakEvenAt
from engine.model.position import Goal, LimitExit
from engine.model.price_alert import PriceAlert
from engine.model.side import Side
from engine.model.view import Answer
from engine.records import replay, state_of
from tests.golden.shapes import FOLDER, Shapes, name_of, shapes, table
from tests.journal.conftest import Place

RELEASES = ("0.1.0",)
STORIES = ("spot", "futures")
ACCOUNT = "scenario"
RELEASED = 1
"""The newest version of bodies that a release has written."""

ADD = "add an upcaster for it (engine/desk/codec.py says how)"

pytestmark = pytest.mark.hazard("H110")


def golden(release: str, story: str, folder: Path) -> Path:
    """A golden journal, unpacked."""
    path = folder / f"{story}.sqlite"
    with gzip.open(FOLDER / release / f"{story}.sqlite.gz") as packed, path.open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    return path


def said(release: str, story: str) -> dict[str, Any]:
    """The state that the release itself replayed it to."""
    with gzip.open(FOLDER / release / f"{story}.state.json.gz") as packed:
        told: dict[str, Any] = json.load(packed)
    return told


def brought_here(release: str, story: str) -> dict[str, Any]:
    """The same, with what later versions added within it."""
    return told(codec._states.decode(json.dumps(said(release, story)).encode()))


def differing(one: Any, other: Any) -> str:
    """The first thing in which two states differ: a whole state is too much to show."""
    return "" if one == other else codec._difference(one, other)


def told(state: State) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(encode_state(state))
    return plain


def reading(path: Path) -> Journal:
    # as an engine does: that brings its schema here
    Journal.open(path, ACCOUNT, "test", now=1, inline=True).close()
    return Journal.open(path, ACCOUNT, "test", now=1, read_only=True)


def attempt(read: Iterable[StoredEvent], state: State) -> str:
    """What replaying says: nothing, or why it can't."""
    try:
        replay(state, read)
    except JournalError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def stored(*bodies: bytes) -> list[StoredEvent]:
    return [
        StoredEvent(40 + number, 1, 1, msgspec.json.decode(body)["type"], body)
        for number, body in enumerate(bodies)
    ]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("story", STORIES)
def test_the_journal_of_an_old_release_replays_to_what_that_release_said(
    release: str, story: str, tmp_path: Path
) -> None:
    journal = reading(golden(release, story, tmp_path))
    assert journal.verify() == []
    state = State(ACCOUNT, said(release, story)["currency"])
    assert attempt(journal.events(), state) == ""
    wanted = brought_here(release, story)
    for field in said(release, story):
        difference = differing(told(state)[field], wanted[field])
        assert not difference, f"{field} of the state is not what {release} said: {difference}"
    journal.close()


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("story", STORIES)
def test_from_its_snapshot_an_old_journal_tells_the_same_as_from_zero(
    release: str, story: str, tmp_path: Path
) -> None:
    journal = reading(golden(release, story, tmp_path))
    complaints: list[str] = []
    from_snapshot = state_of(journal, ACCOUNT, "USD", complaints.append)
    from_zero = replay(State(ACCOUNT, "USD"), journal.events())
    assert differing(told(from_snapshot), told(from_zero)) == ""
    assert bool(complaints) is (codec.OLDEST_SNAPSHOT > RELEASED), complaints
    journal.close()


def test_an_old_journal_is_imported_and_gone_on_with_in_both_databases(
    place: Place, tmp_path: Path
) -> None:
    old = reading(golden("0.1.0", "spot", tmp_path))
    journal = place.open(ACCOUNT)
    batches: dict[int, list[Record]] = {}
    for one in old.events():
        batches.setdefault(one.batch, []).append(Record(one.at, one.kind, one.body))
    for records in batches.values():
        journal.append(Batch(tuple(records)))
    halted = e.HaltSet(at=SECOND, halted=True)
    journal.append(Batch((Record(halted.at, "halt-set", codec.encode(halted)),)))
    assert journal.flush()
    state = replay(State(ACCOUNT, "USD"), journal.load().events)
    wanted = brought_here("0.1.0", "spot") | {"halted": True, "seq": state.seq}
    assert [field for field in said("0.1.0", "spot") if told(state)[field] != wanted[field]] == []
    assert journal.verify() == []
    old.close()


def test_every_kind_of_event_of_0_1_0_is_read() -> None:
    bodies = (FOLDER / "0.1.0" / "untold.jsonl").read_bytes().splitlines()
    assert len(bodies) == 4
    for body in bodies:
        event, old = codec.decode(body), json.loads(body)
        told = json.loads(codec.encode(event))
        for name, value in old.items():
            assert told[name] == (told[name] | value if isinstance(value, dict) else value), (
                "what it said is kept, whatever came later"
            )


# What this program writes


def test_what_is_written_says_its_version() -> None:
    event = e.HaltSet(at=1, halted=True)
    assert json.loads(codec.encode(event)) == {
        "v": codec.VERSION,
        "type": "halt-set",
        "at": 1,
        "halted": True,
    }
    assert codec.decode(codec.encode(event)) == event
    state = State("main", "USD", seq=3, cash={"USD": Decimal("1.50")})
    assert json.loads(codec.save(state))["v"] == codec.VERSION
    assert codec.restore(codec.save(state)) == state


def test_the_shape_of_what_is_written_is_that_of_its_version() -> None:
    kept: Shapes = json.loads(table(codec.VERSION).read_text(encoding="utf-8"))
    found = shapes()
    changed = sorted(name for name in {*kept, *found} if kept.get(name) != found.get(name))
    raise_it = f"raise codec.VERSION to {codec.VERSION + 1}, " if codec.VERSION <= RELEASED else ""
    assert not changed, (
        f"the shape of {', '.join(changed)} is not that of version {codec.VERSION}: {raise_it}{ADD}"
        " where older bodies differ, and then write the table with `python -m tests.golden.shapes"
        f" {max(codec.VERSION, RELEASED + 1)}`"
    )


def test_a_release_has_its_journal_and_the_version_in_work_is_newer() -> None:
    for release in RELEASES:
        assert {path.name for path in (FOLDER / release).iterdir()} >= {
            f"{story}.sqlite.gz" for story in STORIES
        }
    assert codec.VERSION == RELEASED + 1, (
        "a release wrote this version: what it wrote can't change any more"
    )


@pytest.fixture(scope="module")
def fullest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """By kind, the longest body that a golden journal holds, as this version writes it."""
    bodies = (FOLDER / "0.1.0" / "untold.jsonl").read_bytes().splitlines()
    for story in STORIES:
        journal = reading(golden("0.1.0", story, tmp_path_factory.mktemp("golden")))
        bodies += [one.body for one in journal.events()]
        journal.close()
    found: dict[str, bytes] = {}
    for body in bodies:
        kind = str(json.loads(body)["type"])
        found[kind] = max(found.get(kind, b""), codec.encode(codec.decode(body)), key=len)
    return found


def _without_each(plain: Any) -> Iterator[tuple[str, Any]]:
    """The same, each time without one of its fields."""
    if isinstance(plain, dict):
        for name, inner in plain.items():
            if not name.isupper():  # those are no fields: currencies, and ids
                yield name, {key: value for key, value in plain.items() if key != name}
            for place, less in _without_each(inner):
                yield f"{name}.{place}", {**plain, name: less}
    elif isinstance(plain, list):
        for index, inner in enumerate(plain):
            for place, less in _without_each(inner):
                yield f"{index}.{place}", [*plain[:index], less, *plain[index + 1 :]]


def _decodes(body: bytes) -> bool:
    try:
        codec.decode(body)
    except codec.BodyError:
        return False
    return True


PERIOD = Period(
    1,
    Decimal(9),
    Decimal(10),
    Decimal(2),
    {"BTC/USD": Sums(Decimal(1), Decimal(2), Decimal(3), Decimal(4))},
    {"BTC/USD": (2, Decimal(1))},
    Decimal(4),
)
BOUGHT = Fill(
    "T1",
    "FOX",
    "BTC/USD",
    Side.BUY,
    Decimal(60_000),
    Decimal("0.1"),
    Decimal("3.1"),
    "USD",
    Liquidity.TAKER,
    1,
    "p",
)
SINCE_0_1_0: dict[type[Struct], e.AnyEvent] = {
    e.IntentWithdrawn: e.IntentWithdrawn(1, "i"),
    e.CloseEnded: e.CloseEnded(1, "p", missed=True, unfilled=2, retry_at=3),
    e.Unexplained: e.Unexplained(1, "FOX", "order sell 1 BTC/USD"),
    e.Explained: e.Explained(1, "FOX"),
    e.HoldingUnexplained: e.HoldingUnexplained(1, "BTC", Decimal("0.4"), ("T1",)),
    e.LeftAlone: e.LeftAlone(1, "FOX"),
    e.MarkFound: e.MarkFound(
        1, "x/1", (MarkedOrder("FOX", "BTC/USD", Side.SELL, Decimal(1), 2, Decimal(2), stop=True),)
    ),
    e.MarkBooked: e.MarkBooked(1),
    e.NetSeen: e.NetSeen(1, "p", Decimal("-30.5"), Decimal(12)),
    e.PeriodBegan: e.PeriodBegan(1, "day", PERIOD),
    e.FillDoubted: e.FillDoubted(1, BOUGHT),
    e.FillRepeated: e.FillRepeated(1, "FOX", "T1"),
    e.NetSettled: e.NetSettled(
        1,
        "BTC/USD",
        Net(
            Decimal(1),
            Decimal(60_000),
            Decimal("-2.5"),
            told=True,
            loans=(Loan(Decimal(1), Decimal(60_000)),),
        ),
    ),
    e.EndTold: e.EndTold(1, "o", 2),
    e.StoodIn: e.StoodIn(1, BOUGHT, lent=True),
    e.StandInUsed: e.StandInUsed(1, "x/p", Decimal("0.1")),
    e.FillSettled: e.FillSettled(1, BOUGHT, Decimal(3), BOUGHT, {"USD": Decimal("-3.1")}),
    e.GoalsSet: e.GoalsSet(1, "p", (Goal(Decimal(2), Decimal("0.5")),), by="entry"),
    e.GoalReached: e.GoalReached(1, "p", Decimal(1)),
    e.LimitsSet: e.LimitsSet(
        1, "p", (LimitExit("i", 15, Decimal(2), Decimal(1), ("FOX",), 1, 5),), by="missed"
    ),
    e.PriceAlertSet: e.PriceAlertSet(
        1, PriceAlert("a", "BTC/USD", Decimal(60_500), True, 1, 15, "take half")
    ),
    e.PriceAlertEnded: e.PriceAlertEnded(1, "a"),
    e.BreakEvenSet: e.BreakEvenSet(1, "p", BreakEvenAt(Decimal(2), 3), by="entry"),
}
"""One of each event that came later, as full as it can be: 0.1.0 could not record any."""


@pytest.mark.parametrize("kind", get_args(e.AnyEvent), ids=name_of)
def test_no_event_is_read_without_one_of_its_fields_or_with_another_one(
    kind: type[Struct], fullest: dict[str, bytes]
) -> None:
    body = (
        codec.encode(SINCE_0_1_0[kind]) if kind in SINCE_0_1_0 else fullest.get(name_of(kind), b"")
    )
    assert body, f"{kind.__name__} is new: put one of it into SINCE_0_1_0"
    assert _decodes(body)
    for place, less in _without_each(json.loads(body)):
        if place != "v":
            assert not _decodes(msgspec.json.encode(less)), (
                f"{name_of(kind)} was read without {place}"
            )
    assert not _decodes(body[:-1] + b',"shape":1}'), (
        f"{name_of(kind)} was read with a field that nobody knows"
    )


def test_a_field_within_a_field_is_not_filled_by_a_default() -> None:
    body = codec.encode(
        e.IntentTaken(1, msgspec.convert({"intent": "halt", "id": "h"}, AnyIntent), Answer("h"))
    )
    assert b'"repeated":false' in body
    less, more = (
        body.replace(b',"repeated":false', b""),
        body.replace(b'"repeated":false', b'"repeated":false,"twice":1'),
    )
    assert "answer.repeated is missing" in attempt(stored(less), State("a", "USD"))
    assert "answer.twice is not known" in attempt(stored(more), State("a", "USD"))


# What it can't read


def test_a_body_of_a_newer_version_is_refused_by_kind_version_and_place() -> None:
    newer = codec.encode(e.HaltSet(at=1, halted=True)).replace(
        b'"v":%d' % codec.VERSION, b'"v":%d' % (codec.VERSION + 1)
    )
    state = State("a", "USD")
    why = attempt(stored(codec.encode(e.HaltSet(at=1, halted=False)), newer), state)
    assert (
        why
        == "JournalVersionError: journal: event 41 (halt-set) was written by a newer Flatout, in"
        f" version {codec.VERSION + 1}; this one reads up to {codec.VERSION}; start that one"
    )
    assert not state.halted


def test_an_event_of_an_unknown_kind_is_a_newer_programs() -> None:
    why = attempt(
        stored(b'{"v":%d,"type":"moon-landed","at":1}' % codec.VERSION), State("a", "USD")
    )
    assert why.startswith(
        "JournalVersionError: journal: event 40 (moon-landed) was written by a newer Flatout"
    ), why


@pytest.mark.parametrize(
    "body",
    [
        b'{"v":2,"type":"halt-set","at":1',
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"v":0,"type":"halt-set","at":1,"halted":true}',
        b'{"v":2,"type":"halt-set"}',
    ],
    ids=["cut", "empty", "binary", "a list", "version 0", "a field is missing"],
)
def test_a_damaged_body_is_told_by_its_seq(body: bytes) -> None:
    with pytest.raises(
        JournalDamagedError,
        match=r"event 7 \(halt-set\) can't be read: .*; run `flatout journal verify`",
    ):
        replay(State("a", "USD"), [StoredEvent(7, 1, 1, "halt-set", body)])


# Snapshots


def _with_snapshot(place: Place, change: tuple[bytes, bytes]) -> Journal:
    journal = place.open("a")
    state = State("a", "USD")
    for halted in (True, False, True):
        event = e.HaltSet(at=1, halted=halted)
        journal.append(Batch((Record(1, "halt-set", codec.encode(event)),)))
        replay(state, [StoredEvent(state.seq + 1, 1, 1, "halt-set", codec.encode(event))])
    body = codec.save(state)
    assert change[0] in body
    journal.save_snapshot(3, 1, body.replace(*change))
    assert journal.flush()
    return journal


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            (b'"v":%d' % codec.VERSION, b'"v":%d' % (codec.VERSION + 1)),
            f"version {codec.VERSION + 1}",
        ),
        ((b'"halted":true,', b""), "the field halted is missing"),
        ((b'"seq":3', b'"seq":3,"mood":"good"'), "unknown field `mood`"),
    ],
    ids=["newer", "a field is missing", "an unknown field"],
)
def test_a_snapshot_that_cant_be_used_is_passed_over_and_told(
    place: Place, change: tuple[bytes, bytes], why: str
) -> None:
    complaints: list[str] = []
    state = state_of(_with_snapshot(place, change), "a", "USD", complaints.append)
    assert len(complaints) == 1
    assert complaints[0].startswith(
        "the snapshot of event 3 is passed over, and all events are read again"
    )
    assert why in complaints[0]
    assert (state.seq, state.halted) == (3, True)


def test_a_snapshot_older_than_can_be_started_from_is_passed_over(
    file: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec, "OLDEST_SNAPSHOT", codec.VERSION + 1)
    complaints: list[str] = []
    state = state_of(_with_snapshot(file, (b'"v"', b'"v"')), "a", "USD", complaints.append)
    assert [f"version {codec.VERSION}" in one for one in complaints] == [True]
    assert (state.seq, state.halted) == (3, True)


# Upcasters, with a release that never was: version 2 said "loud" for "volume", and knew no places


class Spot(Struct, frozen=True):
    room: str
    floor: int


class Rang(e.Event, frozen=True, tag="rang"):
    volume: int
    places: tuple[Spot, ...]
    nearest: Spot | None
    by_name: dict[str, Spot]


class Silent(e.Event, frozen=True, tag="silent"):
    pass


def louder(plain: dict[str, Any]) -> None:
    plain["volume"] = plain.pop("loud")


def doubled(plain: dict[str, Any]) -> None:
    plain["volume"] *= 2


AGES: codec.Table = {("rang", 1): louder, ("rang", 2): doubled, ("Spot", 2): adds(floor=0)}


def _read(body: bytes) -> object:
    try:
        return Codec[Any](Rang | Silent, 3, AGES).decode(body)
    except codec.BodyError as error:
        return str(error)


def test_each_version_is_brought_up_step_by_step() -> None:
    rooms = b'"places":[{"room":"a"},{"room":"b","floor":2}],"nearest":{"room":"c"},"by_name":{"d":{"room":"d"}}'
    upper = (Spot("a", 0), Spot("b", 2)), Spot("c", 0), {"d": Spot("d", 0)}
    assert _read(b'{"type":"rang","at":5,"loud":4,' + rooms + b"}") == Rang(5, 8, *upper)
    assert _read(b'{"v":2,"type":"rang","at":5,"volume":4,' + rooms + b"}") == Rang(5, 8, *upper)
    assert _read(b'{"v":1,"type":"silent","at":5}') == Silent(5)
    now = Codec[Any](Rang | Silent, 3, AGES)
    assert _read(now.encode(Rang(5, 8, *upper))) == Rang(5, 8, *upper)


def test_what_an_upcaster_leaves_out_is_not_filled_by_luck() -> None:
    body = (
        b'{"v":2,"type":"rang","at":5,"volume":4,"places":[],"nearest":null,"by_name":{},"mood":1}'
    )
    assert "unknown field `mood`" in str(_read(body))
    with pytest.raises(NewerError, match="version 4; this one reads up to 3"):
        Codec[Any](Rang | Silent, 3, AGES).decode(b'{"v":4,"type":"silent","at":5}')


def test_the_table_names_what_there_is() -> None:
    known = {*shapes(), *json.loads(table(RELEASED).read_text(encoding="utf-8"))}
    for name, version in codec.UPCASTERS:
        assert name in known, f"the table of upcasters names {name}, which no version ever wrote"
        assert 1 <= version < codec.VERSION, f"an upcaster of {name} begins at version {version}"
