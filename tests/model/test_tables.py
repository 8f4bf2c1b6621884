"""The tables of the model: transitions, refusals, alerts; and ids."""

import itertools
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.alert import ALERTS, Alert, Severity
from engine.model.ids import (
    PREFIX,
    account_prefix,
    as_sent,
    client_order_id,
    number_of,
    position_id,
)
from engine.model.order import TERMINAL, TRANSITIONS, Status, may_become
from engine.model.refusal import REFUSALS, Refusal

P, O, PF, F, C, E, R = Status  # noqa: E741 - letters make a table that can be read
ALLOWED = {
    *((P, then) for then in (O, PF, F, C, E, R)),
    *((O, then) for then in (PF, F, C, E)),
    *((PF, then) for then in (PF, F, C, E)),
    *((ended, F) for ended in (C, E, R)),
}


@pytest.mark.hazard("H07")
@pytest.mark.parametrize(("now", "then"), list(itertools.product(Status, Status)))
def test_an_order_goes_only_where_the_table_says(now: Status, then: Status) -> None:
    assert may_become(now, then) is ((now, then) in ALLOWED)


def test_every_status_has_its_row_and_nothing_leaves_a_full_fill() -> None:
    assert set(TRANSITIONS) == set(Status)
    assert TRANSITIONS[Status.FILLED] == frozenset()
    assert all(TRANSITIONS[ended] <= {Status.FILLED} for ended in TERMINAL)


@pytest.mark.parametrize("code", REFUSALS)
def test_every_refusal_can_be_said(code: str) -> None:
    said = Refusal(code, "VALUE", "BOUND").text
    fields = {name for _, name, _, _ in string.Formatter().parse(REFUSALS[code]) if name}
    assert fields <= {"value", "bound"}
    assert ("VALUE" in said, "BOUND" in said) == ("value" in fields, "bound" in fields)


def test_a_refusal_that_is_in_no_table_can_t_be_made() -> None:
    with pytest.raises(ValueError, match="'NO_SUCH' is not in the table"):
        Refusal("NO_SUCH")


@pytest.mark.parametrize("code", ALERTS)
def test_every_alert_can_be_said_and_stands_until_it_is_done_with(code: str) -> None:
    alert = Alert(code, "SUBJECT", "DETAIL", at=1)
    assert "{" not in alert.text
    assert alert.stands
    assert not Alert(code, "SUBJECT", "DETAIL", at=1, cured_at=2).stands
    acknowledged = Alert(code, "SUBJECT", "DETAIL", at=1, acknowledged_at=2)
    assert acknowledged.stands is (alert.severity is Severity.CRITICAL)


TEXTS = st.text(max_size=40)


@given(account=TEXTS, intent=TEXTS, leg=TEXTS, version=st.integers(0, 10**6))
def test_an_order_s_id_is_derived_and_what_kraken_takes(
    account: str, intent: str, leg: str, version: int
) -> None:
    name = client_order_id(account, intent, leg, version)
    assert name == client_order_id(account, intent, leg, version)
    assert len(name) == 18
    assert set(name) <= set(string.ascii_uppercase + "234567")
    assert name.startswith(account_prefix(account))
    assert account_prefix(account).startswith(PREFIX)
    assert number_of(name) == version


def test_nothing_that_differs_has_the_same_id() -> None:
    asked = list(
        itertools.product(("main", "other"), ("i1", "i2", "i11"), ("entry", "stop"), range(50))
    )
    assert len({client_order_id(*one) for one in asked}) == len(asked)
    assert client_order_id("a", "b", "c", 1) != client_order_id("a", "bc", "", 1)
    assert position_id("a", "bc") != position_id("ab", "c")


def test_ids_are_the_same_in_every_version_of_the_program() -> None:
    assert account_prefix("main") == "FOU6B"
    assert client_order_id("main", "i1", "entry", 0) == "FOU6BVJ7LU75GAAAAA"
    assert client_order_id("main", "i1", "stop", 12) == "FOU6BZTMGLMR6AAAAM"


@pytest.mark.hazard("H18")
def test_an_id_is_ours_in_whichever_case_a_view_tells_it() -> None:
    assert as_sent("fou6bztmglmr6aaaam") == "FOU6BZTMGLMR6AAAAM"
    assert as_sent("Fou6bZTMGLMR6aaaam") == "FOU6BZTMGLMR6AAAAM"
    for theirs in ("", "folder-of-somebody", "fo", "somebodys-own-order", "OU6BZTMGLMR6AAAAM"):
        assert as_sent(theirs) == theirs
    assert position_id("main", "i1") == "PWTE5LCVO22E"


def test_severities_are_in_order_and_keep_their_numbers() -> None:
    assert [(severity.name, severity.value) for severity in Severity] == [
        ("INFO", 1),
        ("WARNING", 2),
        ("CRITICAL", 3),
    ]
