"""Sabotages of the journal's room: versions of what is kept (H110), and a journal that was set back (H115)."""

from typing import Any

import msgspec

from engine.desk import codec
from engine.desk.codec import BodyError, Codec
from engine.desk.state import State, decode_state
from tests.support.sabotage import Patch, sabotage

VERSIONS = "tests/journal/test_versions.py"


def _without_version(body: bytes) -> bytes:
    plain = msgspec.json.decode(body)
    plain.pop("v", None)
    return msgspec.json.encode(plain)


@sabotage("H110", "fields that a body lacks are filled by defaults", test=f"{VERSIONS}::test_a_field_within_a_field_is_not_filled_by_a_default")
def fill_with_defaults(patch: Patch) -> None:
    def decode(self: Codec[Any], body: bytes) -> Any:
        return self._decoder(_without_version(body))

    patch.setattr(Codec, "decode", decode)
    patch.setattr(codec, "decode", codec._events.decode)


@sabotage("H110", "fields that nobody knows are passed over", test=f"{VERSIONS}::test_a_field_within_a_field_is_not_filled_by_a_default")
def pass_over_unknown_fields(patch: Patch) -> None:
    strict = Codec.decode

    def decode(self: Codec[Any], body: bytes) -> Any:
        try:
            return strict(self, body)
        except BodyError as error:
            if "not known" not in str(error):
                raise
            return self._decoder(_without_version(body))

    patch.setattr(Codec, "decode", decode)
    patch.setattr(codec, "decode", codec._events.decode)


@sabotage("H110", "the table of upcasters is not asked", test=f"{VERSIONS}::test_each_version_is_brought_up_step_by_step")
def skip_the_upcasters(patch: Patch) -> None:
    patch.setattr(Codec, "_upcast", lambda self, kind, plain, version: None)


@sabotage("H110", "a newer body is read as if it were ours", test=f"{VERSIONS}::test_a_body_of_a_newer_version_is_refused_by_kind_version_and_place")
def believe_newer_bodies(patch: Patch) -> None:
    strict = Codec.decode

    def decode(self: Codec[Any], body: bytes) -> Any:
        return strict(self, self._head + _without_version(body)[1:])

    patch.setattr(Codec, "decode", decode)
    patch.setattr(codec, "decode", codec._events.decode)


@sabotage("H110", "a snapshot is believed whatever its version", test=f"{VERSIONS}::test_a_snapshot_older_than_can_be_started_from_is_passed_over")
def believe_old_snapshots(patch: Patch) -> None:
    def restore(body: bytes) -> State:
        return decode_state(_without_version(body))

    patch.setattr(codec, "restore", restore)
