"""What the gateway counts, when exactly it sends, and what it says when an answer is missing."""

import msgspec
import pytest

from engine.clock import SECOND
from engine.gate import Admitted, Held, Reason
from engine.gateway import GatewayRules, Statistics
from engine.model import report as r
from engine.model.books import Books
from engine.model.request import Lane, QueryAccount, Request
from engine.venues.protocol import NotSentError, OutcomeUnknownError, RateLimitedError
from tests.support.line import Office, amend, cancel, in_office, query, submit
from tests.support.world import BTC, START, D

STEADY = GatewayRules(jitter=0, breaker=100, delay=0, backoff_exits=1_000_000)


def pauses(office: Office) -> list[float]:
    """Seconds between one sending and the next."""
    return [
        (after - before) / SECOND
        for before, after in zip(office.line.times, office.line.times[1:], strict=False)
    ]


# Counting


def test_what_left_is_counted_by_its_kind() -> None:
    async def tale(office: Office) -> None:
        assert office.gateway.statistics == Statistics(0, 0, 0, 0, 0, 0, 0, None)
        requests: list[Request] = [
            submit("a"),
            amend("b"),
            amend("c"),
            cancel("d"),
            cancel("e"),
            cancel("f"),
            query("g"),
            QueryAccount(0),
        ]
        office.gateway.enqueue(requests)
        assert not office.gateway.idle
        await office.idle()
        told = office.gateway.statistics
        assert (told.submit, told.amend, told.cancel, told.query) == (1, 2, 3, 2)
        assert (told.retried, told.unknown, told.rate_limited_by_venue) == (0, 0, 0)

    in_office(tale)


def test_the_low_water_is_what_was_free_on_the_emptiest_counter() -> None:
    async def tale(office: Office) -> None:
        office.line.delay = 0
        office.gateway.enqueue([query("q")])
        assert office.gateway.statistics.tokens_low_water == 13.0
        office.gateway.enqueue([submit(f"a{number}") for number in range(50)])
        assert office.gateway.statistics.tokens_low_water == pytest.approx(10.0)
        await office.wait(30)
        office.gateway.enqueue([submit("b")])
        assert office.gateway.statistics.tokens_low_water == pytest.approx(10.0), (
            "more is free now: the least is kept"
        )

    in_office(tale, rules=STEADY)


# Time


@pytest.mark.hazard("H65")
def test_a_pause_that_ended_ends_at_once() -> None:
    async def tale(office: Office) -> None:
        office.line.delay = 0
        office.line.answers.extend([NotSentError("refused")] * 4)
        office.gateway.enqueue([submit("a", Lane.PROTECT)])
        await office.idle()
        assert pauses(office) == pytest.approx([0.25, 0.5, 1.0, 2.0], abs=0.0005)

    in_office(tale, rules=STEADY)


@pytest.mark.hazard("H65")
def test_a_pause_doubles_sixteen_times_and_no_more() -> None:
    async def tale(office: Office) -> None:
        office.line.delay = 0
        office.line.answers.extend([NotSentError("refused")] * 19)
        office.gateway.enqueue([submit("a", Lane.PROTECT)])
        await office.wait(100_000)
        assert pauses(office)[14:] == pytest.approx(
            [0.25 * 2**doubled for doubled in (14, 15, 16, 16, 16)], abs=0.01
        )

    in_office(tale, rules=msgspec.structs.replace(STEADY, backoff_max=1e9))


def test_the_next_one_leaves_when_its_token_is_there_and_not_before() -> None:
    async def tale(office: Office) -> None:
        office.line.delay = 0
        office.gateway.enqueue([submit(f"a{number}", Lane.PROTECT) for number in range(63)])
        await office.idle()
        assert office.line.times[59] == START
        assert pauses(office)[59:] == pytest.approx([1.0, 1.0, 1.0], abs=0.002)

    in_office(tale, rules=STEADY)


def test_it_comes_back_for_the_first_of_those_that_wait() -> None:
    async def tale(office: Office) -> None:
        office.line.delay = 0
        office.line.answers.extend([NotSentError("refused")] * 6)
        office.gateway.enqueue([submit("slow", Lane.EMERGENCY)])
        await office.wait(4)  # it has failed five times, and waits for four seconds more
        waits_until = office.line.times[-1] + 4 * SECOND
        office.line.answers.clear()
        office.line.answers.append(NotSentError("refused"))
        office.gateway.enqueue([submit("quick", Lane.PROTECT)])
        began = office.clock.now()
        await office.idle()
        assert office.names[-3:] == ["quick", "quick", "slow"]
        assert office.line.times[-2] == pytest.approx(began + SECOND // 4, abs=1_000_000)
        assert office.line.times[-1] == pytest.approx(waits_until, abs=1_000_000)

    in_office(tale, rules=STEADY)


@pytest.mark.hazard("H19")
def test_a_deadline_is_over_when_it_has_passed() -> None:
    async def tale(office: Office) -> None:
        office.gateway.enqueue([submit("now", deadline=START), submit("over", deadline=START - 1)])
        await office.idle()
        assert office.names == ["now"]
        assert [report for report in office.reports if isinstance(report, r.Rejected)] == [
            r.Rejected("over", "its deadline passed before it could leave", START)
        ]

    in_office(tale)


@pytest.mark.hazard("H74")
def test_an_exit_that_is_decided_anew_has_waited_as_long_as_the_one_before() -> None:
    """No picture comes. Deadlines are shorter than the gate's patience: each exit gives way to the
    next, and the patience must end all the same.
    """

    async def tale(office: Office) -> None:
        gate = office.gateway._gate
        gate.evidence.picture = None
        gate._books = lambda _: Books(D(1), D(0), D(0))
        for number in range(3):
            office.gateway.enqueue(
                [submit(f"stop{number}", Lane.PROTECT, deadline=office.clock.now() + 4 * SECOND)]
            )
            await office.wait(4.5)
        assert office.names == ["stop1"], "an exit was held back for ever, or left twice"
        assert any(
            isinstance(report, r.HeldBack) and report.reason == "books" for report in office.reports
        )

    in_office(tale)


@pytest.mark.hazard("H74")
def test_who_is_asked_for_a_picture_may_come_back_at_once() -> None:
    """The question is queued while the request that needs it is judged: the queue is walked again,
    and that request may be gone.
    """

    async def tale(office: Office) -> None:
        gate = office.gateway._gate
        gate.admit = lambda request, *_: Held(Reason.REPAIR, "refused", None, picture=True)  # type: ignore[method-assign]
        office.on_picture = office.gateway.pump
        office.gateway.enqueue([submit("stop", Lane.PROTECT)])
        assert office.gateway.idle
        assert [report.final for report in office.reports if isinstance(report, r.HeldBack)] == [
            True
        ]

    in_office(tale)


@pytest.mark.hazard("H74")
def test_who_is_told_of_what_leaves_may_come_back_at_once() -> None:
    """That an exit goes on our books is told; whoever hears it walks the queue again, and the exit
    leaves once.
    """

    async def tale(office: Office) -> None:
        def report(told: r.VenueReport) -> None:
            office.reports.append(told)
            office.gateway.pump()

        office.gateway._gate.admit = lambda request, *_: Admitted(on_our_books=True)  # type: ignore[method-assign]
        office.gateway._listener = msgspec.structs.replace(office.gateway._listener, report=report)
        office.gateway.enqueue([submit("stop", Lane.PROTECT)])
        await office.idle()
        assert office.names == ["stop"]

    in_office(tale)


@pytest.mark.hazard("H74")
@pytest.mark.parametrize("failure", [NotSentError("no line"), RateLimitedError("too many")])
def test_what_did_not_arrive_takes_nothing(failure: Exception) -> None:
    """It comes back, and its deadline passes before it leaves again: nothing may still
    leave by it.
    """

    async def tale(office: Office) -> None:
        office.line.answers.append(failure)
        office.gateway.enqueue(
            [submit("stop", Lane.PROTECT, deadline=office.clock.now() + SECOND // 100)]
        )
        await office.wait(60)
        assert office.names == ["stop"]
        assert not office.gateway._gate.evidence.exits()

    in_office(tale)


def test_a_closed_gateway_sends_nothing_more() -> None:
    async def tale(office: Office) -> None:
        office.gateway.enqueue([submit(f"a{number}", Lane.PROTECT) for number in range(61)])
        await office.wait(0.1)
        assert len(office.names) == 60
        office.gateway.close()
        office.gateway.close()
        await office.wait(60)
        assert len(office.names) == 60

    in_office(tale, rules=STEADY)


def test_a_request_that_waits_for_its_order_keeps_nobody_else_back() -> None:
    async def tale(office: Office) -> None:
        office.line.delay = SECOND
        office.gateway.enqueue(
            [submit("a", Lane.PROTECT), amend("a"), submit("b", Lane.PROTECT), submit("c")]
        )
        assert not office.gateway.idle
        await office.wait(0.5)
        assert office.names == ["a", "b", "c"]
        await office.idle()
        assert office.names == ["a", "b", "c", "a"]
        assert office.line.most == 3

    in_office(tale)


def test_exactly_so_many_follow_entry_and_query_are_on_the_line_at_once() -> None:
    async def tale(office: Office) -> None:
        office.line.delay = SECOND
        office.gateway.enqueue([amend("f", Lane.FOLLOW), submit("e"), query("q")])
        await office.wait(0.5)
        assert office.names == ["f", "e"]
        await office.wait(1)
        assert office.names == ["f", "e", "q"]
        office.gateway.enqueue(
            [amend("f2", Lane.FOLLOW), amend("f3", Lane.FOLLOW), cancel("c"), cancel("d")]
        )
        await office.wait(0.1)
        assert office.names[3:] == ["c", "d"], "what protects may exceed it; what improves may not"
        await office.idle()
        assert office.names[5:] == ["f2", "f3"]

    in_office(tale, rules=GatewayRules(in_flight=2))


def test_the_reserve_is_asked_for_in_full_only_where_its_bound_does_not_fit() -> None:
    async def tale(office: Office) -> None:
        asked: list[int] = []

        def exact() -> dict[str, float]:
            asked.append(1)
            return {}

        office.gateway._reserve = exact
        office.gateway._at_most = lambda: 50.0
        office.gateway.enqueue([submit(f"a{number}") for number in range(10)])
        assert (len(office.names), asked) == (0, [])
        office.gateway.enqueue([submit("b")])
        assert asked == [1], "the bound did not fit, the exact reserve did"
        await office.idle()
        assert len(office.names) == 11

    in_office(tale, rules=STEADY)


# Outcomes


@pytest.mark.hazard("H06")
def test_whoever_asked_is_told_what_became_unknown_and_why() -> None:
    async def tale(office: Office) -> None:
        office.line.answers.extend(
            [
                OutcomeUnknownError("lost"),
                OutcomeUnknownError(""),
                OutcomeUnknownError("lost"),
                OutcomeUnknownError("lost"),
            ]
        )
        office.gateway.enqueue([submit("a", Lane.PROTECT), amend("b"), cancel("c"), query("d")])
        await office.idle()
        told = {
            (type(report).__name__, getattr(report, "request", ""), getattr(report, "text", ""))
            for report in office.reports
        }
        assert told == {
            ("Unknown", "submit", "lost"),
            ("Unknown", "amend", "no answer in time"),
            ("Unknown", "cancel", "lost"),
            ("Unanswered", "", "lost"),
        }
        assert sorted(office.names) == ["a", "b", "c", "d"], "none is repeated"
        assert office.gateway.statistics.unknown == 3
        assert office.gateway.statistics.retried == 0

    in_office(tale, rules=STEADY)


@pytest.mark.hazard("H06")
def test_an_answer_may_take_as_long_as_the_rules_say_and_no_longer() -> None:
    for took, names in ((1.9, ["Accepted"]), (2.1, ["Unknown"])):

        async def tale(office: Office, took: float = took, names: list[str] = names) -> None:
            office.line.delay = int(took * SECOND)
            office.gateway.enqueue([submit("a", Lane.PROTECT)])
            await office.idle()
            assert [type(report).__name__ for report in office.reports] == names
            assert office.clock.now() - START == pytest.approx(
                int(min(took, 2.0) * SECOND), abs=20_000_000
            )

        in_office(tale, rules=msgspec.structs.replace(STEADY, timeout=2.0))


@pytest.mark.hazard("H30")
@pytest.mark.parametrize(
    ("request_", "seconds"),
    [
        (submit("a", Lane.PROTECT), 2.0),
        (submit("a", Lane.EMERGENCY), 2.0),
        (cancel("a", lane=Lane.CANCEL), 2.0),
        (submit("a", Lane.ENTRY), 6.0),
        (QueryAccount(0, Lane.PROTECT), 6.0),
    ],
)
def test_an_exit_is_asked_about_sooner_than_anything_else(
    request_: Request, seconds: float
) -> None:
    """Until then nobody knows whether a position is protected. A picture is read page by page,
    however urgent it is.
    """

    async def tale(office: Office) -> None:
        office.line.delay = 60 * SECOND
        office.gateway.enqueue([request_])
        await office.wait(seconds - 0.1)
        assert office.gateway._in_flight
        await office.wait(0.2)
        assert not office.gateway._in_flight

    in_office(
        tale,
        rules=msgspec.structs.replace(
            STEADY, timeout=6.0, timeout_exits=2.0, backoff=100, backoff_max=100
        ),
    )


def test_failures_that_provably_never_left_open_the_breaker_too() -> None:
    async def tale(office: Office) -> None:
        office.line.answers.extend([NotSentError("no route")] * 3)
        office.gateway.enqueue([submit("a", Lane.PROTECT)])
        await office.idle()
        assert office.troubles == [("BREAKER", "2 failures in a row: no route"), ("BREAKER", "")]

    in_office(tale, rules=GatewayRules(breaker=2))


@pytest.mark.hazard("H45")
def test_an_open_breaker_refuses_the_entries_that_wait_and_only_them() -> None:
    async def tale(office: Office) -> None:
        office.line.answers.append(OutcomeUnknownError("down"))
        office.line.delay = SECOND
        office.gateway.enqueue(
            [
                submit("x", Lane.PROTECT),
                amend("e"),
                submit("e"),
                submit("stop", Lane.CANCEL),
                query("q"),
            ]
        )
        await office.idle()
        refused = [report for report in office.reports if isinstance(report, r.Rejected)]
        assert [(report.client_order_id, report.text) for report in refused] == [
            ("e", "the venue link is paused after errors: 1 failure in a row: down")
        ]
        assert sorted(office.names) == ["e", "q", "stop", "x"]

    in_office(tale, rules=GatewayRules(breaker=1, in_flight=1))


def test_a_cancel_takes_back_what_waits_and_nothing_else() -> None:
    async def tale(office: Office) -> None:
        office.line.delay = SECOND
        office.gateway.enqueue([submit("a", Lane.PROTECT), submit("b", Lane.PROTECT)])
        office.gateway.enqueue([amend("a"), amend("b"), cancel("a"), query("a"), query("a")])
        assert office.reports == [
            r.AmendRejected("a", "superseded by a cancel", START, withdrawn=True)
        ]
        await office.idle()
        assert sorted(office.names) == [
            "a",
            "a",
            "a",
            "b",
            "b",
        ], "what was asked twice is asked once"
        office.gateway._rules = msgspec.structs.replace(STEADY, in_flight=1)
        office.gateway.enqueue([submit("first"), submit("c"), cancel("c")])
        assert office.reports[-1] == r.Cancelled(
            "c", None, "cancelled before it left", office.clock.now()
        )
        await office.idle()
        assert office.names[5:] == ["first"]

    in_office(tale, rules=STEADY)


# Rules


def test_how_patient_it_is_when_nothing_is_said() -> None:
    told = GatewayRules(
        timeout=10.0,
        timeout_exits=5.0,
        backoff=0.25,
        backoff_max=15.0,
        backoff_exits=2.0,
        jitter=0.3,
        breaker=5,
        delay=0.5,
        in_flight=64,
    )
    assert GatewayRules() == told


@pytest.mark.parametrize(
    "bad",
    [
        {"timeout": 0},
        {"backoff": 0},
        {"backoff_max": -1},
        {"jitter": 1.1},
        {"jitter": -0.1},
        {"breaker": 0},
        {"delay": -0.1},
        {"in_flight": 0},
        {"x": 1},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(bad, GatewayRules)


@pytest.mark.parametrize(
    "good",
    [
        {"jitter": 0},
        {"jitter": 1},
        {"breaker": 1},
        {"delay": 0},
        {"in_flight": 1},
        {"timeout": 0.001},
    ],
)
def test_a_rule_at_its_bound_is_taken(good: dict[str, float]) -> None:
    assert msgspec.to_builtins(msgspec.convert(good, GatewayRules)).items() >= good.items()


def test_the_rules_stay_as_they_are() -> None:
    assert GatewayRules.__struct_config__.frozen
    with pytest.raises(TypeError):
        GatewayRules(5.0)  # type: ignore[call-arg]


# What a restart takes over


@pytest.mark.hazard("H60")
def test_what_waits_and_what_is_about_to_leave_is_told_as_spent() -> None:
    async def tale(office: Office) -> None:
        assert office.gateway.levels_after([]) == ()
        told = {
            level.name: level.used
            for level in office.gateway.levels_after([submit("a"), query("q"), query("p")])
        }
        assert told == {BTC: 1.0, "rest": 4.0}, "of counters that nothing was taken from yet, too"
        office.line.delay = SECOND
        office.gateway.enqueue(
            [submit("b", Lane.PROTECT), amend("b", touched_at=START), submit("c")]
        )
        (level,) = [
            level for level in office.gateway.levels_after([submit("d")]) if level.name == BTC
        ]
        assert (level.used, level.capacity, level.at) == (
            7.0,
            60.0,
            START,
        ), "b and c left; b's amend waits, and d is about to leave"
        later = Office()
        later.gateway.restore((level,))
        assert [(one.name, one.used) for one in later.gateway.levels()] == [(BTC, 7.0)]
        await office.idle()

    in_office(tale, rules=STEADY)
