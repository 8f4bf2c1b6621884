"""What an engine does while nobody looks: it stays, ends once flat, or ends; and it sells nothing."""

from msgspec.structs import replace

from tests.console.sample import SampleSession
from tui.cli.alone import NOTICED, Alone

BUSY = SampleSession().view()
FLAT = replace(BUSY, positions=(), orders=(), flatten=None)


def test_an_engine_that_stays_never_ends() -> None:
    alone = Alone("stay", 600, 0)
    assert not any(alone.look(at, 0, FLAT) for at in (0, 600, 1e6))


def test_until_flat_counts_from_when_nothing_is_open_and_nobody_looks() -> None:
    alone = Alone("until-flat", 600, 0)
    assert not alone.look(599, 1, FLAT)
    assert not alone.look(1_500, 0, BUSY), "something is open"
    assert not alone.look(2_099, 0, FLAT)
    assert "engine.alone" in alone.look(2_100, 0, FLAT)


def test_a_dust_position_keeps_no_engine() -> None:
    dust = replace(BUSY, orders=(), positions=(replace(BUSY.positions[0], dust=True),))
    alone = Alone("until-flat", 10, 0)
    assert alone.look(10, 0, dust)


def test_close_ends_with_something_open_and_says_that_venue_stops_stay() -> None:
    alone = Alone("close", 30, 0)
    assert not alone.look(60, 0, BUSY), "its first console has not come yet"
    assert not alone.look(100, 1, BUSY)
    assert not alone.look(129, 0, BUSY)
    assert "venue stops stay" in alone.look(130, 0, BUSY)


def test_somebody_is_told_once_that_nobody_watches() -> None:
    alone = Alone("stay", 600, 0)
    alone.look(500, 0, BUSY)
    assert alone.to_tell() == "", "no console ever came: that is how it was meant"
    alone.look(600, 2, BUSY)
    alone.look(600 + NOTICED - 1, 0, BUSY)
    assert alone.to_tell() == ""
    alone.look(600 + NOTICED, 0, BUSY)
    assert alone.to_tell().startswith("nobody watches")
    alone.look(600 + 5 * NOTICED, 0, BUSY)
    assert alone.to_tell() == "", "once"
    alone.look(2_000, 1, BUSY)
    alone.look(2_000 + NOTICED, 0, BUSY)
    assert alone.to_tell(), "and again after somebody was there"
    quiet = Alone("stay", 600, 0)
    quiet.look(0, 1, FLAT)
    quiet.look(500, 0, FLAT)
    assert quiet.to_tell() == "", "nothing is open"
