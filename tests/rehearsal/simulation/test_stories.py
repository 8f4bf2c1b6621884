"""Random stories of the whole engine: 2,000 short ones from seeds, and those that Hypothesis makes
up and shrinks.
"""

from typing import get_args

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.exchange import Delay, Faults, Interval
from engine.rehearsal.simulation import story as s
from engine.rehearsal.simulation.draw import PROFILES, draw
from engine.rehearsal.simulation.shrink import shrink
from engine.rehearsal.simulation.soak import run
from engine.rehearsal.simulation.story import Story, decode, encode
from engine.rehearsal.simulation.summary import Summary

SHORT, RUNS, PARTS, ALWAYS = 4, 2_000, 40, 5
"""Steps of a short story, stories in all, parts of them, and the parts that are always played."""
MS = 1_000_000


def told(story: Story) -> str:
    """What failed, and the story to play again: `flatout soak --replay FILE`."""
    violations = run(story).violations
    return (
        "\n".join(f"{violation.invariant}: {violation.detail}" for violation in violations[:3])
        + f"\n{story}"
        if violations
        else ""
    )


@pytest.mark.parametrize(
    "part",
    [
        *range(ALWAYS),
        *(pytest.param(part, marks=pytest.mark.long) for part in range(ALWAYS, PARTS)),
    ],
)
def test_short_stories(part: int) -> None:
    count = RUNS // PARTS
    for seed in range(part * count, (part + 1) * count):
        story = draw(seed, SHORT)
        if run(story).violations:
            pytest.fail(
                "seed"
                f" {seed}\n{told(shrink(story, lambda candidate: bool(run(candidate).violations), tries=60))}"
            )


FLAT_BESIDE_A_STRANGER = """{"seed":100295,"profile":"binance-spot","policy":"close","faults":{"lose_reply":0.02,"lose_request":0.05,
"duplicate_report":0.32,"reorder_reports":0.43,"reject_stop":0.0,"delay":{"p50":150000000,"p99":4000000000},"disconnect":null,
"rest_lag":30000000000,"rate_limit_storm":null},"margin":false,"wanders":true,"coins":{},"insists":false,"steps":[
{"type":"Wait","ms":8000,"silent":false},
{"type":"Open","symbol":"ETH/USD","side":"buy","size":5000,"kind":"market","away":5,"stop":60,"target":200,"trail":null,"expires_ms":null,
"presses":1,"lent":false},
{"type":"Disk","does":"works","ms":5000},{"type":"Second","symbol":"ETH/USD","side":"buy","size":10,"ms":500},
{"type":"Flatten","presses":1},{"type":"Pause","ms":8000}]}"""
"""A second engine buys while a flatten's close is refused twice, and the views lag by 30 s."""


@pytest.mark.hazard("H76")
def test_a_flatten_whose_close_is_refused_leaves_nothing_that_another_engine_bought() -> None:
    assert told(decode(FLAT_BESIDE_A_STRANGER.encode())) == ""


CANCELLED_OUT = """{"seed":842006,"profile":"kraken-spot","policy":"guard","faults":{"lose_reply":0.0,"lose_request":0.0,
"duplicate_report":0.0,"reorder_reports":0.0,"reject_stop":0.0,"delay":null,"disconnect":null,"rest_lag":0,"rate_limit_storm":null},
"margin":true,"wanders":true,"coins":{"BTC":2000,"ETH":10000},"insists":false,"steps":[
{"type":"Second","symbol":"ETH/USD","side":"buy","size":500,"ms":5000},
{"type":"External","symbol":"ETH/USD","side":"sell","size":500,"kind":"market","away":50,"lent":false}]}"""
"""A second engine buys half an ether, and the owner sells as much: the balance is what it was."""


@pytest.mark.hazard("H76")
def test_what_the_owner_sells_hides_nothing_that_another_engine_bought() -> None:
    assert told(decode(CANCELLED_OUT.encode())) == ""


OWED_BY_THE_OWNER = """{"seed":17166,"profile":"kraken-spot","policy":"close","faults":{"lose_reply":0.0,"lose_request":0.0,
"duplicate_report":0.0,"reorder_reports":0.0,"reject_stop":0.0,"delay":null,"disconnect":null,"rest_lag":0,"rate_limit_storm":null},
"margin":true,"wanders":true,"coins":{},"insists":false,"steps":[
{"type":"External","symbol":"BTC/USD","side":"sell","size":5,"kind":"market","away":50,"lent":false},
{"type":"Second","symbol":"BTC/USD","side":"buy","size":500,"ms":500}]}"""
"""The owner sells short by hand before an engine of ours buys: the debt stays the owner's."""


@pytest.mark.hazard("H72")
@pytest.mark.parametrize("lag", [0, 60_000 * MS])
def test_what_the_owner_owed_before_is_no_debt_of_ours(lag: int) -> None:
    story = decode(OWED_BY_THE_OWNER.encode())
    assert told(replace(story, faults=Faults(rest_lag=lag))) == ""
    key = (s.Flatten(), s.Wait(150))
    assert told(replace(story, steps=(story.steps[0], *key), faults=Faults(rest_lag=lag))) == ""


TWO_LOANS = """{"seed":5039,"profile":"kraken-spot","policy":"guard","faults":{"lose_reply":0.0,"lose_request":0.0,
"duplicate_report":0.0,"reorder_reports":0.0,"reject_stop":0.0,"delay":null,"disconnect":null,"rest_lag":0,"rate_limit_storm":null},
"margin":true,"wanders":true,"coins":{},"insists":false,"steps":[
{"type":"Wait","ms":8000,"silent":false},
{"type":"Open","symbol":"BTC/USD","side":"buy","size":500,"kind":"market","away":5,"stop":null,"target":20,"trail":null,"expires_ms":200,"presses":2,"lent":true,"half":true,"by_r":true},
{"type":"Wait","ms":1000,"silent":false},
{"type":"Open","symbol":"BTC/USD","side":"buy","size":50,"kind":"market","away":5,"stop":20,"target":200,"trail":null,"expires_ms":null,"presses":1,"lent":true,"half":false,"by_r":true}]}"""
"""Two positions of one pair on margin, both open."""


def test_what_two_loans_cost_is_booked_while_neither_is_paid_back() -> None:
    assert told(decode(TWO_LOANS.encode())) == ""


@pytest.mark.hazard("H97")
@pytest.mark.parametrize("which", [0, 1])
def test_of_two_loans_one_is_paid_back_and_the_money_is_the_venues(which: int) -> None:
    both = decode(TWO_LOANS.encode())
    moved = (s.Wait(3_000), s.Move("BTC/USD", 150), s.Close(which), s.Wait(8_000))
    for steps in (moved, (*moved[:2], s.Close(which, 50), s.Wait(8_000), s.Close(1 - which, 33))):
        assert told(replace(both, steps=(*both.steps, *steps))) == ""


which = st.integers(0, 3)
symbol = st.sampled_from(get_args(s.Symbol))
side = st.sampled_from(get_args(s.SideName))
basis = st.sampled_from((3, 10, 50, 300))
kinds = st.sampled_from(("market", "limit", "stop"))
steps = st.one_of(
    st.builds(
        s.Open,
        symbol,
        side,
        st.sampled_from((1, 50, 500, 5_000)),
        st.sampled_from(("market", "limit", "stop")),
        basis,
        basis,
        st.none() | basis,
    ),
    st.builds(s.Wait, st.sampled_from((0, 5, 60, 400, 3_000))),
    st.builds(s.Move, symbol, st.integers(-400, 400)),
    st.builds(s.Close, which, st.sampled_from((100, 50))),
    st.builds(s.MoveStop, which, st.none() | basis),
    st.builds(s.Trail, which, st.none() | basis),
    st.builds(s.Flatten, st.sampled_from((1, 2))),
    st.builds(s.Disk, st.sampled_from(("works", "fails"))),
    st.builds(s.Crash, st.sampled_from(s.MOMENTS), st.integers(1, 3)),
    st.builds(s.External, symbol, side, st.sampled_from((5, 500))),
    st.just(s.Restart()),
    st.builds(s.Hang, st.sampled_from((50, 90_000))),
)
rate = st.sampled_from((0.0, 0.1, 0.4))
faults = st.builds(
    Faults,
    lose_reply=rate,
    lose_request=rate,
    duplicate_report=rate,
    reorder_reports=rate,
    reject_stop=rate,
    delay=st.none() | st.just(Delay(20 * MS, 900 * MS)),
    disconnect=st.none() | st.just(Interval(5_000 * MS, 2_000 * MS)),
    rest_lag=st.sampled_from((0, 30_000 * MS)),
    rate_limit_storm=st.none() | st.just(Interval(4_000 * MS, 2_500 * MS)),
)
stories = st.builds(
    Story,
    st.integers(0, 50),
    st.lists(steps, max_size=14).map(tuple),
    st.sampled_from(PROFILES),
    faults=faults,
)


@settings(max_examples=120)
@given(stories)
def test_any_story(story: Story) -> None:
    failed = told(story)
    note(failed)
    assert not failed


def test_a_story_is_the_same_every_time() -> None:
    for seed in (3, 11):
        one, other = run(draw(seed, 12)), run(draw(seed, 12))
        assert one == other
        assert one.intents


def test_a_story_is_kept_and_read_again() -> None:
    story = draw(5, 30)
    assert decode(encode(story)) == story


def test_a_failing_story_is_shrunk_to_what_makes_it_fail() -> None:
    story = draw(8, 30)
    needed = s.Flatten(3)
    whole = Story(
        story.seed, (*story.steps, needed, *story.steps), story.profile, faults=story.faults
    )
    small = shrink(whole, lambda candidate: needed in candidate.steps)
    assert small.steps == (needed,)
    assert small.faults == Faults()
    with pytest.raises(ValueError, match="does not fail"):
        shrink(whole, lambda candidate: False)


def test_a_violation_is_counted_and_kept() -> None:
    summary, other = Summary(), Summary()
    outcome = run(draw(1, 4))
    summary.add(1, outcome)
    other.merge(summary)
    assert (other.stories, other.intents, other.failed) == (1, outcome.intents, 0)
    assert other.flat_at(0.5) is not None
