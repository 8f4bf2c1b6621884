"""Never more than the venue's limits allow, the reserve left alone, and nobody behind takes what
somebody in front waits for.
"""

from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.clock import SECOND
from engine.gateway import GatewayRules
from engine.model import report as r
from engine.model.request import SPENDS_RESERVE, Lane, QueryAccount, Request
from engine.venues.protocol import NotSentError, OutcomeUnknownError, RateLimitedError
from tests.support.line import Office, amend, cancel, in_office, query, submit
from tests.support.world import BTC, START


def _any(random: Random, count: int, now: int) -> list[Request]:
    made: list[Request] = []
    for number in range(count):
        name = f"o{random.randrange(count)}"
        touched = now - random.randrange(400) * SECOND
        requests: list[Request] = [
            submit(f"n{number}"),
            submit(f"s{number}", Lane.PROTECT),
            amend(name, random.choice([Lane.PROTECT, Lane.FOLLOW]), touched),
            cancel(name, random.choice([Lane.CANCEL, Lane.EMERGENCY]), touched),
            query(name),
            QueryAccount(0),
        ]
        made.append(random.choice(requests))
    return made


@pytest.mark.hazard("H14")
@pytest.mark.hazard("H61")
@settings(max_examples=10)
@given(st.integers(0, 10_000), st.sampled_from(["kraken-spot", "kraken-futures", "binance-spot"]))
def test_at_saturation_the_venue_never_refuses(seed: int, profile: str) -> None:
    async def tale(office: Office) -> None:
        random = Random(seed)
        office.line.delay = 0
        for _ in range(4):
            office.gateway.enqueue(_any(random, 20, office.clock.now()))
            await office.wait(random.random() * 3)
        await office.idle(3600)
        assert office.line.refused == 0
        low = office.gateway.statistics.tokens_low_water
        assert low is not None
        assert low >= -1e-6

    in_office(tale, profile=profile)


@pytest.mark.hazard("H42")
@pytest.mark.parametrize("lane", [Lane.ENTRY, Lane.QUERY, Lane.FOLLOW])
def test_the_reserve_is_never_spent_by_what_can_wait(lane: Lane) -> None:
    async def tale(office: Office) -> None:
        makers: dict[Lane, Callable[[str], Request]] = {
            Lane.ENTRY: submit,
            Lane.QUERY: query,
            Lane.FOLLOW: lambda name: amend(name, Lane.FOLLOW),
        }
        make = makers[lane]
        capacity = {Lane.ENTRY: 60, Lane.FOLLOW: 60, Lane.QUERY: 15}[lane]
        office.gateway.enqueue([make(f"a{number}") for number in range(100)])
        await office.wait(0.02)
        assert len(office.line.carried) == (capacity - 10) // (2 if lane is Lane.QUERY else 1)
        office.gateway.enqueue([submit(f"x{number}", Lane.PROTECT) for number in range(10)])
        await office.wait(0.02)
        assert len([name for name in office.names if name.startswith("x")]) == 10

    in_office(tale, reserve=10.0)


@pytest.mark.parametrize(
    ("question", "waits"), [(query("q"), 2 / 0.33), (QueryAccount(0), 4 / 0.33)]
)
def test_a_question_that_was_refused_for_the_limits_waits_until_there_is_room_for_all_of_it(
    question: Request, waits: float
) -> None:
    """Asked again each second, its first part would take what drains, and its second part would
    never get through.
    """

    async def tale(office: Office) -> None:
        office.line.answers.append(RateLimitedError("EAPI:Rate limit exceeded"))
        office.gateway.enqueue([question])
        began = office.clock.now()
        await office.wait(0.1)
        office.gateway.enqueue([submit("a")])
        await office.wait(0.1)
        assert office.names[1:] == ["a"], "what orders are counted by has room"
        await office.idle()
        assert (office.clock.now() - began) / SECOND == pytest.approx(waits, abs=0.2)

    in_office(tale)


def test_an_exit_that_was_refused_for_the_limits_goes_as_soon_as_its_pause_is_over() -> None:
    async def tale(office: Office) -> None:
        office.line.answers.append(RateLimitedError("EAPI:Rate limit exceeded"))
        office.gateway.enqueue([submit("a", Lane.PROTECT)])
        await office.wait(0.02)
        assert office.gateway.model.counter(BTC).used < 2.0
        await office.idle()
        assert office.names == ["a", "a"]

    in_office(tale)


def test_what_waits_for_a_counter_is_not_overtaken_on_it() -> None:
    async def tale(office: Office) -> None:
        office.gateway.enqueue([submit(f"a{number}", Lane.PROTECT) for number in range(58)])
        await office.wait(0.02)
        now = office.clock.now()
        office.gateway.enqueue(
            [
                cancel("young", Lane.EMERGENCY, now),
                submit("entry"),
                submit("stop", Lane.PROTECT),
                query("elsewhere"),
            ]
        )
        await office.wait(1)
        assert "elsewhere" in office.names, "another counter has room"
        assert not {"entry", "stop"} & set(office.names)
        await office.idle()
        after = office.names[office.names.index("elsewhere") + 1 :]
        assert after == ["young", "stop", "entry"]

    in_office(tale)


def test_exits_may_exceed_what_is_on_the_line_at_once() -> None:
    async def tale(office: Office) -> None:
        office.line.delay = SECOND
        office.gateway.enqueue([submit(f"e{number}") for number in range(5)])
        office.gateway.enqueue([submit(f"x{number}", Lane.PROTECT) for number in range(5)])
        await office.wait(0.5)
        assert sorted(office.names) == ["e0", "e1", *(f"x{number}" for number in range(5))]
        await office.idle()
        assert len(office.names) == 10

    in_office(tale, rules=GatewayRules(in_flight=2))


@pytest.mark.hazard("H65")
def test_retries_double_their_pause_up_to_a_bound() -> None:
    async def tale(office: Office) -> None:
        office.line.delay = 0
        office.line.answers.extend([NotSentError("refused")] * 8)
        office.gateway.enqueue([submit("a", Lane.PROTECT)])
        await office.idle()
        pauses = [
            round((b - a) / SECOND, 2)
            for a, b in zip(office.line.times, office.line.times[1:], strict=False)
        ]
        assert pauses == [0.25, 0.5, 1, 2, 4, 4, 4, 4]
        assert office.gateway.statistics.retried == 8

    in_office(tale, rules=GatewayRules(jitter=0, backoff_max=4, backoff_exits=4, breaker=100))


def test_jitter_only_shortens_a_pause() -> None:
    async def tale(office: Office) -> None:
        office.line.delay = 0
        office.line.answers.extend([RateLimitedError("EAPI:Rate limit exceeded")] * 5)
        office.gateway.enqueue([submit("a", Lane.PROTECT)])
        await office.idle()
        pauses = [
            (b - a) / SECOND for a, b in zip(office.line.times, office.line.times[1:], strict=False)
        ]
        for pause, most in zip(pauses, (0.25, 0.5, 1, 2, 4), strict=True):
            assert most / 2 <= pause <= most + 0.01
        assert len(set(pauses)) == 5
        assert office.limited == ["EAPI:Rate limit exceeded"] * 5

    in_office(tale, rules=GatewayRules(jitter=0.5, backoff_exits=15))


@pytest.mark.hazard("H45")
def test_an_open_breaker_refuses_entries_and_lets_exits_pass_and_close_it() -> None:
    async def tale(office: Office) -> None:
        office.line.answers.extend([OutcomeUnknownError("no answer")] * 3)
        office.gateway.enqueue([cancel("a"), cancel("b")])
        await office.wait(0.1)
        assert office.gateway.breaker.state == "failing"
        office.gateway.enqueue([cancel("c")])
        await office.idle()
        assert office.gateway.breaker.state == "open"
        assert office.troubles == [("BREAKER", "3 failures in a row: no answer")]
        office.gateway.enqueue([submit("entry")])
        refused = office.reports[-1]
        assert isinstance(refused, r.Rejected)
        office.gateway.enqueue([submit("exit", Lane.EMERGENCY)])
        await office.idle()
        assert office.troubles[-1] == ("BREAKER", "")
        office.gateway.enqueue([submit("entry2")])
        await office.idle()
        assert office.names[-1] == "entry2"

    in_office(tale, rules=GatewayRules(breaker=3))


def test_a_line_whose_code_fails_keeps_nothing_waiting() -> None:
    async def tale(office: Office) -> None:
        office.line.answers.append(KeyError("result"))
        office.gateway.enqueue([submit("a", Lane.PROTECT)])
        office.gateway.enqueue([amend("a")])
        await office.idle()
        assert [type(error) for error in office.deaths] == [KeyError], "it is told"
        unknown = office.reports[0]
        assert isinstance(unknown, r.Unknown)
        assert unknown.request == "submit"
        assert office.names == ["a", "a"], "what waited behind it leaves all the same"

    in_office(tale)


@pytest.mark.hazard("H19")
def test_an_entry_too_late_to_leave_is_rejected_and_never_sent() -> None:
    async def tale(office: Office) -> None:
        office.gateway.enqueue([submit(f"a{number}", Lane.PROTECT) for number in range(60)])
        office.gateway.enqueue([submit("late", deadline=START + SECOND // 2)])
        await office.idle()
        assert "late" not in office.names
        (refused,) = [report for report in office.reports if isinstance(report, r.Rejected)]
        assert refused.text == "its deadline passed before it could leave"

    in_office(tale)


def test_a_report_may_lead_to_requests_that_are_queued_at_once() -> None:
    async def tale(office: Office) -> None:
        def answer(report: r.VenueReport) -> None:
            office.reports.append(report)
            if isinstance(report, r.Rejected):
                office.gateway.enqueue([submit(f"{report.client_order_id}'", Lane.PROTECT)])

        office.gateway._listener.report = answer
        office.gateway.enqueue([submit(f"late{number}", deadline=START - 1) for number in range(3)])
        await office.idle()
        assert office.names == ["late0'", "late1'", "late2'"]

    in_office(tale)


@pytest.mark.hazard("H60")
def test_counters_go_on_where_an_earlier_run_left_them() -> None:
    async def tale(office: Office) -> None:
        office.gateway.enqueue([submit(f"a{number}", Lane.PROTECT) for number in range(50)])
        await office.idle()
        before = office.gateway.levels()
        levels = office.gateway.levels_after([submit("about to leave")])
        later = Office()
        later.gateway.restore(levels)
        (level,) = [level for level in later.gateway.levels() if level.name == BTC]
        assert level.used == pytest.approx(before[0].used + 1, abs=0.1)

    in_office(tale)


def test_the_lanes_are_counted() -> None:
    async def tale(office: Office) -> None:
        office.gateway.enqueue([submit(f"a{number}", Lane.PROTECT) for number in range(62)])
        office.gateway.enqueue([QueryAccount(0), QueryAccount(0), submit("e")])
        waiting = office.gateway.lanes
        assert (waiting[Lane.PROTECT], waiting[Lane.ENTRY], waiting[Lane.EMERGENCY]) == (2, 1, 0)
        assert {Lane.PROTECT, Lane.CANCEL, Lane.EMERGENCY} == SPENDS_RESERVE

    in_office(tale)


@pytest.mark.hazard("H42")
@pytest.mark.parametrize(
    ("lane", "longest"), [(Lane.EMERGENCY, 2.0), (Lane.PROTECT, 2.0), (Lane.ENTRY, 15.0)]
)
def test_what_protects_is_tried_again_soon_however_often_it_failed(
    lane: Lane, longest: float
) -> None:
    async def tale(office: Office) -> None:
        office.line.answers.extend([RateLimitedError("EOrder:Rate limit exceeded")] * 9)
        office.gateway.enqueue([submit("a", lane)])
        await office.idle()
        pauses = [(later - sooner) / SECOND for sooner, later in pairwise(office.line.times)]
        assert longest * 0.6 < max(pauses) < longest + 1

    in_office(tale)


def test_what_was_asked_past_the_queue_counts_like_any_question() -> None:
    async def tale(office: Office) -> None:
        office.gateway.charge("rest", 14.0)
        (level,) = [level for level in office.gateway.levels() if level.name == "rest"]
        assert level.used == 14.0
        began = office.clock.now()
        office.gateway.enqueue([QueryAccount(0)])
        await office.idle()
        assert (office.clock.now() - began) / SECOND == pytest.approx(3 / 0.33, abs=0.2), (
            "4 of 15, and one is left"
        )

    in_office(tale)
