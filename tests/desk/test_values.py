"""What is written down once: events and messages are frozen, the rules' defaults are the documented
ones, and typed settings are checked.
"""

from decimal import Decimal
from types import ModuleType
from typing import get_args

import msgspec
import pytest

from engine.desk import desk, doubts, draft, lockouts, messages, recovery, state, views
from engine.desk import events as e
from engine.desk import rules as bounds
from engine.desk.evolve import account
from engine.desk.rules import ProtectionRules, RequestRules, RiskRules, Rules
from engine.desk.state import Block, Day, Doubt, FlattenState, State, Totals
from engine.model.request import Lane

D = Decimal


def structs(module: ModuleType) -> list[type[msgspec.Struct]]:
    """Those that a module, or what is below it, defines."""
    return [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, msgspec.Struct)
        and f"{kind.__module__}.".startswith(f"{module.__name__}.")
    ]


FROZEN = [
    kind
    for module in (e, desk, messages, state, draft, bounds)
    for kind in structs(module)
    if kind is not State
]


@pytest.mark.parametrize("kind", FROZEN, ids=lambda kind: kind.__name__)
def test_what_was_said_can_not_be_changed(kind: type[msgspec.Struct]) -> None:
    assert kind.__struct_config__.frozen
    assert kind.__hash__ is not None


def test_every_event_is_of_the_union_and_has_a_tag_of_its_own() -> None:
    kinds = set(e.AnyEvent.__args__)
    assert kinds == {kind for kind in structs(e) if issubclass(kind, e.Event)} - {e.Event}
    assert len({kind.__struct_config__.tag for kind in kinds}) == len(kinds)


def test_what_is_left_out_of_an_event_is_as_it_was() -> None:
    plan = e.Plan("i", None, None, None)
    assert (plan.attempts, plan.began_at) == (1, 0)
    assert not e.OrderRejected(1, "o", "no").lost
    amend = e.AmendAsked(1, "o", Lane.PROTECT)
    assert (amend.size, amend.price, amend.trigger) == (None, None, None)
    assert e.OrderAmended(1, "o", D(1), None, None).terms_at == 0
    assert e.StopMoved(1, "p", None, "operator").reason == ""
    assert e.TargetMoved(1, "p", None).by == "operator"


def test_a_memory_begins_empty() -> None:
    fresh = State("a", "USD")
    assert (
        fresh.seq,
        fresh.halted,
        fresh.flatten,
        fresh.asked_at,
        fresh.reconciled_at,
        fresh.last_fill_at,
    ) == (0, False, None, None, 0, 0)
    assert fresh.day == Day(began_at=0, equity=None, peak=None, trough=D(0), last=None, losses=0)
    assert fresh.totals == Totals(realised={}, fees={})
    doubt = Doubt("submit", "no answer", 1, None)
    assert (doubt.asked, doubt.absences) == (0, 0)
    flatten = FlattenState("i", 1)
    assert (
        flatten.asked_at,
        flatten.ended_at,
        flatten.closed,
        flatten.cancelled,
        flatten.receipt,
    ) == (None, None, (), 0, ())
    assert Block("c", "t", 1, None).until is None


def test_the_bounds_of_an_entry_are_the_documented_ones() -> None:
    assert RiskRules() == RiskRules(
        max_positions=10,
        max_order=D(2),
        max_position=D(2),
        max_exposure=D(5),
        max_order_notional=None,
        max_trade_risk=None,
        max_open_risk=D("0.25"),
        max_slippage=D("0.005"),
        max_book_share=None,
        max_limit_distance=D("0.25"),
        require_stop=True,
        naked_blocks=True,
        daily_loss=D("0.05"),
        max_drawdown=D("0.20"),
        losing_streak=6,
        cool_down=1800.0,
        price_age=60.0,
        sizing_age=30.0,
    )


def test_the_bounds_of_protection_are_the_documented_ones() -> None:
    assert ProtectionRules() == ProtectionRules(
        grace=3.0,
        retry=1.0,
        retry_max=5.0,
        refusals=5,
        policy="guard",
        trail_step=D("0.0005"),
        exit_slippage=D("0.01"),
        stuck=20.0,
    )


def test_the_bounds_of_requests_are_the_documented_ones() -> None:
    assert RequestRules() == RequestRules(
        entry_deadline=5.0,
        exit_deadline=4.0,
        settle=1.0,
        ask=0.25,
        ask_max=10.0,
        ask_exits=5.0,
        resend=15.0,
        recover=5.0,
        reconcile=60.0,
        recent=10.0,
    )
    assert Rules() == Rules(risk=RiskRules(), protection=ProtectionRules(), requests=RequestRules())


def test_what_has_a_bound_in_memory_has_the_documented_one() -> None:
    assert (
        state.ENDED_ORDERS,
        state.CLOSED_POSITIONS,
        state.EXECUTIONS,
        state.ENDED_ALERTS,
        state.STANDING_ALERTS,
    ) == (1000, 200, 20_000, 200, 500)
    assert (account.ANSWERS, views.ALERT_TAIL, recovery.SKIP, recovery.PACE, desk.ROUNDS) == (
        1000,
        50,
        100,
        10_000_000,
        50,
    )


def test_what_happens_on_a_schedule_happens_on_the_documented_one() -> None:
    second = 1_000_000_000
    assert (10 * second, 60 * second, 60 * second) == (
        lockouts.SAMPLE,
        lockouts.QUIET,
        doubts.OVERLAP,
    )


@pytest.mark.parametrize("kind", [RiskRules, ProtectionRules, RequestRules])
def test_a_setting_that_is_not_known_is_refused(kind: type[msgspec.Struct]) -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field `no_such_rule`"):
        msgspec.convert({"no_such_rule": 1}, kind)


@pytest.mark.parametrize("kind", [RiskRules, ProtectionRules, RequestRules, Rules])
def test_settings_are_given_by_name(kind: type[msgspec.Struct]) -> None:
    with pytest.raises(TypeError, match="positional"):
        kind(1)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (RiskRules, {"max_positions": -1}),
        (RiskRules, {"losing_streak": -1}),
        (RiskRules, {"cool_down": -0.5}),
        (RiskRules, {"price_age": -1.0}),
        (ProtectionRules, {"grace": -0.1}),
        (ProtectionRules, {"refusals": -1}),
        (ProtectionRules, {"policy": "hope"}),
        (RequestRules, {"entry_deadline": 0.4}),
        (RequestRules, {"entry_deadline": 60.1}),
        (RequestRules, {"exit_deadline": 0.4}),
        (RequestRules, {"exit_deadline": 60.1}),
        (RequestRules, {"reconcile": 4.9}),
    ],
)
def test_a_duration_or_count_outside_its_bounds_is_refused(
    kind: type[msgspec.Struct], values: dict[str, object]
) -> None:
    with pytest.raises(msgspec.ValidationError, match=next(iter(values))):
        msgspec.convert(values, kind)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (RiskRules, {"max_positions": 0, "losing_streak": 0, "cool_down": 0.0, "price_age": 0.5}),
        (ProtectionRules, {"grace": 0.0, "refusals": 0, "policy": "close", "retry": 0.5}),
        (RequestRules, {"entry_deadline": 0.5, "exit_deadline": 0.5, "reconcile": 5.0}),
        (RequestRules, {"entry_deadline": 60.0, "exit_deadline": 60.0, "settle": 0.0}),
    ],
)
def test_a_duration_or_count_at_its_bounds_is_taken(
    kind: type[msgspec.Struct], values: dict[str, object]
) -> None:
    taken = msgspec.convert(values, kind)
    assert {name: getattr(taken, name) for name in values} == values


def test_a_fraction_has_its_lower_bound_written_beside_it() -> None:
    assert get_args(bounds.Fraction)[1].extra == {"minimum": 0}
