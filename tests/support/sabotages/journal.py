"""Sabotages of the journal's room: versions of what is kept (H110), and a journal that was set back
(H115).
"""

from typing import Any

import msgspec
from msgspec.structs import replace

from engine.account import witness
from engine.account.summary import Summary
from engine.desk import codec
from engine.desk.codec import BodyError, Codec
from engine.desk.state import State, decode_state
from engine.runtime.summaries import PAUSE, Summaries
from tests.support.sabotage import Patch, sabotage

VERSIONS = "tests/journal/test_versions.py"
WITNESS = "tests/account/test_witness.py"
SUMMARIES = "tests/runtime/test_summaries.py"


def _without_version(body: bytes) -> bytes:
    plain = msgspec.json.decode(body)
    plain.pop("v", None)
    return msgspec.json.encode(plain)


@sabotage(
    "H110",
    "fields that a body lacks are filled by defaults",
    test=f"{VERSIONS}::test_a_field_within_a_field_is_not_filled_by_a_default",
)
def fill_with_defaults(patch: Patch) -> None:
    def decode(self: Codec[Any], body: bytes) -> Any:
        return self._decoder(_without_version(body))

    patch.setattr(Codec, "decode", decode)
    patch.setattr(codec, "decode", codec._events.decode)


@sabotage(
    "H110",
    "fields that nobody knows are passed over",
    test=f"{VERSIONS}::test_a_field_within_a_field_is_not_filled_by_a_default",
)
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


@sabotage(
    "H110",
    "the table of upcasters is not asked",
    test=f"{VERSIONS}::test_each_version_is_brought_up_step_by_step",
)
def skip_the_upcasters(patch: Patch) -> None:
    patch.setattr(Codec, "_upcast", lambda self, kind, plain, version: None)


@sabotage(
    "H110",
    "a newer body is read as if it were ours",
    test=f"{VERSIONS}::test_a_body_of_a_newer_version_is_refused_by_kind_version_and_place",
)
def believe_newer_bodies(patch: Patch) -> None:
    strict = Codec.decode

    def decode(self: Codec[Any], body: bytes) -> Any:
        return strict(self, self._head + _without_version(body)[1:])

    patch.setattr(Codec, "decode", decode)
    patch.setattr(codec, "decode", codec._events.decode)


@sabotage(
    "H110",
    "a snapshot is believed whatever its version",
    test=f"{VERSIONS}::test_a_snapshot_older_than_can_be_started_from_is_passed_over",
)
def believe_old_snapshots(patch: Patch) -> None:
    def restore(body: bytes) -> State:
        return decode_state(_without_version(body))

    patch.setattr(codec, "restore", restore)


@sabotage(
    "H115",
    "a journal that ends before what was sent is believed",
    test=f"{WITNESS}::test_an_older_copy_that_was_put_back_is_told",
)
def believe_a_shorter_journal(patch: Patch) -> None:
    told = witness.set_back

    def set_back(summary: Summary | None, journal_seq: int, *rest: Any) -> str:
        return (
            ""
            if summary is not None and summary.seq > journal_seq
            else told(summary, journal_seq, *rest)
        )

    patch.setattr(witness, "set_back", set_back)


@sabotage(
    "H115",
    "the hash that the home knows is not compared",
    test=f"{WITNESS}::test_an_older_copy_that_was_written_on_is_told_by_its_hash",
)
def compare_no_hash(patch: Patch) -> None:
    told = witness.set_back

    def set_back(summary: Summary | None, *rest: Any) -> str:
        return told(None if summary is None else replace(summary, hash=""), *rest)

    patch.setattr(witness, "set_back", set_back)


@sabotage(
    "H115",
    "another journal in its place is taken for the same",
    test=f"{WITNESS}::test_another_journal_is_told_whatever_it_holds",
)
def take_any_journal(patch: Patch) -> None:
    told = witness.set_back

    def set_back(summary: Summary | None, *rest: Any) -> str:
        return told(None if summary is None else replace(summary, journal=""), *rest)

    patch.setattr(witness, "set_back", set_back)


@sabotage(
    "H115",
    "the home is told of what is not durable yet",
    test=f"{SUMMARIES}::test_an_order_that_still_waits_for_the_disk_is_not_told",
)
def tell_before_it_is_durable(patch: Patch) -> None:
    made = Summaries._summary

    def summary(self: Summaries) -> Summary:
        return replace(made(self), seq=self._journal.last_seq, hash="")

    patch.setattr(Summaries, "_summary", summary)


@sabotage(
    "H115",
    "what is committed within the pause is not told",
    test=f"{SUMMARIES}::test_they_come_ten_times_a_second_at_most_and_the_newest_always",
)
def forget_the_newest(patch: Patch) -> None:
    told = Summaries.durable

    def durable(self: Summaries, number: int) -> None:
        if self._clock.now() >= self._last + PAUSE:
            told(self, number)

    patch.setattr(Summaries, "durable", durable)
