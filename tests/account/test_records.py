"""What an account's home keeps outside the journal: the summary of the last commit, and the last
exit's mark.
"""

import os
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.account import mark as marks
from engine.account import summary as summaries
from engine.account.mark import Mark, MarkedOrder
from engine.account.summary import HeldPosition, Summary
from engine.model.side import Side

SAID = Mark(
    intent="i",
    instance="x",
    pid=1,
    began_at=1,
    beat_at=2,
    orders=(MarkedOrder("FOABC", "BTC/USD", Side.SELL, Decimal("0.4"), 3),),
)
KNOWN = Summary(
    account="main",
    seq=12,
    hash="ab",
    positions=(HeldPosition(id="P1", symbol="BTC/USD", side=Side.BUY, size=Decimal("0.40")),),
    baseline={"BTC": Decimal("1.5")},
)


def test_a_summary_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert summaries.read(tmp_path) is None
    assert summaries.write(tmp_path, KNOWN)
    assert summaries.read(tmp_path) == KNOWN
    assert (tmp_path / summaries.FILE).stat().st_mode & 0o777 == 0o600


def test_a_summary_that_makes_no_sense_is_none(tmp_path: Path) -> None:
    (tmp_path / summaries.FILE).write_text("{", encoding="utf-8")
    assert summaries.read(tmp_path) is None


def test_a_summary_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    summaries.write(tmp_path, KNOWN)
    (tmp_path / f"{summaries.FILE}.new").mkdir()
    assert not summaries.write(tmp_path, replace(KNOWN, seq=13))
    assert summaries.read(tmp_path) == KNOWN


def test_a_mark_is_read_as_it_was_written_and_the_newest_counts(tmp_path: Path) -> None:
    marks.reserve(tmp_path)
    assert marks.read(tmp_path) is None
    for outcome in ("working", "working", "flat"):
        written = marks.write(tmp_path, replace(SAID, outcome=outcome))
        assert marks.read(tmp_path) == written
    marks.clear(tmp_path)
    assert marks.read(tmp_path) is None


@pytest.mark.parametrize("cut", [3, 40, 200])
def test_a_write_that_is_cut_short_leaves_the_mark_before(tmp_path: Path, cut: int) -> None:
    marks.reserve(tmp_path)
    first = marks.write(tmp_path, SAID)
    marks.write(tmp_path, replace(SAID, outcome="flat"))
    path = tmp_path / marks.FILE
    content = bytearray(path.read_bytes())
    content[cut : marks.SLOT] = os.urandom(marks.SLOT - cut)  # the second write went into slot 0
    path.write_bytes(content)
    assert marks.read(tmp_path) == first


def test_the_room_for_a_mark_is_there_before_it_is_needed(tmp_path: Path) -> None:
    marks.reserve(tmp_path)
    before = (tmp_path / marks.FILE).stat()
    marks.write(tmp_path, SAID)
    after = (tmp_path / marks.FILE).stat()
    assert (after.st_size, after.st_blocks) == (before.st_size, before.st_blocks)
    assert after.st_mode & 0o777 == 0o600


def test_reserving_again_keeps_what_is_there(tmp_path: Path) -> None:
    marks.reserve(tmp_path)
    written = marks.write(tmp_path, SAID)
    marks.reserve(tmp_path)
    assert marks.read(tmp_path) == written


def test_a_mark_beyond_its_room_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at most"):
        marks.write(tmp_path, replace(SAID, lines=("x" * marks.SLOT,)))
