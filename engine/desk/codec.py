"""How events and snapshots are written, and how those of every earlier version are read.

A body is the JSON of one event (or of the state, in a snapshot) with the version of its shape in
front: `{"v":2,"type":...}`. Flatout 0.1.0 wrote no version: such a body is of version 1. Nothing is
read by luck. A body of this version must hold every field, and no other: it is encoded again and
compared. A body of an older version is brought here by the upcasters first, and then held to the
same. A body of a newer version, or of a kind that is not known, is refused.

To change what is kept (a field, an event, a value of an enumeration), in the same commit:

1. Change the struct. A new event needs nothing more than its place in `AnyEvent` and in `evolve`,
   and one of it among the samples of `tests/journal/test_versions.py`.
2. Where bodies of an older version lack the field, or name it otherwise, add an upcaster to
  `UPCASTERS` for that version, under the event's
   tag, the name of the class that it holds (`Order`), or `State`. Defaults are for the code that
   makes an event; they never fill a body.
3. If what the state now remembers can't be told from an older snapshot, set `OLDEST_SNAPSHOT` to
  `VERSION`: older snapshots are passed over,
   and the state is told by the events from the first one.
4. `VERSION` is the next release's. If a release has written it (`tests/golden/README.md`), raise it
  first.
5. Write the table of shapes: `python -m tests.golden.shapes VERSION`.
  `tests/journal/test_versions.py` fails until all of this is done.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Generic, TypeVar, get_args

import msgspec
from msgspec import Struct, inspect

from engine.desk.events import AnyEvent, Event
from engine.desk.state import State
from engine.model.intent import AnyIntent

VERSION = 2
"""Of the bodies that this program writes."""
OLDEST_SNAPSHOT = 2
"""Snapshots of an older version are passed over: replay starts at zero."""

Plain = dict[str, Any]
"""A struct as its JSON says it: names to text, numbers, lists and other such dicts."""
Upcaster = Callable[[Plain], None]
"""Changes a struct of one version in place into the same of the next version; what it holds is
brought up after it.
"""
Table = Mapping[tuple[str, int], Upcaster]
"""From what is read (an event's tag, or a class's name) and the version that it was written in."""

T = TypeVar("T")


def adds(**fields: Any) -> Upcaster:
    """An upcaster for fields that did not exist: what they would have said then."""

    def upcast(plain: Plain) -> None:
        for name, value in fields.items():
            plain.setdefault(name, value)

    return upcast


UPCASTERS: Table = {
    # nothing that was asked had a deadline, or said what was seen
    **{(kind.__name__, 1): adds(not_after=None, seen=None) for kind in get_args(AnyIntent)},
    # there were no defaults that it could decline
    ("OpenBracket", 1): adds(
        not_after=None,
        seen=None,
        without=[],
        partials=[],
        anchored=None,
        break_even=None,
        template="",
        ioc=False,
    ),
    ("BreakEven", 1): adds(not_after=None, seen=None, ticks=0),
    ("Trail", 1): adds(begins=None),
    ("trail-set", 1): adds(by="entry"),  # by hand it did not touch the plan
    ("MoveTarget", 1): adds(not_after=None, seen=None, partials=None),
    ("AmendOrder", 1): adds(not_after=None, seen=None, size=None),
    ("ClosePosition", 1): adds(not_after=None, seen=None, size=None),
    ("position-liquidated", 1): adds(by=""),  # the venue was the only one
    **{(name, 1): adds(counted=False) for name in ("Order", "order-cancelled", "order-expired")},
    ("cash-reported", 1): adds(told={}),
    ("Doubt", 1): adds(told_at=None),
    ("financed", 1): adds(shares={}),  # nobody knew whose it was
    ("position-planned", 1): adds(exit_rate=None),  # every figure took the first tier's
    ("sampled", 1): adds(unpriced=[]),  # nothing was sampled while something had no price
    ("State", 1): adds(
        unexplained={},
        left={},
        withheld={},
        strange={},
        excess={},
        stand_ins={},
        taken={},
        mark="",
        marked={},
        booked_marks={},
        money={},
        traded={},
        paid={},
        nets={},
        periods={},
        resumed_from=None,
        unpriced={},
        numbers={},
        numbered=0,
        price_alerts={},
    ),
    ("closing-began", 1): adds(price=None, limit=""),
    ("Plan", 1): adds(partials=[], even=None),
    ("Position", 1): adds(
        misses=0,
        unfilled=0,
        goals=[],
        taken="0",
        even=None,
        limits=[],
        closing_at=None,
        closing_for="",
    ),  # every attempt took a worse price: a close under way begins with the narrowest again
}
"""Under an event's tag, such as `("order-rejected", 1): adds(code="")`, or the class of what events
and the state hold, such as `Order`.
"""


class BodyError(ValueError):
    """A body that can't be read; the text says why."""


class NewerError(BodyError):
    """A newer Flatout wrote it."""


class Codec(Generic[T]):
    """Writes bodies of one version, and reads those of all versions up to it."""

    def __init__(self, kind: Any, version: int, upcasters: Table) -> None:
        self._version = version
        self._upcasters = upcasters
        self._head = b'{"v":%d,' % version
        self._encoder = msgspec.json.Encoder(decimal_format="string").encode
        self._decoder: Callable[[bytes], T] = msgspec.json.Decoder(kind).decode
        self._roots = {one.tag: one for one in _structs(inspect.type_info(kind))}
        touched = {name for name, _ in upcasters}
        self._changed = {tag for tag, one in self._roots.items() if touched & _reach(one, set())}
        """Tags of what was ever different, or holds what was."""

    def encode(self, value: T) -> bytes:
        """The body of a value, its version in front."""
        return self._head + self._encoder(value)[1:]

    def decode(self, body: bytes) -> T:
        """The value of a body. Raises BodyError."""
        try:
            if not body.startswith(self._head):
                return self._older(body)
            plain = b"{" + body[len(self._head) :]
            value = self._decoder(plain)
            written = self._encoder(value)
        except NewerError:
            raise
        except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
            raise self._unreadable(body, error) from error
        if written != plain:
            raise BodyError(_difference(msgspec.json.decode(plain), msgspec.json.decode(written)))
        return value

    def version_of(self, body: bytes) -> int:
        """The version that a body says; 1 where it says none. Raises BodyError for what is
        no body.
        """
        try:
            said = msgspec.json.decode(body).get("v", 1)
        except (
            msgspec.MsgspecError,
            ValueError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:
            raise BodyError("it is not an object in JSON") from error
        if not isinstance(said, int) or said < 1:
            raise BodyError(f"its version is {said!r}")
        return said

    def _older(self, body: bytes) -> T:
        version = self.version_of(body)
        if version > self._version:
            raise NewerError(f"version {version}; this one reads up to {self._version}")
        plain = msgspec.json.decode(body)
        plain.pop("v", None)
        tag = plain.get("type") if None not in self._roots else None
        if tag in self._changed:
            self._upcast(self._roots[tag], plain, version)
        value = self._decoder(msgspec.json.encode(plain))
        written = msgspec.json.decode(self._encoder(value))
        if written != plain:
            raise BodyError(f"of version {version}: {_difference(plain, written)}")
        return value

    def _upcast(self, kind: inspect.Type, plain: Any, version: int) -> None:
        """Bring a value and all that it holds up to this version, in place: each struct first, and
        then what is in it.
        """
        match kind:
            case inspect.StructType() if isinstance(plain, dict):
                for step in range(version, self._version):
                    if upcaster := self._upcasters.get((name_of(kind.cls), step)):
                        upcaster(plain)
                for field in kind.fields:
                    self._upcast(field.type, plain.get(field.encode_name), version)
            case inspect.UnionType(types=kinds):
                for one in kinds:
                    if not isinstance(one, inspect.StructType) or _is(one, plain):
                        self._upcast(one, plain, version)
            case inspect.DictType(value_type=inner) if isinstance(plain, dict):
                for item in plain.values():
                    self._upcast(inner, item, version)
            case inspect.ListType(item_type=inner) | inspect.VarTupleType(item_type=inner) if (
                isinstance(plain, list)
            ):
                for item in plain:
                    self._upcast(inner, item, version)
            case inspect.TupleType(item_types=inners) if isinstance(plain, list):
                for one, item in zip(inners, plain, strict=False):
                    self._upcast(one, item, version)
            case _:
                pass

    def _unreadable(self, body: bytes, error: Exception) -> BodyError:
        """Why a body can't be decoded: a kind that is not known is a newer program's."""
        if isinstance(error, BodyError):
            return error
        with suppress(msgspec.MsgspecError, ValueError, TypeError, AttributeError, RecursionError):
            said = msgspec.json.decode(body).get("type")
            if None not in self._roots and isinstance(said, str) and said not in self._roots:
                return NewerError(f"kind {said!r}, which this one does not know")
        return BodyError(str(error))


@cache
def name_of(kind: type[Struct]) -> str:
    """What the table of upcasters calls a struct: an event by its tag, anything else by its
    class.
    """
    return str(kind.__struct_config__.tag) if issubclass(kind, Event) else kind.__name__


def _structs(kind: inspect.Type) -> list[inspect.StructType]:
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    return [one for one in kinds if isinstance(one, inspect.StructType)]


def _is(kind: inspect.StructType, plain: object) -> bool:
    """Whether a struct of a union is the one that is meant."""
    return isinstance(plain, dict) and (
        kind.tag_field is None or plain.get(kind.tag_field) == kind.tag
    )


def _reach(kind: inspect.Type, found: set[str]) -> set[str]:
    """The names of all structs that a value may hold, itself among them."""
    match kind:
        case inspect.StructType() if name_of(kind.cls) not in found:
            found.add(name_of(kind.cls))
            inner = [field.type for field in kind.fields]
        case inspect.UnionType(types=kinds) | inspect.TupleType(item_types=kinds):
            inner = list(kinds)
        case (
            inspect.DictType(value_type=one)
            | inspect.ListType(item_type=one)
            | inspect.VarTupleType(item_type=one)
        ):
            inner = [one]
        case _:
            inner = []
    for one in inner:
        _reach(one, found)
    return found


def _difference(said: Any, known: Any, where: str = "") -> str:
    """The first thing in which a body is not what its version writes."""
    if isinstance(said, dict) and isinstance(known, dict):
        for name in [*said, *known]:
            place = f"{where}.{name}" if where else name
            if name not in said:
                return f"the field {place} is missing"
            if name not in known:
                return f"the field {place} is not known"
            if said[name] != known[name]:
                return _difference(said[name], known[name], place)
    if isinstance(said, list) and isinstance(known, list) and len(said) == len(known):
        for number, (one, other) in enumerate(zip(said, known, strict=True)):
            if one != other:
                return _difference(one, other, f"{where}[{number}]")
    return f"{where or 'it'} is written otherwise"


_events: Codec[AnyEvent] = Codec(AnyEvent, VERSION, UPCASTERS)
_states: Codec[State] = Codec(State, VERSION, UPCASTERS)

encode = _events.encode
decode = _events.decode
save = _states.encode


def restore(body: bytes) -> State:
    """The state that a snapshot holds. Raises BodyError, also for one that is too old to start
    from.
    """
    version = _states.version_of(body)
    if version < OLDEST_SNAPSHOT:
        raise BodyError(f"version {version}; this one starts from {OLDEST_SNAPSHOT} and later")
    return _states.decode(body)
